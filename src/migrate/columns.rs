//! What sets the columns of two tables apart, and which tables can only come by a new one.

use std::collections::BTreeSet;

use super::change::{Facet, What};
use super::diff::{Diff, Replaced};
use super::effect::{is_same_type, keeps_bytes};
use super::renames::Renames;
use super::same;
use crate::catalog::{
    Catalog, Column, ColumnDefault, ObjectPath, Partition, PartitionBound, Partitioning, Table,
};
use crate::compile::derived;
use crate::sql::words::mentions;
use crate::sql::{Ident, QualifiedName, SqlText};

pub(super) fn columns(
    out: &mut Diff,
    name: &QualifiedName,
    (from, to): (&Table, &Table),
    renames: &Renames,
    swapped: &[QualifiedName],
    schema: (&Catalog, u16),
) {
    if is_shadow(from, to) {
        for column in &to.columns {
            let was = renames.columns.get(&(name.clone(), column.name.clone()));
            let was = was.filter(|was| to.column(was).is_none() && from.column(was).is_some());
            let was = was.filter(|_| from.column(&column.name).is_none());
            let was = was.unwrap_or(&column.name);
            if from.column(was).is_some() {
                out.carried
                    .insert((name.clone(), column.name.clone()), was.clone());
            }
        }
        return;
    }
    let path = |column: &Ident| ObjectPath::Column(name.clone(), column.clone());
    let mut taken = BTreeSet::new();
    for column in &to.columns {
        let was = renames.columns.get(&(name.clone(), column.name.clone()));
        let was = was.filter(|was| to.column(was).is_none());
        if let (None, Some(was)) = (
            from.column(&column.name),
            was.and_then(|was| from.column(was)),
        ) {
            taken.insert(was.name.clone());
            out.say(path(&column.name), What::Renamed(was.name.clone()));
            out.replaced.push(Replaced {
                table: name.clone(),
                old: was.name.clone(),
                new: column.name.clone(),
                built: column.name.clone(),
            });
        }
    }
    // What is computed from a column that is replaced is replaced too.
    let computed = |column: &&Column| column.is_generated();
    let plain = to.columns.iter().filter(|column| !computed(column));
    for column in plain.chain(to.columns.iter().filter(computed)) {
        match from.column(&column.name) {
            Some(was) => {
                let mut all = swapped.iter();
                let is_swapped = all.any(|name| mentions(&column.data_type, &name.name))
                    || match &column.default {
                        Some(ColumnDefault::Generated(sql)) => out
                            .replaced_in(name)
                            .any(|replaced| mentions(sql, &replaced.new)),
                        _ => false,
                    };
                let in_place = !is_held(from, &column.name);
                one_column(out, name, (was, column), (is_swapped, in_place), schema);
            }
            None if out.replaced_in(name).any(|r| r.new == column.name) => {}
            None => out.say(path(&column.name), What::Created),
        }
    }
    for column in &from.columns {
        if to.column(&column.name).is_none() && !taken.contains(&column.name) {
            out.say(path(&column.name), What::Dropped);
        }
    }
}

fn one_column(
    out: &mut Diff,
    table: &QualifiedName,
    (was, now): (&Column, &Column),
    (is_swapped, in_place): (bool, bool),
    (schema, version): (&Catalog, u16),
) {
    let path = ObjectPath::Column(table.clone(), now.name.clone());
    let generated = |column: &Column| match &column.default {
        Some(ColumnDefault::Generated(expression)) => Some(expression.clone()),
        _ => None,
    };
    let (before, after) = (generated(was), generated(now));
    let regenerated = after.is_some()
        && !before
            .as_ref()
            .zip(after.as_ref())
            .is_some_and(|(one, other)| crate::sql::words::same(one, other));
    let same_type = is_same_type(&was.data_type, &now.data_type);
    let same_collation = was.collation == now.collation;
    let types = (&was.data_type, &now.data_type);
    let wider = !same_type && in_place && keeps_bytes(types, schema, version);
    if regenerated || is_swapped || !same_collation || !(same_type || wider) {
        out.say(path.clone(), What::Altered(Facet::Replaced));
        out.replaced.push(Replaced {
            table: table.clone(),
            old: was.name.clone(),
            new: now.name.clone(),
            built: derived(&[now.name.as_str(), "new"]),
        });
    } else {
        if before.is_some() && after.is_none() {
            out.say(path.clone(), What::Altered(Facet::NoLongerGenerated));
        }
        if wider {
            out.say(path.clone(), What::Altered(Facet::WiderType));
        }
        if was.nullable && !now.nullable {
            out.say(path.clone(), What::Altered(Facet::NotNull));
        }
        if after.is_none() && !same::default(&was.default, &now.default, before.is_some()) {
            out.say(path.clone(), What::Altered(Facet::Default));
        }
        if !was.nullable && now.nullable {
            out.say(path.clone(), What::Altered(Facet::Nullable));
        }
    }
    if was.comment != now.comment {
        out.say(path, What::Altered(Facet::Comment));
    }
}

