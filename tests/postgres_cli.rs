//! `verify` as its users run it, with a real server.

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod postgres;
#[path = "support/program.rs"]
mod program;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pgproof::postgres::find_programs;
use postgres::Home;
use program::{pgproof, stderr, stdout};
use serde_json::Value;

/// `verify` on a design of the given text, with its runs in a folder of the test.
fn verify(home: &Home, design: &str, args: &[&str]) -> assert_cmd::assert::Assert {
    let path = home.path().join("design.yaml");
    std::fs::write(&path, design).expect("a design can be written");
    let place = std::env::var("PGPROOF_TEST_POSTGRES").unwrap_or_else(|_| "local".to_owned());
    // What an earlier test has tried is tried all the same.
    let fixed = ["verify", "design.yaml", "--no-cache", "--postgres"];
    pgproof(&fixed)
        .arg(&place)
        .args(args)
        .current_dir(home.path())
        .env("TMPDIR", home.path())
        .assert()
}

fn json(assert: &assert_cmd::assert::Assert) -> Value {
    serde_json::from_str(&stdout(assert)).expect("the report is JSON")
}

/// What nothing is known of, in a design of a version that no machine has to have.
fn counted(version: u16) -> String {
    format!(
        "pgproof: 1\ndesign: counted\ndatabase: {{version: {version}, schema: counted}}\ntables:\n  item:\n    grain: one item\n    \
         columns: {{item_id: bigint, name: text}}\n    key: [item_id]\n    volume: {{rows: 1M}}\n\
         queries:\n  by-id:\n    does: finds an item\n    kind: interactive\n    params: {{item_id: bigint}}\n    \
         sql: SELECT name FROM item WHERE item_id = :item_id\n    plan: {{uses: [item_pkey]}}\n"
    )
}

#[test]
#[ignore = "needs PostgreSQL"]
fn further_versions_are_tried_or_said_not_to_be_there() {
    let home = Home::new();
    let here: Vec<u16> = find_programs(&home.places())
        .iter()
        .map(|programs| programs.major)
        .collect();
    let there = *here.first().expect("the machine has server programs");
    let missing = (14..=18).find(|major| !here.contains(major));
    // The design is of the other version, so that the one that is there is a further one.
    let own = if there == 18 { 17 } else { there + 1 };
    let path = home.path().join("design.yaml");
    std::fs::write(&path, counted(own)).expect("a design can be written");
    let mut versions = there.to_string();
    if let Some(missing) = missing.filter(|missing| *missing != own) {
        versions = format!("{versions},{missing}");
    }
    let done = pgproof(&[
        "verify",
        "design.yaml",
        "--no-cache",
        "--postgres",
        "local",
        "--only",
        "build,plan",
        "--format",
        "json",
    ])
    .args(["--postgres-versions", &versions])
    .current_dir(home.path())
    .env("TMPDIR", home.path())
    .assert();
    let report = json(&done);
    let evidence = report["evidence"].as_array().expect("evidence");
    let of = |subject: &str| {
        let found = evidence.iter().find(|e| e["claim"]["subject"] == subject);
        found.unwrap_or_else(|| unreachable!("{subject}: {report:#}"))
    };
    let query = of("query by-id");
    assert_eq!(query["figures"]["further_versions"], 1, "{query:#}");
    assert_eq!(query["figures"]["planned_otherwise"], 0, "{query:#}");
    let nodes = query["plans"][0]["nodes"][0].as_str().unwrap_or_default();
    assert!(nodes.contains("using item_pkey on item"), "{query:#}");
    let further = of(&format!("query by-id on PostgreSQL {there}"));
    assert_eq!(further["verdict"], "held", "{further:#}");
    assert!(
        further["bounds"]
            .as_str()
            .unwrap_or_default()
            .contains("planned as on PostgreSQL"),
        "{further:#}"
    );
    assert!(
        further["reproduce"]
            .as_str()
            .unwrap_or_default()
            .contains(&format!("--postgres-versions {there}"))
    );
    of(&format!("schema counted on PostgreSQL {there}"));
    if let Some(missing) = missing.filter(|missing| *missing != own) {
        let absent = of(&format!("PostgreSQL {missing}"));
        assert_eq!(absent["verdict"], "unchecked", "{absent:#}");
        assert!(
            absent["reason"]
                .as_str()
                .unwrap_or_default()
                .contains(&format!("no server programs of PostgreSQL {missing}")),
            "{absent:#}"
        );
    }
    home.assert_clean();
}

