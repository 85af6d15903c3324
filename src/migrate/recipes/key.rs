//! Unique constraints, and what primary keys share with them.

use super::in_parts;
use super::reference::{added_again, back_again};
use crate::catalog::{Catalog, ForeignKey, Index, IndexKey, ObjectPath, Table, Unique};
use crate::compile::lines;
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, add_constraint, alter, drop_constraint, rename_constraint, validate,
};
use crate::migrate::plan::{Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{Ident, QualifiedName, SqlText, fill, idents, quote_ident, quote_qualified};

pub(in crate::migrate) static UNIQUE: Recipe = Recipe {
    name: "unique",
    doc: "a unique constraint takes over an index that was built CONCURRENTLY",
    handles: |change| matches!(change.object, ObjectPath::Unique(..)),
    steps: unique,
};

/// The index that a key stands on.
pub(super) fn index(columns: &[Ident]) -> Index {
    Index {
        method: "btree".into(),
        unique: true,
        keys: columns
            .iter()
            .map(|column| IndexKey {
                expression: quote_ident(column),
                column: Some(column.clone()),
                collation: None,
                opclass: None,
                descending: false,
                nulls_first: false,
            })
            .collect(),
        include: Vec::new(),
        predicate: None,
        with: std::collections::BTreeMap::new(),
    }
}

/// Columns under the names they have while something is built over them.
pub(super) fn over_built(
    draft: &Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
) -> Vec<Ident> {
    let built = |column: &Ident| {
        let mut all = draft.diff.replaced_in(table);
        all.find(|replaced| replaced.new == *column)
            .map_or_else(|| column.clone(), |replaced| replaced.built.clone())
    };
    columns.iter().map(built).collect()
}

/// Rows that share a key that they may not share.
fn doubles(table: &QualifiedName, columns: &[Ident]) -> SqlText {
    let parts = [
        ("table", &quote_qualified(table)),
        ("columns", &idents(columns)),
    ];
    fill(
        "SELECT {columns}, count(*) FROM {table}\n    WHERE ROW({columns}) IS NOT NULL GROUP BY {columns} HAVING count(*) > 1 LIMIT 10",
        &parts,
    )
}

/// Steps that build the index of a key, and on a partitioned table the key of each partition.
pub(super) fn build(
    draft: &mut Draft<'_>,
    (table, existing): (&QualifiedName, &Table),
    (name, columns): (&Ident, &[Ident]),
    cause: &ObjectPath,
) -> Result<(), Error> {
    let items = super::index::concurrently(
        draft,
        table,
        (existing, &index(columns)),
        name,
        (Phase::Validate, cause),
    )?;
    for mut item in items {
        item.rank = Rank::Keys;
        if item.step.parts.iter().any(|part| part.alone) {
            item.step.check = Some(doubles(table, columns));
        }
        draft.push(item);
    }
    Ok(())
}

/// `ADD CONSTRAINT … USING INDEX`.
pub(super) fn using(
    table: &QualifiedName,
    name: &Ident,
    index: &Ident,
    word: &'static str,
    deferred: bool,
) -> SqlText {
    let parts = [
        ("name", &quote_ident(name)),
        ("word", &crate::sql::fixed(word)),
        ("index", &quote_ident(index)),
        ("deferred", &lines::deferral(deferred)),
    ];
    alter(
        table,
        "ADD CONSTRAINT {name} {word} USING INDEX {index}{deferred}",
        &parts,
    )
}

/// The index that the switch of `of` takes over, built again when the switch is taken back: it went with the constraint.
pub(super) fn ready(
    draft: &mut Draft<'_>,
    of: &QualifiedName,
    (table, existing): (&QualifiedName, &Table),
    (name, columns): (&Ident, &[Ident]),
    cause: &ObjectPath,
) -> Result<(), Error> {
    let items = super::index::concurrently(
        draft,
        table,
        (existing, &index(columns)),
        name,
        (Phase::Validate, cause),
    )?;
    let parts = items.into_iter().flat_map(|item| item.step.parts).collect();
    draft.ready_again(of, Slot::Keys, parts);
    Ok(())
}

/// Whether two keys are over the same columns: PostgreSQL lets a reference stand on either, whatever their order.
pub(super) fn is_same_key(one: &[Ident], other: &[Ident]) -> bool {
    one.len() == other.len() && one.iter().all(|column| other.contains(column))
}

/// References of a schema to exactly these columns.
fn references_to(
    side: &Catalog,
    table: &QualifiedName,
    columns: &[Ident],
) -> Vec<(QualifiedName, Ident, ForeignKey)> {
    let mut found = Vec::new();
    for (child, made) in &side.tables {
        for (name, key) in &made.foreign_keys {
            if key.table == *table && is_same_key(&key.key, columns) {
                found.push((child.clone(), name.clone(), key.clone()));
            }
        }
    }
    found
}

/// Those of the old schema.
pub(super) fn standing_on(
    draft: &Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
) -> Vec<(QualifiedName, Ident, ForeignKey)> {
    references_to(draft.from, table, columns)
}

/// Those that the new schema has as they are.
pub(super) fn unchanged(
    draft: &Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
) -> Vec<(QualifiedName, Ident, ForeignKey)> {
    there_before(draft, table, columns, &|_| false)
}

/// Those of tables that stay which are there before the switch, though they change in such a way.
fn there_before(
    draft: &Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
    though: &dyn Fn(&What) -> bool,
) -> Vec<(QualifiedName, Ident, ForeignKey)> {
    let mut found = standing_on(draft, table, columns);
    found.retain(|(child, name, _)| {
        let path = ObjectPath::ForeignKey(child.clone(), name.clone());
        let mut own = draft.diff.changes.iter().filter(|own| own.object == path);
        draft.to.tables.contains_key(child)
            && !draft.diff.is_shadowed(child)
            && own.all(|own| though(&own.what))
    });
    found
}

/// The change with which a unique constraint over these columns goes in the switch; references of tables that go then go with it.
pub(super) fn gone_with<'d>(
    draft: &'d Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
) -> Option<&'d ObjectPath> {
    going_with(draft, table, columns, &|_| true)
}

