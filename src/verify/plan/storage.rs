//! Gives the planner the volume that a design declares, without the data: the sample's database gets the statistics and the file sizes of
//! another volume.
//!
//! The planner asks three places: the size of each relation's file, `pg_class` and `pg_statistic`. Files are extended with holes, which
//! costs no room: a hole reads as empty pages, and nothing is ever read, because in such a database nothing is executed. Rows of the
//! sample stay where they are, so that an index still has its ends.
//! What is written here would ruin a database with data in it: it is only done in one that pgproof made, on a server that it started.

use std::collections::BTreeMap;

use super::believed::{Believed, read_believed, update};
use super::relation::{Column, Extent, Relation, Widths, number, read_relations};
use super::size;
use super::statistics::{Belief, statistics, values};
use super::together::{Together, read_together};
use super::tops::{Tops, read_tops};
use crate::design::Writes;
use crate::error::Error;
use crate::explain::Relations;
use crate::postgres::{Database, FileChange, Session, SqlFailure};
use crate::sql::{Ident, SqlText, fill, fixed, join, literal};
use crate::verify::seed::{Maker, Profile};

/// Bytes of a page.
const PAGE: f64 = 8192.0;
/// Below this many pages the last one, which is seldom full, says too much about the density of the rest.
const ENOUGH_PAGES: f64 = 20.0;
/// So many pages tell within one in a hundred how many there should be.
const MANY_PAGES: f64 = 100.0;
/// Files with numbers above this are made here: a server of an hour does not count so far.
const OWN_NUMBERS: u32 = 3_000_000_000;
/// A block number has 32 bits, and one value means none.
const MOST_PAGES: f64 = 4_294_967_294.0;

/// A sample's database that can be given any volume.
pub(super) struct Storage {
    pub database: Database,
    pub admin: Session,
    pub relations: Vec<Relation>,
    believed: Vec<Believed>,
    pub together: Vec<Together>,
    widths: Widths,
    pub segment: f64,
    /// First pages and roots of btrees.
    pub tops: BTreeMap<u32, Tops>,
    /// The file that was made last; numbers go down from the highest, where the server comes last.
    pub number: u32,
    /// What each has now.
    pub extents: BTreeMap<u32, Extent>,
}

/// How many rows each table of a design has.
pub(super) struct Volume<'a> {
    pub maker: &'a Maker,
    pub names: &'a Relations,
    pub rows: &'a dyn Fn(&Ident) -> f64,
    pub writes: &'a dyn Fn(&Ident) -> Option<Writes>,
    pub belief: Belief,
}

impl Storage {
    /// Reads what the sample's database has. Nothing is changed yet. `before`: the same rows, with other indexes.
    pub(super) async fn open(
        database: &Database,
        maker: &Maker,
        names: &Relations,
        before: Option<&Storage>,
    ) -> Result<Storage, Error> {
        let mut admin = database.steward().await?;
        let rows = |table: &Ident| names.rows.get(table.as_str()).copied().unwrap_or(0.0);
        // Values that all occur as often: none of them is common in a large table.
        let forgets = |believed: &Believed| {
            let table = names.table_of.get(&believed.table);
            let table = Ident::from(table.unwrap_or(&believed.table).as_str());
            matches!(
                maker.profile(&table, &believed.column, &rows),
                Some(Profile::Drawn { exponent, .. }) if exponent == 0.0
            )
        };
        // Whoever plans a query of a table runs what its indexes compute.
        let mut keeper = database.keeper().await?;
        let read = Storage::read((&mut admin, &mut keeper), &forgets, before).await;
        let (mut relations, widths, believed, segment) =
            read.map_err(|failure| failure.into_error("read the sample's sizes"))?;
        let together = read_together(&mut admin).await;
        let together = together.map_err(|failure| failure.into_error("read statistics"))?;
        let tops = read_tops(&mut admin, &mut relations).await;
        let tops = tops.map_err(|failure| failure.into_error("read the sample's indexes"))?;
        // Files that were made before, by somebody who looked at this database earlier, keep their numbers.
        let node = |relation: &Relation| relation.path.rsplit_once('/')?.1.parse::<u32>().ok();
        let made = relations
            .iter()
            .filter_map(node)
            .filter(|node| *node > OWN_NUMBERS);
        let number = made.min().unwrap_or(u32::MAX);
        Ok(Storage {
            database: database.clone(),
            admin,
            relations,
            believed,
            together,
            widths,
            segment,
            tops,
            number,
            extents: BTreeMap::new(),
        })
    }

