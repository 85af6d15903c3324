//! A session that only watches the others: who waits for whom, read from the lock table.

use std::fmt;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

use super::connect::{Address, Connected, Lost};
use super::cores::Core;
use super::failure::SqlFailure;
use crate::error::Error;
use crate::sql;

/// How often to look whether a process has ended, and how long to wait between: five seconds in all.
const GONE_LOOKS: usize = 5000;
const GONE_PAUSE: Duration = Duration::from_millis(1);
/// A process leaves the list after its transaction is over and its locks are free.
const EXISTS: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity($1))";

/// Several sessions at a time, in the order asked for: whether each waits for one of `$2`, and whom it waits for.
const WAITS: &str = "SELECT pg_catalog.pg_isolation_test_session_is_blocked(pid, $2), pg_catalog.pg_blocking_pids(pid) \
                     FROM unnest($1) WITH ORDINALITY AS asked(pid, n) ORDER BY n";
/// The same where the role may not call that.
const WAITS_OF_ANYBODY: &str = "SELECT pg_catalog.pg_blocking_pids(pid) && $2, pg_catalog.pg_blocking_pids(pid) \
                                FROM unnest($1) WITH ORDINALITY AS asked(pid, n) ORDER BY n";

/// What a session waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Whether it waits for one of those that were asked about.
    pub is_blocked: bool,
    /// The processes it waits for.
    pub by: Vec<i32>,
}

/// A connection of pgproof's own that looks at other sessions and cancels what they do.
pub struct Observer {
    client: Client,
    lost: Lost,
    /// `pg_isolation_test_session_is_blocked`, which also sees waits for a safe snapshot. Absent where the role may
    /// not call it; then blocking processes are compared.
    is_blocked: Option<Statement>,
    blocking: Statement,
    waits: Statement,
    cancel: Statement,
    terminate: Statement,
    exists: Statement,
    signals: Signals,
    pid: i32,
}

/// How the processes of a server can be stopped and made to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signals {
    /// They are processes of this machine.
    Direct,
    /// By a program that the server runs: its processes are those of a container.
    #[cfg_attr(
        not(feature = "containers"),
        expect(dead_code, reason = "only containers need it")
    )]
    Program,
    /// Not at all: the server is somebody else's.
    Never,
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}

impl Observer {
    pub(super) async fn open(address: &Address, signals: Signals) -> Result<Observer, SqlFailure> {
        let Connected { client, lost } = address.settings(&[]).connect().await?;
        let one = |sql: &'static str| client.prepare_typed(sql, &[Type::INT4]);
        let explain = |e: tokio_postgres::Error| lost.explain(&e);
        let blocking = one("SELECT pg_catalog.pg_blocking_pids($1)")
            .await
            .map_err(explain)?;
        let cancel = one("SELECT pg_catalog.pg_cancel_backend($1)")
            .await
            .map_err(explain)?;
        let terminate = one("SELECT pg_catalog.pg_terminate_backend($1)")
            .await
            .map_err(explain)?;
        let exists = one(EXISTS).await.map_err(explain)?;
        let test = "SELECT pg_catalog.pg_isolation_test_session_is_blocked($1, $2)";
        let mut is_blocked = client
            .prepare_typed(test, &[Type::INT4, Type::INT4_ARRAY])
            .await
            .ok();
        if let Some(statement) = &is_blocked
            && client
                .query_one(statement, &[&0i32, &Vec::<i32>::new()])
                .await
                .is_err()
        {
            is_blocked = None;
        }
        let waits = match is_blocked {
            Some(_) => WAITS,
            None => WAITS_OF_ANYBODY,
        };
        let waits = client
            .prepare_typed(waits, &[Type::INT4_ARRAY, Type::INT4_ARRAY])
            .await
            .map_err(explain)?;
        let own = client.query_one("SELECT pg_catalog.pg_backend_pid()", &[]);
        let pid = own.await.and_then(|row| row.try_get(0)).map_err(explain)?;
        Ok(Observer {
            client,
            lost,
            is_blocked,
            blocking,
            waits,
            cancel,
            terminate,
            signals,
            exists,
            pid,
        })
    }

    /// Whether `pid` waits for a lock that one of `by` holds or wants before it, or for one of them to end so that its
    /// snapshot is safe. Read from the lock table: true is final until another session takes a step; false means that
    /// an answer or a wait is still to come.
    pub async fn is_blocked(&self, pid: i32, by: &[i32]) -> Result<bool, Error> {
        match &self.is_blocked {
            Some(statement) => {
                let row = self.client.query_one(statement, &[&pid, &by]).await;
                row.and_then(|row| row.try_get(0))
                    .map_err(|e| self.failed(&e))
            }
            None => Ok(self
                .blocking_pids(pid)
                .await?
                .iter()
                .any(|blocker| by.contains(blocker))),
        }
    }

