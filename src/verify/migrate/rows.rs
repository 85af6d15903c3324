//! Rows for a migration to meet.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Column};
use crate::design::{self, Model};
use crate::error::Error;
use crate::invariant::drift;
use crate::postgres::Session;
use crate::sql::{
    Ident, SqlText, fill, fixed, follow_rows, join, literal, number, quote_ident, quote_qualified,
    sequence,
};
use crate::verify::seed::{Bulk, Maker};

/// Rows of every table, consistent, that rules of single rows allow.
pub fn rows(model: &Model, maker: &Maker, count: usize, seed: u64) -> Vec<Bulk> {
    let tables = model.tables.iter().map(|table| table.name.ident.clone());
    let counts: Vec<_> = tables.map(|table| (table, count)).collect();
    maker.sample(&counts, seed)
}

/// Writes them in a session in which triggers are off, as a keeper's; keys that come from sequences go on after them.
pub async fn load(
    keeper: &mut Session,
    model: &Model,
    catalog: &Catalog,
    maker: &Maker,
    rows: &[Bulk],
) -> Result<(), Error> {
    let failed = |failure: crate::postgres::SqlFailure| failure.into_error("load rows");
    let mut all: Vec<SqlText> = Vec::new();
    for bulk in rows {
        all.extend(maker.bulk_statements(bulk));
    }
    all.extend(sequences(model, catalog));
    for statement in all {
        keeper.batch(&statement).await.map_err(failed)?;
    }
    Ok(())
}

/// Identities go on where the rows end.
fn sequences(model: &Model, catalog: &Catalog) -> Vec<SqlText> {
    use crate::catalog::ColumnDefault::{IdentityAlways, IdentityByDefault};

    let own: BTreeSet<_> = model
        .tables
        .iter()
        .map(|t| model.qualified(&t.name.ident))
        .collect();
    let mut out = Vec::new();
    for (name, table) in catalog.tables.iter().filter(|(name, _)| own.contains(name)) {
        for column in &table.columns {
            if matches!(column.default, Some(IdentityAlways | IdentityByDefault)) {
                out.push(follow_rows(name, &column.name));
            }
        }
    }
    out
}

/// Groups of rows that belong together, and rows of each table in a group.
const GROUPS: u64 = 14;
const OF_TABLE: u64 = 3;

/// Writes legal rows the way programs would, with every trigger on: what the design's rules say holds of them. A group that some rule refuses is written
/// table by table, as far as that goes.
pub(super) async fn live(
    admin: &mut Session,
    model: &Model,
    catalog: &Catalog,
    maker: &Maker,
    seed: u64,
) -> Result<(), Error> {
    let failed = |failure: crate::postgres::SqlFailure| failure.into_error("write rows");
    let tables: Vec<Ident> = maker.parents_first().into_iter().cloned().collect();
    for group in 0..GROUPS {
        let mut rows = Vec::new();
        for (at, table) in tables.iter().enumerate() {
            for number in 0..OF_TABLE {
                let distinct = group * 16 + number;
                let pick = seed
                    .wrapping_mul(0x9E37_79B9)
                    .wrapping_add(distinct * 131 + at as u64 * 17);
                maker.add_varied(&mut rows, table, distinct, pick);
            }
        }
        maker.complete(&mut rows);
        if together(admin, &maker.statements(&rows))
            .await
            .map_err(failed)?
        {
            continue;
        }
        for (at, table) in tables.iter().enumerate() {
            let rows = maker.row(table, &[], 1_000 + group * 64 + at as u64);
            together(admin, &maker.statements(&rows))
                .await
                .map_err(failed)?;
        }
    }
    for statement in declared_values(model)
        .into_iter()
        .chain(declared_ranges(model, catalog))
        .chain(filled_values(model, catalog))
        .chain(varied_values(model, catalog))
    {
        if !kept(admin, model, &statement).await.map_err(failed)? {
            admin.batch(&fixed("ROLLBACK")).await.map_err(failed)?;
        }
    }
    for statement in sequences(model, catalog) {
        admin.batch(&statement).await.map_err(failed)?;
    }
    Ok(())
}

