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
                 DO $$ BEGIN EXECUTE 'SELECT 1'; END $$;\n  ALTER TABLE a ADD c uuid DEFAULT gen_random_uuid();\n",
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
        "1 statement not analysed: what EXECUTE runs in a DO block is not seen",
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

/// What a migration is said of, behind one that made what it is about.
fn judged(earlier: &str, migration: &str) -> Vec<String> {
    let later = format!("SET lock_timeout = '1s';\n{migration}");
    let all = found(&[("1.sql", earlier), ("2.sql", &later)]);
    let of_it = all.into_iter().filter(|line| line.starts_with("1:"));
    of_it.map(|line| line["1:".len()..].to_owned()).collect()
}

#[test]
fn views_stand_on_the_columns_that_they_read() {
    let made = "CREATE TABLE a (id int PRIMARY KEY, c varchar(5), d varchar(5)); CREATE TABLE status (id int, a_id int, d text);
        CREATE VIEW v AS SELECT a.id, count(*) AS c, s.d, s.a_id AS status FROM a JOIN status s ON s.a_id = a.id GROUP BY 1, 3, 4;
        CREATE VIEW w AS SELECT x.* FROM a AS x JOIN status s USING (id); CREATE TABLE other (status int, e varchar(5));
        CREATE VIEW o AS SELECT status FROM other;";
    for (change, wanted) in [
        ("ALTER TABLE other ALTER e TYPE varchar(9);", vec![]),
        (
            "ALTER TABLE a ALTER c TYPE varchar(9);",
            vec!["2 refused-by-server"],
        ),
        (
            "DROP VIEW w; ALTER TABLE a ALTER c TYPE varchar(9), ALTER d TYPE text;",
            vec!["2 breaks-old-programs"],
        ),
        (
            "DROP VIEW w; DROP VIEW v; DROP TABLE status;",
            vec![
                "2 breaks-old-programs",
                "2 breaks-old-programs",
                "2 loses-data",
            ],
        ),
        ("DROP TABLE other;", vec!["2 refused-by-server"]),
    ] {
        assert_eq!(judged(made, change), wanted, "{change}");
    }
}

#[test]
fn what_is_dropped_together_is_in_nobodys_way() {
    let made = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a_id int REFERENCES a); CREATE VIEW v AS SELECT * FROM b; CREATE VIEW w AS SELECT * FROM v;";
    assert_eq!(
        judged(made, "DROP VIEW w, v; DROP TABLE a, b;"),
        ["2 breaks-old-programs", "2 loses-data"]
    );
    assert_eq!(judged(made, "DROP VIEW v;"), ["2 refused-by-server"]);
    assert_eq!(
        judged(made, "CREATE VIEW x AS SELECT 1; DROP VIEW x;"),
        Vec::<String>::new()
    );
}

#[test]
fn what_needs_an_extension_goes_with_it() {
    let made = "CREATE EXTENSION citext; CREATE TABLE a (email citext);";
    assert_eq!(
        judged(made, "DROP EXTENSION citext CASCADE;"),
        ["2 loses-data"]
    );
    assert_eq!(
        judged(made, "DROP EXTENSION IF EXISTS pg_trgm;"),
        Vec::<String>::new()
    );
}

#[test]
fn a_table_like_another_has_what_it_says() {
    let made = "CREATE TABLE m (id int, at date NOT NULL, n int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE INDEX ON m (n);
        CREATE TABLE p (LIKE m INCLUDING ALL, CHECK (at >= '2024-01-01' AND at < '2025-01-01'));
        CREATE TABLE q (LIKE m INCLUDING ALL EXCLUDING INDEXES, CHECK (at >= '2025-01-01' AND at < '2026-01-01'));
        CREATE TABLE r (LIKE p INCLUDING INDEXES); CREATE TABLE s (LIKE p INCLUDING INDEXES INCLUDING CONSTRAINTS); CREATE TABLE t (id int, at date);";
    let attach = |part: &str, year: u16| {
        let next = year + 1;
        judged(
            made,
            &format!(
                "ALTER TABLE m ATTACH PARTITION {part} FOR VALUES FROM ('{year}-01-01') TO ('{next}-01-01');"
            ),
        )
    };
    assert_eq!(attach("p", 2024), Vec::<String>::new());
    assert_eq!(attach("q", 2025), ["2 builds-index-under-lock"]);
    assert_eq!(attach("r", 2024), ["2 scans-under-lock"]);
    assert_eq!(attach("s", 2024), Vec::<String>::new());
    assert_eq!(attach("t", 2024), ["2 refused-by-server"]);
}

