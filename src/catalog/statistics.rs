//! Extended statistics: what the planner is to know of columns together.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::sql::{Ident, SqlText};

/// What is gathered about the columns together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StatisticsKind {
    /// How far one column follows from another.
    Dependencies,
    /// The most common combinations with their shares.
    Mcv,
    /// How many different combinations there are.
    Ndistinct,
}

impl StatisticsKind {
    /// All, in the order of their names.
    pub const ALL: [StatisticsKind; 3] = [
        StatisticsKind::Dependencies,
        StatisticsKind::Mcv,
        StatisticsKind::Ndistinct,
    ];

    /// As SQL spells it.
    pub fn sql(self) -> &'static str {
        match self {
            StatisticsKind::Dependencies => "dependencies",
            StatisticsKind::Mcv => "mcv",
            StatisticsKind::Ndistinct => "ndistinct",
        }
    }
}

/// CREATE STATISTICS. PostgreSQL keeps the columns in the order of the table, whatever the order in which they were named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Kinds; empty where only one expression is looked at.
    pub kinds: BTreeSet<StatisticsKind>,
    /// Columns.
    pub columns: BTreeSet<Ident>,
    /// Expressions, which only a live database has.
    pub expressions: Vec<SqlText>,
}
