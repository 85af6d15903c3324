//! Outside of a transaction: other sessions hold the statement up, so that its locks can be read while it waits.

use std::time::{Duration, Instant};

use super::inside::plain;
use super::locks::sample;
use super::seen::Observed;
use super::snapshot::{Snapshot, refused};
use crate::error::Error;
use crate::migrate::Effects;
use crate::postgres::{Database, Session};
use crate::sql::{SqlText, fill, join, quote_qualified};

/// Between two looks.
const STEP: Duration = Duration::from_millis(2);
/// How long a statement may take to come to its first wait, or from one to the next.
const FIRST: Duration = Duration::from_millis(300);
/// How long it may take in all.
const LONGEST: Duration = Duration::from_secs(30);
/// So many looks in a row have to see it waiting before it is let go on.
const STEADY: usize = 3;

pub(super) async fn observe(database: &Database, statement: &SqlText) -> Result<Observed, Error> {
    let mut watch = database.admin().await?;
    let mut old = database.admin().await?;
    let mut holder = database.admin().await?;
    let runner = database.admin().await?;
    let before = Snapshot::take(&mut watch).await?;
    // A transaction that began before, as a long report would be: it has a snapshot, and has read every table.
    plain(&mut old, "BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    lock_tables(
        &mut old,
        &before,
        "LOCK TABLE {tables} IN ACCESS SHARE MODE",
    )
    .await?;
    plain(&mut old, "SELECT 1").await?;
    // One that is in the way of every statement that changes or keeps up a table.
    plain(&mut holder, "BEGIN").await?;
    lock_tables(
        &mut holder,
        &before,
        "LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE",
    )
    .await?;

    let mut effects = Effects {
        needs_no_transaction: true,
        ..Effects::default()
    };
    let mut pending = runner.send(statement);
    let began = Instant::now();
    let mut since = began;
    let mut steady = 0;
    let mut holds = 2;
    while !pending.settle(STEP).await {
        let waits = sample(&mut watch, runner.pid(), &before, &mut effects).await?;
        steady = if waits.any { steady + 1 } else { 0 };
        effects.waits_for_old_transactions |= waits.for_old;
        if holds > 0 && (steady >= STEADY || since.elapsed() > FIRST) {
            match holds {
                2 => plain(&mut holder, "COMMIT").await?,
                _ => plain(&mut old, "COMMIT").await?,
            }
            holds -= 1;
            steady = 0;
            since = Instant::now();
        }
        if began.elapsed() > LONGEST {
            runner.cancel().await;
        }
    }
    let failure = pending.await.err();
    plain(&mut holder, "ROLLBACK").await?;
    plain(&mut old, "ROLLBACK").await?;
    if let Some(failure) = &failure {
        refused(&mut effects, failure);
    }
    let after = Snapshot::take(&mut watch).await?;
    before.compare(&after, &mut effects);
    before.tidy(&after, &mut effects);
    Ok(Observed { effects, failure })
}

async fn lock_tables(
    session: &mut Session,
    known: &Snapshot,
    statement: &'static str,
) -> Result<(), Error> {
    let names = known.tables();
    if names.is_empty() {
        return Ok(());
    }
    let tables = join(names.iter().map(quote_qualified), ", ");
    let ran = session
        .batch(&fill(statement, &[("tables", &tables)]))
        .await;
    ran.map_err(|failure| failure.into_error("holding tables"))
}
