//! Rules of a team: what is refused when they are read, and that they run beside ours.

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/judged.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod judged;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use design::model;
use judged::{TODAY, judge};
use pgproof::assets::Assets;
use pgproof::check::{about, environment, load, waive_tried};
use pgproof::finding::{Finding, Method, Severity, TRIED};

const RULE: &str = r#"
code: owner-missing
title: table without an owner
on: table
level: error
since: 1.0.0
when: table.owner is blank
message: "table `{{ table.name }}` has no owner"
why: somebody is called at night
prevents: nobody is
"#;

const DESIGN: &str = "
pgproof: 1
design: d
tables:
  item:
    grain: one item
    columns: {item_id: uuid}
    key: [item_id]
";

fn write(workspace: &Path, path: &str, text: &str) {
    let path = workspace.join(path);
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
    fs::write(path, text).expect("files can be written");
}

/// What is said when a workspace with one rule is loaded.
fn refused(path: &str, rule: &str) -> String {
    let workspace = tempfile::tempdir().expect("a folder can be made");
    write(workspace.path(), path, rule);
    let assets = Assets::new(&[workspace.path().to_owned()]).expect("it can be read");
    let environment = environment(&assets);
    match load(&assets, &environment) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_rule_of_the_team_runs_beside_ours() {
    let workspace = tempfile::tempdir().expect("a folder can be made");
    write(workspace.path(), "checks/team/owner-missing.yaml", RULE);
    let assets = Assets::new(&[workspace.path().to_owned()]).expect("it can be read");
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the rule is right");
    assert!(about(&pack, "owner-missing").is_some() && about(&pack, "grain-missing").is_some());
    let findings = judge(&pack, DESIGN).expect("the design is right");
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.code.as_str(), f.message.as_str()))
        .collect();
    assert_eq!(found, [("owner-missing", "table `item` has no owner")]);
    assert_eq!(findings[0].subject, "table item");
    assert_eq!(findings[0].design, "d");
}

#[test]
fn a_rule_of_ours_can_be_replaced() {
    let workspace = tempfile::tempdir().expect("a folder can be made");
    let ours = "code: grain-missing\nreplaces: grain-missing\ntitle: t\non: table\nlevel: advice\nsince: 1.0.0\n\
        when: 'false'\nmessage: never\nwhy: w\nprevents: p\n";
    write(workspace.path(), "checks/team/grain-missing.yaml", ours);
    let other = RULE.replace("on: table", "on: table\nreplaces: select-star");
    write(workspace.path(), "checks/team/owner-missing.yaml", &other);
    let assets = Assets::new(&[workspace.path().to_owned()]).expect("it can be read");
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the rules are right");
    assert!(about(&pack, "select-star").is_none());
    let grain = about(&pack, "grain-missing").expect("the team's is there");
    assert_eq!(grain.when.as_deref(), Some("false"));
    let alone = pack
        .checks()
        .iter()
        .filter(|c| c.rule.code == "grain-missing");
    assert_eq!(alone.count(), 1);
}

