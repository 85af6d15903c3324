//! Every step killed before its end and run again: the end must be the same, and every row be there.

use std::time::Duration;

use super::ended::{Ended, Refuted};
use super::rehearse::{Rehearsal, named};
use super::steps::Hands;
use crate::error::Error;
use crate::migrate::{Manner, PART, Phase, Step, groups, progress_table};
use crate::postgres::{Database, Session};
use crate::sql::{QualifiedName, SqlText, fill, fixed, literal, quote_qualified};

/// Runs the plan, each step first killed half way. Says how many were.
pub(super) async fn killed(rehearsal: &Rehearsal<'_>) -> Result<usize, Ended> {
    let (database, mut hands) = rehearsal.begin().await?;
    let stay: Vec<QualifiedName> = rehearsal
        .old
        .compiled
        .catalog
        .tables
        .keys()
        .filter(|name| rehearsal.new.compiled.catalog.tables.contains_key(*name))
        .cloned()
        .collect();
    let mut before = Vec::new();
    if let Some(mover) = &mut hands.mover {
        for table in &stay {
            before.push(count(mover, table).await?);
        }
    }
    let mut kills = 0;
    let steps = &rehearsal.plan.steps;
    if steps
        .first()
        .is_none_or(|step| step.phase > Phase::Validate)
    {
        rehearsal.validated(&mut hands).await?;
    }
    for (at, step) in steps.iter().enumerate() {
        if half(rehearsal, &database, step).await? {
            kills += 1;
        }
        rehearsal.step(&mut hands, step).await?;
        begun_again(rehearsal, &mut hands, step).await?;
        let next = steps.get(at + 1).map(|step| step.phase);
        if step.phase <= Phase::Validate && next.is_none_or(|next| next > Phase::Validate) {
            rehearsal.validated(&mut hands).await?;
        }
    }
    rehearsal.ended(&mut hands).await?;
    if let Some(mover) = &mut hands.mover {
        for (table, was) in stay.iter().zip(&before) {
            let now = count(mover, table).await?;
            if now != *was && !is_filled(rehearsal, table) {
                return Err(Refuted::new(format!(
                    "{} had {} rows before and has {} after",
                    table.name.as_str(),
                    was.as_deref().unwrap_or("no"),
                    now.as_deref().unwrap_or("no")
                ))
                .into());
            }
        }
    }
    drop(hands);
    database.drop().await?;
    Ok(kills)
}

/// A backfill of the design's own that is begun anew at its first row must leave alone what it has written.
async fn begun_again(
    rehearsal: &Rehearsal<'_>,
    hands: &mut Hands,
    step: &Step,
) -> Result<(), Ended> {
    let (Some(target), Some(backfill)) = (rehearsal.target(step), &step.backfill) else {
        return Ok(());
    };
    let Some(mover) = &mut hands.mover else {
        return Ok(());
    };
    let before = content(mover, target).await?;
    let progress = progress_table(&rehearsal.policy.schema);
    let parts = [
        ("progress", &quote_qualified(&progress)),
        ("step", &literal(&backfill.progress)),
    ];
    let forget = fill("DELETE FROM {progress} WHERE step = {step}", &parts);
    let failed = |failure: crate::postgres::SqlFailure| failure.into_error("begin a backfill anew");
    mover.batch(&forget).await.map_err(failed)?;
    rehearsal.step(hands, step).await?;
    let Some(mover) = &mut hands.mover else {
        return Ok(());
    };
    if content(mover, target).await? != before {
        return Err(Refuted::new(format!(
            "{} writes other values when it is begun again: let its statement leave alone what it has written (`WHERE … IS NULL`, `ON CONFLICT DO NOTHING`)",
            named(step)
        ))
        .into());
    }
    Ok(())
}

impl Rehearsal<'_> {
    /// The table that a backfill of the design's own fills.
    pub(super) fn target(&self, step: &Step) -> Option<&QualifiedName> {
        let mut declared = self.policy.backfills.iter().map(|entry| &entry.table);
        let backfill = step.backfill.as_ref().filter(|own| !own.is_walk)?;
        declared.find(|table| {
            let rest = backfill.progress.strip_prefix(table.name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(PART))
        })
    }
}

/// A digest of the rows of a table.
async fn content(session: &mut Session, table: &QualifiedName) -> Result<Option<String>, Error> {
    let parts = [("table", &quote_qualified(table))];
    let query = fill(
        "SELECT md5(coalesce(string_agg(md5(held::text), '' ORDER BY md5(held::text)), '')) FROM {table} AS held",
        &parts,
    );
    let rows = session.query(&query).await;
    let rows = rows.map_err(|failure| failure.into_error("read rows"))?;
    Ok(rows.scalar().map(str::to_owned))
}

/// Whether the design itself fills the table, so that rows come.
fn is_filled(rehearsal: &Rehearsal<'_>, table: &QualifiedName) -> bool {
    let mut declared = rehearsal.policy.backfills_of(table);
    declared.any(|entry| entry.sql.is_some())
}

/// Runs a step up to its middle, and ends the session there.
async fn half(rehearsal: &Rehearsal<'_>, database: &Database, step: &Step) -> Result<bool, Error> {
    let mut owner = rehearsal.stage.session(database).await?;
    let mut mover = database.session_as(&rehearsal.role).await?;
    let failed = |failure: crate::postgres::SqlFailure| failure.into_error("kill a step");
    match step.manner() {
        Manner::Transaction => {
            // All but the commit.
            let session = chosen(&mut owner, &mut mover, step);
            session.batch(&fixed("BEGIN")).await.map_err(failed)?;
            session
                .batch(&rehearsal.stage.search_path())
                .await
                .map_err(failed)?;
            for part in groups(&step.parts).into_iter().flatten() {
                if session.batch(&part.sql).await.is_err() {
                    // What is wrong with it is found when the step is run.
                    break;
                }
            }
        }
        Manner::Chunks | Manner::Alone => {
            // An old transaction keeps CONCURRENTLY waiting, so that it is killed in the middle of its work.
            let mut holder = rehearsal.stage.session(database).await?;
            for statement in ["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1"] {
                holder.batch(&fixed(statement)).await.map_err(failed)?;
            }
            let session = chosen(&mut owner, &mut mover, step);
            session
                .batch(&rehearsal.stage.search_path())
                .await
                .map_err(failed)?;
            for part in &step.parts {
                let mut pending = session.send(&part.sql);
                pending.settle(Duration::from_millis(40)).await;
                session.cancel().await;
                pending.settle(Duration::from_secs(5)).await;
            }
        }
    }
    // The sessions end here, with whatever they had not committed.
    drop((owner, mover));
    Ok(true)
}

fn chosen<'s>(owner: &'s mut Session, mover: &'s mut Session, step: &Step) -> &'s mut Session {
    if Hands::is_for_mover(step) {
        mover
    } else {
        owner
    }
}

/// How many rows a table has.
async fn count(session: &mut Session, table: &QualifiedName) -> Result<Option<String>, Error> {
    let parts = [("table", &quote_qualified(table))];
    let query: SqlText = fill("SELECT count(*) FROM {table}", &parts);
    let rows = session.query(&query).await;
    let rows = rows.map_err(|failure| failure.into_error("count rows"))?;
    Ok(rows.scalar().map(str::to_owned))
}
