//! A unique constraint and an index that follow each other under one name: the rule stays in force while one becomes the other.

use super::key::{exchanged, index, using};
use crate::catalog::{ObjectPath, Table, Unique};
use crate::error::Error;
use crate::migrate::draft::{Draft, Item, Rank, drop_constraint};
use crate::migrate::plan::Phase;
use crate::migrate::same;
use crate::sql::{Ident, QualifiedName};

/// Whether an index of the new schema takes over the name of a unique constraint.
pub(super) fn is_taken_over(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> bool {
    let now = draft.to.tables.get(table);
    now.is_some_and(|now| now.indexes.contains_key(name)) && is_of_constraint(draft, table, name)
}

/// Whether a unique constraint of the old schema has the name of this index.
pub(super) fn is_of_constraint(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> bool {
    let was = draft.from.tables.get(table);
    was.is_some_and(|was| was.uniques.contains_key(name) && was.partitioning.is_none())
}

/// Whether a unique constraint of the new schema takes over the name of this index.
pub(super) fn is_constraint(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> bool {
    let both = draft.both(table);
    both.is_some_and(|(was, now)| now.uniques.contains_key(name) && was.partitioning.is_none())
}

/// Whether the constraint can stand on the index that is there.
pub(super) fn is_kept(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> bool {
    draft.both(table).is_some_and(|(was, now)| {
        let both = was.indexes.get(name).zip(now.uniques.get(name));
        both.is_some_and(|(was, now)| {
            same::index(was, &index(&now.columns))
                && !draft.diff.names_replaced(table, &now.columns)
        })
    })
}

/// A unique constraint under the name of an index of the old schema.
pub(super) fn constraint(
    draft: &mut Draft<'_>,
    (table, existing): (&QualifiedName, &Table),
    name: &Ident,
    now: &Unique,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let named = format!("unique {} of {}", name.as_str(), table.name.as_str());
    if is_kept(draft, table, name) {
        let object = (Phase::Validate, cause);
        let own = index(&now.columns);
        let again = super::index::concurrently(draft, table, (existing, &own), name, object)?;
        let again = again.into_iter().flat_map(|item| item.step.parts);
        let item = Item::new(Phase::Validate, Rank::Keys, format!("add {named}"), cause)
            .part(using(table, name, name, "UNIQUE", now.deferred))
            .undo(drop_constraint(table, name))
            .undo_parts(again)
            .because("the index that is there becomes the constraint's; nothing is built");
        draft.push(item);
        return Ok(());
    }
    exchanged(draft, (table, existing), name, now, cause)
}
