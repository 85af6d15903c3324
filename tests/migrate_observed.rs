//! What is said of every statement of the worked plans, and what a server is seen doing when it comes to it.
//!
//! `CASES=all` looks at all plans, where CI has time for every third. What runs outside a transaction is held up by other sessions to be seen, which
//! takes a second each: `OUTSIDE=1` looks at that too, and `PGPROOF_PG_BIN` at another major.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/changes.rs"]
mod changes;
#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/locks.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod locks;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;
#[path = "support/way.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod way;

use changes::{cases, fill, side};
use pgproof::assets::Assets;
use pgproof::migrate::{Chain, Part, Step};
use pgproof::postgres::{Database, Server, Session};
use pgproof::sql::{SqlText, ddl};
use pgproof::template::{Environment, environment};
use pgproof::verify::migrate::{Hands, forward};
use pgproof::verify::observe::observe;
use support::{Home, installed_major};
use way::Way;

/// What was said and what was seen of a part, where they differ. The part has been run.
async fn compared(
    database: &Database,
    admin: &mut Session,
    chain: &mut Chain,
    part: &Part,
) -> Result<Option<String>, String> {
    let text = part.sql.as_str();
    let Ok(form) = ddl(text) else {
        return Err(format!("could not be read: {text}"));
    };
    let said = chain.effects(&form);
    let is_outside = said.needs_no_transaction;
    let mut differs = None;
    let mut is_done = false;
    if !is_outside || std::env::var("OUTSIDE").is_ok() {
        let seen = observe(database, &part.sql).await;
        let seen = seen.map_err(|error| error.to_string())?;
        is_done = seen.effects.needs_no_transaction && seen.failure.is_none();
        let (said, seen) = (locks::lines(&said), locks::lines(&seen.effects));
        // Whether the rows that are referred to are found by their key or all read, and in which partitions, is the planner's choice.
        let is_choice = |line: &String| {
            is_reference(text) && (line.starts_with("scan ") || line.ends_with(" ROW SHARE"))
        };
        let is_scan = |line: &String| line.starts_with("scan ");
        let differs_not = seen.iter().all(|line| said.contains(line))
            && said
                .iter()
                .all(|line| seen.contains(line) || is_choice(line))
            && said.iter().any(is_scan) == seen.iter().any(is_scan);
        if !differs_not {
            differs = Some(format!("{text}\n    said: {said:?}\n    seen: {seen:?}"));
        }
    }
    // Held for nothing outside a transaction.
    is_done |= text.starts_with("LOCK ");
    if !is_done {
        let done = admin.batch(&part.sql).await;
        done.map_err(|failure| format!("{text}: {failure}"))?;
    }
    chain.apply(&form);
    chain.end_migration();
    Ok(differs)
}

fn is_reference(text: &str) -> bool {
    text.contains("FOREIGN KEY") || text.contains("VALIDATE CONSTRAINT")
}

async fn one(
    server: &Server,
    case: &str,
    environment: &Environment,
) -> Result<(usize, Vec<String>), String> {
    let version = installed_major();
    let (from, to) = (
        side(case, "from.yaml", version),
        side(case, "to.yaml", version),
    );
    let plan = way::planned(&from, &to, environment)?;
    let mut chain = Chain::new(from.compiled.catalog.clone(), plan.version);
    let way = Way::new(server, (&from, &to), plan, environment).await?;
    let mut admin = way.admin().await;
    // What watches a statement has sessions of its own.
    let path = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = shop, public', current_database()); END $$";
    let set = admin.batch(&SqlText::authored(path)).await;
    set.map_err(|failure| failure.to_string())?;
    fill(&mut admin, case).await;
    let database = way.database();
    let mut differences = Vec::new();
    let mut looked_at = 0;
    let mut hands = Hands {
        owner: support::session(database).await,
        mover: Some(way.admin().await),
    };
    for step in &way.plan.steps {
        if step.backfill.is_some() {
            let done = forward(&mut hands, &way.plan, step).await;
            done.map_err(|failure| format!("{}: {failure}", step.title))?;
            continue;
        }
        for part in parts(step) {
            looked_at += 1;
            let found = compared(database, &mut admin, &mut chain, part).await?;
            differences.extend(found);
        }
    }
    drop((admin, hands));
    way.drop().await?;
    Ok((looked_at, differences))
}

/// Without those that only set something for the session, and without blocks that compare rows.
fn parts(step: &Step) -> impl Iterator<Item = &Part> {
    let all = step.parts.iter();
    all.filter(|part| {
        let text = part.sql.as_str();
        !text.starts_with("SET ") && !text.starts_with("DO ")
    })
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_statement_does_what_is_said_of_it() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let mut names = cases();
    if std::env::var("CASE").is_err() && std::env::var("CASES").is_err() {
        names = names.into_iter().step_by(3).collect();
    }
    let (mut wrong, mut all) = (Vec::new(), 0);
    for name in &names {
        match one(&server, name, &environment).await {
            Ok((looked_at, differences)) => {
                all += looked_at;
                wrong.extend(differences.iter().map(|what| format!("{name}: {what}")));
            }
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("{all} statements of {} plans", names.len());
    server.stop().await.expect("stopped");
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
