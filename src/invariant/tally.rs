//! Guard tables, told of to whoever has to fill them: a migration that adds a rule finds rows that no trigger has seen.

use crate::sql::{Ident, QualifiedName, SqlText};

/// What a guard table holds of the groups of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The guard table.
    pub guard: QualifiedName,
    /// The table whose rows are counted.
    pub table: QualifiedName,
    /// The columns of a group; none where all rows are one.
    pub per: Vec<Ident>,
    /// The function that counts; none where writers only queue at the guard, which then needs no rows beforehand.
    pub function: Option<QualifiedName>,
    /// Counters, with what they hold: an aggregate over the rows of a group.
    pub totals: Vec<(Ident, SqlText)>,
    /// Finds what breaks the rule.
    pub drift: Option<SqlText>,
}
