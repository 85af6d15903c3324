//! Indexes that are not the implementation of a constraint.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sql::{Ident, SqlText};

/// One key of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexKey {
    /// A quoted column or a parenthesised expression.
    pub expression: SqlText,
    /// The column, where it is one.
    pub column: Option<Ident>,
    /// `COLLATE`.
    pub collation: Option<SqlText>,
    /// Operator class, where not the default one.
    pub opclass: Option<SqlText>,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST; PostgreSQL's default is first for DESC and last for ASC.
    pub nulls_first: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Index {
    /// `btree`, `gin`, `gist`, `brin`, `hash`, `spgist`.
    pub method: Ident,
    /// UNIQUE.
    pub unique: bool,
    /// Keys in order.
    pub keys: Vec<IndexKey>,
    /// INCLUDE columns.
    pub include: Vec<Ident>,
    /// Partial predicate.
    pub predicate: Option<SqlText>,
    /// Storage parameters (`WITH`).
    pub with: BTreeMap<String, String>,
}
