//! Indexes, followed: of tables, of partitions alone, of materialised views.

use std::collections::BTreeMap;

use super::follow::Chain;
use super::names::{is_taken, made, of_keys};
use crate::catalog::{Index, IndexKey, Table};
use crate::sql::{Ident, IndexForm, Named, QualifiedName, SqlText};

pub(super) fn drop(chain: &mut Chain, indexes: &[Named]) {
    for named in indexes {
        let (name, table) = chain.look().index(named);
        let Some(table) = table else { continue };
        if let Some(own) = chain.beside.own.get_mut(&table) {
            own.indexes.remove(&name.name);
            chain.beside.indexes.remove(&name);
        }
        chain.edit(&table, |table| {
            table.indexes.remove(&name.name);
        });
    }
}

pub(super) fn rename(chain: &mut Chain, index: &Named, to: &Ident) {
    let (name, table) = chain.look().index(index);
    let Some(table) = table else { return };
    chain.edit(&table, |table| {
        if let Some(own) = table.indexes.remove(&name.name) {
            table.indexes.insert(to.clone(), own);
        }
    });
}

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
    let named = |own: &Table| {
        let given = form.name.as_ref().map(|name| name.name.clone());
        given.unwrap_or_else(|| {
            made(table.name.as_str(), &of_keys(form), "idx", |name| {
                is_taken(own, name)
            })
        })
    };
    // IF NOT EXISTS leaves what is there.
    if chain.beside.partitions.contains_key(&table) {
        let own = chain.beside.own.entry(table.clone()).or_default();
        let name = named(own);
        own.indexes.entry(name.clone()).or_insert(index);
        let name = QualifiedName::new(table.schema.clone(), name);
        chain.beside.indexes.insert(name, table);
        return;
    }
    chain.edit(&table, |own| {
        own.indexes.entry(named(own)).or_insert(index);
    });
}
