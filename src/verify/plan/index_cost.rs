//! What each index adds to an insert, in bytes of WAL: the same rows are inserted with all indexes of a table and without each of them.

use std::collections::BTreeMap;

use super::writes::{position, since};
use crate::error::Error;
use crate::postgres::{Database, Session, SqlFailure};
use crate::sql::{
    self, Ident, QualifiedName, SqlText, fill, fixed, idents, literal, quote_ident, quote_qualified,
};
use crate::verify::Stage;

/// Rows that are inserted.
const ROWS: i64 = 500;
/// The table that they are inserted into.
const COPY: &str = "pgproof_written";

/// Bytes of WAL that one row costs more because of an index, by the index's name.
pub(super) async fn measure(
    stage: &Stage<'_>,
    copy: &Database,
) -> Result<BTreeMap<String, f64>, Error> {
    let mut keeper = copy.keeper().await?;
    let mut found = BTreeMap::new();
    for (name, table) in &stage.compiled.catalog.tables {
        if table.indexes.is_empty() {
            continue;
        }
        let own = table.columns.iter().filter(|column| !column.is_generated());
        let columns: Vec<Ident> = own.map(|column| column.name.clone()).collect();
        // A kind of index that cannot be copied is left out of the figures, not of the review.
        if let Ok(costs) = of_table(&mut keeper, name, &columns).await {
            found.extend(costs);
        }
        let _ = keeper.batch(&fixed("ROLLBACK")).await;
        let dropped = keeper.batch(&drop_copy(name)).await;
        dropped.map_err(|failure| failure.into_error("measure what indexes cost"))?;
    }
    Ok(found)
}

fn copied(name: &QualifiedName) -> SqlText {
    quote_qualified(&QualifiedName::new(name.schema.clone(), Ident::new(COPY)))
}

fn drop_copy(name: &QualifiedName) -> SqlText {
    fill("DROP TABLE IF EXISTS {copy}", &[("copy", &copied(name))])
}

async fn of_table(
    keeper: &mut Session,
    name: &QualifiedName,
    columns: &[Ident],
) -> Result<BTreeMap<String, f64>, SqlFailure> {
    let like = fill(
        "CREATE TABLE {copy} (LIKE {table} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING INDEXES)",
        &[("copy", &copied(name)), ("table", &quote_qualified(name))],
    );
    keeper.batch(&like).await?;
    let theirs = definitions(keeper, &quote_qualified(name)).await?;
    let mut copies = definitions(keeper, &copied(name)).await?;
    let (all, rows) = inserted(keeper, name, columns, None).await?;
    let mut found = BTreeMap::new();
    if rows <= 0.0 {
        return Ok(found);
    }
    for (index, definition) in theirs {
        let Some(at) = copies.iter().position(|(_, own)| *own == definition) else {
            continue;
        };
        let (copy, _) = copies.remove(at);
        let copy = QualifiedName::new(name.schema.clone(), Ident::new(copy));
        // The index of a constraint cannot go by itself, and is not in question.
        if let Ok((without, _)) = inserted(keeper, name, columns, Some(&copy)).await {
            found.insert(index, ((all - without) / rows).max(0.0));
        } else {
            keeper.batch(&fixed("ROLLBACK")).await?;
        }
    }
    Ok(found)
}

/// The indexes of a table, each with what follows `USING`.
async fn definitions(
    keeper: &mut Session,
    table: &SqlText,
) -> Result<Vec<(String, String)>, SqlFailure> {
    let all = fill(
        "SELECT c.relname, substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*$')\n\
         FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid\n\
         WHERE i.indrelid = CAST({table} AS regclass) ORDER BY i.indexrelid",
        &[("table", &literal(table.as_str()))],
    );
    let rows = keeper.query(&all).await?;
    let pairs = rows.rows.into_iter().filter_map(|row| {
        let mut row = row.into_iter();
        Some((row.next()??, row.next()??))
    });
    Ok(pairs.collect())
}

/// Bytes of WAL of an insert of some rows, and how many rows these were; what is written is taken back.
async fn inserted(
    keeper: &mut Session,
    name: &QualifiedName,
    columns: &[Ident],
    without: Option<&QualifiedName>,
) -> Result<(f64, f64), SqlFailure> {
    let insert = fill(
        "INSERT INTO {copy} ({columns}) SELECT {columns} FROM {table} LIMIT {rows}",
        &[
            ("copy", &copied(name)),
            ("columns", &idents(columns.iter())),
            ("table", &quote_qualified(name)),
            ("rows", &sql::number(ROWS)),
        ],
    );
    // Each time from the same beginning.
    let empty = fill("TRUNCATE {copy}", &[("copy", &copied(name))]);
    keeper.batch(&empty).await?;
    keeper.batch(&fixed("BEGIN")).await?;
    if let Some(index) = without {
        let drop = fill(
            "DROP INDEX {schema}.{index}",
            &[
                ("schema", &quote_ident(&index.schema)),
                ("index", &quote_ident(&index.name)),
            ],
        );
        keeper.batch(&drop).await?;
    }
    let before = position(keeper).await?;
    let rows = keeper.query(&insert).await?.affected as f64;
    let bytes = since(keeper, &before).await?;
    keeper.batch(&fixed("ROLLBACK")).await?;
    Ok((bytes, rows))
}
