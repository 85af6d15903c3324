//! Statements about rows: they lock rows and let others go on, but a whole table at once is long.

use super::expression::conjuncts;
use super::look::Found;
use super::report::Loss;
use super::work::Work;
use crate::migrate::lock::LockMode::{self, *};
use crate::sql::{Ddl, Ident, Named, QualifiedName};

/// A query that is read to the end.
pub(super) fn reads(work: &mut Work, query: &str) {
    for name in work.look.mentioned(query) {
        work.lock(&name, AccessShare);
        match work.look.found(&name) {
            Found::View(view) if !view.materialized => reads(work, view.query.as_str()),
            _ => work.scan(&name),
        }
    }
}

pub(super) fn change(work: &mut Work, form: &Ddl) {
    match form {
        Ddl::Update { table, condition } => {
            let whole = is_whole(work, table, condition.as_deref());
            touch(work, table, whole);
        }
        Ddl::Delete { table, condition } => {
            let whole = is_whole(work, table, condition.as_deref());
            touch(work, table, whole);
            if whole {
                let (name, _) = work.look.relation(table);
                work.out.loses_data.push(Loss::Rows(name));
            }
        }
        Ddl::Insert { table } | Ddl::Merge { table } => touch(work, table, false),
        Ddl::CopyFrom { table: Some(table) } => touch(work, table, false),
        Ddl::Truncate { tables, cascade } => truncate(work, tables, *cascade),
        Ddl::LockTable { tables, mode } => {
            let mode = LockMode::of_sql(mode).unwrap_or(AccessExclusive);
            for table in tables {
                let (name, _) = work.relation(table);
                work.lock_all(&name, mode);
            }
        }
        _ => {}
    }
}

/// Whether a condition, if there is one, holds for every row: a column that nobody has written yet is null.
fn is_whole(work: &Work, table: &Named, condition: Option<&str>) -> bool {
    let Some(condition) = condition else {
        return true;
    };
    let (name, _) = work.look.relation(table);
    let empty = &work.look.beside.empty;
    let condition = condition.get("where".len()..).unwrap_or_default();
    conjuncts(condition).iter().all(|part| {
        let column = part.strip_suffix(" is null").unwrap_or_default();
        let column = column.rsplit(' ').next().unwrap_or_default();
        empty.contains(&(name.clone(), Ident::new(column)))
    })
}

fn touch(work: &mut Work, table: &Named, whole: bool) {
    let (name, _) = work.relation(table);
    work.lock_all(&name, RowExclusive);
    if whole {
        work.scan(&name);
    }
    for leaf in work.look.leaves(&name) {
        *work.out.writes.entry(leaf).or_default() |= whole;
    }
}

fn truncate(work: &mut Work, tables: &[(Named, bool)], cascade: bool) {
    let mut all: Vec<QualifiedName> = tables
        .iter()
        .map(|(named, _)| work.relation(named).0)
        .collect();
    let mut at = 0;
    while at < all.len() {
        let name = all[at].clone();
        at += 1;
        work.lock_all(&name, AccessExclusive);
        for leaf in work.look.leaves(&name) {
            work.out.loses_data.push(Loss::Rows(leaf));
        }
        for (other, key) in work.pointing(&name) {
            if all.contains(&other) {
                continue;
            }
            if cascade {
                all.push(other);
            } else {
                work.refuse(format!(
                    "foreign key {} of {} points at it; only CASCADE empties that too",
                    key.as_str(),
                    super::look::shown(&other)
                ));
            }
        }
    }
}
