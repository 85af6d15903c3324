//! Files of each tool.

use super::*;

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// Version, statements with whether each is in a transaction, statements that take back.
type Shape = (String, Vec<(String, bool)>, usize);

/// Versions in order, with their statements and whether each is in a transaction.
fn shape(sources: &[Source]) -> (Tool, Vec<Shape>) {
    let read = read(sources, None);
    for file in &read.files {
        let text = &sources
            .iter()
            .find(|own| own.path == file.path)
            .map_or("", |own| own.text.as_str());
        for statement in &file.up {
            let there = &text[statement.at.clone()];
            assert_eq!(there.len(), statement.sql.len());
        }
    }
    let files = read.files.into_iter().map(|file| {
        let up = file.up.into_iter().map(|own| (own.sql, own.transactional));
        (file.version, up.collect(), file.down.len())
    });
    (read.tool, files.collect())
}

fn up(statement: &str, transactional: bool) -> (String, bool) {
    (statement.to_owned(), transactional)
}

#[test]
fn flyway_compares_versions_as_numbers_and_repeats_last() {
    let sources = [
        source("db/R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT 1"),
        source("db/U2__b.sql", "DROP TABLE b"),
        source("db/V10__c.sql", "CREATE INDEX CONCURRENTLY i ON b (x);"),
        source("db/V2__b.sql", "CREATE TABLE b (x int); SELECT ${a}.f();"),
        source("db/notes.sql", "SELECT 1"),
    ];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::Flyway);
    assert_eq!(files[0].0, "2");
    assert_eq!(
        files[0].1,
        [
            up("CREATE TABLE b (x int)", true),
            up("SELECT p_a_.f()", true)
        ]
    );
    assert_eq!(files[0].2, 1);
    assert_eq!(
        files[1].1,
        [up("CREATE INDEX CONCURRENTLY i ON b (x)", false)]
    );
    assert_eq!(files[2].0, "R__view");
    assert_eq!(read(&sources, None).notes.len(), 2);
}

#[test]
fn liquibase_has_a_transaction_for_each_changeset() {
    let text = "--liquibase formatted sql\n\n--changeset ann:1\nCREATE TABLE a (x int);\n--rollback DROP TABLE a;\n\
        -- changeset ann:2 runInTransaction:false\n-- why\nCREATE INDEX CONCURRENTLY i ON a (x);\n\
        --changeset ann:3 endDelimiter:GO\nSELECT 1\nGO\nSELECT 2\nGO\n";
    let sources = [source("changelog.sql", text)];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::Liquibase);
    assert_eq!(
        files[0].1,
        [
            up("CREATE TABLE a (x int)", true),
            up("CREATE INDEX CONCURRENTLY i ON a (x)", false),
            up("SELECT 1", true),
            up("SELECT 2", true)
        ]
        .map(|(sql, wrapped)| (
            if sql.contains("CONCURRENTLY") {
                format!("-- why\n{sql}")
            } else {
                sql
            },
            wrapped
        ))
    );
    assert_eq!(files[0].2, 1);
    let units: Vec<usize> = read(&sources, None).files[0]
        .up
        .iter()
        .map(|own| own.unit)
        .collect();
    assert_eq!(units, [0, 1, 2, 2]);
}

#[test]
fn dbmate_says_it_in_comments() {
    let text = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON a (x);\n\n-- migrate:down\nDROP INDEX i;\n";
    let (tool, files) = shape(&[source("20240101_i.sql", text)]);
    assert_eq!(tool, Tool::Dbmate);
    assert_eq!(
        files[0].1,
        [up("CREATE INDEX CONCURRENTLY i ON a (x)", false)]
    );
    assert_eq!(files[0].2, 1);
    let two = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON a (x);\nSELECT 1;\n";
    let (_, files) = shape(&[source("1.sql", two)]);
    assert!(files[0].1.iter().all(|(_, transactional)| *transactional));
}

#[test]
fn up_and_down_belong_together() {
    let sources = [
        source("m/10_b.down.sql", "DROP TABLE b"),
        source("m/10_b.up.sql", "CREATE TABLE b (x int); SELECT 1"),
        source("m/9_a.up.sql", "CREATE INDEX CONCURRENTLY i ON a (x)"),
    ];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::GolangMigrate);
    assert_eq!(
        files[0].1,
        [up("CREATE INDEX CONCURRENTLY i ON a (x)", false)]
    );
    assert_eq!((files[1].1[0].1, files[1].2), (true, 1));
    let mut sources = sources;
    sources[2].text = "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (x)".to_owned();
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::Sqlx);
    assert!(!files[0].1[0].1 && files[1].1[0].1);
}

