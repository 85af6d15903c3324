//! A claim was tried, and what came of it.

use std::time::Duration;

use super::replay::{Anomaly, Replay};
use super::verdict::Verdict;
use crate::source::Span;

/// Something the design says that could be false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is about: `invariant one-active-assignment`, `query active-queue`.
    pub subject: String,
    /// What is claimed, in the design's words.
    pub statement: String,
    /// Where the design says it.
    pub at: Option<Span>,
}

/// How a claim was tried. The names are fixed by the product's report format.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "the words are the documentation; product.md, `What verify does`"
)]
pub enum Method {
    Static,
    Build,
    Reject,
    Race,
    Attack,
    Plan,
    Age,
    Deliver,
    Migrate,
    Restore,
    Mutate,
}

impl Method {
    /// The word users read.
    pub fn word(self) -> &'static str {
        match self {
            Method::Static => "static",
            Method::Build => "build",
            Method::Reject => "reject",
            Method::Race => "race",
            Method::Attack => "attack",
            Method::Plan => "plan",
            Method::Age => "age",
            Method::Deliver => "deliver",
            Method::Migrate => "migrate",
            Method::Restore => "restore",
            Method::Mutate => "mutate",
        }
    }
}

/// Under what a claim was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Setting {
    /// `15.18`, as the server says it; absent where none was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// Reproduces arguments, states and samples.
    pub seed: u64,
    /// Volume point: `sample of 20,000 rows`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
}

/// What shows that a claim is false.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Counterexample {
    /// Sessions that interleave; drawn as a timeline, one column per session.
    Timeline {
        /// Session titles, `A: assign-case`.
        sessions: Vec<String>,
        /// Rows that were there at the start, one line each: `regulatory_case(case_id=1, …)`.
        start: Vec<String>,
        /// What happened, in order.
        moments: Vec<Moment>,
        /// Rows that break the claim, column names first.
        rows: Table,
        /// What kind of race it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        anomaly: Option<Anomaly>,
        /// What is needed to run it again.
        #[serde(skip_serializing_if = "Option::is_none")]
        replay: Option<Box<Replay>>,
    },
    /// One statement or a few, and what the server said.
    Statements {
        /// What was run, in order.
        sql: Vec<String>,
        /// What was expected.
        expected: String,
        /// What happened.
        found: String,
    },
    /// A plan with the node at fault.
    Plan {
        /// Compact tree, one line a node, children indented by two blanks.
        tree: Vec<String>,
        /// Indices into `tree` of the nodes at fault.
        at_fault: Vec<usize>,
    },
    /// Differences between what was expected and what the server has.
    Differences {
        /// One line each.
        lines: Vec<String>,
    },
}

impl Counterexample {
    /// What is needed to run it again, where it can be.
    pub fn replay(&self) -> Option<&Replay> {
        match self {
            Counterexample::Timeline { replay, .. } => replay.as_deref(),
            _ => None,
        }
    }

    /// The same, to be completed by who knows more.
    pub fn replay_mut(&mut self) -> Option<&mut Replay> {
        match self {
            Counterexample::Timeline { replay, .. } => replay.as_deref_mut(),
            _ => None,
        }
    }
}

/// Rows with their column names.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Table {
    /// Column names.
    pub columns: Vec<String>,
    /// Values as text; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// One thing that happened in a timeline.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moment {
    /// Index into `sessions`.
    pub session: usize,
    /// What kind of thing.
    pub kind: MomentKind,
    /// The statement or condition with its values filled in.
    pub text: String,
    /// What came back: `1 row: (open)`, `ERROR 23505 unique_violation: …`; empty for waits.
    pub result: String,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MomentKind {
    /// A statement ran to its end.
    Ran,
    /// A statement was sent and waits for a lock.
    Waits,
    /// A waiting statement went on.
    Resumed,
    /// A condition of the command was evaluated.
    Required,
    /// COMMIT.
    Committed,
    /// ROLLBACK, by the command or by an error.
    RolledBack,
    /// The connection was lost before COMMIT was acknowledged; the client sends the same request again.
    Lost,
}

/// A plan at one moment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PlanAt {
    /// `now`, `in 3 years`.
    pub when: String,
    /// One line a node, children indented by two blanks, without costs and rows: what makes two plans the same.
    pub nodes: Vec<String>,
}

/// A claim was tried, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Stable: `design/method/subject`.
    pub id: String,
    /// The design's name.
    pub design: String,
    /// What was claimed.
    pub claim: Claim,
    /// How it was tried.
    pub method: Method,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, in one line: for `unchecked` and `vacuous` always.
    pub reason: Option<String>,
    /// Within what everything was tried: `2 sessions, 12 pairs, …`. Always for `proven` and `held`.
    pub bounds: Option<String>,
    /// Numbers by name: schedules, cases, mutants_made, mutants_killed …
    pub figures: Vec<(String, f64)>,
    /// What was measured, where that is more than a few numbers: a line for each table, index or command.
    pub measured: Option<Table>,
    /// Of a query: its plans.
    pub plans: Vec<PlanAt>,
    /// What refutes it.
    pub counterexample: Option<Counterexample>,
    /// Under what.
    pub setting: Setting,
    /// The command line that does it again.
    pub reproduce: String,
    /// How long it took.
    pub duration: Duration,
    /// When it was tried (UTC, `2026-11-27T18:40:03Z`), where it is an earlier run's: nothing that it depends on has changed since.
    pub cached: Option<String>,
}
