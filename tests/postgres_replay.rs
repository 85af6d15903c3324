//! Counterexamples that are saved, run again, and run by PostgreSQL's own isolation tester, with a real server.

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod postgres;
#[path = "support/program.rs"]
mod program;
#[path = "support/tester.rs"]
mod tester;

use assert_cmd::assert::Assert;
use postgres::Home;
use program::{pgproof, stderr, stdout};
use serde_json::Value;
use tester::{Cluster, violations};

fn run(home: &Home, args: &[&str]) -> Assert {
    let place = std::env::var("PGPROOF_TEST_POSTGRES").unwrap_or_else(|_| "local".to_owned());
    pgproof(args)
        .args(["--postgres", &place])
        .current_dir(home.path())
        .env("TMPDIR", home.path())
        .assert()
}

fn write(home: &Home, name: &str, text: &str) {
    std::fs::write(home.path().join(name), text).expect("a file can be written");
}

/// Races a design that is broken, and saves what is found.
fn found(home: &Home, design: &str) -> Assert {
    write(home, "design.yaml", design);
    let args = ["verify", "design.yaml", "--only", "race", "--save", "found"];
    run(home, &args).code(1)
}

fn saved(home: &Home, name: &str) -> Value {
    let text = std::fs::read_to_string(home.path().join("found").join(name));
    serde_json::from_str(&text.expect("the counterexample was saved")).expect("it is JSON")
}

fn whole(name: &str, body: &str) -> String {
    format!(
        "pgproof: 1
design: {name}
database: {{version: {}, schema: app}}
process: {{actors: {{someone: {{does: things}}}}}}
{body}",
        postgres::installed_major()
    )
}

