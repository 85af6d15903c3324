//! One key, one effect: the same request twice, at the same time and one after the other, changes what one request changes; another
//! request with the key is turned away. So it is too where the client asks again because it lost its connection at COMMIT, before the
//! server committed or after.

use std::sync::Arc;

use super::argument::Arguments;
use super::crash::Crash;
use super::explore::{Effects, effects, explore};
use super::pair::Meeting;
use super::play::{Trial, Watch};
use super::program::Program;
use super::racer::Racer;
use super::result::{RaceResult, Tally, conclude};
use super::shrink::counterexample;
use crate::design::Name;
use crate::error::Error;
use crate::finding::Table;

/// States in which it is tried.
const STATES: usize = 3;
/// Requests with the key that ask for something else.
const RIVALS: usize = 2;

/// Races a command against itself with one key.
pub(super) async fn race(
    racer: &mut Racer<'_>,
    judge: usize,
    command: &Name,
    key: &Name,
    request: &[Name],
) -> Result<RaceResult, Error> {
    let mut tally = Tally::new(&racer.arena.ground.server.version().text);
    tally.commands = 1;
    let rehearsal = racer.rehearsal.clone();
    let invariant = racer.arena.judges[judge].invariant.clone();
    let Some(script) = racer.scripts.get(command.as_str()).cloned() else {
        return Ok(RaceResult::unchecked(format!(
            "there is no command `{}`",
            command.as_str()
        )));
    };
    let mut starts = Vec::new();
    for call in rehearsal.committing(command.as_str()) {
        if starts.len() >= STATES || starts.contains(&call.start) {
            continue;
        }
        let program = |arguments: &Arguments| Program {
            script: script.clone(),
            args: arguments.clone(),
        };
        let same = Meeting {
            start: call.start,
            programs: vec![program(&call.arguments), program(&call.arguments)],
        };
        let Some(trial) = racer.place(&same).await? else {
            continue;
        };
        let once = alone(racer, &trial, 0).await?;
        if once.rows.is_empty() {
            continue;
        }
        starts.push(call.start);
        tally.states.insert(call.start);
        let own = program(&call.arguments);
        let calls: Vec<&Arguments> = rehearsal
            .committing(command.as_str())
            .map(|call| &call.arguments)
            .collect();
        let rivals: Vec<Program> = others(&calls, &call.arguments, key, request)
            .iter()
            .map(program)
            .collect();
        for attempt in attempts(&own, &rivals, starts.len() == 1) {
            let trial = Trial {
                state: trial.state,
                programs: attempt.programs,
            };
            let mut expected = vec![once.clone()];
            if attempt.is_rival {
                expected.push(alone(racer, &trial, 1).await?);
            }
            let wanted = Effects {
                judge,
                expected,
                rivals: attempt.is_rival,
            };
            let watch = Watch {
                judges: vec![judge],
                stop: Some(judge),
                reduce: racer.options.reduce,
                ..Watch::default()
            };
            let limit = racer.options.schedules_of_trial;
            let explored = explore(&mut racer.arena, &trial, &watch, Some(&wanted), limit).await?;
            tally.add(&explored, &trial.programs, false);
            if let Some((_, choices)) = explored
                .violations
                .iter()
                .find(|(violation, _)| violation.judge == judge)
            {
                let start = rehearsal.starts[call.start].clone();
                let found =
                    counterexample(racer, &trial, &start, choices, judge, Some(&wanted)).await?;
                if found.is_some() {
                    return Ok(with_crashes(conclude(&invariant, tally, found)));
                }
                tally.unconfirmed += 1;
            }
        }
    }
    if tally.trials == 0 {
        return Ok(RaceResult::of(
            crate::finding::Verdict::Vacuous,
            format!(
                "`{}` changed something in none of the states that were tried",
                command.as_str()
            ),
        ));
    }
    Ok(with_crashes(conclude(&invariant, tally, None)))
}

/// Programs that run at the same time.
struct Attempt {
    programs: Vec<Program>,
    /// Whether the second asks for something else with the same key.
    is_rival: bool,
}

/// What is tried in one state, the simplest first: a client that loses its connection and asks again, two clients, and both.
fn attempts(own: &Program, rivals: &[Program], with_both: bool) -> Vec<Attempt> {
    let crashes = [Crash::AfterCommit, Crash::BeforeCommit];
    let attempt = |programs: Vec<Program>, is_rival| Attempt { programs, is_rival };
    let mut attempts: Vec<Attempt> = crashes
        .iter()
        .map(|when| attempt(vec![losing(own, *when)], false))
        .collect();
    attempts.push(attempt(vec![own.clone(), own.clone()], false));
    for rival in rivals.iter().take(RIVALS) {
        attempts.push(attempt(vec![own.clone(), rival.clone()], true));
    }
    if with_both {
        for when in crashes {
            attempts.push(attempt(vec![losing(own, when), own.clone()], false));
        }
        // A transaction that is rolled back leaves nothing for somebody else's request to meet.
        for rival in rivals.iter().take(1) {
            let lost = losing(own, Crash::AfterCommit);
            attempts.push(attempt(vec![lost, rival.clone()], true));
        }
    }
    attempts
}

/// The same client, whose connection is lost once.
fn losing(program: &Program, when: Crash) -> Program {
    let mut script = (*program.script).clone();
    script.crash = Some(when);
    Program {
        script: Arc::new(script),
        args: program.args.clone(),
    }
}

/// Says that connections were lost as well.
fn with_crashes(mut result: RaceResult) -> RaceResult {
    if let Some(bounds) = &mut result.bounds {
        bounds.push_str(", a session killed before and after its commit is acknowledged");
    }
    result
}

/// What one of the programs changes by itself.
async fn alone(racer: &mut Racer<'_>, trial: &Trial, program: usize) -> Result<Table, Error> {
    let single = Trial {
        state: trial.state,
        programs: vec![trial.programs[program].clone()],
    };
    explore(&mut racer.arena, &single, &Watch::default(), None, 1).await?;
    effects(&mut racer.arena).await
}

/// Requests with the same key that ask for something else.
fn others(calls: &[&Arguments], one: &Arguments, key: &Name, request: &[Name]) -> Vec<Arguments> {
    let mut found = Vec::new();
    for call in calls {
        let mut other = (*call).clone();
        other.insert(key.ident.clone(), one.get(&key.ident).cloned().flatten());
        let differs = request
            .iter()
            .any(|name| other.get(&name.ident) != one.get(&name.ident));
        if differs && !found.contains(&other) {
            found.push(other);
        }
    }
    for name in request {
        let mut other = one.clone();
        let Some(Some(text)) = one.get(&name.ident) else {
            continue;
        };
        if let Ok(number) = text.parse::<i64>() {
            other.insert(name.ident.clone(), Some((number + 1).to_string()));
            if !found.contains(&other) {
                found.push(other);
            }
        }
    }
    found
}