#[test]
fn partitions_of_partitions_are_followed() {
    let made = "CREATE SCHEMA parts; CREATE TABLE m (id int, at date NOT NULL, k text NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE m24 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (k);
        CREATE TABLE m24_a PARTITION OF m24 FOR VALUES IN ('a'); CREATE TABLE m24_rest PARTITION OF m24 DEFAULT;
        CREATE TABLE parts.m25 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');";
    let linted = |migration: &str| {
        let later = format!("SET lock_timeout = '1s';\n{migration}");
        let linted = linted(&[("1.sql", made), ("2.sql", &later)], None);
        let told = linted.faults.into_iter();
        told.map(|fault| format!("{} {}", fault.code, fault.table))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        linted("CREATE INDEX ON m (id);"),
        ["builds-index-under-lock `parts.m25` and `m24_a` and `m24_rest`"]
    );
    assert_eq!(
        linted("CREATE TABLE m24_b PARTITION OF m24 FOR VALUES IN ('b');"),
        ["scans-under-lock `m24_rest`"]
    );
    assert_eq!(
        linted("ALTER TABLE m DETACH PARTITION parts.m25;"),
        ["detaches-under-lock m"]
    );
    assert_eq!(
        linted("ALTER TABLE m24 DETACH PARTITION m24_a;"),
        Vec::<String>::new()
    );
    assert_eq!(
        linted("DROP TABLE m24_a;"),
        [
            "locks-other-table m24",
            "loses-data table `m24_a` with its rows"
        ]
    );
    assert_eq!(
        linted("DROP TABLE m24_rest; ALTER TABLE m24 ADD COLUMN z uuid DEFAULT gen_random_uuid();")
            .len(),
        3
    );
}

#[test]
fn a_backfill_beside_ddl_is_found() {
    let made = "CREATE TABLE a (id int PRIMARY KEY, b text);";
    for (change, wanted) in [
        (
            "ALTER TABLE a ADD c int; UPDATE a SET c = 1 WHERE c IS NULL;",
            vec!["2 whole-table-at-once"],
        ),
        (
            "BEGIN; ALTER TABLE a ADD c int; UPDATE a SET b = 'x' WHERE b <> 'y'; COMMIT;",
            vec!["2 works-under-held-lock"],
        ),
        (
            "BEGIN; ALTER TABLE a ADD c int; UPDATE a SET b = 'x' WHERE id = 7; COMMIT;",
            vec![],
        ),
        (
            "BEGIN; ALTER TABLE a ADD c int; DELETE FROM a WHERE id IN (1, 2); COMMIT;",
            vec![],
        ),
        (
            "UPDATE a SET b = 'x' WHERE true;",
            vec!["2 whole-table-at-once"],
        ),
        (
            "WITH gone AS (DELETE FROM a RETURNING *) SELECT count(*) FROM gone;",
            vec!["2 loses-data"],
        ),
        (
            "WITH some AS (SELECT id FROM a) UPDATE a SET b = 'y';",
            vec!["2 whole-table-at-once"],
        ),
    ] {
        assert_eq!(judged(made, change), wanted, "{change}");
    }
}

#[test]
fn what_is_rolled_back_has_not_been() {
    let made = "CREATE TABLE a (id int, b varchar(5));";
    let back = "BEGIN; SAVEPOINT s; ALTER TABLE a ALTER b TYPE text; ROLLBACK TO SAVEPOINT s; COMMIT; ALTER TABLE a ALTER b TYPE varchar(9);";
    assert_eq!(judged(made, back), Vec::<String>::new());
    let whole =
        "BEGIN; ALTER TABLE a ALTER b TYPE text; ROLLBACK; ALTER TABLE a ALTER b TYPE varchar(9);";
    assert_eq!(judged(made, whole), Vec::<String>::new());
    assert_eq!(
        judged(made, &whole.replace("ROLLBACK", "COMMIT")),
        ["2 rewrites-table"]
    );
}

