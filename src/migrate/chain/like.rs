//! CREATE TABLE (LIKE …), followed.

use super::names::{is_taken, joined, made};
use crate::catalog::{ColumnDefault, Table};
use crate::sql::{LikeForm, QualifiedName};

/// What a new table takes over from another. Foreign keys are never among it.
pub(super) fn take_over(name: &QualifiedName, table: &mut Table, like: &LikeForm, source: &Table) {
    for column in &source.columns {
        let mut column = column.clone();
        let stays = match &column.default {
            Some(ColumnDefault::Expression(_)) => like.defaults,
            Some(ColumnDefault::Generated(_)) => like.generated,
            Some(ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault) => like.identity,
            None => true,
        };
        if !stays {
            column.default = None;
        }
        table.columns.push(column);
    }
    if like.checks {
        table.checks.extend(source.checks.clone());
    }
    if !like.indexes {
        return;
    }
    let own = name.name.as_str();
    if let Some((_, key)) = &source.primary_key {
        let named = made(own, "", "pkey", |name| is_taken(table, name));
        table.primary_key = Some((named, key.clone()));
    }
    for key in source.uniques.values() {
        let named = made(own, &joined(&key.columns), "key", |name| {
            is_taken(table, name)
        });
        table.uniques.insert(named, key.clone());
    }
    for index in source.indexes.values() {
        let columns = index.keys.iter().map(|key| match &key.column {
            Some(column) => column.as_str(),
            None => "expr",
        });
        let middle = columns.collect::<Vec<_>>().join("_");
        let named = made(own, &middle, "idx", |name| is_taken(table, name));
        table.indexes.insert(named, index.clone());
    }
}
