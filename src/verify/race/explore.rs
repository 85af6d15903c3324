//! All orders of a trial's steps.

use std::collections::{BTreeMap, BTreeSet};

use super::arena::Arena;
use super::footprint::{Footprint, Tables};
use super::history;
use super::play::{Played, Trial, Violation, Watch, play};
use super::program::Ending;
use super::schedule::{Choice, Frontier, Prefix};
use crate::error::Error;
use crate::finding::Table;
use crate::postgres::SqlFailure;

/// How the number of lasting changes is judged once all programs have ended.
#[derive(Clone, Debug)]
pub(super) struct Effects {
    /// The judge on whose behalf.
    pub judge: usize,
    /// What one run changes, for each program that may be the one that runs.
    pub expected: Vec<Table>,
    /// Whether the programs ask for different things, so that at most one may succeed.
    pub rivals: bool,
}

/// What came of a trial.
#[derive(Debug, Default)]
pub(super) struct Explored {
    /// Schedules that ran to their end.
    pub schedules: usize,
    /// Schedules that were given up because they repeat others.
    pub pruned: usize,
    /// Whether every order was tried.
    pub exhausted: bool,
    /// The first, and so simplest, schedule in which each judge found something.
    pub violations: Vec<(Violation, Vec<Choice>)>,
    /// Errors that a command does not declare: which program, what, and in which schedule.
    pub undeclared: Vec<(usize, SqlFailure, Vec<Choice>)>,
    /// Which programs committed in some schedule.
    pub committed: BTreeSet<usize>,
    /// Conditions that were seen: program, step, result.
    pub required: BTreeSet<(usize, usize, bool)>,
    /// How the programs ended together, and what the judges found last.
    pub outcomes: BTreeSet<String>,
    /// How often each combination of endings came up.
    pub endings: BTreeMap<Vec<String>, usize>,
    pub waits: usize,
    pub deadlocks: usize,
    pub retries: usize,
    /// Constraints and rules that refused writes which are no commands.
    pub refused_by: BTreeSet<String>,
    /// A program's SQL was refused before it ran.
    pub broken: Option<SqlFailure>,
}

/// Runs every schedule, at most `limit` of them.
pub(super) async fn explore(
    arena: &mut Arena<'_>,
    trial: &Trial,
    watch: &Watch,
    effects: Option<&Effects>,
    limit: usize,
) -> Result<Explored, Error> {
    let mut explored = Explored::default();
    let mut frontier = Frontier::new();
    let dirty = dirty(trial);
    while let Some(prefix) = frontier.pop() {
        if explored.schedules + explored.pruned >= limit {
            return Ok(explored);
        }
        arena.reset(trial.state, &dirty).await?;
        let played = match play(arena, trial, &prefix, watch).await? {
            Ok(played) => played,
            Err(failure) => {
                explored.broken = Some(failure);
                return Ok(explored);
            }
        };
        if let Some(position) = played.diverged {
            return Err(diverged(position));
        }
        for (preemptions, branch) in &played.branches {
            frontier.push(*preemptions, branch.clone());
        }
        note(&mut explored, trial, &played);
        for violation in &played.violations {
            if !explored
                .violations
                .iter()
                .any(|(known, _)| known.judge == violation.judge)
            {
                explored
                    .violations
                    .push((violation.clone(), played.choices.clone()));
            }
        }
        if let Some(effects) = effects.filter(|_| !played.pruned)
            && let Some(violation) = count_effects(arena, effects, &played).await?
            && !explored
                .violations
                .iter()
                .any(|(known, _)| known.judge == violation.judge)
        {
            explored
                .violations
                .push((violation, played.choices.clone()));
        }
        if watch.stop.is_some_and(|stop| {
            explored
                .violations
                .iter()
                .any(|(found, _)| found.judge == stop)
        }) {
            return Ok(explored);
        }
    }
    explored.exhausted = true;
    Ok(explored)
}