    async fn read(
        (admin, keeper): (&mut Session, &mut Session),
        forgets: &dyn Fn(&Believed) -> bool,
        before: Option<&Storage>,
    ) -> Result<(Vec<Relation>, Widths, Vec<Believed>, f64), SqlFailure> {
        admin
            .batch(&fixed("SET allow_system_table_mods = on"))
            .await?;
        let known = before.map(|before| before.widths.clone());
        let (relations, widths) = read_relations(admin, keeper, known).await?;
        let known = before.map_or(&[] as &[Believed], |before| &before.believed);
        let believed = read_believed(admin, keeper, forgets, known).await?;
        let segment = admin
            .query(&fixed(
                "SELECT setting FROM pg_settings WHERE name = 'segment_size'",
            ))
            .await?;
        let segment = number(segment.rows.first().and_then(|row| row.first())).max(1.0);
        Ok((relations, widths, believed, segment))
    }

    /// Gives every relation the size and every column the statistics that it has at this volume. Sessions opened before see what they
    /// remember of the files: open one for each volume.
    pub(super) async fn set(&mut self, volume: &Volume<'_>) -> Result<(), Error> {
        let extents = self.measure(volume);
        self.grow(&extents).await?;
        let mut statements: Vec<SqlText> = vec![fixed("BEGIN")];
        statements.extend(self.sizes(&extents));
        statements.extend(self.beliefs(volume, &extents));
        statements.extend(self.combinations(volume, &extents));
        statements.push(fixed("COMMIT"));
        let done = self.admin.batch(&join(statements, ";\n")).await;
        done.map_err(|failure| failure.into_error("set statistics"))?;
        self.resize(&extents).await?;
        self.extents = extents;
        Ok(())
    }

    /// Makes every file as small as it was; `pg_statistic` stays as it is until the next [`set`](Storage::set).
    pub(super) async fn shrink(&mut self) -> Result<(), Error> {
        let relations = self.relations.iter();
        let extents: BTreeMap<u32, Extent> = relations
            .map(|relation| (relation.oid, relation.real()))
            .collect();
        self.grow(&extents).await?;
        self.resize(&extents).await?;
        if let Some(sizes) = self.sizes(&extents) {
            let done = self.admin.batch(&sizes).await;
            done.map_err(|failure| failure.into_error("set statistics"))?;
        }
        self.extents = BTreeMap::new();
        Ok(())
    }

    async fn resize(&mut self, extents: &BTreeMap<u32, Extent>) -> Result<(), Error> {
        let changes = self.changes(extents);
        match changes.is_empty() {
            true => Ok(()),
            false => self.database.change_files(&mut self.admin, &changes).await,
        }
    }

