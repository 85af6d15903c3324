//! Extended statistics at a volume: how many different combinations of columns there are.
//!
//! How far columns follow from each other, and the most common combinations with their shares, ANALYZE reads off the 30,000 rows it looks at,
//! which the sample of a table with statistics has: these stay. The number of combinations grows with the rows, and is written as the server
//! itself keeps it (`MVNDistinct` in `statistics.h`, the same in PostgreSQL 14 to 18).

use std::collections::BTreeMap;

use super::relation::{Extent, number, text};
use super::size;
use super::statistics::{Belief, LOOKED_AT, statistics, values};
use super::storage::{Storage, Volume};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{self, Ident, QualifiedName, SqlText, fill, fixed, literal, quote_qualified};
use crate::verify::seed::Profile;

/// `STATS_NDISTINCT_MAGIC` and `STATS_NDISTINCT_TYPE_BASIC`.
const MAGIC: u32 = 0xA352_BFA4;
const BASIC: u32 = 1;

/// One object of a table, as the sample has it.
#[derive(Clone, Debug)]
pub(super) struct Together {
    pub oid: i64,
    pub relation: u32,
    pub table: String,
    /// Columns by number.
    pub columns: BTreeMap<i16, Ident>,
    /// Each set of columns with the number of combinations.
    pub distinct: Vec<(Vec<i16>, f64)>,
}

/// Of expressions, which have negative numbers, a design says nothing.
const TOGETHER: &str = "\
SELECT s.oid, s.stxrelid, c.relname, d.stxdndistinct::text,
       (SELECT json_object_agg(a.attnum, a.attname) FROM unnest(s.stxkeys::int2[]) AS u(attnum)
        JOIN pg_attribute AS a ON a.attrelid = s.stxrelid AND a.attnum = u.attnum)
FROM pg_statistic_ext AS s
JOIN pg_class AS c ON c.oid = s.stxrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_statistic_ext_data AS d ON d.stxoid = s.oid
WHERE d.stxdndistinct IS NOT NULL AND s.stxexprs IS NULL
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY s.oid";

/// Shares of the most common combinations, with the rows that were looked at.
const COMMON: &str = "\
SELECT s.oid, n.nspname, s.stxname,
       (SELECT sum(greatest(p.reltuples, 0)) FROM pg_class AS p WHERE p.relkind = 'r' AND (p.oid = c.oid OR p.oid IN (SELECT relid FROM pg_partition_tree(c.oid)))),
       c.relname, (SELECT json_agg(m.frequency) FROM pg_mcv_list_items(d.stxdmcv) AS m)
FROM pg_statistic_ext AS s
JOIN pg_class AS c ON c.oid = s.stxrelid
JOIN pg_namespace AS n ON n.oid = s.stxnamespace
JOIN pg_statistic_ext_data AS d ON d.stxoid = s.oid
WHERE d.stxdmcv IS NOT NULL AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY s.oid";

/// Reads all of them, and lets bytes be taken for what the server keeps.
pub(super) async fn read_together(admin: &mut Session) -> Result<Vec<Together>, SqlFailure> {
    let rows = admin.query(&fixed(TOGETHER)).await?;
    let read = |row: &Vec<Option<String>>| {
        let json = |at: usize| row.get(at)?.as_deref();
        let sets: BTreeMap<String, f64> = serde_json::from_str(json(3)?).ok()?;
        let numbers = |set: &str| -> Option<Vec<i16>> {
            set.split(", ")
                .map(|part| part.parse::<i16>().ok())
                .collect()
        };
        let distinct = sets
            .iter()
            .map(|(set, many)| Some((numbers(set)?, *many)))
            .collect::<Option<Vec<_>>>()?;
        let columns: BTreeMap<i16, String> = serde_json::from_str(json(4)?).ok()?;
        let columns = columns.into_iter();
        Some(Together {
            oid: number(row.first()) as i64,
            relation: number(row.get(1)) as u32,
            table: text(row.get(2)),
            columns: columns.map(|(at, name)| (at, Ident::new(name))).collect(),
            distinct,
        })
    };
    let mut found: Vec<Together> = rows.rows.iter().filter_map(read).collect();
    found.dedup_by_key(|one| one.oid);
    if !found.is_empty() {
        let there = fixed(
            "SELECT FROM pg_cast WHERE castsource = 'bytea'::regtype AND casttarget = 'pg_ndistinct'::regtype",
        );
        if admin.query(&there).await?.rows.is_empty() {
            let cast = fixed("CREATE CAST (bytea AS pg_ndistinct) WITHOUT FUNCTION");
            admin.batch(&cast).await?;
        }
    }
    Ok(found)
}

/// How often ANALYZE must have met a combination among so many of so many rows, for it to be one of the common ones
/// (`get_mincount_for_mcv_list`): in a sample that is looked at as a whole that is any.
fn least_met(looked: f64, rows: f64) -> f64 {
    let all = rows - looked + 0.04 * looked * (rows - 1.0);
    looked * (rows - looked) / all.max(f64::MIN_POSITIVE)
}

