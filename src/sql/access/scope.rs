//! Which tables a name in a query can mean.

use std::collections::BTreeSet;

use sqlparser::ast::Ident as Name;

use super::super::expression::fold;
use super::super::ident::Ident;
use super::types::TypedNames;

/// Something in FROM.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// By which its columns are qualified.
    pub alias: String,
    /// The table and the number of its access, where it is a table that keeps its column names.
    pub table: Option<(String, usize)>,
    /// On the side of an outer join that may be filled with nulls.
    pub nullable: bool,
}

/// Names visible in one query, and those of the queries around it.
#[derive(Debug, Default)]
pub(super) struct Scope<'p> {
    pub parent: Option<&'p Scope<'p>>,
    pub relations: Vec<Relation>,
    pub ctes: BTreeSet<String>,
}

/// Where a name leads.
#[derive(Debug)]
pub(super) enum Place {
    /// To a column of a relation of this very query.
    Own(usize, Ident),
    /// To a column of a table of a query further out, by the number of its access.
    Outer(usize, Ident),
    /// To a whole row, by the number of its access.
    Row(usize),
    /// To something that is no table's.
    Elsewhere,
}

impl<'p> Scope<'p> {
    pub(super) fn inside(parent: Option<&'p Scope<'p>>) -> Scope<'p> {
        Scope {
            parent,
            ..Scope::default()
        }
    }

    pub(super) fn is_cte(&self, name: &str) -> bool {
        self.ctes.contains(name) || self.parent.is_some_and(|outer| outer.is_cte(name))
    }

    /// A name as it is written, its parts from left to right.
    pub(super) fn place(&self, parts: &[Name], names: &dyn TypedNames) -> Place {
        match parts {
            [column] => self.bare(&fold(column), names),
            [.., alias, column] => self.qualified(&fold(alias), fold(column), names),
            [] => Place::Elsewhere,
        }
    }

    fn qualified(&self, alias: &Ident, column: Ident, names: &dyn TypedNames) -> Place {
        let mut scope = Some(self);
        let mut own = true;
        while let Some(here) = scope {
            let known = here
                .relations
                .iter()
                .position(|relation| relation.alias == alias.as_str());
            if let Some(index) = known {
                return here.found(index, column, own, names);
            }
            scope = here.parent;
            own = false;
        }
        Place::Elsewhere
    }

    fn found(&self, index: usize, column: Ident, own: bool, names: &dyn TypedNames) -> Place {
        match &self.relations[index].table {
            Some((table, access)) if has(table, &column, names) => match own {
                true => Place::Own(index, column),
                false => Place::Outer(*access, column),
            },
            _ => Place::Elsewhere,
        }
    }

    fn bare(&self, name: &Ident, names: &dyn TypedNames) -> Place {
        let mut scope = Some(self);
        let mut own = true;
        while let Some(here) = scope {
            let column = here.relations.iter().position(|relation| {
                let table = relation.table.as_ref();
                table.is_some_and(|(table, _)| has(table, name, names))
            });
            if let Some(index) = column {
                return here.found(index, name.clone(), own, names);
            }
            let row = here
                .relations
                .iter()
                .find(|relation| relation.alias == name.as_str());
            if let Some(row) = row {
                let access = row.table.as_ref().map(|(_, access)| *access);
                return access.map_or(Place::Elsewhere, Place::Row);
            }
            // A subquery or a table that is not known could have any column.
            let open = here.relations.iter().any(|relation| {
                let table = relation.table.as_ref();
                table.is_none_or(|(table, _)| names.has_column(table, name.as_str()).is_none())
            });
            if open {
                return Place::Elsewhere;
            }
            scope = here.parent;
            own = false;
        }
        Place::Elsewhere
    }
}

fn has(table: &str, column: &Ident, names: &dyn TypedNames) -> bool {
    names.has_column(table, column.as_str()) == Some(true)
}