/// Runs one schedule again and writes down what happens.
pub(super) async fn replay(
    arena: &mut Arena<'_>,
    trial: &Trial,
    choices: &[Choice],
    watch: &Watch,
    effects: Option<&Effects>,
) -> Result<Option<Played>, Error> {
    arena.reset(trial.state, &dirty(trial)).await?;
    let prefix = Prefix {
        choices: choices.to_vec(),
        tried: Vec::new(),
    };
    let Ok(mut played) = play(arena, trial, &prefix, watch).await? else {
        return Ok(None);
    };
    if let Some(effects) = effects {
        played
            .violations
            .extend(count_effects(arena, effects, &played).await?);
    }
    Ok(Some(played))
}

fn diverged(position: usize) -> Error {
    Error::Internal(format!(
        "a schedule did not repeat: at decision {} the session that went on before cannot",
        position + 1
    ))
}

fn dirty(trial: &Trial) -> Tables {
    let mut all = Footprint::default();
    for program in &trial.programs {
        all.add(&program.script.footprint());
    }
    all.written()
}

fn note(explored: &mut Explored, trial: &Trial, played: &Played) {
    match played.pruned {
        true => explored.pruned += 1,
        false => {
            explored.schedules += 1;
            let names = played.endings.iter();
            let mut names: Vec<String> = names
                .map(|ending| ending.as_ref().map_or_else(String::new, shown))
                .collect();
            *explored.endings.entry(names.clone()).or_default() += 1;
            // Which of two identical programs came first is no difference.
            if trial.programs.windows(2).all(|pair| pair[0] == pair[1]) {
                names.sort();
            }
            explored
                .outcomes
                .insert(format!("{names:?} {:?}", played.last));
        }
    }
    explored
        .refused_by
        .extend(played.refused_by.iter().cloned());
    explored.waits += played.waits;
    explored.deadlocks += played.deadlocks;
    explored.retries += played.retries;
    explored.required.extend(played.required.iter().copied());
    for (at, ending) in played.endings.iter().enumerate() {
        match ending {
            Some(Ending::Committed) => {
                explored.committed.insert(at);
            }
            Some(Ending::Undeclared(failure)) => {
                let known = explored.undeclared.iter().any(|(other, known, _)| {
                    *other == at
                        && known.sqlstate == failure.sqlstate
                        && known.constraint == failure.constraint
                });
                if !known {
                    explored
                        .undeclared
                        .push((at, failure.clone(), played.choices.clone()));
                }
            }
            _ => {}
        }
    }
}

fn shown(ending: &Ending) -> String {
    match ending {
        Ending::Committed => "committed".to_owned(),
        Ending::Refused(outcome) => outcome.clone(),
        Ending::GaveUp(condition) => format!("gave up after {condition}"),
        Ending::Undeclared(failure) => failure.sqlstate.code().to_owned(),
    }
}

/// The lasting changes since the state was put in place.
pub(super) async fn effects(arena: &mut Arena<'_>) -> Result<Table, Error> {
    let rows = arena
        .control
        .query(&history::effects())
        .await
        .map_err(|e| e.into_error("count effects"))?;
    Ok(Table {
        columns: rows.columns,
        rows: rows.rows,
    })
}

async fn count_effects(
    arena: &mut Arena<'_>,
    wanted: &Effects,
    played: &Played,
) -> Result<Option<Violation>, Error> {
    let found = effects(arena).await?;
    let successes = played
        .endings
        .iter()
        .filter(|ending| matches!(ending, Some(Ending::Committed)))
        .count();
    // Where everybody was turned away, nothing may have changed.
    let right = match found.rows.is_empty() {
        true => {
            successes == 0
                || wanted
                    .expected
                    .iter()
                    .any(|expected| expected.rows.is_empty())
        }
        false => wanted
            .expected
            .iter()
            .any(|expected| expected.rows == found.rows),
    };
    let silent = wanted.rivals && successes > 1;
    Ok((!right || silent).then_some(Violation {
        judge: wanted.judge,
        rows: found,
    }))
}
