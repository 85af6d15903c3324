//! What migrations of real programs have and ours had not, in excerpts of our own.

use super::*;
use crate::migrate::files::{Source, read};

fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    let source = |(path, text): &(&str, &str)| Source {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    files.iter().map(source).collect()
}

/// Files have to be given in the order in which they run.
fn linted(files: &[(&str, &str)]) -> Linted {
    let texts: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
    let options = Options {
        version: 15,
        is_whole: true,
        since: None,
    };
    lint(&read(&sources(files), None), &texts, &options)
}

/// Codes and lines of what is found.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let linted = linted(files);
    let lines = linted.faults.iter().map(|fault| {
        let line = files[fault.file].1[..fault.at.start].matches('\n').count() + 1;
        format!("{}:{line} {}", fault.file, fault.code)
    });
    lines.collect()
}

#[test]
fn what_a_tool_fills_in_is_read_around() {
    let files = [
        (
            "1.sql",
            "CREATE TABLE :App.jobs (id int PRIMARY KEY, at timestamptz);\nCREATE TABLE @schema@.runs (id int);\nCREATE TABLE {{ app }}.logs (id int);\n",
        ),
        (
            "2.sql",
            "SET lock_timeout = '1s';\nCREATE INDEX jobs_at ON :App.jobs (at);\nALTER TABLE @schema@.runs ADD PRIMARY KEY (id);\nCREATE INDEX ON {{ app }}.logs (id);\n",
        ),
    ];
    let linted = linted(&files);
    assert!(linted.unknown.is_empty(), "{:?}", linted.unknown);
    let told: Vec<(&str, &str)> = linted
        .faults
        .iter()
        .map(|fault| (fault.code, fault.table.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("builds-index-under-lock", "`:App.jobs`"),
            ("builds-index-under-lock", "`@schema@.runs`"),
            ("builds-index-under-lock", "`{{ app }}.logs`"),
        ]
    );
    assert_eq!(
        linted.faults[0].instead,
        "CREATE INDEX CONCURRENTLY jobs_at ON :App.jobs (at);"
    );
}

#[test]
fn folders_of_plain_files_are_run_in_their_order() {
    let paths = [
        "db/9/b.sql",
        "db/10/a.sql",
        "db/9/upgrade.sql",
        "db/base.sql",
    ];
    let read = read(&sources(&paths.map(|path| (path, "SELECT 1"))), None);
    let order: Vec<&str> = read.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        order,
        [
            "db/base.sql",
            "db/9/b.sql",
            "db/9/upgrade.sql",
            "db/10/a.sql"
        ]
    );
}

#[test]
fn prisma_and_diesel_go_by_the_text_of_a_name() {
    let order = |name: &str| {
        let paths = ["m/20240108_b/", "m/20231231235959_a/"].map(|folder| [folder, name].concat());
        let paths = [paths[0].as_str(), paths[1].as_str()];
        let read = read(&sources(&paths.map(|path| (path, "SELECT 1"))), None);
        let versions = read.files.into_iter().map(|file| file.version);
        versions.collect::<Vec<_>>()
    };
    for name in ["migration.sql", "up.sql"] {
        assert_eq!(order(name), ["20231231235959_a", "20240108_b"]);
    }
}

#[test]
fn migrations_of_prisma_and_diesel_are_one_transaction_each() {
    let made = "CREATE TABLE a (id int PRIMARY KEY, b int);\n";
    let built = "SET lock_timeout = '1s';\nCREATE INDEX CONCURRENTLY i ON a (b);\n";
    let alone = "CREATE INDEX CONCURRENTLY i ON a (b);\n";
    let prisma = |last| {
        found(&[
            ("20240101_a/migration.sql", made),
            ("20240102_b/migration.sql", last),
        ])
    };
    assert_eq!(prisma(built), ["1:2 concurrently-in-transaction"]);
    assert_eq!(prisma(alone), Vec::<String>::new());
    let diesel = |last, settings| {
        found(&[
            ("2024-01-01-00_a/up.sql", made),
            ("2024-01-02-00_b/up.sql", last),
            ("2024-01-02-00_b/metadata.toml", settings),
        ])
    };
    assert_eq!(diesel(alone, ""), ["1:1 concurrently-in-transaction"]);
    assert_eq!(
        diesel(alone, "run_in_transaction = false\n"),
        Vec::<String>::new()
    );
}

#[test]
fn a_column_that_takes_anothers_place_in_one_migration_breaks_nobody() {
    let made = (
        "1.sql",
        "CREATE TABLE a (id int PRIMARY KEY, b text, c int);\n",
    );
    let swapped = "ALTER TABLE a ADD COLUMN b_new varchar(9);\nALTER TABLE a RENAME COLUMN b TO b_old;\nALTER TABLE a RENAME COLUMN b_new TO b;\n";
    let mut all = found(&[
        made,
        ("2.sql", swapped),
        ("3.sql", "ALTER TABLE a RENAME b TO d;\n"),
    ]);
    all.retain(|line| line.ends_with("breaks-old-programs"));
    assert_eq!(all, ["1:2 breaks-old-programs", "2:1 breaks-old-programs"]);
}

#[test]
fn a_type_that_was_said_is_known_though_its_table_is_not() {
    let rewrites = |first: &str, then: &str| {
        let mut all = found(&[("1.sql", first), ("2.sql", then)]);
        all.retain(|line| line.starts_with("1:") && line.ends_with("rewrites-table"));
        all.len()
    };
    let wide = "ALTER TABLE a ALTER b TYPE varchar(255);\n";
    let text = "ALTER TABLE a ALTER b TYPE text;\n";
    assert_eq!(rewrites(wide, text), 0);
    assert_eq!(rewrites("ALTER TABLE a ADD b varchar(20);\n", wide), 0);
    assert_eq!(rewrites(text, wide), 1);
    assert_eq!(
        rewrites(wide, "ALTER TABLE a ALTER b TYPE text USING upper(b);\n"),
        1
    );
    assert_eq!(
        rewrites(wide, "ALTER TABLE a ALTER b TYPE text COLLATE \"C\";\n"),
        1
    );
    assert_eq!(
        rewrites(
            wide,
            "ALTER TABLE a RENAME b TO c; ALTER TABLE a ALTER c TYPE text;\n"
        ),
        0
    );
    assert_eq!(
        rewrites(
            wide,
            "ALTER TABLE a DROP b; ALTER TABLE a ALTER b TYPE text;\n"
        ),
        1
    );
    let unknown = linted(&[("1.sql", text)]);
    let told = unknown
        .faults
        .iter()
        .find(|fault| fault.code == "rewrites-table");
    assert!(told.is_some_and(|fault| fault.more.contains("no longer than the new type")));
}

#[test]
fn functions_are_followed_whatever_is_in_them() {
    let linted = linted(
        &[(
            "1.sql",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE a int; DECLARE b int; BEGIN RETURN 1; END $$;
             CREATE FUNCTION g() RETURNS timestamptz LANGUAGE sql IMMUTABLE SET TIME ZONE 'UTC' AS $$ SELECT now() $$;
             DROP AGGREGATE IF EXISTS a(int); DROP CAST IF EXISTS (int AS text); DROP OPERATOR IF EXISTS === (int, int);",
        )],
    );
    assert!(linted.unknown.is_empty(), "{:?}", linted.unknown);
    assert_eq!(linted.statements, 5);
}
