//! A step, run: forward or back, as a careful person would run it.

use std::time::Duration;

use crate::migrate::{Manner, Part, Plan, Reverse, Step, groups};
use crate::postgres::{Session, SqlFailure, SqlState};
use crate::sql::words::replaced;
use crate::sql::{Ident, SqlText, fill, fixed, literal, number, quote_ident};

/// How often a step that did not get its lock is tried again.
const TRIES: u32 = 20;

/// The sessions that run a migration.
pub struct Hands {
    /// Owns the schema.
    pub owner: Session,
    /// Has the owner's rights and passes policies by. Where there is none, the owner writes.
    pub mover: Option<Session>,
}

impl Hands {
    /// Whether a step reads or writes rows that policies would hide.
    pub fn is_for_mover(step: &Step) -> bool {
        step.manner() == Manner::Chunks || step.past_policies
    }

    /// The session for a step.
    pub fn of(&mut self, step: &Step) -> &mut Session {
        match &mut self.mover {
            Some(mover) if Hands::is_for_mover(step) => mover,
            _ => &mut self.owner,
        }
    }

    /// The session for a statement of a step that runs by itself: a proof needs all rows, also on the way back.
    fn of_part(&mut self, step: &Step, part: &Part) -> &mut Session {
        let is_proof = part.sql.as_str().contains("VALIDATE CONSTRAINT");
        match &mut self.mover {
            Some(mover) if is_proof || Hands::is_for_mover(step) => mover,
            _ => &mut self.owner,
        }
    }
}

/// Runs a step.
pub async fn forward(hands: &mut Hands, plan: &Plan, step: &Step) -> Result<(), SqlFailure> {
    let parts: Vec<Part> = step.resume.iter().chain(&step.parts).cloned().collect();
    run(hands, plan, step, &parts).await
}

/// Takes a step back. Nothing happens where it cannot be.
pub async fn back(hands: &mut Hands, plan: &Plan, step: &Step) -> Result<(), SqlFailure> {
    match &step.reverse {
        Reverse::Parts(parts) => run(hands, plan, step, parts).await,
        Reverse::ForwardOnly(_) => Ok(()),
    }
}

async fn run(
    hands: &mut Hands,
    plan: &Plan,
    step: &Step,
    parts: &[Part],
) -> Result<(), SqlFailure> {
    for group in groups(parts) {
        if let [part] = group
            && part.alone
        {
            let session = hands.of_part(step, part);
            session.batch(&path(plan, false)).await?;
            match session.batch(&part.sql).await {
                Err(failure) if is_pending_detach(&part.sql, &failure) => {
                    // An earlier try got half way; the rest of it has a word of its own.
                    session.batch(&finalized(&part.sql)).await?;
                }
                ended => ended?,
            }
            continue;
        }
        let session = hands.of(step);
        let mut pause = Duration::from_millis(50);
        let mut tries = 0;
        loop {
            match together(session, plan, group).await {
                Err(failure) if is_lock_timeout(&failure) && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                ended => break ended?,
            }
        }
    }
    Ok(())
}

/// What brings a detachment to its end that was broken off.
pub(super) fn finalized(detach: &SqlText) -> SqlText {
    replaced(detach, " CONCURRENTLY", " FINALIZE")
}

fn is_pending_detach(sql: &SqlText, failure: &SqlFailure) -> bool {
    failure.sqlstate.code() == "55000" && sql.as_str().contains("DETACH PARTITION")
}

pub(super) fn is_lock_timeout(failure: &SqlFailure) -> bool {
    failure.sqlstate == SqlState::LOCK_NOT_AVAILABLE
}

pub(super) async fn together(
    session: &mut Session,
    plan: &Plan,
    group: &[Part],
) -> Result<(), SqlFailure> {
    let done = in_transaction(session, plan, group).await;
    let end = fixed(if done.is_ok() { "COMMIT" } else { "ROLLBACK" });
    let ended = session.batch(&end).await;
    done?;
    ended
}

async fn in_transaction(
    session: &mut Session,
    plan: &Plan,
    group: &[Part],
) -> Result<(), SqlFailure> {
    session.batch(&fixed("BEGIN")).await?;
    session.batch(&path(plan, true)).await?;
    let parts = [
        ("lock", &milliseconds(plan.lock_timeout_ms)),
        ("statement", &milliseconds(plan.statement_timeout_ms)),
    ];
    let limits = fill(
        "SET LOCAL lock_timeout = {lock}; SET LOCAL statement_timeout = {statement}",
        &parts,
    );
    session.batch(&limits).await?;
    for part in group {
        session.batch(&part.sql).await?;
    }
    Ok(())
}

fn milliseconds(ms: u64) -> SqlText {
    number(i64::try_from(ms).unwrap_or(i64::MAX))
}

pub(super) fn path(plan: &Plan, local: bool) -> SqlText {
    let schema = quote_ident(&Ident::from(plan.schema.as_str()));
    let path = fill("{schema}, public", &[("schema", &schema)]);
    let parts = [
        ("path", &literal(path.as_str())),
        ("local", &fixed(if local { "true" } else { "false" })),
    ];
    fill("SELECT set_config('search_path', {path}, {local})", &parts)
}