#[test]
fn sqitch_follows_its_plan() {
    let sources = [
        source(
            "p/sqitch.plan",
            "%syntax-version=1.0.0\n%project=p\n\nzebra 2024-01-01T00:00:00Z A <a@b> # z\nant [zebra] 2024-01-02T00:00:00Z A <a@b>\n",
        ),
        source(
            "p/deploy/ant.sql",
            "-- Deploy p:ant to pg\nBEGIN;\nCREATE TABLE a (x int);\nCOMMIT;\n",
        ),
        source("p/deploy/zebra.sql", "BEGIN;\nCOMMIT;"),
        source("p/revert/ant.sql", "DROP TABLE a;"),
        source("p/verify/ant.sql", "SELECT x FROM a;"),
    ];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::Sqitch);
    let names: Vec<&str> = files.iter().map(|(version, ..)| version.as_str()).collect();
    assert_eq!(names, ["zebra", "ant"]);
    assert_eq!((files[1].1.len(), files[1].2), (3, 1));
}

#[test]
fn what_is_no_sql_is_passed_over_and_told() {
    let text = "\\set ON_ERROR_STOP on\nCREATE TABLE a (x text); -- it's\n\\echo it's here\nCOPY a FROM stdin;\nit's\n;\n\\.\nCREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$\n\\d\n$$;\nSELECT 'é';\n";
    let sources = [source("a.sql", text)];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::Plain);
    let statements: Vec<&str> = files[0].1.iter().map(|(sql, _)| sql.as_str()).collect();
    assert_eq!(statements.len(), 4, "{statements:?}");
    assert_eq!(statements[3], "SELECT 'é'");
    let unread = &read(&sources, None).files[0].unread;
    let told: Vec<&str> = unread.iter().map(|own| own.text.as_str()).collect();
    assert_eq!(
        told,
        ["\\set ON_ERROR_STOP on", "\\echo it's here", "rows of COPY"]
    );
}

#[test]
fn flyway_is_told_in_a_file_beside() {
    let text = "ALTER TABLE a DETACH PARTITION a1 CONCURRENTLY;\nDROP TABLE a1;";
    let sources = [
        source("db/V1_1__a.sql", text),
        source(
            "db/V1_1__a.sql.conf",
            "# alone\nexecuteInTransaction = false\n",
        ),
        source("db/V1_2__b.sql", text),
        source("db/B1__baseline.sql", "CREATE TABLE a (x int);"),
        source("db/afterMigrate__grant.sql", "SELECT 1;"),
    ];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::Flyway);
    let versions: Vec<&str> = files.iter().map(|(version, ..)| version.as_str()).collect();
    assert_eq!(versions, ["1.1", "1.2"]);
    assert!(files[0].1.iter().all(|(_, transactional)| !transactional));
    assert!(files[1].1.iter().all(|(_, transactional)| *transactional));
    assert_eq!(read(&sources, None).notes.len(), 2);
}

#[test]
fn liquibase_says_more_in_its_comments() {
    let text = "-- liquibase formatted sql\n\n-- changeset ann:one labels:x context:!test runOnChange:true\n-- comment: why\n\
        CREATE TABLE category (x int);\n-- rollback empty\n\
        -- changeset ann:two dbms:oracle,h2\nCREATE TABLE other (x number);\n\
        -- changeset ann:three dbms:!h2 endDelimiter:go\nSELECT 'category; go'\n  GO\nSELECT 2\ngo\n\
        /* liquibase rollback\nDROP TABLE one;\nDROP TABLE two;\n*/\n\
        -- changeset ann:four splitStatements:false runInTransaction:false\nSELECT 3; SELECT 4;\n\
        -- ignoreLines:start\nSELEC nothing;\n-- ignoreLines:end\nSELECT 5;\n-- ignoreLines:1\nSELEC nothing;\nSELECT 6;\n\
        -- changeset ann:five endDelimiter:\\n/\nSELECT 8 / 2\n/\n";
    let sources = [source("changelog.sql", text)];
    let (_, files) = shape(&sources);
    let last = |sql: &String| {
        sql.lines()
            .rfind(|line| !line.is_empty())
            .unwrap_or_default()
            .to_owned()
    };
    let found: Vec<(String, bool)> = files[0]
        .1
        .iter()
        .map(|(sql, wrapped)| (last(sql), *wrapped))
        .collect();
    let expected = [
        ("CREATE TABLE category (x int)", true),
        ("SELECT 'category; go'", true),
        ("SELECT 2", true),
        ("SELECT 3", true),
        ("SELECT 4", true),
        ("SELECT 5", true),
        ("SELECT 6", true),
        ("SELECT 8 / 2", true),
    ];
    assert_eq!(found, expected.map(|(sql, wrapped)| up(sql, wrapped)));
    assert_eq!(files[0].2, 2);
    assert_eq!(
        read(&sources, None).notes,
        ["changelog.sql: changeset ann:two is for another database; not looked at"]
    );
}