#[test]
fn what_is_wrong_with_a_rule_is_said_when_it_is_read() {
    let file = "checks/team/owner-missing.yaml";
    for (from, to, expected) in [
        (
            "table.owner is blank",
            "table.ownr is blank",
            "`table.ownr` is unknown; `table` has",
        ),
        (
            "table.owner is blank",
            "tabel.owner is blank",
            "`tabel.owner` is unknown; facts begin with design, table",
        ),
        (
            "table.owner is blank",
            "column.name is blank",
            "`column.name` is unknown",
        ),
        (
            "{{ table.name }}",
            "{{ table.nam }}",
            "`table.nam` is unknown",
        ),
        ("table.owner is blank", "table.owner ==", "syntax error"),
        ("table.owner is blank", "table.owner is nice", "nice"),
        (
            "when: table.owner is blank",
            "builtin: no-such-thing",
            "there is no builtin `no-such-thing`",
        ),
        (
            "when: table.owner is blank",
            "builtin: missing-section",
            "is `on: design`",
        ),
        (
            "when: table.owner is blank",
            "",
            "one of `when` and `builtin`",
        ),
        ("on: table", "on: tables", "tables"),
        (
            "on: table",
            "on: table\nat: column",
            "`at: column` is no place of a table",
        ),
        ("level: error", "level: fatal", "fatal"),
        ("why: somebody", "wy: somebody", "wy"),
        (
            "code: owner-missing",
            "code: no-owner",
            "the file of rule `no-owner` is called no-owner.yaml",
        ),
    ] {
        let message = refused(file, &RULE.replace(from, to));
        assert!(message.contains(expected), "{to}: {message}");
        assert!(message.contains("owner-missing.yaml"), "{to}: {message}");
    }
    assert_eq!(refused(file, RULE), "");
    let twin = RULE.replace("owner-missing", "grain-missing");
    let message = refused("checks/team/grain-missing.yaml", &twin);
    assert!(
        message.contains("there is already a rule `grain-missing`"),
        "{message}"
    );
    let message = refused("checks/grain/grain-missing.yaml", &twin);
    assert!(message.contains("replaces: grain-missing"), "{message}");
}

const WAIVED: &str = "
pgproof: 1
design: d
tables:
  item:
    grain: one item
    columns: {item_id: uuid, name: text}
    key: [item_id]
    indexes:
      ix_item: {columns: [name]}
waivers:
  - {rule: unused-index, at: item.ix_item, because: the auditors need it}
  - {rule: unneeded-lock, because: it is cheap}
  - {rule: missing-index, because: not this year, until: 2026-01-01}
";

#[test]
fn what_is_found_on_a_server_is_waived_when_it_is_found() {
    let assets = Assets::builtin();
    let environment = environment(&assets);
    let pack = load(&assets, &environment).expect("the rules are right");
    let said = |findings: &[Finding]| -> Vec<String> {
        let waivers = findings.iter().filter(|f| f.code.starts_with("waiver-"));
        waivers
            .map(|f| format!("{} {}", f.code, f.subject))
            .collect()
    };
    // Without a server nobody knows whether a waiver has something to waive, only that its time is over.
    let before = judge(&pack, WAIVED).expect("the design is right");
    assert_eq!(said(&before), ["waiver-expired waiver missing-index"]);

    let model = model(WAIVED);
    let found = |code: &str, subject: &str| {
        Finding::new(code, Severity::Warning, subject, "it is so", model.name.at)
    };
    let findings = vec![
        found("unused-index", "index ix_item on item"),
        found("unused-index", "index ix_other on item"),
        found("missing-index", "query q"),
        found("ddl-refused", "table item"),
    ];
    let waive = |complete: &dyn Fn(Method) -> bool| {
        waive_tried(&pack, &model, findings.clone(), TODAY, complete).expect("the rules are right")
    };
    let (left, waived) = waive(&|_| true);
    assert_eq!(waived.len(), 1);
    assert_eq!(waived[0].finding.subject, "index ix_item on item");
    assert_eq!(left.len(), 4, "{left:#?}");
    assert_eq!(said(&left), ["waiver-unused waiver unneeded-lock"]);
    let (left, _) = waive(&|method| method != Method::Mutate);
    assert_eq!(
        said(&left),
        [""; 0],
        "no mutant was made that could show it"
    );
}

/// Every code that is given to a finding on a server is explained by `pgproof rule`, and no other is.
#[test]
fn whatever_a_server_shows_has_a_page() {
    let mut used = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verify")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("it is text");
            for call in ["Finding::error(", "Finding::new("] {
                for rest in text.split(call).skip(1) {
                    let code = rest.trim_start().strip_prefix('"');
                    let code = code.and_then(|code| code.split('"').next());
                    used.extend(code.map(str::to_owned));
                }
            }
        }
    }
    let known: BTreeSet<String> = TRIED
        .iter()
        .map(|tried| tried.about.name.to_owned())
        .collect();
    assert!(used.len() > 5, "{used:?}");
    assert_eq!(used, known);
}
