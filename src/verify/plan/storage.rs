//! Gives the planner the volume that a design declares, without the data: the sample's database gets the statistics and the file sizes of
//! another volume.
//!
//! The planner asks three places: the size of each relation's file, `pg_class` and `pg_statistic`. Files are extended with holes, by the
//! server itself (so that they are its user's, in a container too), which costs no room: a hole reads as empty pages, and nothing is ever
//! read, because in such a database nothing is executed. Rows of the sample stay where they are, so that an index still has its ends.
//! What is written here would ruin a database with data in it: it is only done in one that pgproof made, on a server that it started.

use std::collections::BTreeMap;

use super::size::{self, Stored};
use super::statistics::{Belief, Spread, Statistics, statistics};
use crate::error::Error;
use crate::explain::Relations;
use crate::postgres::{Database, Rows, Session, SqlFailure};
use crate::sql::{self, Ident, SqlText, fill, fixed, join, literal};
use crate::verify::seed::{Maker, Profile};

/// Bytes of a page.
const PAGE: f64 = 8192.0;
/// Below this many pages the last one, which is seldom full, says too much about the density of the rest.
const ENOUGH_PAGES: f64 = 20.0;
/// A block number has 32 bits, and one value means none.
const MOST_PAGES: f64 = 4_294_967_294.0;

/// A table, a partition, a materialized view or an index, as the sample has it.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub oid: u32,
    pub name: String,
    path: String,
    /// Pages of the sample.
    pages: f64,
    /// Rows or entries of the sample.
    tuples: f64,
    /// The table of an index.
    of: Option<u32>,
    method: String,
    unique: bool,
    partial: bool,
    fillfactor: f64,
    packs: bool,
    columns: Vec<Column>,
}

impl Relation {
    /// Whether it has rows, and no keys.
    pub(super) fn is_table(&self) -> bool {
        self.of.is_none()
    }
}

/// A column of a table, or a key of an index.
#[derive(Clone, Debug)]
struct Column {
    name: Ident,
    number: i64,
    /// In the table of an index; 0 is an expression.
    of: i64,
    is_key: bool,
    stored: Stored,
    distinct: f64,
}

/// The part of `pg_statistic` that follows the volume.
#[derive(Clone, Debug)]
struct Believed {
    relation: u32,
    table: String,
    number: i64,
    inherited: bool,
    column: Ident,
    type_oid: i64,
    /// Which of the five slots has the most common values, and these.
    common: Option<(usize, Vec<Option<String>>)>,
    /// Which has the correlation with the physical order.
    ordered: Option<usize>,
}

/// How large a relation is at a volume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    /// Rows or entries.
    pub tuples: f64,
    /// Pages of its file.
    pub pages: f64,
}

/// A sample's database that can be given any volume.
pub(super) struct Storage {
    admin: Session,
    pub relations: Vec<Relation>,
    believed: Vec<Believed>,
    segment: f64,
    /// What each has now.
    pub extents: BTreeMap<u32, Extent>,
}

/// How many rows each table of a design has.
pub(super) struct Volume<'a> {
    pub maker: &'a Maker,
    pub names: &'a Relations,
    pub rows: &'a dyn Fn(&Ident) -> f64,
    pub belief: Belief,
}

const RELATIONS: &str = "\
SELECT c.oid, c.relname, pg_relation_filepath(c.oid), pg_relation_size(c.oid) / 8192, greatest(c.reltuples, 0),
       i.indrelid, am.amname, coalesce(i.indisunique, false), i.indpred IS NOT NULL,
       coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'),
                CASE WHEN i.indrelid IS NULL THEN '100' ELSE '90' END),
       i.indrelid IS NOT NULL AND NOT i.indisunique AND i.indnatts = i.indnkeyatts AND (
         SELECT bool_and(EXISTS (SELECT FROM pg_amproc AS p WHERE p.amprocfamily = o.opcfamily AND p.amprocnum = 4
                                    AND p.amproclefttype = o.opcintype AND p.amprocrighttype = o.opcintype))
         FROM pg_opclass AS o WHERE o.oid = ANY (i.indclass))
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
LEFT JOIN pg_am AS am ON am.oid = c.relam
WHERE c.relkind IN ('r', 'm', 'i') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'pgproof_shadow'
ORDER BY c.oid";

