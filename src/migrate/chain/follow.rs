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
        self.beside.fresh_columns.clear();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::statements;

    /// The schema after these statements.
    fn after(text: &str) -> Chain {
        let mut chain = Chain::new(Catalog::default(), 15);
        for at in statements(text) {
            let statement = &text[at];
            chain.apply(&ddl(statement).expect(statement));
        }
        chain
    }

    fn table(chain: &Chain, name: &str) -> Table {
        let name = QualifiedName::new("public".into(), name.into());
        chain
            .catalog
            .tables
            .get(&name)
            .cloned()
            .expect("it is there")
    }

    #[test]
    fn renames_reach_everything_that_points_there() {
        let chain = after(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p, CHECK (p_id > 0));
             CREATE INDEX ON c (p_id); ALTER TABLE p RENAME TO q; ALTER TABLE q RENAME COLUMN id TO key;
             ALTER TABLE c RENAME COLUMN p_id TO q_id",
        );
        let c = table(&chain, "c");
        let key = &c.foreign_keys[&"c_p_id_fkey".into()];
        assert_eq!(key.table.name.as_str(), "q");
        assert_eq!(
            (key.columns[0].as_str(), key.key[0].as_str()),
            ("q_id", "key")
        );
        assert_eq!(
            c.checks[&"c_p_id_check".into()].expression.as_str(),
            "q_id > 0"
        );
        assert_eq!(
            c.indexes[&"c_p_id_idx".into()].keys[0].column,
            Some("q_id".into())
        );
        assert_eq!(
            table(&chain, "q").primary_key.map(|(_, key)| key.columns),
            Some(vec!["key".into()])
        );
    }

    #[test]
    fn what_is_dropped_takes_along_what_is_over_it() {
        let chain = after(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (a int, b int, p_id int REFERENCES p);
             CREATE INDEX ON c (a, b); CREATE VIEW v AS SELECT a FROM c; CREATE INDEX i ON c (lower(b::text)) WHERE a > 0;
             ALTER TABLE c DROP COLUMN b; DROP TABLE p CASCADE",
        );
        let c = table(&chain, "c");
        assert!(c.indexes.is_empty() && c.foreign_keys.is_empty());
        assert_eq!(c.columns.len(), 2);
        assert_eq!(chain.catalog.views.len(), 1);
        assert!(chain.beside.pointing.values().all(|keys| keys.is_empty()));
    }

    #[test]
    fn schemas_are_found_by_the_search_path() {
        let chain = after(
            "CREATE SCHEMA s; SET search_path TO s; CREATE TABLE t (a int); RESET search_path; ALTER TABLE t ADD b int",
        );
        let name = QualifiedName::new("s".into(), "t".into());
        assert_eq!(chain.catalog.tables[&name].columns.len(), 2);
    }

    #[test]
    fn new_tables_and_partitions_are_in_nobodys_way() {
        let chain = after(
            "CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE TABLE p PARTITION OF t DEFAULT",
        );
        let form = ddl("ALTER TABLE t ALTER a TYPE bigint").expect("a statement");
        assert_eq!(chain.effects(&form), Effects::default());
        let mut later = chain.clone();
        later.end_migration();
        assert_eq!(later.effects(&form).rewrites.len(), 1);
        assert_eq!(later.effects(&form).locks.len(), 2);
    }

    #[test]
    fn the_catalog_alone_can_be_followed() {
        let mut catalog = Catalog::default();
        for statement in [
            "CREATE TABLE t (a int)",
            "ALTER TABLE t ADD CONSTRAINT k CHECK (a IS NOT NULL) NOT VALID",
        ] {
            apply(statement, &mut catalog);
        }
        let set = "ALTER TABLE t ALTER a SET NOT NULL";
        let effects = |catalog: &Catalog| crate::migrate::effects(set, catalog, 15);
        assert!(effects(&catalog).is_hazard());
        apply("ALTER TABLE t VALIDATE CONSTRAINT k", &mut catalog);
        assert!(!effects(&catalog).is_hazard());
        apply("nonsense", &mut catalog);
        assert_eq!(catalog.tables.len(), 1);
    }
}
