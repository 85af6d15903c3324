//! What is said of a migration's duration and log, beside what it takes: measured on a sample, then run for real on many rows.
//!
//! `ROWS=1000000 cargo test --test migrate_rates -- --ignored --nocapture` runs it on a million.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::time::{Duration, Instant};

use pgproof::assets::Assets;
use pgproof::compile::{compile, ddl};
use pgproof::migrate::{HazardKind, Policy, Renames, plan};
use pgproof::postgres::{Server, ServerChoice, Session};
use pgproof::sql::SqlText;
use pgproof::template::environment;
use pgproof::verify::migrate::{Hands, forward, rates};
use support::{Home, installed_major};

const OLD: &str = "
pgproof: 1
design: shop
database: {version: 15, schema: shop}
tables:
  event:
    grain: one event
    owner: sales
    columns:
      event_id: {type: bigint, means: identity}
      kind: {type: text, means: what happened, data: {distinct: 20, width: 10}}
      amount: {type: integer, means: how much}
      note: {type: text, means: what was said, data: {width: 60}}
    key: [event_id]
    indexes:
      ix_event_kind: {columns: [kind]}
    volume: {rows: ROWS}
";

async fn number(session: &mut Session, text: &str) -> f64 {
    let rows = session.query(&SqlText::authored(text)).await;
    let rows = rows.unwrap_or_else(|failure| unreachable!("{text}: {failure}"));
    rows.scalar().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

const WRITTEN: [&str; 2] = [
    "SELECT pg_current_wal_insert_lsn() - '0/0'",
    "SELECT pg_total_relation_size('shop.event')",
];

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_migration_takes_as_long_as_is_said() {
    let rows = std::env::var("ROWS").unwrap_or_else(|_| "30000".to_owned());
    let rows: f64 = rows.parse().expect("ROWS is a number");
    let old_text = OLD
        .replace("ROWS", &rows.to_string())
        .replace("version: 15", &format!("version: {}", installed_major()));
    let new_text = old_text
        .replace("amount: {type: integer", "amount: {type: bigint")
        .replace(
            "    key: [event_id]\n",
            "      token: {type: uuid, default: gen_random_uuid(), means: a name for others}\n      size: {type: integer, generated: length(note), means: its length}\n    key: [event_id]\n    checks:\n      ck_event_kind: kind <> ''\n",
        )
        .replace(
            "ix_event_kind: {columns: [kind]}",
            "ix_event_kind: {columns: [kind]}\n      ix_event_note: {columns: [kind, note]}",
        );
    let (old, new) = (design::model(&old_text), design::model(&new_text));
    let environment = environment(&Assets::builtin());
    let (from, to) = (compile(&old), compile(&new));
    let policy = Policy::of(&new);
    let plan = plan(
        &from.catalog,
        &to.catalog,
        &Renames::of(&new),
        &policy,
        &environment,
    )
    .expect("a plan");
    let home = Home::new();
    let options = home.options(ServerChoice::Local);
    let said = rates(&options, (&old, &new), &plan, &environment, 1).await;
    let said = said.expect("measured").expect("it can be built");
    let mut patient = options.clone();
    patient.limits.statement = Duration::from_secs(3_600);
    let server = Server::start(&patient).await.expect("a server");
    let database = support::database(&server).await;
    let mut owner = support::session(&database).await;
    let script = ddl(&from.catalog, &environment).expect("a script");
    for statement in &script.statements {
        owner.batch(&statement.sql).await.expect("applied");
    }
    let fill = format!(
        "INSERT INTO shop.event SELECT n, 'kind-' || n % 20, n % 1000, repeat(md5(n::text), 2) FROM generate_series(1, {rows}) AS n"
    );
    owner.batch(&SqlText::authored(fill)).await.expect("filled");
    let mut admin = database.admin().await.expect("an administrator");
    let settle = SqlText::authored("VACUUM (ANALYZE) shop.event");
    admin.batch(&settle).await.expect("analysed");
    let mut hands = Hands { owner, mover: None };
    let mut wrong = Vec::new();
    let mut judged = 0;
    println!("step | took s | said s | log MB | said MB");
    for step in &plan.steps {
        let mut before = [0.0; 2];
        for (found, query) in before.iter_mut().zip(WRITTEN) {
            *found = number(&mut admin, query).await;
        }
        let since = Instant::now();
        let done = forward(&mut hands, &plan, step).await;
        done.unwrap_or_else(|failure| unreachable!("{}: {failure}", step.title));
        let took = since.elapsed().as_secs_f64();
        let mut log = 0.0_f64;
        let is_rewritten = step.hazards.iter().any(|h| h.kind == HazardKind::Rewrite);
        if is_rewritten {
            // All of it is new.
            before[1] = 0.0;
        }
        for (before, query) in before.iter().zip(WRITTEN) {
            log = log.max(number(&mut admin, query).await - before);
        }
        let Some(said) = said.get(&step.title) else {
            continue;
        };
        judged += 1;
        let ((least, most), (few, many)) = (said.seconds_at(rows), said.bytes_at(rows));
        println!(
            "{} | {took:.2} | {least:.2} to {most:.2} | {:.1} | {:.1} to {:.1}",
            step.title,
            log / 1e6,
            few / 1e6,
            many / 1e6
        );
        // What takes less than that is no matter of rows; the log is written in pages.
        if took < least - 0.3 || took > most + 0.3 || log < few - 1e6 || log > many + 1e6 {
            wrong.push(step.title.clone());
        }
    }
    server.stop().await.expect("stopped");
    assert!(judged >= 6, "{judged} steps go through the table");
    assert!(wrong.is_empty(), "said otherwise: {wrong:?}");
}
