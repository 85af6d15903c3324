//! One database in which schedules are run, with its sessions.

use std::collections::{BTreeMap, BTreeSet};

use super::footprint::{Footprint, Tables, footprint};
use super::history;
use super::judge::Judge;
use super::program::{Program, Script, Step, Who};
use super::reset::{Resetter, Snapshot};
use crate::catalog::Catalog;
use crate::design::{Invariant, Model, Rule};
use crate::error::Error;
use crate::postgres::{Core, Database, Observer, Prepared, Server, Session, SqlFailure};
use crate::sql::{Ident, SqlText, fill, fixed, quote_ident};

/// What is raced: a design, what was compiled from it (of a mutant: with something taken out), and a database in which that
/// was applied. The database is copied, never written to; it must have no open sessions.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The design.
    pub model: &'a Model,
    /// The schema as applied.
    pub catalog: &'a Catalog,
    /// Where.
    pub server: &'a Server,
    /// The schema, without rows.
    pub template: &'a Database,
}

/// A state with its rows.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub snapshot: Snapshot,
}

/// A database with its sessions.
pub(super) struct Arena<'a> {
    pub ground: Ground<'a>,
    pub database: Database,
    pub control: Session,
    pub observer: Observer,
    /// Where this thread and its sessions run, for as long as there are any.
    core: Option<Core>,
    pub judges: Vec<Judge>,
    pub resetter: Resetter,
    pub states: Vec<Loaded>,
    /// Sessions by who uses them, in the order in which trials take them.
    seats: BTreeMap<Who, Vec<Session>>,
    /// Whether a session may hold what outlives its transaction.
    stained: bool,
    /// The state that was put in place last, and the tables that may have been written to since.
    standing: Option<(usize, Tables)>,
    /// Invariants that cannot be judged, and why.
    pub unjudged: BTreeMap<String, String>,
}

