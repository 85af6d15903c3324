//! The smallest illegal write and the nearest legal one, as data: played by `verify`.

use crate::sql::{Ident, SqlText};

/// A row that a case puts there, by its number within the case.
pub type RowNumber = usize;

/// What a column is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// An SQL expression.
    Sql(SqlText),
    /// The same value as a column of an earlier row of the case.
    Same(RowNumber, Ident),
    /// A legal value that differs from that of an earlier row of the case.
    Different(RowNumber, Ident),
    /// A legal value that differs from all of these.
    Other(Vec<SqlText>),
    /// Any legal value but NULL.
    Filled,
    /// A key that no row of the referenced table has.
    Dangling,
}

/// One write. Columns that are not named take a legal value that the player makes up, parents included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// A new row.
    Insert {
        /// Number by which later writes know the row.
        row: RowNumber,
        /// Table.
        table: Ident,
        /// Columns that matter.
        set: Vec<(Ident, Value)>,
    },
    /// A change of an earlier row.
    Update {
        /// Which row.
        row: RowNumber,
        /// Columns.
        set: Vec<(Ident, Value)>,
    },
    /// Removal of an earlier row.
    Delete {
        /// Which row.
        row: RowNumber,
    },
    /// Removal of all rows.
    Truncate {
        /// Table.
        table: Ident,
    },
}

/// An illegal write with its nearest legal neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What is tried: `a second active assignment of the same case and role`.
    pub title: String,
    /// Legal writes first, each its own transaction.
    pub before: Vec<Write>,
    /// Must be refused, as one transaction, at the latest at COMMIT.
    pub illegal: Vec<Write>,
    /// SQLSTATEs of which one must come.
    pub sqlstates: Vec<&'static str>,
    /// Must be accepted in its place, as one transaction; empty where nothing is nearer than doing nothing.
    pub legal: Vec<Write>,
}