const COLUMNS: &str = "\
SELECT a.attrelid, a.attnum, coalesce(k.attname, a.attname), a.attlen, a.attalign,
       coalesce(s.stawidth, t.stawidth, 0), coalesce(s.stanullfrac, t.stanullfrac, 0), coalesce(s.stadistinct, t.stadistinct, 0),
       coalesce(i.indkey[a.attnum - 1], 0), i.indexrelid IS NULL OR a.attnum <= i.indnkeyatts
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_index AS i ON i.indexrelid = a.attrelid
LEFT JOIN pg_attribute AS k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[a.attnum - 1] AND k.attnum > 0
LEFT JOIN pg_statistic AS s ON s.starelid = a.attrelid AND s.staattnum = a.attnum AND NOT s.stainherit
LEFT JOIN pg_statistic AS t ON t.starelid = k.attrelid AND t.staattnum = k.attnum AND NOT t.stainherit
WHERE c.relkind IN ('r', 'm', 'i') AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY a.attrelid, a.attnum";

const BELIEVED: &str = "\
SELECT s.starelid, s.staattnum, s.stainherit, a.attname, a.atttypid, c.relname,
       CASE 1 WHEN s.stakind1 THEN 1 WHEN s.stakind2 THEN 2 WHEN s.stakind3 THEN 3 WHEN s.stakind4 THEN 4 WHEN s.stakind5 THEN 5 END,
       CASE 3 WHEN s.stakind1 THEN 1 WHEN s.stakind2 THEN 2 WHEN s.stakind3 THEN 3 WHEN s.stakind4 THEN 4 WHEN s.stakind5 THEN 5 END,
       to_jsonb(CASE 1 WHEN s.stakind1 THEN s.stavalues1::text::text[] WHEN s.stakind2 THEN s.stavalues2::text::text[]
                       WHEN s.stakind3 THEN s.stavalues3::text::text[] WHEN s.stakind4 THEN s.stavalues4::text::text[]
                       WHEN s.stakind5 THEN s.stavalues5::text::text[] END)
FROM pg_statistic AS s
JOIN pg_class AS c ON c.oid = s.starelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'";

/// A cell as a number.
fn number(cell: Option<&Option<String>>) -> f64 {
    cell.and_then(|cell| cell.as_deref()?.parse().ok())
        .unwrap_or(0.0)
}

fn text(cell: Option<&Option<String>>) -> String {
    cell.cloned().flatten().unwrap_or_default()
}

fn is_true(cell: Option<&Option<String>>) -> bool {
    cell.is_some_and(|cell| cell.as_deref() == Some("t"))
}

impl Storage {
    /// Reads what the sample's database has. Nothing is changed yet.
    pub(super) async fn open(database: &Database) -> Result<Storage, Error> {
        let mut admin = database.admin().await?;
        Storage::read(&mut admin)
            .await
            .map(|(relations, believed, segment)| Storage {
                admin,
                relations,
                believed,
                segment,
                extents: BTreeMap::new(),
            })
            .map_err(|failure| failure.into_error("read the sample's sizes"))
    }

    async fn read(admin: &mut Session) -> Result<(Vec<Relation>, Vec<Believed>, f64), SqlFailure> {
        admin
            .batch(&fixed("SET allow_system_table_mods = on"))
            .await?;
        let relations = admin.query(&fixed(RELATIONS)).await?;
        let columns = columns(&admin.query(&fixed(COLUMNS)).await?);
        let believed = believed(&admin.query(&fixed(BELIEVED)).await?);
        let segment = admin
            .query(&fixed(
                "SELECT setting FROM pg_settings WHERE name = 'segment_size'",
            ))
            .await?;
        let segment = number(segment.rows.first().and_then(|row| row.first())).max(1.0);
        let relations = relations.rows.iter().map(|row| {
            let oid = number(row.first()) as u32;
            let of = row.get(5).cloned().flatten();
            Relation {
                oid,
                name: text(row.get(1)),
                path: text(row.get(2)),
                pages: number(row.get(3)),
                tuples: number(row.get(4)),
                of: of.and_then(|oid| oid.parse().ok()),
                method: text(row.get(6)),
                unique: is_true(row.get(7)),
                partial: is_true(row.get(8)),
                fillfactor: number(row.get(9)),
                packs: is_true(row.get(10)),
                columns: columns.get(&oid).cloned().unwrap_or_default(),
            }
        });
        Ok((relations.collect(), believed, segment))
    }