/// An item is lent to one person at a time. Its texts hold what a spec of the isolation tester cannot.
fn lending(enforced: &str) -> String {
    let body = "
tables:
  shelf:
    grain: one shelf
    columns: {shelf_id: int, label: text, tags: \"text[]\"}
    key: [shelf_id]
    checks: {ck_shelf_label: \"label <> 'a}b'\"}
  loan:
    grain: one lending of one item
    columns:
      loan_id: uuid
      item: text
      shelf_id: int
      returned_at: {type: timestamptz, nullable: not returned yet}
    key: [loan_id]
    references: {fk_loan_shelf: {columns: [shelf_id], to: shelf, on_delete: restrict}}
invariants:
  lent-once:
    never: an item is lent twice at a time
    at_most_one: {in: loan, per: [item], where: returned_at is null}
    enforced: ENFORCED
commands:
  lend:
    actor: someone
    does: lends an item that nobody has
    params: {loan_id: uuid, item: text, shelf_id: int}
    steps:
      - as: lent
        sql: SELECT loan_id FROM loan WHERE item = :item AND returned_at IS NULL -- not }
      - require: lent.rows == 0
        otherwise: lent_already
      - sql: INSERT INTO loan (loan_id, item, shelf_id) VALUES (:loan_id, :item, :shelf_id)
    outcomes: {unique_violation: lent_already}
states:
  one: {shelf: [{shelf_id: 1, label: \"it's {x}\\nand $$ more\", tags: \"{a,b}\"}]}
";
    whole("lending", &body.replace("ENFORCED", enforced))
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_saved_race_comes_up_again_until_the_design_is_mended() {
    let home = Home::new();
    let told = stdout(&found(&home, &lending("application")));
    for part in [
        "phantom: A and B each look for rows of `loan`",
        "this race: pgproof replay found/lending-lent-once.json",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let file = "found/lending-lent-once.json";
    let again = run(&home, &["replay", file]).code(1);
    let told = stdout(&again);
    for part in [
        "✖ refuted by race: lending",
        "rows that break the claim",
        "│ B: lend",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(
        !stderr(&again).contains("has changed"),
        "{}",
        stderr(&again)
    );

    // As JSON it says what its schema says, and is a report that can be replayed itself.
    let report = run(
        &home,
        &["replay", file, "--format", "json", "-o", "again.json"],
    )
    .code(1);
    drop(report);
    let text = std::fs::read_to_string(home.path().join("again.json")).expect("written");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let schema = serde_json::from_str(pgproof::report::SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let faults: Vec<String> = validator
        .iter_errors(&report)
        .map(|f| f.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let replayed = &report["evidence"][0]["counterexample"];
    let first = saved(&home, "lending-lent-once.json");
    assert_eq!(replayed["moments"], first["counterexample"]["moments"]);
    assert_eq!(replayed["anomaly"]["name"], "phantom");
    let id = "lending/race/invariant lent-once";
    run(&home, &["replay", "again.json", "--evidence", id]).code(1);

    write(&home, "design.yaml", &lending("constraint"));
    let mended = run(&home, &["replay", file]).code(0);
    assert!(
        stderr(&mended).contains("has changed"),
        "{}",
        stderr(&mended)
    );
    for part in ["`lent-once` does not break any more", "and none breaks it"] {
        assert!(
            stdout(&mended).contains(part),
            "{part} in {}",
            stdout(&mended)
        );
    }
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn another_order_is_found_where_the_old_one_does_not_fit() {
    let home = Home::new();
    found(&home, &lending("application"));
    let file = "found/lending-lent-once.json";
    let look = "      - require: lent.rows == 0\n        otherwise: lent_already\n";
    let sound = lending("application");
    // One more step, and still nothing that keeps the rule.
    let longer = sound.replace(look, &format!("      - sql: SELECT 1\n{look}"));
    // One that does not look.
    let blind = sound.replace(look, "");
    let from = blind.find("      - as: lent").expect("it looks first");
    let to = blind.find("      - sql: INSERT").expect("then it writes");
    let blind = format!("{}{}", &blind[..from], &blind[to..]);
    for (design, parts) in [
        (longer, ["more steps now", "on from there"]),
        (blind, ["does not fit the design any more", "another order"]),
    ] {
        write(&home, "design.yaml", &design);
        let told = stdout(&run(&home, &["replay", file]).code(1));
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts.iter().chain(&["│ B: lend"]) {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_cannot_be_replayed_is_wrong_use() {
    let home = Home::new();
    found(&home, &lending("application"));
    let file = "found/lending-lent-once.json";
    let refused = |design: &str, why: &str| {
        write(&home, "other.yaml", design);
        let assert = run(&home, &["replay", file, "--design", "other.yaml"]).code(2);
        assert!(
            stderr(&assert).contains(why),
            "{why} in {}",
            stderr(&assert)
        );
    };
    let sound = lending("application");
    refused(
        &sound.replace("  lend:", "  hand-out:"),
        "no command `lend`",
    );
    refused(
        &sound.replace("  lent-once:", "  once:"),
        "no invariant `lent-once`",
    );
    refused(&sound.replace("label", "name"), "no column `label`");
    refused(
        &sound.replace("label <> 'a}b'", "label = 'x'"),
        "not legal any more",
    );
    write(&home, "bad.json", "{\"format\": 7}");
    let bad = run(&home, &["replay", "bad.json"]).code(2);
    assert!(stderr(&bad).contains("reads format 1"), "{}", stderr(&bad));
    run(&home, &["replay", "missing.json"]).code(2);
    std::fs::remove_file(home.path().join("design.yaml")).expect("it is there");
    let gone = run(&home, &["replay", file]).code(2);
    assert!(stderr(&gone).contains("--design PATH"), "{}", stderr(&gone));
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_isolation_tester_shows_the_rows_that_break_the_rule() {
    let cluster = Cluster::start();
    let cases: [(&str, String, &str); 4] = [
        ("lending-lent-once", lending("application"), "(2 rows)"),
        (
            "counter-every-hit-counts",
            counter(),
            "         1|   1|      2",
        ),
        ("device-never-back", device(), "\"seen\": 5"),
        ("paying-one-payment", paying(), "payment |INSERT|    2"),
    ];
    for (stem, design, row) in cases {
        let home = Home::new();
        found(&home, &design);
        let folder = home.path().join("found");
        let said = cluster.isolationtester(&folder.join(format!("{stem}.spec")));
        assert!(violations(&said).contains(row), "{row} in {said}");
        // Nothing is left, so that the next one starts afresh.
        let again = cluster.isolationtester(&folder.join(format!("{stem}.spec")));
        assert!(violations(&again).contains(row), "{row} in {again}");
        assert!(folder.join(format!("{stem}-A.sql")).is_file());
        home.assert_clean();
    }
}

/// A lost update.
fn counter() -> String {
    let body = "
tables:
  counter:
    grain: one counter
    columns: {counter_id: int, hits: int, counted: int}
    key: [counter_id]
invariants:
  every-hit-counts:
    never: a hit is lost
    holds: SELECT counter_id, hits, counted FROM counter WHERE hits <> counted
    enforced: application
commands:
  hit:
    actor: someone
    does: counts a hit
    params: {counter_id: int}
    steps:
      - as: found
        sql: SELECT hits FROM counter WHERE counter_id = :counter_id
      - require: found.rows == 1
        otherwise: unknown
      - sql: UPDATE counter SET hits = CAST(:found.hits AS int) + 1, counted = counted + 1 WHERE counter_id = :counter_id
states:
  one: {counter: [{counter_id: 1, hits: 0, counted: 0}]}
";
    whole("counter", body)
}

/// Judged by the history of its rows.
fn device() -> String {
    let body = "
tables:
  device:
    grain: one device
    columns: {device_id: int, seen: int}
    key: [device_id]
invariants:
  never-back:
    never: a later event is overwritten by an earlier one
    monotonic: {in: device, column: seen}
    enforced: application
commands:
  report:
    actor: someone
    does: reports what was seen
    params: {device_id: int, seen: {type: int, value: 3}}
    steps:
      - sql: UPDATE device SET seen = :seen WHERE device_id = :device_id
states:
  one: {device: [{device_id: 1, seen: 5}]}
";
    whole("device", body)
}

/// Judged by how often it has its effect.
fn paying() -> String {
    let body = "
tables:
  payment:
    grain: one payment
    columns: {payment_id: uuid, request_key: uuid, cents: int}
    key: [payment_id]
invariants:
  one-payment:
    never: one key pays twice
    idempotent: {command: pay, key: request_key, request: [cents]}
    enforced: application
commands:
  pay:
    actor: someone
    does: pays once a key
    params: {request_key: uuid, cents: {type: int, value: 10}}
    steps:
      - as: earlier
        sql: SELECT payment_id, cents FROM payment WHERE request_key = :request_key
      - require: earlier.rows == 0
        otherwise: paid_already
      - sql: INSERT INTO payment (payment_id, request_key, cents) VALUES (gen_random_uuid(), :request_key, :cents)
    retry: [unique_violation]
    idempotent_by: request_key
";
    whole("paying", body)
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_kind_of_race_it_is() {
    for (stem, design, name) in [
        ("counter-every-hit-counts", counter(), "lost update"),
        ("device-never-back", device(), "out-of-order write"),
        ("paying-one-payment", paying(), "duplicate effect"),
        ("doctors-somebody-is-on-call", doctors(), "write skew"),
    ] {
        let home = Home::new();
        found(&home, &design);
        let file = saved(&home, &format!("{stem}.json"));
        assert_eq!(file["counterexample"]["anomaly"]["name"], name);
        run(&home, &["replay", &format!("found/{stem}.json")]).code(1);
        home.assert_clean();
    }
}

/// Two read the same rows, and each writes another.
fn doctors() -> String {
    let body = "
tables:
  shift:
    grain: one doctor of one shift
    columns: {shift_id: int, doctor_id: int, on_call: boolean}
    key: [shift_id, doctor_id]
invariants:
  somebody-is-on-call:
    never: a shift has nobody on call
    holds: SELECT shift_id FROM shift GROUP BY shift_id HAVING NOT bool_or(on_call)
    enforced: transaction
commands:
  leave:
    actor: someone
    does: goes off call if somebody else stays
    params: {shift_id: int, doctor_id: int}
    isolation: repeatable read
    steps:
      - as: others
        sql: SELECT count(*) AS n FROM shift WHERE shift_id = :shift_id AND doctor_id <> :doctor_id AND on_call
      - require: others.n > 0
        otherwise: nobody_else
      - sql: UPDATE shift SET on_call = false WHERE shift_id = :shift_id AND doctor_id = :doctor_id
    retry: [serialization_failure]
states:
  two: {shift: [{shift_id: 1, doctor_id: 1, on_call: true}, {shift_id: 1, doctor_id: 2, on_call: true}]}
";
    whole("doctors", body)
}
