//! One session: an identity of its own on the server, statements as text, values as text.
//!
//! Values travel in their text form both ways, so that every type of every extension works. PostgreSQL's extended
//! protocol could do that too, but the client library asks for binary results there; a statement is therefore
//! prepared with SQL's own `PREPARE` and run with `EXECUTE`. Measured over a unix socket: a small UPDATE takes 56 µs so, 63 µs
//! when its whole text is sent each time.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::connect::{Address, Connected, Limits, Lost};
use super::failure::SqlFailure;
use super::sqlstate::SqlState;
use crate::sql::{self, Ident, SqlText};

/// A value in its text form, or null.
pub type Value = Option<String>;

/// A parameter in its text form, or null. The server infers the type.
pub type Param = Option<String>;

/// How long a statement may overrun its limit before its session is ended: the server needs a moment to cancel.
const GRACE: Duration = Duration::from_secs(5);

/// What one statement returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// Rows returned, inserted, updated or deleted, as the server counts.
    pub affected: u64,
}

impl Rows {
    /// The first column of the first row.
    pub fn scalar(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }
}

/// What the server thinks of a statement before it is ever run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Type of each parameter, as `format_type` writes it.
    pub params: Vec<String>,
    /// Name and type of each column.
    pub columns: Vec<(String, String)>,
}

/// A statement that a session can run again and again.
#[derive(Clone, Debug)]
pub struct Prepared {
    name: Option<Ident>,
    sql: SqlText,
}

impl Prepared {
    /// The SQL that runs it with these parameters, in the session that prepared it.
    pub fn call(&self, params: &[Param]) -> SqlText {
        match &self.name {
            Some(name) => sql::execute(name, params),
            None if params.is_empty() => self.sql.clone(),
            None => sql::inline(&self.sql, params),
        }
    }
}

/// One session. Dropping it closes the connection; the server then rolls back what was open.
pub struct Session {
    pub(super) client: Arc<Client>,
    pub(super) lost: Lost,
    /// To end the session from outside, as the user it logged in as.
    address: Address,
    pid: i32,
    /// How long to wait for an answer; none for sessions of ours.
    patience: Option<Duration>,
    result_limit: usize,
    prepared: BTreeMap<SqlText, Prepared>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session of pgproof itself, without limits.
    pub(super) async fn open(address: &Address) -> Result<Session, SqlFailure> {
        Session::new(
            address,
            &address.settings(&[]),
            None,
            Limits::default().result,
        )
        .await
    }

    /// A session with the settings that the address has.
    pub(super) async fn open_at(address: &Address) -> Result<Session, SqlFailure> {
        Session::new(address, address, None, Limits::default().result).await
    }

    /// A session in which a design's SQL runs, as `role` where one is given.
    pub(super) async fn open_limited(
        address: &Address,
        limits: &Limits,
        role: Option<&Ident>,
    ) -> Result<Session, SqlFailure> {
        let patience = limits.statement + GRACE;
        Session::new(
            address,
            &address.limited(limits, role),
            Some(patience),
            limits.result,
        )
        .await
    }

    async fn new(
        plain: &Address,
        address: &Address,
        patience: Option<Duration>,
        result_limit: usize,
    ) -> Result<Session, SqlFailure> {
        let Connected { client, lost } = address.connect().await?;
        let client = Arc::new(client);
        let answers = collect(
            client.clone(),
            lost.clone(),
            "SELECT pg_backend_pid()".to_owned(),
            1 << 10,
        )
        .await?;
        let pid = answers
            .last()
            .and_then(Rows::scalar)
            .and_then(|pid| pid.parse().ok())
            .unwrap_or_default();
        let address = plain.settings(&[]);
        Ok(Session {
            client,
            lost,
            address,
            pid,
            patience,
            result_limit,
            prepared: BTreeMap::new(),
        })
    }

    /// The process that serves this session.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Runs any number of statements and drops what they return. Without `BEGIN` of its own the text is one
    /// transaction, as PostgreSQL has it; a position in the failure counts from the start of the text.
    pub async fn batch(&mut self, sql: &SqlText) -> Result<(), SqlFailure> {
        let (client, lost, text) = (
            self.client.clone(),
            self.lost.clone(),
            sql.as_str().to_owned(),
        );
        let work = async move {
            client
                .batch_execute(&text)
                .await
                .map_err(|e| lost.explain(&e))
        };
        self.guarded(work).await
    }

    /// Runs a statement without parameters. Of several statements the last one's result is kept.
    pub async fn query(&mut self, sql: &SqlText) -> Result<Rows, SqlFailure> {
        let work = self.send(sql);
        Ok(self.guarded(work).await?.pop().unwrap_or_default())
    }