    /// Gives every relation the size and every column the statistics that it has at this volume. Sessions opened before see what they
    /// remember of the files: open one for each volume.
    pub(super) async fn set(&mut self, volume: &Volume<'_>) -> Result<(), Error> {
        let extents = self.measure(volume);
        let mut statements: Vec<SqlText> = vec![fixed("BEGIN")];
        statements.extend(self.sizes(&extents));
        statements.extend(self.beliefs(volume, &extents));
        statements.push(fixed("COMMIT"));
        let done = self.admin.batch(&join(statements, ";\n")).await;
        done.map_err(|failure| failure.into_error("set statistics"))?;
        let script = self.script(&extents);
        if !script.is_empty() {
            let done = self.admin.batch(&sql::run_program(&script)).await;
            done.map_err(|failure| failure.into_error("set the size of files"))?;
        }
        self.extents = extents;
        Ok(())
    }

    /// How large everything is at a volume.
    pub(super) fn measure(&self, volume: &Volume<'_>) -> BTreeMap<u32, Extent> {
        let mut extents = BTreeMap::new();
        for relation in self.relations.iter().filter(|relation| relation.is_table()) {
            let tuples = match self.share(relation, volume.names) {
                Some((table, share)) => (volume.rows)(&Ident::from(table.as_str())) * share,
                None => relation.tuples,
            };
            extents.insert(relation.oid, self.table(relation, tuples));
        }
        for index in &self.relations {
            let table = index.of.and_then(|oid| self.relation(oid));
            if let Some((table, extent)) =
                table.and_then(|table| Some((table, extents.get(&table.oid).copied()?)))
            {
                let distinct =
                    |column: &Column| self.distinct(table, column, extent.tuples, volume);
                extents.insert(index.oid, self.index(index, table, extent, &distinct));
            }
        }
        extents
    }

