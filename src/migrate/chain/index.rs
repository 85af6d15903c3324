//! An index that is made, wherever it belongs.

use std::collections::BTreeMap;

use super::follow::Chain;
use super::names::{is_taken, made, of_keys};
use crate::catalog::{Index, IndexKey};
use crate::sql::{IndexForm, SqlText};

pub(super) fn create(chain: &mut Chain, form: &IndexForm) {
    let (table, _) = chain.look().relation(&form.table);
    let keys = form.keys.iter().map(|key| IndexKey {
        expression: SqlText::authored(&key.expression),
        column: key.column.clone(),
        collation: None,
        opclass: None,
        descending: key.descending,
        nulls_first: key.nulls_first.unwrap_or(key.descending),
    });
    let index = Index {
        method: form.method.clone(),
        unique: form.unique,
        keys: keys.collect(),
        include: form.include.clone(),
        predicate: form.predicate.as_ref().map(SqlText::authored),
        with: BTreeMap::new(),
    };
    if chain.beside.has_view(&table) {
        let views = chain.catalog.views.iter_mut();
        for (_, view) in views.filter(|(name, _)| *name == table) {
            if form.unique && form.predicate.is_none() {
                view.key = form
                    .keys
                    .iter()
                    .filter_map(|key| key.column.clone())
                    .collect();
            }
        }
        return;
    }
    if chain.beside.partitions.contains_key(&table) {
        // Of a partition alone: a constraint may take it over.
        if let Some(name) = &form.name {
            let own = chain.beside.own.entry(table).or_default();
            own.indexes.insert(name.name.clone(), index);
        }
        return;
    }
    chain.edit(&table, |own| {
        let name = match &form.name {
            Some(name) => name.name.clone(),
            None => made(table.name.as_str(), &of_keys(form), "idx", |name| {
                is_taken(own, name)
            }),
        };
        // IF NOT EXISTS leaves what is there.
        own.indexes.entry(name).or_insert(index);
    });
}
