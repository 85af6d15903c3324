//! What happened, for people.

use super::crash::Crash;
use super::program::{Act, Script, Step};
use super::reset::Snapshot;
use super::trace::{Sending, Trace};
use crate::finding::{Moment, MomentKind};
use crate::postgres::{Rows, SqlFailure};

/// Rows of a result that are shown.
const SHOWN: usize = 3;

/// Writes down what happens, if asked to.
#[derive(Debug)]
pub(super) struct Recorder {
    on: bool,
    pub moments: Vec<Moment>,
    /// The same for machines: every message as it was sent.
    pub trace: Trace,
    /// What each session is running.
    running: Vec<String>,
}

impl Recorder {
    pub(super) fn new(on: bool) -> Recorder {
        Recorder {
            on,
            moments: Vec::new(),
            trace: Trace::default(),
            running: Vec::new(),
        }
    }

    fn push(&mut self, session: usize, kind: MomentKind, text: String, result: String) {
        if self.on {
            self.moments.push(Moment {
                session,
                kind,
                text,
                result,
            });
        }
    }

    fn running(&self, session: usize) -> String {
        self.running.get(session).cloned().unwrap_or_default()
    }

    pub(super) fn sent(&mut self, session: usize, sending: impl FnOnce() -> Sending) {
        if self.on {
            self.running
                .resize(self.running.len().max(session + 1), String::new());
            let sending = sending();
            self.running[session] = sending.shown.clone();
            self.trace.sent(session, sending);
        }
    }

    pub(super) fn waits(&mut self, session: usize) {
        self.trace.waits(session);
        self.push(
            session,
            MomentKind::Waits,
            self.running(session),
            String::new(),
        );
    }

    pub(super) fn resumed(&mut self, session: usize) {
        self.push(
            session,
            MomentKind::Resumed,
            self.running(session),
            String::new(),
        );
    }

    pub(super) fn required(&mut self, session: usize, text: String, holds: bool) {
        self.push(session, MomentKind::Required, text, holds.to_string());
    }

    pub(super) fn answered(&mut self, session: usize, act: &Act, rows: &Rows) {
        if !self.on {
            return;
        }
        self.trace.answered(session);
        let kind = match act {
            Act::Statement(_) => MomentKind::Ran,
            Act::Commit | Act::Nothing => MomentKind::Committed,
            Act::Rollback(_) => MomentKind::RolledBack,
        };
        let result = match kind {
            MomentKind::Ran => result(rows),
            _ => String::new(),
        };
        self.finish(session, kind, result);
    }

    pub(super) fn failed(&mut self, session: usize, failure: &SqlFailure) {
        if !self.on {
            return;
        }
        self.trace.failed(session, failure.sqlstate.code());
        let name = failure.sqlstate.name().unwrap_or("error");
        let result = format!(
            "ERROR {} {name}: {}",
            failure.sqlstate.code(),
            failure.message
        );
        self.finish(session, MomentKind::Ran, result);
        self.push(
            session,
            MomentKind::RolledBack,
            "ROLLBACK".to_owned(),
            String::new(),
        );
    }

    /// The connection was lost at COMMIT; the client only knows that it has no answer.
    pub(super) fn lost(&mut self, session: usize, when: Crash) {
        let what = match when {
            Crash::BeforeCommit => "the server had not committed",
            Crash::AfterCommit => "the server had committed",
        };
        let result = format!(
            "connection lost before COMMIT was acknowledged; {what}; the client sends the same request again"
        );
        if self.on {
            self.trace.lost(session);
        }
        self.push(session, MomentKind::Lost, "COMMIT".to_owned(), result);
    }

    pub(super) fn again(&mut self, session: usize) {
        if let Some(moment) = self
            .moments
            .last_mut()
            .filter(|moment| moment.session == session)
        {
            moment.result = "the command is run again".to_owned();
        }
    }

    /// A statement that had to wait has its result where it went on.
    fn finish(&mut self, session: usize, kind: MomentKind, result: String) {
        if let Some(last) = self.moments.last_mut()
            && last.session == session
            && last.kind == MomentKind::Resumed
            && kind == MomentKind::Ran
        {
            last.result = result;
            return;
        }
        self.push(session, kind, self.running(session), result);
    }
}

fn result(rows: &Rows) -> String {
    let count = match rows.affected {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    };
    if rows.rows.is_empty() || rows.columns.is_empty() {
        return count;
    }
    let row = |row: &Vec<Option<String>>| {
        let values: Vec<&str> = row
            .iter()
            .map(|value| value.as_deref().unwrap_or("null"))
            .collect();
        format!("({})", values.join(", "))
    };
    let mut shown: Vec<String> = rows.rows.iter().take(SHOWN).map(row).collect();
    if rows.rows.len() > SHOWN {
        shown.push("…".to_owned());
    }
    format!("{count}: {}", shown.join(", "))
}

impl Script {
    /// A condition as written.
    pub(super) fn shown_condition(&self, step: usize) -> String {
        match self.steps.get(step) {
            Some(Step::Require { text, .. }) => text.clone(),
            _ => String::new(),
        }
    }
}

/// Rows of a state, one line each: `regulatory_case(case_id=1, …)`. Columns that are null are left out.
pub(super) fn start(snapshot: &Snapshot) -> Vec<String> {
    let mut lines = Vec::new();
    for stored in &snapshot.tables {
        for row in &stored.rows {
            let values =
                stored.columns.iter().zip(row).filter_map(|(name, value)| {
                    Some(format!("{}={}", name.as_str(), value.as_ref()?))
                });
            lines.push(format!(
                "{}({})",
                stored.name.name.as_str(),
                values.collect::<Vec<_>>().join(", ")
            ));
        }
    }
    lines
}