#[test]
fn small_words_are_read_as_the_server_reads_them() {
    let made = "CREATE EXTENSION citext; CREATE TYPE e AS ENUM ('x'); CREATE TABLE a (id int PRIMARY KEY, c public.citext, s varchar(9) COLLATE \"C\");
        CREATE INDEX ON a (s);";
    for (change, wanted) in [
        ("ALTER TABLE a ALTER c TYPE text;", vec![]),
        (
            "ALTER TABLE a ALTER s TYPE varchar(20) COLLATE \"C\";",
            vec![],
        ),
        (
            "ALTER TABLE a ALTER s TYPE varchar(20);",
            vec!["2 builds-index-under-lock"],
        ),
        (
            "ALTER TABLE a ADD u uuid DEFAULT uuid_nil(), ADD n int DEFAULT array_length(ARRAY[1], 1);",
            vec![],
        ),
        (
            "SET search_path = \"$user\", public; CREATE VIEW v AS SELECT id FROM a; DROP VIEW v;",
            vec![],
        ),
        (
            "ALTER TABLE a ADD PRIMARY KEY (c);",
            vec!["2 refused-by-server"],
        ),
        (
            "BEGIN; ALTER TYPE e ADD VALUE IF NOT EXISTS 'x'; SELECT 'x'::e; COMMIT;",
            vec![],
        ),
        (
            "BEGIN; ALTER TYPE e ADD VALUE 'y'; SELECT 'xy', 1 /* 'y' */; COMMIT;",
            vec![],
        ),
        (
            "BEGIN; ALTER TYPE e ADD VALUE 'y'; SELECT 'y'::e; COMMIT;",
            vec!["2 enum-value-used-too-soon"],
        ),
        (
            "CREATE PUBLICATION p FOR TABLE a; ALTER PUBLICATION p ADD TABLE a;",
            vec![],
        ),
    ] {
        assert_eq!(judged(made, change), wanted, "{change}");
    }
}

#[test]
fn nobody_waits_for_a_view_that_was_never_filled() {
    let made = "CREATE TABLE a (id int); CREATE MATERIALIZED VIEW m AS SELECT id FROM a WITH NO DATA; CREATE UNIQUE INDEX k ON m (id);";
    assert_eq!(
        judged(made, "REFRESH MATERIALIZED VIEW m;"),
        Vec::<String>::new()
    );
    assert_eq!(
        judged(made, "REFRESH MATERIALIZED VIEW CONCURRENTLY m;"),
        ["2 refused-by-server"]
    );
    let twice = "REFRESH MATERIALIZED VIEW m; REFRESH MATERIALIZED VIEW CONCURRENTLY m; REFRESH MATERIALIZED VIEW m;";
    assert_eq!(judged(made, twice), ["2 rewrites-table"]);
}

#[test]
fn each_changeset_of_liquibase_is_a_migration() {
    let sets = "--liquibase formatted sql\n--changeset a:0\nCREATE TABLE a (id int, b int);\nCREATE INDEX ON a (b);\n\
        --changeset a:1\nSET lock_timeout = '1s';\nCREATE INDEX ON a (id);\n";
    assert_eq!(found(&[("c.sql", sets)]), ["0:7 builds-index-under-lock"]);
}

#[test]
fn the_way_back_of_goose_and_sql_migrate_is_not_run() {
    let made = "-- +goose Up\nCREATE TABLE a (id int);\n-- +goose Down\nDROP TABLE a;\n";
    let built = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON a (id);\n-- +goose Down\nDROP INDEX i;\n";
    let wrong = "-- +goose Up\nCREATE INDEX CONCURRENTLY j ON a (id);\n";
    let files = [("1_a.sql", made), ("2_b.sql", built), ("3_c.sql", wrong)];
    assert_eq!(found(&files), ["2:2 concurrently-in-transaction"]);
    let other: Vec<(&str, String)> = files
        .iter()
        .map(|(path, text)| {
            let text = text.replace(
                "-- +goose NO TRANSACTION\n-- +goose Up",
                "-- +migrate Up notransaction",
            );
            (*path, text.replace("+goose", "+migrate"))
        })
        .collect();
    let other: Vec<(&str, &str)> = other
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    assert_eq!(found(&other), ["2:2 concurrently-in-transaction"]);
}

/// What is proposed instead of the last statement.
fn proposed(made: &str, migration: &str) -> String {
    let linted = linted(&[("1.sql", made), ("2.sql", migration)], None);
    let told = linted
        .faults
        .into_iter()
        .rfind(|fault| fault.code != "no-lock-timeout");
    told.map_or(String::new(), |fault| fault.instead)
}

