//! Indexes: built, dropped, built anew.

use super::constraint::is_partitioned;
use super::look::Found;
use super::work::Work;
use crate::migrate::lock::LockMode::*;
use crate::sql::{IndexAction, IndexForm, Named, QualifiedName, ReindexTarget};

pub(super) fn create(work: &mut Work, form: &IndexForm) {
    let (table, _) = work.relation(&form.table);
    let mode = if form.concurrently {
        ShareUpdateExclusive
    } else {
        Share
    };
    match form.only {
        true => work.lock(&table, mode),
        false => work.lock_all(&table, mode),
    }
    if form.concurrently {
        outside(work, &table);
        if is_partitioned(work, &table) {
            work.refuse("the server refuses CONCURRENTLY on a partitioned table");
        }
        work.out.leaves_behind =
            Some("an index that is not valid, which slows writers and serves no query".to_owned());
    }
    let exists = form.name.as_ref().is_some_and(|name| {
        let own = QualifiedName::new(table.schema.clone(), name.name.clone());
        work.look.beside.indexes.contains_key(&own)
    });
    if exists && form.if_not_exists {
        work.out.waits_for_old_transactions = false;
        work.out.leaves_behind = None;
        return;
    }
    let empty = form.only && is_partitioned(work, &table);
    if !empty {
        work.build(&table);
        if form.unique {
            work.depends("two rows with the same values make it fail");
        }
    }
}

/// CONCURRENTLY: outside of transactions, and behind the old ones.
fn outside(work: &mut Work, table: &QualifiedName) {
    work.out.needs_no_transaction = true;
    work.out.waits_for_old_transactions = !work.look.beside.fresh.contains(table);
}

pub(super) fn drop(work: &mut Work, indexes: &[Named], concurrently: bool, if_exists: bool) {
    work.out.needs_no_transaction |= concurrently;
    for named in indexes {
        let (name, table) = work.look.index(named);
        let Some(table) = table else {
            if !(if_exists && work.look.beside.is_whole) {
                work.out.assumed.insert(name.clone());
                work.out.waits_for_old_transactions |= concurrently;
                if !concurrently {
                    work.out.index_locks.insert(name, AccessExclusive);
                }
            }
            continue;
        };
        if concurrently {
            work.lock(&table, ShareUpdateExclusive);
            outside(work, &table);
            work.out.leaves_behind =
                Some("an index that is not valid and still kept up to date".to_owned());
            if is_partitioned(work, &table) {
                work.refuse("the server refuses CONCURRENTLY for an index of a partitioned table");
            }
            continue;
        }
        work.lock_all(&table, AccessExclusive);
        let own = work.look.table(&table);
        if own.is_some_and(|own| !own.indexes.contains_key(&name.name)) {
            work.refuse("a constraint needs the index; drop the constraint");
        }
    }
}

pub(super) fn alter(work: &mut Work, index: &Named, action: &IndexAction) {
    let (name, table) = work.look.index(index);
    match action {
        // Of a table, ALTER INDEX … RENAME is a rename of the table.
        IndexAction::Rename(_) if table.is_none() => {
            let (name, found) = work.look.relation(index);
            if !matches!(found, Found::Nothing) {
                work.lock(&name, AccessExclusive);
            }
        }
        IndexAction::Rename(_) | IndexAction::SetOptions | IndexAction::SetStatistics => {}
        IndexAction::SetTablespace(to) => {
            let is_there = work.look.beside.is_there(&name, to.as_ref());
            if let Some(table) = table.filter(|_| !is_there) {
                work.build(&table);
            }
            work.out.index_locks.insert(name, AccessExclusive);
        }
        IndexAction::Attach(part) => {
            let (own, part) = work.look.index(part);
            work.out.index_locks.insert(own, AccessExclusive);
            for table in table.into_iter().chain(part) {
                work.lock(&table, AccessShare);
            }
        }
        IndexAction::Other => work.unknown("nothing is known of this form of ALTER INDEX"),
    }
}

pub(super) fn reindex(work: &mut Work, target: &ReindexTarget, concurrently: bool) {
    let mode = if concurrently {
        ShareUpdateExclusive
    } else {
        Share
    };
    let (tables, only): (Vec<QualifiedName>, Option<QualifiedName>) = match target {
        ReindexTarget::Table(named) => (vec![work.relation(named).0], None),
        ReindexTarget::Index(named) => {
            let (name, table) = work.look.index(named);
            if table.is_none() {
                work.out.assumed.insert(name.clone());
                if !concurrently {
                    work.out.index_locks.insert(name.clone(), AccessExclusive);
                    work.out.builds_index.insert(name.clone());
                }
            }
            (table.into_iter().collect(), Some(name))
        }
        ReindexTarget::Schema(schema) => {
            work.out.needs_no_transaction = true;
            let tables = work.look.catalog.tables.keys();
            (
                tables
                    .filter(|name| name.schema == *schema)
                    .cloned()
                    .collect(),
                None,
            )
        }
        ReindexTarget::Database => {
            work.out.needs_no_transaction = true;
            (work.look.catalog.tables.keys().cloned().collect(), None)
        }
    };
    for table in tables {
        work.lock_all(&table, mode);
        work.build(&table);
        if is_partitioned(work, &table) {
            work.out.needs_no_transaction = true;
        }
        if concurrently {
            outside(work, &table);
            work.out.leaves_behind =
                Some("an index with the ending _ccnew or _ccold that is not valid".to_owned());
        } else {
            lock_indexes(work, &table, only.as_ref());
        }
    }
}

/// Every index that is built anew keeps out readers too: the planner locks all indexes of a table.
fn lock_indexes(work: &mut Work, table: &QualifiedName, only: Option<&QualifiedName>) {
    if work.look.beside.fresh.contains(table) {
        return;
    }
    if let Some(index) = only {
        work.out.index_locks.insert(index.clone(), AccessExclusive);
        return;
    }
    let Some(own) = work.look.table(table) else {
        work.out.index_locks.insert(table.clone(), AccessExclusive);
        return;
    };
    for name in own.indexes.keys().chain(own.indexed_constraints()) {
        let name = QualifiedName::new(table.schema.clone(), name.clone());
        work.out.index_locks.insert(name, AccessExclusive);
    }
}