#[test]
fn dbmate_and_sqlx_and_golang_migrate_have_ways_back() {
    let text = "-- migrate:up\nCREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\n\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n";
    let (_, files) = shape(&[source("db/migrations/20240102030405_a.sql", text)]);
    assert!(files[0].1.iter().all(|(_, transactional)| *transactional));
    assert_eq!(files[0].2, 1);
    // Not in the first line, not a mark.
    let late = "\n-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (x);";
    let sources = [
        source("m/2_b.up.sql", "-- no-transaction\nVACUUM a;"),
        source("m/2_b.down.sql", "SELECT 1;"),
        source("m/10_c.sql", late),
    ];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::Sqlx);
    assert_eq!(
        (files[0].1[0].1, files[0].2, files[1].1[0].1),
        (false, 1, true)
    );
    let sources = [
        source("m/000002_b.up.sql", "BEGIN;\nSELECT 1;\nCOMMIT;"),
        source("m/000002_b.down.sql", "SELECT 2;"),
        source(
            "m/1500360784_c.up.sql",
            "CREATE INDEX CONCURRENTLY i ON a (x);",
        ),
        source("m/000001_a.up.sql", ""),
    ];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::GolangMigrate);
    let versions: Vec<&str> = files.iter().map(|(version, ..)| version.as_str()).collect();
    assert_eq!(versions, ["000001_a", "000002_b", "1500360784_c"]);
    assert!(!files[2].1[0].1);
}

#[test]
fn a_reworked_change_of_sqitch_stands_twice() {
    let plan = "%syntax-version=1.0.0\n%project=p\n\n+b 2024-01-01T00:00:00Z A <a@b> # b\na [b] 2024-01-01T00:00:00Z A <a@b>\n@v1 2024-01-02T00:00:00Z A <a@b>\n\nb [b@v1] 2024-01-03T00:00:00Z A <a@b>\n";
    let sources = [
        source("sqitch.plan", plan),
        source(
            "deploy/a.sql",
            "-- Deploy p:a to pg\nBEGIN;\nSELECT 1;\nCOMMIT;",
        ),
        source("deploy/b.sql", "SELECT 2;"),
        source("deploy/b@v1.sql", "SELECT 1;"),
        source("revert/b.sql", "SELECT 1;"),
        source("revert/b@v1.sql", "SELECT 0;"),
        source("verify/b.sql", "SELECT 1/count(*) FROM a;"),
    ];
    let (tool, files) = shape(&sources);
    assert_eq!(tool, Tool::Sqitch);
    let names: Vec<(&str, usize)> = files
        .iter()
        .map(|(version, _, back)| (version.as_str(), *back))
        .collect();
    assert_eq!(names, [("b@v1", 1), ("a", 0), ("b", 1)]);
}

#[test]
fn a_version_that_two_files_have_is_told() {
    let told = |paths: &[&str], tool| {
        let sources: Vec<Source> = paths.iter().map(|path| source(path, "SELECT 1;")).collect();
        read(&sources, Some(tool)).notes.len()
    };
    assert_eq!(
        told(
            &[
                "V1__a.sql",
                "V01__b.sql",
                "V1_1__c.sql",
                "R__a.sql",
                "R__b.sql"
            ],
            Tool::Flyway
        ),
        1
    );
    assert_eq!(
        told(
            &["000001_a.up.sql", "1_b.up.sql", "2_c.up.sql"],
            Tool::GolangMigrate
        ),
        1
    );
    assert_eq!(told(&["1_a.sql", "1_b.sql"], Tool::Plain), 0);
}

#[test]
fn placeholders_are_told_where_a_tool_fills_them_in() {
    let text = "CREATE TABLE ${schema}.a (b text DEFAULT '${kind}');";
    let names = |tool| read(&[source("V1__a.sql", text)], Some(tool)).placeholders;
    assert_eq!(
        names(Tool::Flyway).into_values().collect::<Vec<_>>(),
        ["${kind}", "${schema}"]
    );
    assert_eq!(
        names(Tool::Plain).into_values().collect::<Vec<_>>(),
        ["${schema}"]
    );
}
