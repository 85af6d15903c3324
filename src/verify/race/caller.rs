//! Commands and queries of a design as programs call them in production: nobody orders their steps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::argument::arguments;
use super::footprint::Footprint;
use super::message::begin;
use super::program::{Act, Actor, Ending, Program, Script, Who};
use super::rehearse::who;
use super::reset::{Snapshot, Stored};
use crate::catalog::Catalog;
use crate::design::{Command, Isolation, Model, Step, StepKind};
use crate::error::Error;
use crate::postgres::{Database, Session, SqlFailure};
use crate::sql::{Ident, SqlText, fixed, sequence};
use crate::verify::seed::{Bulk, Maker};

/// A call with its arguments.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Call(Program);

/// What came of a call.
pub(in crate::verify) enum Called {
    /// It committed.
    Done,
    /// It was refused: by a condition of its own, an error that it declares, or a rule that the rows would have broken.
    Refused(Option<SqlFailure>),
    /// It cannot be run: what it names is not there, or not allowed.
    Broken(SqlFailure),
}

/// Retries of one call.
const RETRIES: usize = 3;

/// Calls of every command and query, with arguments that meet the rows that are there.
pub(in crate::verify) fn calls(
    model: &Model,
    catalog: &Catalog,
    maker: &Maker,
    rows: &[Bulk],
    seed: u64,
) -> Vec<Call> {
    let stored = rows.iter().map(|bulk| Stored {
        name: model.qualified(&bulk.table),
        columns: bulk.columns.clone(),
        rows: bulk.rows.clone(),
    });
    let mut snapshot = Snapshot::default();
    snapshot.tables = stored.collect();
    let queries = model.queries.iter().map(|query| Command {
        name: query.name.clone(),
        actor: None,
        does: None,
        params: query.params.clone(),
        isolation: Isolation::ReadCommitted,
        steps: vec![Step {
            kind: StepKind::Sql {
                sql: query.sql.clone(),
                capture: None,
            },
            at: query.name.at,
        }],
        outcomes: Vec::new(),
        retry: Vec::new(),
        idempotent_by: None,
        batch: None,
        runs: None,
        within: Default::default(),
        emits: Vec::new(),
    });
    let mut out = Vec::new();
    for command in model.commands.iter().cloned().chain(queries) {
        let (who, setting) = who(model, &command);
        let script = Script::of_command(&command, who, setting, &|_| Footprint::default());
        let script = Arc::new(script);
        for args in arguments(&command, maker, catalog, &snapshot, seed).sets {
            out.push(Call(Program {
                script: script.clone(),
                args,
            }));
        }
    }
    out
}

impl Call {
    /// The command's or query's name.
    pub(in crate::verify) fn title(&self) -> &str {
        &self.0.script.title
    }

    /// The role it runs as; none for the owner.
    pub(in crate::verify) fn role(&self) -> Option<&Ident> {
        match &self.0.script.who {
            Who::Role(role) => Some(role),
            Who::Owner | Who::Anybody => None,
        }
    }

    /// Opens a session for it.
    pub(in crate::verify) async fn session(&self, database: &Database) -> Result<Session, Error> {
        match self.role() {
            Some(role) => database.session_as(role).await,
            None => database.session().await,
        }
    }

    /// Runs it to its end. `longest` becomes the time of the slowest statement, if that is longer.
    pub(in crate::verify) async fn run(
        &self,
        session: &mut Session,
        longest: &mut Duration,
    ) -> Called {
        let mut actor = Actor::new(self.0.clone());
        let mut said = None;
        loop {
            let began = Instant::now();
            let failed = match actor.act() {
                Act::Nothing => break,
                Act::Rollback(outcome) => {
                    let ended = session.batch(&fixed("ROLLBACK")).await;
                    actor.gave_up(outcome);
                    ended.err()
                }
                Act::Commit => match session.batch(&fixed("COMMIT")).await {
                    Ok(()) => {
                        actor.committed();
                        None
                    }
                    Err(failure) => Some(failure),
                },
                Act::Statement(step) => self.statement(session, &mut actor, step).await.err(),
            };
            *longest = (*longest).max(began.elapsed());
            if let Some(failure) = failed {
                // Where the connection is lost there is nothing to roll back.
                let _ = session.batch(&fixed("ROLLBACK")).await;
                if is_broken(&failure) {
                    return Called::Broken(failure);
                }
                said = Some(failure.clone());
                if !actor.failed(failure, RETRIES) {
                    break;
                }
            }
        }
        match actor.ending {
            Some(Ending::Committed) | None => Called::Done,
            Some(_) => Called::Refused(said),
        }
    }

    async fn statement(
        &self,
        session: &mut Session,
        actor: &mut Actor,
        step: usize,
    ) -> Result<(), SqlFailure> {
        if !actor.open {
            let mut opening = begin(actor, fixed("SELECT"));
            opening.pop();
            session.batch(&sequence(&opening)).await?;
        }
        let Some(super::program::Step::Sql { sql, .. }) = self.0.script.steps.get(step) else {
            return Ok(());
        };
        let sql: SqlText = sql.clone();
        let rows = session.run(&sql, &actor.params(step)).await?;
        actor.answered(step, &rows);
        Ok(())
    }
}

/// Errors that say that the program and the schema do not fit: syntax and names (42), what the server does not know (0A), our own limits (57014, 55P03) and lost connections (08).
fn is_broken(failure: &SqlFailure) -> bool {
    let code = failure.sqlstate.code();
    // A statement that was prepared before a change and run after it. Drivers prepare it again.
    if code == "0A000" && failure.message.contains("cached plan") {
        return false;
    }
    ["42", "0A", "08", "57", "55", "XX"]
        .iter()
        .any(|class| code.starts_with(class))
}