/// Whether something holds the type of a column in its place: PostgreSQL changes none by which a column is computed, a trigger fires or a policy judges.
fn is_held(table: &Table, column: &Ident) -> bool {
    let computes = table.columns.iter().any(|other| match &other.default {
        Some(ColumnDefault::Generated(sql)) => mentions(sql, column),
        _ => false,
    });
    let watches = table.triggers.values().any(|trigger| {
        let when = trigger.when.as_ref();
        trigger.columns.contains(column) || when.is_some_and(|when| mentions(when, column))
    });
    let judges = table.policies.values().any(|policy| {
        let mut conditions = [&policy.using, &policy.check].into_iter().flatten();
        conditions.any(|condition| mentions(condition, column))
    });
    computes || watches || judges
}

/// Whether a table can only come by a new one beside it.
pub(super) fn is_shadow(from: &Table, to: &Table) -> bool {
    let by = |table: &Table| {
        table
            .partitioning
            .as_ref()
            .map(|by| (by.method, by.column.clone()))
    };
    by(from) != by(to)
        || is_cut_by_another_type(from, to)
        || bounds_moved(&from.partitioning, &to.partitioning)
}

/// Whether the column by which a table is cut changes its type, which PostgreSQL refuses.
fn is_cut_by_another_type(from: &Table, to: &Table) -> bool {
    let cut = |table: &Table| {
        let by = table.partitioning.as_ref()?;
        table.column(&by.column).cloned()
    };
    let both = cut(from).zip(cut(to));
    both.is_some_and(|(was, now)| {
        !is_same_type(&was.data_type, &now.data_type) || was.collation != now.collation
    })
}

/// Whether a partition of one name takes other rows.
fn bounds_moved(from: &Option<Partitioning>, to: &Option<Partitioning>) -> bool {
    let (Some(from), Some(to)) = (from, to) else {
        return false;
    };
    let modulus = |by: &Partitioning| {
        by.partitions
            .iter()
            .find_map(|partition| match partition.bound {
                PartitionBound::Hash(modulus, _) => Some(modulus),
                _ => None,
            })
    };
    // Rows that go by another number lie elsewhere, whatever the partitions are called; and what is there cannot be cut in another way.
    let is_cut_otherwise = |partition: &Partition| {
        let mut all = from.partitions.iter();
        let is_there = from
            .partitions
            .iter()
            .any(|was| same::bound(&was.bound, &partition.bound));
        !is_there && all.any(|was| overlaps(&was.bound, &partition.bound))
    };
    let is_moved = |partition: &Partition| {
        let mut all = from.partitions.iter();
        let was = all.find(|other| other.name == partition.name);
        was.is_some_and(|was| !same::bound(&was.bound, &partition.bound))
    };
    modulus(from) != modulus(to)
        || to.partitions.iter().any(is_moved)
        || to.partitions.iter().any(is_cut_otherwise)
}

/// Whether two partitions would take the same row. Bounds of one design are written alike: times as ISO 8601 has them, so that their texts compare as they do.
fn overlaps(one: &PartitionBound, other: &PartitionBound) -> bool {
    match (one, other) {
        (PartitionBound::Range(a, b), PartitionBound::Range(c, d)) => {
            is_before(a, d) && is_before(c, b)
        }
        (PartitionBound::List(one), PartitionBound::List(other)) => {
            one.iter().any(|value| other.contains(value))
        }
        _ => false,
    }
}

/// Whether a bound lies before another; bounds that cannot be compared are taken to.
fn is_before(one: &SqlText, other: &SqlText) -> bool {
    let (one, other) = (one.as_str().trim(), other.as_str().trim());
    let is = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    if is(one, "minvalue") || is(other, "maxvalue") {
        return true;
    }
    if is(one, "maxvalue") || is(other, "minvalue") {
        return false;
    }
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one < other,
        _ => one.trim_matches('\'') < other.trim_matches('\''),
    }
}
