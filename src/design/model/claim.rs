//! What must never be false.

use super::document::Name;
use crate::source::{Span, Text};

/// Where an invariant is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "language.md: invariant.enforced")]
pub enum Enforcement {
    Constraint,
    Trigger,
    Policy,
    Transaction,
    Application,
    Reconciliation,
    Procedure,
}

impl Enforcement {
    /// The word users write.
    pub fn word(self) -> &'static str {
        match self {
            Enforcement::Constraint => "constraint",
            Enforcement::Trigger => "trigger",
            Enforcement::Policy => "policy",
            Enforcement::Transaction => "transaction",
            Enforcement::Application => "application",
            Enforcement::Reconciliation => "reconciliation",
            Enforcement::Procedure => "procedure",
        }
    }

    /// Whether the database itself is said to enforce, so that no statement may break the rule.
    pub fn is_databases(self) -> bool {
        matches!(
            self,
            Enforcement::Constraint | Enforcement::Trigger | Enforcement::Policy
        )
    }
}

/// `monitor:`.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// How often, as written.
    pub every: Option<Text>,
    /// Who is told.
    pub alert: Option<Text>,
}

/// An invariant.
#[derive(Clone, Debug)]
pub struct Invariant {
    /// Name (kebab-case, not an SQL name).
    pub name: Name,
    /// In words.
    pub never: Option<Text>,
    /// Why.
    pub because: Option<Text>,
    /// The typed clause.
    pub rule: Rule,
    /// Where the clause's key is written.
    pub rule_at: Span,
    /// Settled: as written, else what the kind prefers.
    pub enforced: Enforcement,
    /// Where `enforced` is written, if it is.
    pub enforced_at: Option<Span>,
    /// Name of the derived object.
    pub derived_name: Option<Name>,
    /// Commands to race, beside those found.
    pub raced_by: Vec<Name>,
    /// These, and not those found.
    pub raced_only: bool,
    /// Detective control.
    pub monitor: Option<Monitor>,
    /// What to do when it happened.
    pub repair: Option<Text>,
}

/// The word for an invariant's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "language.md: invariant kinds")]
pub enum InvariantKind {
    Required,
    Unique,
    AtMostOne,
    ExactlyOne,
    AtMost,
    Check,
    NoOverlap,
    References,
    Balanced,
    AppendOnly,
    Immutable,
    Transitions,
    Monotonic,
    Isolated,
    Idempotent,
    Mirrors,
    Retained,
    Holds,
}

/// A bound on a count or sum.
#[derive(Clone, Debug)]
pub enum Limit {
    /// A constant, as SQL.
    Number(Text),
    /// A column of the parent.
    Column {
        /// Parent table.
        table: Name,
        /// Its column.
        column: Name,
    },
}

/// How an interval is given.
#[derive(Clone, Debug)]
pub enum Overlap {
    /// Two columns; a null `to` is open.
    FromTo(Name, Name),
    /// A range column.
    Period(Name),
}

/// The typed clause of an invariant.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "fields carry the language's own names; language.md: invariant kinds"
)]
pub enum Rule {
    RequiredColumns {
        table: Name,
        columns: Vec<Name>,
        predicate: Option<Text>,
    },
    RequiredChild {
        table: Name,
        child: Name,
        predicate: Option<Text>,
    },
    Unique {
        table: Name,
        columns: Vec<Name>,
        predicate: Option<Text>,
    },
    AtMostOne {
        table: Name,
        per: Vec<Name>,
        predicate: Option<Text>,
    },
    /// `parent`: the table that lists the groups, found through a reference of `table` over `per`; absent where there is none.
    ExactlyOne {
        table: Name,
        per: Vec<Name>,
        predicate: Option<Text>,
    },
    /// `sum`: absent means count.
    AtMost {
        table: Name,
        per: Vec<Name>,
        sum: Option<Text>,
        limit: Limit,
        predicate: Option<Text>,
    },
    Check {
        table: Name,
        is: Text,
        predicate: Option<Text>,
    },
    NoOverlap {
        table: Name,
        per: Vec<Name>,
        interval: Overlap,
        predicate: Option<Text>,
    },
    References {
        table: Name,
        columns: Vec<Name>,
        to: Name,
        key: Vec<Name>,
        predicate: Option<Text>,
    },
    Balanced {
        table: Name,
        per: Vec<Name>,
        sum: Text,
        equals: Limit,
        predicate: Option<Text>,
    },
    AppendOnly {
        table: Name,
        predicate: Option<Text>,
    },
    /// `columns` empty: all.
    Immutable {
        table: Name,
        columns: Vec<Name>,
        once: Option<Text>,
    },
    Transitions {
        table: Name,
        column: Name,
        initial: Vec<Text>,
        allow: Vec<(Text, Vec<Text>)>,
        terminal: Vec<Text>,
        predicate: Option<Text>,
    },
    Monotonic {
        table: Name,
        column: Name,
        strictly: bool,
        predicate: Option<Text>,
    },
    Isolated {
        tables: Vec<Name>,
        by: Name,
        setting: Text,
        role: Name,
    },
    Idempotent {
        command: Name,
        key: Name,
        request: Vec<Name>,
    },
    Mirrors {
        projection: Name,
    },
    Retained {
        table: Name,
    },
    Holds {
        sql: Text,
    },
}

