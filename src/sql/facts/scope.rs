//! Which names a place in a statement can see.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::types::{ColumnRef, Names};

/// Columns that every table has.
const SYSTEM: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// Something in FROM.
#[derive(Clone, Debug, Default)]
pub(super) struct Relation {
    /// By which its columns are qualified; may be empty.
    pub alias: String,
    /// The table, where it is one and keeps its column names.
    pub table: Option<String>,
    /// Tables whose rows a locking clause on it would lock.
    pub locked: Vec<(String, Range<usize>)>,
    /// Whether `*` over it changes with a table.
    pub open: bool,
}

/// Names visible in one query, and those of the queries around it.
#[derive(Debug, Default)]
pub(super) struct Scope<'p> {
    pub parent: Option<&'p Scope<'p>>,
    pub relations: Vec<Relation>,
    /// Common table expressions, and whether `*` over each changes with a table.
    pub ctes: BTreeMap<String, bool>,
    /// Names given in the list of results; ORDER BY and GROUP BY see them.
    pub outputs: BTreeSet<String>,
    pub level: usize,
}

impl<'p> Scope<'p> {
    pub(super) fn inside(parent: Option<&'p Scope<'p>>) -> Scope<'p> {
        Scope {
            parent,
            level: parent.map_or(0, |outer| outer.level + 1),
            ..Scope::default()
        }
    }

    /// The common table expression of this name, if one is visible.
    pub(super) fn cte(&self, name: &str) -> Option<bool> {
        match self.ctes.get(name) {
            Some(open) => Some(*open),
            None => self.parent?.cte(name),
        }
    }

    pub(super) fn relation(&self, alias: &str) -> Option<&Relation> {
        let own = self
            .relations
            .iter()
            .find(|relation| relation.alias == alias);
        match own {
            Some(relation) => Some(relation),
            None => self.parent?.relation(alias),
        }
    }

    /// `alias.column`, and whether it is missing.
    pub(super) fn qualified(
        &self,
        alias: &str,
        column: String,
        names: &dyn Names,
    ) -> (ColumnRef, bool) {
        let relation = self.relation(alias);
        let table = relation.and_then(|relation| relation.table.clone());
        let missing = match &table {
            Some(table) => names.has_column(table, &column) == Some(false) && !is_system(&column),
            None => relation.is_none(),
        };
        (ColumnRef { table, column }, missing)
    }

    /// `column`, and whether it is missing. `None` where the name is no column but a whole row or a named result.
    pub(super) fn bare(
        &self,
        column: String,
        outputs: bool,
        names: &dyn Names,
    ) -> Option<(ColumnRef, bool)> {
        if self.relation(&column).is_some() && !self.some_table_has(&column, names) {
            return None;
        }
        if outputs && self.outputs.contains(&column) {
            return None;
        }
        let mut scope = Some(self);
        let mut seen = false;
        while let Some(here) = scope {
            seen |= !here.relations.is_empty();
            let mut known = true;
            for relation in &here.relations {
                let has = relation
                    .table
                    .as_deref()
                    .and_then(|table| names.has_column(table, &column));
                if has == Some(true) {
                    let table = relation.table.clone();
                    return Some((ColumnRef { table, column }, false));
                }
                known &= has.is_some();
            }
            if !known {
                // One table of unknown columns: nothing else can be meant, unless it is a query further out.
                let table = match here.relations.as_slice() {
                    [only] => only.table.clone(),
                    _ => None,
                };
                return Some((ColumnRef { table, column }, false));
            }
            scope = here.parent;
        }
        let missing = seen && !is_system(&column);
        let table = None;
        Some((ColumnRef { table, column }, missing))
    }

    fn some_table_has(&self, column: &str, names: &dyn Names) -> bool {
        self.relations.iter().any(|relation| {
            let table = relation.table.as_deref();
            table.and_then(|table| names.has_column(table, column)) == Some(true)
        })
    }
}

fn is_system(column: &str) -> bool {
    SYSTEM.contains(&column)
}
