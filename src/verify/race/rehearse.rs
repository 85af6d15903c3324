//! Every command alone, in every state, with the arguments worth trying: which calls can commit decides which are raced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::arena::Arena;
use super::argument::{Arguments, arguments, near};
use super::explore::explore;
use super::options::RaceOptions;
use super::play::{Trial, Watch};
use super::program::{Program, Script, Who};
use super::reset::Snapshot;
use super::state::{Origin, Start, load, starts};
use crate::design::{Command, Model, Rule, StepKind};
use crate::error::Error;
use crate::postgres::SqlFailure;
use crate::sql::{Ident, meetings};
use crate::verify::seed::{Maker, NewRow, Values};

/// Calls of one command that commit in one state before no more are looked for.
const ENOUGH: usize = 6;
/// The same of calls that are made for one purpose.
const ENOUGH_NEAR: usize = 6;
/// States in which a command commits before generated ones are left alone.
const STATES: usize = 4;

/// States that one round of growing adds at most, and rounds.
const GROWN: usize = 4;
/// Of states in which two rows are alike so many are given a third one by a command.
const THIRDS: usize = 2;
const ROUNDS: usize = 4;
/// States in which a command must commit, or states are grown.
const WANTED: usize = 2;

/// A call that was tried alone.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Position among the starts.
    pub start: usize,
    pub arguments: Arguments,
    /// The same with keys of its own for new rows, for each further session.
    pub apart: Vec<Arguments>,
    pub commits: bool,
    /// Made for one purpose, and raced beside what is raced in any case.
    pub near: bool,
}

/// What was learned by running every command alone. Holds for mutants of the same design as well.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    pub(super) starts: Vec<Start>,
    /// By command.
    pub(super) calls: BTreeMap<String, Vec<Call>>,
    /// Conditions that were seen: command, step, result.
    pub(super) required: BTreeSet<(String, usize, bool)>,
    /// How each command last ended that never committed.
    pub(super) last: BTreeMap<String, String>,
    /// Errors that a command alone does not declare, and where.
    pub(super) undeclared: Vec<(String, SqlFailure)>,
    /// States of the design that cannot be put in place, and why.
    pub(super) illegal: Vec<(String, String)>,
    /// Runs.
    pub(super) runs: usize,
}

impl Rehearsal {
    /// Calls of a command that commit.
    pub(super) fn committing(&self, command: &str) -> impl Iterator<Item = &Call> {
        self.calls
            .get(command)
            .into_iter()
            .flatten()
            .filter(|call| call.commits)
    }
}

/// Every command of the design as a script.
pub(super) fn scripts(model: &Model, arena: &Arena<'_>) -> BTreeMap<String, Arc<Script>> {
    let read = |command: &Command| {
        let (who, setting) = who(model, command);
        let script = Script::of_command(command, who, setting, &|sql| arena.footprint(sql));
        (command.name.as_str().to_owned(), Arc::new(script))
    };
    model.commands.iter().map(read).collect()
}

/// A command on tables that a tenant may see only its share of runs as the role that is confined, for the tenant that its
/// parameter names.
pub(super) fn who(model: &Model, command: &Command) -> (Who, Option<(Ident, Ident)>) {
    for invariant in &model.invariants {
        let Rule::Isolated {
            tables,
            by,
            setting,
            role,
        } = &invariant.rule
        else {
            continue;
        };
        let statements = command.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Sql { sql, .. } => Some(sql.as_str()),
            StepKind::Require { .. } => None,
        });
        let touches = |sql: &str| {
            let facts = crate::sql::facts(sql);
            facts.is_none_or(|facts| {
                tables
                    .iter()
                    .any(|table| facts.touched().contains(table.as_str()))
            })
        };
        let statements: Vec<&str> = statements.collect();
        if !statements.iter().any(|sql| touches(sql)) {
            continue;
        }
        let named = command
            .params
            .iter()
            .find(|param| param.name == *by)
            .map(|param| param.name.ident.clone());
        let met = || {
            let mut met = statements.iter().flat_map(|sql| meetings(sql));
            met.find(|meeting| meeting.column == by.ident)
                .map(|meeting| Ident::new(meeting.param))
        };
        let param = named.or_else(met);
        let setting = param.map(|param| (Ident::new(setting.as_str()), param));
        return (Who::Role(role.ident.clone()), setting);
    }
    (Who::Owner, None)
}

