//! Which tables a statement reads, and how it writes or locks them: its own, and those that foreign keys, triggers and functions
//! lead to. Rather too much than one thing too little, because what is independent is not tried in both orders.

use std::collections::{BTreeMap, BTreeSet};

use super::reach::Reach;
use crate::catalog::Catalog;
use crate::sql::{Ident, RowLock};

/// A set of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tables {
    /// Whatever there is.
    all: bool,
    names: BTreeSet<Ident>,
}

impl Tables {
    /// Whatever there is.
    pub(super) fn everything() -> Tables {
        Tables {
            all: true,
            names: BTreeSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.all && self.names.is_empty()
    }

    /// Whether both contain the same table.
    pub(super) fn meets(&self, other: &Tables) -> bool {
        match (self.all, other.all) {
            (true, _) => !other.is_empty(),
            (_, true) => !self.is_empty(),
            _ => !self.names.is_disjoint(&other.names),
        }
    }

    /// Those that are known by name.
    pub(super) fn names(&self) -> impl Iterator<Item = &Ident> {
        self.names.iter()
    }

    pub(super) fn contains(&self, table: &Ident) -> bool {
        self.all || self.names.contains(table)
    }

    pub(super) fn insert(&mut self, table: Ident) {
        self.names.insert(table);
    }

    pub(super) fn add(&mut self, other: &Tables) {
        self.all |= other.all;
        self.names.extend(other.names.iter().cloned());
    }
}

impl FromIterator<Ident> for Tables {
    fn from_iter<I: IntoIterator<Item = Ident>>(names: I) -> Tables {
        Tables {
            all: false,
            names: names.into_iter().collect(),
        }
    }
}

/// How the rows of one table are written and locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Touch {
    /// New rows.
    pub inserts: bool,
    /// Rows that are there are changed or removed.
    pub changes: bool,
    /// Locks on rows that are there, by the statement itself or by a foreign key.
    pub locks: BTreeSet<RowLock>,
}

impl Touch {
    /// Whether the second must wait for the first to end if both are about the same row. Rows that are not committed are
    /// not there for others, except that a new row waits for one with its key.
    fn conflicts(&self, other: &Touch) -> bool {
        let keys =
            (self.inserts && (other.inserts || other.changes)) || (other.inserts && self.changes);
        keys || self
            .locks
            .iter()
            .any(|one| other.locks.iter().any(|two| excludes(*one, *two)))
    }

    fn add(&mut self, other: &Touch) {
        self.inserts |= other.inserts;
        self.changes |= other.changes;
        self.locks.extend(&other.locks);
    }
}

/// PostgreSQL's table of conflicting row locks.
fn excludes(one: RowLock, two: RowLock) -> bool {
    use RowLock::*;
    match (one, two) {
        (Table, _) | (_, Table) => true,
        (Update, _) | (_, Update) => true,
        (NoKeyUpdate, Share | NoKeyUpdate) | (Share, NoKeyUpdate) => true,
        (KeyShare | Share, KeyShare | Share)
        | (KeyShare, NoKeyUpdate)
        | (NoKeyUpdate, KeyShare) => false,
    }
}

/// What a statement, or several, touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    pub reads: Tables,
    touches: BTreeMap<Ident, Touch>,
    /// Whatever there is, in every way.
    everything: bool,
    /// Tables that the statement means to write or lock; the locks that foreign keys take by themselves are none of these.
    pub meant: Tables,
}

impl Footprint {
    pub(super) fn everything() -> Footprint {
        Footprint {
            reads: Tables::everything(),
            touches: BTreeMap::new(),
            everything: true,
            meant: Tables::everything(),
        }
    }

    pub(super) fn touch(&mut self, table: &Ident) -> &mut Touch {
        self.touches.entry(table.clone()).or_default()
    }

    pub(super) fn add(&mut self, other: &Footprint) {
        self.reads.add(&other.reads);
        self.meant.add(&other.meant);
        self.everything |= other.everything;
        for (table, touch) in &other.touches {
            self.touch(table).add(touch);
        }
    }

    /// Whether it writes or locks nothing.
    pub(super) fn is_quiet(&self) -> bool {
        !self.everything && self.touches.is_empty()
    }

    /// Whether one may have to wait for the other.
    pub(super) fn conflicts(&self, other: &Footprint) -> bool {
        if self.everything || other.everything {
            return !self.is_quiet() && !other.is_quiet();
        }
        self.touches
            .iter()
            .any(|(table, touch)| other.touches.get(table).is_some_and(|o| touch.conflicts(o)))
    }

    /// Whether it may keep others from reading a table.
    pub(super) fn shuts_out(&self) -> bool {
        let table = |touch: &Touch| touch.locks.contains(&RowLock::Table);
        self.everything || self.touches.values().any(table)
    }

    /// Everything it reads, writes or locks.
    pub(super) fn touched(&self) -> Tables {
        let mut all = self.reads.clone();
        all.add(&self.written());
        all.add(&self.locked());
        all
    }

    /// Tables that get new rows.
    pub(super) fn inserted(&self) -> Tables {
        self.that(|touch| touch.inserts)
    }

    /// Tables with rows that are changed or removed.
    pub(super) fn changed(&self) -> Tables {
        self.that(|touch| touch.changes)
    }

    fn that(&self, how: impl Fn(&Touch) -> bool) -> Tables {
        let touched = self.touches.iter().filter(|(_, touch)| how(touch));
        touched.map(|(table, _)| table.clone()).collect()
    }

    /// Tables in which others see a difference once it has committed.
    pub(super) fn written(&self) -> Tables {
        match self.everything {
            true => Tables::everything(),
            false => {
                let written = self
                    .touches
                    .iter()
                    .filter(|(_, touch)| touch.inserts || touch.changes);
                written.map(|(table, _)| table.clone()).collect()
            }
        }
    }

    /// Tables in which it looks for rows to lock or change.
    pub(super) fn locked(&self) -> Tables {
        match self.everything {
            true => Tables::everything(),
            false => {
                let locked = self
                    .touches
                    .iter()
                    .filter(|(_, touch)| touch.changes || !touch.locks.is_empty());
                locked.map(|(table, _)| table.clone()).collect()
            }
        }
    }
}

/// The footprint of one statement (parameters as `:name` or `$n`) over a schema.
pub(super) fn footprint(sql: &str, catalog: &Catalog) -> Footprint {
    Reach::of(sql, catalog).into_footprint()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(inserts: bool, changes: bool, locks: &[RowLock]) -> Touch {
        Touch {
            inserts,
            changes,
            locks: locks.iter().copied().collect(),
        }
    }

    #[test]
    fn new_rows_wait_for_keys_and_for_nothing_else() {
        let insert = touch(true, false, &[]);
        assert!(insert.conflicts(&insert));
        assert!(insert.conflicts(&touch(false, true, &[RowLock::NoKeyUpdate])));
        assert!(!insert.conflicts(&touch(false, false, &[RowLock::Update])));
    }

    #[test]
    fn shared_locks_go_together() {
        let share = touch(false, false, &[RowLock::Share]);
        let key = touch(false, false, &[RowLock::KeyShare]);
        let update = touch(false, true, &[RowLock::NoKeyUpdate]);
        assert!(!share.conflicts(&share) && !share.conflicts(&key) && !key.conflicts(&update));
        assert!(share.conflicts(&update) && update.conflicts(&update));
    }
}
