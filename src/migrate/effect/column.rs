//! Columns: added, dropped, of another type.

use super::constraint;
use super::expression::is_volatile;
use super::look::{is_proven, shown};
use super::report::Loss;
use super::types::{Change, Type, change, is_same_in_utc};
use super::views::{needs, views_of};
use super::work::Work;
use crate::catalog::{Column, ColumnDefault, Index, Table};
use crate::migrate::chain::words;
use crate::migrate::lock::LockMode::*;
use crate::sql::{ConstraintKind, Ident, NewColumn, QualifiedName};

pub(super) fn add(work: &mut Work, table: &QualifiedName, column: &NewColumn) {
    let own = Type::parse(&column.data_type);
    let bound = own.domain(&work.look).is_some_and(|(_, is_bound)| is_bound);
    let mut rewrites = own.is_serial || bound;
    let mut has_default = own.is_serial;
    let mut not_null = false;
    for constraint in &column.constraints {
        match &constraint.kind {
            ConstraintKind::Default(expression) => {
                let is_null = expression.trim().eq_ignore_ascii_case("null");
                has_default = !is_null;
                rewrites |= is_volatile(expression, &work.look);
            }
            ConstraintKind::Identity { .. } => {
                has_default = true;
                rewrites = true;
            }
            ConstraintKind::Generated { stored, .. } => {
                has_default = true;
                rewrites |= stored;
                if !stored && work.look.version < 18 {
                    work.refuse("virtual generated columns are known from PostgreSQL 18 on");
                }
            }
            ConstraintKind::NotNull(_) | ConstraintKind::PrimaryKey { .. } => not_null = true,
            _ => {}
        }
    }
    if rewrites {
        work.rewrite(table);
    }
    if not_null && !has_default {
        work.scan(table);
        work.depends(format!(
            "column {} is NOT NULL and has no default: it fails on a table with rows",
            column.name.as_str()
        ));
    }
    for own in &column.constraints {
        match &own.kind {
            ConstraintKind::Check(_) if !own.not_enforced => work.scan(table),
            ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. } => {
                work.build(table);
                if has_default && !rewrites {
                    work.depends(format!(
                        "every row gets the same value of {}, which is to be unique",
                        column.name.as_str()
                    ));
                }
            }
            ConstraintKind::ForeignKey { table: parent, .. } => {
                let (parent, _) = work.relation(parent);
                work.lock_all(&parent, ShareRowExclusive);
                if has_default {
                    constraint::join(work, table, &parent);
                }
            }
            _ => {}
        }
    }
}

pub(super) fn drop(
    work: &mut Work,
    table: &QualifiedName,
    column: &Ident,
    if_exists: bool,
    cascade: bool,
) {
    let known = work.look.table(table);
    if known.is_some_and(|table| table.column(column).is_none()) && if_exists {
        return;
    }
    for own in std::iter::once(table.clone()).chain(work.look.below(table)) {
        work.out.loses_data.push(Loss::Column(own, column.clone()));
    }
    if !work.look.is_fresh(table, column) {
        work.out
            .breaks
            .push(format!("column {} of {}", column.as_str(), shown(table)));
    }
    if let Some(known) = known {
        for (name, index) in &known.indexes {
            if uses(index, column) {
                work.out.drops.insert(format!("index {}", name.as_str()));
            }
        }
        for (name, key) in &known.foreign_keys {
            if key.columns.contains(column) {
                work.out
                    .drops
                    .insert(format!("foreign key {}", name.as_str()));
                work.lock_all(&key.table, AccessExclusive);
            }
        }
        let mut uniques = known
            .uniques
            .iter()
            .chain(known.primary_key.iter().map(|(n, u)| (n, u)));
        for (name, unique) in uniques.by_ref() {
            if unique.columns.contains(column) {
                work.out
                    .drops
                    .insert(format!("constraint {}", name.as_str()));
            }
        }
        for (name, check) in &known.checks {
            if words(check.expression.as_str()).contains(column.as_str()) {
                work.out
                    .drops
                    .insert(format!("constraint {}", name.as_str()));
            }
        }
    }
    let others = work.pointing(table);
    for (other, key) in others {
        let points = work
            .look
            .table(&other)
            .and_then(|other| other.foreign_keys.get(&key))
            .is_some_and(|key| key.key.contains(column));
        if points && cascade {
            work.lock_all(&other, AccessExclusive);
            work.out
                .drops
                .insert(format!("foreign key {} of {}", key.as_str(), shown(&other)));
        } else if points {
            work.refuse(format!(
                "foreign key {} of {} needs the column; only CASCADE drops it too",
                key.as_str(),
                shown(&other)
            ));
        }
    }
    dependents(work, table, column, cascade, "drop");
}

/// Views that show a column: dropped by CASCADE, else in the way.
fn dependents(work: &mut Work, table: &QualifiedName, column: &Ident, cascade: bool, verb: &str) {
    for (name, view) in views_of(&work.look, table) {
        if !needs(&work.look, view, table, column) {
            continue;
        }
        if cascade {
            work.lock(&name, AccessExclusive);
            work.out.drops.insert(format!("view {}", shown(&name)));
        } else {
            work.refuse(format!(
                "view {} shows column {}: the server refuses to {verb} it",
                shown(&name),
                column.as_str()
            ));
        }
    }
}

/// Whether an index is over a column.
fn uses(index: &Index, column: &Ident) -> bool {
    let speaks = |text: &str| words(text).contains(column.as_str());
    index.keys.iter().any(|key| match &key.column {
        Some(own) => own == column,
        None => speaks(key.expression.as_str()),
    }) || index.include.contains(column)
        || index
            .predicate
            .as_ref()
            .is_some_and(|text| speaks(text.as_str()))
}

