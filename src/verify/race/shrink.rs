//! The smallest counterexample: fewer sessions, fewer rows, simpler values, the simplest order; then run again, to be sure.

use std::collections::BTreeSet;

use super::explore::{Effects, explore};
use super::play::{Trial, Watch};
use super::racer::Racer;
use super::schedule::Choice;
use super::show::{Shown, show};
use super::state::{Origin, Start, load};
use crate::error::Error;
use crate::finding::Counterexample;
use crate::verify::seed::{Maker, NewRow};

/// Schedules that a smaller trial is given to break.
const TRIES: usize = 60;
/// Smaller states that are tried.
const STATES: usize = 24;
/// Values that are tried to be made simpler.
const VALUES: usize = 12;

/// Shrinks a trial that breaks an invariant and writes down what happens in it. Nothing where it does not come up again because
/// PostgreSQL decided who of several goes on first.
pub(super) async fn counterexample(
    racer: &mut Racer<'_>,
    trial: &Trial,
    start: &Start,
    choices: &[Choice],
    judge: usize,
    effects: Option<&Effects>,
) -> Result<Option<Counterexample>, Error> {
    let mut best = Found {
        trial: trial.clone(),
        choices: choices.to_vec(),
    };
    // A count of effects is about these programs together.
    if effects.is_none() {
        fewer_sessions(racer, &mut best, judge).await?;
    }
    fewer_rows(racer, &mut best, start, judge, effects).await?;
    simpler_values(racer, &mut best, judge, effects).await?;
    let shown = Shown {
        trial: &best.trial,
        choices: &best.choices,
        judge,
        effects,
        seed: racer.options.seed,
    };
    let found = show(&mut racer.arena, &shown).await?;
    let can_differ = best.trial.programs.len() > 2 && !racer.arena.observer.can_freeze();
    if found.is_none() && !can_differ {
        let what = "a counterexample did not come up again when it was run again";
        return Err(Error::Internal(what.to_owned()));
    }
    Ok(found)
}

struct Found {
    trial: Trial,
    choices: Vec<Choice>,
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

/// One command may be enough; else as few as it takes.
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
    let mut at = best.trial.programs.len();
    while at > 0 && best.trial.programs.len() > 2 {
        at -= 1;
        let mut trial = best.trial.clone();
        trial.programs.remove(at);
        if let Some(choices) = breaks(racer, &trial, judge, None).await? {
            *best = Found { trial, choices };
        }
    }
    Ok(())
}

/// Puts simpler values in place of arguments that are in no row, everywhere the same, as long as it still breaks.
async fn simpler_values(
    racer: &mut Racer<'_>,
    best: &mut Found,
    judge: usize,
    effects: Option<&Effects>,
) -> Result<(), Error> {
    // What one run changes was counted with these very values.
    if effects.is_some() {
        return Ok(());
    }
    let stored: BTreeSet<String> = racer.arena.states[best.trial.state]
        .snapshot
        .tables
        .iter()
        .flat_map(|table| table.rows.iter().flatten().flatten().cloned())
        .collect();
    let used = |trial: &Trial| -> BTreeSet<String> {
        let all = trial
            .programs
            .iter()
            .flat_map(|program| program.args.values());
        all.flatten().cloned().collect()
    };
    let mut tried = 0;
    for value in used(&best.trial).difference(&stored) {
        let taken = used(&best.trial);
        let simpler = simpler(value).filter(|new| !taken.contains(new) && !stored.contains(new));
        let Some(simpler) = simpler.filter(|_| tried < VALUES) else {
            continue;
        };
        tried += 1;
        let mut trial = best.trial.clone();
        let all = trial
            .programs
            .iter_mut()
            .flat_map(|program| program.args.values_mut());
        for own in all.flatten().filter(|own| *own == value) {
            own.clone_from(&simpler);
        }
        if let Some(choices) = breaks(racer, &trial, judge, None).await?
            && choices.len() <= best.choices.len()
        {
            *best = Found { trial, choices };
        }
    }
    Ok(())
}

/// A simpler value of what looks like the same type: small numbers, texts that say nothing.
fn simpler(value: &str) -> Option<String> {
    if let Ok(number) = value.parse::<i64>() {
        return (!(0..10).contains(&number)).then(|| "1".to_owned());
    }
    let is_plain = |c: char| c.is_alphanumeric() || " .-_".contains(c);
    let is_text = value.chars().count() > 8
        && value.chars().any(char::is_alphabetic)
        && value.chars().next().is_some_and(char::is_alphabetic)
        && value.chars().all(is_plain);
    // A UUID may begin with a letter, too.
    (is_text && value.chars().filter(|c| *c == '-').count() < 4).then(|| "a".to_owned())
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
            origin: Origin::MadeUp,
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

#[cfg(test)]
mod tests {
    use super::simpler;

    #[test]
    fn only_what_is_not_simple_is_made_simpler() {
        assert_eq!(simpler("3"), None);
        assert_eq!(simpler("41234").as_deref(), Some("1"));
        assert_eq!(simpler("some long name").as_deref(), Some("a"));
        assert_eq!(simpler("open"), None);
        assert_eq!(simpler("2026-11-21"), None);
        assert_eq!(simpler("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), None);
    }
}
