//! What was sent to the server, message by message, with its values in place: for other tools, and to tell what kind of race it is.

use super::message::{begin, shown};
use super::program::{Act, Actor, Step};
use crate::sql::{SqlText, fixed, inline, sequence};

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The statement at this position of the script.
    Statement(usize),
    Commit,
    Rollback,
    /// ROLLBACK after an error, which has undone everything already.
    Tidy,
}

/// A message before it is sent.
#[derive(Debug)]
pub(super) struct Sending {
    /// For people.
    pub shown: String,
    part: Part,
    sql: SqlText,
}

impl Sending {
    /// What a session sends next.
    pub(super) fn of(actor: &Actor, act: &Act) -> Sending {
        let (part, sql) = match act {
            Act::Statement(step) => (Part::Statement(*step), exact(actor, *step)),
            Act::Commit | Act::Nothing => (Part::Commit, fixed("COMMIT")),
            Act::Rollback(_) => (Part::Rollback, fixed("ROLLBACK")),
        };
        Sending {
            shown: shown(actor, act),
            part,
            sql,
        }
    }
}

/// The statement as it is run, but for its being prepared.
fn exact(actor: &Actor, step: usize) -> SqlText {
    let call = match actor.program.script.steps.get(step) {
        Some(Step::Sql { sql, .. }) => inline(sql, &actor.params(step)),
        _ => fixed("SELECT"),
    };
    match actor.open {
        true => call,
        false => sequence(&begin(actor, call)),
    }
}

/// A message that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub session: usize,
    pub part: Part,
    pub sql: SqlText,
    pub waited: bool,
    /// SQLSTATE.
    pub error: Option<String>,
    /// When it was answered, as a place in the order of all that happened; never, where it still waits at the end.
    pub done: Option<usize>,
    /// When it was sent, in the same order.
    pub at: usize,
}

/// Everything that was sent, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    pub sent: Vec<Sent>,
    clock: usize,
}

impl Trace {
    fn tick(&mut self) -> usize {
        self.clock += 1;
        self.clock
    }

    pub(super) fn sent(&mut self, session: usize, sending: Sending) {
        let at = self.tick();
        self.sent.push(Sent {
            session,
            part: sending.part,
            sql: sending.sql,
            waited: false,
            error: None,
            done: None,
            at,
        });
    }

    /// What a session sent last and that is not answered.
    fn open(&mut self, session: usize) -> Option<&mut Sent> {
        let mut open = self.sent.iter_mut().rev();
        open.find(|sent| sent.session == session && sent.done.is_none())
    }

    pub(super) fn waits(&mut self, session: usize) {
        if let Some(sent) = self.open(session) {
            sent.waited = true;
        }
    }

    pub(super) fn answered(&mut self, session: usize) {
        let now = self.tick();
        if let Some(sent) = self.open(session) {
            sent.done = Some(now);
        }
    }

    /// The connection was lost: what was sent has its end, and what was open is undone.
    pub(super) fn lost(&mut self, session: usize) {
        self.answered(session);
        let committed = self
            .sent
            .iter()
            .rev()
            .find(|sent| sent.session == session)
            .is_some_and(|sent| sent.part == Part::Commit);
        if !committed {
            self.tidy(session);
        }
    }

    fn tidy(&mut self, session: usize) {
        let at = self.tick();
        self.sent.push(Sent {
            session,
            part: Part::Tidy,
            sql: fixed("ROLLBACK"),
            waited: false,
            error: None,
            done: Some(at),
            at,
        });
    }

    pub(super) fn failed(&mut self, session: usize, code: &str) {
        let now = self.tick();
        let Some(sent) = self.open(session) else {
            return;
        };
        sent.done = Some(now);
        sent.error = Some(code.to_owned());
        if matches!(sent.part, Part::Statement(_)) {
            self.tidy(session);
        }
    }
}
