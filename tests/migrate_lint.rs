//! Existing migrations as `pgproof check` judges them.
#![expect(clippy::print_stdout, reason = "a test says what it measured")]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use pgproof::migrate::files::{Source, Tool, read};
use pgproof::migrate::lint::{Linted, Options, lint};
use program::{pgproof, stderr, stdout};

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder"))
            .expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }
}

/// Codes and lines of what is found.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let linted = linted(files, None);
    let lines = linted.faults.iter().map(|fault| {
        let text = files
            .iter()
            .map(|(_, text)| *text)
            .nth(fault.file)
            .unwrap_or_default();
        let line = text[..fault.at.start].matches('\n').count() + 1;
        format!("{}:{line} {}", fault.file, fault.code)
    });
    lines.collect()
}

/// Files have to be given in the order in which they run.
fn linted(files: &[(&str, &str)], tool: Option<Tool>) -> Linted {
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, text)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    let migrations = read(&sources, tool);
    let texts: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
    let options = Options {
        version: 15,
        is_whole: true,
        since: None,
    };
    lint(&migrations, &texts, &options)
}

#[test]
fn a_folder_is_judged_with_places_and_notes() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    write(
        folder.path(),
        &[
            (
                "V1__a.sql",
                "CREATE TABLE a (id int PRIMARY KEY, b varchar(5));\n",
            ),
            (
                "V2__b.sql",
                "SET lock_timeout = '2s';\n\n-- pgproof: allow loses-data because it is empty\nALTER TABLE a DROP COLUMN b;\n\
                 DO $$ BEGIN NULL; END $$;\n  ALTER TABLE a ADD c uuid DEFAULT gen_random_uuid();\n",
            ),
            ("U2__b.sql", "ALTER TABLE a DROP COLUMN c;\n"),
        ],
    );
    let path = folder.path().to_string_lossy().into_owned();
    let assert = pgproof(&["check", &path, "--format", "json"])
        .assert()
        .code(1);
    let json: serde_json::Value = serde_json::from_str(&stdout(&assert)).expect("JSON");
    let findings = json["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["code"], "rewrites-table");
    let place = findings[0].to_string();
    assert!(
        place.contains("V2__b.sql")
            && place.contains("\"line\":6")
            && place.contains("\"column\":3"),
        "{place}"
    );
    assert!(
        findings[0]["help"]
            .as_str()
            .is_some_and(|help| help.contains("SET DEFAULT gen_random_uuid();"))
    );
    let notes = json["notes"].to_string();
    for note in [
        "Flyway, 5 statements in 2 files; 1 statement to take back, not judged",
        "1 statement not analysed: what a DO block runs is not seen",
        "`loses-data` is allowed at",
    ] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    pgproof(&["check", &path, "--since", "2"]).assert().code(1);
    let assert = pgproof(&["check", &path, "--since", "7"]).assert().code(2);
    assert!(stderr(&assert).contains("there is no migration 7"));
}

#[test]
fn a_table_is_moved_only_to_another_tablespace() {
    let made = (
        "1.sql",
        "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n",
    );
    let usual = "ALTER TABLE a SET TABLESPACE pg_default;\n";
    let moved = "ALTER TABLE a SET TABLESPACE fast;\n";
    let rewrites = |files: &[(&str, &str)]| {
        let mut all = found(files);
        all.retain(|line| line.ends_with(" rewrites-table"));
        all
    };
    assert!(rewrites(&[made, ("2.sql", usual)]).is_empty());
    assert_eq!(
        rewrites(&[made, ("2.sql", moved), ("3.sql", usual)]),
        ["1:1 rewrites-table", "2:1 rewrites-table"]
    );
    let elsewhere = (
        "1.sql",
        "CREATE TABLE a (id int PRIMARY KEY) TABLESPACE fast;\n",
    );
    assert_eq!(
        rewrites(&[elsewhere, ("2.sql", usual)]),
        ["1:1 rewrites-table"]
    );
}

#[test]
fn a_clean_folder_is_clean() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    write(
        folder.path(),
        &[(
            "1_a.sql",
            "CREATE TABLE a (id int PRIMARY KEY);\nCREATE INDEX ON a (id);\n",
        )],
    );
    let path = folder.path().to_string_lossy().into_owned();
    let assert = pgproof(&["check", &path]).assert().code(0);
    assert!(
        stdout(&assert).contains("1 file: no findings"),
        "{}",
        stdout(&assert)
    );
}