    /// Runs one statement with parameters. It is prepared the first time this session meets it.
    pub async fn run(&mut self, sql: &SqlText, params: &[Param]) -> Result<Rows, SqlFailure> {
        let prepared = self.prepare(sql).await?;
        let call = prepared.call(params);
        self.query(&call).await
    }

    /// Prepares one statement, once per session. What cannot be prepared (`CALL`, `LOCK`, `SET`, DDL) is kept
    /// as it is and its parameters go in as literals. `PREPARE` takes a snapshot: under REPEATABLE READ and SERIALIZABLE prepare
    /// before the transaction begins.
    pub async fn prepare(&mut self, sql: &SqlText) -> Result<Prepared, SqlFailure> {
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        if !sql::statement_kind(sql.as_str()).is_rows() {
            return Ok(Prepared {
                name: None,
                sql: sql.clone(),
            });
        }
        if sql::statements(sql.as_str()).len() > 1 {
            return Err(SqlFailure::new(
                SqlState::SYNTAX_ERROR,
                "more than one statement where one is expected",
            ));
        }
        let name = Ident::new(format!("pgproof_{}", self.prepared.len() + 1));
        let (text, head) = sql::prepare(&name, sql);
        self.query(&text)
            .await
            .map_err(|failure| failure.shifted(head))?;
        let prepared = Prepared {
            name: Some(name),
            sql: sql.clone(),
        };
        self.prepared.insert(sql.clone(), prepared.clone());
        Ok(prepared)
    }

    /// Sends one message, of one or several statements, without waiting for the answer. One [`Rows`] comes back for each
    /// statement. The message is on its way when this returns.
    pub fn send(&self, sql: &SqlText) -> Pending {
        let (client, lost) = (self.client.clone(), self.lost.clone());
        Pending::start(collect(
            client,
            lost,
            sql.as_str().to_owned(),
            self.result_limit,
        ))
    }

    /// [`send`](Session::send) of a prepared statement.
    pub fn start(&self, prepared: &Prepared, params: &[Param]) -> Pending {
        self.send(&prepared.call(params))
    }

    /// Lets the server check a statement without running it, and say what goes in and what comes out. Works for every
    /// kind of statement; does not look into the bodies of functions.
    pub async fn prepare_types(&mut self, sql: &SqlText) -> Result<Described, SqlFailure> {
        let (client, lost, text) = (
            self.client.clone(),
            self.lost.clone(),
            sql.as_str().to_owned(),
        );
        let work = async move { client.prepare(&text).await.map_err(|e| lost.explain(&e)) };
        let statement = self.guarded(work).await?;
        let params = statement.params().iter().map(|kind| (kind.oid(), -1));
        let columns = statement
            .columns()
            .iter()
            .map(|column| (column.type_().oid(), column.type_modifier()));
        let types: Vec<(u32, i32)> = params.chain(columns).collect();
        let mut names = Vec::with_capacity(types.len());
        if !types.is_empty() {
            let answer = self.query(&sql::format_types(&types)).await?;
            names.extend(
                answer
                    .rows
                    .into_iter()
                    .map(|mut row| row.pop().flatten().unwrap_or_default()),
            );
        }
        let of_columns = names.split_off(statement.params().len().min(names.len()));
        let columns = statement
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .zip(of_columns);
        Ok(Described {
            params: names,
            columns: columns.collect(),
        })
    }

    /// Asks the server to cancel what this session is running, over a connection of its own (2 ms;
    /// [`Observer::cancel_backend`](super::Observer::cancel_backend) takes a tenth of that).
    pub async fn cancel(&self) {
        // Nothing running is no failure, and neither is a session that is gone.
        let _ = self.client.cancel_token().cancel_query(NoTls).await;
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Waits for `work`, and ends the session if the server does not keep to the limits it was given: a design's SQL can
    /// lift `statement_timeout`, or catch the cancellation.
    async fn guarded<T>(
        &self,
        work: impl Future<Output = Result<T, SqlFailure>>,
    ) -> Result<T, SqlFailure> {
        let Some(patience) = self.patience else {
            return work.await;
        };
        let mut work = std::pin::pin!(work);
        if let Ok(answer) = tokio::time::timeout(patience, &mut work).await {
            return answer;
        }
        self.cancel().await;
        if let Ok(answer) = tokio::time::timeout(GRACE, &mut work).await {
            return answer;
        }
        self.end().await;
        let seconds = (patience + GRACE).as_secs();
        let mut failure = SqlFailure::new(
            SqlState::QUERY_CANCELED,
            format!(
                "the statement did not end within {seconds} s, nor when it was cancelled; its session was ended"
            ),
        );
        failure.hint =
            Some("it lifts statement_timeout or catches query_canceled; take that out".to_owned());
        Err(failure)
    }

    /// Ends the session's process. The user of the session may always end its own.
    async fn end(&self) {
        if let Ok(other) = self.address.connect().await {
            let sql = sql::terminate_backend(self.pid);
            let _ = other.client.batch_execute(sql.as_str()).await;
        }
    }
}

type Answer = Result<Vec<Rows>, SqlFailure>;

/// A message that was sent. Await it for the answer, or [`settle`](Pending::settle) it to look without waiting for ever.
pub struct Pending {
    state: State,
}

enum State {
    Waiting(Pin<Box<dyn Future<Output = Answer> + Send>>),
    Answered(Answer),
    Taken,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("answered", &self.is_answered())
            .finish()
    }
}

