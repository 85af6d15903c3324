//! Sessions on a real PostgreSQL: values as text, failures with their fields, limits, waits.

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::time::{Duration, Instant};

use pgproof::postgres::SqlState;
use pgproof::sql::{Ident, sequence};
use support::{Home, database, session, some, sql};

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_type_travels_as_text_both_ways() {
    let home = Home::new();
    let server = home.server().await;
    let database = database(&server).await;
    let mut session = session(&database).await;
    let setup = "CREATE TYPE mood AS ENUM ('fine', 'it''s so'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
                 CREATE TYPE pair AS (a int, b text)";
    session.batch(&sql(setup)).await.expect("types can be made");
    let cases = [
        ("int4", "-5"),
        ("numeric(20,5)", "12345678901234.56789"),
        ("text", "it's \\ a \"test\"\né $1 ;--"),
        ("text", ""),
        ("timestamptz", "2026-03-01 12:00:00.5+00"),
        ("interval", "1 day 02:03:04"),
        ("uuid", "00000000-0000-4000-8000-000000000001"),
        ("jsonb", r#"{"a": [1, "\\"]}"#),
        ("bytea", "\\x00ff"),
        ("int[]", "{1,NULL,3}"),
        ("text[]", r#"{"a b","c\"d"}"#),
        ("int4range", "[1,5)"),
        ("mood", "it's so"),
        ("positive", "7"),
        ("pair", "(1,\"a b\")"),
        ("float8", "0.1"),
        ("boolean", "t"),
        ("inet", "10.0.0.1/8"),
        ("tsvector", "'a':1 'b':2"),
    ];
    for (kind, value) in cases {
        let statement = sql(&format!("SELECT $1::{kind} AS v, $2::{kind} AS n"));
        let rows = session
            .run(&statement, &[Some(value.to_owned()), None])
            .await;
        let rows = rows.expect(kind);
        assert_eq!(rows.rows, [vec![Some(value.to_owned()), None]], "{kind}");
        assert_eq!(rows.columns, ["v", "n"]);
    }
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn statements_that_cannot_be_prepared_take_parameters_too() {
    let home = Home::new();
    let server = home.server().await;
    let database = database(&server).await;
    let mut session = session(&database).await;
    let setup = "CREATE TABLE t (a int PRIMARY KEY, b text);
                 CREATE PROCEDURE put(a int, b text) LANGUAGE sql AS 'INSERT INTO t VALUES (a, b)'";
    session.batch(&sql(setup)).await.expect("can be made");
    let call = sql("CALL put($1, $2) -- $1");
    session
        .run(&call, &some(&["1", "it's"]))
        .await
        .expect("called");
    session
        .run(&call, &[Some("2".to_owned()), None])
        .await
        .expect("called");
    let update = session
        .run(&sql("UPDATE t SET b = b || $1"), &some(&["!"]))
        .await
        .expect("updated");
    assert_eq!((update.affected, update.columns.len()), (2, 0));
    let rows = session
        .query(&sql("TABLE t ORDER BY a"))
        .await
        .expect("read")
        .rows;
    assert_eq!(
        rows,
        [some(&["1", "it's!"]), vec![Some("2".to_owned()), None]]
    );

    // One message for BEGIN and the first statement; one result for each.
    let insert = session
        .prepare(&sql("INSERT INTO t VALUES ($1, $2) RETURNING a"))
        .await
        .expect("prepared");
    let message = sequence(&[
        sql("BEGIN ISOLATION LEVEL SERIALIZABLE"),
        insert.call(&some(&["3", "x"])),
    ]);
    let answers = session.send(&message).await.expect("ran");
    assert_eq!(answers.len(), 2);
    assert_eq!((answers[1].affected, answers[1].scalar()), (1, Some("3")));
    let level = session
        .query(&sql("SHOW transaction_isolation"))
        .await
        .expect("shown");
    assert_eq!(level.scalar(), Some("serializable"));
    session.query(&sql("ROLLBACK")).await.expect("rolled back");
    // A prepared statement outlives the transaction, and is prepared only once.
    let again = session
        .start(&insert, &some(&["3", "y"]))
        .await
        .expect("ran");
    assert_eq!(again[0].affected, 1);
    let known = session
        .query(&sql("SELECT count(*) FROM pg_prepared_statements"))
        .await
        .expect("counted");
    assert_eq!(known.scalar(), Some("2"));
    drop(server);
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn failures_name_the_object_and_the_place() {
    let home = Home::new();
    let server = home.server().await;
    let database = database(&server).await;
    let mut session = session(&database).await;
    let setup = "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL CHECK (b > 0));
                 INSERT INTO t VALUES (1, 1);
                 CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN missing FROM t; END'";
    session.batch(&sql(setup)).await.expect("can be made");

    let insert = sql("INSERT INTO t VALUES ($1, $2)");
    let failure = session
        .run(&insert, &some(&["1", "1"]))
        .await
        .expect_err("a is taken");
    assert_eq!(failure.sqlstate, SqlState::UNIQUE_VIOLATION);
    assert_eq!(
        (failure.table.as_deref(), failure.constraint.as_deref()),
        (Some("t"), Some("t_pkey"))
    );
    assert_eq!(failure.schema.as_deref(), Some("public"));
    assert!(
        failure
            .detail
            .as_deref()
            .is_some_and(|detail| detail.contains("(a)=(1)"))
    );
    let failure = session
        .run(&insert, &[Some("2".to_owned()), None])
        .await
        .expect_err("b is null");
    assert!(failure.sqlstate.is("not_null_violation") && failure.column.as_deref() == Some("b"));
    let failure = session
        .run(&insert, &some(&["2", "-1"]))
        .await
        .expect_err("b is negative");
    assert_eq!(failure.constraint.as_deref(), Some("t_b_check"));
    let failure = session
        .run(&insert, &some(&["2", "x"]))
        .await
        .expect_err("no number");
    assert!(failure.sqlstate.is("invalid_text_representation"));

    // Positions count characters from 1 in what the author wrote, not in what was sent.
    let text = "SELECT 'é', mising FROM t WHERE a = $1";
    let failure = session
        .run(&sql(text), &some(&["1"]))
        .await
        .expect_err("misspelt");
    let at = text.chars().position(|c| c == 'm').map(|at| at as u32 + 1);
    assert!(
        failure.sqlstate.is("undefined_column") && failure.position == at,
        "{failure:?}"
    );
    let failure = session
        .prepare_types(&sql(text))
        .await
        .expect_err("misspelt");
    assert_eq!(failure.position, at);
    let failure = session
        .query(&sql("SELECT f()"))
        .await
        .expect_err("misspelt in the function");
    assert!(
        failure.internal_query.is_some() && failure.internal_position.is_some(),
        "{failure:?}"
    );
    assert!(
        failure
            .context
            .as_deref()
            .is_some_and(|context| context.contains("function f()"))
    );

    let failure = session
        .run(&sql("SELECT 1; DROP TABLE t"), &[])
        .await
        .expect_err("two statements");
    assert_eq!(failure.sqlstate, SqlState::SYNTAX_ERROR);
    let failure = session
        .prepare_types(&sql("SELECT 1; SELECT 2"))
        .await
        .expect_err("two statements");
    assert_eq!(failure.sqlstate, SqlState::SYNTAX_ERROR);
    let failure = session
        .run(&sql("SELECT $1::text"), &some(&["a\0b"]))
        .await
        .expect_err("NUL");
    assert_eq!(failure.sqlstate, SqlState::CHARACTER_NOT_IN_REPERTOIRE);
    // The session is fine after all of this.
    let count = session
        .query(&sql("SELECT count(*) FROM t"))
        .await
        .expect("counted");
    assert_eq!(count.scalar(), Some("1"));

    // A session that is ended from outside says why.
    let observer = server.observer().await.expect("an observer can be opened");
    assert!(
        observer
            .terminate_backend(session.pid())
            .await
            .expect("ended")
    );
    let failure = session.query(&sql("SELECT 1")).await.expect_err("ended");
    assert!(
        failure.sqlstate.is("admin_shutdown") || failure.sqlstate == SqlState::CONNECTION_FAILURE,
        "{failure:?}"
    );
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn statements_are_described_without_being_run() {
    let home = Home::new();
    let server = home.server().await;
    let database = database(&server).await;
    let mut session = session(&database).await;
    let setup = "CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE t (a bigint, m mood, n numeric(10,2), v varchar(9)[])";
    session.batch(&sql(setup)).await.expect("can be made");
    let text = "INSERT INTO t (a, m) VALUES ($1, $2) RETURNING a, m, n, v";
    let described = session.prepare_types(&sql(text)).await.expect("described");
    assert_eq!(described.params, ["bigint", "mood"]);
    let columns = [
        ("a", "bigint"),
        ("m", "mood"),
        ("n", "numeric(10,2)"),
        ("v", "character varying(9)[]"),
    ];
    assert_eq!(
        described.columns,
        columns.map(|(name, kind)| (name.to_owned(), kind.to_owned()))
    );
    let nothing = session
        .prepare_types(&sql("DROP TABLE t"))
        .await
        .expect("described");
    assert!(nothing.params.is_empty() && nothing.columns.is_empty());
    let count = session
        .query(&sql("SELECT count(*) FROM t"))
        .await
        .expect("the table is there");
    assert_eq!(count.scalar(), Some("0"));
    drop(server);
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_wait_is_read_from_the_lock_table_and_a_deadlock_is_ours_to_break() {
    let home = Home::new();
    let server = home.server().await;
    let database = database(&server).await;
    let mut one = session(&database).await;
    let mut two = session(&database).await;
    let observer = server.observer().await.expect("an observer can be opened");
    one.batch(&sql(
        "CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 0), (2, 0)",
    ))
    .await
    .expect("made");
    let update = sql("UPDATE t SET b = b + 1 WHERE a = $1");
    let first = one.prepare(&update).await.expect("prepared");
    let second = two.prepare(&update).await.expect("prepared");
    one.query(&sql("BEGIN")).await.expect("begun");
    two.query(&sql("BEGIN")).await.expect("begun");
    one.start(&first, &some(&["1"]))
        .await
        .expect("nobody is in the way");
    two.start(&second, &some(&["2"]))
        .await
        .expect("nobody is in the way");
    assert!(
        !observer
            .is_blocked(two.pid(), &[one.pid()])
            .await
            .expect("asked")
    );

    let mut waiting = two.start(&second, &some(&["1"]));
    while !observer
        .is_blocked(two.pid(), &[one.pid()])
        .await
        .expect("asked")
    {
        assert!(!waiting.is_answered());
    }
    assert_eq!(
        observer.blocking_pids(two.pid()).await.expect("asked"),
        [one.pid()]
    );
    assert!(
        !observer
            .is_blocked(two.pid(), &[observer_pid(&mut one).await + 100_000])
            .await
            .expect("asked")
    );
    assert!(
        !waiting.settle(Duration::from_millis(2)).await,
        "it is blocked"
    );

    // Now each waits for the other, and the server leaves it to us.
    let mut closing = one.start(&first, &some(&["2"]));
    while !observer
        .is_blocked(one.pid(), &[two.pid()])
        .await
        .expect("asked")
    {}
    assert!(
        !waiting.settle(Duration::from_millis(2)).await
            && !closing.settle(Duration::from_millis(2)).await
    );
    assert!(observer.cancel_backend(two.pid()).await.expect("cancelled"));
    let failure = waiting.await.expect_err("cancelled");
    assert_eq!(failure.sqlstate, SqlState::QUERY_CANCELED);
    assert!(closing.settle(Duration::from_secs(10)).await);
    assert_eq!(closing.await.expect("freed")[0].affected, 1);
    one.query(&sql("COMMIT")).await.expect("committed");
    server.stop().await.expect("stops");
    home.assert_clean();
}

/// Some process that is not among those asked about; the session's transaction is in use, so nothing is asked of it.
async fn observer_pid(session: &mut pgproof::postgres::Session) -> i32 {
    session.pid()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_a_design_says_runs_without_rights_over_the_server() {
    let home = Home::new();
    let server = home.server().await;
    let database = database(&server).await;
    let mut session = session(&database).await;
    let refused = [
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "GRANT pg_execute_server_program TO pgproof_owner",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/pgproof-was-here'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT lo_import('/etc/passwd')",
        "ALTER SYSTEM SET fsync = on",
        "ALTER ROLE pgproof_owner SUPERUSER",
        "SET SESSION AUTHORIZATION postgres",
        "SET ROLE postgres",
        "SET temp_file_limit = -1",
        "CREATE EXTENSION dblink",
        "SELECT rolpassword FROM pg_authid",
    ];
    for text in refused {
        let failure = session.query(&sql(text)).await.expect_err(text);
        assert_eq!(
            failure.sqlstate,
            SqlState::INSUFFICIENT_PRIVILEGE,
            "{text}: {failure}"
        );
    }
    let allowed = "CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE TABLE public.t (a int); CREATE EXTENSION btree_gist";
    session
        .batch(&sql(allowed))
        .await
        .expect("the owner may build");
    database
        .create_extension(&Ident::new("pg_trgm"))
        .await
        .expect("extensions can be made for it");
    session
        .query(&sql("SELECT similarity('a', 'b')"))
        .await
        .expect("and used");
    drop(server);
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn roles_of_a_design_are_taken_on_and_lead_no_further() {
    let home = Home::new();
    let server = home.server().await;
    let database = database(&server).await;
    let (app, auditor) = (Ident::new("App \"x\" \\"), Ident::new("auditor"));
    for role in [&app, &auditor, &app] {
        server
            .ensure_role(role, false)
            .await
            .expect("made, or there");
    }
    let mut owner = session(&database).await;
    let setup = "CREATE TABLE t (a int, who text DEFAULT current_user); INSERT INTO t VALUES (1), (2);
                 GRANT SELECT, INSERT ON t TO \"App \"\"x\"\" \\\"; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
                 ALTER TABLE t FORCE ROW LEVEL SECURITY;
                 CREATE POLICY p ON t TO \"App \"\"x\"\" \\\" USING (a = 1) WITH CHECK (a = 1)";
    owner.batch(&sql(setup)).await.expect("made");
    let mut session = database
        .session_as(&app)
        .await
        .expect("the role can be taken on");
    let user = session
        .query(&sql("SELECT current_user"))
        .await
        .expect("asked");
    assert_eq!(user.scalar(), Some(app.as_str()));
    assert_eq!(
        session
            .query(&sql("SELECT * FROM t"))
            .await
            .expect("one")
            .rows
            .len(),
        1
    );
    let failure = session
        .query(&sql("INSERT INTO t VALUES (2)"))
        .await
        .expect_err("the policy refuses");
    assert_eq!(failure.sqlstate, SqlState::INSUFFICIENT_PRIVILEGE);
    // Back to where the session began, which is the same role; and to the login, which may do nothing.
    session.query(&sql("RESET ROLE")).await.expect("allowed");
    assert_eq!(
        session
            .query(&sql("SELECT current_user"))
            .await
            .expect("asked")
            .scalar(),
        Some(app.as_str())
    );
    session.query(&sql("SET ROLE NONE")).await.expect("allowed");
    session
        .query(&sql("SELECT * FROM t"))
        .await
        .expect_err("the login has no rights");
    // The owner is no member of the design's roles, so a policy for them is none for it.
    assert_eq!(
        owner
            .query(&sql("SELECT * FROM t"))
            .await
            .expect("asked")
            .rows
            .len(),
        0
    );
    let missing = database
        .session_as(&Ident::new("nobody_made_me"))
        .await
        .expect_err("no such role");
    assert!(missing.to_string().contains("nobody_made_me"), "{missing}");
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn copies_have_the_rows_of_their_original() {
    let home = Home::new();
    let server = home.server().await;
    let original = server
        .create_database("a/strange LABEL with é and a length that goes beyond sixty-three bytes")
        .await;
    let original = original.expect("made");
    assert!(original.name().as_str().len() <= 63);
    let mut session = session(&original).await;
    session
        .batch(&sql("CREATE TABLE t AS SELECT 1 AS a"))
        .await
        .expect("made");
    drop(session);
    let copy = server
        .clone_database(&original)
        .await
        .expect("copied, once the session is gone");
    let mut session = support::session(&copy).await;
    session
        .query(&sql("UPDATE t SET a = a + 1"))
        .await
        .expect("the copy is the owner's too");
    let kept = support::session(&original)
        .await
        .query(&sql("SELECT a FROM t"))
        .await
        .expect("read");
    assert_eq!(kept.scalar(), Some("1"));
    // Dropped even while somebody is connected.
    copy.drop().await.expect("dropped");
    session
        .query(&sql("SELECT 1"))
        .await
        .expect_err("its database is gone");
    drop(server);
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_statement_that_never_ends_is_ended() {
    let home = Home::new();
    let mut options = home.options(support::chosen());
    options.limits.statement = Duration::from_secs(1);
    options.limits.result = 1 << 20;
    let server = pgproof::postgres::Server::start(&options)
        .await
        .expect("starts");
    let database = database(&server).await;
    let mut session = session(&database).await;
    let start = Instant::now();
    let failure = session
        .query(&sql("SELECT pg_sleep(600)"))
        .await
        .expect_err("cancelled");
    assert_eq!(failure.sqlstate, SqlState::QUERY_CANCELED);
    assert!(start.elapsed() < Duration::from_secs(5));
    let failure = session
        .query(&sql(
            "SELECT repeat('x', 1000), generate_series(1, 100000000)",
        ))
        .await;
    assert_eq!(
        failure.expect_err("too much").sqlstate,
        SqlState::PROGRAM_LIMIT_EXCEEDED
    );
    session
        .query(&sql("SELECT 1"))
        .await
        .expect("the session is fine");

    // Hostile: it lifts the limit and swallows the cancellation.
    let hostile = "SET statement_timeout = 0; DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(600);
                   EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$";
    let start = Instant::now();
    let failure = session.batch(&sql(hostile)).await.expect_err("ended");
    assert!(
        failure.sqlstate == SqlState::QUERY_CANCELED && failure.message.contains("did not end"),
        "{failure:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(20));
    let mut admin = database.admin().await.expect("opened");
    let left = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let mut sleeping = admin.query(&sql(left)).await.expect("counted");
    while sleeping.scalar() != Some("0") && start.elapsed() < Duration::from_secs(30) {
        sleeping = admin.query(&sql(left)).await.expect("counted");
    }
    assert_eq!(sleeping.scalar(), Some("0"), "its process is gone");
    drop(server);
    home.assert_clean();
}
