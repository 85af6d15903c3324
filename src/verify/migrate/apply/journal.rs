//! The journal: one row a step, in the database that is changed. It is made outside any plan and never dropped.

use crate::migrate::{Phase, Plan, Step};
use crate::postgres::{Session, SqlFailure, Value};
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, join, literal, number, quote_ident, quote_qualified,
};

/// The journal's name, in the design's schema, or in `public` where that is not there yet.
pub(super) const NAME: &str = "pgproof_migration";

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not begun.
    Waiting,
    /// Begun, and not known to have ended.
    Running,
    /// Done.
    Done,
    /// Begun, and refused by the server.
    Failed,
    /// Being taken back.
    Undoing,
    /// Taken back.
    Undone,
}

impl Outcome {
    const ALL: [Outcome; 6] = [
        Outcome::Waiting,
        Outcome::Running,
        Outcome::Done,
        Outcome::Failed,
        Outcome::Undoing,
        Outcome::Undone,
    ];

    /// As the journal has it.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Waiting => "waiting",
            Outcome::Running => "running",
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Undoing => "undoing",
            Outcome::Undone => "undone",
        }
    }

    fn of(word: &str) -> Outcome {
        let all = Outcome::ALL.into_iter();
        let mut known = all.filter(|outcome| outcome.word() == word);
        // What another version of the program wrote is looked at before it is run again.
        known.next().unwrap_or(Outcome::Running)
    }

    /// Whether something of the step may be in the database.
    pub fn is_begun(self) -> bool {
        !matches!(self, Outcome::Waiting | Outcome::Undone)
    }
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The step's number in its plan.
    pub number: usize,
    /// Its phase.
    pub phase: String,
    /// What it does.
    pub title: String,
    /// What tells it from another step.
    pub digest: String,
    /// How far it is.
    pub outcome: Outcome,
    /// How many of its parts are done.
    pub part: usize,
    /// When it began, as the server writes it.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// What the server said where it refused.
    pub said: Option<String>,
}

/// Where the journal is, and which run of which design's schema it is about.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    table: SqlText,
    schema: SqlText,
    run: SqlText,
    /// The lines of the run, by number.
    pub(super) entries: Vec<Entry>,
}

impl Journal {
    /// The journal of a schema with its latest run; none where nothing was ever applied.
    pub(super) async fn find(
        session: &mut Session,
        schema: &Ident,
    ) -> Result<Option<Journal>, SqlFailure> {
        for place in [schema.clone(), Ident::from("public")] {
            let table = quote_qualified(&QualifiedName::new(place, NAME.into()));
            let parts = [("table", &literal(table.as_str()))];
            let sql = fill("SELECT to_regclass({table})::text", &parts);
            if session.query(&sql).await?.scalar().is_some() {
                let mut journal = Journal {
                    table,
                    schema: literal(schema.as_str()),
                    run: number(0),
                    entries: Vec::new(),
                };
                journal.read(session).await?;
                return Ok(Some(journal));
            }
        }
        Ok(None)
    }

    /// The latest run.
    pub(super) async fn read(&mut self, session: &mut Session) -> Result<(), SqlFailure> {
        let parts = [("table", &self.table), ("schema", &self.schema)];
        let sql = fill(
            "SELECT coalesce(max(run), 0) FROM {table} WHERE schema = {schema}",
            &parts,
        );
        let run = session.query(&sql).await?;
        let run = run.scalar().and_then(|run| run.parse().ok()).unwrap_or(0);
        self.run = number(run);
        let sql = self.fill(
            "SELECT number, phase, title, step, outcome, part, started_at, finished_at, said FROM {table} \
             WHERE schema = {schema} AND run = {run} ORDER BY number",
            &[],
        );
        let rows = session.query(&sql).await?.rows;
        self.entries = rows.iter().map(|row| entry(row)).collect();
        Ok(())
    }

