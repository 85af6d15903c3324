//! Putting together what a statement does.

use std::collections::BTreeSet;

use super::look::{Found, Look};
use super::report::Effects;
use crate::migrate::lock::LockMode;
use crate::sql::{Ident, Named, QualifiedName};

/// A statement at work: what it sees, and what is known of it so far.
pub(super) struct Work<'a> {
    pub(super) look: Look<'a>,
    pub(super) out: Effects,
    /// Constraints that the statement drops: it does so before it looks at anything else.
    pub(super) going: BTreeSet<Ident>,
    /// Relations that the statement drops: what stands between them is in nobody's way.
    pub(super) dropped: BTreeSet<QualifiedName>,
}

impl<'a> Work<'a> {
    pub(super) fn new(look: Look<'a>) -> Work<'a> {
        Work {
            look,
            out: Effects::default(),
            going: BTreeSet::new(),
            dropped: BTreeSet::new(),
        }
    }

    /// The relation of a name; one that is not known is taken to be there, in use and large.
    pub(super) fn relation(&mut self, named: &Named) -> (QualifiedName, Found<'a>) {
        let (name, found) = self.look.relation(named);
        if matches!(found, Found::Nothing) && !self.look.beside.fresh.contains(&name) {
            self.out.assumed.insert(name.clone());
        }
        (name, found)
    }

    /// Takes a lock on a relation.
    pub(super) fn lock(&mut self, name: &QualifiedName, mode: LockMode) {
        self.out.lock(name, mode);
    }

    /// Takes a lock on a relation and all that is below it.
    pub(super) fn lock_all(&mut self, name: &QualifiedName, mode: LockMode) {
        self.lock(name, mode);
        self.lock_all_below(name, mode);
    }

    /// Locks the partitions and children of a relation.
    pub(super) fn lock_all_below(&mut self, name: &QualifiedName, mode: LockMode) {
        for below in self.look.below(name) {
            self.lock(&below, mode);
        }
    }

    /// Reads all rows of a relation.
    pub(super) fn scan(&mut self, name: &QualifiedName) {
        self.out.scans.extend(self.look.leaves(name));
    }

    /// Writes all rows of a relation anew.
    pub(super) fn rewrite(&mut self, name: &QualifiedName) {
        self.out.rewrites.extend(self.look.leaves(name));
    }

    /// Builds an index over a relation.
    pub(super) fn build(&mut self, name: &QualifiedName) {
        self.out.builds_index.extend(self.look.leaves(name));
    }

    /// Says that the server refuses it.
    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.out.refused.get_or_insert_with(|| why.into());
    }

    /// Says that it fails on rows that are not as it wants them.
    pub(super) fn depends(&mut self, on: impl Into<String>) {
        self.out.depends_on_rows.get_or_insert_with(|| on.into());
    }

    /// Says that something about it is not known.
    pub(super) fn unknown(&mut self, why: impl Into<String>) {
        self.out.unknown.get_or_insert_with(|| why.into());
    }

    /// Foreign keys of other tables that point at this one.
    pub(super) fn pointing(&self, name: &QualifiedName) -> Vec<(QualifiedName, Ident)> {
        let found = self.look.beside.pointing.get(name);
        found.into_iter().flatten().cloned().collect()
    }

    /// What is left when nobody uses the fresh relations.
    pub(super) fn done(mut self) -> Effects {
        let fresh = &self.look.beside.fresh;
        if fresh.is_empty() {
            return self.out;
        }
        let used = |name: &QualifiedName| !fresh.contains(name);
        self.out.locks.retain(|name, _| used(name));
        self.out.scans.retain(used);
        self.out.rewrites.retain(used);
        self.out.builds_index.retain(used);
        self.out.writes.retain(|name, _| used(name));
        self.out.assumed.retain(used);
        self.out
            .loses_data
            .retain(|loss| loss.relation().is_none_or(used));
        self.out
    }
}
