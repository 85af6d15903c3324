//! The smallest counterexample: fewer sessions, fewer rows, the simplest order; then run again, to be sure.

use super::explore::{Effects, explore, replay};
use super::play::{Played, Trial, Watch};
use super::racer::Racer;
use super::schedule::Choice;
use super::state::{Start, load};
use super::timeline;
use crate::error::Error;
use crate::finding::{Counterexample, Moment};
use crate::verify::seed::{Maker, NewRow};

/// Runs that must agree before a counterexample is shown.
const REPEATS: usize = 3;
/// Schedules that a smaller trial is given to break.
const TRIES: usize = 60;
/// Smaller states that are tried.
const STATES: usize = 24;

/// Shrinks a trial that breaks an invariant and writes down what happens in it.
pub(super) async fn counterexample(
    racer: &mut Racer<'_>,
    trial: &Trial,
    start: &Start,
    choices: &[Choice],
    judge: usize,
    effects: Option<&Effects>,
) -> Result<Counterexample, Error> {
    let mut best = Found {
        trial: trial.clone(),
        choices: choices.to_vec(),
    };
    // A count of effects is about these programs together.
    if effects.is_none() {
        fewer_sessions(racer, &mut best, judge).await?;
    }
    fewer_rows(racer, &mut best, start, judge, effects).await?;
    let watch = Watch {
        judges: vec![judge],
        stop: Some(judge),
        record: true,
        ..Watch::default()
    };
    let mut last: Option<Played> = None;
    for _ in 0..REPEATS {
        let played = replay(
            &mut racer.arena,
            &best.trial,
            &best.choices,
            &watch,
            effects,
        )
        .await?;
        let played =
            played.filter(|played| played.violations.iter().any(|found| found.judge == judge));
        let same = |one: &Played, other: &Played| outline(&one.moments) == outline(&other.moments);
        match (played, &last) {
            (Some(played), None) => last = Some(played),
            (Some(played), Some(before)) if same(&played, before) => last = Some(played),
            _ => {
                return Err(Error::Internal(
                    "a counterexample did not come up again when it was run again".to_owned(),
                ));
            }
        }
    }
    let played = last.unwrap_or_default();
    let letters = ('A'..='Z').zip(&best.trial.programs);
    Ok(Counterexample::Timeline {
        sessions: letters
            .map(|(letter, program)| format!("{letter}: {}", program.script.title))
            .collect(),
        start: timeline::start(&racer.arena.states[best.trial.state].snapshot),
        rows: played
            .violations
            .into_iter()
            .find(|found| found.judge == judge)
            .map(|found| found.rows)
            .unwrap_or_default(),
        moments: played.moments,
    })
}

struct Found {
    trial: Trial,
    choices: Vec<Choice>,
}

/// What happened without values that differ from run to run.
fn outline(moments: &[Moment]) -> Vec<(usize, crate::finding::MomentKind)> {
    moments
        .iter()
        .map(|moment| (moment.session, moment.kind))
        .collect()
}

async fn breaks(
    racer: &mut Racer<'_>,
    trial: &Trial,
    judge: usize,
    effects: Option<&Effects>,
) -> Result<Option<Vec<Choice>>, Error> {
    let watch = Watch {
        judges: vec![judge],
        stop: Some(judge),
        reduce: true,
        ..Watch::default()
    };
    let explored = explore(&mut racer.arena, trial, &watch, effects, TRIES).await?;
    let found = explored
        .violations
        .into_iter()
        .find(|(violation, _)| violation.judge == judge);
    Ok(found.map(|(_, choices)| choices))
}

/// One command may be enough.
async fn fewer_sessions(
    racer: &mut Racer<'_>,
    best: &mut Found,
    judge: usize,
) -> Result<(), Error> {
    if best.trial.programs.len() < 2 {
        return Ok(());
    }
    for program in best.trial.programs.clone() {
        let trial = Trial {
            state: best.trial.state,
            programs: vec![program],
        };
        if let Some(choices) = breaks(racer, &trial, judge, None).await? {
            *best = Found { trial, choices };
            return Ok(());
        }
    }
    Ok(())
}

/// Takes rows away as long as it still breaks.
async fn fewer_rows(
    racer: &mut Racer<'_>,
    best: &mut Found,
    start: &Start,
    judge: usize,
    effects: Option<&Effects>,
) -> Result<(), Error> {
    let mut rows = start.rows.clone();
    let mut tried = 0;
    let mut at = rows.len();
    while at > 0 && tried < STATES {
        at -= 1;
        if !rows.get(at).is_some_and(|row| row.asked) {
            continue;
        }
        let fewer = without(&racer.maker, &rows, at);
        if fewer.len() >= rows.len() {
            continue;
        }
        tried += 1;
        let smaller = Start {
            name: start.name.clone(),
            rows: fewer,
            authored: false,
        };
        let maker = racer.maker.clone();
        let Ok(state) = load(&mut racer.arena, &maker, &smaller).await? else {
            continue;
        };
        let trial = Trial {
            state,
            programs: best.trial.programs.clone(),
        };
        if let Some(choices) = breaks(racer, &trial, judge, effects).await? {
            *best = Found { trial, choices };
            rows = smaller.rows;
            at = at.min(rows.len());
        }
    }
    Ok(())
}

/// The rows that were asked for but one, with what they need.
fn without(maker: &Maker, rows: &[NewRow], left_out: usize) -> Vec<NewRow> {
    let mut fewer = Vec::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.asked) {
        if at != left_out {
            let columns = row.values.iter().map(|(name, _)| name);
            let values: Vec<_> = columns
                .map(|name| (name.clone(), row.value(name).cloned().flatten()))
                .collect();
            maker.add(&mut fewer, &row.table, &values, at as u64);
        }
    }
    maker.complete(&mut fewer);
    fewer
}
