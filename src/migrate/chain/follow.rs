//! Following a chain of statements.

use super::beside::Beside;
use super::{alter, objects, tables};
use crate::catalog::{Catalog, Table};
use crate::migrate::effect::{Effects, Look, effects_of};
use crate::sql::{Ddl, QualifiedName, Transaction, ddl};

/// A schema that follows the statements which are run on it.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Tables, columns, constraints, indexes, types.
    pub catalog: Catalog,
    /// What the catalog does not say.
    pub beside: Beside,
    /// Major version of the server.
    pub version: u16,
}

impl Chain {
    /// A chain that begins with this schema, which is the whole one and in use.
    pub fn new(catalog: Catalog, version: u16) -> Chain {
        Chain {
            beside: Beside::of(&catalog),
            catalog,
            version,
        }
    }

    /// What a statement does where the chain is now.
    pub fn effects(&self, form: &Ddl) -> Effects {
        effects_of(form, &self.catalog, &self.beside, self.version)
    }

    /// Follows a statement: what it made and held is there for the next ones.
    pub fn apply(&mut self, form: &Ddl) {
        let effects = self.effects(form);
        self.follow(form, &effects);
    }

    /// The same, where its effects are known already.
    pub fn follow(&mut self, form: &Ddl, effects: &Effects) {
        let blocking = effects
            .locks
            .iter()
            .filter(|(_, mode)| mode.blocks_writes());
        for (relation, mode) in blocking {
            let held = self.beside.held.entry(relation.clone()).or_insert(*mode);
            *held = (*held).max(*mode);
        }
        match form {
            Ddl::CreateTable(table) => tables::create(self, table),
            Ddl::CreateTableAs {
                table,
                if_not_exists,
                ..
            } => tables::create_as(self, table, *if_not_exists),
            Ddl::AlterTable { table, actions, .. } => alter::alter_table(self, table, actions),
            Ddl::Transaction(Transaction::Commit | Transaction::Rollback) => self.end_transaction(),
            _ => objects::follow(self, form),
        }
    }

    /// COMMIT: locks are given back, values of enums can be used.
    pub fn end_transaction(&mut self) {
        self.beside.held.clear();
        self.beside.fresh_values.clear();
    }

    /// A migration is over: what it made is in use from now on.
    pub fn end_migration(&mut self) {
        self.end_transaction();
        self.beside.fresh.clear();
    }

    pub(in crate::migrate) fn look(&self) -> Look<'_> {
        Look {
            catalog: &self.catalog,
            beside: &self.beside,
            version: self.version,
        }
    }

    /// Puts a table in, or another in its place.
    pub(super) fn put(&mut self, name: &QualifiedName, table: Table) {
        self.take(name);
        self.beside.enter(name, &table);
        self.catalog.tables.insert(name.clone(), table);
    }

    /// Takes a table out.
    pub(super) fn take(&mut self, name: &QualifiedName) -> Option<Table> {
        let table = self.catalog.tables.remove(name)?;
        self.beside.leave(name, &table);
        Some(table)
    }

    /// Changes a table that is there.
    pub(super) fn edit(&mut self, name: &QualifiedName, change: impl FnOnce(&mut Table)) {
        if let Some(mut table) = self.take(name) {
            change(&mut table);
            self.put(name, table);
        }
    }
}

/// Follows one statement where only the catalog is asked for. A foreign key that is NOT VALID counts as one that is proven: the
/// catalog has no word for it; [`Chain`] knows.
pub fn apply(statement: &str, schema: &mut Catalog) {
    let Ok(form) = ddl(statement) else { return };
    let mut chain = Chain::new(std::mem::take(schema), u16::MAX);
    chain.apply(&form);
    *schema = chain.catalog;
}