/// Runs everything alone.
pub(super) async fn rehearse(
    arena: &mut Arena<'_>,
    maker: &Maker,
    scripts: &BTreeMap<String, Arc<Script>>,
    options: &RaceOptions,
) -> Result<(Rehearsal, Vec<Option<usize>>), Error> {
    let model = arena.ground.model;
    let tables: Vec<Ident> = touched(scripts, maker);
    let mut rehearsal = Rehearsal {
        starts: starts(model, arena.ground.catalog, maker, &tables, options),
        ..Rehearsal::default()
    };
    let mut loaded = vec![None; rehearsal.starts.len()];
    for (at, start) in rehearsal.starts.clone().into_iter().enumerate() {
        let wanting: Vec<&Command> = model
            .commands
            .iter()
            .filter(|command| {
                start.is_particular()
                    || committing_states(&rehearsal, command.name.as_str()) < STATES
            })
            .collect();
        if wanting.is_empty() {
            continue;
        }
        match load(arena, maker, &start).await? {
            Ok(state) => loaded[at] = Some(state),
            Err(reason) => {
                if start.is_authored() {
                    rehearsal.illegal.push((start.name.clone(), reason));
                }
                continue;
            }
        }
        for command in wanting {
            let Some(script) = scripts.get(command.name.as_str()) else {
                continue;
            };
            try_alone(
                arena,
                maker,
                command,
                script,
                (at, loaded[at].unwrap_or(0)),
                &mut rehearsal,
                options.seed,
            )
            .await?;
        }
    }
    grow(
        arena,
        maker,
        scripts,
        &mut rehearsal,
        &mut loaded,
        options.seed,
    )
    .await?;
    Ok((rehearsal, loaded))
}

/// Makes states by running commands, once, and again as long as there is a command that hardly ever commits: what only commands
/// can bring about, nobody makes up.
async fn grow(
    arena: &mut Arena<'_>,
    maker: &Maker,
    scripts: &BTreeMap<String, Arc<Script>>,
    rehearsal: &mut Rehearsal,
    loaded: &mut Vec<Option<usize>>,
    seed: u64,
) -> Result<(), Error> {
    let model = arena.ground.model;
    let wants = |rehearsal: &Rehearsal| {
        scripts
            .keys()
            .any(|name| committing_states(rehearsal, name) < WANTED)
    };
    let mut from = 0;
    for round in 0..ROUNDS {
        if round > 0 && !wants(rehearsal) {
            break;
        }
        let mut calls = match round {
            0 => thirds(scripts, rehearsal, arena, loaded),
            _ => Vec::new(),
        };
        calls.truncate(THIRDS);
        let firsts = scripts.keys().filter_map(|name| {
            let call = rehearsal.committing(name).find(|call| call.start >= from)?;
            Some((name.clone(), call.clone()))
        });
        // What seldom commits leads to where nobody was yet.
        let mut firsts: Vec<(String, Call)> = firsts.collect();
        firsts.sort_by_key(|(name, _)| committing_states(rehearsal, name));
        calls.extend(firsts.into_iter().take(GROWN));
        from = rehearsal.starts.len();
        for (name, call) in calls {
            let (Some(script), Some(state)) = (scripts.get(&name), loaded[call.start]) else {
                continue;
            };
            let program = Program {
                script: script.clone(),
                args: call.arguments,
            };
            let trial = Trial {
                state,
                programs: vec![program],
            };
            explore(arena, &trial, &Watch::default(), None, 1).await?;
            let rows = rows_of(&arena.resetter.remember(&mut arena.control).await?, maker);
            if rehearsal.starts.iter().any(|known| known.rows == rows) {
                continue;
            }
            let start = Start {
                name: format!("{}, then {name}", rehearsal.starts[call.start].name),
                rows,
                origin: Origin::Grown,
            };
            let Ok(state) = load(arena, maker, &start).await? else {
                continue;
            };
            rehearsal.starts.push(start);
            loaded.push(Some(state));
            let place = (rehearsal.starts.len() - 1, state);
            for command in &model.commands {
                if let Some(script) = scripts.get(command.name.as_str()) {
                    try_alone(arena, maker, command, script, place, rehearsal, seed).await?;
                }
            }
        }
    }
    Ok(())
}

