//! New tables and partitions: what they lock is other tables.

use super::look::Found;
use super::proof::{excludes_bound, implies_bound};
use super::work::Work;
use crate::catalog::Table;
use crate::migrate::lock::LockMode::*;
use crate::sql::{ConstraintKind, Named, NewTable, QualifiedName};

pub(super) fn create_table(work: &mut Work, table: &NewTable) {
    let own = table.table.as_ref().map(|named| work.look.made(named));
    if let Some(own) = &own
        && !matches!(work.look.found(own), Found::Nothing)
        && table.if_not_exists
    {
        return;
    }
    let columns = table.columns.iter().flat_map(|column| &column.constraints);
    for constraint in columns.chain(&table.constraints) {
        if let ConstraintKind::ForeignKey { table: parent, .. } = &constraint.kind {
            let (parent, _) = work.look.relation(parent);
            if Some(&parent) != own.as_ref() {
                if matches!(work.look.found(&parent), Found::Nothing) {
                    work.out.assumed.insert(parent.clone());
                }
                work.lock_all(&parent, ShareRowExclusive);
            }
        }
    }
    for parent in &table.inherits {
        let (parent, _) = work.relation(parent);
        work.lock(&parent, ShareUpdateExclusive);
    }
    for like in &table.like {
        let (like, _) = work.relation(&like.table);
        work.lock(&like, AccessShare);
    }
    if let Some((parent, bound)) = &table.partition_of {
        let (parent, _) = work.relation(parent);
        work.lock(&parent, AccessExclusive);
        checks_default(work, &parent, bound);
        keys_of(work, &parent);
    }
}

/// Rows of the DEFAULT partition may belong into the new one: it is read under a lock that keeps everybody out.
fn checks_default(work: &mut Work, parent: &QualifiedName, bound: &str) {
    if bound.trim().eq_ignore_ascii_case("default") {
        return;
    }
    let Some(default) = work.look.default_of(parent) else {
        return;
    };
    work.lock(&default, AccessExclusive);
    let by = work.look.partitioning(parent);
    let own = work.look.beside.own.get(&default);
    if own
        .zip(by)
        .is_some_and(|(own, by)| excludes_bound(own, &by.column, bound))
    {
        return;
    }
    work.out.scans.insert(default);
    work.depends("a row of the DEFAULT partition that belongs into the new one makes it fail");
}

/// Foreign keys of the parent are made for the partition too.
fn keys_of(work: &mut Work, parent: &QualifiedName) {
    let Some(own) = work.look.table(parent) else {
        return;
    };
    for key in own.foreign_keys.values() {
        work.lock_all(&key.table, ShareRowExclusive);
    }
    for (other, _) in work.pointing(parent) {
        work.lock_all(&other, ShareRowExclusive);
    }
}

pub(super) fn attach(work: &mut Work, parent: &QualifiedName, partition: &Named, bound: &str) {
    let (partition, _) = work.relation(partition);
    work.lock(&partition, AccessExclusive);
    checks_default(work, parent, bound);
    let own = work.look.table(&partition);
    let by = work.look.partitioning(parent);
    let proven = own
        .zip(by)
        .is_some_and(|(own, by)| implies_bound(own, &by.column, bound));
    if !proven {
        work.scan(&partition);
        work.depends("a row outside of the bounds makes it fail");
    }
    let Some((own, above)) = own.zip(work.look.table(parent)) else {
        return;
    };
    unlike(work, own, above);
    for key in above.foreign_keys.values() {
        let has = own.foreign_keys.values().any(|other| {
            other.table == key.table && other.columns == key.columns && other.key == key.key
        });
        work.lock_all(&key.table, ShareRowExclusive);
        if !has {
            super::constraint::join(work, &partition, &key.table);
        }
    }
    for (other, _) in work.pointing(parent) {
        work.lock_all(&other, ShareRowExclusive);
    }
    let has_key = |columns: &[crate::sql::Ident], is_primary: bool| {
        let mut uniques = own.uniques.values();
        match is_primary {
            true => own
                .primary_key
                .as_ref()
                .is_some_and(|(_, key)| key.columns == columns),
            false => uniques.any(|key| key.columns == columns),
        }
    };
    let lacks_index = above.indexes.values().any(|index| {
        let same = own.indexes.values().any(|other| {
            other.keys == index.keys
                && other.method == index.method
                && other.unique == index.unique
                && other.predicate == index.predicate
        });
        !same
    }) || above
        .uniques
        .values()
        .any(|key| !has_key(&key.columns, false))
        || above
            .primary_key
            .as_ref()
            .is_some_and(|(_, key)| !has_key(&key.columns, true));
    if lacks_index {
        work.build(&partition);
    }
}

/// Columns that one of the two has and the other has not.
fn unlike(work: &mut Work, own: &Table, above: &Table) {
    // Of a table that a query made no column is known.
    if own.columns.is_empty() || above.columns.is_empty() {
        return;
    }
    let missing = |from: &Table, to: &Table| {
        let mut columns = from.columns.iter();
        let found = columns.find(|column| to.column(&column.name).is_none());
        found.map(|column| column.name.clone())
    };
    if let Some(column) = missing(above, own) {
        work.refuse(format!("the partition has no column {}", column.as_str()));
    } else if let Some(column) = missing(own, above) {
        work.refuse(format!(
            "the partition has a column {}, which its parent has not",
            column.as_str()
        ));
    }
}

pub(super) fn detach(
    work: &mut Work,
    parent: &QualifiedName,
    partition: &Named,
    concurrently: bool,
    finalize: bool,
) {
    let (partition, _) = work.relation(partition);
    let default = work.look.default_of(parent);
    if concurrently {
        work.out.needs_no_transaction = true;
        work.out.waits_for_old_transactions = true;
        work.out.leaves_behind =
            Some("a partition whose detaching is pending, until DETACH … FINALIZE".to_owned());
        if default.is_some() {
            work.refuse("the server refuses CONCURRENTLY where there is a DEFAULT partition");
        }
        work.lock(&partition, AccessExclusive);
        return;
    }
    work.lock(&partition, AccessExclusive);
    if finalize {
        return;
    }
    if let Some(default) = default {
        work.lock(&default, AccessExclusive);
    }
    let Some(own) = work.look.table(parent) else {
        return;
    };
    for key in own.foreign_keys.values() {
        work.lock_all(&key.table, ShareRowExclusive);
    }
    for (other, _) in work.pointing(parent) {
        work.lock_all(&other, ShareRowExclusive);
    }
}
