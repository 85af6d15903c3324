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

/// Who writes without a tenant, and who goes on to another tenant before the end, is judged by the rows of the tenant that was written for.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn rules_are_kept_for_the_tenant_of_the_row() {
    let home = Home::new();
    let server = home.local().await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/race");
    let file = folder.join("tenant-rule/fixed.yaml");
    let model = design::model(&std::fs::read_to_string(file).expect("readable"));
    let compiled = pgproof::compile::compile(&model);
    let environment = environment(&Assets::builtin());
    let script = pgproof::compile::ddl(&compiled.catalog, &environment).expect("it compiles");
    for (role, made) in &compiled.catalog.roles {
        let done = server.ensure_role(role, made.bypass_rls).await;
        done.expect("a role can be made");
    }
    let database = support::database(&server).await;
    let mut owner = support::session(&database).await;
    for statement in &script.statements {
        if !statement.sql.as_str().starts_with("CREATE ROLE") {
            owner.batch(&statement.sql).await.expect("it is built");
        }
    }
    let mut admin = database.admin().await.expect("an administrator");
    let refused = [
        (
            "without a tenant",
            "BEGIN; INSERT INTO entry VALUES ({a}, {b}, {a}, 5); COMMIT",
        ),
        (
            "another tenant at the end",
            "BEGIN; SET LOCAL ROLE app; SET LOCAL app.tenant_id = {a}; INSERT INTO entry VALUES ({a}, {b}, {a}, 5); \
             SET LOCAL app.tenant_id = {b}; COMMIT",
        ),
        (
            "with policies off",
            "BEGIN; SET LOCAL row_security = off; INSERT INTO entry VALUES ({a}, {b}, {a}, 5); COMMIT",
        ),
        ("the last entry goes", "BEGIN; DELETE FROM entry; COMMIT"),
        (
            "a posting alone",
            "BEGIN; INSERT INTO posting VALUES ({b}, {b}, 1); COMMIT",
        ),
        (
            "two guests",
            "INSERT INTO stay VALUES ({a}, {b}, {a}, 1, '[2026-01-01,2026-01-03)', 0)",
        ),
        (
            "too dear",
            "INSERT INTO stay VALUES ({a}, {b}, {a}, 2, '[2026-01-01,2026-01-03)', 1)",
        ),
    ];
    let named = |text: &str| {
        let named = text.replace("{a}", "'00000000-0000-0000-0000-00000000000a'");
        support::sql(&named.replace("{b}", "'00000000-0000-0000-0000-00000000000b'"))
    };
    let begun = "SET search_path = tenant_rule; BEGIN; INSERT INTO posting VALUES ({a}, {a}, 1); INSERT INTO entry VALUES ({a}, {a}, {a}, 0); \
                 INSERT INTO stay VALUES ({a}, {a}, {a}, 1, '[2026-01-02,2026-01-04)', 1); COMMIT";
    admin
        .batch(&named(begun))
        .await
        .expect("what is allowed is done");
    for (what, text) in refused {
        let failure = admin.batch(&named(text)).await.expect_err(what);
        let state = failure.sqlstate.code().to_owned();
        assert!(
            ["23514", "23P01"].contains(&state.as_str()),
            "{what}: {failure}"
        );
        let _ = admin.batch(&support::sql("ROLLBACK")).await;
    }
    // The caller's tenant is the caller's again.
    let kept = "BEGIN; SET LOCAL ROLE app; SET LOCAL app.tenant_id = {a}; INSERT INTO entry VALUES ({a}, {b}, {a}, 0); \
                SET LOCAL app.tenant_id = {b}; SET CONSTRAINTS ALL IMMEDIATE";
    admin
        .batch(&named(kept))
        .await
        .expect("what is allowed is done");
    let setting = support::sql("SELECT current_setting('app.tenant_id')");
    let found = admin.query(&setting).await.expect("it is said");
    let wanted = support::some(&["00000000-0000-0000-0000-00000000000b"]);
    assert_eq!(found.rows, [wanted]);
    drop((admin, owner));
    database.drop().await.expect("it goes");
    server.stop().await.expect("stops");
    home.assert_clean();
}
