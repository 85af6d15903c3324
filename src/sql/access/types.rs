//! What is known of one use of a table.

use std::collections::BTreeSet;

use super::super::facts::Names;
use super::super::ident::{Ident, SqlText};
use super::kind::Kind;

/// Names with the types of columns: whether `lower(x)` is the same for ever depends on what `x` is.
pub trait TypedNames: Names {
    /// The type of a column as SQL, a domain's base in place of a domain; `None` for a column that is not known.
    fn type_of(&self, table: &str, column: &str) -> Option<String>;
}

/// What an index could hold: a column, or an expression that is the same for the same row for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// As CREATE INDEX takes it: a quoted column, a call, or an expression in parentheses.
    pub expression: SqlText,
    /// The column, where it is one.
    pub column: Option<Ident>,
    /// What kind of value it is.
    pub kind: Kind,
}

/// How a key is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `=`, `IS NOT DISTINCT FROM`, a boolean column by itself.
    Equal,
    /// `IN`, `= ANY`.
    In,
    /// `<`, `<=`, `>`, `>=`, BETWEEN; of rows with several keys.
    Range,
    /// IS NULL.
    IsNull,
    /// LIKE or `^@`; the pattern, where it is written down.
    Like(Option<String>),
    /// ILIKE, `~`, `~*`.
    Matches,
    /// `%` of pg_trgm.
    Similar,
    /// `@>`, the key on the left.
    Contains,
    /// `<@`, the key on the left.
    ContainedBy,
    /// `&&`.
    Overlaps,
    /// `?`, `?|`, `?&`.
    HasKey,
    /// `@?`, and `@@` over jsonb or a text search vector.
    Search,
    /// Anything else; without keys.
    Other,
}

/// What a key is tested against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// Something written down.
    Constant,
    /// Something that is known before the table is read: a parameter, the clock, a column of a query further out.
    Value,
    /// Columns of what stands beside it in FROM, by the name of that.
    Rows(String),
}

/// Something that must hold of every row that the statement takes from the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// How.
    pub test: Test,
    /// What is tested; several where rows are compared, none where no index could help.
    pub keys: Vec<Key>,
    /// Against what.
    pub against: Against,
    /// The condition as the predicate of a partial index, where it can be one.
    pub constant: Option<SqlText>,
    /// Columns that the table must give so that it can be tested.
    pub columns: BTreeSet<Ident>,
}

/// One key of an ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// What.
    pub key: Key,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST, also where DESC implies it.
    pub nulls_first: bool,
}

/// One use of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Name; with its schema where that is not the design's.
    pub table: String,
    /// Conditions, in the order in which they are written.
    pub conditions: Vec<Condition>,
    /// ORDER BY, where it is over this table alone.
    pub order: Vec<SortKey>,
    /// Whether not all rows are asked for: LIMIT or FETCH.
    pub limit: bool,
    /// Columns used, those apart that only conditions name which could be a predicate; `None` where whole rows are.
    pub columns: Option<BTreeSet<Ident>>,
}