/// Forgets combinations that would not be common ones among as many rows as are declared: ANALYZE is told how many to keep.
pub(super) async fn keep_common(
    (admin, keeper): (&mut Session, &mut Session),
    rows: &dyn Fn(&str) -> f64,
) -> Result<(), SqlFailure> {
    for row in admin.query(&fixed(COMMON)).await?.rows {
        let shares: Vec<f64> = row
            .get(5)
            .and_then(|json| serde_json::from_str(json.as_deref()?).ok())
            .unwrap_or_default();
        let (name, looked) = (text(row.get(4)), number(row.get(3)));
        let least = least_met(looked.min(LOOKED_AT), rows(&name).max(looked));
        let kept = shares
            .iter()
            .filter(|share| *share * looked >= least)
            .count();
        if kept == shares.len() {
            continue;
        }
        if kept == 0 {
            let forget = fill(
                "UPDATE pg_catalog.pg_statistic_ext_data SET stxdmcv = NULL WHERE stxoid = {oid}",
                &[("oid", &sql::number(number(row.first()) as i64))],
            );
            admin
                .batch(&fixed("SET allow_system_table_mods = on"))
                .await?;
            admin.batch(&forget).await?;
            continue;
        }
        let own = |at: usize| {
            quote_qualified(&QualifiedName::new(
                Ident::new(text(row.get(1))),
                Ident::new(text(row.get(at))),
            ))
        };
        let parts = [
            ("name", &own(2)),
            ("kept", &sql::number(kept as i64)),
            ("table", &own(4)),
        ];
        let alter = fill("ALTER STATISTICS {name} SET STATISTICS {kept}", &parts[..2]);
        keeper.batch(&alter).await?;
        keeper.batch(&fill("ANALYZE {table}", &parts[2..])).await?;
    }
    Ok(())
}

/// What the planner reads about these columns together.
pub(super) fn update(together: &Together, distinct: &[(Vec<i16>, f64)]) -> SqlText {
    fill(
        "UPDATE pg_catalog.pg_statistic_ext_data SET stxdndistinct = decode({bytes}, 'hex')::pg_ndistinct\n\
         WHERE stxoid = {oid} AND stxdndistinct IS NOT NULL",
        &[
            ("bytes", &literal(&hex(&bytes(distinct)))),
            ("oid", &sql::number(together.oid)),
        ],
    )
}

fn bytes(distinct: &[(Vec<i16>, f64)]) -> Vec<u8> {
    let mut out = Vec::new();
    for head in [MAGIC, BASIC, distinct.len() as u32] {
        out.extend(head.to_le_bytes());
    }
    for (columns, many) in distinct {
        out.extend(many.to_le_bytes());
        out.extend((columns.len() as i32).to_le_bytes());
        out.extend(columns.iter().flat_map(|column| column.to_le_bytes()));
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

impl Storage {
    /// `pg_statistic_ext_data`, of the same tables.
    pub(super) fn combinations(
        &self,
        volume: &Volume<'_>,
        extents: &BTreeMap<u32, Extent>,
    ) -> Vec<SqlText> {
        let mut statements = Vec::new();
        for together in &self.together {
            let name = Ident::from(together.table.as_str());
            // A partitioned table has no rows of its own.
            let (sampled, rows) = match self.relation(together.relation) {
                Some(relation) => {
                    let extent = extents.get(&relation.oid);
                    (relation.tuples, extent.map_or(0.0, |extent| extent.tuples))
                }
                None => {
                    let parts = self.relations.iter().filter(|part| {
                        part.is_table()
                            && volume.names.table_of.get(&part.name) == Some(&together.table)
                    });
                    (parts.map(|part| part.tuples).sum(), (volume.rows)(&name))
                }
            };
            if rows <= sampled {
                continue;
            }
            let sets = together.distinct.iter().map(|(set, found)| {
                let columns: Vec<Ident> = set
                    .iter()
                    .filter_map(|at| together.columns.get(at).cloned())
                    .collect();
                let apart = |rows: f64| {
                    let values = columns.iter().map(|column| {
                        self.values_of(together.relation, &name, column, rows, volume)
                    });
                    size::met(values.product(), rows)
                };
                // Where the design is silent: as much less than independent columns would have as in the sample.
                let silent = || (found / apart(sampled).max(1.0)).min(1.0) * apart(rows);
                let declared = volume.maker.combinations(&name, &columns, rows);
                let drawn = declared.unwrap_or_else(|| Profile::Drawn {
                    size: silent(),
                    exponent: 0.0,
                });
                let many = statistics(&drawn, rows, 0.0, volume.belief).distinct;
                (set.clone(), values(many, rows).round())
            });
            let sets: Vec<(Vec<i16>, f64)> = sets.collect();
            statements.push(update(together, &sets));
        }
        statements
    }

    /// How many different values a column has among so many rows: as the design says, else as the sample has it.
    fn values_of(
        &self,
        relation: u32,
        table: &Ident,
        column: &Ident,
        rows: f64,
        volume: &Volume<'_>,
    ) -> f64 {
        let found = match volume.maker.profile(table, column, volume.rows) {
            Some(profile) => statistics(&profile, rows, 0.0, Belief::Declared).distinct,
            None => self.relation(relation).map_or(-1.0, |relation| {
                let mut columns = relation.columns.iter();
                let known = columns.find(|known| known.name == *column);
                known.map_or(-1.0, |known| known.distinct)
            }),
        };
        values(found, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 has it for two columns with 8 combinations.
    #[test]
    fn combinations_are_kept_as_the_server_keeps_them() {
        let bytes = bytes(&[(vec![2, 3], 8.0)]);
        assert_eq!(
            hex(&bytes),
            "a4bf52a3010000000100000000000000000020400200000002000300"
        );
    }
}
