//! Back: as far as steps can be taken back.

use super::catalog::apart;
use super::journal::Outcome;
use super::play::{Player, Turn, Way};
use super::run::{End, Migration, build, failed, open, other};
use super::watch::Teller;
use crate::error::Error;
use crate::migrate::{Lone, Reverse, Step};

/// Takes steps back, the last one first, until one that cannot be.
pub async fn undo(migration: &Migration<'_>, teller: &mut dyn Teller) -> Result<End, Error> {
    let opened = match open(migration, teller).await? {
        Ok(opened) => opened,
        Err(end) => return Ok(end),
    };
    let plan = migration.plan;
    let nothing = || {
        End::Refused(
            "nothing of this plan is in the database".to_owned(),
            Vec::new(),
        )
    };
    // Where all is taken back already it is looked at once more: a run may have been killed before it could.
    let known = opened.journal.filter(|journal| {
        journal.is_begun() || (!journal.entries.is_empty() && journal.unlike(plan).is_empty())
    });
    let Some(journal) = known else {
        return Ok(nothing());
    };
    if !journal.unlike(plan).is_empty() {
        return Ok(other(&journal, plan).unwrap_or_else(nothing));
    }
    let mut player = Player {
        session: opened.session,
        eye: opened.eye,
        plan,
        journal,
        teller,
    };
    let mut did = 0;
    for step in plan.steps.iter().rev() {
        let entry = player.journal.entry(step).cloned();
        let Some(entry) = entry.filter(|entry| entry.outcome.is_begun()) else {
            continue;
        };
        // A transaction that did not end has done nothing, and nothing stands against forgetting it.
        let is_open = matches!(entry.outcome, Outcome::Running | Outcome::Failed);
        let is_nothing = is_open && !step.parts.iter().any(|part| Lone::of(part).is_some());
        let parts = match &step.reverse {
            _ if is_nothing => &[][..],
            Reverse::Parts(parts) => parts.as_slice(),
            Reverse::ForwardOnly(reason) => {
                return Ok(boundary(step, reason, did));
            }
        };
        let is_in = is_open
            && player
                .settle(step)
                .await
                .map_err(failed("look at a step"))?;
        let parts = if is_in { &[][..] } else { parts };
        player.teller.tell(&format!(
            "step {} of {}, back: {}",
            step.number,
            plan.steps.len(),
            step.title
        ));
        let is_resumed = entry.outcome == Outcome::Undoing;
        let turn = Turn {
            step,
            way: Way::Back,
            from: if is_resumed { entry.part } else { 0 },
            is_resumed: is_resumed || is_open,
        };
        if let Err(failure) = player.play(turn, parts).await {
            let why = format!(
                "step {} ({}) could not be taken back",
                step.number, step.title
            );
            let mut lines = vec![failure.to_string()];
            if matches!(failure.sqlstate.class(), "22" | "23") {
                lines.push("rows written since hold what the old design does not allow: change them, and run --undo again".to_owned());
            }
            return Ok(End::Refused(why, lines));
        }
        did += 1;
    }
    let built = build(migration, opened.major, &[&migration.old], player.teller).await?;
    let old = built.into_iter().next().unwrap_or_default();
    let apart = apart(&mut player.session, &migration.old, &old).await?;
    if apart.is_empty() {
        let done = "everything is taken back; the database is as the old design says";
        return Ok(End::Done(done.to_owned()));
    }
    let why = "every step is taken back, and the database is not as the old design says";
    Ok(End::Refused(why.to_owned(), apart))
}

fn boundary(step: &Step, reason: &str, did: usize) -> End {
    let what = format!(
        "step {} ({}) cannot be taken back: {reason}",
        step.number, step.title
    );
    match did {
        0 => End::Refused(what, Vec::new()),
        _ => End::Done(format!("{did} steps are taken back; {what}")),
    }
}
