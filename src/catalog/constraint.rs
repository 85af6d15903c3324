//! Constraints of a table.

use serde::Serialize;

use crate::sql::{Ident, QualifiedName, SqlText};

/// UNIQUE or PRIMARY KEY.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unique {
    /// In order.
    pub columns: Vec<Ident>,
    /// `DEFERRABLE INITIALLY DEFERRED`.
    pub deferred: bool,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Boolean expression over one row.
    pub expression: SqlText,
}

/// What happens to children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "PostgreSQL's own words")]
pub enum OnDelete {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl OnDelete {
    /// As SQL spells it.
    pub fn sql(self) -> &'static str {
        match self {
            OnDelete::NoAction => "NO ACTION",
            OnDelete::Restrict => "RESTRICT",
            OnDelete::Cascade => "CASCADE",
            OnDelete::SetNull => "SET NULL",
            OnDelete::SetDefault => "SET DEFAULT",
        }
    }
}

/// A FOREIGN KEY constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForeignKey {
    /// Referencing columns.
    pub columns: Vec<Ident>,
    /// Referenced table.
    pub table: QualifiedName,
    /// Referenced columns, as many.
    pub key: Vec<Ident>,
    /// ON DELETE.
    pub on_delete: OnDelete,
    /// ON UPDATE.
    pub on_update: OnDelete,
    /// `DEFERRABLE INITIALLY DEFERRED`.
    pub deferred: bool,
}

/// An EXCLUDE constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exclusion {
    /// `gist`.
    pub method: Ident,
    /// Expression (or column) with its operator.
    pub elements: Vec<(SqlText, String)>,
    /// Partial predicate.
    pub predicate: Option<SqlText>,
    /// `DEFERRABLE INITIALLY DEFERRED`.
    pub deferred: bool,
}
