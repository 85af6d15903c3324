//! Primary keys.

use super::in_parts;
use super::key::{build, is_same_key, over_built, ready, standing_on, stood, unchanged, using};
use super::reference::{added_again, back_again, is_hidden, proven};
use crate::catalog::{ObjectPath, Partitioning, Table, Unique};
use crate::compile::lines;
use crate::error::Error;
use crate::migrate::change::{Change, What};
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, add_constraint, drop_constraint, rename_constraint,
};
use crate::migrate::plan::{Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{Ident, QualifiedName};

pub(in crate::migrate) static PRIMARY: Recipe = Recipe {
    name: "primary-key",
    doc: "a primary key takes over a unique index that was built CONCURRENTLY, over columns that are proven NOT NULL",
    handles: |change| matches!(change.object, ObjectPath::PrimaryKey(_)),
    steps: primary,
};

fn primary(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::PrimaryKey(table) = &change.object else {
        return Ok(());
    };
    let Some((from, to)) = draft.both(table) else {
        return Ok(());
    };
    let cause = &change.object;
    let subject = table.name.as_str();
    if let (What::Renamed(was), Some((name, _))) = (&change.what, &to.primary_key) {
        let item = Item::new(
            Phase::Expand,
            Rank::Columns,
            format!("rename primary key of {subject}"),
            cause,
        )
        .part(rename_constraint(table, was, name))
        .undo(rename_constraint(table, name, was));
        draft.push(item);
        return Ok(());
    }
    let old = from.primary_key.clone();
    if let Some((_, was)) = &old {
        // References stand on the key's index, so they go first and come again.
        references(draft, table, was, cause);
    }
    match &from.partitioning {
        Some(by) => parted(draft, (table, from, to), by, cause)?,
        None => at_once(draft, (table, from, to), cause)?,
    }
    // References that stay may have come to stand on the new key, and could not outlive it.
    if let Some((_, now)) = &to.primary_key
        && old.is_none_or(|(_, was)| was.columns != now.columns)
    {
        let (mut off, mut on) = (Vec::new(), Vec::new());
        for (child, reference, key) in unchanged(draft, table, &now.columns) {
            off.push(Part::new(drop_constraint(&child, &reference)));
            on.extend(back_again(draft, &child, &reference, &key));
        }
        draft.switch_back(table, Slot::References, off);
        draft.switch_back(table, Slot::DropReferences, on);
    }
    Ok(())
}

/// The key of a table that is in one piece.
fn at_once(
    draft: &mut Draft<'_>,
    (table, from, to): (&QualifiedName, &Table, &Table),
    cause: &ObjectPath,
) -> Result<(), Error> {
    if let Some((name, was)) = &from.primary_key {
        let columns = back_columns(draft, table, &was.columns);
        let word = ("PRIMARY KEY", false);
        let back = stood(draft, (table, from), (name, &columns), word, cause)?;
        let pair = (drop_constraint(table, name), back);
        draft.switch(table, Slot::DropKeys, cause, pair);
    }
    let Some((name, now)) = &to.primary_key else {
        return Ok(());
    };
    let columns = over_built(draft, table, &now.columns);
    let built = if from.primary_key.is_some() {
        draft.built(name)
    } else {
        name.clone()
    };
    build(draft, (table, from), (&built, &columns), cause)?;
    let pair = (
        using(table, name, &built, "PRIMARY KEY", false),
        vec![Part::new(drop_constraint(table, name))],
    );
    draft.switch(table, Slot::Keys, cause, pair);
    ready(draft, table, (table, from), (&built, &columns), cause)
}

/// The key of a partitioned table.
fn parted(
    draft: &mut Draft<'_>,
    (table, from, to): (&QualifiedName, &Table, &Table),
    by: &Partitioning,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let own = in_parts::own(table, by, "pkey");
    let word = ("PRIMARY KEY", false);
    if let Some((name, was)) = &from.primary_key {
        let columns = back_columns(draft, table, &was.columns);
        let mut back = in_parts::stood(draft, from, (&own, &columns), word, cause)?;
        let again = lines::primary_key(name, was);
        back.push(Part::new(add_constraint(table, &again, "")));
        let pair = (drop_constraint(table, name), back);
        draft.switch(table, Slot::DropKeys, cause, pair);
    }
    let Some((name, now)) = &to.primary_key else {
        return Ok(());
    };
    let columns = over_built(draft, table, &now.columns);
    in_parts::taken_over(draft, (table, from), (&own, &columns), word, cause)?;
    let key = lines::primary_key(name, now);
    let back = vec![Part::new(drop_constraint(table, name))];
    let pair = (add_constraint(table, &key, ""), back);
    draft.switch(table, Slot::Keys, cause, pair);
    Ok(())
}

/// Whether a primary key over these columns goes in its table's switch, with the references that stand on it.
pub(super) fn drops(draft: &Draft<'_>, table: &QualifiedName, columns: &[Ident]) -> bool {
    let old = draft.from.tables.get(table);
    let stands = old
        .and_then(|old| old.primary_key.as_ref())
        .is_some_and(|(_, key)| is_same_key(&key.columns, columns));
    stands
        && draft.diff.changes.iter().any(|change| {
            change.object == ObjectPath::PrimaryKey(table.clone())
                && !matches!(change.what, What::Created | What::Renamed(_))
        })
}

/// The key's columns as they are called after the switch, when it is being taken back.
pub(super) fn back_columns(
    draft: &Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
) -> Vec<Ident> {
    let after = |column: &Ident| {
        let mut all = draft.diff.replaced_in(table);
        all.find(|replaced| replaced.old == *column && replaced.built != replaced.new)
            .map_or_else(|| column.clone(), |replaced| draft.kept(&replaced.old))
    };
    columns.iter().map(after).collect()
}

/// References that stand on a key that goes, and stay in the design, are made again in the same transaction and proven after it.
fn references(draft: &mut Draft<'_>, table: &QualifiedName, was: &Unique, cause: &ObjectPath) {
    for (child, name, key) in standing_on(draft, table, &was.columns) {
        let in_new = draft
            .to
            .tables
            .get(&child)
            .and_then(|t| t.foreign_keys.get(&name));
        let path = ObjectPath::ForeignKey(child.clone(), name.clone());
        let is_handled = draft
            .diff
            .changes
            .iter()
            .any(|change| change.object == path);
        if is_handled {
            continue;
        }
        let is_shadowed = draft.diff.is_shadowed(&child);
        if is_shadowed {
            // The table that takes its place refers to the new key: both change theirs at once.
            draft.switch_view(&child, table);
            draft.switch_view(table, table);
        }
        if in_new.is_none() || is_shadowed {
            // Its table goes, but not before the key does.
            let back = back_again(draft, &child, &name, &key);
            let pair = (drop_constraint(&child, &name), back);
            draft.switch(table, Slot::DropReferences, cause, pair);
            continue;
        }
        let drop = drop_constraint(&child, &name);
        let back = back_again(draft, &child, &name, &key);
        draft.switch(table, Slot::DropReferences, cause, (drop.clone(), back));
        let mut off = vec![Part::new(drop)];
        for sql in added_again(draft, &child, &name, &key) {
            let pair = (sql, std::mem::take(&mut off));
            draft.switch(table, Slot::References, cause, pair);
        }
        let title = format!("prove {} of {} again", name.as_str(), child.name.as_str());
        let object = ObjectPath::ForeignKey(child.clone(), name.clone());
        let hidden = is_hidden(draft, &child, &key);
        let item = Item::new(Phase::Switch, Rank::Last, title, &object)
            .parts(proven(hidden, &child, &name))
            .past_policies(hidden);
        draft.push(item);
    }
}