    /// [`is_blocked`](Observer::is_blocked) and [`blocking_pids`](Observer::blocking_pids) of several at once.
    pub async fn waits(&self, pids: &[i32], by: &[i32]) -> Result<Vec<Waits>, Error> {
        let rows = self.client.query(&self.waits, &[&pids, &by]).await;
        let one = |row: &tokio_postgres::Row| {
            Ok(Waits {
                is_blocked: row.try_get(0)?,
                by: row.try_get(1)?,
            })
        };
        rows.and_then(|rows| rows.iter().map(one).collect())
            .map_err(|e| self.failed(&e))
    }

    /// The processes that `pid` waits for.
    pub async fn blocking_pids(&self, pid: i32) -> Result<Vec<i32>, Error> {
        let row = self.client.query_one(&self.blocking, &[&pid]).await;
        row.and_then(|row| row.try_get(0))
            .map_err(|e| self.failed(&e))
    }

    /// Cancels what `pid` is running: its session sees `57014` and stays. False when there is no such process.
    pub async fn cancel_backend(&self, pid: i32) -> Result<bool, Error> {
        self.signal(&self.cancel, pid).await
    }

    /// Ends `pid`: its session is gone, its transaction rolled back. False when there is no such process.
    pub async fn terminate_backend(&self, pid: i32) -> Result<bool, Error> {
        self.signal(&self.terminate, pid).await
    }

    /// A core for the calling thread and the processes that serve it, this observer's own first; nothing where they are not processes
    /// of this machine.
    pub fn core(&self) -> Option<Core> {
        if self.signals != Signals::Direct {
            return None;
        }
        let core = Core::take()?;
        self.bind(&core, self.pid);
        Some(core)
    }

    /// Has a process of the server run on the core of the thread that it serves.
    pub fn bind(&self, core: &Core, pid: i32) {
        // Where that is not allowed all is only slower.
        let process = Pid::from_raw(pid).filter(|_| self.signals == Signals::Direct);
        let _ = process.and_then(|process| core.bind(process));
    }

    /// Whether [`freeze`](Observer::freeze) does something.
    pub fn can_freeze(&self) -> bool {
        self.signals != Signals::Never
    }

    /// Stops processes, so that a lock they are given does not let them run on: who goes first is then for the caller to say. To be
    /// used on sessions that wait for a lock, which hold nothing that the server itself needs.
    pub async fn freeze(&self, pids: &[i32]) -> Result<(), Error> {
        self.send(Signal::STOP, "STOP", pids).await
    }

    /// Lets them go on.
    pub async fn thaw(&self, pids: &[i32]) -> Result<(), Error> {
        self.send(Signal::CONT, "CONT", pids).await
    }

    async fn send(&self, signal: Signal, name: &str, pids: &[i32]) -> Result<(), Error> {
        match self.signals {
            _ if pids.is_empty() => Ok(()),
            Signals::Never => Ok(()),
            Signals::Direct => {
                // A process that is gone needs no signal.
                for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
                    let _ = kill_process(pid, signal);
                }
                Ok(())
            }
            Signals::Program => {
                let list: Vec<String> = pids.iter().map(i32::to_string).collect();
                let command = format!("kill -{name} {} || true", list.join(" "));
                let sql = sql::run_program(&command);
                let sent = self.client.batch_execute(sql.as_str()).await;
                sent.map_err(|e| self.failed(&e))
            }
        }
    }

    /// Waits until there is no process `pid`: then its transaction is over, and its locks are free.
    pub async fn gone(&self, pid: i32) -> Result<(), Error> {
        for _ in 0..GONE_LOOKS {
            let row = self.client.query_one(&self.exists, &[&pid]).await;
            let exists = row.and_then(|row| row.try_get::<_, bool>(0));
            if !exists.map_err(|e| self.failed(&e))? {
                return Ok(());
            }
            tokio::time::sleep(GONE_PAUSE).await;
        }
        Err(Error::Internal(format!(
            "the server process {pid} did not end when it was told to"
        )))
    }

    async fn signal(&self, statement: &Statement, pid: i32) -> Result<bool, Error> {
        let row = self.client.query_one(statement, &[&pid]).await;
        row.and_then(|row| row.try_get(0))
            .map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &tokio_postgres::Error) -> Error {
        self.lost.explain(error).into_error("look at its sessions")
    }
}
