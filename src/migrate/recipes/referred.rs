//! When there is a key on which a reference can stand.

use super::key::is_same_key;
use crate::catalog::{ForeignKey, ObjectPath};
use crate::migrate::change::What;
use crate::migrate::draft::Draft;
use crate::sql::Ident;

/// Whether the key that a reference needs is only made during this migration.
pub(super) fn waits_for_key(draft: &Draft<'_>, key: &ForeignKey) -> bool {
    let Some(parent) = draft.from.tables.get(&key.table) else {
        return false;
    };
    let same = |columns: &[Ident]| is_same_key(columns, &key.key);
    let is_there = parent.primary_key.iter().any(|(_, k)| same(&k.columns))
        || parent.uniques.values().any(|k| same(&k.columns));
    let replaced = draft
        .diff
        .replaced_in(&key.table)
        .any(|replaced| key.key.contains(&replaced.new));
    !is_there || replaced || draft.diff.is_shadowed(&key.table)
}

/// Whether a reference can be made only in the switch of the table that is referred to: that table is built anew, or has its key only then because it is
/// partitioned, or its key only changes the order of its columns, and the old one would be taken for the new one.
pub(super) fn waits_for_switch(draft: &Draft<'_>, key: &ForeignKey) -> bool {
    let old = draft.from.tables.get(&key.table);
    let old = old.and_then(|old| old.primary_key.as_ref());
    let is_old = old.is_some_and(|(_, old)| is_same_key(&old.columns, &key.key));
    has_key_late(draft, key) || is_old && comes_at_switch(draft, key)
}

/// Whether nothing stands ready before the switch on which a reference could stand.
pub(super) fn has_key_late(draft: &Draft<'_>, key: &ForeignKey) -> bool {
    let old = draft.from.tables.get(&key.table);
    let is_partitioned = old.is_some_and(|old| old.partitioning.is_some());
    draft.diff.is_shadowed(&key.table) || is_partitioned && comes_at_switch(draft, key)
}

/// Whether the key that a reference needs is put in its place by the switch of its table.
pub(super) fn comes_at_switch(draft: &Draft<'_>, key: &ForeignKey) -> bool {
    let Some(to) = draft.to.tables.get(&key.table) else {
        return false;
    };
    draft.diff.changes.iter().any(|change| {
        let columns = match &change.object {
            ObjectPath::PrimaryKey(table) if *table == key.table => {
                to.primary_key.as_ref().map(|(_, key)| &key.columns)
            }
            ObjectPath::Unique(table, name) if *table == key.table => {
                let made = to.uniques.get(name);
                made.map(|made| &made.columns)
            }
            _ => None,
        };
        let is_unique = matches!(change.object, ObjectPath::Unique(..));
        let in_switch = match change.what {
            What::Altered(_) => true,
            What::Created => !is_unique,
            _ => false,
        };
        in_switch && columns.is_some_and(|columns| is_same_key(columns, &key.key))
    })
}
