//! Everything on a real PostgreSQL, as `pgproof verify` runs it.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/design.rs"]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::collections::BTreeSet;

use pgproof::assets::Assets;
use pgproof::finding::{Method, Verdict};
use pgproof::template::environment;
use pgproof::verify::race::RaceOptions;
use pgproof::verify::{Part, Quiet, VerifyOptions, verify};
use support::Home;

fn options() -> VerifyOptions {
    VerifyOptions {
        seed: 1,
        only: methods(),
        // Some of three sessions, so that the test ends in time; `race_cases` has more of it.
        race: RaceOptions {
            wide_schedules: 150,
            schedules_of_wide_trial: 30,
            ..RaceOptions::default()
        },
        command: "pgproof verify".to_owned(),
        part: Part::default(),
        rows: None,
        predecessors: std::collections::BTreeMap::new(),
    }
}

/// `METHODS=reject,mutate` narrows a run while something is being looked at.
fn methods() -> BTreeSet<Method> {
    let asked = std::env::var("METHODS").unwrap_or_default();
    let all = [
        Method::Build,
        Method::Reject,
        Method::Race,
        Method::Plan,
        Method::Mutate,
    ];
    let asked = all
        .into_iter()
        .filter(|method| asked.split(',').any(|word| word == method.word()));
    asked.collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn worked_designs_come_through() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let only = std::env::var("DESIGN").ok();
    for name in design::WORKED {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let model = design::worked(name);
        let verified = verify(&[&model], &options(), &server, &environment, &mut Quiet)
            .await
            .expect("works");
        for evidence in &verified.evidence {
            println!(
                "{:8} {:9} {:45} {} {} {:?}",
                evidence.method.word(),
                evidence.verdict.word(),
                evidence.claim.subject,
                evidence.reason.as_deref().unwrap_or_default(),
                evidence.bounds.as_deref().unwrap_or_default(),
                evidence.duration
            );
            if evidence.verdict <= Verdict::Vacuous {
                println!("{:#?}", evidence.counterexample);
            }
        }
        for finding in &verified.findings {
            println!("{} {} {}", finding.code, finding.subject, finding.message);
        }
        println!(
            "{name}: mutants {}/{}",
            verified.mutants.killed, verified.mutants.made
        );
        let ids: BTreeSet<&str> = verified.evidence.iter().map(|e| e.id.as_str()).collect();
        assert_eq!(
            ids.len(),
            verified.evidence.len(),
            "{name}: one evidence for each claim and method"
        );
    }
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_kind_is_refused_and_every_mutant_noticed() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/kinds");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    let only = std::env::var("DESIGN").ok();
    let mut wrong = Vec::new();
    for file in files {
        let name = file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let model = design::model(&std::fs::read_to_string(&file).expect("readable"));
        let mut options = options();
        options.only = BTreeSet::from([Method::Build, Method::Reject, Method::Mutate]);
        let verified = verify(&[&model], &options, &server, &environment, &mut Quiet)
            .await
            .expect("works");
        for evidence in &verified.evidence {
            if evidence.verdict != Verdict::Proven {
                println!("{:#?}", evidence.counterexample);
                let reason = evidence.reason.clone().unwrap_or_default();
                wrong.push(format!(
                    "{name}: {} {} {}: {reason}",
                    evidence.method.word(),
                    evidence.verdict.word(),
                    evidence.claim.subject
                ));
            }
        }
        if verified.mutants.made == 0 || verified.mutants.killed != verified.mutants.made {
            wrong.push(format!("{name}: {:?}", verified.mutants));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    server.stop().await.expect("stops");
    home.assert_clean();
}
