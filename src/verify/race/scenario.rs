//! A race as data, and back: what `replay` reads and other tools are given.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::crash::Crash;
use super::explore::Effects;
use super::footprint::Footprint;
use super::play::Trial;
use super::program::{Program, Script, Step, Who};
use super::reset::Snapshot;
use super::schedule::Choice;
use super::trace::{Sent, Trace};
use crate::design::{Isolation, Model};
use crate::finding::{
    ConnectionLost, Replay, ReplayDesign, ReplayEffects, ReplaySession, ReplayStep, RunsAs,
};
use crate::sql::{Ident, SqlText};

/// What is raced and where, as far as it goes into the data.
pub(super) struct Setting<'a> {
    pub model: &'a Model,
    pub invariant: &'a str,
    pub server_version: &'a str,
    pub seed: u64,
}

/// Writes a race down. Who calls knows where the design is.
pub(super) fn record(
    setting: &Setting<'_>,
    trial: &Trial,
    snapshot: &Snapshot,
    choices: &[Choice],
    trace: &Trace,
    effects: Option<&Effects>,
) -> Replay {
    Replay {
        design: ReplayDesign {
            name: setting.model.name.as_str().to_owned(),
            ..ReplayDesign::default()
        },
        invariant: setting.invariant.to_owned(),
        server_version: setting.server_version.to_owned(),
        seed: setting.seed,
        rows: snapshot.stored_rows(),
        sequences: snapshot.stored_sequences(),
        sessions: trial.programs.iter().map(session).collect(),
        choices: shown(choices),
        steps: trace.sent.iter().map(step).collect(),
        effects: effects.map(|effects| ReplayEffects {
            expected: effects.expected.clone(),
            rivals: effects.rivals,
        }),
        file: None,
    }
}

fn session(program: &Program) -> ReplaySession {
    let script = &program.script;
    let statement = |step: &Step| match step {
        Step::Sql { sql, .. } => Some(sql.as_str().to_owned()),
        Step::Require { .. } => None,
    };
    ReplaySession {
        title: script.title.clone(),
        command: script.is_command.then(|| script.title.clone()),
        statements: match script.is_command {
            true => Vec::new(),
            false => script.steps.iter().filter_map(statement).collect(),
        },
        runs_as: match &script.who {
            Who::Owner => RunsAs::Owner,
            Who::Role(role) => RunsAs::Role(role.as_str().to_owned()),
            Who::Anybody => RunsAs::Superuser,
        },
        isolation: script.isolation.sql().to_lowercase(),
        arguments: program
            .args
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
            .collect(),
        connection_lost: script.crash.map(|when| match when {
            Crash::BeforeCommit => ConnectionLost::BeforeCommit,
            Crash::AfterCommit => ConnectionLost::AfterCommit,
        }),
    }
}

fn step(sent: &Sent) -> ReplayStep {
    ReplayStep {
        session: sent.session,
        sql: sent.sql.as_str().to_owned(),
        waits: sent.waited,
        error: sent.error.clone(),
    }
}

/// `0 1 1 v0 w2`.
pub(super) fn shown(choices: &[Choice]) -> String {
    let one = |choice: &Choice| match choice {
        Choice::Step(session) => session.to_string(),
        Choice::Victim(session) => format!("v{session}"),
        Choice::Wake(session) => format!("w{session}"),
    };
    choices.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The same, read. Why not, where it cannot be.
pub(super) fn choices(text: &str, sessions: usize) -> Result<Vec<Choice>, String> {
    let one = |word: &str| {
        let digits = word.strip_prefix(['v', 'w']).unwrap_or(word);
        let number = digits.parse::<usize>().ok().filter(|n| *n < sessions);
        match number {
            Some(session) => Ok(match word.chars().next() {
                Some('v') => Choice::Victim(session),
                Some('w') => Choice::Wake(session),
                _ => Choice::Step(session),
            }),
            None => Err(format!(
                "`{word}` among its choices is none of {sessions} sessions"
            )),
        }
    };
    text.split_whitespace().map(one).collect()
}

/// The programs of a race in a design that may have changed since. Why not, where a command is not there any more, or asks for
/// more than is known.
pub(super) fn programs(
    replay: &Replay,
    scripts: &BTreeMap<String, Arc<Script>>,
    model: &Model,
    footprint: &dyn Fn(&str) -> Footprint,
) -> Result<Vec<Program>, String> {
    replay
        .sessions
        .iter()
        .map(|session| match &session.command {
            Some(name) => called(session, name, scripts, model),
            None => written(session, footprint),
        })
        .collect()
}

fn called(
    session: &ReplaySession,
    name: &str,
    scripts: &BTreeMap<String, Arc<Script>>,
    model: &Model,
) -> Result<Program, String> {
    let (Some(script), Some(command)) = (scripts.get(name), model.command(name)) else {
        return Err(format!("the design has no command `{name}`"));
    };
    let unknown = command
        .params
        .iter()
        .find(|param| !session.arguments.contains_key(param.name.as_str()));
    if let Some(param) = unknown {
        return Err(format!(
            "command `{name}` has a parameter `{}` now, for which the counterexample has no value",
            param.name.as_str()
        ));
    }
    let args = session
        .arguments
        .iter()
        .map(|(name, value)| (Ident::from(name.as_str()), value.clone()));
    let mut script = script.clone();
    if let Some(lost) = session.connection_lost {
        let mut losing = (*script).clone();
        losing.crash = Some(match lost {
            ConnectionLost::BeforeCommit => Crash::BeforeCommit,
            ConnectionLost::AfterCommit => Crash::AfterCommit,
        });
        script = Arc::new(losing);
    }
    Ok(Program {
        script,
        args: args.collect(),
    })
}

fn written(
    session: &ReplaySession,
    footprint: &dyn Fn(&str) -> Footprint,
) -> Result<Program, String> {
    if session.statements.is_empty() {
        return Err(format!(
            "session `{}` has neither a command nor statements",
            session.title
        ));
    }
    let statements = session.statements.iter().map(SqlText::authored).collect();
    let mut script = Script::of_writes(session.title.clone(), statements, footprint);
    script.who = match &session.runs_as {
        RunsAs::Owner => Who::Owner,
        RunsAs::Role(role) => Who::Role(role.as_str().into()),
        RunsAs::Superuser => Who::Anybody,
    };
    script.isolation = isolation(&session.isolation)?;
    Ok(Program {
        script: Arc::new(script),
        args: BTreeMap::new(),
    })
}

fn isolation(text: &str) -> Result<Isolation, String> {
    let all = [
        Isolation::ReadCommitted,
        Isolation::RepeatableRead,
        Isolation::Serializable,
    ];
    let known = all
        .into_iter()
        .find(|level| level.sql().eq_ignore_ascii_case(text));
    known.ok_or_else(|| format!("`{text}` is no isolation level"))
}

/// How lasting changes are judged, on behalf of a judge.
pub(super) fn effects(replay: &Replay, judge: usize) -> Option<Effects> {
    replay.effects.as_ref().map(|effects| Effects {
        judge,
        expected: effects.expected.clone(),
        rivals: effects.rivals,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        let all = [
            Choice::Step(0),
            Choice::Step(2),
            Choice::Victim(1),
            Choice::Wake(2),
        ];
        assert_eq!(shown(&all), "0 2 v1 w2");
        assert_eq!(choices("0 2 v1 w2", 3).as_deref(), Ok(all.as_slice()));
        assert!(choices("0 3", 3).is_err_and(|why| why.contains("`3`")));
        assert!(choices("0 x", 3).is_err());
    }
}
