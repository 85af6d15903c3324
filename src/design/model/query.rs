//! The query catalog.

use super::command::Param;
use super::document::Name;
use crate::source::{Span, Text};

/// What kind of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "language.md: query.kind")]
pub enum QueryKind {
    Interactive,
    Batch,
    Report,
}

/// How a query pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "language.md: query.pages_by")]
pub enum Pagination {
    Keyset,
    Offset,
    None,
}

/// A catalogued query.
#[derive(Clone, Debug)]
pub struct Query {
    /// Name.
    pub name: Name,
    /// What, in words.
    pub does: Option<Text>,
    /// Workload; `interactive` where silent.
    pub kind: QueryKind,
    /// Executions a second.
    pub runs: Option<f64>,
    /// How it pages, where said.
    pub pages_by: Option<Pagination>,
    /// Parameters.
    pub params: Vec<Param>,
    /// One statement.
    pub sql: Text,
    /// `plan:`.
    pub plan: Vec<(Expectation, Span)>,
    /// Team.
    pub owner: Option<Text>,
}

/// One expectation of `plan:`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// Index appears in the plan.
    Uses(Name),
    /// None of these nodes: `seq scan`, `sort` …, with `on TABLE` where narrowed.
    Never {
        /// `seq scan`, `sort`, `hash join`, `nested loop`, `bitmap`, `parallel`, `temp`, `filter-heavy`.
        node: String,
        /// Only on this table.
        on: Option<Name>,
    },
    /// At most so many rows produced by scan nodes before filters.
    Reads(f64),
    /// At most so many rows at the root.
    Returns(f64),
    /// At most so many partitions of a table left after pruning.
    Partitions(u32, Name),
    /// Answered without visiting the heap.
    IndexOnly,
    /// Planner cost.
    Cost(f64),
    /// Shared blocks hit and read.
    Buffers(f64),
    /// Estimated against actual rows, at most this factor apart.
    Estimates(f64),
    /// The plan is the same for typical and worst values of these parameters.
    SamePlanFor(Vec<Name>),
}
