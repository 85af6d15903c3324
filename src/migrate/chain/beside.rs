//! What is so of a schema, and is not in the catalog; and the ways through it that a long chain needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Partitioning, Table};
use crate::migrate::lock::LockMode;
use crate::sql::{Ident, QualifiedName, TokenKind, fold, tokens};

/// Facts beside the catalog, brought about by the statements of a chain, and indexes into the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Foreign keys (and constraints of domains) that are NOT VALID. Of a CHECK its expression says so.
    pub unproven: BTreeSet<(QualifiedName, Ident)>,
    /// NOT NULL constraints that are NOT VALID (18), with their columns.
    pub unproven_not_null: BTreeMap<(QualifiedName, Ident), Ident>,
    /// Constraints that a partition has and its parent has not.
    pub own: BTreeMap<QualifiedName, Table>,
    /// Relations that nobody uses yet: made in the open transaction, or by the migration at hand. Nobody waits for them.
    pub fresh: BTreeSet<QualifiedName>,
    /// Columns that the migration at hand has added: no program uses their names yet.
    pub fresh_columns: BTreeSet<(QualifiedName, Ident)>,
    /// Types of columns of tables that are not in the catalog, where a statement has said them.
    pub learnt: BTreeMap<(QualifiedName, Ident), String>,
    /// Values of enums that were added in the open transaction.
    pub fresh_values: BTreeSet<(QualifiedName, String)>,
    /// Columns that came without a value, and were not written since: null in every row.
    pub empty: BTreeSet<(QualifiedName, Ident)>,
    /// Materialised views that were never filled: nobody can read them yet.
    pub unfilled: BTreeSet<QualifiedName>,
    /// Tables that inherit, by parent (partitions apart).
    pub children: BTreeMap<QualifiedName, BTreeSet<QualifiedName>>,
    /// Locks of the open transaction for which somebody who writes has to wait.
    pub held: BTreeMap<QualifiedName, LockMode>,
    /// Relations that were put into a tablespace of their own.
    pub elsewhere: BTreeSet<QualifiedName>,
    /// Schemas in which a bare name is looked for first; `public` where none are set.
    pub search_path: Vec<Ident>,
    /// Whether the session's time zone is known to be UTC: timestamps with and without one are then the same bytes.
    pub is_utc: bool,
    /// Whether the catalog is all there is: a table that is not in it does not exist.
    pub is_whole: bool,
    /// Partitions that are partitioned themselves.
    pub parted: BTreeMap<QualifiedName, Partitioning>,
    /// Of each partition the table whose columns it has: its parent, or that one's parent in turn.
    pub(in crate::migrate) partitions: BTreeMap<QualifiedName, QualifiedName>,
    /// Table of each index, also of those behind constraints.
    pub(in crate::migrate) indexes: BTreeMap<QualifiedName, QualifiedName>,
    /// Foreign keys by the table they point at.
    pub(in crate::migrate) pointing: BTreeMap<QualifiedName, BTreeSet<(QualifiedName, Ident)>>,
    /// Names of views.
    views: BTreeSet<QualifiedName>,
    /// Views by each word of their queries.
    mentions: BTreeMap<String, BTreeSet<QualifiedName>>,
}

impl Beside {
    /// Of a schema that is the whole one, and in use.
    pub fn of(catalog: &Catalog) -> Beside {
        let mut beside = Beside {
            is_whole: true,
            ..Beside::default()
        };
        for (name, table) in &catalog.tables {
            beside.enter(name, table);
        }
        for (name, view) in &catalog.views {
            beside.enter_view(name, view.query.as_str());
        }
        beside
    }

    /// Whether a relation is in this tablespace already: in `pg_default` is whatever no statement has put elsewhere.
    pub(in crate::migrate) fn is_there(&self, name: &QualifiedName, place: Option<&Ident>) -> bool {
        is_usual(place) && !self.elsewhere.contains(name)
    }

    /// Puts a relation into a tablespace.
    pub(super) fn put_into(&mut self, name: &QualifiedName, place: Option<&Ident>) {
        if is_usual(place) {
            self.elsewhere.remove(name);
        } else {
            self.elsewhere.insert(name.clone());
        }
    }

    /// Takes up the ways that lead to and from a table.
    pub(super) fn enter(&mut self, name: &QualifiedName, table: &Table) {
        let within = |own: &Ident| QualifiedName::new(name.schema.clone(), own.clone());
        let partitions = table.partitioning.iter().flat_map(|by| &by.partitions);
        for partition in partitions {
            self.partitions
                .insert(within(&partition.name), name.clone());
        }
        for index in table.indexes.keys().chain(table.indexed_constraints()) {
            self.indexes.insert(within(index), name.clone());
        }
        for (own, key) in &table.foreign_keys {
            let pointing = self.pointing.entry(key.table.clone()).or_default();
            pointing.insert((name.clone(), own.clone()));
        }
    }

    /// Forgets the ways that lead to and from a table.
    pub(super) fn leave(&mut self, name: &QualifiedName, table: &Table) {
        let within = |own: &Ident| QualifiedName::new(name.schema.clone(), own.clone());
        for partition in table.partitioning.iter().flat_map(|by| &by.partitions) {
            self.partitions.remove(&within(&partition.name));
        }
        for index in table.indexes.keys().chain(table.indexed_constraints()) {
            self.indexes.remove(&within(index));
        }
        for (own, key) in &table.foreign_keys {
            if let Some(pointing) = self.pointing.get_mut(&key.table) {
                pointing.remove(&(name.clone(), own.clone()));
            }
        }
    }

    pub(super) fn enter_view(&mut self, name: &QualifiedName, query: &str) {
        self.views.insert(name.clone());
        for word in words(query) {
            self.mentions.entry(word).or_default().insert(name.clone());
        }
    }

    pub(super) fn leave_view(&mut self, name: &QualifiedName, query: &str) {
        self.views.remove(name);
        for word in words(query) {
            if let Some(views) = self.mentions.get_mut(&word) {
                views.remove(name);
            }
        }
    }

    /// Whether there is a view of this name.
    pub(in crate::migrate) fn has_view(&self, name: &QualifiedName) -> bool {
        self.views.contains(name)
    }

    /// Views whose queries speak of a relation.
    pub(in crate::migrate) fn views_of(&self, relation: &QualifiedName) -> BTreeSet<QualifiedName> {
        let found = self.mentions.get(relation.name.as_str());
        let mut found = found.cloned().unwrap_or_default();
        found.remove(relation);
        found
    }
}

fn is_usual(place: Option<&Ident>) -> bool {
    place.is_some_and(|place| place.as_str() == "pg_default")
}

/// Names in a query.
pub(in crate::migrate) fn words(query: &str) -> BTreeSet<String> {
    tokens(query)
        .iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent))
        .map(|token| fold(token.text(query)))
        .collect()
}
