//! DROP of whole objects, and what goes with them.

use super::look::{Found, shown};
use super::report::Loss;
use super::types_in_use::columns_of_type;
use super::views::views_of;
use super::work::Work;
use crate::migrate::chain::words;
use crate::migrate::lock::LockMode::*;
use crate::sql::{Ident, Named, Object, QualifiedName};

pub(super) fn drop(work: &mut Work, what: Object, names: &[Named], if_exists: bool, cascade: bool) {
    if matches!(
        what,
        Object::Table | Object::View | Object::MaterializedView
    ) {
        let all = names.iter().map(|named| work.look.relation(named).0);
        work.dropped = all.collect();
    }
    for named in names {
        match what {
            Object::Table => {
                let (name, found) = work.look.relation(named);
                if matches!(found, Found::Nothing) && if_exists && work.look.beside.is_whole {
                    continue;
                }
                work.relation(named);
                drop_table(work, &name, cascade);
            }
            Object::View | Object::MaterializedView => {
                let (name, found) = work.look.relation(named);
                if matches!(found, Found::Nothing) && if_exists {
                    continue;
                }
                work.lock(&name, AccessExclusive);
                if !work.look.beside.fresh.contains(&name) {
                    work.out.breaks.push(format!("view {}", shown(&name)));
                }
                drop_views(work, &name, cascade);
            }
            Object::Statistics => {
                let (name, table) = work.look.statistics(named);
                match table {
                    Some(table) => work.lock(&table, ShareUpdateExclusive),
                    None if if_exists => {}
                    None => work.unknown(format!(
                        "whose statistics {} are is not known",
                        name.name.as_str()
                    )),
                }
            }
            Object::Schema => drop_schema(work, &named.name, cascade),
            Object::Type | Object::Domain => drop_type(work, named, cascade),
            Object::Function if cascade => drop_function(work, named),
            Object::Sequence if cascade => {
                work.unknown("columns whose default is the sequence lose it and are locked; which, is not known");
            }
            Object::Extension => {
                if cascade {
                    let lost = Loss::Extension(named.name.clone());
                    work.out.loses_data.push(lost);
                }
                work.unknown("what the extension owns goes with it, and is not known here");
            }
            _ => {}
        }
    }
    match what {
        Object::Database => work.out.needs_no_transaction = true,
        Object::Owned => work.unknown("what a role owns is not known here"),
        _ => {}
    }
}

fn drop_table(work: &mut Work, name: &QualifiedName, cascade: bool) {
    work.lock_all(name, AccessExclusive);
    for own in std::iter::once(name.clone()).chain(work.look.below(name)) {
        work.out.loses_data.push(Loss::Table(own));
    }
    if !work.look.beside.fresh.contains(name) {
        work.out.breaks.push(format!("relation {}", shown(name)));
    }
    match work.look.found(name) {
        Found::Table(table) => {
            for key in table.foreign_keys.values().filter(|key| key.table != *name) {
                work.lock_all(&key.table, AccessExclusive);
            }
        }
        Found::Partition(root, table) => {
            let parent = work.look.above(name).unwrap_or_else(|| root.clone());
            work.lock(&parent, AccessExclusive);
            if let Some(default) = work.look.default_of(&parent) {
                work.lock(&default, AccessExclusive);
            }
            for key in table.foreign_keys.values() {
                work.lock(&key.table, AccessExclusive);
            }
        }
        _ => {}
    }
    for (other, key) in work.pointing(name) {
        if other == *name || work.dropped.contains(&other) {
            continue;
        }
        if cascade {
            work.lock_all(&other, AccessExclusive);
            work.out
                .drops
                .insert(format!("foreign key {} of {}", key.as_str(), shown(&other)));
        } else {
            work.refuse(format!(
                "foreign key {} of {} points at it; only CASCADE drops it too",
                key.as_str(),
                shown(&other)
            ));
        }
    }
    drop_views(work, name, cascade);
}

fn drop_views(work: &mut Work, name: &QualifiedName, cascade: bool) {
    for (view, _) in views_of(&work.look, name) {
        if work.dropped.contains(&view) {
            continue;
        }
        if cascade {
            work.lock(&view, AccessExclusive);
            work.out.drops.insert(format!("view {}", shown(&view)));
        } else {
            work.refuse(format!(
                "view {} shows it; only CASCADE drops it too",
                shown(&view)
            ));
        }
    }
}

fn drop_schema(work: &mut Work, schema: &Ident, cascade: bool) {
    let tables = work.look.catalog.tables.keys();
    let tables: Vec<QualifiedName> = tables
        .filter(|name| name.schema == *schema)
        .cloned()
        .collect();
    let views = work.look.catalog.views.iter();
    let views: Vec<QualifiedName> = views
        .map(|(name, _)| name)
        .filter(|name| name.schema == *schema)
        .cloned()
        .collect();
    if !cascade {
        return;
    }
    work.out.loses_data.push(Loss::Schema(schema.clone()));
    work.out.breaks.push(format!("schema {}", schema.as_str()));
    for table in &tables {
        drop_table(work, table, true);
    }
    for view in &views {
        work.lock(view, AccessExclusive);
    }
}

fn drop_type(work: &mut Work, named: &Named, cascade: bool) {
    let (name, _) = work.look.user_type(named);
    for (table, column) in columns_of_type(&work.look, &name) {
        if cascade {
            work.lock_all(&table, AccessExclusive);
            work.out
                .loses_data
                .push(Loss::Column(table.clone(), column.clone()));
            work.out
                .drops
                .insert(format!("column {} of {}", column.as_str(), shown(&table)));
        } else {
            work.refuse(format!(
                "column {} of {} is of this type; only CASCADE drops it too",
                column.as_str(),
                shown(&table)
            ));
        }
    }
}

/// Triggers that call it go with it.
fn drop_function(work: &mut Work, named: &Named) {
    let mut tables = Vec::new();
    for (table, own) in &work.look.catalog.tables {
        let calls = own
            .triggers
            .values()
            .any(|trigger| trigger.function.name == named.name);
        let defaults = own.columns.iter().any(|column| {
            let text = match &column.default {
                Some(crate::catalog::ColumnDefault::Expression(text)) => text,
                Some(crate::catalog::ColumnDefault::Generated(text)) => text,
                _ => return false,
            };
            words(text.as_str()).contains(named.name.as_str())
        });
        if calls || defaults {
            tables.push(table.clone());
        }
    }
    for table in tables {
        work.lock_all(&table, AccessExclusive);
        work.out.drops.insert(format!(
            "what calls {} on {}",
            named.name.as_str(),
            shown(&table)
        ));
    }
}
