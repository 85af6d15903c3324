//! What was called otherwise before: only what the design says (`was:`), never a guess.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::design::Model;
use crate::error::Error;
use crate::sql::{Ident, QualifiedName};

/// Earlier names, by the new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames {
    /// Tables.
    pub tables: BTreeMap<QualifiedName, QualifiedName>,
    /// Columns, with their table's new name. (What an index was called needs no word: one with the same definition is the same index.)
    pub columns: BTreeMap<(QualifiedName, Ident), Ident>,
}

impl Renames {
    /// What the new design says of itself.
    pub fn of(model: &Model) -> Renames {
        let mut renames = Renames::default();
        for table in &model.tables {
            let name = model.qualified(&table.name.ident);
            if let Some(was) = &table.was {
                renames
                    .tables
                    .insert(name.clone(), model.qualified(&was.ident));
            }
            for column in &table.columns {
                if let Some(was) = &column.was {
                    let key = (name.clone(), column.name.ident.clone());
                    renames.columns.insert(key, was.ident.clone());
                }
            }
        }
        renames
    }

    /// A new name that the old schema has for something else is refused: which of both is meant would be a guess.
    pub(super) fn check(&self, from: &Catalog, to: &Catalog) -> Result<(), Error> {
        for (new, was) in &self.tables {
            let has = |name| from.tables.contains_key(name);
            if has(new) && has(was) && !to.tables.contains_key(was) {
                return Err(taken("table", was.name.as_str(), new.name.as_str()));
            }
        }
        for ((table, new), was) in &self.columns {
            let before = self.tables.get(table);
            let before = before
                .filter(|was| !from.tables.contains_key(table) && from.tables.contains_key(*was));
            let from = from.tables.get(before.unwrap_or(table));
            let has = |name| from.is_some_and(|from| from.column(name).is_some());
            let stays = || {
                to.tables
                    .get(table)
                    .is_some_and(|to| to.column(was).is_some())
            };
            if has(new) && has(was) && !stays() {
                let subject =
                    |column: &Ident| format!("{}.{}", table.name.as_str(), column.as_str());
                return Err(taken("column", &subject(was), &subject(new)));
            }
        }
        Ok(())
    }
}

fn taken(noun: &str, was: &str, new: &str) -> Error {
    Error::Usage(format!(
        "{noun} {new} is there already beside {was}, which it is said to have been called (`was`): drop or rename {new} in a migration of its own first, or leave `was` out where {was} goes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, Table};
    use crate::sql::SqlText;

    fn schema(tables: &[(&str, &[&str])]) -> Catalog {
        let mut out = Catalog::default();
        for (name, columns) in tables {
            let column = |name: &&str| Column {
                name: Ident::from(*name),
                data_type: SqlText::authored("text"),
                nullable: true,
                default: None,
                collation: None,
                comment: None,
            };
            let table = Table {
                columns: columns.iter().map(column).collect(),
                ..Table::default()
            };
            out.tables.insert(named(name), table);
        }
        out
    }

    fn named(name: &str) -> QualifiedName {
        QualifiedName::new("s".into(), name.into())
    }

    fn refused(from: &[(&str, &[&str])], to: &[(&str, &[&str])], said: &str) -> String {
        let mut renames = Renames::default();
        let (new, was) = said.split_once('<').expect("new<was");
        match new.split_once('.') {
            None => drop(renames.tables.insert(named(new), named(was))),
            Some((table, new)) => {
                let key = (named(table), new.into());
                renames.columns.insert(key, was.into());
            }
        }
        let checked = renames.check(&schema(from), &schema(to));
        checked.err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_name_that_is_taken_is_no_rename() {
        let both: &[(&str, &[&str])] = &[("t", &["a", "b"])];
        let why = refused(both, &[("t", &["b"])], "t.b<a");
        assert!(why.contains("t.b is there already beside t.a"), "{why}");
        let tables: &[(&str, &[&str])] = &[("t", &[]), ("u", &[])];
        let why = refused(tables, &[("u", &[])], "u<t");
        assert!(why.contains("u is there already beside t"), "{why}");
        // Done before, meant now, and never there.
        for from in [&["b"][..], &["a"], &["c"]] {
            assert_eq!(refused(&[("t", from)], &[("t", &["b"])], "t.b<a"), "");
        }
    }
}
