//! Commands, events and starting states.

use super::document::Name;
use crate::source::{Span, Text};
use crate::sql::Ident;

/// Isolation level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum Isolation {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl Isolation {
    /// As SQL spells it.
    pub fn sql(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        }
    }
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Name, as in `:name`.
    pub name: Name,
    /// Type as SQL.
    pub data_type: Text,
    /// A typical value.
    pub value: Option<Text>,
}

/// A command.
#[derive(Clone, Debug)]
pub struct Command {
    /// Name.
    pub name: Name,
    /// Who.
    pub actor: Option<Name>,
    /// What, in words.
    pub does: Option<Text>,
    /// Parameters.
    pub params: Vec<Param>,
    /// Isolation level; `read committed` where silent.
    pub isolation: Isolation,
    /// What it does, in order.
    pub steps: Vec<Step>,
    /// SQLSTATE condition name and what the caller is told.
    pub outcomes: Vec<Outcome>,
    /// Condition names on which the whole command is run again.
    pub retry: Vec<Text>,
    /// Parameter that carries the idempotency key.
    pub idempotent_by: Option<Name>,
    /// Events it gives rise to.
    pub emits: Vec<Name>,
    /// Executions a second.
    pub runs: Option<f64>,
    /// Latency in seconds, by percentile: `p95`.
    pub within: Vec<(String, f64)>,
    /// How many are sent in one transaction, and what that is to reach.
    pub batch: Option<Batch>,
}

/// Commands that are sent together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// How many in one transaction.
    pub of: u32,
    /// Commands a second that one session reaches so.
    pub reaches: Option<f64>,
}

/// A declared outcome of an error.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `unique_violation`, or a five-character code.
    pub condition: Text,
    /// What the caller is told.
    pub named: Text,
}

/// One step of a command.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub kind: StepKind,
    /// Where it is written.
    pub at: Span,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// A statement; its first row may be captured.
    Sql {
        /// The statement, with `:name` and `:capture.column`.
        sql: Text,
        /// Name of the captured row.
        capture: Option<Ident>,
    },
    /// A condition; where it is not true the command rolls back with the outcome `otherwise`.
    Require {
        /// The condition.
        condition: Condition,
        /// As written.
        text: Text,
        /// Outcome.
        otherwise: Option<Text>,
    },
}

/// A condition over captures and parameters. Null is handled as in SQL: a comparison with null is not true, but `== null` and `!= null`
/// ask for it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the operators of the language")]
pub enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Operator, Operand, Operand),
    In(Operand, Vec<Operand>),
    /// A boolean value by itself.
    True(Operand),
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the operators of the language")]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value in a condition.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the values of the language")]
pub enum Operand {
    Null,
    Bool(bool),
    /// Kept as written, compared numerically.
    Number(String),
    Text(String),
    Param(Ident),
    Capture(Capture),
    Add(Box<Operand>, Box<Operand>),
    Subtract(Box<Operand>, Box<Operand>),
}

/// A captured value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capture {
    /// `found.rows`: how many rows the statement returned or changed.
    Rows(Ident),
    /// `found.column` of the first row; null where there is none.
    Column(Ident, Ident),
}

/// A fact.
#[derive(Clone, Debug)]
pub struct Event {
    /// Name.
    pub name: Name,
    /// Commands that give rise to it.
    pub by: Vec<Name>,
    /// Payload fields with their types.
    pub payload: Vec<(Name, Text)>,
    /// Payload fields that identify it.
    pub key: Vec<Name>,
    /// Who reads it.
    pub consumers: Vec<Text>,
}

/// Columns of a row with their values; `None` is NULL.
pub type StateRow = Vec<(Name, Option<Text>)>;

/// A starting point for races: rows per table, values as text (`None` is NULL), short values widened to the column's type.
#[derive(Clone, Debug)]
pub struct State {
    /// Name.
    pub name: Name,
    /// Table and its rows.
    pub tables: Vec<(Name, Vec<StateRow>)>,
}
