//! A command with its arguments, as it really runs; or a single write that no command makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::condition::{Captured, Known};
use super::crash::Crash;
use super::footprint::Footprint;
use crate::design::{Command, Condition, Isolation, StepKind};
use crate::postgres::{Rows, SqlFailure};
use crate::sql::{self, Ident, SqlText, bind};

/// What a program is made from, once for all arguments.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// `assign-case`, or what a raw write does.
    pub title: String,
    /// Whether it is a command of the design.
    pub is_command: bool,
    pub isolation: Isolation,
    pub who: Who,
    /// `app.tenant_id` and the parameter it takes its value from.
    pub setting: Option<(Ident, Ident)>,
    pub steps: Vec<Step>,
    /// Condition and what the caller is told.
    pub outcomes: Vec<(String, String)>,
    /// Conditions on which the whole is run again.
    pub retry: Vec<String>,
    /// When its connection is lost, once, after which the client sends the same request again.
    pub crash: Option<Crash>,
}

/// Who runs a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// The role that owns the database.
    Owner,
    /// A role of the design.
    Role(Ident),
    /// Somebody whom no policy and no privilege stops.
    Anybody,
}

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Sql {
        /// With `$n`.
        sql: SqlText,
        /// What each `$n` stands for.
        params: Vec<String>,
        /// As authored.
        text: String,
        capture: Option<Ident>,
        footprint: Footprint,
    },
    Require {
        condition: Condition,
        text: String,
        otherwise: String,
    },
}

/// A script with arguments.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub script: Arc<Script>,
    pub args: BTreeMap<Ident, Option<String>>,
}

impl PartialEq for Program {
    fn eq(&self, other: &Program) -> bool {
        Arc::ptr_eq(&self.script, &other.script) && self.args == other.args
    }
}

impl Script {
    /// Reads a command.
    pub(super) fn of_command(
        command: &Command,
        who: Who,
        setting: Option<(Ident, Ident)>,
        footprint: &dyn Fn(&str) -> Footprint,
    ) -> Script {
        let steps = command.steps.iter().map(|step| match &step.kind {
            StepKind::Sql { sql, capture } => {
                let bound = bind(sql.as_str());
                Step::Sql {
                    sql: SqlText::authored(bound.sql),
                    params: bound.names,
                    text: sql.as_str().trim().to_owned(),
                    capture: capture.clone(),
                    footprint: footprint(sql.as_str()),
                }
            }
            StepKind::Require {
                condition,
                text,
                otherwise,
            } => Step::Require {
                condition: condition.clone(),
                text: text.as_str().to_owned(),
                otherwise: otherwise
                    .as_ref()
                    .map_or("refused", |name| name.as_str())
                    .to_owned(),
            },
        });
        Script {
            title: command.name.as_str().to_owned(),
            is_command: true,
            isolation: command.isolation,
            who,
            setting,
            steps: steps.collect(),
            outcomes: command
                .outcomes
                .iter()
                .map(|outcome| {
                    (
                        outcome.condition.as_str().to_owned(),
                        outcome.named.as_str().to_owned(),
                    )
                })
                .collect(),
            retry: command
                .retry
                .iter()
                .map(|condition| condition.as_str().to_owned())
                .collect(),
            crash: None,
        }
    }

    /// One transaction of plain statements.
    pub(super) fn of_writes(
        title: String,
        statements: Vec<SqlText>,
        footprint: &dyn Fn(&str) -> Footprint,
    ) -> Script {
        let steps = statements.into_iter().map(|sql| Step::Sql {
            text: sql.as_str().to_owned(),
            footprint: footprint(sql.as_str()),
            sql,
            params: Vec::new(),
            capture: None,
        });
        Script {
            title,
            is_command: false,
            isolation: Isolation::ReadCommitted,
            who: Who::Anybody,
            setting: None,
            steps: steps.collect(),
            outcomes: Vec::new(),
            retry: Vec::new(),
            crash: None,
        }
    }

    /// Its statements.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |step: &Step| match step {
            Step::Sql { text, .. } => Some(text.clone()),
            Step::Require { .. } => None,
        };
        self.steps.iter().filter_map(text).collect()
    }

    /// Whether it may take locks that outlive its transaction.
    pub(super) fn keeps_locks(&self) -> bool {
        let keeps =
            |step: &Step| matches!(step, Step::Sql { text, .. } if text.contains("advisory_lock"));
        self.steps.iter().any(keeps)
    }

    /// What it writes or locks, all statements together, up to and with `step`.
    pub(super) fn writes_until(&self, step: usize) -> Footprint {
        let mut all = Footprint::default();
        for part in self.steps.iter().take(step + 1) {
            if let Step::Sql { footprint, .. } = part {
                all.add(footprint);
            }
        }
        all
    }

    /// All of it.
    pub(super) fn footprint(&self) -> Footprint {
        self.writes_until(self.steps.len())
    }

    /// Position of the first statement.
    pub(super) fn first_statement(&self) -> Option<usize> {
        self.steps
            .iter()
            .position(|step| matches!(step, Step::Sql { .. }))
    }
}

/// What a session does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The statement at this position of the script.
    Statement(usize),
    Commit,
    /// Gives up with this outcome.
    Rollback(String),
    /// Nothing more.
    Nothing,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Committed,
    /// By `require`, or by a declared error: what the caller is told.
    Refused(String),
    /// Retried as often as allowed.
    GaveUp(String),
    /// An error that the command does not declare.
    Undeclared(SqlFailure),
}

/// A program while it runs.
#[derive(Debug)]
pub(super) struct Actor {
    pub program: Program,
    next: usize,
    known: Known,
    /// Whether a transaction is open.
    pub open: bool,
    pub attempts: usize,
    pub ending: Option<Ending>,
    /// Conditions that were evaluated since last asked: position and result.
    pub required: Vec<(usize, bool)>,
    /// Its connection was lost; what runs now was sent again.
    pub crashed: bool,
}