#[test]
fn what_is_proposed_leads_to_the_same_schema() {
    let made = "CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY, b text, c int); CREATE TABLE p (id int, k text) PARTITION BY LIST (k);
        CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a'); CREATE TABLE p_rest PARTITION OF p DEFAULT; CREATE TABLE p_b (id int, k text);";
    for (statement, parts) in [
        (
            "ALTER TABLE s.a ADD FOREIGN KEY (c) REFERENCES s.a (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;",
            vec!["REFERENCES s.a (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID;"],
        ),
        (
            "ALTER TABLE s.a ADD COLUMN d int DEFAULT 1 REFERENCES s.a ON UPDATE CASCADE;",
            vec!["FOREIGN KEY (d) REFERENCES s.a ON UPDATE CASCADE NOT VALID;"],
        ),
        (
            "ALTER TABLE s.a ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (c) INCLUDE (b) WITH (fillfactor = 80) DEFERRABLE;",
            vec![
                "(c) INCLUDE (b) NULLS NOT DISTINCT WITH (fillfactor = 80);",
                "UNIQUE USING INDEX u DEFERRABLE;",
            ],
        ),
        (
            "CREATE INDEX i ON s.a USING btree (b text_pattern_ops DESC) INCLUDE (c) WITH (fillfactor = 80) WHERE c > 0;",
            vec![
                "CREATE INDEX CONCURRENTLY i ON s.a USING btree (b text_pattern_ops DESC) INCLUDE (c) WITH (fillfactor = 80) WHERE c > 0;",
            ],
        ),
        (
            "ALTER TABLE s.a ADD COLUMN n serial;",
            vec![
                "CREATE SEQUENCE s.a_n_seq OWNED BY s.a.n;",
                "nextval('s.a_n_seq')",
            ],
        ),
        (
            "ALTER TABLE p ADD CONSTRAINT key UNIQUE (id, k);",
            vec![
                "CREATE UNIQUE INDEX CONCURRENTLY p_a_id_k_key ON p_a (id, k);",
                "ALTER TABLE p_rest ADD CONSTRAINT p_rest_id_k_key UNIQUE USING INDEX p_rest_id_k_key;",
                "ALTER TABLE p ADD CONSTRAINT key UNIQUE (id, k);",
            ],
        ),
        (
            "ALTER TABLE p ATTACH PARTITION p_b FOR VALUES IN ('b', 'c');",
            vec![
                "p_rest ADD CONSTRAINT p_rest_outside_check CHECK (k IS NULL OR k NOT IN ('b', 'c')) NOT VALID;",
                "CHECK (k IS NOT NULL AND k IN ('b', 'c')) NOT VALID;",
            ],
        ),
        (
            "CREATE TABLE p_d PARTITION OF p FOR VALUES IN ('d');",
            vec![
                "CHECK (k IS NULL OR k NOT IN ('d')) NOT VALID;",
                "ATTACH PARTITION p_d FOR VALUES IN ('d');",
            ],
        ),
    ] {
        let sql = proposed(made, statement);
        for part in parts {
            assert!(sql.contains(part), "{statement}\n{part}\n{sql}");
        }
        // None of it may be a hazard itself.
        let again = judged(made, &sql);
        let severe = [
            "rewrites-table",
            "scans-under-lock",
            "builds-index-under-lock",
            "refused-by-server",
        ];
        assert!(
            !again
                .iter()
                .any(|line| severe.iter().any(|code| line.ends_with(code))),
            "{sql}\n{again:?}"
        );
    }
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

#[test]
fn what_stands_in_a_block_is_judged() {
    let made = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a_id int);";
    let guarded = "DO $$ BEGIN ALTER TABLE b ADD CONSTRAINT fk FOREIGN KEY (a_id) REFERENCES a; EXCEPTION WHEN duplicate_object THEN null; END $$;";
    assert_eq!(judged(made, guarded), ["2 scans-under-lock"]);
    // A block is one transaction, and what it made is there afterwards.
    let held =
        "DO $$ BEGIN ALTER TABLE b ADD c int; UPDATE b SET c = 1; END $$;\nCREATE INDEX ON b (c);";
    assert_eq!(
        judged(made, held),
        [
            "2 whole-table-at-once",
            "2 works-under-held-lock",
            "3 builds-index-under-lock"
        ]
    );
}