/// Whether an index has to be built anew though the bytes of a column stay: its expressions are not compared.
fn is_rebuilt(index: &Index, column: &Ident, change: Change) -> bool {
    let plain = index.keys.iter().all(|key| key.column.is_some()) && index.predicate.is_none();
    uses(index, column) && (change == Change::Reindex || !plain)
}

pub(super) fn set_type(
    work: &mut Work,
    table: &QualifiedName,
    column: &Ident,
    data_type: &str,
    collation: Option<&str>,
    using: Option<&str>,
) {
    dependents(work, table, column, false, "change the type of");
    let known = work.look.table(table);
    let own = known.and_then(|known| known.column(column));
    let Some((known, own)) = known.zip(own) else {
        let learnt = work
            .look
            .beside
            .learnt
            .get(&(table.clone(), column.clone()));
        let stays = learnt.is_some_and(|old| {
            using.is_none_or(|using| is_plain_cast(using, column, data_type))
                && collation.is_none()
                && change(old, data_type, &work.look) == Change::None
        });
        if stays {
            return;
        }
        work.rewrite(table);
        work.build(table);
        work.out.assumed.insert(table.clone());
        return;
    };
    let plain_using = using.is_none_or(|using| is_plain_cast(using, column, data_type));
    let old = own.data_type.as_str();
    let mut asks = change(old, data_type, &work.look);
    if !plain_using {
        asks = Change::Rewrite;
    } else if work.look.beside.is_utc && is_same_in_utc(old, data_type) {
        // Other operators sort them: indexes are built anew also where the rows stay.
        asks = Change::Reindex;
    } else if asks == Change::None && !is_same_collation(own, collation) {
        asks = Change::Reindex;
    }
    let generated = known.columns.iter().any(|other| {
        matches!(&other.default, Some(ColumnDefault::Generated(text)) if words(text.as_str()).contains(column.as_str()))
    });
    if generated {
        work.refuse(format!(
            "a generated column is computed from {}: the server refuses to change its type",
            column.as_str()
        ));
    }
    checked_again(work, table, known, column, asks);
    keys_again(work, table, known, column, asks, old != data_type);
}

/// Whether values sort as before: a type that names no collation has its own.
fn is_same_collation(own: &Column, new: Option<&str>) -> bool {
    let bare = |name: &str| {
        let last = crate::sql::Named::parse(name).map(|named| named.name);
        last.filter(|name| name.as_str() != "default")
    };
    let old = own.collation.as_ref();
    old.and_then(|old| bare(old.as_str())) == new.and_then(bare)
}

/// `USING c::text`, `USING CAST(c AS text)`, `USING c`: what PostgreSQL would do anyway.
fn is_plain_cast(using: &str, column: &Ident, data_type: &str) -> bool {
    let text = using
        .trim()
        .trim_start_matches('(')
        .trim_end_matches(')')
        .trim();
    let same = |written: &str| Type::parse(written) == Type::parse(data_type);
    let is_column = |written: &str| {
        crate::sql::Named::parse(written).is_some_and(|named| named.name == *column)
            && !written.contains(['(', '+', '|'])
    };
    if let Some((value, to)) = text.split_once("::") {
        return is_column(value.trim()) && same(to);
    }
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("cast") {
        let inner = text[4..].trim().trim_start_matches('(');
        let at = inner.to_ascii_lowercase().find(" as ");
        return at.is_some_and(|at| is_column(inner[..at].trim()) && same(&inner[at + 4..]));
    }
    is_column(text)
}

/// The table itself, its checks and its indexes.
fn checked_again(
    work: &mut Work,
    table: &QualifiedName,
    known: &Table,
    column: &Ident,
    asks: Change,
) {
    let speaks = |text: &str| words(text).contains(column.as_str());
    if asks == Change::Rewrite {
        work.rewrite(table);
        let has_index = !known.indexes.is_empty()
            || known.primary_key.is_some()
            || !known.uniques.is_empty()
            || !known.exclusions.is_empty();
        if has_index {
            work.build(table);
        }
        return;
    }
    let checks = known.checks.values();
    if checks
        .clone()
        .any(|check| speaks(check.expression.as_str()) && is_proven(check))
    {
        work.scan(table);
    }
    let in_constraint = known
        .uniques
        .values()
        .chain(known.primary_key.iter().map(|(_, unique)| unique))
        .any(|unique| unique.columns.contains(column));
    let rebuilt = known
        .indexes
        .values()
        .any(|index| is_rebuilt(index, column, asks))
        || (asks == Change::Reindex && in_constraint)
        || known.exclusions.values().any(|own| {
            own.elements
                .iter()
                .any(|(element, _)| speaks(element.as_str()))
        });
    if rebuilt {
        work.build(table);
    }
}

/// Foreign keys of the column and to it: dropped and made again, which locks the other table too.
fn keys_again(
    work: &mut Work,
    table: &QualifiedName,
    known: &Table,
    column: &Ident,
    asks: Change,
    changes: bool,
) {
    if !changes {
        return;
    }
    let keys = known.foreign_keys.values();
    for key in keys.filter(|key| key.columns.contains(column)) {
        work.lock_all(&key.table, AccessExclusive);
        if asks != Change::None {
            constraint::join(work, table, &key.table);
        }
    }
    for (other, own) in work.pointing(table) {
        let points = work
            .look
            .table(&other)
            .and_then(|other| other.foreign_keys.get(&own))
            .is_some_and(|key| key.key.contains(column));
        if points {
            work.lock_all(&other, AccessExclusive);
            if asks != Change::None {
                constraint::join(work, &other, table);
            }
        }
    }
}
