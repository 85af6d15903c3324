//! Runs a counterexample again, to be sure of it, and writes it down for people and for machines.

use super::arena::Arena;
use super::classify::{Facts, classify, letter};
use super::explore::{Effects, replay};
use super::play::{Played, Trial, Watch};
use super::scenario::{Setting, record};
use super::schedule::Choice;
use super::timeline;
use crate::error::Error;
use crate::finding::{Counterexample, Moment, MomentKind};

/// Runs that must agree before a counterexample is shown.
pub(super) const REPEATS: usize = 3;
/// Sessions of which all orders are tried one after the other.
const SERIAL: usize = 4;

/// What is shown.
pub(super) struct Shown<'t> {
    pub trial: &'t Trial,
    pub choices: &'t [Choice],
    pub judge: usize,
    pub effects: Option<&'t Effects>,
    /// From which states and arguments were made.
    pub seed: u64,
}

/// The counterexample, if it comes up every time.
pub(super) async fn show(
    arena: &mut Arena<'_>,
    shown: &Shown<'_>,
) -> Result<Option<Counterexample>, Error> {
    let Some(played) = repeat(arena, shown).await? else {
        return Ok(None);
    };
    let (trial, judge) = (shown.trial, shown.judge);
    let serial = serial(arena, trial, judge, shown.effects).await?;
    let invariant = arena.judges[judge].invariant.clone();
    let facts = Facts::of(invariant.rule.kind(), trial, &played, serial);
    let setting = Setting {
        model: arena.ground.model,
        invariant: invariant.name.as_str(),
        server_version: &arena.ground.server.version().text,
        seed: shown.seed,
    };
    let snapshot = &arena.states[trial.state].snapshot;
    let recorded = record(
        &setting,
        trial,
        snapshot,
        &played.choices,
        &played.trace,
        shown.effects,
    );
    let sessions = trial.programs.iter().enumerate();
    Ok(Some(Counterexample::Timeline {
        sessions: sessions
            .map(|(at, program)| format!("{}: {}", letter(at), program.script.title))
            .collect(),
        start: timeline::start(snapshot),
        rows: played
            .violations
            .into_iter()
            .find(|found| found.judge == judge)
            .map(|found| found.rows)
            .unwrap_or_default(),
        moments: played.moments,
        anomaly: Some(classify(&facts)),
        replay: Some(Box::new(recorded)),
    }))
}

/// Runs it several times; what happened, if the same happened each time and the rule broke.
async fn repeat(arena: &mut Arena<'_>, shown: &Shown<'_>) -> Result<Option<Played>, Error> {
    let watch = watch(shown.judge, true);
    let mut last: Option<Played> = None;
    for _ in 0..REPEATS {
        let played = replay(arena, shown.trial, shown.choices, &watch, shown.effects).await?;
        let Some(played) = played.filter(|played| breaks(played, shown.judge)) else {
            return Ok(None);
        };
        if let Some(before) = &last
            && outline(&before.moments) != outline(&played.moments)
        {
            return Ok(None);
        }
        last = Some(played);
    }
    Ok(last)
}

pub(super) fn watch(judge: usize, record: bool) -> Watch {
    Watch {
        judges: vec![judge],
        stop: Some(judge),
        record,
        ..Watch::default()
    }
}

pub(super) fn breaks(played: &Played, judge: usize) -> bool {
    played.diverged.is_none() && played.violations.iter().any(|found| found.judge == judge)
}

/// What happened without values that differ from run to run.
fn outline(moments: &[Moment]) -> Vec<(usize, MomentKind)> {
    moments
        .iter()
        .map(|moment| (moment.session, moment.kind))
        .collect()
}

/// An order in which the programs break the rule one after the other.
async fn serial(
    arena: &mut Arena<'_>,
    trial: &Trial,
    judge: usize,
    effects: Option<&Effects>,
) -> Result<Option<Vec<usize>>, Error> {
    let count = trial.programs.len();
    if !(2..=SERIAL).contains(&count) {
        return Ok(None);
    }
    for order in orders(count) {
        let ordered = Trial {
            state: trial.state,
            programs: order.iter().map(|at| trial.programs[*at].clone()).collect(),
        };
        // Without decisions given, nobody is preempted: each session runs to its end before the next begins.
        let played = replay(arena, &ordered, &[], &watch(judge, false), effects).await?;
        if played.is_some_and(|played| breaks(&played, judge)) {
            return Ok(Some(order));
        }
    }
    Ok(None)
}

/// All orders of so many sessions.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..count {
        let longer = all.iter().flat_map(|order| {
            let rest = (0..count).filter(|at| !order.contains(at));
            rest.map(|at| {
                let mut next = order.clone();
                next.push(at);
                next
            })
        });
        all = longer.collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::orders;

    #[test]
    fn every_order_once() {
        assert_eq!(orders(2), [[0, 1], [1, 0]]);
        assert_eq!(orders(3).len(), 6);
    }
}