    /// Makes the journal where there is none.
    pub(super) async fn make(session: &mut Session, schema: &Ident) -> Result<(), SqlFailure> {
        let sql = fill(
            "SELECT to_regnamespace({schema})::text",
            &[("schema", &literal(quote_ident(schema).as_str()))],
        );
        let place = match session.query(&sql).await?.scalar() {
            Some(_) => schema.clone(),
            None => Ident::from("public"),
        };
        let table = quote_qualified(&QualifiedName::new(place, NAME.into()));
        let sql = fill(
            "CREATE TABLE IF NOT EXISTS {table} (
    schema      text NOT NULL,
    run         integer NOT NULL,
    number      integer NOT NULL,
    plan        text NOT NULL,
    step        text NOT NULL,
    phase       text NOT NULL,
    title       text NOT NULL,
    outcome     text NOT NULL DEFAULT 'waiting',
    part        integer NOT NULL DEFAULT 0,
    started_at  timestamptz,
    finished_at timestamptz,
    said        text,
    PRIMARY KEY (schema, run, number)
)",
            &[("table", &table)],
        );
        session.batch(&sql).await
    }

    /// Writes down a new run, all of its steps waiting.
    pub(super) async fn begin(
        &mut self,
        session: &mut Session,
        plan: &Plan,
    ) -> Result<(), SqlFailure> {
        let digest = literal(&plan.digest());
        let rows = plan.steps.iter().map(|step| {
            let parts = [
                ("number", &place(step)),
                ("plan", &digest),
                ("step", &literal(&step.digest())),
                ("phase", &literal(step.phase.word())),
                ("title", &literal(&step.title)),
            ];
            self.fill(
                "({schema}, {run} + 1, {number}, {plan}, {step}, {phase}, {title})",
                &parts,
            )
        });
        let rows = join(rows, ",\n    ");
        let sql = self.fill(
            "INSERT INTO {table} (schema, run, number, plan, step, phase, title)\nVALUES {rows}",
            &[("rows", &rows)],
        );
        session.batch(&sql).await?;
        self.read(session).await
    }

    fn fill(&self, template: &'static str, more: &[(&str, &SqlText)]) -> SqlText {
        let own = [
            ("table", &self.table),
            ("schema", &self.schema),
            ("run", &self.run),
        ];
        fill(template, &[&own, more].concat())
    }

    /// Says that a step begins, or goes on.
    pub(super) fn begins(&self, step: &Step, outcome: Outcome, part: usize) -> SqlText {
        let parts = [
            ("number", &place(step)),
            ("outcome", &literal(outcome.word())),
            ("part", &count(part)),
        ];
        self.fill(
            "UPDATE {table} SET outcome = {outcome}, part = {part}, started_at = clock_timestamp(), finished_at = NULL, said = NULL \
             WHERE schema = {schema} AND run = {run} AND number = {number}",
            &parts,
        )
    }

    /// Says how many of a step's parts are done.
    pub(super) fn reaches(&self, step: &Step, part: usize) -> SqlText {
        let parts = [("number", &place(step)), ("part", &count(part))];
        self.fill(
            "UPDATE {table} SET part = {part} WHERE schema = {schema} AND run = {run} AND number = {number}",
            &parts,
        )
    }

    /// Says that a step has ended.
    pub(super) fn ends(&self, step: &Step, outcome: Outcome) -> SqlText {
        let parts = [
            ("number", &place(step)),
            ("outcome", &literal(outcome.word())),
        ];
        self.fill(
            "UPDATE {table} SET outcome = {outcome}, part = 0, finished_at = clock_timestamp(), said = NULL \
             WHERE schema = {schema} AND run = {run} AND number = {number}",
            &parts,
        )
    }

    /// Says why a step did not end. One that was going forward has failed; one that was taken back is still to be.
    pub(super) fn fails(&self, step: &Step, said: &str) -> SqlText {
        let parts = [("number", &place(step)), ("said", &literal(said))];
        self.fill(
            "UPDATE {table} SET outcome = CASE outcome WHEN 'running' THEN 'failed' ELSE outcome END, said = {said} \
             WHERE schema = {schema} AND run = {run} AND number = {number}",
            &parts,
        )
    }

    /// Seconds until what is old may go, and from when on; negative once it may.
    pub(super) fn contraction(&self, seconds: f64) -> SqlText {
        let wait = literal(&seconds.to_string());
        self.fill(
            "SELECT ceil(extract(epoch FROM at - now()))::bigint, to_char(at, 'YYYY-MM-DD HH24:MI:SS TZ') \
             FROM (SELECT max(finished_at) + make_interval(secs => {wait}::double precision) AS at FROM {table} \
             WHERE schema = {schema} AND run = {run} AND phase <> 'contract') AS switched",
            &[("wait", &wait)],
        )
    }

    /// The line of a step.
    pub(super) fn entry(&self, step: &Step) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.number == step.number)
    }

    /// Whether anything of the run is in the database.
    pub(super) fn is_begun(&self) -> bool {
        self.entries.iter().any(|entry| entry.outcome.is_begun())
    }

    /// Whether all of the run is.
    pub(super) fn is_done(&self) -> bool {
        let mut all = self.entries.iter();
        !self.entries.is_empty() && all.all(|entry| entry.outcome == Outcome::Done)
    }

    /// What sets the run's plan apart from this one.
    pub(super) fn unlike(&self, plan: &Plan) -> Vec<String> {
        let mut lines = Vec::new();
        let most = self.entries.len().max(plan.steps.len());
        for at in 0..most {
            let (was, now) = (self.entries.get(at), plan.steps.get(at));
            lines.push(match (was, now) {
                (Some(was), Some(now)) if was.digest == now.digest() => continue,
                (Some(was), Some(now)) if was.title == now.title => {
                    format!("step {} ({}) runs other statements", was.number, was.title)
                }
                (Some(was), Some(now)) => format!(
                    "step {} was `{}`, and is now `{}`",
                    was.number, was.title, now.title
                ),
                (Some(was), None) => {
                    format!("step {} was `{}`, and is gone", was.number, was.title)
                }
                (None, Some(now)) => format!("step {} is new: `{}`", now.number, now.title),
                (None, None) => continue,
            });
        }
        lines
    }
}

fn entry(row: &[Value]) -> Entry {
    let text = |at: usize| row.get(at).cloned().flatten();
    let whole = |at: usize| text(at).and_then(|n| n.parse().ok()).unwrap_or(0);
    Entry {
        number: whole(0),
        phase: text(1).unwrap_or_default(),
        title: text(2).unwrap_or_default(),
        digest: text(3).unwrap_or_default(),
        outcome: Outcome::of(&text(4).unwrap_or_default()),
        part: whole(5),
        started_at: text(6),
        finished_at: text(7),
        said: text(8),
    }
}

fn place(step: &Step) -> SqlText {
    count(step.number)
}

fn count(of: usize) -> SqlText {
    number(i64::try_from(of).unwrap_or(i64::MAX))
}

/// Whether a phase is the one in which old things go.
pub(super) fn is_contraction(step: &Step) -> bool {
    step.phase == Phase::Contract
}