impl Pending {
    fn start(work: impl Future<Output = Answer> + Send + 'static) -> Pending {
        let mut pending = Pending {
            state: State::Waiting(Box::pin(work)),
        };
        // The client sends at the first poll; nobody needs to be woken by it.
        pending.look(&mut Context::from_waker(Waker::noop()));
        pending
    }

    fn look(&mut self, context: &mut Context<'_>) {
        if let State::Waiting(work) = &mut self.state
            && let Poll::Ready(answer) = work.as_mut().poll(context)
        {
            self.state = State::Answered(answer);
        }
    }

    /// Whether the answer is here.
    pub fn is_answered(&self) -> bool {
        !matches!(self.state, State::Waiting(_))
    }

    /// Waits for the answer, and leaves it to be taken.
    pub async fn answered(&mut self) {
        std::future::poll_fn(|context| {
            self.look(context);
            match self.is_answered() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    /// Gives the server some milliseconds to answer and says whether it did. Nothing is looked at meanwhile: the processor is the
    /// server's.
    pub async fn within(&mut self, limit: Duration) -> bool {
        // That the time is up is seen below.
        let _ = tokio::time::timeout(limit, self.answered()).await;
        self.is_answered()
    }

    /// Gives the server `within` to answer and says whether it did. Polls between looks at the socket, because a
    /// runtime's timers are far coarser than the time of a statement (milliseconds against microseconds).
    pub async fn settle(&mut self, within: Duration) -> bool {
        let start = Instant::now();
        loop {
            std::future::poll_fn(|context| {
                self.look(context);
                Poll::Ready(())
            })
            .await;
            if self.is_answered() || start.elapsed() >= within {
                return self.is_answered();
            }
            // First the message has to leave, and in the end the answer to be read. Where cores are few the server may be waiting for this
            // one.
            tokio::task::yield_now().await;
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }
}

impl Future for Pending {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        self.look(context);
        if !self.is_answered() {
            return Poll::Pending;
        }
        match std::mem::replace(&mut self.state, State::Taken) {
            State::Answered(answer) => Poll::Ready(answer),
            State::Waiting(_) | State::Taken => {
                let failure =
                    SqlFailure::new(SqlState::CONNECTION_FAILURE, "the answer was taken before");
                Poll::Ready(Err(failure))
            }
        }
    }
}

/// Sends a message and gathers what it returns, one [`Rows`] for each statement in it.
async fn collect(client: Arc<Client>, lost: Lost, text: String, limit: usize) -> Answer {
    let stream = client
        .simple_query_raw(&text)
        .await
        .map_err(|e| lost.explain(&e))?;
    let mut stream = std::pin::pin!(stream);
    let mut answers = Vec::with_capacity(1);
    let mut current = Rows::default();
    let mut size = 0;
    while let Some(message) = stream.next().await {
        match message.map_err(|e| lost.explain(&e))? {
            SimpleQueryMessage::RowDescription(columns) => {
                current.columns = columns
                    .iter()
                    .map(|column| column.name().to_owned())
                    .collect();
            }
            SimpleQueryMessage::Row(row) => {
                let values: Vec<Value> = (0..row.len())
                    .map(|at| row.get(at).map(str::to_owned))
                    .collect();
                size += 24
                    + values
                        .iter()
                        .map(|v| 24 + v.as_ref().map_or(0, String::len))
                        .sum::<usize>();
                if size > limit {
                    return Err(too_large(&client, limit).await);
                }
                current.rows.push(values);
            }
            SimpleQueryMessage::CommandComplete(affected) => {
                current.affected = affected;
                answers.push(std::mem::take(&mut current));
            }
            _ => {}
        }
    }
    Ok(answers)
}

async fn too_large(client: &Client, limit: usize) -> SqlFailure {
    let _ = client.cancel_token().cancel_query(NoTls).await;
    let mut failure = SqlFailure::new(
        SqlState::PROGRAM_LIMIT_EXCEEDED,
        format!(
            "the result is larger than {} MiB and was given up",
            limit >> 20
        ),
    );
    failure.hint = Some("add a LIMIT, or return fewer columns".to_owned());
    failure
}