#[test]
fn transactions_are_those_of_the_tool() {
    let first = ("V1__a.sql", "CREATE TABLE a (id int, b int);");
    let second = "SET lock_timeout = '1s';\nALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID;\nALTER TABLE a VALIDATE CONSTRAINT c;";
    assert_eq!(
        found(&[first, ("V2__b.sql", second)]),
        ["1:3 validates-under-lock"]
    );
    let plain = ("1_a.sql", first.1);
    assert_eq!(found(&[plain, ("2_b.sql", second)]), Vec::<String>::new());
    let begun = second.replace("ALTER TABLE a ADD", "BEGIN; ALTER TABLE a ADD");
    assert_eq!(
        found(&[plain, ("2_b.sql", &begun)]),
        ["1:2 transaction-left-open", "1:3 validates-under-lock"]
    );
    let sets = "--liquibase formatted sql\n--changeset a:0\nCREATE TABLE a (id int, b int);\n--changeset a:1\nSET lock_timeout = '1s';\n\
        CREATE INDEX CONCURRENTLY i ON a (b);\n--changeset a:2 runInTransaction:false\nCREATE INDEX CONCURRENTLY j ON a (b);\n";
    assert_eq!(
        found(&[("c.sql", sets)]),
        ["0:6 concurrently-in-transaction"]
    );
}

#[test]
fn what_a_file_made_is_in_use_in_the_next_one() {
    let files = [
        (
            "1.sql",
            "CREATE TABLE a (id int);\nCREATE INDEX ON a (id);\nALTER TABLE a ALTER id TYPE bigint;",
        ),
        (
            "2.sql",
            "SET lock_timeout = '1s';\nCREATE INDEX ON a (id);\nDROP TABLE IF EXISTS b;",
        ),
    ];
    assert_eq!(found(&files), ["1:2 builds-index-under-lock"]);
}

#[test]
fn every_statement_is_counted_or_named() {
    let linted = linted(
        &[(
            "1.sql",
            "SELEC 1; CALL p(); CREATE TABLE a (id int); VACUUM a;",
        )],
        Some(Tool::Plain),
    );
    assert_eq!(linted.statements, 4);
    assert_eq!(linted.unknown.len(), 2, "{:?}", linted.unknown);
}

/// `STATEMENTS=20000 cargo test --release --test migrate_lint a_long_file -- --ignored --nocapture` says how long a long file takes.
#[test]
#[ignore = "measures"]
fn a_long_file_is_measured() {
    let count = std::env::var("STATEMENTS").ok();
    let count: usize = count.and_then(|text| text.parse().ok()).unwrap_or(800);
    let of = |number: usize| match number % 8 {
        0 => format!(
            "CREATE TABLE t{number} (id bigint PRIMARY KEY, a int NOT NULL DEFAULT 0, b text, at timestamptz DEFAULT now());\n"
        ),
        1 => format!("CREATE INDEX i{number} ON t{} (a, b);\n", number - 1),
        2 => format!("ALTER TABLE t{} ADD COLUMN c varchar(20);\n", number - 2),
        3 => format!(
            "ALTER TABLE t{} ADD CONSTRAINT k{number} CHECK (a >= 0) NOT VALID;\n",
            number - 3
        ),
        4 => format!(
            "CREATE VIEW v{number} AS SELECT id, a FROM t{} WHERE b IS NOT NULL;\n",
            number - 4
        ),
        5 => format!("ALTER TABLE old{number} ADD COLUMN d uuid DEFAULT gen_random_uuid();\n"),
        6 => format!("UPDATE old{number} SET a = 1 WHERE id < 1000 AND b = 'it''s';\n"),
        _ => format!(
            "CREATE FUNCTION f{number}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;\n"
        ),
    };
    let text: String = (0..count).map(of).collect();
    let began = std::time::Instant::now();
    let linted = linted(&[("1.sql", &text)], None);
    println!(
        "{count} statements, {} faults, {:.3} s",
        linted.faults.len(),
        began.elapsed().as_secs_f64()
    );
    assert_eq!(linted.statements, count);
}

#[test]
fn time_grows_with_the_number_of_statements() {
    let text = |tables: usize| {
        let of = |number: usize| {
            format!(
                "CREATE TABLE t{number} (id int PRIMARY KEY, a int); CREATE VIEW v{number} AS SELECT id FROM t{number}; \
                 ALTER TABLE u{number} ADD b uuid DEFAULT gen_random_uuid(); -- it's\n"
            )
        };
        (0..tables).map(of).collect::<String>()
    };
    let time = |tables: usize| {
        let text = text(tables);
        let began = std::time::Instant::now();
        let linted = linted(&[("1.sql", &text)], None);
        assert_eq!(linted.statements, tables * 3);
        began.elapsed().as_secs_f64()
    };
    let (small, large) = (time(150), time(1_200));
    // Eight times as many; what grows with the square takes 64 times as long.
    assert!(large < small * 24.0, "{small}, {large}");
}
