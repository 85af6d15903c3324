//! What is not run again, shards, and several servers, as users see them, with a real server.

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod postgres;
#[path = "support/program.rs"]
mod program;

use std::path::{Path, PathBuf};

use postgres::Home;
use program::{pgproof, stderr, stdout};
use serde_json::Value;

/// A lending desk whose items are lent once at a time.
fn lending() -> String {
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
      weight: integer
      returned_at: {{type: timestamptz, nullable: not returned yet}}
    key: [loan_id]
    checks:
      ck_weight: weight > 0
    indexes:
      ix_item: {{columns: [item_id], serves: [of-item]}}
invariants:
  lent-once:
    never: an item is lent twice at a time
    at_most_one: {{in: loan, per: [item_id], where: returned_at is null}}
    enforced: constraint
    monitor: {{every: 1 day, alert: ticket}}
    repair: ask both for the item
  light:
    never: something heavy is lent
    check: {{in: loan, is: weight < 1000}}
    enforced: constraint
commands:
  lend:
    actor: desk
    does: lends an item that nobody has
    params: {{loan_id: uuid, item_id: uuid, weight: integer}}
    isolation: read committed
    steps:
      - sql: INSERT INTO loan (loan_id, item_id, weight) VALUES (:loan_id, :item_id, :weight)
    outcomes: {{unique_violation: lent_already, check_violation: too_heavy}}
queries:
  of-item:
    does: all loans of an item
    params: {{item_id: uuid}}
    sql: SELECT loan_id FROM loan WHERE item_id = :item_id
    plan:
      uses: [ix_item]
",
        postgres::installed_major()
    )
}

/// `verify` with a cache of the test's own.
fn verify(home: &Home, design: &str, args: &[&str]) -> assert_cmd::assert::Assert {
    std::fs::write(home.path().join("design.yaml"), design).expect("a design can be written");
    let place = std::env::var("PGPROOF_TEST_POSTGRES").unwrap_or_else(|_| "local".to_owned());
    pgproof(&["verify", "design.yaml", "--postgres", &place])
        .args(args)
        .current_dir(home.path())
        .env("TMPDIR", home.path())
        .env("XDG_CACHE_HOME", home.path().join("cache"))
        .assert()
}

fn json(assert: &assert_cmd::assert::Assert) -> Value {
    serde_json::from_str(&stdout(assert)).expect("the report is JSON")
}

fn report(home: &Home, design: &str, args: &[&str]) -> Value {
    let mut all = vec!["--format", "json"];
    all.extend(args);
    json(&verify(home, design, &all).code(0))
}

fn evidence(report: &Value) -> &[Value] {
    report["evidence"].as_array().expect("a list")
}

/// Ids of what was tried by this run and settled.
fn tried(report: &Value) -> Vec<&str> {
    evidence(report)
        .iter()
        .filter(|e| e["cached"].is_null() && e["verdict"] != "unchecked")
        .filter_map(|e| e["id"].as_str())
        .collect()
}

/// The report without what differs from run to run.
fn bare(mut report: Value) -> Value {
    report["notes"] = Value::Null;
    for evidence in report["evidence"].as_array_mut().expect("a list") {
        evidence["duration_ms"] = Value::Null;
        // How quick a command is differs too.
        let subject = evidence["claim"]["subject"].as_str().unwrap_or_default();
        let is_timed = subject.starts_with("command ");
        if let Some(fields) = evidence.as_object_mut() {
            fields.remove("cached");
            if is_timed {
                fields.remove("figures");
                fields.remove("measured");
            }
        }
    }
    report
}

fn files(home: &Home) -> Vec<PathBuf> {
    let folder = home.path().join("cache/pgproof/evidence");
    let entries = std::fs::read_dir(folder).expect("there is a cache");
    entries.flatten().map(|entry| entry.path()).collect()
}

