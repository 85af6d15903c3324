//! `pgproof migrate --apply`, `--undo` and `--status` as their users run them.
#![expect(clippy::panic, reason = "a test says what it saw")]

#[path = "support/applied.rs"]
mod applied;
#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/program.rs"]
mod program;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use applied::{ACCEPTED, Case, scalar, url};
use assert_cmd::assert::Assert;
use pgproof::postgres::{Database, Server, Session};
use pgproof::sql::SqlText;
use program::{pgproof, stderr, stdout};
use support::Home;

/// A server that plays somebody's, a case and a database with its old design and rows.
struct Scene {
    home: Home,
    server: Server,
    case: Case,
    database: Database,
}

impl Scene {
    async fn new() -> Scene {
        let home = Home::new();
        let server = home.local().await;
        let case = Case::new(&home);
        let database = case.old(&server).await;
        Scene {
            home,
            server,
            case,
            database,
        }
    }

    /// `migrate` on the database, with what is accepted.
    fn migrate(&self, args: &[&str]) -> Assert {
        let args = [&ACCEPTED[..], args].concat();
        self.plain(&args)
    }

    fn plain(&self, args: &[&str]) -> Assert {
        let url = url(&self.home, self.database.name().as_str());
        pgproof(&["migrate", "--from", "from.yaml", "--to", "to.yaml"])
            .args(["--server", &url, "--postgres", &url])
            .args(args)
            .current_dir(&self.case.folder)
            .env("TMPDIR", self.home.path())
            .assert()
    }

    async fn admin(&self) -> Session {
        self.database.admin().await.expect("an administrator")
    }

    async fn run(&self, text: &str) {
        let mut admin = self.admin().await;
        let done = admin.batch(&SqlText::authored(text)).await;
        done.unwrap_or_else(|failure| panic!("{text}: {failure}"));
    }

    async fn apart(&self, name: &str) -> Vec<String> {
        self.case.apart(&self.server, &self.database, name).await
    }

    async fn scalar(&self, text: &str) -> String {
        scalar(&mut self.admin().await, text).await
    }

    async fn stop(self) {
        self.server.stop().await.expect("stopped");
    }
}

const ALLOWED: [&str; 2] = ["--apply", "--allow-server"];
const JOURNAL: &str =
    "SELECT count(*) FROM shop.pgproof_migration WHERE outcome NOT IN ('waiting', 'undone')";