/// A lending desk: an item is lent to one person at a time.
fn lending(enforced: &str) -> String {
    format!(
        "pgproof: 1
design: lending
database: {{version: {}, schema: lending}}
process: {{actors: {{desk: {{does: lends, writes: [loan], reads: [loan]}}}}}}
tables:
  loan:
    grain: one lending of one item
    role: history
    columns:
      loan_id: uuid
      item_id: uuid
      returned_at: {{type: timestamptz, nullable: not returned yet}}
    key: [loan_id]
invariants:
  lent-once:
    never: an item is lent twice at a time
    at_most_one: {{in: loan, per: [item_id], where: returned_at is null}}
    enforced: {enforced}
    monitor: {{every: 1 day, alert: ticket}}
    repair: ask both for the item
commands:
  lend:
    actor: desk
    does: lends an item that nobody has
    params: {{loan_id: uuid, item_id: uuid}}
    isolation: read committed
    steps:
      - as: lent
        sql: SELECT loan_id FROM loan WHERE item_id = :item_id AND returned_at IS NULL
      - require: lent.rows == 0
        otherwise: lent_already
      - sql: INSERT INTO loan (loan_id, item_id) VALUES (:loan_id, :item_id)
    outcomes: {{unique_violation: lent_already}}
",
        postgres::installed_major()
    )
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_rule_left_to_the_application_is_refuted_with_a_timeline() {
    let home = Home::new();
    let assert = verify(&home, &lending("application"), &["--only", "race"]).code(1);
    let told = stdout(&assert);
    for part in [
        "✖ refuted by race: lending, invariant lent-once",
        "never: an item is lent twice at a time",
        "│ A: lend",
        "│ B: lend",
        "COMMIT",
        "rows that break the claim",
        "again: pgproof verify design.yaml",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_same_seed_gives_the_same_report_and_it_is_as_its_schema_says() {
    let home = Home::new();
    let schema = serde_json::from_str(pgproof::report::SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let run = || {
        let assert = verify(
            &home,
            &lending("constraint"),
            &["--format", "json", "--seed", "7"],
        )
        .code(0);
        let mut report = json(&assert);
        let faults: Vec<String> = validator
            .iter_errors(&report)
            .map(|f| f.to_string())
            .collect();
        assert!(faults.is_empty(), "{faults:#?}");
        for evidence in report["evidence"].as_array_mut().expect("a list") {
            evidence["duration_ms"] = Value::Null;
            // How quick a command is is the one thing that differs from run to run; the verdict does not.
            if evidence["claim"]["subject"]
                .as_str()
                .unwrap_or_default()
                .starts_with("command ")
            {
                evidence["figures"] = Value::Null;
                evidence["measured"] = Value::Null;
            }
        }
        report
    };
    let first = run();
    assert_eq!(first["summary"]["claims"]["refuted"], 0);
    assert!(
        first["summary"]["claims"]["proven"].as_u64() > Some(0),
        "{first:#}"
    );
    assert_eq!(
        first["summary"]["mutants"]["made"],
        first["summary"]["mutants"]["killed"]
    );
    assert_eq!(first, run());
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_does_not_compile_is_told_and_no_server_is_started() {
    let home = Home::new();
    let broken = lending("constraint").replace("per: [item_id]", "per: [itm_id]");
    let assert = verify(&home, &broken, &[]).code(1);
    assert!(stdout(&assert).contains("itm_id"));
    assert!(
        !stderr(&assert).contains("PostgreSQL"),
        "{}",
        stderr(&assert)
    );
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_signal_ends_a_run_and_leaves_nothing() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let home = Home::new();
        let design = home.path().join("design.yaml");
        std::fs::write(&design, lending("constraint")).expect("a design can be written");
        let child = Command::new(assert_cmd::cargo::cargo_bin!("pgproof"))
            .args(["verify", "design.yaml", "--no-cache", "--postgres", "local"])
            .current_dir(home.path())
            .env("TMPDIR", home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        wait_for(|| !postgres::processes_in(home.path()).is_empty());
        assert_eq!(ended(child, signal), Some(code), "{signal}");
        home.assert_clean();
    }
}

/// Sends a signal, and waits for the end.
fn ended(mut child: Child, signal: &str) -> Option<i32> {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.expect("kill is there").success());
    child.wait().expect("the program ends").code()
}

fn wait_for(is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(60), "it never was so");
        std::thread::sleep(Duration::from_millis(50));
    }
}
