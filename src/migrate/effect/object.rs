//! Everything else: views, triggers, policies, maintenance, comments.

use super::look::{Found, shown};
use super::rows::reads;
use super::work::Work;
use crate::migrate::lock::LockMode::*;
use crate::sql::{Ddl, Named, Object, Rename};

pub(super) fn alter_view(work: &mut Work, view: &Named, rename: Option<&Rename>) {
    let (name, _) = work.relation(view);
    work.lock(&name, AccessExclusive);
    if rename.is_some() {
        work.out.breaks.push(format!("view {}", shown(&name)));
    }
}

pub(super) fn other(work: &mut Work, form: &Ddl) {
    match form {
        Ddl::CreateTrigger { table, from, .. } => {
            let (name, _) = work.relation(table);
            work.lock_all(&name, ShareRowExclusive);
            if let Some(from) = from {
                let (from, _) = work.relation(from);
                work.lock(&from, AccessShare);
            }
        }
        Ddl::DropTrigger {
            table, if_exists, ..
        } if !absent(work, table, *if_exists) => {
            let (name, _) = work.relation(table);
            work.lock_all(&name, AccessExclusive);
        }
        Ddl::AlterTrigger { table } => {
            let (name, _) = work.relation(table);
            work.lock_all(&name, AccessExclusive);
        }
        Ddl::DropPolicy {
            table, if_exists, ..
        }
        | Ddl::DropRule { table, if_exists }
            if !absent(work, table, *if_exists) =>
        {
            let (name, _) = work.relation(table);
            work.lock(&name, AccessExclusive);
        }
        Ddl::CreateRule { table, .. }
        | Ddl::AlterRule { table }
        | Ddl::CreatePolicy { table, .. }
        | Ddl::AlterPolicy { table } => {
            let (name, _) = work.relation(table);
            work.lock(&name, AccessExclusive);
        }
        Ddl::CreateView { .. } => create_view(work, form),
        Ddl::Refresh {
            view,
            concurrently,
            with_data,
        } => refresh(work, view, *concurrently, *with_data),
        Ddl::Vacuum { full, tables } => vacuum(work, *full, tables),
        Ddl::Analyze { tables } => {
            for table in tables {
                let (name, _) = work.relation(table);
                work.lock_all(&name, ShareUpdateExclusive);
            }
        }
        Ddl::Cluster { table } => match table {
            Some(table) => {
                let (name, _) = work.relation(table);
                work.lock_all(&name, AccessExclusive);
                work.rewrite(&name);
                work.build(&name);
            }
            None => {
                work.out.needs_no_transaction = true;
                work.unknown("which tables were clustered before is not known: each is rewritten");
            }
        },
        Ddl::Comment { on } => comment(work, on.as_ref()),
        Ddl::CreateStatistics {
            table: Some(table), ..
        } => {
            let (name, _) = work.relation(table);
            work.lock(&name, ShareUpdateExclusive);
        }
        Ddl::Grant { tables } => {
            for table in tables.iter().filter(|_| work.look.version >= 18) {
                let (name, found) = work.look.relation(table);
                if !matches!(found, Found::Nothing) {
                    work.out.lock(&name, AccessShare);
                }
            }
        }
        Ddl::CreateSequence { owned_by, .. } | Ddl::AlterSequence { owned_by, .. } => {
            if let Some(table) = owned_by {
                let (name, _) = work.relation(table);
                work.lock(&name, AccessShare);
            }
        }
        Ddl::CreateDatabase | Ddl::AlterSystem => work.out.needs_no_transaction = true,
        Ddl::CreateSchema {
            has_elements: true, ..
        } => work.unknown("what stands in CREATE SCHEMA is not looked at"),
        _ => {}
    }
}

/// Whether it is about a table that is not there, and says that this is fine.
fn absent(work: &Work, table: &Named, if_exists: bool) -> bool {
    let (_, found) = work.look.relation(table);
    matches!(found, Found::Nothing) && if_exists && work.look.beside.is_whole
}

fn create_view(work: &mut Work, form: &Ddl) {
    let Ddl::CreateView {
        view,
        or_replace,
        materialized,
        with_data,
        query,
    } = form
    else {
        return;
    };
    if *materialized && *with_data {
        reads(work, query);
    } else {
        for name in work.look.mentioned(query) {
            work.lock(&name, AccessShare);
        }
    }
    let (name, found) = work.look.relation(view);
    if *or_replace && matches!(found, Found::View(_)) {
        work.lock(&name, AccessExclusive);
    }
}

fn refresh(work: &mut Work, view: &Named, concurrently: bool, with_data: bool) {
    let (name, found) = work.relation(view);
    work.lock(
        &name,
        if concurrently {
            Exclusive
        } else {
            AccessExclusive
        },
    );
    if work.look.beside.unfilled.contains(&name) {
        if concurrently {
            work.refuse("the view was never filled; only REFRESH without CONCURRENTLY fills it for the first time");
        }
        // Nobody can read it, so nobody waits for it.
        work.out.locks.remove(&name);
        if let (Found::View(view), true) = (found, with_data) {
            reads(work, view.query.as_str());
        }
        return;
    }
    if !with_data {
        work.out.loses_data.push(super::report::Loss::Rows(name));
        return;
    }
    if let Found::View(view) = found {
        reads(work, view.query.as_str());
        if concurrently && view.key.is_empty() && work.look.beside.is_whole {
            work.depends("CONCURRENTLY needs a unique index over plain columns of the view");
        }
    }
    if concurrently {
        work.out.scans.insert(name);
    } else {
        work.out.rewrites.insert(name);
    }
}

fn vacuum(work: &mut Work, full: bool, tables: &[Named]) {
    work.out.needs_no_transaction = true;
    let mode = if full {
        AccessExclusive
    } else {
        ShareUpdateExclusive
    };
    let names = match tables.is_empty() {
        true => work.look.catalog.tables.keys().cloned().collect(),
        false => tables
            .iter()
            .map(|table| work.relation(table).0)
            .collect::<Vec<_>>(),
    };
    for name in names {
        for leaf in work.look.leaves(&name) {
            work.lock(&leaf, mode);
        }
        if full {
            work.rewrite(&name);
            work.build(&name);
        }
    }
}

fn comment(work: &mut Work, on: Option<&(Object, Named)>) {
    let Some((object, named)) = on else { return };
    let mode = match object {
        Object::Table | Object::Column | Object::View | Object::MaterializedView => {
            ShareUpdateExclusive
        }
        Object::Constraint => AccessShare,
        _ => return,
    };
    let (name, found) = work.look.relation(named);
    if !matches!(found, Found::Nothing) {
        work.lock(&name, mode);
    }
}