#[test]
fn without_leave_nothing_is_asked_of_a_server() {
    let home = Home::new();
    let case = Case::new(&home);
    let apply = |args: &[&str]| {
        pgproof(&["migrate", "--from", "from.yaml", "--to", "to.yaml"])
            .args(args)
            .current_dir(&case.folder)
            .assert()
    };
    // Nobody listens at this port, so that an attempt to connect would end with 3.
    let server = ["--server", "postgres://me@127.0.0.1:1/shop"];
    let refused = apply(&[&server[..], &ACCEPTED, &["--apply"]].concat()).code(2);
    assert!(stderr(&refused).contains("--allow-server"));
    let refused = apply(&[&server[..], &ALLOWED].concat()).code(1);
    assert!(stderr(&refused).contains("--accept data-loss:log_2026_01"));
    let gone = [&server[..], &ALLOWED, &ACCEPTED, &["--accept", "stop:x"]].concat();
    let refused = apply(&gone).code(1);
    assert!(stderr(&refused).contains("accepted-hazard-gone"));
    let nowhere = [&ALLOWED[..], &ACCEPTED].concat();
    apply(&nowhere).code(2);
    let unnamed = ["--server", "postgres://me@127.0.0.1:1"];
    let refused = apply(&[&unnamed[..], &ALLOWED, &ACCEPTED].concat()).code(2);
    assert!(stderr(&refused).contains("names no database"));
    apply(&[&server[..], &ALLOWED, &ACCEPTED].concat()).code(3);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_plan_is_applied_phase_by_phase_and_taken_back() {
    let scene = Scene::new().await;
    scene
        .run("CREATE SCHEMA other; CREATE TABLE other.kept (n integer CHECK (n > 0)); INSERT INTO other.kept VALUES (1)")
        .await;
    let rows = "SELECT md5(string_agg(o::text, ',' ORDER BY order_id)) FROM shop.orders AS o";
    let before = scene.scalar(rows).await;
    assert!(stdout(&scene.plain(&["--status"]).code(0)).contains("nothing was ever applied"));
    assert!(
        stderr(&scene.plain(&["--undo", "--allow-server"]).code(1))
            .contains("nothing of this plan")
    );
    // Expand, and back to the label that cannot be taken out.
    let done = scene
        .migrate(&[&ALLOWED[..], &["--until", "expand"]].concat())
        .code(0);
    assert!(
        stdout(&done).contains("the next is backfill"),
        "{}",
        stdout(&done)
    );
    assert_eq!(scene.scalar(JOURNAL).await, "14");
    let status = stdout(&scene.plain(&["--status"]).code(0));
    assert!(
        status.contains("next: step 15, fill orders.remark"),
        "{status}"
    );
    let done = scene
        .migrate(&[&ALLOWED[..], &["--until", "switch"]].concat())
        .code(0);
    assert!(stderr(&done).contains("step 15 of"), "{}", stderr(&done));
    // What only the new design allows is in the way.
    scene
        .run("UPDATE shop.customer SET email = repeat('e', 100) WHERE customer_id = 1")
        .await;
    let refused = scene.plain(&["--undo", "--allow-server"]).code(1);
    let said = stderr(&refused);
    assert!(
        said.contains("too long") && said.contains("--undo again"),
        "{said}"
    );
    scene
        .run("UPDATE shop.customer SET email = 'e' WHERE customer_id = 1")
        .await;
    let undone = scene.plain(&["--undo", "--allow-server"]).code(0);
    assert!(
        stdout(&undone).contains("add label lost to state"),
        "{}",
        stdout(&undone)
    );
    assert_eq!(scene.scalar(JOURNAL).await, "2");
    let refused = scene.plain(&["--undo", "--allow-server"]).code(1);
    assert!(
        stderr(&refused).contains("cannot take a label out"),
        "{}",
        stderr(&refused)
    );
    // The rows are as they were, and what is filled anew is filled from the first row on.
    assert_eq!(scene.scalar(rows).await, before);
    let done = scene.migrate(&ALLOWED).code(0);
    assert!(
        stdout(&done).contains("as the new design says"),
        "{}",
        stdout(&done)
    );
    assert_eq!(scene.apart("to.yaml").await, Vec::<String>::new());
    let lost = "SELECT count(*) FROM shop.orders WHERE remark IS NULL AND order_id % 3 <> 2";
    assert_eq!(scene.scalar(lost).await, "0");
    // Once more: nothing is left to do, and that is looked at.
    scene.migrate(&ALLOWED).code(0);
    scene
        .run("ALTER TABLE shop.orders ADD COLUMN stray text")
        .await;
    let refused = scene.migrate(&ALLOWED).code(1);
    assert!(stderr(&refused).contains("stray"), "{}", stderr(&refused));
    assert_eq!(scene.scalar("SELECT sum(n) FROM other.kept").await, "1");
    scene.stop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_is_not_as_it_should_be_stops_it_before_anything_is_done() {
    let scene = Scene::new().await;
    // The database is not the old design.
    scene
        .run("ALTER TABLE shop.orders ALTER COLUMN note SET DEFAULT 'x'")
        .await;
    let refused = scene.migrate(&ALLOWED).code(1);
    assert!(
        stderr(&refused).contains("not as the old design says")
            && stderr(&refused).contains("note"),
        "{}",
        stderr(&refused)
    );
    let journal = "SELECT to_regclass('shop.pgproof_migration')";
    assert_eq!(scene.scalar(journal).await, "");
    scene
        .run("ALTER TABLE shop.orders ALTER COLUMN note DROP DEFAULT")
        .await;
    // Rows stand in the way: what is done stays done, and it goes on when they are gone.
    scene
        .run("UPDATE shop.customer SET nick = NULL WHERE customer_id = 7")
        .await;
    let refused = scene.migrate(&ALLOWED).code(1);
    let told = stderr(&refused);
    assert!(
        told.contains("customer.nick has no nulls) failed"),
        "{told}"
    );
    assert!(told.contains("rows that stand in the way"), "{told}");
    let status = stdout(&scene.plain(&["--status"]).code(0));
    assert!(status.contains("failed"), "{status}");
    // Another plan is not put upon a begun one.
    let to = scene.case.text("to.yaml");
    scene
        .case
        .write("to.yaml", &to.replace("chunk: 10", "chunk: 20"));
    let refused = scene.migrate(&ALLOWED).code(1);
    let told = stderr(&refused);
    assert!(
        told.contains("another plan") && told.contains("fill orders.remark"),
        "{told}"
    );
    scene.case.write("to.yaml", &to);
    scene
        .run("UPDATE shop.customer SET nick = 'x' WHERE nick IS NULL")
        .await;
    scene.migrate(&ALLOWED).code(0);
    scene.stop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_is_old_goes_when_its_time_has_come() {
    let scene = Scene::new().await;
    let to = scene.case.text("to.yaml");
    scene.case.write(
        "to.yaml",
        &to.replace("migration:\n", "migration:\n  contract_after: 14 days\n"),
    );
    // The first run comes to the contraction, the second has nothing else to do.
    let done = scene.migrate(&ALLOWED).code(0);
    assert!(
        stdout(&done).contains("contract_after"),
        "{}",
        stdout(&done)
    );
    let refused = scene.migrate(&ALLOWED).code(1);
    assert!(stderr(&refused).contains("--now"), "{}", stderr(&refused));
    let status = stdout(&scene.plain(&["--status"]).code(0));
    assert!(status.contains("may go 14 days after"), "{status}");
    scene
        .run("UPDATE shop.pgproof_migration SET finished_at = finished_at - interval '13 days'")
        .await;
    scene.migrate(&ALLOWED).code(1);
    scene
        .run("UPDATE shop.pgproof_migration SET finished_at = finished_at - interval '1 day'")
        .await;
    scene.migrate(&ALLOWED).code(0);
    assert_eq!(scene.apart("to.yaml").await, Vec::<String>::new());
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn runners_and_programs_are_waited_for() {
    let scene = Scene::new().await;
    // Killed while it waits in a transaction: the step is not said to be done, and is not.
    let mut reader = scene.admin().await;
    let lock = "BEGIN; LOCK TABLE shop.orders IN ACCESS SHARE MODE";
    reader
        .batch(&SqlText::authored(lock))
        .await
        .expect("locked");
    let url = url(&scene.home, scene.database.name().as_str());
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("pgproof"))
        .args(["migrate", "--from", "from.yaml", "--to", "to.yaml"])
        .args(["--server", &url, "--postgres", &url])
        .args(ALLOWED)
        .args(ACCEPTED)
        .current_dir(&scene.case.folder)
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgproof migrate' AND wait_event_type = 'Lock'";
    while scene.scalar(waits).await == "0" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("ended");
    let column =
        "SELECT outcome FROM shop.pgproof_migration WHERE title = 'a column beside orders.remark'";
    assert_eq!(scene.scalar(column).await, "running");
    drop(reader);
    // Somebody holds a lock that a step needs, for longer than the step waits for it.
    let to = scene.case.text("to.yaml");
    scene.case.write(
        "to.yaml",
        &to.replace("migration:\n", "migration:\n  limits: {lock: 100 ms}\n"),
    );
    let mut reader = scene.admin().await;
    reader
        .batch(&SqlText::authored(lock))
        .await
        .expect("locked");
    let held = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        drop(reader);
    });
    let done = tokio::task::block_in_place(|| scene.migrate(&ALLOWED));
    let told = stderr(&done.code(0));
    assert!(told.contains("nothing has happened, try 2"), "{told}");
    held.await.expect("ended");
    // Somebody is at work on the schema.
    let mut other = scene.admin().await;
    let taken = "SELECT pg_advisory_lock(hashtextextended('pgproof migrate ' || 'shop', 0))";
    scalar(&mut other, taken).await;
    let pid = other.pid();
    let held = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        drop(other);
    });
    let done = tokio::task::block_in_place(|| scene.migrate(&ALLOWED));
    let told = stderr(&done.code(0));
    assert!(
        told.contains(&format!("another runner is at work (process {pid},")),
        "{told}"
    );
    held.await.expect("ended");
    scene.stop().await;
}

