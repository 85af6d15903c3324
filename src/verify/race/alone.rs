//! A command called again and again by one session, as it really runs: what it costs to write, not what others do to it.

use std::sync::Arc;

use super::arena::prepare;
use super::argument::Arguments;
use super::footprint::Footprint;
use super::in_rows::in_rows;
use super::message::begin;
use super::program::{Act, Actor, Ending, Program, Script, Who};
use super::rehearse::who;
use super::reset::{Snapshot, Stored};
use crate::catalog::Catalog;
use crate::design::{Command, Model};
use crate::error::Error;
use crate::postgres::{Database, Prepared, Session, SqlFailure};
use crate::sql::{self, Ident, QualifiedName, SqlText, fixed};
use crate::verify::seed::Maker;
use crate::verify::stage::Stage;

/// Rows of one table: its columns, and their values as text.
pub(in crate::verify) type TableRows = (QualifiedName, Vec<Ident>, Vec<Vec<Option<String>>>);

/// A command in a session of whoever runs it, ready to be called.
pub(in crate::verify) struct Alone {
    script: Arc<Script>,
    session: Session,
    prepared: Vec<Option<Prepared>>,
}

/// Values for the parameters of one call.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Call(Arguments);

/// How a call ended.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::verify) enum Ended {
    /// It went through.
    Done,
    /// It did not, and what the caller is told.
    Refused(String),
}

/// So many sets of arguments, each of them around other rows, with keys of its own for new rows: no other set has them, and no command that
/// had another turn.
pub(in crate::verify) fn calls(
    command: &Command,
    maker: &Maker,
    catalog: &Catalog,
    rows: Vec<TableRows>,
    (turn, many): (usize, usize),
) -> Vec<Call> {
    let mut snapshot = Snapshot::default();
    snapshot.tables = rows
        .into_iter()
        .map(|(name, columns, rows)| Stored {
            name,
            columns,
            rows,
        })
        .collect();
    let sets = in_rows(command, maker, catalog, &snapshot, (turn, many));
    sets.into_iter().map(Call).collect()
}

impl Alone {
    /// Opens a session for a command; the failure where the server does not take a statement of it.
    pub(in crate::verify) async fn open(
        stage: &Stage<'_>,
        model: &Model,
        command: &Command,
        database: &Database,
    ) -> Result<Result<Alone, SqlFailure>, Error> {
        let (who, setting) = who(model, command);
        let nothing = |_: &str| Footprint::default();
        let script = Arc::new(Script::of_command(command, who, setting, &nothing));
        let mut session = match &script.who {
            Who::Role(role) => stage.session_as(database, role).await?,
            Who::Owner | Who::Anybody => stage.session(database).await?,
        };
        Ok(match prepare(&mut session, &script).await {
            Ok(prepared) => Ok(Alone {
                script,
                session,
                prepared,
            }),
            Err(failure) => Err(failure),
        })
    }

    /// The session, between calls.
    pub(in crate::verify) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Calls it in a transaction of its own, which is taken back unless `keep`.
    pub(in crate::verify) async fn call(
        &mut self,
        call: &Call,
        keep: bool,
    ) -> Result<Ended, SqlFailure> {
        let mut actor = self.actor(call);
        let end = match keep {
            true => "COMMIT",
            // What is checked at the end is checked all the same.
            false => "SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK",
        };
        loop {
            match actor.act() {
                Act::Statement(step) => {
                    let statement = self.statement(&actor, step);
                    let sent = match actor.open {
                        true => statement,
                        false => sql::sequence(&begin(&actor, statement)),
                    };
                    match self.session.query(&sent).await {
                        Ok(rows) => actor.answered(step, &rows),
                        Err(failure) => return self.refused(&actor, failure).await,
                    }
                }
                Act::Commit => {
                    return match self.session.batch(&fixed(end)).await {
                        Ok(()) => Ok(Ended::Done),
                        Err(failure) => self.refused(&actor, failure).await,
                    };
                }
                Act::Rollback(outcome) => {
                    self.session.batch(&fixed("ROLLBACK")).await?;
                    return Ok(Ended::Refused(outcome));
                }
                Act::Nothing => return Ok(ended(&actor)),
            }
        }
    }

    /// Calls it many times in one transaction that somebody else begins and ends; the first that does not go through ends it.
    pub(in crate::verify) async fn batch(
        &mut self,
        calls: &[Call],
    ) -> Result<(usize, Option<String>), SqlFailure> {
        for (at, call) in calls.iter().enumerate() {
            let mut actor = self.actor(call);
            loop {
                match actor.act() {
                    Act::Statement(step) => {
                        let statement = self.statement(&actor, step);
                        // Whoever sends many in one transaction says before each for which tenant it is.
                        let first = begin(&actor, statement.clone());
                        let sent = match (actor.open, at) {
                            (true, _) => statement,
                            (false, 0) => sql::sequence(&first),
                            (false, _) => sql::sequence(&first[1..]),
                        };
                        match self.session.query(&sent).await {
                            Ok(rows) => actor.answered(step, &rows),
                            Err(failure) => return Ok((at, Some(failure.message.clone()))),
                        }
                    }
                    Act::Commit => break,
                    Act::Rollback(outcome) => return Ok((at, Some(outcome))),
                    Act::Nothing => {
                        let Ended::Refused(outcome) = ended(&actor) else {
                            break;
                        };
                        return Ok((at, Some(outcome)));
                    }
                }
            }
        }
        Ok((calls.len(), None))
    }

    fn actor(&self, call: &Call) -> Actor {
        Actor::new(Program {
            script: self.script.clone(),
            args: call.0.clone(),
        })
    }

    fn statement(&self, actor: &Actor, step: usize) -> SqlText {
        let prepared = self.prepared.get(step).and_then(Option::as_ref);
        match prepared {
            Some(prepared) => prepared.call(&actor.params(step)),
            None => fixed("SELECT"),
        }
    }

    async fn refused(&mut self, actor: &Actor, failure: SqlFailure) -> Result<Ended, SqlFailure> {
        self.session.batch(&fixed("ROLLBACK")).await?;
        let state = failure.sqlstate;
        let mut outcomes = actor.program.script.outcomes.iter();
        let named = outcomes.find(|(condition, _)| state.is(condition));
        Ok(Ended::Refused(match named {
            Some((_, named)) => named.clone(),
            None => failure.message.clone(),
        }))
    }
}

fn ended(actor: &Actor) -> Ended {
    match &actor.ending {
        Some(Ending::Refused(outcome) | Ending::GaveUp(outcome)) => Ended::Refused(outcome.clone()),
        Some(Ending::Undeclared(failure)) => Ended::Refused(failure.message.clone()),
        Some(Ending::Committed) | None => Ended::Done,
    }
}