    fn relation(&self, oid: u32) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.oid == oid)
    }

    /// The design's table, and which part of its rows is here.
    fn share<'r>(&self, relation: &'r Relation, names: &'r Relations) -> Option<(&'r String, f64)> {
        let table = names.table_of.get(&relation.name).unwrap_or(&relation.name);
        if !names.rows.contains_key(table) {
            return None;
        }
        let parts = self.relations.iter().filter(|other| {
            other.is_table() && names.table_of.get(&other.name).unwrap_or(&other.name) == table
        });
        let (mut all, mut many) = (0.0, 0.0);
        for part in parts {
            all += part.tuples;
            many += 1.0;
        }
        Some((
            table,
            if all > 0.0 {
                relation.tuples / all
            } else {
                1.0 / many
            },
        ))
    }

    fn table(&self, relation: &Relation, tuples: f64) -> Extent {
        if tuples <= relation.tuples {
            return Extent {
                tuples: relation.tuples,
                pages: relation.pages,
            };
        }
        let stored: Vec<Stored> = relation
            .columns
            .iter()
            .map(|column| column.stored)
            .collect();
        let pages = match relation.pages >= ENOUGH_PAGES {
            true => (tuples * relation.pages / relation.tuples).ceil(),
            false => size::heap_pages(tuples, size::row(&stored), relation.fillfactor),
        };
        let pages = pages.clamp(relation.pages, MOST_PAGES);
        Extent { tuples, pages }
    }

    fn index(
        &self,
        index: &Relation,
        table: &Relation,
        of: Extent,
        distinct: &dyn Fn(&Column) -> f64,
    ) -> Extent {
        let grown = of.tuples / table.tuples.max(1.0);
        let share = match index.partial {
            true => index.tuples / table.tuples.max(1.0),
            false => 1.0,
        };
        let tuples = (of.tuples * share).max(index.tuples.min(of.tuples));
        if grown <= 1.0 {
            return Extent {
                tuples: index.tuples,
                pages: index.pages,
            };
        }
        let pages = match index.method.as_str() {
            "btree" => {
                let keys = index.columns.iter().filter(|column| column.is_key);
                let different: f64 = keys.map(distinct).product();
                let different = if index.unique {
                    tuples
                } else {
                    different.min(tuples)
                };
                let stored: Vec<Stored> = index.columns.iter().map(|c| c.stored).collect();
                size::btree(tuples, different, &stored, index.fillfactor, index.packs).pages
            }
            // The first page tells what kind of index it is; the rest grows with the rows.
            _ => 1.0 + ((index.pages - 1.0).max(0.0) * grown).ceil(),
        };
        Extent {
            tuples,
            pages: pages.clamp(index.pages, MOST_PAGES),
        }
    }

    /// How many different values a column has in a table of so many rows.
    fn distinct(&self, table: &Relation, column: &Column, rows: f64, volume: &Volume<'_>) -> f64 {
        let name = volume
            .names
            .table_of
            .get(&table.name)
            .unwrap_or(&table.name);
        let profile = volume
            .maker
            .profile(&Ident::from(name.as_str()), &column.name, volume.rows);
        let found = match profile {
            Some(profile) if column.of != 0 => {
                statistics(
                    &spread(profile),
                    rows,
                    column.stored.nulls,
                    Belief::Declared,
                )
                .distinct
            }
            _ => column.distinct,
        };
        match found < 0.0 {
            true => -found * rows,
            false => found.max(1.0),
        }
    }

    /// `pg_class`: what the sizes of the files are multiplied with.
    fn sizes(&self, extents: &BTreeMap<u32, Extent>) -> Option<SqlText> {
        let values: Vec<String> = extents
            .iter()
            .map(|(oid, extent)| {
                let is_table = self.relation(*oid).is_some_and(Relation::is_table);
                let visible = if is_table { extent.pages } else { 0.0 };
                format!(
                    "{oid},{},{},{}",
                    signed(extent.pages),
                    extent.tuples,
                    signed(visible)
                )
            })
            .collect();
        let all = literal(&values.join(";"));
        (!values.is_empty()).then(|| {
            fill(
                "UPDATE pg_catalog.pg_class AS c SET relpages = v[2]::int, reltuples = v[3]::real, relallvisible = v[4]::int\n\
                 FROM (SELECT string_to_array(part, ',') AS v FROM string_to_table({all}, ';') AS part) AS new WHERE c.oid = v[1]::oid",
                &[("all", &all)],
            )
        })
    }

    /// `pg_statistic`, of the tables that are larger than the sample.
    fn beliefs(&self, volume: &Volume<'_>, extents: &BTreeMap<u32, Extent>) -> Vec<SqlText> {
        let mut statements = Vec::new();
        for believed in &self.believed {
            let (table, rows) = match self.relation(believed.relation) {
                Some(relation) => {
                    let rows = extents
                        .get(&relation.oid)
                        .map_or(0.0, |extent| extent.tuples);
                    if rows <= relation.tuples {
                        continue;
                    }
                    let table = volume.names.table_of.get(&relation.name);
                    (table.unwrap_or(&relation.name).clone(), rows)
                }
                // A partitioned table has no rows of its own.
                None if volume.names.rows.contains_key(&believed.table) => {
                    let rows = (volume.rows)(&Ident::from(believed.table.as_str()));
                    (believed.table.clone(), rows)
                }
                None => continue,
            };
            let name = Ident::from(table.as_str());
            let unique = self.is_unique(believed.relation, believed.number);
            let profile = match unique {
                true => Some(Profile::Unique),
                false => volume.maker.profile(&name, &believed.column, volume.rows),
            };
            if let Some(profile) = profile {
                let nulls = self.nulls(believed);
                let mut found = statistics(&spread(profile), rows, nulls, volume.belief);
                if found.values.is_none() && !found.common.is_empty() {
                    let many = found.common.len();
                    found.values = volume.maker.ranked(&name, &believed.column, many);
                }
                let correlation = volume.maker.correlation(&name, &believed.column);
                statements.push(update(believed, &found, correlation));
            }
        }
        statements
    }

    fn is_unique(&self, relation: u32, number: i64) -> bool {
        self.relations.iter().any(|index| {
            let mut keys = index.columns.iter().filter(|column| column.is_key);
            index.of == Some(relation)
                && index.unique
                && !index.partial
                && keys.next().is_some_and(|key| key.of == number)
                && keys.next().is_none()
        })
    }

    fn nulls(&self, believed: &Believed) -> f64 {
        let relation = self.relation(believed.relation);
        let column = relation.and_then(|relation| {
            let mut columns = relation.columns.iter();
            columns.find(|column| column.number == believed.number)
        });
        column.map_or(0.0, |column| column.stored.nulls)
    }

    /// The shell script that makes the files as large as they are to be.
    fn script(&self, extents: &BTreeMap<u32, Extent>) -> String {
        let mut lines = Vec::new();
        for relation in &self.relations {
            let Some(wanted) = extents.get(&relation.oid) else {
                continue;
            };
            let before = self
                .extents
                .get(&relation.oid)
                .map_or(relation.pages, |old| old.pages);
            if before != wanted.pages && !relation.path.is_empty() {
                lines.extend(resize(&relation.path, before, wanted.pages, self.segment));
            }
        }
        match lines.is_empty() {
            true => String::new(),
            false => format!("set -e; {}", lines.join("; ")),
        }
    }
}

