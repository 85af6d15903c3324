//! Rows for a migration to meet.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::design::Model;
use crate::error::Error;
use crate::postgres::Session;
use crate::sql::{SqlText, fixed};
use crate::verify::seed::{Bulk, Maker};

/// Rows of every table, consistent, that rules of single rows allow.
pub fn rows(model: &Model, maker: &Maker, count: usize, seed: u64) -> Vec<Bulk> {
    let tables = model.tables.iter().map(|table| table.name.ident.clone());
    let counts: Vec<_> = tables.map(|table| (table, count)).collect();
    maker.sample(&counts, seed)
}

/// Writes them with triggers off; keys that come from sequences go on after them.
pub async fn load(
    admin: &mut Session,
    model: &Model,
    catalog: &Catalog,
    maker: &Maker,
    rows: &[Bulk],
) -> Result<(), Error> {
    let failed = |failure: crate::postgres::SqlFailure| failure.into_error("load rows");
    let mut all: Vec<SqlText> = vec![fixed("SET session_replication_role = replica")];
    for bulk in rows {
        all.extend(maker.bulk_statements(bulk));
    }
    all.push(fixed("SET session_replication_role = DEFAULT"));
    all.extend(sequences(model, catalog));
    for statement in all {
        admin.batch(&statement).await.map_err(failed)?;
    }
    Ok(())
}

/// Identities go on where the rows end.
fn sequences(model: &Model, catalog: &Catalog) -> Vec<SqlText> {
    use crate::catalog::ColumnDefault::{IdentityAlways, IdentityByDefault};
    use crate::sql::{fill, literal, quote_ident, quote_qualified};
    let own: BTreeSet<_> = model
        .tables
        .iter()
        .map(|t| model.qualified(&t.name.ident))
        .collect();
    let mut out = Vec::new();
    for (name, table) in catalog.tables.iter().filter(|(name, _)| own.contains(name)) {
        for column in &table.columns {
            if matches!(column.default, Some(IdentityAlways | IdentityByDefault)) {
                let parts = [
                    ("literal", &literal(quote_qualified(name).as_str())),
                    ("name", &literal(column.name.as_str())),
                    ("table", &quote_qualified(name)),
                    ("column", &quote_ident(&column.name)),
                ];
                out.push(fill(
                    "SELECT setval(pg_get_serial_sequence({literal}, {name}), (SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)",
                    &parts,
                ));
            }
        }
    }
    out
}
