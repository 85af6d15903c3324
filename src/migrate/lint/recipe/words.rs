//! Pieces of SQL that several recipes are made of.

use crate::sql::{Ident, Named, QualifiedName, SqlText, fill, quote_ident, quote_qualified};

/// Where there is none.
pub(super) const WINDOW: &str = "there is no way that lets others go on: do it in a maintenance window, or into a new table that takes the old one's place";

/// How a backfill is told.
pub(super) const BATCHES: &str =
    "-- again and again, each time in a transaction of its own, until no row is left:";

pub(super) fn text(sql: SqlText) -> String {
    sql.as_str().to_owned()
}

pub(super) fn authored(text: &str) -> SqlText {
    SqlText::authored(text)
}

/// A name as the statement wrote it.
pub(super) fn written(named: &Named) -> SqlText {
    match &named.schema {
        Some(schema) => quote_qualified(&QualifiedName::new(schema.clone(), named.name.clone())),
        None => quote_ident(&named.name),
    }
}

/// A name without `public`.
pub(super) fn table_name(name: &QualifiedName) -> SqlText {
    match name.schema.as_str() {
        "public" => quote_ident(&name.name),
        _ => quote_qualified(name),
    }
}

/// A made name of a part of a table, not longer than names can be.
pub(super) fn made(table: &QualifiedName, middle: &str, ending: &str) -> Ident {
    let mut text = [table.name.as_str(), "_", middle].concat();
    while text.len() + ending.len() + 1 > 63 {
        if text.pop().is_none() {
            break;
        }
    }
    Ident::new([&text, "_", ending].concat())
}

pub(super) fn two_steps(name: &QualifiedName, constraint: &Ident, body: &SqlText) -> SqlText {
    fill(
        "ALTER TABLE {table} ADD CONSTRAINT {name} {body} NOT VALID;\n-- in a later transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};",
        &[
            ("table", &table_name(name)),
            ("name", &quote_ident(constraint)),
            ("body", body),
        ],
    )
}