/// Commands that make a relation's files as large as so many pages. All segments but the last are full.
fn resize(path: &str, before: f64, pages: f64, segment: f64) -> Vec<String> {
    let (full, rest) = ((pages / segment).floor(), (pages % segment) * PAGE);
    let whole = segment * PAGE;
    let had = (before / segment).floor();
    let name = |number: f64| match number as u64 {
        0 => path.to_owned(),
        number => format!("{path}.{number}"),
    };
    let mut lines = Vec::new();
    // Segments behind the last one would be taken for data that was there before.
    if had > full {
        lines.push(format!(
            "n={}; while [ $n -le {had} ]; do echo {path}.$n; n=$((n+1)); done | xargs rm -f",
            full + 1.0
        ));
    }
    if full >= 1.0 {
        lines.push(format!("truncate -s {whole} {path}"));
    }
    if full >= 2.0 {
        lines.push(format!(
            "n=1; while [ $n -lt {full} ]; do echo {path}.$n; n=$((n+1)); done | xargs truncate -s {whole}"
        ));
    }
    lines.push(format!("truncate -s {rest} {}", name(full)));
    lines
}

/// `pg_class` counts pages in a signed integer, and reads it as an unsigned one.
fn signed(pages: f64) -> i64 {
    i64::from(pages.clamp(0.0, MOST_PAGES) as u32 as i32)
}

fn spread(profile: Profile) -> Spread {
    match profile {
        Profile::Unique => Spread::Unique,
        Profile::Listed(values) => Spread::Listed(values),
        Profile::Drawn { size, exponent } => {
            Spread::Drawn(super::statistics::Population { size, exponent })
        }
    }
}

fn columns(rows: &Rows) -> BTreeMap<u32, Vec<Column>> {
    let mut found: BTreeMap<u32, Vec<Column>> = BTreeMap::new();
    for row in &rows.rows {
        let length = number(row.get(3));
        let column = Column {
            number: number(row.get(1)) as i64,
            name: Ident::new(text(row.get(2))),
            of: number(row.get(8)) as i64,
            is_key: is_true(row.get(9)),
            distinct: number(row.get(7)),
            stored: Stored {
                length: (length > 0.0).then_some(length),
                align: match text(row.get(4)).as_str() {
                    "d" => 8.0,
                    "i" => 4.0,
                    "s" => 2.0,
                    _ => 1.0,
                },
                width: number(row.get(5)),
                nulls: number(row.get(6)),
            },
        };
        found
            .entry(number(row.first()) as u32)
            .or_default()
            .push(column);
    }
    found
}

fn believed(rows: &Rows) -> Vec<Believed> {
    let read = |row: &Vec<Option<String>>| {
        let values = row.get(8).cloned().flatten();
        let values: Option<Vec<Option<String>>> =
            values.and_then(|values| serde_json::from_str(&values).ok());
        let slot = number(row.get(6)) as usize;
        Believed {
            relation: number(row.first()) as u32,
            table: text(row.get(5)),
            number: number(row.get(1)) as i64,
            inherited: is_true(row.get(2)),
            column: Ident::new(text(row.get(3))),
            type_oid: number(row.get(4)) as i64,
            ordered: row
                .get(7)
                .cloned()
                .flatten()
                .and_then(|slot| slot.parse().ok()),
            common: values.filter(|_| slot > 0).map(|values| (slot, values)),
        }
    };
    rows.rows.iter().map(read).collect()
}

