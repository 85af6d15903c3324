//! Indexes that are no constraint.

use crate::catalog::{Index, ObjectPath, Table};
use crate::compile::{Build, Writer, derived};
use crate::error::Error;
use crate::migrate::change::{Change, What};
use crate::migrate::draft::{Draft, Item, Rank, Slot, beside, rename_index};
use crate::migrate::plan::{Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::words as text;
use crate::sql::{Ident, QualifiedName, SqlText, fill};

pub(in crate::migrate) static INDEX: Recipe = Recipe {
    name: "index",
    doc: "an index is built CONCURRENTLY; on a partitioned table one by one on its partitions, then attached; one that changes takes the place of the old by a rename",
    handles: |change| matches!(change.object, ObjectPath::Index(..)),
    steps: index,
};

fn index(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Index(table, name) = &change.object else {
        return Ok(());
    };
    match &change.what {
        What::Created if super::turned::is_of_constraint(draft, table, name) => {
            let built = draft.built(name);
            let phase = (Phase::Validate, &change.object);
            build(draft, table, name, &built, phase)?;
            let swap = |from: &Ident, to: &Ident| rename_index(table, from, to);
            let pair = (swap(&built, name), vec![Part::new(swap(name, &built))]);
            draft.switch(table, Slot::Keys, &change.object, pair);
            Ok(())
        }
        What::Created => {
            let phase = if on_replaced(draft, table, name) {
                Phase::Validate
            } else {
                Phase::Expand
            };
            build(draft, table, name, name, (phase, &change.object))
        }
        What::Dropped if super::turned::is_constraint(draft, table, name) => {
            if super::turned::is_kept(draft, table, name) {
                return Ok(());
            }
            let kept = draft.kept(name);
            let swap = |from: &Ident, to: &Ident| rename_index(table, from, to);
            let pair = (swap(name, &kept), vec![Part::new(swap(&kept, name))]);
            draft.switch(table, Slot::DropKeys, &change.object, pair);
            drop(draft, table, name, &kept, &change.object)
        }
        What::Dropped => drop(draft, table, name, name, &change.object),
        What::Renamed(was) => {
            rename(draft, table, (was, name), Phase::Expand, &change.object);
            Ok(())
        }
        What::Altered(_) => {
            let built = draft.built(name);
            let kept = draft.kept(name);
            build(
                draft,
                table,
                name,
                &built,
                (Phase::Validate, &change.object),
            )?;
            let swap = |from: &Ident, to: &Ident| rename_index(table, from, to);
            for (from, to) in [(name, &kept), (&built, name)] {
                let pair = (swap(from, to), vec![Part::new(swap(to, from))]);
                draft.switch(table, Slot::Keys, &change.object, pair);
            }
            drop(draft, table, name, &kept, &change.object)
        }
    }
}

/// Whether the new index speaks of a column that only the backfill fills.
fn on_replaced(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> bool {
    let index = draft.to.tables.get(table).and_then(|t| t.indexes.get(name));
    index.is_some_and(|index| {
        draft.diff.replaced_in(table).any(|replaced| {
            index
                .keys
                .iter()
                .any(|key| text::mentions(&key.expression, &replaced.new))
                || index.include.contains(&replaced.new)
                || index
                    .predicate
                    .as_ref()
                    .is_some_and(|p| text::mentions(p, &replaced.new))
        })
    })
}

/// The index over columns under the names they have while it is built.
fn over_built(draft: &Draft<'_>, table: &QualifiedName, index: &Index) -> Index {
    let mut index = index.clone();
    for replaced in draft.diff.replaced_in(table) {
        let rename = |text: &SqlText| text::renamed(text, &replaced.new, &replaced.built);
        for key in &mut index.keys {
            key.expression = rename(&key.expression);
        }
        index.predicate = index.predicate.as_ref().map(rename);
        for column in index.include.iter_mut().filter(|c| **c == replaced.new) {
            *column = replaced.built.clone();
        }
    }
    index
}

/// An index of the old schema over columns under the names that they have after the switch.
fn over_kept(draft: &Draft<'_>, table: &QualifiedName, index: &Index) -> Index {
    let mut index = index.clone();
    for replaced in draft.diff.replaced_in(table) {
        if replaced.old != replaced.new {
            continue;
        }
        let kept = draft.kept(&replaced.old);
        let rename = |text: &SqlText| text::renamed(text, &replaced.old, &kept);
        for key in &mut index.keys {
            key.expression = rename(&key.expression);
        }
        index.predicate = index.predicate.as_ref().map(rename);
        for column in index.include.iter_mut().filter(|c| **c == replaced.old) {
            *column = kept.clone();
        }
    }
    index
}

fn build(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    built: &Ident,
    (phase, cause): (Phase, &ObjectPath),
) -> Result<(), Error> {
    let Some(made) = draft.to.tables.get(table) else {
        return Ok(());
    };
    let Some(index) = made.indexes.get(name) else {
        return Ok(());
    };
    let index = over_built(draft, table, index);
    // What the new schema does not have as partitions yet comes with the index.
    let existing = draft
        .from
        .tables
        .get(table)
        .map_or_else(|| made.clone(), Clone::clone);
    for item in concurrently(draft, table, (&existing, &index), built, (phase, cause))? {
        draft.push(item);
    }
    if index.keys.iter().any(|key| key.column.is_none()) {
        super::statistics::gather(draft, table, cause);
    }
    Ok(())
}

/// Steps that build an index while writers go on.
pub(super) fn concurrently(
    draft: &Draft<'_>,
    table: &QualifiedName,
    (existing, index): (&Table, &Index),
    name: &Ident,
    (phase, cause): (Phase, &ObjectPath),
) -> Result<Vec<Item>, Error> {
    let create = |table: &QualifiedName, name: &Ident, build: Build| -> Result<SqlText, Error> {
        let mut writer = Writer::new(draft.environment);
        writer.index(table, name, index, build)?;
        let made = writer.take().into_iter().next();
        Ok(made.map_or_else(|| crate::sql::fixed(""), |made| made.sql))
    };
    let by_itself = Build {
        concurrently: true,
        only: false,
    };
    let title =
        |table: &QualifiedName| format!("build index {} on {}", name.as_str(), table.name.as_str());
    let Some(by) = &existing.partitioning else {
        let item = Item::new(phase, Rank::Indexes, title(table), cause)
            .resume(drop_index(table, name, true))
            .alone(create(table, name, by_itself)?)
            .undo_parts([Part::alone(drop_index(table, name, true))]);
        return Ok(vec![item]);
    };
    let only = Build {
        concurrently: false,
        only: true,
    };
    let own =
        |partition: &crate::catalog::Partition| derived(&[partition.name.as_str(), name.as_str()]);
    // Those that the expansion has brought are there too, before and behind this.
    let brought = draft.to.tables.get(table);
    let brought = brought.and_then(|table| table.partitioning.as_ref());
    let brought = brought.into_iter().flat_map(|by| &by.partitions);
    let is_known = |name: &Ident| by.partitions.iter().any(|known| known.name == *name);
    let brought = brought.filter(|partition| !is_known(&partition.name));
    let partitions: Vec<_> = by.partitions.iter().chain(brought).collect();
    // Once attached they go with the parent's, and not without it.
    let unattached = partitions
        .iter()
        .map(|partition| Part::new(drop_index(table, &own(partition), false)));
    let mut items = vec![
        Item::new(phase, Rank::Indexes, title(table), cause)
            .part(create(table, name, only)?)
            .undo(drop_index(table, name, false))
            .undo_parts(unattached)
            .because("PostgreSQL refuses CONCURRENTLY on a partitioned table, so each partition builds its own; the parent's is invalid until all are attached"),
    ];
    for partition in partitions {
        let child = QualifiedName::new(table.schema.clone(), partition.name.clone());
        let own = own(partition);
        items.push(
            Item::new(phase, Rank::Indexes, title(&child), cause)
                .resume(drop_index(table, &own, true))
                .alone(create(&child, &own, by_itself)?)
                .undo_parts([]),
        );
        let parts = [
            ("parent", &beside(table, name)),
            ("child", &beside(table, &own)),
        ];
        let attach = fill("ALTER INDEX {parent} ATTACH PARTITION {child}", &parts);
        let title = format!("attach the index of {}", partition.name.as_str());
        items.push(
            Item::new(phase, Rank::Indexes, title, cause)
                .part(attach)
                .undo_parts([])
                .because("the parent's index goes with all that is attached to it"),
        );
    }
    Ok(items)
}

fn drop_index(table: &QualifiedName, name: &Ident, concurrently: bool) -> SqlText {
    let parts = [("name", &beside(table, name))];
    if concurrently {
        fill("DROP INDEX CONCURRENTLY IF EXISTS {name}", &parts)
    } else {
        fill("DROP INDEX IF EXISTS {name}", &parts)
    }
}

fn drop(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    present: &Ident,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let Some(old) = draft.from.tables.get(table) else {
        return Ok(());
    };
    let Some(index) = old.indexes.get(name) else {
        return Ok(());
    };
    // What two rows may not share is a rule: new programs may break it from the switch on.
    let phase = if index.unique && present == name {
        Phase::Switch
    } else {
        Phase::Contract
    };
    let title = format!("drop index {} of {}", present.as_str(), table.name.as_str());
    // Before the columns change their places, so that what takes it back finds them where they were. A reference may stand on one without a condition.
    let rank = if phase == Phase::Switch && index.predicate.is_some() {
        Rank::Surroundings
    } else {
        Rank::GoneIndexes
    };
    let item = Item::new(phase, rank, title, cause);
    let partitioned = old.partitioning.is_some();
    let sql = drop_index(table, present, !partitioned);
    let item = if partitioned {
        item.part(sql)
    } else {
        item.alone(sql)
    };
    let item = if present == name {
        let after = match rank {
            Rank::Surroundings => index.clone(),
            _ => over_kept(draft, table, index),
        };
        let rebuilt = concurrently(draft, table, (old, &after), name, (phase, cause))?;
        item.undo_parts(rebuilt.into_iter().flat_map(|item| item.step.parts))
    } else {
        item.forward_only("another index has its place; the one before it is the new schema's")
    };
    draft.push(item);
    Ok(())
}

fn rename(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    (from, to): (&Ident, &Ident),
    phase: Phase,
    cause: &ObjectPath,
) {
    let title = format!("rename index {} to {}", from.as_str(), to.as_str());
    let item = Item::new(phase, Rank::Indexes, title, cause)
        .part(rename_index(table, from, to))
        .undo(rename_index(table, to, from));
    draft.push(item);
}
