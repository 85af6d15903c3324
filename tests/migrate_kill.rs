//! `pgproof migrate --apply`, killed at random moments and started again until it ends: everything is there, once.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it saw"
)]

#[path = "support/applied.rs"]
mod applied;
#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use applied::{ACCEPTED, Case, scalar, url};
use pgproof::postgres::{Server, Session};
use pgproof::sql::SqlText;
use support::Home;

/// Rows as both designs have them. A partition of `log` goes with the migration.
const BEFORE: &str = "SELECT md5(string_agg(o::text, ',' ORDER BY order_id)) || count(*) || (SELECT count(*) FROM shop.line)
    || (SELECT count(*) FROM shop.log WHERE at >= '2026-02-01') || (SELECT string_agg(nick, ',' ORDER BY customer_id) FROM shop.customer)
    FROM (SELECT order_id, customer_id, total::numeric(14,4), note, placed_at FROM shop.orders) AS o";
const AFTER: &str = "SELECT md5(string_agg(o::text, ',' ORDER BY order_id)) || count(*) || (SELECT count(*) FROM shop.line)
    || (SELECT count(*) FROM shop.log) || (SELECT string_agg(nick, ',' ORDER BY customer_id) FROM shop.customer)
    FROM (SELECT order_id, customer_id, total, remark AS note, placed_at FROM shop.orders) AS o";

/// How many kills in all, and how many in one database.
fn kills() -> (usize, usize) {
    let asked = std::env::var("KILLS").ok();
    let count = asked.and_then(|kills| kills.parse().ok()).unwrap_or(5);
    (count, 12)
}

/// A small generator: the moments repeat with the seed.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn start(case: &Case, url: &str, quiet: bool) -> Child {
    let told = || match quiet {
        true => Stdio::null(),
        false => Stdio::piped(),
    };
    Command::new(assert_cmd::cargo::cargo_bin!("pgproof"))
        .args(["migrate", "--from", "from.yaml", "--to", "to.yaml"])
        .args(["--apply", "--allow-server", "--server", url])
        .args(["--postgres", url])
        .args(ACCEPTED)
        .current_dir(&case.folder)
        .stdout(told())
        .stderr(told())
        .spawn()
        .expect("the program starts")
}

/// What was running when the program was killed; nothing before the first step.
async fn at(session: &mut Session) -> String {
    let there = scalar(session, "SELECT to_regclass('shop.pgproof_migration')").await;
    if there.is_empty() {
        return "before the first step".to_owned();
    }
    let running = "SELECT coalesce((SELECT number || ' ' || title FROM shop.pgproof_migration WHERE outcome = 'running' LIMIT 1),
        CASE WHEN EXISTS (SELECT FROM shop.pgproof_migration WHERE outcome <> 'done') THEN 'between steps' ELSE 'after the last step' END)";
    scalar(session, running).await
}

/// The share of steps that are not done.
async fn left(session: &mut Session) -> f64 {
    let there = scalar(session, "SELECT to_regclass('shop.pgproof_migration')").await;
    if there.is_empty() {
        return 1.0;
    }
    let share = "SELECT count(*) FILTER (WHERE outcome <> 'done')::float8 / count(*) FROM shop.pgproof_migration";
    scalar(session, share).await.parse().unwrap_or(1.0)
}

/// A program that reads, a moment at a time: steps wait for it, and can be killed while they do.
async fn reads(mut session: Session) {
    let read = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shop.orders; SELECT count(*) FROM shop.log; \
        SELECT count(*) FROM shop.customer; SELECT pg_sleep(0.08); COMMIT";
    loop {
        if session.batch(&SqlText::authored(read)).await.is_err() {
            // What it reads was just changed; the next time it sees the new.
            let _ = session.batch(&SqlText::authored("ROLLBACK")).await;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Waits until the first step runs.
async fn begun(session: &mut Session) {
    let since = Instant::now();
    while at(session).await == "before the first step" && since.elapsed() < Duration::from_secs(30)
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Kills up to `most` times, then lets it end. Returns how often it was killed, and how long all steps took.
async fn round(
    (home, server, case): (&Home, &Server, &Case),
    moments: &mut Moments,
    (most, whole): (usize, Duration),
    seen: &mut BTreeMap<String, usize>,
) -> (usize, Duration) {
    let database = case.old(server).await;
    let url = url(home, database.name().as_str());
    let mut admin = database.admin().await.expect("an administrator");
    let before = scalar(&mut admin, BEFORE).await;
    let program = tokio::spawn(reads(database.admin().await.expect("a session")));
    let mut killed = 0;
    while killed < most {
        let mut child = start(case, &url, true);
        let share = left(&mut admin).await;
        if share == 0.0 {
            // Nothing is left but to look at the whole, and that may be killed too.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        // Mostly after it has begun, and not later than it may be done: the rest of its time is for building the designs.
        if share == 1.0 && moments.next(8) > 0 {
            begun(&mut admin).await;
        }
        let least = if share < 1.0 { 100 } else { 0 };
        let span = whole.mul_f64(share).as_millis() as u64;
        let wait = Duration::from_millis(least + moments.next(span.max(20)));
        tokio::time::sleep(wait).await;
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "it failed after {killed} kills");
            break;
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
        killed += 1;
        *seen.entry(at(&mut admin).await).or_default() += 1;
        if share == 0.0 {
            break;
        }
    }
    // What ended while nobody looked is said to have ended once more.
    let last = start(case, &url, false);
    let output = last.wait_with_output().expect("ended");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "after {killed} kills: {told}");
    program.abort();
    let apart = case.apart(server, &database, "to.yaml").await;
    assert_eq!(apart, Vec::<String>::new(), "after {killed} kills: {told}");
    let after = scalar(&mut admin, AFTER).await;
    assert_eq!(before, after, "rows, after {killed} kills: {told}");
    let half = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(scalar(&mut admin, half).await, "0", "invalid indexes");
    let took =
        "SELECT extract(epoch FROM max(finished_at) - min(started_at)) FROM shop.pgproof_migration";
    let took = scalar(&mut admin, took).await.parse().expect("a number");
    drop(admin);
    database.drop().await.expect("dropped");
    (killed, Duration::from_secs_f64(took))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn killed_again_and_again_it_ends_as_if_nothing_had_been() {
    let home = Home::new();
    let server = home.local().await;
    let case = Case::new(&home);
    let mut moments = Moments(20_261_128);
    let (count, most) = kills();
    let mut seen = BTreeMap::new();
    // How long it takes by itself says when it can be killed.
    let place = (&home, &server, &case);
    let (_, whole) = round(place, &mut moments, (0, Duration::ZERO), &mut seen).await;
    let (mut killed, mut rounds) = (0, 0);
    while killed < count {
        let most = most.min(count - killed);
        killed += round(place, &mut moments, (most, whole), &mut seen).await.0;
        rounds += 1;
    }
    println!("{killed} kills in {rounds} databases, {whole:?} for all steps:");
    for (place, count) in seen {
        println!("{count:4}  {place}");
    }
    server.stop().await.expect("stopped");
}
