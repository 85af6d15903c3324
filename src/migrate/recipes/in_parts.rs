//! Keys of partitioned tables: each partition has one of its own ready, and the parent's takes them up without a scan.

use super::key::{build, over_built, ready, stood as stood_alone, using};
use crate::catalog::{ObjectPath, Partitioning, Table, Unique};
use crate::compile::{derived, lines};
use crate::error::Error;
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, add_constraint, drop_constraint, rename_index,
};
use crate::migrate::plan::{Part, Phase};
use crate::sql::{Ident, QualifiedName, SqlText};

/// Each partition with the name of its own part of a key.
pub(super) fn own(
    table: &QualifiedName,
    by: &Partitioning,
    key: &str,
) -> Vec<(QualifiedName, Ident)> {
    let own = |partition: &crate::catalog::Partition| {
        let child = QualifiedName::new(table.schema.clone(), partition.name.clone());
        (child, derived(&[partition.name.as_str(), key]))
    };
    by.partitions.iter().map(own).collect()
}

/// A partition is a table in one piece.
fn plain(parent: &Table) -> Table {
    Table {
        partitioning: None,
        ..parent.clone()
    }
}

/// Steps that add a unique constraint beside what there is.
pub(super) fn created(
    draft: &mut Draft<'_>,
    (table, existing, by): (&QualifiedName, &Table, &Partitioning),
    name: &Ident,
    now: &Unique,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let plain = plain(existing);
    for (child, own) in own(table, by, name.as_str()) {
        build(draft, (&child, &plain), (&own, &now.columns), cause)?;
        let title = format!("add unique {} of {}", own.as_str(), child.name.as_str());
        let item = Item::new(Phase::Validate, Rank::Keys, title, cause)
            .part(using(&child, &own, &own, "UNIQUE", now.deferred))
            .undo_parts([])
            .because("the parent's constraint takes over those of its partitions");
        draft.push(item);
    }
    let title = format!("add unique {} of {}", name.as_str(), table.name.as_str());
    let item = Item::new(Phase::Validate, Rank::Keys, title, cause)
        .part(add_constraint(table, &lines::unique(name, now), ""))
        .undo(drop_constraint(table, name));
    draft.push(item);
    Ok(())
}

/// A unique constraint that comes in its table's switch. `beside`: the parts of the one before it stay until the contraction.
pub(super) fn exchanged(
    draft: &mut Draft<'_>,
    (table, existing, by): (&QualifiedName, &Table, &Partitioning),
    name: &Ident,
    (now, beside): (&Unique, bool),
    cause: &ObjectPath,
) -> Result<(), Error> {
    let mut own = own(table, by, name.as_str());
    if beside {
        for (_, name) in &mut own {
            *name = draft.built(name);
        }
    }
    let columns = over_built(draft, table, &now.columns);
    let word = ("UNIQUE", now.deferred);
    taken_over(draft, (table, existing), (&own, &columns), word, cause)?;
    let back = vec![Part::new(drop_constraint(table, name))];
    let pair = (add_constraint(table, &lines::unique(name, now), ""), back);
    draft.switch(table, Slot::Keys, cause, pair);
    Ok(())
}

/// The parts of such a constraint get the names of those before them, which are gone.
pub(super) fn renamed(
    draft: &Draft<'_>,
    (table, existing): (&QualifiedName, &Table),
    name: &Ident,
) -> Vec<SqlText> {
    let by = existing.partitioning.iter();
    let parts = by.flat_map(|by| own(table, by, name.as_str()));
    parts
        .map(|(child, own)| rename_index(&child, &draft.built(&own), &own))
        .collect()
}

/// The parts of a key: built before the switch, and made constraints in it, for the parent's to take up.
pub(super) fn taken_over(
    draft: &mut Draft<'_>,
    (table, existing): (&QualifiedName, &Table),
    (own, columns): (&[(QualifiedName, Ident)], &[Ident]),
    (word, deferred): (&'static str, bool),
    cause: &ObjectPath,
) -> Result<(), Error> {
    let plain = plain(existing);
    for (child, own) in own {
        let built = draft.built(own);
        build(draft, (child, &plain), (&built, columns), cause)?;
        let pair = (using(child, own, &built, word, deferred), Vec::new());
        draft.switch(table, Slot::Keys, cause, pair);
        ready(draft, table, (child, &plain), (&built, columns), cause)?;
    }
    Ok(())
}

/// Parts that make those of a key as they were, for the parent's to take up.
pub(super) fn stood(
    draft: &Draft<'_>,
    existing: &Table,
    (own, columns): (&[(QualifiedName, Ident)], &[Ident]),
    word: (&'static str, bool),
    object: &ObjectPath,
) -> Result<Vec<Part>, Error> {
    let plain = plain(existing);
    let mut parts = Vec::new();
    for (child, own) in own {
        let part = stood_alone(draft, (child, &plain), (own, columns), word, object)?;
        parts.extend(part);
    }
    Ok(parts)
}