/// Whether a key over these columns goes in its table's switch: no reference may stand on it then.
pub(super) fn goes_in_switch(draft: &Draft<'_>, table: &QualifiedName, columns: &[Ident]) -> bool {
    let is_taken_over = |name: &Ident| super::turned::is_taken_over(draft, table, name);
    super::primary::drops(draft, table, columns)
        || going_with(draft, table, columns, &is_taken_over).is_some()
}

/// The change with which such a constraint is exchanged; `dropped`: whether one counts that is dropped.
fn going_with<'d>(
    draft: &'d Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
    dropped: &dyn Fn(&Ident) -> bool,
) -> Option<&'d ObjectPath> {
    let mut all = draft.diff.changes.iter();
    let found = all.find(|change| {
        let ObjectPath::Unique(own, name) = &change.object else {
            return false;
        };
        let goes = match change.what {
            What::Dropped => dropped(name),
            What::Altered(facet) => facet != Facet::Rebuilt,
            _ => false,
        };
        goes && own == table
            && of_old(draft, table, name).is_some_and(|was| is_same_key(&was.columns, columns))
    });
    found.map(|change| &change.object)
}

/// References of tables that go, or are built anew, as far as they go with this key: each with its table, what drops it and what makes it
/// again. `switched`: whether what is built anew has taken its place by then.
fn going(
    draft: &Draft<'_>,
    table: &QualifiedName,
    (was, switched): (&Unique, bool),
    cause: &ObjectPath,
) -> Vec<(QualifiedName, SqlText, Vec<Part>)> {
    if gone_with(draft, table, &was.columns) != Some(cause)
        || super::primary::drops(draft, table, &was.columns)
    {
        return Vec::new();
    }
    let mut all = standing_on(draft, table, &was.columns);
    all.retain(|(child, ..)| !draft.to.tables.contains_key(child) || draft.diff.is_shadowed(child));
    let pairs = all.into_iter().map(|(child, name, key)| {
        let mut called = child.clone();
        if switched && draft.diff.is_shadowed(&child) {
            called.name = draft.kept(&child.name);
        }
        let back = back_again(draft, &called, &name, &key);
        (child, drop_constraint(&called, &name), back)
    });
    pairs.collect()
}