impl<'a> Arena<'a> {
    /// A copy of the database, with history and judges for these invariants.
    pub(super) async fn open(
        ground: Ground<'a>,
        invariants: &[&Invariant],
    ) -> Result<Arena<'a>, Error> {
        let database = ground.server.clone_database(ground.template).await?;
        let mut control = database.keeper().await?;
        let failed = |what: &'static str| move |e: SqlFailure| e.into_error(what);
        control
            .batch(&search_path(ground.model))
            .await
            .map_err(failed("set search_path"))?;
        control
            .batch(&history::setup())
            .await
            .map_err(failed("make the shadow history"))?;
        let mut watched: BTreeSet<Ident> = invariants
            .iter()
            .flat_map(|invariant| history::watched(invariant))
            .collect();
        if invariants
            .iter()
            .any(|invariant| matches!(invariant.rule, Rule::Idempotent { .. }))
        {
            watched.extend(ground.catalog.tables.keys().map(|name| name.name.clone()));
        }
        for (name, _) in ground
            .catalog
            .tables
            .iter()
            .filter(|(name, _)| watched.contains(&name.name))
        {
            control
                .batch(&history::watch(name))
                .await
                .map_err(failed("watch a table"))?;
        }
        let resetter = Resetter::new(&mut control, ground.catalog).await?;
        let mut judges = Vec::new();
        let mut unjudged = BTreeMap::new();
        for invariant in invariants {
            match Judge::new(&mut control, ground.model, invariant).await {
                Ok(judge) => judges.push(judge),
                Err(failure) => {
                    unjudged.insert(invariant.name.as_str().to_owned(), failure.message.clone());
                }
            }
        }
        let observer = ground.server.observer().await?;
        let core = observer.core();
        if let Some(core) = &core {
            observer.bind(core, control.pid());
        }
        Ok(Arena {
            ground,
            database,
            control,
            observer,
            core,
            judges,
            resetter,
            states: Vec::new(),
            seats: BTreeMap::new(),
            stained: false,
            standing: None,
            unjudged,
        })
    }

    /// What statements of the design touch.
    pub(super) fn footprint(&self, sql: &str) -> Footprint {
        footprint(sql, self.ground.catalog)
    }

    /// Takes a seat for each program, and opens sessions where there are too few.
    pub(super) async fn seat(&mut self, programs: &[Program]) -> Result<Vec<Session>, Error> {
        if std::mem::take(&mut self.stained) {
            for session in self.seats.values_mut().flatten() {
                session
                    .batch(&fixed("SELECT pg_advisory_unlock_all()"))
                    .await
                    .map_err(|e| e.into_error("let go of locks"))?;
            }
        }
        let mut seated = Vec::with_capacity(programs.len());
        for program in programs {
            seated.push(self.session(&program.script.who).await?);
        }
        Ok(seated)
    }

    /// Gives the seats back.
    pub(super) fn unseat(&mut self, programs: &[Program], sessions: Vec<Session>) {
        self.stained |= programs.iter().any(|program| {
            let texts = program.script.texts();
            texts.iter().any(|text| outlives(text))
        });
        // In reverse, so that the next trial gets the same sessions in the same order.
        for (program, session) in programs.iter().zip(sessions).rev() {
            self.give_back(&program.script.who, session);
        }
    }

    pub(super) async fn open_session(&self, who: &Who) -> Result<Session, Error> {
        let mut session = match who {
            Who::Role(role) => self.database.session_as(role).await?,
            Who::Owner => self.database.session().await?,
            Who::Anybody => {
                self.database
                    .session_as(self.ground.server.keeper())
                    .await?
            }
        };
        let plain = fixed("SET plan_cache_mode = force_generic_plan");
        for setting in [search_path(self.ground.model), plain] {
            session
                .batch(&setting)
                .await
                .map_err(|e| e.into_error("set up a session"))?;
        }
        if let Some(core) = &self.core {
            self.observer.bind(core, session.pid());
        }
        Ok(session)
    }

    /// One session.
    pub(super) async fn session(&mut self, who: &Who) -> Result<Session, Error> {
        match self.seats.get_mut(who).and_then(Vec::pop) {
            Some(session) if !session.is_closed() => Ok(session),
            _ => self.open_session(who).await,
        }
    }

    /// Gives it back.
    pub(super) fn give_back(&mut self, who: &Who, session: Session) {
        self.seats.entry(who.clone()).or_default().push(session);
    }

    /// Puts a state in place for something that writes to these tables.
    pub(super) async fn reset(&mut self, state: usize, writes: Tables) -> Result<(), Error> {
        let standing = self.standing.take();
        let changed = standing.filter(|(standing, _)| *standing == state);
        let changed = changed.map(|(_, written)| written);
        let snapshot = &self.states[state].snapshot;
        let call = self
            .resetter
            .put_back(&mut self.control, state, snapshot, changed.as_ref())
            .await?;
        self.control
            .query(&call)
            .await
            .map_err(|e| e.into_error("put a state back"))?;
        self.standing = Some((state, writes));
        Ok(())
    }

    /// The tables were written to by somebody else.
    pub(super) fn forget_standing(&mut self) {
        self.standing = None;
    }

    /// Drops the database.
    pub(super) async fn close(self) -> Result<(), Error> {
        let Arena {
            database,
            control,
            observer,
            seats,
            ..
        } = self;
        drop((control, observer, seats));
        database.drop().await
    }
}

/// Whether a statement may take a lock that COMMIT and ROLLBACK leave alone.
fn outlives(text: &str) -> bool {
    text.contains("pg_advisory_lock")
        || text.contains("pg_try_advisory_lock")
        || text.contains("pg_advisory_unlock")
}

/// Prepares every statement of a script in a session. The failure is the script's: SQL that the server does not take.
pub(super) async fn prepare(
    session: &mut Session,
    script: &Script,
) -> Result<Vec<Option<Prepared>>, SqlFailure> {
    let mut prepared = Vec::with_capacity(script.steps.len());
    for step in &script.steps {
        prepared.push(match step {
            Step::Sql { sql, .. } => Some(session.prepare(sql).await?),
            Step::Require { .. } => None,
        });
    }
    Ok(prepared)
}

fn search_path(model: &Model) -> SqlText {
    fill(
        "SET search_path TO {schema}, public",
        &[("schema", &quote_ident(&model.database.schema))],
    )
}