impl Rule {
    /// The kind.
    pub fn kind(&self) -> InvariantKind {
        match self {
            Rule::RequiredColumns { .. } | Rule::RequiredChild { .. } => InvariantKind::Required,
            Rule::Unique { .. } => InvariantKind::Unique,
            Rule::AtMostOne { .. } => InvariantKind::AtMostOne,
            Rule::ExactlyOne { .. } => InvariantKind::ExactlyOne,
            Rule::AtMost { .. } => InvariantKind::AtMost,
            Rule::Check { .. } => InvariantKind::Check,
            Rule::NoOverlap { .. } => InvariantKind::NoOverlap,
            Rule::References { .. } => InvariantKind::References,
            Rule::Balanced { .. } => InvariantKind::Balanced,
            Rule::AppendOnly { .. } => InvariantKind::AppendOnly,
            Rule::Immutable { .. } => InvariantKind::Immutable,
            Rule::Transitions { .. } => InvariantKind::Transitions,
            Rule::Monotonic { .. } => InvariantKind::Monotonic,
            Rule::Isolated { .. } => InvariantKind::Isolated,
            Rule::Idempotent { .. } => InvariantKind::Idempotent,
            Rule::Mirrors { .. } => InvariantKind::Mirrors,
            Rule::Retained { .. } => InvariantKind::Retained,
            Rule::Holds { .. } => InvariantKind::Holds,
        }
    }
}

impl InvariantKind {
    /// The key users write.
    pub fn word(self) -> &'static str {
        match self {
            InvariantKind::Required => "required",
            InvariantKind::Unique => "unique",
            InvariantKind::AtMostOne => "at_most_one",
            InvariantKind::ExactlyOne => "exactly_one",
            InvariantKind::AtMost => "at_most",
            InvariantKind::Check => "check",
            InvariantKind::NoOverlap => "no_overlap",
            InvariantKind::References => "references",
            InvariantKind::Balanced => "balanced",
            InvariantKind::AppendOnly => "append_only",
            InvariantKind::Immutable => "immutable",
            InvariantKind::Transitions => "transitions",
            InvariantKind::Monotonic => "monotonic",
            InvariantKind::Isolated => "isolated",
            InvariantKind::Idempotent => "idempotent",
            InvariantKind::Mirrors => "mirrors",
            InvariantKind::Retained => "retained",
            InvariantKind::Holds => "holds",
        }
    }

    /// What enforces it best; `None` where only the design can say (`holds`, `mirrors`, `retained`).
    pub fn preferred(self) -> Enforcement {
        use InvariantKind::*;
        match self {
            Required | Unique | AtMostOne | ExactlyOne | Check | NoOverlap | References
            | Idempotent => Enforcement::Constraint,
            AtMost | Balanced | AppendOnly | Immutable | Transitions | Monotonic => {
                Enforcement::Trigger
            }
            Isolated => Enforcement::Policy,
            Mirrors => Enforcement::Reconciliation,
            Retained => Enforcement::Procedure,
            Holds => Enforcement::Transaction,
        }
    }

    /// All enforcements it can have, best first.
    pub fn allowed(self) -> &'static [Enforcement] {
        use Enforcement::*;
        use InvariantKind as K;
        match self {
            K::Required | K::Unique | K::AtMostOne | K::NoOverlap | K::References | K::Check => &[
                Constraint,
                Trigger,
                Transaction,
                Application,
                Reconciliation,
                Procedure,
            ],
            K::ExactlyOne | K::AtMost | K::Balanced => &[
                Constraint,
                Trigger,
                Transaction,
                Application,
                Reconciliation,
                Procedure,
            ],
            K::AppendOnly | K::Immutable | K::Transitions | K::Monotonic => {
                &[Trigger, Transaction, Application, Reconciliation, Procedure]
            }
            K::Isolated => &[Policy, Application],
            K::Idempotent => &[Constraint, Transaction, Application],
            K::Mirrors => &[Transaction, Trigger, Application, Reconciliation, Procedure],
            K::Retained => &[Procedure, Application, Reconciliation],
            K::Holds => &[
                Transaction,
                Application,
                Reconciliation,
                Procedure,
                Constraint,
                Trigger,
            ],
        }
    }
}

/// What a projection is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "language.md: projection.kind")]
pub enum ProjectionKind {
    Table,
    MaterializedView,
    External,
}

/// A derived store.
#[derive(Clone, Debug)]
pub struct Projection {
    /// Name; of kind `table` it may equal a table of `tables:`.
    pub name: Name,
    /// Tables it is made from.
    pub source: Vec<Name>,
    /// Stored as. Where silent: `table` if `columns` are given or a table of that name exists, else `external` without `rebuild`,
    /// else `materialized view`.
    pub kind: ProjectionKind,
    /// Columns, of kind `table` declared here.
    pub columns: Vec<super::table::Column>,
    /// Key.
    pub key: Vec<Name>,
    /// The query it must equal.
    pub rebuild: Option<Text>,
    /// Event and SQL that update it.
    pub updated_by: Option<(Option<Name>, Option<Text>)>,
    /// As written.
    pub freshness: Option<Text>,
    /// Team.
    pub owner: Option<Text>,
}
