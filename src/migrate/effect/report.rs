//! What is said of a statement.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::migrate::lock::LockMode;
use crate::sql::QualifiedName;

/// What a statement does to what is there before it. Relations that it makes itself are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// The heaviest lock on each table, partition, view and materialised view.
    pub locks: BTreeMap<QualifiedName, LockMode>,
    /// The heaviest lock on indexes, where it keeps readers out though the lock of the table does not (REINDEX).
    pub index_locks: BTreeMap<QualifiedName, LockMode>,
    /// Relations that are read from end to end, to check rows or to copy them.
    pub scans: BTreeSet<QualifiedName>,
    /// Relations whose rows are all written anew.
    pub rewrites: BTreeSet<QualifiedName>,
    /// Relations with an index that is built, which reads the relation and sorts it.
    pub builds_index: BTreeSet<QualifiedName>,
    /// Tables whose rows are inserted, changed or deleted; `true` where no condition limits them.
    pub writes: BTreeMap<QualifiedName, bool>,
    /// Data and structures that are gone afterwards.
    pub loses_data: Vec<Loss>,
    /// What depends on what is dropped and goes with it (CASCADE, an index of a dropped column).
    pub drops: BTreeSet<String>,
    /// Names that programs of before no longer find: `column note of shop.orders`.
    pub breaks: Vec<String>,
    /// Refused inside a transaction block.
    pub needs_no_transaction: bool,
    /// It ends only when every transaction that began before has ended.
    pub waits_for_old_transactions: bool,
    /// When it fails half way, this stays behind: an invalid index, a partition whose detaching is pending.
    pub leaves_behind: Option<String>,
    /// The server refuses it on this version or schema, and why.
    pub refused: Option<String>,
    /// It fails where rows are not as it wants them: duplicates, nulls, orphans.
    pub depends_on_rows: Option<String>,
    /// Relations of which nothing is known: the worst is taken to be so.
    pub assumed: BTreeSet<QualifiedName>,
    /// Why nothing, or not all, can be said of it.
    pub unknown: Option<String>,
}

/// Something that is gone afterwards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// A table with its rows.
    Table(QualifiedName),
    /// A column with its values.
    Column(QualifiedName, crate::sql::Ident),
    /// All rows (TRUNCATE, DELETE without a condition).
    Rows(QualifiedName),
    /// A schema, or everything a role owns.
    Schema(crate::sql::Ident),
    /// What needs an extension: columns of its types, indexes of its operators.
    Extension(crate::sql::Ident),
}

impl Loss {
    /// The table it is about.
    pub fn relation(&self) -> Option<&QualifiedName> {
        match self {
            Loss::Table(table) | Loss::Column(table, _) | Loss::Rows(table) => Some(table),
            Loss::Schema(_) | Loss::Extension(_) => None,
        }
    }
}

impl Effects {
    /// Records a lock; the heaviest counts.
    pub fn lock(&mut self, relation: &QualifiedName, mode: LockMode) {
        let held = self.locks.entry(relation.clone()).or_insert(mode);
        *held = (*held).max(mode);
    }

    /// The lock under which a relation's rows are gone through; of an index, by the table's.
    pub fn lock_of(&self, relation: &QualifiedName) -> Option<LockMode> {
        self.locks.get(relation).copied()
    }

    /// Relations that are gone through as a whole while somebody who reads or writes them waits.
    pub fn stops(&self) -> BTreeMap<QualifiedName, LockMode> {
        let worked = self
            .scans
            .iter()
            .chain(&self.rewrites)
            .chain(&self.builds_index);
        let held = worked.filter_map(|relation| Some((relation, self.lock_of(relation)?)));
        // EXCLUSIVE is taken by REFRESH … CONCURRENTLY alone, on a view that nobody else writes.
        held.filter(|(_, mode)| mode.blocks_writes() && *mode != LockMode::Exclusive)
            .map(|(relation, mode)| (relation.clone(), mode))
            .collect()
    }

    /// Whether it does work in proportion to a table while somebody waits.
    pub fn is_hazard(&self) -> bool {
        !self.stops().is_empty()
    }

    /// Takes up what another statement does.
    pub fn merge(&mut self, other: Effects) {
        for (relation, mode) in other.locks {
            self.lock(&relation, mode);
        }
        for (index, mode) in other.index_locks {
            let held = self.index_locks.entry(index).or_insert(mode);
            *held = (*held).max(mode);
        }
        for (relation, whole) in other.writes {
            *self.writes.entry(relation).or_default() |= whole;
        }
        self.scans.extend(other.scans);
        self.rewrites.extend(other.rewrites);
        self.builds_index.extend(other.builds_index);
        self.loses_data.extend(other.loses_data);
        self.drops.extend(other.drops);
        self.breaks.extend(other.breaks);
        self.needs_no_transaction |= other.needs_no_transaction;
        self.waits_for_old_transactions |= other.waits_for_old_transactions;
        self.leaves_behind = self.leaves_behind.take().or(other.leaves_behind);
        self.refused = self.refused.take().or(other.refused);
        self.depends_on_rows = self.depends_on_rows.take().or(other.depends_on_rows);
        self.assumed.extend(other.assumed);
        self.unknown = self.unknown.take().or(other.unknown);
    }
}
