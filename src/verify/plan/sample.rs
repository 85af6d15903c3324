//! A generated sample: large enough that an index pays, small enough that it is there in seconds.

use std::collections::BTreeMap;

use super::statistics::LOOKED_AT;
use super::together::keep_common;
use crate::error::Error;
use crate::explain::Relations;
use crate::postgres::{Database, Session, SqlFailure};
use crate::sql::{self, Ident, fill, fixed, join, quote_qualified};
use crate::verify::Stage;
use crate::verify::seed::{Bulk, Maker};

/// Rows of the largest table.
const LARGEST: f64 = 30_000.0;
/// Rows of all tables together, where that leaves each large table [`ENOUGH`]: what a design declares is not learnt from its sample.
const ALL: f64 = 100_000.0;
/// Rows that show how values are spread where the design is silent.
const ENOUGH: f64 = 3_000.0;
/// Bytes of a table, where that leaves it [`ENOUGH`] rows.
const BYTES: f64 = 16e6;
/// A smaller table is not scaled below this, so that joins find partners.
const SMALLEST: f64 = 500.0;

/// A database full of rows.
pub(super) struct Sample {
    pub database: Database,
    /// What the names in a plan stand for.
    pub relations: Relations,
    /// `sample of 61,000 rows, the largest table 30,000 of 20,000,000`.
    pub volume: String,
}

/// Copies the schema and fills it; with so many rows of all tables together, where that is said. In words, why there is none where the
/// server takes no values that are made for a column.
pub(super) async fn load(
    stage: &Stage<'_>,
    seed: u64,
    rows: Option<f64>,
) -> Result<Result<Sample, String>, Error> {
    let database = stage.copy().await?;
    let mut keeper = database.keeper().await?;
    let loaded = match fill_database(stage, &mut keeper, (seed, rows)).await {
        Ok(loaded) => loaded,
        // Some types of extensions call what is none of their values a fault of syntax.
        Err((Some(table), failure)) if matches!(failure.sqlstate.class(), "22" | "42") => {
            drop(keeper);
            database.drop().await?;
            return Ok(Err(format!(
                "no rows could be made for table `{}`: {}; list `values` that the column takes under its `data:`",
                table.as_str(),
                failure.message
            )));
        }
        Err((_, failure)) => return Err(failure.into_error("load a sample")),
    };
    if stage
        .model
        .tables
        .iter()
        .any(|table| !table.statistics.is_empty())
    {
        let mut admin = database.steward().await?;
        let rows = |table: &str| {
            let declared = stage.model.table(&Ident::from(table));
            declared.map_or(0.0, crate::design::Table::rows)
        };
        let kept = keep_common((&mut admin, &mut keeper), &rows).await;
        kept.map_err(|failure| failure.into_error("gather statistics of columns together"))?;
    }
    let mut relations = relations(stage, &loaded);
    if let Ok(pairs) = partition_indexes(&mut keeper).await {
        relations.index_of = pairs;
    }
    let total: usize = loaded.values().sum();
    let largest = loaded.values().copied().max().unwrap_or(0);
    let declared = || stage.model.tables.iter().map(crate::design::Table::rows);
    let volume = if total as f64 >= declared().sum::<f64>() {
        format!(
            "sample of all {} rows that are declared",
            thousands(total as f64)
        )
    } else {
        format!(
            "sample of {} rows, the largest table {} of {}",
            thousands(total as f64),
            thousands(largest as f64),
            thousands(declared().fold(0.0, f64::max))
        )
    };
    Ok(Ok(Sample {
        database,
        relations,
        volume,
    }))
}

/// Rows per table: all by the same factor, the largest at [`LARGEST`]; fewer where there are many tables.
fn counts(stage: &Stage<'_>, rows: Option<f64>) -> Vec<(Ident, usize)> {
    let (largest, all, bytes) = match rows {
        Some(rows) => (rows, rows, f64::INFINITY),
        None => (LARGEST, ALL, BYTES),
    };
    let tables = stage.model.tables.iter();
    let declared: Vec<f64> = tables.map(|table| table.rows().max(1.0)).collect();
    let tables = stage
        .model
        .tables
        .iter()
        .zip(scaled(&declared, (largest, all)));
    let fits = |table: &crate::design::Table, rows: usize| {
        let rows = rows.min((bytes / width(table)).max(ENOUGH) as usize);
        // How columns hang together is read off as many rows as ANALYZE looks at.
        match table.statistics.is_empty() {
            true => rows,
            false => rows.max(table.rows().min(LOOKED_AT) as usize),
        }
    };
    let rows = tables.map(|(table, rows)| (table.name.ident.clone(), fits(table, rows)));
    rows.collect()
}