fn of_old(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> Option<Unique> {
    draft.from.tables.get(table)?.uniques.get(name).cloned()
}

fn unique(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Unique(table, name) = &change.object else {
        return Ok(());
    };
    let Some(existing) = draft.from.tables.get(table) else {
        return Ok(());
    };
    let now = draft.to.tables.get(table).and_then(|t| t.uniques.get(name));
    let named = format!("unique {} of {}", name.as_str(), table.name.as_str());
    let cause = &change.object;
    match (&change.what, now) {
        (What::Created, Some(now)) => {
            let columns = over_built(draft, table, &now.columns);
            if let Some(by) = &existing.partitioning {
                let built = Unique {
                    columns,
                    deferred: now.deferred,
                };
                return in_parts::created(draft, (table, existing, by), name, &built, cause);
            }
            if existing.indexes.contains_key(name) {
                return super::turned::constraint(draft, (table, existing), name, now, cause);
            }
            build(draft, (table, existing), (name, &columns), cause)?;
            let item = Item::new(Phase::Validate, Rank::Keys, format!("add {named}"), cause)
                .part(using(table, name, name, "UNIQUE", now.deferred));
            let mut back = vec![Part::new(drop_constraint(table, name))];
            let mut proofs = Vec::new();
            // A reference made again during a switch back may have come to stand on this key, also one that only the switch changes.
            let is_altered = |what: &What| matches!(what, What::Altered(_));
            for (child, reference, key) in there_before(draft, table, &now.columns, &is_altered) {
                back.insert(0, Part::new(drop_constraint(&child, &reference)));
                let again = added_again(draft, &child, &reference, &key);
                back.extend(again.into_iter().map(Part::new));
                proofs.push(Part::alone(validate(&child, &reference)));
            }
            draft.push(item.undo_parts(back).undo_parts(proofs));
        }
        (What::Dropped, _) => {
            let Some(was) = of_old(draft, table, name) else {
                return Ok(());
            };
            if super::turned::is_taken_over(draft, table, name) {
                return dropped_in_switch(draft, table, name, &was, cause);
            }
            // Before the columns change their places, so that what takes it back finds them where they were; else after
            // the references that stand on it have moved.
            let rank = if draft.diff.names_replaced(table, &was.columns) {
                Rank::Surroundings
            } else {
                Rank::Loosened
            };
            // References that stand on it, and stay, come to stand on the key that is there beside it.
            let staying = references_to(draft.to, table, &was.columns);
            let off = |(child, reference, _): &(QualifiedName, Ident, ForeignKey)| {
                Part::new(drop_constraint(child, reference))
            };
            let on = |(child, reference, key): &(QualifiedName, Ident, ForeignKey)| {
                let again = added_again(draft, child, reference, key);
                again.into_iter().map(Part::new)
            };
            let proofs = staying
                .iter()
                .map(|(child, reference, _)| Part::alone(validate(child, reference)));
            let switched = rank == Rank::Loosened;
            let going = going(draft, table, (&was, switched), cause);
            let gone = going.iter().map(|(_, drop, _)| Part::new(drop.clone()));
            let forward = gone.chain(staying.iter().map(off));
            let forward = forward.chain([Part::new(drop_constraint(table, name))]);
            let forward: Vec<Part> = forward.chain(staying.iter().flat_map(on)).collect();
            let item = Item::new(Phase::Switch, rank, format!("drop {named}"), cause)
                .parts(forward.into_iter().map(|part| part.sql))
                .undo_parts(staying.iter().map(off))
                .undo_parts(again(draft, table, name, (&was, &was.columns))?)
                .undo_parts(staying.iter().flat_map(on))
                .undo_parts(going.into_iter().flat_map(|(_, _, back)| back))
                .undo_parts(proofs.clone());
            draft.push(item);
            for proof in proofs {
                let title = format!("prove what refers to {} again", table.name.as_str());
                draft.push(Item::new(Phase::Switch, Rank::Last, title, cause).part(proof.sql));
            }
        }
        (What::Renamed(was), _) => {
            let item = Item::new(
                Phase::Expand,
                Rank::Columns,
                format!("rename {} to {named}", was.as_str()),
                cause,
            )
            .part(rename_constraint(table, was, name))
            .undo(rename_constraint(table, name, was));
            draft.push(item);
        }
        (What::Altered(facet), Some(now)) => {
            let Some(was) = of_old(draft, table, name) else {
                return Ok(());
            };
            if *facet == Facet::Rebuilt {
                let kept = draft.kept(name);
                let pair = (
                    rename_constraint(table, name, &kept),
                    vec![Part::new(rename_constraint(table, &kept, name))],
                );
                draft.switch(table, Slot::DropKeys, cause, pair);
                let title = format!("drop unique {} of {}", kept.as_str(), table.name.as_str());
                let item = Item::new(Phase::Contract, Rank::GoneRules, title, cause)
                    .part(drop_constraint(table, &kept))
                    .parts(in_parts::renamed(draft, (table, existing), name))
                    .forward_only("the old column goes in the next step");
                draft.push(item);
            } else {
                dropped_in_switch(draft, table, name, &was, cause)?;
            }
            match &existing.partitioning {
                None => exchanged(draft, (table, existing), name, now, cause)?,
                Some(by) => {
                    let beside = *facet == Facet::Rebuilt;
                    in_parts::exchanged(draft, (table, existing, by), name, (now, beside), cause)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// A unique constraint that takes over, in its table's switch, an index that was built under another name.
pub(super) fn exchanged(
    draft: &mut Draft<'_>,
    (table, existing): (&QualifiedName, &Table),
    name: &Ident,
    now: &Unique,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let columns = over_built(draft, table, &now.columns);
    let built = draft.built(name);
    build(draft, (table, existing), (&built, &columns), cause)?;
    ready(draft, table, (table, existing), (&built, &columns), cause)?;
    let back = vec![Part::new(drop_constraint(table, name))];
    let pair = (using(table, name, &built, "UNIQUE", now.deferred), back);
    draft.switch(table, Slot::Keys, cause, pair);
    Ok(())
}

/// A unique constraint that goes in its table's switch, where something else takes its name.
fn dropped_in_switch(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    was: &Unique,
    cause: &ObjectPath,
) -> Result<(), Error> {
    for (child, drop, back) in going(draft, table, (was, false), cause) {
        if draft.diff.is_shadowed(&child) {
            // Before the new one takes its place, in the same transaction.
            draft.switch_view(&child, table);
            draft.switch_view(table, table);
        }
        draft.switch(table, Slot::DropReferences, cause, (drop, back));
    }
    let after = super::primary::back_columns(draft, table, &was.columns);
    let pair = (
        drop_constraint(table, name),
        again(draft, table, name, (was, &after))?,
    );
    draft.switch(table, Slot::DropKeys, cause, pair);
    Ok(())
}

/// Parts that make a unique constraint as it was, the index first, over the columns as they are called at that time.
fn again(
    draft: &Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    (was, columns): (&Unique, &[Ident]),
) -> Result<Vec<Part>, Error> {
    let Some(existing) = draft.from.tables.get(table) else {
        return Ok(Vec::new());
    };
    let object = ObjectPath::Unique(table.clone(), name.clone());
    let word = ("UNIQUE", was.deferred);
    if let Some(by) = &existing.partitioning {
        let own = in_parts::own(table, by, name.as_str());
        let mut parts = in_parts::stood(draft, existing, (&own, columns), word, &object)?;
        let made = Unique {
            columns: columns.to_vec(),
            deferred: was.deferred,
        };
        let line = lines::unique(name, &made);
        parts.push(Part::new(add_constraint(table, &line, "")));
        return Ok(parts);
    }
    stood(draft, (table, existing), (name, columns), word, &object)
}

/// Parts that make a key as it was: its index under another name, and the constraint that takes it over.
pub(super) fn stood(
    draft: &Draft<'_>,
    (table, existing): (&QualifiedName, &Table),
    (name, columns): (&Ident, &[Ident]),
    (word, deferred): (&'static str, bool),
    object: &ObjectPath,
) -> Result<Vec<Part>, Error> {
    let kept = draft.kept(name);
    let own = (existing, &index(columns));
    let items = super::index::concurrently(draft, table, own, &kept, (Phase::Switch, object))?;
    let mut parts: Vec<Part> = items.into_iter().flat_map(|item| item.step.parts).collect();
    parts.push(Part::new(using(table, name, &kept, word, deferred)));
    Ok(parts)
}
