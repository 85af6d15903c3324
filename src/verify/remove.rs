//! Taking an enforcement out of a catalog, or of a database.

use crate::catalog::{Catalog, ObjectPath};
use crate::sql::{Ident, QualifiedName, SqlText, fill, quote_ident, quote_qualified};

/// References that need a key: they go with it.
pub(super) fn dependants(catalog: &Catalog, object: &ObjectPath) -> Vec<ObjectPath> {
    let Some(table) = object.table() else {
        return Vec::new();
    };
    let Some(made) = catalog.tables.get(table) else {
        return Vec::new();
    };
    let key: Option<Vec<Ident>> = match object {
        ObjectPath::PrimaryKey(_) => made
            .primary_key
            .as_ref()
            .map(|(_, key)| key.columns.clone()),
        ObjectPath::Unique(_, name) => made.uniques.get(name).map(|key| key.columns.clone()),
        ObjectPath::Index(_, name) => made
            .indexes
            .get(name)
            .filter(|index| index.unique && index.predicate.is_none())
            .and_then(|index| index.keys.iter().map(|key| key.column.clone()).collect()),
        _ => None,
    };
    let Some(mut key) = key else {
        return Vec::new();
    };
    key.sort();
    let all = catalog.tables.iter().flat_map(|(name, made)| {
        made.foreign_keys
            .iter()
            .map(move |(key, made)| (name, key, made))
    });
    all.filter(|(_, _, reference)| {
        let mut columns = reference.key.clone();
        columns.sort();
        reference.table == *table && columns == key
    })
    .map(|(name, reference, _)| ObjectPath::ForeignKey(name.clone(), reference.clone()))
    .collect()
}

/// The catalog without these objects and what depends on them.
pub(super) fn without(catalog: &Catalog, objects: &[ObjectPath]) -> Catalog {
    let mut mutant = catalog.clone();
    for object in objects {
        for dependant in dependants(catalog, object) {
            mutant.remove(&dependant);
        }
        mutant.remove(object);
    }
    mutant
}

/// What takes them out of a database, as the owner.
pub(super) fn statements(catalog: &Catalog, objects: &[ObjectPath]) -> Vec<SqlText> {
    objects
        .iter()
        .filter_map(|object| statement(catalog, object))
        .collect()
}

fn statement(catalog: &Catalog, object: &ObjectPath) -> Option<SqlText> {
    use ObjectPath::*;
    let constraint = |table: &QualifiedName, name: &Ident| {
        let parts = [
            ("table", &quote_qualified(table)),
            ("name", &quote_ident(name)),
        ];
        fill("ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE", &parts)
    };
    let of = |template: &'static str, table: &QualifiedName, name: &Ident| {
        let parts = [
            ("table", &quote_qualified(table)),
            ("name", &quote_ident(name)),
        ];
        fill(template, &parts)
    };
    let alone = |template: &'static str, table: &QualifiedName| {
        fill(template, &[("table", &quote_qualified(table))])
    };
    Some(match object {
        NotNull(table, name) => of(
            "ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL",
            table,
            name,
        ),
        PrimaryKey(table) => constraint(table, &catalog.tables.get(table)?.primary_key.as_ref()?.0),
        Unique(table, name)
        | Check(table, name)
        | ForeignKey(table, name)
        | Exclusion(table, name) => constraint(table, name),
        Index(table, name) => {
            let name = QualifiedName::new(table.schema.clone(), name.clone());
            fill(
                "DROP INDEX {name} CASCADE",
                &[("name", &quote_qualified(&name))],
            )
        }
        Trigger(table, name) => of("DROP TRIGGER {name} ON {table}", table, name),
        Policy(table, name) => of("DROP POLICY {name} ON {table}", table, name),
        RowSecurity(table) => alone("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", table),
        ForceRowSecurity(table) => alone("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", table),
        Grants(table, role) => of("REVOKE ALL ON {table} FROM {name}", table, role),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ForeignKey, OnDelete, Table, Unique};

    #[test]
    fn references_go_with_the_key_they_need() {
        let name = |table: &str| QualifiedName::new("s".into(), table.into());
        let columns = || vec![Ident::from("a"), Ident::from("b")];
        let mut catalog = Catalog::default();
        let mut parent = Table::default();
        parent.uniques.insert(
            "uq".into(),
            Unique {
                columns: columns(),
                deferred: false,
            },
        );
        catalog.tables.insert(name("parent"), parent);
        let mut child = Table::default();
        let key = ForeignKey {
            columns: columns(),
            table: name("parent"),
            key: vec!["b".into(), "a".into()],
            on_delete: OnDelete::Restrict,
            on_update: OnDelete::NoAction,
            deferred: false,
        };
        child.foreign_keys.insert("fk".into(), key);
        catalog.tables.insert(name("child"), child);
        let object = ObjectPath::Unique(name("parent"), "uq".into());
        let mutant = without(&catalog, std::slice::from_ref(&object));
        assert!(mutant.tables[&name("child")].foreign_keys.is_empty());
        assert!(mutant.tables[&name("parent")].uniques.is_empty());
        let sql = statements(&catalog, &[object]);
        assert_eq!(
            sql[0].as_str(),
            "ALTER TABLE s.parent DROP CONSTRAINT uq CASCADE"
        );
    }
}
