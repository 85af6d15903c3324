//! What was called otherwise before: only what the design says (`was:`), never a guess.

use std::collections::BTreeMap;

use crate::design::Model;
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
}
