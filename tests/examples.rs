//! Every rule is tried on its own examples: it must fire where it says so, and must not fire on the cure.

#[path = "support/golden.rs"]
mod golden;
#[path = "support/judged.rs"]
mod judged;

use std::path::Path;

use judged::{judge, judge_migration};
use pgproof::assets::Assets;
use pgproof::check::{environment, load, rules_page};

#[test]
fn rules_fire_where_their_examples_say() {
    let assets = Assets::builtin();
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the program's rules can be read");
    assert!(pack.checks().len() >= 20);
    let mut faults = Vec::new();
    for check in pack.checks() {
        let rule = &check.rule;
        let fires = rule.examples.iter().any(|example| example.finds > 0);
        let rests = rule.examples.iter().any(|example| example.finds == 0);
        if !fires || !rests {
            faults.push(format!(
                "{}: an example that fires, and one that does not",
                rule.code
            ));
        }
        for (number, example) in rule.examples.iter().enumerate() {
            let place = format!("{}, example {}", rule.code, number + 1);
            let judged = match example.migration.is_empty() {
                true => judge(&pack, &example.text()),
                false => judge_migration(&pack, &example.earlier, &example.migration),
            };
            match judged {
                Err(error) => faults.push(format!("{place}: {error}")),
                Ok(findings) => {
                    let found: Vec<_> = findings.iter().filter(|f| f.code == rule.code).collect();
                    if found.len() != example.finds {
                        let all: Vec<String> = findings
                            .iter()
                            .map(|f| format!("  {} {}: {}", f.code, f.subject, f.message))
                            .collect();
                        faults.push(format!(
                            "{place}: {} findings, not {}\n{}",
                            found.len(),
                            example.finds,
                            all.join("\n")
                        ));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn worked_designs_are_clean() {
    let assets = Assets::builtin();
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the program's rules can be read");
    let mut faults = Vec::new();
    for name in assets.designs() {
        let path = format!("designs/{name}/design.yaml");
        let Some(design) = assets.get(&path) else {
            continue;
        };
        match judge(&pack, &design.text) {
            Err(error) => faults.push(format!("{name}: {error}")),
            Ok(findings) => faults.extend(findings.iter().map(|finding| {
                format!(
                    "{name}: {} {}: {}",
                    finding.code, finding.subject, finding.message
                )
            })),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_page_of_rules_is_up_to_date() {
    let assets = Assets::builtin();
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the program's rules can be read");
    let page = rules_page(&pack, &environment).expect("the page can be rendered");
    golden::check("docs/rules.md", &page);
}

#[test]
fn the_page_about_migrations_has_every_recipe() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/migrations.md");
    let page = std::fs::read_to_string(path).expect("the page is there");
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with("Recipes\n"));
    let section = section.expect("it has a section for them");
    let found: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("- **"))
        .collect();
    let recipes = pgproof::migrate::RECIPES.iter();
    let wanted: Vec<String> = recipes
        .map(|recipe| format!("- **{}**: {}.", recipe.name, recipe.doc))
        .collect();
    assert_eq!(found, wanted);
}
