//! What the new design says of the way there, with the defaults where it is silent.

use std::collections::BTreeMap;

use serde_json::Value;

use super::estimate::Measured;
use crate::compile::compile;
use crate::design::Model;
use crate::design::language::values::parse_duration;
use crate::invariant::Tally;
use crate::sql::{Ident, QualifiedName, SqlText};

/// Rows of a chunk where the design is silent.
const CHUNK: i64 = 5_000;

/// A backfill as the design gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The table that is filled.
    pub table: QualifiedName,
    /// The key by which chunks are cut; a column of the table that the statement reads.
    pub by: Option<Ident>,
    /// Rows at a time.
    pub chunk: Option<i64>,
    /// Milliseconds between chunks.
    pub pause_ms: Option<u64>,
    /// The statement of one chunk; absent where only the pace is given.
    pub sql: Option<SqlText>,
}

/// What becomes of the values of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convert {
    /// The new value, over the old columns of the row.
    pub value: SqlText,
    /// The old value, over the new columns; absent where a cast is enough.
    pub back: Option<SqlText>,
}

/// How the migration is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The schema, of both sides.
    pub schema: Ident,
    /// PostgreSQL's major version.
    pub version: u16,
    /// Seconds that writers may be held up.
    pub lock: f64,
    /// Seconds that a statement may take where it holds nobody up.
    pub statement: f64,
    /// Seconds a replica may lag before a backfill rests.
    pub replica_lag: f64,
    /// Seconds between the switch and the contraction.
    pub contract_after: Option<f64>,
    /// Declared rows of each table.
    pub rows: BTreeMap<QualifiedName, f64>,
    /// Rows at a time and milliseconds of rest for every backfill, whatever is declared: for a rehearsal, whose tables are small.
    pub hurry: Option<(i64, u64)>,
    /// Backfills by table.
    pub backfills: Vec<Declared>,
    /// What brings a row that an old program writes to its new place, by the table that is written.
    pub dual_writes: Vec<(QualifiedName, SqlText)>,
    /// What takes a row that an old program deletes out of its new place, by the table that it is deleted from.
    pub dual_deletes: Vec<(QualifiedName, SqlText)>,
    /// What becomes of the values of a column that another one takes the place of, by the new column.
    pub converts: BTreeMap<(QualifiedName, Ident), Convert>,
    /// Queries that return the rows that differ.
    pub validate: Vec<(String, SqlText)>,
    /// For each version of the programs, the phases in which it works.
    pub compatibility: BTreeMap<String, Vec<String>>,
    /// What steps took on a sample, by their titles; where a step is missing, fixed rates are taken.
    pub measured: BTreeMap<String, Measured>,
    /// Guard tables of the new design, with what they hold of which table.
    pub tallies: Vec<Tally>,
}

impl Policy {
    /// Reads `migration:`.
    pub fn of(model: &Model) -> Policy {
        let section = model.section("migration");
        let data = section.map_or(&Value::Null, |section| &section.data);
        let limit = |key: &str| duration(&data["limits"][key]);
        let backfills = data["backfill"].as_object().into_iter().flatten();
        let by_table = |key: &str| -> Vec<(QualifiedName, SqlText)> {
            let all = data[key].as_object().into_iter().flatten();
            let all = all.filter_map(|(table, sql)| {
                let table = model.qualified(&Ident::from(table.as_str()));
                Some((table, SqlText::authored(sql.as_str()?.trim())))
            });
            all.collect()
        };
        let converts = data["convert"].as_object().into_iter().flatten();
        let validate = data["validate"].as_object().into_iter().flatten();
        let compatibility = data["compatibility"].as_object().into_iter().flatten();
        Policy {
            schema: model.database.schema.clone(),
            version: model.database.version,
            lock: limit("lock").unwrap_or(2.0),
            statement: limit("statement").unwrap_or(900.0),
            replica_lag: limit("replica_lag").unwrap_or(10.0),
            contract_after: duration(&data["contract_after"]),
            rows: model
                .tables
                .iter()
                .filter(|table| table.volume.is_some())
                .map(|table| (model.qualified(&table.name.ident), table.rows()))
                .collect(),
            hurry: None,
            backfills: backfills
                .flat_map(|(table, ways)| match ways.as_array() {
                    Some(all) => all.iter().map(|way| (table, way)).collect(),
                    None => vec![(table, ways)],
                })
                .map(|(table, entry)| Declared {
                    table: model.qualified(&Ident::from(table.as_str())),
                    by: entry["by"].as_str().map(Ident::from),
                    chunk: entry["chunk"].as_i64(),
                    pause_ms: duration(&entry["pause"]).map(|seconds| (seconds * 1e3) as u64),
                    sql: entry["sql"]
                        .as_str()
                        .map(|sql| SqlText::authored(sql.trim().trim_end_matches(';'))),
                })
                .collect(),
            dual_writes: by_table("dual_write"),
            dual_deletes: by_table("dual_delete"),
            converts: converts
                .filter_map(|(column, way)| {
                    let (table, column) = column.split_once('.')?;
                    let key = (model.qualified(&table.into()), column.into());
                    let text = |value: &Value| Some(SqlText::authored(value.as_str()?.trim()));
                    let value = text(way).or_else(|| text(&way["as"]))?;
                    let back = text(&way["back"]);
                    Some((key, Convert { value, back }))
                })
                .collect(),
            validate: validate
                .filter_map(|(name, sql)| {
                    let sql = sql.as_str()?.trim().trim_end_matches(';');
                    Some((name.clone(), SqlText::authored(sql)))
                })
                .collect(),
            compatibility: compatibility
                .map(|(version, phases)| {
                    let one = phases.as_str().map(str::to_owned);
                    let many = phases.as_array().into_iter().flatten();
                    let many = many.filter_map(|phase| phase.as_str().map(str::to_owned));
                    (version.clone(), one.into_iter().chain(many).collect())
                })
                .collect(),
            measured: BTreeMap::new(),
            tallies: compile(model).tallies,
        }
    }

    /// What the design says of the filling of one table, from each place where its rows come from.
    pub fn backfills_of(&self, table: &QualifiedName) -> impl Iterator<Item = &Declared> {
        self.backfills
            .iter()
            .filter(move |entry| entry.table == *table)
    }

    /// Rows at a time, and milliseconds of rest, for a table.
    pub(super) fn pace(&self, table: &QualifiedName) -> (i64, u64) {
        self.pace_of(self.backfills_of(table).next())
    }

    /// The same of one of its backfills.
    pub(super) fn pace_of(&self, declared: Option<&Declared>) -> (i64, u64) {
        if let Some(pace) = self.hurry {
            return pace;
        }
        let chunk = declared.and_then(|entry| entry.chunk).unwrap_or(CHUNK);
        let pause = declared.and_then(|entry| entry.pause_ms).unwrap_or(50);
        (chunk, pause)
    }
}

fn duration(value: &Value) -> Option<f64> {
    parse_duration(value.as_str()?).ok()
}