/// Gives rows the values that the design says a column has.
fn declared_values(model: &Model) -> Vec<SqlText> {
    let mut out = Vec::new();
    for table in &model.tables {
        for column in &table.columns {
            let count = column.data.values.len() as i64;
            for (at, (value, _)) in column.data.values.iter().enumerate() {
                let name = quote_qualified(&model.qualified(&table.name.ident));
                let parts = [
                    ("table", &name),
                    ("column", &quote_ident(&column.name.ident)),
                    ("value", &literal(value)),
                    ("count", &number(count)),
                    ("at", &number(at as i64)),
                ];
                out.push(fill(
                    "UPDATE {table} SET {column} = {value} WHERE abs(hashtext(ctid::text)) % {count} = {at}",
                    &parts,
                ));
            }
        }
    }
    out
}

/// Columns of the design, with the quoted name of their table and what the schema has of them.
fn columns<'m>(
    model: &'m Model,
    catalog: &'m Catalog,
) -> impl Iterator<Item = (SqlText, &'m design::Column, &'m Column)> {
    model.tables.iter().flat_map(move |table| {
        let name = model.qualified(&table.name.ident);
        let made = catalog.tables.get(&name);
        table.columns.iter().filter_map(move |column| {
            let own = made?.column(&column.name.ident)?;
            Some((quote_qualified(&name), column, own))
        })
    })
}

/// Spreads times over the range that the design says they have.
fn declared_ranges(model: &Model, catalog: &Catalog) -> Vec<SqlText> {
    let mut out = Vec::new();
    for (table, column, own) in columns(model, catalog) {
        let data_type = own.data_type.as_str().to_ascii_lowercase();
        let mut times = ["timestamp", "date"].iter();
        let is_time = times.any(|word| data_type.starts_with(word));
        let Some((low, high)) = column.data.range.as_ref().filter(|_| is_time) else {
            continue;
        };
        let parts = [
            ("table", &table),
            ("column", &quote_ident(&own.name)),
            ("type", &own.data_type),
            ("low", &literal(low)),
            ("high", &literal(high)),
        ];
        out.push(fill(
            "UPDATE {table} SET {column} = ({low}::timestamp + ({high}::timestamp - {low}::timestamp) * (abs(hashtext(ctid::text)) % 1000) / 1000)::{type}",
            &parts,
        ));
    }
    out
}

/// Gives values to columns that may be without one, or nothing would be seen of what becomes of them.
fn filled_values(model: &Model, catalog: &Catalog) -> Vec<SqlText> {
    let mut out = Vec::new();
    for table in &model.tables {
        let name = model.qualified(&table.name.ident);
        let Some(made) = catalog.tables.get(&name) else {
            continue;
        };
        for column in made
            .columns
            .iter()
            .filter(|c| c.nullable && c.default.is_none())
        {
            let mut keys = made.foreign_keys.values();
            if keys.any(|key| key.columns.contains(&column.name)) {
                continue;
            }
            let Some(value) = some_value(column.data_type.as_str()) else {
                continue;
            };
            let parts = [
                ("table", &quote_qualified(&name)),
                ("column", &quote_ident(&column.name)),
                ("value", &fixed(value)),
            ];
            out.push(fill(
                "UPDATE {table} SET {column} = {value} WHERE {column} IS NULL AND abs(hashtext(ctid::text)) % 3 > 0",
                &parts,
            ));
        }
    }
    out
}

