//! Looking names up in the schema before a statement.

use crate::catalog::{Catalog, Check, Column, PartitionBound, Partitioning, Table, UserType, View};
use crate::migrate::chain::Beside;
use crate::sql::{Ident, Named, QualifiedName, TokenKind, tokens};

/// The schema before a statement, and the server's major version.
#[derive(Clone, Copy)]
pub(in crate::migrate) struct Look<'a> {
    pub(in crate::migrate) catalog: &'a Catalog,
    pub(in crate::migrate) beside: &'a Beside,
    pub(in crate::migrate) version: u16,
}

/// What a name of a relation stands for.
#[derive(Clone, Copy)]
pub(in crate::migrate) enum Found<'a> {
    /// A table, partitioned or not.
    Table(&'a Table),
    /// A partition, whose columns and constraints are its parent's.
    Partition(&'a QualifiedName, &'a Table),
    /// A view or materialised view.
    View(&'a View),
    /// Nothing that the catalog knows.
    Nothing,
}

impl<'a> Look<'a> {
    /// The schemas in which a bare name may be, in order.
    fn places(&self) -> impl Iterator<Item = Ident> + '_ {
        let path = self.beside.search_path.iter().cloned();
        let public = std::iter::once(Ident::new("public"));
        path.chain(public)
            .chain(self.catalog.schemas.iter().cloned())
    }

    /// A name with its schema: the first in which `is` says that it is; else where it would be made.
    fn settle(&self, named: &Named, is: impl Fn(&QualifiedName) -> bool) -> QualifiedName {
        if let Some(schema) = &named.schema {
            return QualifiedName::new(schema.clone(), named.name.clone());
        }
        let found = self
            .places()
            .map(|schema| QualifiedName::new(schema, named.name.clone()))
            .find(is);
        found.unwrap_or_else(|| self.made(named))
    }

    /// Where a new object of this name is made.
    pub(in crate::migrate) fn made(&self, named: &Named) -> QualifiedName {
        let first = self.places().next();
        named.within(&first.unwrap_or_else(|| Ident::new("public")))
    }

    /// The relation of a name.
    pub(in crate::migrate) fn relation(&self, named: &Named) -> (QualifiedName, Found<'a>) {
        let name = self.settle(named, |name| !matches!(self.found(name), Found::Nothing));
        let found = self.found(&name);
        (name, found)
    }

    /// What is of this name.
    pub(in crate::migrate) fn found(&self, name: &QualifiedName) -> Found<'a> {
        if let Some(table) = self.catalog.tables.get(name) {
            return Found::Table(table);
        }
        if let Some(parent) = self.beside.partitions.get(name)
            && let Some(table) = self.catalog.tables.get(parent)
        {
            return Found::Partition(parent, table);
        }
        self.view(name).map_or(Found::Nothing, Found::View)
    }

    fn view(&self, name: &QualifiedName) -> Option<&'a View> {
        if !self.beside.has_view(name) {
            return None;
        }
        let views = &self.catalog.views;
        let found = views.iter().find(|(own, _)| own == name);
        found.map(|(_, view)| view)
    }

    /// The index of a name, with its table.
    pub(in crate::migrate) fn index(
        &self,
        named: &Named,
    ) -> (QualifiedName, Option<QualifiedName>) {
        let name = self.settle(named, |name| self.beside.indexes.contains_key(name));
        let table = self.beside.indexes.get(&name).cloned();
        (name, table)
    }

    /// The extended statistics of a name, with their table.
    pub(in crate::migrate) fn statistics(
        &self,
        named: &Named,
    ) -> (QualifiedName, Option<QualifiedName>) {
        let of = |name: &QualifiedName| {
            let mut tables = self.catalog.tables.iter();
            let (table, _) = tables.find(|(table, own)| {
                table.schema == name.schema && own.statistics.contains_key(&name.name)
            })?;
            Some(table.clone())
        };
        let name = self.settle(named, |name| of(name).is_some());
        let table = of(&name);
        (name, table)
    }

    /// The type of a name, where the schema defines it.
    pub(in crate::migrate) fn user_type(
        &self,
        named: &Named,
    ) -> (QualifiedName, Option<&'a UserType>) {
        let name = self.settle(named, |name| self.catalog.types.contains_key(name));
        let found = self.catalog.types.get(&name).map(|(own, _)| own);
        (name, found)
    }

    /// Where the rows of a relation are: its partitions and the tables that inherit from it, or itself.
    pub(in crate::migrate) fn leaves(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        let mut all = vec![name.clone()];
        all.extend(self.below(name));
        all.retain(|own| self.partitioning(own).is_none());
        all
    }

    /// Partitions of a table, theirs, and the tables that inherit from it.
    pub(in crate::migrate) fn below(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        let mut found = Vec::new();
        for child in self.parts(name) {
            found.push(child.clone());
            found.extend(self.below(&child));
        }
        found
    }

    /// Partitions of a table, and the tables that inherit from it, without theirs.
    pub(in crate::migrate) fn parts(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        let parts = self.partitioning(name).into_iter();
        let parts = parts.flat_map(|by| &by.partitions);
        let parts = parts.map(|part| QualifiedName::new(name.schema.clone(), part.name.clone()));
        let children = self.beside.children.get(name).into_iter().flatten();
        let all = parts.chain(children.cloned());
        all.filter(|child| child != name).collect()
    }

    /// How a table, or a partition, is partitioned.
    pub(in crate::migrate) fn partitioning(
        &self,
        name: &QualifiedName,
    ) -> Option<&'a Partitioning> {
        let own = self.beside.parted.get(name);
        own.or_else(|| self.catalog.tables.get(name)?.partitioning.as_ref())
    }

    /// The DEFAULT partition of a table.
    pub(in crate::migrate) fn default_of(&self, name: &QualifiedName) -> Option<QualifiedName> {
        let mut parts = self.partitioning(name)?.partitions.iter();
        let found = parts.find(|part| part.bound == PartitionBound::Default)?;
        Some(QualifiedName::new(name.schema.clone(), found.name.clone()))
    }

    /// The table that a partition is a partition of.
    pub(in crate::migrate) fn above(&self, partition: &QualifiedName) -> Option<QualifiedName> {
        let mut parted = self.beside.parted.iter();
        let within = parted.find(|(own, by)| {
            own.schema == partition.schema
                && by.partitions.iter().any(|part| part.name == partition.name)
        });
        let root = self.beside.partitions.get(partition)?;
        let mut children = self.beside.children.iter();
        let within = within.map(|(own, _)| own);
        let apart = || {
            children
                .find(|(_, own)| own.contains(partition))
                .map(|(own, _)| own)
        };
        within.or_else(apart).or(Some(root)).cloned()
    }

    /// The table whose columns and constraints a relation has.
    pub(in crate::migrate) fn table(&self, name: &QualifiedName) -> Option<&'a Table> {
        match self.found(name) {
            Found::Table(table) | Found::Partition(_, table) => Some(table),
            _ => None,
        }
    }

    /// Whether no program uses this column yet: the migration at hand has made it, or its table.
    pub(in crate::migrate) fn is_fresh(&self, table: &QualifiedName, column: &Ident) -> bool {
        let beside = &self.beside;
        beside.fresh.contains(table)
            || beside
                .fresh_columns
                .contains(&(table.clone(), column.clone()))
    }

    /// A column of a relation.
    pub(in crate::migrate) fn column(
        &self,
        name: &QualifiedName,
        column: &Ident,
    ) -> Option<&'a Column> {
        self.table(name)?.column(column)
    }

    /// Relations of the schema that a query speaks of.
    pub(in crate::migrate) fn mentioned(&self, query: &str) -> Vec<QualifiedName> {
        let all: Vec<_> = tokens(query)
            .into_iter()
            .filter(|token| token.kind != TokenKind::Comment)
            .collect();
        let is_name = |at: usize| {
            all.get(at)
                .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent))
        };
        let is_dot = |at: usize| all.get(at).is_some_and(|token| token.is_symbol(query, "."));
        let mut found = Vec::new();
        for at in 0..all.len() {
            if !is_name(at) || (at > 0 && is_dot(at - 1)) {
                continue;
            }
            let end = if is_dot(at + 1) && is_name(at + 2) {
                at + 2
            } else {
                at
            };
            for last in [end, at] {
                let Some(named) = Named::parse(&query[all[at].range.start..all[last].range.end])
                else {
                    continue;
                };
                let (name, what) = self.relation(&named);
                if !matches!(what, Found::Nothing) {
                    found.push(name);
                    break;
                }
            }
        }
        found
    }
}

/// Whether a check holds for all rows: one that is NOT VALID says so behind its expression.
pub(in crate::migrate) fn is_proven(check: &Check) -> bool {
    !check.expression.as_str().ends_with(" NOT VALID")
}

/// How a name is shown: without `public`.
pub(in crate::migrate) fn shown(name: &QualifiedName) -> String {
    match name.schema.as_str() {
        "public" => name.name.as_str().to_owned(),
        schema => format!("{schema}.{}", name.name.as_str()),
    }
}
