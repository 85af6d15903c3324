//! Programs that run while a migration does, each statement timed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::error::Error;
use crate::postgres::{Database, Session, SqlFailure};
use crate::sql::{Ident, SqlText};
use crate::verify::race::{Called, ProgramCall};

/// Sessions of one version of the programs.
const SESSIONS: usize = 2;
/// Rest between two calls.
const REST: Duration = Duration::from_millis(2);

/// What is seen of the programs.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    calls: AtomicU64,
    done: AtomicU64,
    /// Microseconds of the slowest statement since last asked.
    longest: AtomicU64,
    broken: Mutex<BTreeMap<String, String>>,
}

impl Seen {
    fn broke(&self, call: &ProgramCall, failure: &SqlFailure) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken
            .entry(call.title().to_owned())
            .or_insert_with(|| failure.to_string());
    }
}

/// A call, and what came of it before anything had begun.
#[derive(Clone)]
pub(super) struct Tried {
    pub call: ProgramCall,
    /// Whether it committed.
    pub done: bool,
}

/// Refusals that are the migration's: a program could not have kept the rule.
#[derive(Default)]
pub(super) struct Breaks {
    /// Constraints, and `table.column`s, by which columns are kept filled that old programs do not know.
    pub forgotten: BTreeSet<String>,
    /// Tables that old programs do not know.
    pub new_tables: BTreeSet<String>,
}

impl Breaks {
    /// Whether a program is refused what it may do. `done` says that the same call went through before.
    pub(super) fn breaks(&self, failure: &SqlFailure, done: bool) -> bool {
        let is_rule = is_rule(failure);
        let is_thrown = is_in_trigger(failure) && (is_rule || done);
        is_thrown || done && is_rule && self.is_of_new_table(failure) || self.is_forgotten(failure)
    }

    /// The same of a write that went through before and that no program makes: a new rule may refuse its values.
    pub(super) fn refuses(failure: &SqlFailure) -> bool {
        let code = failure.sqlstate.code();
        let is_of_values = ["23505", "23514", "23P01", "P0001"].contains(&code);
        !is_of_values && is_in_trigger(failure)
    }

    /// Whether a rule refused the row for a column that the program does not know.
    fn is_forgotten(&self, failure: &SqlFailure) -> bool {
        let column = failure.table.as_ref().zip(failure.column.as_ref());
        let column = column.map(|(table, column)| format!("{table}.{column}"));
        let named = failure.constraint.iter().chain(column.iter());
        named.into_iter().any(|name| self.forgotten.contains(name))
    }

    fn is_of_new_table(&self, failure: &SqlFailure) -> bool {
        let table = failure.table.as_ref();
        table.is_some_and(|table| self.new_tables.contains(table))
    }
}

fn is_rule(failure: &SqlFailure) -> bool {
    failure.sqlstate.code().starts_with("23")
}

/// Whether it failed in a trigger that is there only while the migration lasts: in what that computes, or by a rule of a table that it writes to. What it makes of
/// the row itself may break a rule that the row would have broken without it, and that is asked later.
fn is_in_trigger(failure: &SqlFailure) -> bool {
    let is_conflict = failure.sqlstate.code().starts_with("40");
    let context = failure.context.iter();
    let mut lines = context.flat_map(|context| context.lines());
    let is_in =
        lines.any(|line| line.starts_with("PL/pgSQL function") && line.contains("pgproof_"));
    is_in && !is_conflict && (!is_rule(failure) || failure.table.is_some())
}

/// Running programs of one version.
pub(super) struct Traffic {
    seen: Arc<Seen>,
    tasks: Vec<JoinHandle<()>>,
    programs: u64,
}

/// Calls that run on the schema as it is, and whether they committed; the others are not the migration's fault.
pub(super) async fn tried(
    database: &Database,
    calls: Vec<ProgramCall>,
    path: &SqlText,
) -> Result<Vec<Tried>, Error> {
    let (mut sessions, mut longest) = (BTreeMap::new(), Duration::ZERO);
    let mut out = Vec::new();
    for call in calls {
        let session = session(&mut sessions, database, &call, path).await?;
        let called = call.run(session, &mut longest).await;
        if !matches!(called, Called::Broken(_)) {
            let done = matches!(called, Called::Done);
            out.push(Tried { call, done });
        }
    }
    Ok(out)
}