fn is_local() -> bool {
    std::env::var("PGPROOF_TEST_POSTGRES").map_or(true, |place| place == "local")
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_has_not_changed_is_not_run_again() {
    let home = Home::new();
    let first = report(&home, &lending(), &[]);
    assert!(evidence(&first).iter().all(|e| e["cached"].is_null()));
    // Twice the same: the same report, from the cache.
    let second = report(&home, &lending(), &[]);
    assert_eq!(tried(&second), [""; 0]);
    assert_eq!(bare(second.clone()), bare(first.clone()));
    let schema = serde_json::from_str(pgproof::report::SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let faults: Vec<String> = validator
        .iter_errors(&second)
        .map(|f| f.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    if is_local() {
        assert!(
            second["notes"]
                .to_string()
                .contains("no PostgreSQL was started"),
            "{}",
            second["notes"]
        );
    }
    let human = verify(&home, &lending(), &[]).code(0);
    assert!(
        stdout(&human).contains("claims unchanged since 20"),
        "{}",
        stdout(&human)
    );
    assert!(
        stdout(&human).contains("--no-cache runs them"),
        "{}",
        stdout(&human)
    );
    // Prose and places.
    let moved = lending()
        .replace("tables:", "# a comment\n\n\ntables:")
        .replace("an item is lent twice at a time", "two have one item")
        .replace("all loans of an item", "whatever");
    let third = report(&home, &moved, &[]);
    assert_eq!(tried(&third), [""; 0]);
    let of = |report: &Value, id: &str| {
        let mut all = evidence(report).iter();
        all.find(|e| e["id"] == id).cloned().expect("is there")
    };
    let race = "lending/race/invariant lent-once";
    assert_eq!(
        of(&third, race)["claim"]["statement"],
        "never: two have one item"
    );
    let line = |report: &Value| of(report, race)["claim"]["line"].as_u64();
    assert_eq!(line(&third), line(&first).map(|line| line + 3));
    let constraint = "lending/reject/constraint ck_weight on loan";
    let line = |report: &Value| of(report, constraint)["claim"]["line"].as_u64();
    assert_eq!(line(&third), line(&first).map(|line| line + 3));
    // Everything, where it is asked for.
    let all = report(&home, &lending(), &["--no-cache"]);
    assert!(evidence(&all).iter().all(|e| e["cached"].is_null()));
    assert_eq!(bare(all), bare(first));
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_has_changed_is_run_again_and_nothing_else() {
    let home = Home::new();
    report(&home, &lending(), &[]);
    // A query is planned by itself.
    let queried = lending().replace(":item_id\n    plan", ":item_id ORDER BY loan_id\n    plan");
    assert_eq!(
        tried(&report(&home, &queried, &[])),
        ["lending/plan/query of-item", "lending/plan/indexes"]
    );
    // A check is in the schema, and everything stands on that.
    let checked = lending().replace("weight > 0", "weight > 1");
    let again = report(&home, &checked, &[]);
    assert!(
        evidence(&again).iter().all(|e| e["cached"].is_null()),
        "{again:#}"
    );
    // A command is raced and measured, and its mutants are; which indexes it uses is looked at as well.
    let commanded = lending().replace("isolation: read committed", "isolation: serializable");
    let again = report(&home, &commanded, &["--budget", "500"]);
    let raced = report(&home, &commanded, &["--budget", "500"]);
    assert_eq!(tried(&raced), [""; 0]);
    for id in tried(&again) {
        let is_raced = id.contains("/race/") || id.contains("/mutate/");
        let is_about_it = id.ends_with("/plan/indexes") || id.ends_with("/plan/command lend");
        assert!(is_raced || is_about_it, "{id}");
    }
    // Another seed is another run.
    let seeded = report(&home, &lending(), &["--seed", "9"]);
    assert!(evidence(&seeded).iter().all(|e| e["cached"].is_null()));
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_is_refuted_is_tried_each_time_and_what_is_damaged_is_written_anew() {
    let home = Home::new();
    let wrong = lending().replacen("enforced: constraint", "enforced: application", 1);
    let only = ["--only", "race", "--format", "json"];
    for _ in 0..2 {
        let told = json(&verify(&home, &wrong, &only).code(1));
        let refuted: Vec<&Value> = evidence(&told)
            .iter()
            .filter(|e| e["verdict"] == "refuted")
            .collect();
        assert_eq!(refuted.len(), 1);
        assert!(refuted[0]["cached"].is_null());
        assert!(!refuted[0]["counterexample"].is_null());
    }
    let first = report(&home, &lending(), &[]);
    for (at, file) in files(&home).iter().enumerate() {
        let text = std::fs::read_to_string(file).expect("is ours");
        let damaged = match at % 3 {
            0 => String::new(),
            1 => text[..text.len() / 2].to_owned(),
            _ => text
                .replace("proven", "refuted")
                .replace("\"key\":\"", "\"key\":\"0"),
        };
        std::fs::write(file, damaged).expect("is ours");
    }
    let second = report(&home, &lending(), &[]);
    assert!(evidence(&second).iter().all(|e| e["cached"].is_null()));
    assert_eq!(bare(first), bare(second));
    assert_eq!(tried(&report(&home, &lending(), &[])), [""; 0]);
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_cache_that_cannot_be_written_costs_nothing_but_time() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("cache/pgproof")).expect("can be made");
    std::fs::write(home.path().join("cache/pgproof/evidence"), "in the way")
        .expect("can be written");
    let told = verify(&home, &lending(), &["--only", "build"]).code(0);
    assert!(
        stderr(&told).contains("could not be kept"),
        "{}",
        stderr(&told)
    );
    home.assert_clean();
}

/// The verdicts by claim and method.
fn verdicts(report: &Value) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = evidence(report)
        .iter()
        .map(|e| (e["id"].to_string(), e["verdict"].to_string()))
        .collect();
    all.sort();
    all
}

fn merge(folder: &Path, files: &[&str]) -> assert_cmd::assert::Assert {
    pgproof(&["merge", "--format", "json"])
        .args(files)
        .current_dir(folder)
        .assert()
}

#[test]
#[ignore = "needs PostgreSQL"]
fn shards_merged_are_the_whole_run() {
    let home = Home::new();
    let whole = report(&home, &lending(), &["--no-cache"]);
    let files = ["shard-1.json", "shard-2.json"];
    // Once for real, once from the cache.
    for run in 0..2 {
        for (number, file) in files.iter().enumerate() {
            let shard = format!("{}/2", number + 1);
            let args = ["--shard", &shard, "--format", "json", "--output", file];
            verify(&home, &lending(), &args).code(0);
        }
        let merged = json(&merge(home.path(), &files).code(0));
        assert_eq!(verdicts(&merged), verdicts(&whole));
        assert_eq!(merged["summary"], whole["summary"]);
        assert_eq!(merged["findings"], whole["findings"]);
        assert_eq!(tried(&merged).is_empty(), run == 1);
    }
    let read = |file: &str| -> Value {
        let text = std::fs::read_to_string(home.path().join(file)).expect("was written");
        serde_json::from_str(&text).expect("JSON")
    };
    for file in files {
        let races = |e: &&Value| e["method"] == "race";
        assert_eq!(
            evidence(&read(file)).iter().filter(races).count(),
            1,
            "{file}"
        );
    }
    let assert = merge(home.path(), &files[..1]).code(2);
    assert!(stderr(&assert).contains("shard 2/2 is missing"));
    // Another seed is another run.
    let args = [
        "--shard", "2/2", "--seed", "3", "--format", "json", "--output", files[1],
    ];
    verify(&home, &lending(), &args).code(0);
    merge(home.path(), &files).code(2);
    verify(&home, &lending(), &["--shard", "3/2"]).code(2);
    home.assert_clean();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn several_servers_share_the_designs() {
    let home = Home::new();
    for name in ["lending", "borrowing", "giving"] {
        let design = lending().replace("design: lending", &format!("design: {name}"));
        std::fs::write(home.path().join(format!("{name}.yaml")), design).expect("can be written");
    }
    let run = |servers: &[&str]| {
        let place = std::env::var("PGPROOF_TEST_POSTGRES").unwrap_or_else(|_| "local".to_owned());
        let mut command = pgproof(&["verify", "lending.yaml", "borrowing.yaml", "giving.yaml"]);
        for _ in servers {
            command.args(["--postgres", &place]);
        }
        let command = command
            .args(["--no-cache", "--format", "json"])
            .current_dir(home.path())
            .env("TMPDIR", home.path())
            .env("XDG_CACHE_HOME", home.path().join("cache"));
        json(&command.assert().code(0))
    };
    let (one, two) = (run(&["a"]), run(&["a", "b"]));
    assert_eq!(verdicts(&one), verdicts(&two));
    let notes = two["notes"].as_array().expect("a list");
    let servers = notes
        .iter()
        .filter(|note| note.to_string().contains("PostgreSQL "));
    assert_eq!(servers.count(), 2, "{notes:?}");
    home.assert_clean();
}
