//! All orders of a trial's steps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::arena::Arena;
use super::footprint::{Footprint, Tables};
use super::history;
use super::play::{Played, Trial, Violation, Watch, play};
use super::program::Ending;
use super::schedule::{Choice, Frontier, Prefix};
use super::walk::{Manner, Walk, miss};
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
    /// Where not: every order with fewer preemptions than this was.
    pub preemptions: usize,
    /// Schedules by chance.
    pub walks: usize,
    /// How likely they were, at most, to miss what a wrong order of two steps brings about.
    pub miss: f64,
    /// Schedules that did not repeat, and say nothing.
    pub unrepeated: usize,
    /// The order in which several sessions went on at once was left to PostgreSQL somewhere.
    pub loose: bool,
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

/// Runs every schedule, at most `limit` of them; past it some by chance.
pub(super) async fn explore(
    arena: &mut Arena<'_>,
    trial: &Trial,
    watch: &Watch,
    effects: Option<&Effects>,
    limit: usize,
) -> Result<Explored, Error> {
    let mut explored = Explored::default();
    let mut frontier = Frontier::new();
    while let Some((preemptions, prefix)) = frontier.pop() {
        explored.preemptions = preemptions;
        if watch
            .beyond
            .until
            .is_some_and(|until| Instant::now() >= until)
        {
            return Ok(explored);
        }
        if explored.schedules + explored.pruned >= limit {
            walk(arena, trial, watch, effects, &mut explored).await?;
            return Ok(explored);
        }
        let branches = run(arena, trial, watch, effects, &prefix, &mut explored).await?;
        if explored.is_over(watch) {
            return Ok(explored);
        }
        for (preemptions, branch) in branches {
            frontier.push(preemptions, branch);
        }
    }
    explored.exhausted = true;
    Ok(explored)
}

/// Schedules by chance: by turns uniform ones and such with one or two changes of mind.
async fn walk(
    arena: &mut Arena<'_>,
    trial: &Trial,
    watch: &Watch,
    effects: Option<&Effects>,
    explored: &mut Explored,
) -> Result<(), Error> {
    let steps = trial
        .programs
        .iter()
        .map(|program| program.script.steps.len() + 1)
        .sum();
    for number in 0..watch.beyond.walks {
        let manner = match number % 4 {
            0 | 2 => Manner::Pct(2),
            1 => Manner::Uniform,
            _ => Manner::Pct(3),
        };
        let seed = watch.beyond.seed.wrapping_add(number as u64);
        let chance = Watch {
            reduce: false,
            walk: Some(Walk {
                manner,
                seed,
                steps,
            }),
            ..watch.clone()
        };
        run(arena, trial, &chance, effects, &Prefix::default(), explored).await?;
        explored.walks += 1;
        if explored.is_over(watch) {
            return Ok(());
        }
    }
    explored.miss = miss(trial.programs.len(), steps, explored.walks / 2);
    Ok(())
}

/// One schedule by chance, or along decisions that were taken before: the decisions, and what came of it.
pub(super) async fn walked(
    arena: &mut Arena<'_>,
    trial: &Trial,
    watch: &Watch,
    seed: u64,
    choices: &[Choice],
) -> Result<(Vec<Choice>, String), Error> {
    let walk = Walk {
        manner: Manner::Uniform,
        seed,
        steps: 0,
    };
    let watch = Watch {
        reduce: false,
        walk: choices.is_empty().then_some(walk),
        ..watch.clone()
    };
    let prefix = Prefix {
        choices: choices.to_vec(),
        tried: Vec::new(),
    };
    arena.reset(trial.state, dirty(trial)).await?;
    let played = play(arena, trial, &prefix, &watch).await?;
    let played = played.map_err(|failure| failure.into_error("run a schedule"))?;
    let endings: Vec<String> = played.endings.iter().flatten().map(shown).collect();
    let broken: Vec<usize> = played.violations.iter().map(|found| found.judge).collect();
    let outcome = format!("{endings:?} {broken:?} {} {}", played.waits, played.retries);
    Ok((played.choices, outcome))
}

/// One schedule from the state of the trial; what could have been done otherwise.
async fn run(
    arena: &mut Arena<'_>,
    trial: &Trial,
    watch: &Watch,
    effects: Option<&Effects>,
    prefix: &Prefix,
    explored: &mut Explored,
) -> Result<Vec<(usize, Prefix)>, Error> {
    arena.reset(trial.state, dirty(trial)).await?;
    let mut played = match play(arena, trial, prefix, watch).await? {
        Ok(played) => played,
        Err(failure) => {
            explored.broken = Some(failure);
            return Ok(Vec::new());
        }
    };
    if let Some(position) = played.diverged {
        // Where PostgreSQL decides who goes on first, it may decide otherwise the next time.
        return match played.loose {
            true => {
                explored.unrepeated += 1;
                Ok(Vec::new())
            }
            false => Err(diverged(position)),
        };
    }
    note(explored, trial, &played);
    if let Some(effects) = effects.filter(|_| !played.pruned) {
        played
            .violations
            .extend(count_effects(arena, effects, &played).await?);
    }
    for violation in &played.violations {
        if !explored.found(violation.judge) {
            explored
                .violations
                .push((violation.clone(), played.choices.clone()));
        }
    }
    Ok(played.branches)
}

impl Explored {
    fn found(&self, judge: usize) -> bool {
        self.violations
            .iter()
            .any(|(found, _)| found.judge == judge)
    }

    /// Whether there is nothing more to be learned.
    fn is_over(&self, watch: &Watch) -> bool {
        self.broken.is_some() || watch.stop.is_some_and(|stop| self.found(stop))
    }
}

/// Runs one schedule again and writes down what happens.
pub(super) async fn replay(
    arena: &mut Arena<'_>,
    trial: &Trial,
    choices: &[Choice],
    watch: &Watch,
    effects: Option<&Effects>,
) -> Result<Option<Played>, Error> {
    arena.reset(trial.state, dirty(trial)).await?;
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
            // Which of several identical programs came first is no difference.
            for at in 0..names.len() {
                for other in at + 1..names.len() {
                    if trial.programs[at] == trial.programs[other] && names[other] < names[at] {
                        names.swap(at, other);
                    }
                }
            }
            explored
                .outcomes
                .insert(format!("{names:?} {:?}", played.last));
        }
    }
    explored
        .refused_by
        .extend(played.refused_by.iter().cloned());
    explored.loose |= played.loose;
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
