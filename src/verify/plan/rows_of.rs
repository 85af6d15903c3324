//! Rows that arguments of a command are made around: of every table that it touches some, as many in each state as there are, half of
//! them such as earlier commands have written. What a sample's rows look like no trigger has checked; what commands have written all have.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::design::{Column, Command, Model, StepKind, UserTypeKind};
use crate::error::Error;
use crate::postgres::{Database, Session};
use crate::sql::{self, Ident, SqlText, fill, fixed, idents, join, quote_ident, quote_qualified};
use crate::verify::race::TableRows;

/// Rows of each table.
const ROWS: i64 = 240;

/// Reads rows of one database.
pub(super) struct RowsOf {
    keeper: Session,
    /// The first transaction that is not the sample's.
    first: SqlText,
}

impl RowsOf {
    /// What is there now is the sample.
    pub(super) async fn open(database: &Database) -> Result<RowsOf, Error> {
        let mut keeper = database.keeper().await?;
        let next =
            fixed("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)");
        let first = keeper.query(&next).await;
        let first = first.map_err(|failure| failure.into_error("read rows of the sample"))?;
        let first = first
            .scalar()
            .and_then(|first| first.parse().ok())
            .unwrap_or(0);
        Ok(RowsOf {
            keeper,
            first: sql::number(first),
        })
    }

    /// Rows of the tables that a command touches, always the same ones.
    pub(super) async fn around(
        &mut self,
        model: &Model,
        catalog: &Catalog,
        command: &Command,
    ) -> Result<Vec<TableRows>, Error> {
        let touched = touched(command);
        let mut found = Vec::new();
        for (name, table) in &catalog.tables {
            if !touched.contains(name.name.as_str()) {
                continue;
            }
            let columns: Vec<Ident> = table
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect();
            let written = fill(
                "(CAST(CAST(xmin AS text) AS bigint) >= {first})",
                &[("first", &self.first)],
            );
            let hash = fixed("hashtext(CAST(ctid AS text)), tableoid, ctid");
            let turns = states(model, &name.name).into_iter().map(|column| {
                fill(
                    "row_number() OVER (PARTITION BY {column}, {written} ORDER BY {hash})",
                    &[
                        ("column", &quote_ident(&column)),
                        ("written", &written),
                        ("hash", &hash),
                    ],
                )
            });
            let turns: Vec<SqlText> = turns.collect();
            let turn = match turns.is_empty() {
                true => fixed("0"),
                false => fill("least({turns})", &[("turns", &join(turns, ", "))]),
            };
            // One that a command has written, one that is the sample's, and so on.
            let some = fill(
                "SELECT {columns} FROM (\n\
                 SELECT {columns}, {written} AS pgproof_written, {turn} AS pgproof_turn, row_number() OVER (ORDER BY {hash}) AS pgproof_place\n\
                 FROM {table}) AS found\n\
                 ORDER BY row_number() OVER (PARTITION BY pgproof_written ORDER BY pgproof_turn, pgproof_place), pgproof_written DESC LIMIT {many}",
                &[
                    ("columns", &idents(columns.iter())),
                    ("written", &written),
                    ("turn", &turn),
                    ("hash", &hash),
                    ("table", &quote_qualified(name)),
                    ("many", &sql::number(ROWS)),
                ],
            );
            let rows = self.keeper.query(&some).await;
            let rows = rows.map_err(|failure| failure.into_error("read rows of the sample"))?;
            found.push((name.clone(), columns, rows.rows));
        }
        Ok(found)
    }
}

fn touched(command: &Command) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    for step in &command.steps {
        if let StepKind::Sql { sql, .. } = &step.kind
            && let Some(facts) = sql::facts(sql.as_str())
        {
            touched.extend(facts.touched().into_iter().map(str::to_owned));
        }
    }
    touched
}

/// Columns of a table that take few values which the design names.
fn states(model: &Model, table: &Ident) -> Vec<Ident> {
    let table = model.tables.iter().find(|known| known.name.ident == *table);
    let columns = table
        .map(|table| table.columns.as_slice())
        .unwrap_or_default();
    let is_enum = |column: &Column| {
        let named = model.user_type(column.data_type.as_str().trim());
        named.is_some_and(|named| matches!(named.kind, UserTypeKind::Enum(_)))
    };
    columns
        .iter()
        .filter(|column| is_enum(column) || !column.one_of.is_empty())
        .map(|column| column.name.ident.clone())
        .collect()
}