/// Breaks a statement off that waits for a program's transaction.
async fn broken_off(scene: &Scene, statement: &str) {
    let mut reader = scene.admin().await;
    let read = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shop.orders; SELECT count(*) FROM shop.log";
    reader
        .batch(&SqlText::authored(read))
        .await
        .expect("a snapshot");
    let mut admin = scene.admin().await;
    let limit = SqlText::authored("SET statement_timeout = '300ms'");
    admin.batch(&limit).await.expect("set");
    let ended = admin.batch(&SqlText::authored(statement)).await;
    let failure = ended.expect_err("it waits for the reader");
    assert!(failure.message.contains("statement timeout"), "{failure}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_was_broken_off_is_looked_at_and_ended() {
    let scene = Scene::new().await;
    let running = |title: &str| {
        format!(
            "UPDATE shop.pgproof_migration SET outcome = 'running', finished_at = NULL WHERE title = '{title}'"
        )
    };
    let until = |phase: &str| {
        scene
            .migrate(&[&ALLOWED[..], &["--until", phase]].concat())
            .code(0)
    };
    until("expand");
    // Half built: invalid, and built anew.
    scene.run("DROP INDEX shop.ix_orders_placed").await;
    let build =
        "CREATE INDEX CONCURRENTLY ix_orders_placed ON shop.orders (placed_at, customer_id)";
    broken_off(&scene, build).await;
    scene
        .run(&running("build index ix_orders_placed on orders"))
        .await;
    let valid =
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'shop.ix_orders_placed'::regclass";
    assert_eq!(scene.scalar(valid).await, "f");
    until("expand");
    assert_eq!(scene.scalar(valid).await, "t");
    // Built, and only the journal did not hear of it: kept as it is.
    let node = "SELECT relfilenode FROM pg_class WHERE oid = 'shop.ix_orders_placed'::regclass";
    let before = scene.scalar(node).await;
    scene
        .run(&running("build index ix_orders_placed on orders"))
        .await;
    until("switch");
    assert_eq!(scene.scalar(node).await, before);
    // Half detached: neither in nor out, and only FINALIZE gets it out.
    broken_off(
        &scene,
        "ALTER TABLE shop.log DETACH PARTITION shop.log_2026_01 CONCURRENTLY",
    )
    .await;
    let pending = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending";
    assert_eq!(scene.scalar(pending).await, "1");
    scene.run(&running("detach partition log_2026_01")).await;
    scene.migrate(&ALLOWED).code(0);
    assert_eq!(scene.apart("to.yaml").await, Vec::<String>::new());
    scene.stop().await;
}