impl Actor {
    pub(super) fn new(program: Program) -> Actor {
        let known = Known {
            params: program.args.clone(),
            captures: BTreeMap::new(),
        };
        Actor {
            program,
            next: 0,
            known,
            open: false,
            attempts: 1,
            ending: None,
            required: Vec::new(),
            crashed: false,
        }
    }

    /// Whether it has not begun.
    pub(super) fn is_fresh(&self) -> bool {
        !self.crashed && self.attempts == 1 && !self.open && self.ending.is_none()
    }

    /// What comes next; conditions on the way are evaluated.
    pub(super) fn act(&mut self) -> Act {
        if self.ending.is_some() {
            return Act::Nothing;
        }
        let script = self.program.script.clone();
        while let Some(step) = script.steps.get(self.next) {
            match step {
                Step::Sql { .. } => return Act::Statement(self.next),
                Step::Require {
                    condition,
                    otherwise,
                    ..
                } => {
                    let holds = self.known.holds(condition);
                    if self.required.last() != Some(&(self.next, holds)) {
                        self.required.push((self.next, holds));
                    }
                    if !holds {
                        if !self.open {
                            self.ending = Some(Ending::Refused(otherwise.clone()));
                            return Act::Nothing;
                        }
                        return Act::Rollback(otherwise.clone());
                    }
                    self.next += 1;
                }
            }
        }
        if self.open {
            return Act::Commit;
        }
        self.ending = Some(Ending::Committed);
        Act::Nothing
    }

    /// Whether this statement may have to wait for what the open transaction holds, or has asked for.
    pub(super) fn may_hold_up(&self, statement: &Footprint) -> bool {
        let mut taken = self.program.script.steps.iter().take(self.next + 1);
        self.open
            && taken.any(|step| match step {
                Step::Sql { footprint, .. } => statement.conflicts(footprint),
                Step::Require { .. } => false,
            })
    }

    /// What a step of its script touches.
    pub(super) fn footprint_of(&self, act: &Act) -> Option<&Footprint> {
        match act {
            Act::Statement(at) => match self.program.script.steps.get(*at) {
                Some(Step::Sql { footprint, .. }) => Some(footprint),
                _ => None,
            },
            _ => None,
        }
    }

    /// Steps that are still to be taken, the end of the transaction included.
    pub(super) fn left(&self) -> usize {
        match self.ending {
            Some(_) => 0,
            None => self.program.script.steps.len().saturating_sub(self.next) + 1,
        }
    }

    /// Values for the `$n` of the statement at `step`.
    pub(super) fn params(&self, step: usize) -> Vec<Option<String>> {
        match self.program.script.steps.get(step) {
            Some(Step::Sql { params, .. }) => {
                params.iter().map(|name| self.known.value(name)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The statement at `step` with its values in place, for people.
    pub(super) fn shown(&self, step: usize) -> String {
        match self.program.script.steps.get(step) {
            Some(Step::Sql { text, .. }) => {
                let value = |name: &str| match self.known.value(name) {
                    Some(text) => sql::literal(&text),
                    None => sql::fixed("NULL"),
                };
                let shown = sql::substitute(text, &value);
                shown
                    .as_str()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Some(Step::Require { text, .. }) => text.clone(),
            None => String::new(),
        }
    }

    /// The statement answered.
    pub(super) fn answered(&mut self, step: usize, rows: &Rows) {
        if let Some(Step::Sql {
            capture: Some(name),
            ..
        }) = self.program.script.steps.get(step)
        {
            let first = rows.rows.first().map(|row| {
                rows.columns
                    .iter()
                    .cloned()
                    .zip(row.iter().cloned())
                    .collect()
            });
            let captured = Captured {
                rows: rows.affected,
                first: first.unwrap_or_default(),
            };
            self.known.captures.insert(name.clone(), captured);
        }
        self.open = true;
        self.next = step + 1;
    }

    /// COMMIT was acknowledged.
    pub(super) fn committed(&mut self) {
        self.open = false;
        self.ending = Some(Ending::Committed);
    }

    /// The connection was lost, and with it all that the client knew beside its request.
    pub(super) fn send_again(&mut self) {
        self.open = false;
        self.crashed = true;
        self.next = 0;
        self.known.captures.clear();
    }

    /// ROLLBACK was acknowledged.
    pub(super) fn gave_up(&mut self, outcome: String) {
        self.open = false;
        self.ending = Some(Ending::Refused(outcome));
    }

    /// A statement or COMMIT failed; the transaction is over. Says whether the whole starts again.
    pub(super) fn failed(&mut self, failure: SqlFailure, retries: usize) -> bool {
        self.open = false;
        let script = &self.program.script;
        let state = failure.sqlstate;
        if script.retry.iter().any(|condition| state.is(condition)) {
            if self.attempts <= retries {
                self.attempts += 1;
                self.next = 0;
                self.known.captures.clear();
                return true;
            }
            self.ending = Some(Ending::GaveUp(
                state.name().unwrap_or(state.code()).to_owned(),
            ));
        }
        if let Some((_, named)) = script
            .outcomes
            .iter()
            .find(|(condition, _)| state.is(condition))
        {
            self.ending = Some(Ending::Refused(named.clone()));
        }
        if self.ending.is_none() {
            self.ending = Some(match script.is_command {
                true => Ending::Undeclared(failure),
                // A raw write that the database refuses is what one hopes for.
                false => Ending::Refused(state.name().unwrap_or(state.code()).to_owned()),
            });
        }
        false
    }
}