/// `array_in` of these values.
fn array(values: &[String]) -> String {
    let quoted: Vec<String> = values
        .iter()
        .map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    format!("{{{}}}", quoted.join(","))
}

/// What the planner reads about one column.
fn update(believed: &Believed, found: &Statistics, correlation: Option<f64>) -> SqlText {
    let mut parts = vec![fill(
        "UPDATE pg_catalog.pg_statistic SET stadistinct = {distinct}",
        &[("distinct", &float(found.distinct))],
    )];
    if let Some((slot, known)) = &believed.common {
        let values: Vec<String> = match &found.values {
            Some(values) => values.clone(),
            None => known.iter().flatten().cloned().collect(),
        };
        let many = values.len().min(found.common.len());
        parts.push(match many {
            0 => forget(*slot),
            many => {
                let shares: Vec<String> = found.common[..many].iter().map(f64::to_string).collect();
                common(
                    *slot,
                    &literal(&format!("{{{}}}", shares.join(","))),
                    &literal(&array(&values[..many])),
                    believed.type_oid,
                )
            }
        });
    }
    if let (Some(slot), Some(correlation)) = (believed.ordered, correlation) {
        let value = literal(&format!("{{{correlation}}}"));
        parts.push(ordered(slot, &value));
    }
    parts.push(fill(
        "WHERE starelid = {relation} AND staattnum = {number} AND stainherit = {inherited}",
        &[
            ("relation", &sql::number(i64::from(believed.relation))),
            ("number", &sql::number(believed.number)),
            (
                "inherited",
                &fixed(if believed.inherited { "true" } else { "false" }),
            ),
        ],
    ));
    join(parts, " ")
}

fn float(value: f64) -> SqlText {
    fill("{v}::real", &[("v", &literal(&value.to_string()))])
}

fn forget(slot: usize) -> SqlText {
    fixed(match slot {
        1 => ", stakind1 = 0, staop1 = 0, stacoll1 = 0, stanumbers1 = NULL, stavalues1 = NULL",
        2 => ", stakind2 = 0, staop2 = 0, stacoll2 = 0, stanumbers2 = NULL, stavalues2 = NULL",
        3 => ", stakind3 = 0, staop3 = 0, stacoll3 = 0, stanumbers3 = NULL, stavalues3 = NULL",
        4 => ", stakind4 = 0, staop4 = 0, stacoll4 = 0, stanumbers4 = NULL, stavalues4 = NULL",
        _ => ", stakind5 = 0, staop5 = 0, stacoll5 = 0, stanumbers5 = NULL, stavalues5 = NULL",
    })
}

fn ordered(slot: usize, value: &SqlText) -> SqlText {
    let template = match slot {
        1 => ", stanumbers1 = {value}::real[]",
        2 => ", stanumbers2 = {value}::real[]",
        3 => ", stanumbers3 = {value}::real[]",
        4 => ", stanumbers4 = {value}::real[]",
        _ => ", stanumbers5 = {value}::real[]",
    };
    fill(template, &[("value", value)])
}

fn common(slot: usize, shares: &SqlText, values: &SqlText, type_oid: i64) -> SqlText {
    let template = match slot {
        1 => {
            ", stakind1 = 1, stanumbers1 = {shares}::real[], stavalues1 = array_in({values}, {type}, -1)"
        }
        2 => {
            ", stakind2 = 1, stanumbers2 = {shares}::real[], stavalues2 = array_in({values}, {type}, -1)"
        }
        3 => {
            ", stakind3 = 1, stanumbers3 = {shares}::real[], stavalues3 = array_in({values}, {type}, -1)"
        }
        4 => {
            ", stakind4 = 1, stanumbers4 = {shares}::real[], stavalues4 = array_in({values}, {type}, -1)"
        }
        _ => {
            ", stakind5 = 1, stanumbers5 = {shares}::real[], stavalues5 = array_in({values}, {type}, -1)"
        }
    };
    fill(
        template,
        &[
            ("shares", shares),
            ("values", values),
            ("type", &sql::number(type_oid)),
        ],
    )
}