/// Bytes of a row, as far as the design says.
fn width(table: &crate::design::Table) -> f64 {
    let widths = table.columns.iter().filter_map(|column| column.data.width);
    widths.sum::<f64>().max(1.0)
}

fn scaled(declared: &[f64], (largest, all): (f64, f64)) -> Vec<usize> {
    let factor = (largest / declared.iter().copied().fold(1.0, f64::max)).min(1.0);
    let scaled = declared
        .iter()
        .map(|rows| (rows * factor).max(rows.min(SMALLEST)));
    let scaled: Vec<f64> = scaled.collect();
    let fewer = (all / scaled.iter().sum::<f64>()).min(1.0);
    let rows = scaled
        .iter()
        .map(|rows| (rows * fewer).max(rows.min(ENOUGH)));
    rows.map(|rows| rows as usize).collect()
}

/// Rows per table, or the table that failed, if it was one.
async fn fill_database(
    stage: &Stage<'_>,
    keeper: &mut Session,
    (seed, rows): (u64, Option<f64>),
) -> Result<BTreeMap<String, usize>, (Option<Ident>, SqlFailure)> {
    let nowhere = |failure| (None, failure);
    let maker = Maker::new(stage.model, &stage.compiled.catalog);
    // Lifecycles and guards are not walked through: plans do not depend on them. VACUUM takes a row for visible to all only once the
    // commit that wrote it is on disk.
    let on = fixed("SET synchronous_commit = on");
    keeper.batch(&on).await.map_err(nowhere)?;
    let mut loaded = BTreeMap::new();
    for bulk in maker.sample(&counts(stage, rows), seed) {
        let rows = put(&maker, keeper, stage, &bulk).await;
        let rows = rows.map_err(|failure| (Some(bulk.table.clone()), failure))?;
        if rows < bulk.rows.len() {
            // Lots that were refused left holes, which rows at the declared volume would not have.
            let name = stage.model.qualified(&bulk.table);
            let vacuum = fill("VACUUM (FULL) {name}", &[("name", &quote_qualified(&name))]);
            keeper.batch(&vacuum).await.map_err(nowhere)?;
        }
        loaded.insert(bulk.table.as_str().to_owned(), rows);
    }
    for (name, view) in &stage.compiled.catalog.views {
        if view.materialized {
            let refresh = fill(
                "REFRESH MATERIALIZED VIEW {name}",
                &[("name", &quote_qualified(name))],
            );
            keeper.batch(&refresh).await.map_err(nowhere)?;
        }
    }
    // Also sets the visibility map, without which no scan is index-only.
    let views = stage.compiled.catalog.views.iter();
    let views = views.filter(|(_, view)| view.materialized);
    let tables = stage.compiled.catalog.tables.keys();
    let all = tables.chain(views.map(|(name, _)| name));
    let all = join(all.map(quote_qualified), ", ");
    let vacuum = fill("VACUUM (ANALYZE) {all}", &[("all", &all)]);
    keeper.batch(&vacuum).await.map_err(nowhere)?;
    Ok(loaded)
}

/// Writes the rows of a table: at once, and in lots where a constraint refuses one of them.
async fn put(
    maker: &Maker,
    admin: &mut Session,
    stage: &Stage<'_>,
    bulk: &Bulk,
) -> Result<usize, SqlFailure> {
    if !bulk.columns.is_empty() {
        let name = stage.model.qualified(&bulk.table);
        let copy = sql::copy_in(&name, &bulk.columns);
        match admin.copy_in(&copy, &bulk.rows).await {
            Ok(rows) => return Ok(rows as usize),
            Err(failure) if failure.sqlstate.class() != "23" => return Err(failure),
            Err(_) => {}
        }
    }
    let mut rows = 0;
    for part in parts(bulk, BATCH) {
        rows += insert(maker, admin, &part).await?;
    }
    Ok(rows)
}

