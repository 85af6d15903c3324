//! Constraints: added, validated, dropped.

use super::look::{is_proven, shown};
use super::proof::implies_not_null;
use super::work::Work;
use crate::migrate::lock::LockMode::{self, *};
use crate::sql::{ConstraintForm, ConstraintKind, Ident, QualifiedName, TableAction};

pub(super) fn lock(form: &ConstraintForm) -> LockMode {
    match form.kind {
        ConstraintKind::ForeignKey { .. } => ShareRowExclusive,
        _ => AccessExclusive,
    }
}

/// How what is below a table is locked for one of its constraints, where that is not as the table itself: `None` inside is not at all.
pub(super) fn lock_below(
    work: &Work,
    table: &QualifiedName,
    action: &TableAction,
) -> Option<Option<LockMode>> {
    let own = match work.look.found(table) {
        super::look::Found::Table(own) if own.partitioning.is_some() => own,
        _ => return None,
    };
    match action {
        // Those of the partitions keep the names they have.
        TableAction::RenameConstraint(name, _)
            if own.indexed_constraints().any(|it| it == name) =>
        {
            Some(None)
        }
        TableAction::AddConstraint(form) if work.look.version < 18 => match &form.kind {
            ConstraintKind::Unique { .. } => Some(Some(Share)),
            ConstraintKind::PrimaryKey { columns, .. } => {
                let is_set = |column: &Ident| own.column(column).is_some_and(|own| !own.nullable);
                columns.iter().all(is_set).then_some(Some(Share))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Reads two tables against each other, as the check of a foreign key does. Of a table that is new nothing is read.
pub(super) fn join(work: &mut Work, child: &QualifiedName, parent: &QualifiedName) {
    if !work.look.beside.fresh.contains(child) {
        work.scan(child);
        work.scan(parent);
    }
}

pub(super) fn add(work: &mut Work, table: &QualifiedName, form: &ConstraintForm) {
    if form.not_enforced && work.look.version < 18 {
        work.refuse("NOT ENFORCED is known from PostgreSQL 18 on");
    }
    let name = form.name.as_ref().map_or("it", Ident::as_str);
    match &form.kind {
        ConstraintKind::Check(_) if form.not_valid || form.not_enforced => {}
        ConstraintKind::Check(_) => {
            match form.no_inherit {
                true => {
                    work.out.scans.insert(table.clone());
                }
                false => work.scan(table),
            }
            work.depends(format!("a row that {name} does not allow makes it fail"));
        }
        ConstraintKind::NotNull(column) => {
            if work.look.version < 18 {
                work.refuse("NOT NULL as a constraint of the table is known from PostgreSQL 18 on");
            }
            if let Some(column) = column.as_ref().filter(|_| !form.not_valid) {
                not_null(work, table, column);
            }
        }
        ConstraintKind::ForeignKey {
            table: parent,
            columns,
            ..
        } => {
            let (parent, _) = work.relation(parent);
            if !form.not_enforced {
                work.lock_all(&parent, ShareRowExclusive);
            } else {
                work.lock(&parent, ShareRowExclusive);
            }
            if form.not_valid && work.look.version < 18 && is_partitioned(work, table) {
                work.refuse(
                    "a foreign key of a partitioned table can be NOT VALID from PostgreSQL 18 on",
                );
            }
            let is_checked = !form.not_valid && !form.not_enforced;
            if is_checked && parts_have(work, table, columns, &parent) {
                // Triggers of the partitions' own keys on the parent give way.
                work.lock_all(&parent, AccessExclusive);
            } else if is_checked {
                join(work, table, &parent);
                work.depends(format!(
                    "a row of {} without its parent makes it fail",
                    shown(table)
                ));
            }
        }
        ConstraintKind::PrimaryKey {
            columns,
            using_index,
            ..
        } => {
            let known = match work.look.found(table) {
                super::look::Found::Table(own) => own.primary_key.as_ref(),
                _ => None,
            };
            if let Some((known, _)) = known.filter(|(known, _)| !work.going.contains(known)) {
                work.refuse(format!(
                    "there is a primary key already: {}",
                    known.as_str()
                ));
            }
            let mut columns = columns.clone();
            if let Some(index) = using_index {
                columns = index_columns(work, table, index);
            } else {
                let fails = "two rows of one key, or a null in it, make it fail";
                build_key(work, table, &form.kind, fails);
            }
            for column in &columns {
                not_null(work, table, column);
            }
        }
        ConstraintKind::Unique {
            using_index: None, ..
        } => build_key(
            work,
            table,
            &form.kind,
            "two rows with the same values make it fail",
        ),
        ConstraintKind::Exclude { .. } => {
            work.build(table);
            work.depends("two rows that exclude each other make it fail");
        }
        _ => {}
    }
    let by_index = match &form.kind {
        ConstraintKind::PrimaryKey { using_index, .. }
        | ConstraintKind::Unique { using_index, .. } => using_index.is_some(),
        _ => false,
    };
    if by_index && is_partitioned(work, table) {
        work.refuse("USING INDEX is not supported on partitioned tables");
    }
}

/// Whether every partition has the foreign key already, and proven: the parent's takes them up.
fn parts_have(
    work: &Work,
    table: &QualifiedName,
    columns: &[Ident],
    parent: &QualifiedName,
) -> bool {
    let parts = work.look.below(table);
    !parts.is_empty()
        && parts.iter().all(|part| {
            let own = work.look.beside.own.get(part);
            let mut keys = own.into_iter().flat_map(|own| &own.foreign_keys);
            keys.any(|(name, key)| {
                let is_open = work
                    .look
                    .beside
                    .unproven
                    .contains(&(part.clone(), name.clone()));
                key.columns == columns && key.table == *parent && !is_open
            })
        })
}

/// Builds the index of a key, but in partitions that have one already: the parent's takes them up.
fn build_key(work: &mut Work, table: &QualifiedName, kind: &ConstraintKind, fails: &str) {
    let beside = &work.look.beside.own;
    let has = |part: &QualifiedName| {
        beside.get(part).is_some_and(|own| match kind {
            ConstraintKind::PrimaryKey { columns, .. } => {
                let key = own.primary_key.as_ref();
                key.is_some_and(|(_, key)| key.columns == *columns)
            }
            ConstraintKind::Unique { columns, .. } => {
                own.uniques.values().any(|key| key.columns == *columns)
            }
            _ => false,
        })
    };
    let leaves = work.look.leaves(table).into_iter();
    let built: Vec<QualifiedName> = leaves.filter(|leaf| !has(leaf)).collect();
    if !built.is_empty() {
        work.out.builds_index.extend(built);
        work.depends(fails);
    }
}

pub(super) fn is_partitioned(work: &Work, table: &QualifiedName) -> bool {
    work.look.partitioning(table).is_some()
}

fn index_columns(work: &Work, table: &QualifiedName, index: &Ident) -> Vec<Ident> {
    let own = work.look.beside.own.get(table);
    let own = own.and_then(|own| own.indexes.get(index));
    let table = work.look.table(table);
    let known = own.or_else(|| table?.indexes.get(index));
    known.map_or(Vec::new(), |index| {
        index
            .keys
            .iter()
            .filter_map(|key| key.column.clone())
            .collect()
    })
}

/// SET NOT NULL reads the table, unless the column cannot be null already or a validated check says so.
pub(super) fn not_null(work: &mut Work, table: &QualifiedName, column: &Ident) {
    if let Some(known) = work.look.table(table) {
        let is_set = known.column(column).is_some_and(|own| !own.nullable);
        let proven = known
            .checks
            .iter()
            .filter(|(name, check)| !work.going.contains(*name) && is_proven(check))
            .any(|(_, check)| implies_not_null(check.expression.as_str(), column));
        if is_set || proven {
            return;
        }
    }
    work.scan(table);
    work.depends(format!(
        "a row in which {} is null makes it fail",
        column.as_str()
    ));
}

pub(super) fn validate(work: &mut Work, table: &QualifiedName, name: &Ident) {
    let own = work.look.beside.own.get(table);
    let known =
        own.filter(|own| own.checks.contains_key(name) || own.foreign_keys.contains_key(name));
    let known = known.or_else(|| work.look.table(table));
    if let Some(key) = known.and_then(|known| known.foreign_keys.get(name)) {
        let parent = key.table.clone();
        work.lock_all(&parent, RowShare);
        join(work, table, &parent);
        return;
    }
    let check = known.and_then(|known| known.checks.get(name));
    if check.is_some_and(is_proven) {
        return;
    }
    work.scan(table);
}

pub(super) fn drop(work: &mut Work, table: &QualifiedName, name: &Ident, cascade: bool) {
    let Some(known) = work.look.table(table) else {
        return;
    };
    if let Some(key) = known.foreign_keys.get(name) {
        let parent = key.table.clone();
        work.lock_all(&parent, AccessExclusive);
    }
    let is_key = known.uniques.contains_key(name)
        || known
            .primary_key
            .as_ref()
            .is_some_and(|(own, _)| own == name);
    if !is_key {
        return;
    }
    for (other, key) in work.pointing(table) {
        let columns = work
            .look
            .table(&other)
            .and_then(|other| other.foreign_keys.get(&key));
        let unique = known
            .uniques
            .get(name)
            .or_else(|| known.primary_key.as_ref().map(|(_, unique)| unique));
        let needs = columns.zip(unique).is_some_and(|(key, unique)| {
            key.key.iter().all(|column| unique.columns.contains(column))
                && key.key.len() == unique.columns.len()
        });
        if needs && cascade {
            work.lock_all(&other, AccessExclusive);
            work.out
                .drops
                .insert(format!("foreign key {} of {}", key.as_str(), shown(&other)));
        } else if needs {
            work.refuse(format!(
                "foreign key {} of {} needs it; only CASCADE drops it too",
                key.as_str(),
                shown(&other)
            ));
        }
    }
}

/// ALTER CONSTRAINT: only what makes it enforced reads rows.
pub(super) fn alter(work: &mut Work, table: &QualifiedName, name: &Ident, enforced: Option<bool>) {
    let key = work
        .look
        .table(table)
        .and_then(|own| own.foreign_keys.get(name));
    let Some(parent) = key.map(|key| key.table.clone()) else {
        return;
    };
    match enforced {
        Some(true) => {
            work.lock_all(&parent, ShareRowExclusive);
            join(work, table, &parent);
        }
        Some(false) => work.lock_all(&parent, AccessExclusive),
        None => work.lock(&parent, AccessShare),
    }
}