/// Gives columns capitals and fractions, or nothing would be seen of what folds or rounds them. Where the design says what a column holds, that is kept.
fn varied_values(model: &Model, catalog: &Catalog) -> Vec<SqlText> {
    let mut out = Vec::new();
    let told =
        |column: &design::Column| !column.data.values.is_empty() || column.data.pattern.is_some();
    for (table, _, own) in columns(model, catalog).filter(|(_, column, _)| !told(column)) {
        let data_type = own.data_type.as_str().to_ascii_lowercase();
        let is = |words: &[&str]| words.iter().any(|word| data_type.starts_with(word));
        let quoted = quote_ident(&own.name);
        let parts = [("column", &quoted)];
        let value = if data_type.ends_with("[]") {
            fill("array_append({column}, '7')", &parts)
        } else if is(&["text", "varchar", "character varying"]) {
            fill("upper({column})", &parts)
        } else if is(&["numeric", "real", "double"]) {
            fill("{column} + 0.37", &parts)
        } else {
            continue;
        };
        let parts = [("table", &table), ("column", &quoted), ("value", &value)];
        out.push(fill(
            "UPDATE {table} SET {column} = {value} WHERE abs(hashtext(ctid::text)) % 3 = 1",
            &parts,
        ));
    }
    out
}

/// A value for each row.
fn some_value(data_type: &str) -> Option<&'static str> {
    let data_type = data_type.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| data_type.starts_with(word));
    if is(&["text", "varchar", "character varying"]) {
        Some("left(md5(ctid::text), 8)")
    } else if is(&["integer", "bigint", "smallint"]) {
        Some("abs(hashtext(ctid::text)) % 1000")
    } else if is(&["numeric", "real", "double"]) {
        Some("abs(hashtext(ctid::text)) % 1000 + 0.37")
    } else if is(&["timestamp", "date"]) {
        Some("now()")
    } else if is(&["bool"]) {
        Some("abs(hashtext(ctid::text)) % 2 = 0")
    } else {
        None
    }
}

/// Runs a statement that changes rows, and keeps what it does where no rule is broken by it. Otherwise its transaction is left open, to be rolled back.
async fn kept(
    admin: &mut Session,
    model: &Model,
    statement: &SqlText,
) -> Result<bool, crate::postgres::SqlFailure> {
    let rules: Vec<SqlText> = model
        .invariants
        .iter()
        .filter_map(|invariant| drift(model, invariant))
        .collect();
    admin.batch(&fixed("BEGIN")).await?;
    let mut before = Vec::new();
    for rule in &rules {
        before.push(
            admin
                .query(rule)
                .await
                .is_ok_and(|rows| rows.rows.is_empty()),
        );
    }
    if admin.batch(statement).await.is_err() {
        return Ok(false);
    }
    for (rule, _) in rules.iter().zip(before).filter(|(_, held)| *held) {
        if !admin
            .query(rule)
            .await
            .is_ok_and(|rows| rows.rows.is_empty())
        {
            return Ok(false);
        }
    }
    // Rules that are judged at the commit may still refuse it.
    Ok(admin.batch(&fixed("COMMIT")).await.is_ok())
}

/// One transaction; whether it came through.
async fn together(
    admin: &mut Session,
    statements: &[SqlText],
) -> Result<bool, crate::postgres::SqlFailure> {
    let mut all = vec![fixed("BEGIN")];
    all.extend(statements.iter().cloned());
    all.push(fixed("COMMIT"));
    let done = admin.batch(&sequence(&all)).await;
    if done.is_err() {
        admin.batch(&fixed("ROLLBACK")).await?;
    }
    Ok(done.is_ok())
}

/// The rows that are there.
pub(super) async fn stored(
    admin: &mut Session,
    model: &Model,
    catalog: &Catalog,
) -> Result<Vec<Bulk>, Error> {
    let mut out = Vec::new();
    for table in &model.tables {
        let name = model.qualified(&table.name.ident);
        let Some(made) = catalog.tables.get(&name) else {
            continue;
        };
        let columns: Vec<Ident> = made
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let texts = columns
            .iter()
            .map(|column| fill("{column}::text", &[("column", &quote_ident(column))]));
        let parts = [
            ("columns", &join(texts, ", ")),
            ("table", &quote_qualified(&name)),
        ];
        let query = fill("SELECT {columns} FROM {table} LIMIT 200", &parts);
        let rows = admin.query(&query).await;
        let rows = rows.map_err(|failure| failure.into_error("read rows"))?;
        out.push(Bulk {
            table: table.name.ident.clone(),
            columns,
            rows: rows.rows,
        });
    }
    Ok(out)
}