/// Rows in one INSERT.
const BATCH: usize = 500;

/// The same rows in several lots.
fn parts(bulk: &Bulk, size: usize) -> Vec<Bulk> {
    let lots = bulk.rows.chunks(size);
    lots.map(|rows| Bulk {
        table: bulk.table.clone(),
        columns: bulk.columns.clone(),
        rows: rows.to_vec(),
    })
    .collect()
}

/// Inserts a lot; where a constraint refuses it, row by row without those that are refused: a condition may be more than the maker
/// understands, and a sample with fewer rows is still one.
async fn insert(maker: &Maker, keeper: &mut Session, bulk: &Bulk) -> Result<usize, SqlFailure> {
    let mut rows = 0;
    for statement in maker.bulk_statements(bulk) {
        match keeper.query(&statement).await {
            Ok(done) => rows += done.affected as usize,
            Err(failure) if failure.sqlstate.class() != "23" => return Err(failure),
            Err(_) => {
                for one in parts(bulk, 1) {
                    for statement in maker.bulk_statements(&one) {
                        match keeper.query(&statement).await {
                            Ok(done) => rows += done.affected as usize,
                            Err(failure) if failure.sqlstate.class() == "23" => {}
                            Err(failure) => return Err(failure),
                        }
                    }
                }
            }
        }
    }
    Ok(rows)
}

/// Partitions stand for their tables.
fn relations(stage: &Stage<'_>, loaded: &BTreeMap<String, usize>) -> Relations {
    let mut relations = Relations::default();
    for (name, table) in &stage.compiled.catalog.tables {
        for partition in table
            .partitioning
            .iter()
            .flat_map(|partitioning| &partitioning.partitions)
        {
            relations.table_of.insert(
                partition.name.as_str().to_owned(),
                name.name.as_str().to_owned(),
            );
        }
    }
    for table in &stage.model.tables {
        let name = table.name.as_str().to_owned();
        relations.loaded.insert(
            name.clone(),
            loaded.get(&name).map_or(0.0, |rows| *rows as f64),
        );
        relations.rows.insert(name, table.rows());
    }
    relations
}

/// PostgreSQL names the indexes of partitions itself: asks which declared index each belongs to.
pub(super) async fn partition_indexes(
    session: &mut Session,
) -> Result<BTreeMap<String, String>, SqlFailure> {
    let rows = session
        .query(&fixed(
            "SELECT child.relname, parent.relname\n\
             FROM pg_inherits\n\
             JOIN pg_class AS child ON child.oid = inhrelid AND child.relkind = 'i'\n\
             JOIN pg_class AS parent ON parent.oid = inhparent",
        ))
        .await?;
    let pairs = rows.rows.into_iter().filter_map(|row| {
        let mut row = row.into_iter();
        Some((row.next()??, row.next()??))
    });
    Ok(pairs.collect())
}

/// A number with commas, as people write it.
pub(super) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `SET name = 'value'` for each of production's planner settings.
pub(super) async fn set_planner(
    stage: &Stage<'_>,
    session: &mut Session,
) -> Result<(), (String, SqlFailure)> {
    for (name, value) in &stage.model.database.settings {
        let set = fill(
            "SELECT set_config({name}, {value}, false)",
            &[
                ("name", &sql::literal(name)),
                ("value", &sql::literal(value)),
            ],
        );
        session
            .query(&set)
            .await
            .map_err(|failure| (name.clone(), failure))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn many_large_tables_share_what_there_is() {
        let few = (super::LARGEST, super::ALL);
        assert_eq!(scaled(&[1e9, 1e6, 100.0], few), [30_000, 500, 100]);
        assert_eq!(scaled(&[1e7; 20], few), [5_000; 20]);
        assert_eq!(scaled(&[1e7; 80], few), [3_000; 80]);
        let asked = (1e6, 1e6);
        assert_eq!(scaled(&[9e5, 5e4], asked), [900_000, 50_000]);
        assert_eq!(scaled(&[1e6; 2], asked), [500_000; 2]);
    }
}