/// Runs each of them once, and says what failed with what.
pub(super) async fn that_run(
    database: &Database,
    calls: &[Tried],
    path: &SqlText,
) -> Result<Vec<(Tried, Option<SqlFailure>)>, Error> {
    let (mut sessions, mut longest) = (BTreeMap::new(), Duration::ZERO);
    let mut out = Vec::new();
    for tried in calls {
        let session = session(&mut sessions, database, &tried.call, path).await?;
        let called = tried.call.run(session, &mut longest).await;
        let failure = match called {
            Called::Done | Called::Refused(None) => None,
            Called::Refused(Some(failure)) | Called::Broken(failure) => Some(failure),
        };
        out.push((tried.clone(), failure));
    }
    Ok(out)
}

async fn session<'s>(
    sessions: &'s mut BTreeMap<Option<Ident>, Session>,
    database: &Database,
    call: &ProgramCall,
    path: &SqlText,
) -> Result<&'s mut Session, Error> {
    let role = call.role().cloned();
    if !sessions.contains_key(&role) {
        let mut opened = call.session(database).await?;
        let set = opened.batch(path).await;
        set.map_err(|failure| failure.into_error("set up a session"))?;
        sessions.insert(role.clone(), opened);
    }
    sessions
        .get_mut(&role)
        .ok_or_else(|| Error::Internal("a session that was put in is not there".to_owned()))
}

impl Traffic {
    /// Starts them.
    pub(super) async fn start(
        database: &Database,
        calls: &[Tried],
        path: &SqlText,
        breaks: Arc<Breaks>,
    ) -> Result<Traffic, Error> {
        let seen = Arc::new(Seen::default());
        let mut tasks = Vec::new();
        for number in 0..SESSIONS {
            let mut sessions = BTreeMap::new();
            for tried in calls {
                session(&mut sessions, database, &tried.call, path).await?;
            }
            let (seen, calls) = (seen.clone(), calls.to_vec());
            let breaks = breaks.clone();
            tasks.push(tokio::spawn(async move {
                work(&seen, &calls, sessions, (number, &breaks)).await;
            }));
        }
        Ok(Traffic {
            seen,
            tasks,
            programs: calls.len() as u64,
        })
    }

    /// The slowest statement since last asked.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_micros(self.seen.longest.swap(0, Ordering::Relaxed))
    }

    /// Waits until every program was called from here on, or long enough.
    pub(super) async fn go_round(&self) {
        // One of the sessions has then gone through all of them, beside the call that each was in the middle of.
        self.go_on((self.programs + 1) * SESSIONS as u64).await;
    }

    /// Waits for so many calls, or long enough.
    pub(super) async fn go_on(&self, calls: u64) {
        let wanted = self.seen.calls.load(Ordering::Relaxed) + calls;
        for _ in 0..400 {
            if self.seen.calls.load(Ordering::Relaxed) >= wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Programs that could not be run any more, with what the server said.
    pub(super) fn broken(&self) -> BTreeMap<String, String> {
        let broken = self.seen.broken.lock();
        broken.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends them; calls made, and how many of them committed.
    pub(super) async fn stop(self) -> (u64, u64) {
        self.seen.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            // A task that panicked has made no calls that count.
            let _ = task.await;
        }
        (
            self.seen.calls.load(Ordering::Relaxed),
            self.seen.done.load(Ordering::Relaxed),
        )
    }
}

async fn work(
    seen: &Seen,
    calls: &[Tried],
    mut sessions: BTreeMap<Option<Ident>, Session>,
    (number, breaks): (usize, &Breaks),
) {
    let mut at = number * 7;
    while !seen.stop.load(Ordering::Relaxed) && !calls.is_empty() {
        let Tried { call, done } = &calls[at % calls.len()];
        at += 1;
        let Some(session) = sessions.get_mut(&call.role().cloned()) else {
            return;
        };
        let mut longest = Duration::ZERO;
        match call.run(session, &mut longest).await {
            Called::Done => {
                seen.done.fetch_add(1, Ordering::Relaxed);
            }
            Called::Refused(Some(failure)) if breaks.breaks(&failure, *done) => {
                seen.broke(call, &failure);
            }
            Called::Refused(_) => {}
            Called::Broken(failure) => {
                seen.broke(call, &failure);
            }
        }
        let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        seen.longest.fetch_max(micros, Ordering::Relaxed);
        seen.calls.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(REST).await;
    }
}
