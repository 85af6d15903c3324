//! A catalog written down: statements in dependency order, laid out as a careful person would.

use super::lines::foreign_key;
use super::order;
use super::writer::Writer;
use crate::catalog::{Catalog, ForeignKey, ObjectPath};
use crate::error::Error;
use crate::sql::{Ident, QualifiedName, SqlText, fill, quote_qualified};
use crate::template::Environment;

/// One statement with what it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Without the semicolon.
    pub sql: SqlText,
    /// The object it makes or completes.
    pub object: ObjectPath,
}

/// A schema as statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// In an order that applies.
    pub statements: Vec<Statement>,
}

impl Script {
    /// The whole, as a file for people and for `psql`.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut last: Option<&ObjectPath> = None;
        for statement in &self.statements {
            let sql = statement.sql.as_str().trim_end();
            // Statements about one table stand together; a blank line sets groups apart.
            let brief = !sql.contains('\n') || sql.starts_with("COMMENT ON");
            let together =
                last.is_some_and(|last| group(last) == group(&statement.object)) && brief;
            if last.is_some() && !together {
                out.push('\n');
            }
            out.push_str(sql);
            out.push_str(";\n");
            last = Some(&statement.object);
        }
        out
    }
}

/// Statements with the same group stand without a blank line between them.
fn group(path: &ObjectPath) -> String {
    match path {
        ObjectPath::Schema(_) | ObjectPath::Extension(_) | ObjectPath::Role(_) => "0".to_owned(),
        ObjectPath::Table(name) | ObjectPath::Column(name, _) => {
            format!("table {}", name.name.as_str())
        }
        ObjectPath::Index(name, _) => format!("index {}", name.name.as_str()),
        ObjectPath::Statistics(name, _) => format!("statistics {}", name.name.as_str()),
        ObjectPath::Grants(..) => "grants".to_owned(),
        ObjectPath::RowSecurity(name) | ObjectPath::ForceRowSecurity(name) => {
            format!("rls {}", name.name.as_str())
        }
        other => format!("{other:?}"),
    }
}

/// Writes a catalog down. The same catalog gives the same bytes.
pub fn ddl(catalog: &Catalog, environment: &Environment) -> Result<Script, Error> {
    let mut writer = Writer::new(environment);
    writer.surroundings(catalog);
    writer.routines(catalog, true);
    let tables = order::tables(catalog);
    let mut later: Vec<(&QualifiedName, &Ident, &ForeignKey)> = Vec::new();
    for (position, name) in tables.iter().enumerate() {
        let Some(table) = catalog.tables.get(*name) else {
            continue;
        };
        let ready =
            |key: &ForeignKey| key.table == **name || tables[..position].contains(&&key.table);
        later.extend(
            table
                .foreign_keys
                .iter()
                .filter(|(_, key)| !ready(key))
                .map(|(key, made)| (*name, key, made)),
        );
        writer.table(name, table, &ready)?;
    }
    for (name, key, made) in later {
        let sql = fill(
            "ALTER TABLE {table}\n    ADD {constraint}",
            &[
                ("table", &quote_qualified(name)),
                ("constraint", &foreign_key(key, made)),
            ],
        );
        writer.push(sql, ObjectPath::ForeignKey(name.clone(), key.clone()));
    }
    writer.routines(catalog, false);
    for name in &tables {
        let Some(table) = catalog.tables.get(*name) else {
            continue;
        };
        writer.triggers(name, table)?;
    }
    for name in &tables {
        let Some(table) = catalog.tables.get(*name) else {
            continue;
        };
        writer.security(name, table)?;
    }
    for (name, view) in &catalog.views {
        writer.view(name, view)?;
    }
    writer.grants(catalog);
    Ok(Script {
        statements: writer.take(),
    })
}
