//! ALTER TABLE: the heaviest lock that one of its actions asks for, and the work of all of them.

use super::look::{Found, shown};
use super::work::Work;
use super::{column, constraint, partition};
use crate::migrate::lock::LockMode::{self, *};
use crate::sql::{Named, QualifiedName, Rename, TableAction};

pub(super) fn alter_table(
    work: &mut Work,
    table: &Named,
    only: bool,
    if_exists: bool,
    actions: &[TableAction],
) {
    let (name, found) = work.look.relation(table);
    if matches!(found, Found::Nothing) {
        if if_exists && work.look.beside.is_whole {
            return;
        }
        work.relation(table);
    }
    work.going = actions
        .iter()
        .filter_map(|action| match action {
            TableAction::DropConstraint { name, .. } => Some(name.clone()),
            _ => None,
        })
        .collect();
    for action in actions {
        let mode = lock(action);
        let below = match recurses(action, work.look.version) && !only {
            true => constraint::lock_below(work, &name, action).unwrap_or(Some(mode)),
            false => None,
        };
        work.lock(&name, mode);
        if let Some(mode) = below {
            work.lock_all_below(&name, mode);
        }
        act(work, &name, action);
    }
}

/// The lock that an action asks for.
fn lock(action: &TableAction) -> LockMode {
    use TableAction::*;
    match action {
        SetStatistics(_)
        | SetAttributes(_)
        | ClusterOn
        | SetWithoutCluster
        | ValidateConstraint(_)
        | AttachPartition { .. } => ShareUpdateExclusive,
        SetOptions(names) => {
            let heavy = |name: &String| {
                [
                    "user_catalog_table",
                    "security_barrier",
                    "security_invoker",
                    "check_option",
                ]
                .contains(&name.as_str())
            };
            if names.iter().any(heavy) {
                AccessExclusive
            } else {
                ShareUpdateExclusive
            }
        }
        DetachPartition {
            concurrently,
            finalize,
            ..
        } => match concurrently | finalize {
            true => ShareUpdateExclusive,
            false => AccessExclusive,
        },
        Trigger(_) => ShareRowExclusive,
        AddConstraint(form) => constraint::lock(form),
        _ => AccessExclusive,
    }
}

/// Whether an action is done to partitions and children too.
fn recurses(action: &TableAction, version: u16) -> bool {
    use TableAction::*;
    if let AddConstraint(form) = action {
        // From 18 on it locks them even where they do not get it.
        return !form.no_inherit || version >= 18;
    }
    !matches!(
        action,
        SetOptions(_)
            | OwnerTo
            | RowSecurity(_)
            | ForceRowSecurity(_)
            | ReplicaIdentity
            | Rule
            | ClusterOn
            | SetWithoutCluster
            | AttachPartition { .. }
            | DetachPartition { .. }
            | Inherit(_)
            | NoInherit(_)
            | SetLogged
            | SetUnlogged
            | SetAccessMethod
            | SetTablespace(_)
            | TableAction::Rename(crate::sql::Rename::To(_) | crate::sql::Rename::Schema(_))
            | OfType
            | AlterConstraint { .. }
            | SetAttributes(_)
            | Other(_)
    )
}

fn act(work: &mut Work, name: &QualifiedName, action: &TableAction) {
    use TableAction::*;
    match action {
        AddColumn {
            column,
            if_not_exists,
        } => {
            let there = work.look.column(name, &column.name).is_some();
            if !(there && *if_not_exists) {
                column::add(work, name, column);
            }
        }
        DropColumn {
            column,
            if_exists,
            cascade,
        } => column::drop(work, name, column, *if_exists, *cascade),
        SetType {
            column,
            data_type,
            collation,
            using,
        } => column::set_type(
            work,
            name,
            column,
            data_type,
            collation.as_deref(),
            using.as_deref(),
        ),
        SetNotNull(column) => constraint::not_null(work, name, column),
        SetExpression(..) => {
            if work.look.version < 17 {
                work.refuse("SET EXPRESSION is known from PostgreSQL 17 on");
            }
            work.rewrite(name);
        }
        AddConstraint(form) => constraint::add(work, name, form),
        DropConstraint {
            name: own, cascade, ..
        } => constraint::drop(work, name, own, *cascade),
        ValidateConstraint(own) => constraint::validate(work, name, own),
        AlterConstraint {
            name: own,
            enforced,
            ..
        } => constraint::alter(work, name, own, *enforced),
        AttachPartition { partition, bound } => partition::attach(work, name, partition, bound),
        DetachPartition {
            partition,
            concurrently,
            finalize,
        } => partition::detach(work, name, partition, *concurrently, *finalize),
        SetLogged | SetUnlogged => {
            let is_unlogged = work.look.table(name).is_some_and(|table| {
                table
                    .with
                    .get("unlogged")
                    .is_some_and(|value| value == "true")
            });
            let changes = is_unlogged == (*action == SetLogged) || work.look.table(name).is_none();
            if changes {
                work.rewrite(name);
            }
        }
        SetTablespace(to) if work.look.beside.is_there(name, to.as_ref()) => {}
        // Which one it has is not in the catalog: another one is meant.
        SetAccessMethod | SetTablespace(_) => work.rewrite(name),
        Inherit(parent) => {
            let (parent, _) = work.relation(parent);
            work.lock(&parent, ShareUpdateExclusive);
        }
        NoInherit(parent) => {
            let (parent, _) = work.relation(parent);
            work.lock(&parent, AccessShare);
        }
        TableAction::Rename(rename) => renamed(work, name, rename),
        RenameConstraint(..) => {}
        Other(words) => work.unknown(format!("nothing is known of `{words}`")),
        _ => {}
    }
}

fn renamed(work: &mut Work, name: &QualifiedName, rename: &Rename) {
    let what = match rename {
        Rename::Column(column, _) => format!("column {} of {}", column.as_str(), shown(name)),
        Rename::To(_) | Rename::Schema(_) => format!("relation {}", shown(name)),
    };
    let is_fresh = match rename {
        Rename::Column(column, _) => work.look.is_fresh(name, column),
        Rename::To(_) | Rename::Schema(_) => work.look.beside.fresh.contains(name),
    };
    if !is_fresh {
        work.out.breaks.push(what);
    }
}