/// Calls that add a row to two that are alike, next to them: what takes away both leaves the third one alone.
fn thirds(
    scripts: &BTreeMap<String, Arc<Script>>,
    rehearsal: &Rehearsal,
    arena: &Arena<'_>,
    loaded: &[Option<usize>],
) -> Vec<(String, Call)> {
    let third = |name: &String, script: &Arc<Script>, call: &Call| {
        let Origin::Alike(table) = &rehearsal.starts[call.start].origin else {
            return None;
        };
        let stored = loaded[call.start].and_then(|state| {
            let tables = arena.states[state].snapshot.tables.iter();
            tables.clone().find(|stored| stored.name.name == *table)
        })?;
        let values: BTreeSet<&String> = stored.rows.iter().flatten().flatten().collect();
        let near = call.arguments.values().flatten();
        let near = near.filter(|value| values.contains(value)).count();
        let adds = script.footprint().inserted().contains(table);
        (adds && near > 0).then(|| (near, name.clone(), call.clone()))
    };
    let mut found: Vec<(usize, String, Call)> = Vec::new();
    for (name, script) in scripts {
        let mut calls = rehearsal.committing(name);
        found.extend(calls.find_map(|call| third(name, script, call)));
    }
    found.sort_by_key(|(near, ..)| std::cmp::Reverse(*near));
    let call = |(_, name, call)| (name, call);
    found.into_iter().map(call).collect()
}

/// The rows of a state, as if somebody had written them down.
fn rows_of(snapshot: &Snapshot, maker: &Maker) -> Vec<NewRow> {
    let mut rows = Vec::new();
    for table in maker.parents_first() {
        let stored = snapshot
            .tables
            .iter()
            .filter(|stored| stored.name.name == *table);
        for stored in stored {
            for (at, row) in stored.rows.iter().enumerate() {
                let values: Values = stored.columns.iter().cloned().zip(row.clone()).collect();
                maker.add(&mut rows, table, &values, at as u64);
            }
        }
    }
    rows
}

fn touched(scripts: &BTreeMap<String, Arc<Script>>, maker: &Maker) -> Vec<Ident> {
    let all: Vec<_> = scripts.values().map(|script| script.footprint()).collect();
    let met = |table: &&Ident| {
        all.iter().any(|print| {
            print.reads.contains(table)
                || print.locked().contains(table)
                || print.written().contains(table)
        })
    };
    maker
        .parents_first()
        .into_iter()
        .filter(met)
        .cloned()
        .collect()
}

fn committing_states(rehearsal: &Rehearsal, command: &str) -> usize {
    rehearsal
        .committing(command)
        .filter(|call| !call.near && rehearsal.starts[call.start].origin != Origin::Edge)
        .map(|call| call.start)
        .collect::<BTreeSet<usize>>()
        .len()
}

async fn try_alone(
    arena: &mut Arena<'_>,
    maker: &Maker,
    command: &Command,
    script: &Arc<Script>,
    (start, state): (usize, usize),
    rehearsal: &mut Rehearsal,
    seed: u64,
) -> Result<(), Error> {
    let name = command.name.as_str().to_owned();
    let snapshot = arena.states[state].snapshot.clone();
    let (model, catalog) = (arena.ground.model, arena.ground.catalog);
    let choices = arguments(command, maker, catalog, &snapshot, seed);
    let near = near(command, model, maker, catalog, &snapshot, &choices.sets);
    let sets = choices.sets.iter().map(|set| (set, false));
    let mut committing = [0; 2];
    for (set, near) in sets.chain(near.iter().map(|set| (set, true))) {
        let most = if near { ENOUGH_NEAR } else { ENOUGH };
        if committing[usize::from(near)] >= most {
            continue;
        }
        let trial = Trial {
            state,
            programs: vec![Program {
                script: script.clone(),
                args: set.clone(),
            }],
        };
        let explored = explore(arena, &trial, &Watch::default(), None, 8).await?;
        rehearsal.runs += 1;
        if let Some(failure) = explored.broken {
            note_undeclared(rehearsal, &name, &failure);
            return Ok(());
        }
        rehearsal.required.extend(
            explored
                .required
                .iter()
                .map(|(_, step, result)| (name.clone(), *step, *result)),
        );
        for (_, failure, _) in &explored.undeclared {
            note_undeclared(rehearsal, &name, failure);
        }
        let commits = !explored.committed.is_empty();
        if !commits {
            let ending = explored.endings.keys().next().map(|names| names.join(", "));
            rehearsal
                .last
                .insert(name.clone(), ending.unwrap_or_default());
        }
        committing[usize::from(near)] += usize::from(commits);
        let call = Call {
            start,
            arguments: set.clone(),
            apart: choices.apart(set),
            commits,
            near,
        };
        rehearsal.calls.entry(name.clone()).or_default().push(call);
    }
    Ok(())
}

fn note_undeclared(rehearsal: &mut Rehearsal, command: &str, failure: &SqlFailure) {
    let known = rehearsal.undeclared.iter().any(|(name, known)| {
        name == command
            && known.sqlstate == failure.sqlstate
            && known.constraint == failure.constraint
    });
    if !known {
        rehearsal
            .undeclared
            .push((command.to_owned(), failure.clone()));
    }
}