    /// How large everything is at a volume.
    pub(super) fn measure(&self, volume: &Volume<'_>) -> BTreeMap<u32, Extent> {
        let mut extents = BTreeMap::new();
        for relation in self.relations.iter().filter(|relation| relation.is_table()) {
            let Some((table, share)) = self.share(relation, volume.names) else {
                extents.insert(relation.oid, self.table(relation, relation.tuples));
                continue;
            };
            let table = Ident::from(table.as_str());
            let mut extent = self.table(relation, (volume.rows)(&table) * share);
            if let Some(writes) = (volume.writes)(&table) {
                let in_page = extent.tuples / extent.pages.max(1.0);
                let changed = writes.updates + writes.deletes;
                extent.visible = size::visible(in_page, changed, writes.inserts);
            }
            extents.insert(relation.oid, extent);
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

    pub(super) fn relation(&self, oid: u32) -> Option<&Relation> {
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
            return relation.real();
        }
        let row = size::row(&relation.stored());
        let pages = match relation.pages >= ENOUGH_PAGES {
            true => (tuples * relation.pages / relation.tuples).ceil(),
            false => size::heap_pages(tuples, row, relation.fillfactor),
        };
        Extent {
            tuples,
            pages: pages.clamp(relation.pages, MOST_PAGES),
            outside: match relation.outside > 1.0 {
                true => (tuples * relation.outside / relation.tuples.max(1.0)).ceil(),
                // An empty index of TOAST has one page.
                false => size::toast_pages(tuples, row),
            },
            visible: 1.0,
            height: 0,
        }
    }

    /// How far the model of sizes is from what the sample takes, at worst, and where: a share. Relations of a few pages say nothing.
    pub(super) fn off(&self) -> (f64, &str) {
        let mut worst = (0.0, "");
        for relation in &self.relations {
            // An index was built row by row in the sample, and so not as densely as the model has it.
            if relation.pages < MANY_PAGES || !relation.is_table() {
                continue;
            }
            let row = size::row(&relation.stored());
            let modelled = size::heap_pages(relation.tuples, row, relation.fillfactor);
            let off = (modelled / relation.pages - 1.0).abs();
            if off > worst.0 {
                worst = (off, relation.name.as_str());
            }
        }
        worst
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
            return index.real();
        }
        let mut height = 0;
        let pages = match index.method.as_str() {
            "btree" => {
                let keys = index.columns.iter().filter(|column| column.is_key);
                let each: Vec<f64> = keys.map(distinct).collect();
                let different = match each.as_slice() {
                    [only] => *only,
                    each => {
                        let most = each.iter().copied().fold(0.0, f64::max);
                        size::met(each.iter().product(), tuples).max(most)
                    }
                };
                let different = if index.unique {
                    tuples
                } else {
                    different.min(tuples)
                };
                let stored = index.stored();
                let built = size::btree(tuples, different, &stored, index.fillfactor, index.packs);
                height = built.height as u32;
                built.pages
            }
            "brin" => size::brin(of.pages, &index.stored()),
            // The first page tells what kind of index it is; the rest grows with the rows.
            _ => 1.0 + ((index.pages - 1.0).max(0.0) * grown).ceil(),
        };
        Extent {
            tuples,
            pages: pages.clamp(index.pages, MOST_PAGES),
            outside: 0.0,
            visible: 0.0,
            height,
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
                statistics(&profile, rows, column.stored.nulls, Belief::Declared).distinct
            }
            _ => column.distinct,
        };
        values(found, rows)
    }

    /// `pg_class`: what the sizes of the files are multiplied with.
    fn sizes(&self, extents: &BTreeMap<u32, Extent>) -> Option<SqlText> {
        let values: Vec<String> = extents
            .iter()
            .map(|(oid, extent)| {
                let is_table = self.relation(*oid).is_some_and(Relation::is_table);
                let visible = match is_table {
                    true => (extent.pages * extent.visible).round(),
                    false => 0.0,
                };
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
                let mut found = statistics(&profile, rows, nulls, volume.belief);
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

    /// What makes the files as large as they are to be.
    fn changes(&self, extents: &BTreeMap<u32, Extent>) -> Vec<FileChange> {
        let mut changes = Vec::new();
        for relation in &self.relations {
            let Some(wanted) = extents.get(&relation.oid) else {
                continue;
            };
            let before = self.extents.get(&relation.oid);
            let before = before.map_or(relation.pages, |old| old.pages);
            if before != wanted.pages && !relation.path.is_empty() {
                changes.extend(segments(&relation.path, before, wanted.pages, self.segment));
            }
        }
        changes
    }
}

/// What becomes of a relation's files when it gets so many pages. All segments but the last are full; those behind it would be taken for
/// data that was there before.
fn segments(path: &str, before: f64, pages: f64, segment: f64) -> Vec<FileChange> {
    let last = |pages: f64| (pages / segment).floor() as u64;
    let name = |number: u64| match number {
        0 => path.to_owned(),
        number => format!("{path}.{number}"),
    };
    let whole = (segment * PAGE) as u64;
    let rest = ((pages % segment) * PAGE) as u64;
    let (had, has) = (last(before), last(pages));
    // Segments that were full and stay so need nothing.
    let full = (had.min(has)..has).map(|number| FileChange::Size(name(number), whole));
    let mut changes: Vec<FileChange> = full.collect();
    changes.push(FileChange::Size(name(has), rest));
    changes.extend((has + 1..=had).map(|number| FileChange::Gone(name(number))));
    changes
}

/// `pg_class` counts pages in a signed integer, and reads it as an unsigned one.
fn signed(pages: f64) -> i64 {
    i64::from(pages.clamp(0.0, MOST_PAGES) as u32 as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_segment_is_not_full() {
        let whole = 131_072.0 * 8192.0;
        let some = |name: &str, bytes: f64| FileChange::Size(name.to_owned(), bytes as u64);
        let gone = |name: &str| FileChange::Gone(name.to_owned());
        assert_eq!(segments("f", 10.0, 20.0, 131_072.0), [some("f", 163_840.0)]);
        assert_eq!(
            segments("f", 10.0, 2.0 * 131_072.0 + 1.0, 131_072.0),
            [some("f", whole), some("f.1", whole), some("f.2", 8192.0)]
        );
        assert_eq!(
            segments("f", 2.0 * 131_072.0 + 1.0, 10.0, 131_072.0),
            [some("f", 81_920.0), gone("f.1"), gone("f.2")]
        );
    }

    #[test]
    fn page_counts_above_two_billion_are_negative() {
        assert_eq!(signed(3_000_000_000.0), -1_294_967_296);
        assert_eq!(signed(1e12), signed(MOST_PAGES));
    }
}
