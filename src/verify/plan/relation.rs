//! Tables, partitions and indexes of a database, with their columns, as the server's catalogs have them.

use std::collections::BTreeMap;

use super::size::Stored;
use crate::postgres::{Rows, Session, SqlFailure};
use crate::sql::{Ident, QualifiedName, fill, fixed, join, quote_ident, quote_qualified};

/// A table, a partition, a materialized view or an index, as the sample has it.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub oid: u32,
    pub name: String,
    schema: String,
    /// Its file; a btree may get another one.
    pub path: String,
    /// As the sample has it.
    own_path: String,
    /// Of a btree: levels above its leaves in the sample, and in the file it has now.
    pub height: Option<(u32, u32)>,
    /// Pages of the sample.
    pub pages: f64,
    /// Pages of the sample's TOAST, its index with them.
    pub outside: f64,
    /// Rows or entries of the sample.
    pub tuples: f64,
    /// The table of an index.
    pub of: Option<u32>,
    pub method: String,
    pub unique: bool,
    pub partial: bool,
    pub fillfactor: f64,
    pub packs: bool,
    pub columns: Vec<Column>,
}

impl Relation {
    /// Whether its file is another one than the sample's.
    pub(super) fn is_grown(&self) -> bool {
        self.path != self.own_path
    }

    /// The file of the sample.
    pub(super) fn own_path(&self) -> &str {
        &self.own_path
    }

    /// As large as the sample.
    pub(super) fn real(&self) -> Extent {
        Extent {
            tuples: self.tuples,
            pages: self.pages,
            outside: self.outside,
            visible: 1.0,
            height: self.height.map_or(0, |(own, _)| own),
        }
    }

    pub(super) fn stored(&self) -> Vec<Stored> {
        self.columns.iter().map(|column| column.stored).collect()
    }

    /// Whether it has rows, and no keys.
    pub(super) fn is_table(&self) -> bool {
        self.of.is_none()
    }
}

/// A column of a table, or a key of an index.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: Ident,
    pub number: i64,
    /// In the table of an index; 0 is an expression.
    pub of: i64,
    pub is_key: bool,
    pub stored: Stored,
    pub distinct: f64,
}

/// How large a relation is at a volume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    /// Rows or entries.
    pub tuples: f64,
    /// Pages of its file.
    pub pages: f64,
    /// Pages of its TOAST, which no plan counts.
    pub outside: f64,
    /// Share of the pages all of whose rows everybody sees.
    pub visible: f64,
    /// Levels of a btree above its leaves.
    pub height: u32,
}

const RELATIONS: &str = "\
SELECT c.oid, c.relname, pg_relation_filepath(c.oid), pg_relation_size(c.oid) / 8192, greatest(c.reltuples, 0),
       i.indrelid, am.amname, coalesce(i.indisunique, false), i.indpred IS NOT NULL,
       coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'),
                CASE WHEN i.indrelid IS NULL THEN '100' ELSE '90' END),
       i.indrelid IS NOT NULL AND NOT i.indisunique AND i.indnatts = i.indnkeyatts AND (
         SELECT bool_and(EXISTS (SELECT FROM pg_amproc AS p WHERE p.amprocfamily = o.opcfamily AND p.amprocnum = 4
                                    AND p.amproclefttype = o.opcintype AND p.amprocrighttype = o.opcintype))
         FROM pg_opclass AS o WHERE o.oid = ANY (i.indclass)),
       CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(c.reltoastrelid) / 8192 END, n.nspname
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

/// A cell as a number.
pub(super) fn number(cell: Option<&Option<String>>) -> f64 {
    cell.and_then(|cell| cell.as_deref()?.parse().ok())
        .unwrap_or(0.0)
}

pub(super) fn text(cell: Option<&Option<String>>) -> String {
    cell.cloned().flatten().unwrap_or_default()
}

pub(super) fn is_true(cell: Option<&Option<String>>) -> bool {
    cell.is_some_and(|cell| cell.as_deref() == Some("t"))
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

/// Average bytes of the values of a table's column.
pub(super) type Widths = BTreeMap<(u32, i64), f64>;

/// Reads all of them. `known`: the widths, where the same rows were looked at before.
pub(super) async fn read_relations(
    admin: &mut Session,
    keeper: &mut Session,
    known: Option<Widths>,
) -> Result<(Vec<Relation>, Widths), SqlFailure> {
    let relations = admin.query(&fixed(RELATIONS)).await?;
    let columns = columns(&admin.query(&fixed(COLUMNS)).await?);
    let read = |row: &Vec<Option<String>>| {
        let oid = number(row.first()) as u32;
        let of = row.get(5).cloned().flatten();
        Relation {
            oid,
            name: text(row.get(1)),
            schema: text(row.get(12)),
            path: text(row.get(2)),
            own_path: text(row.get(2)),
            height: None,
            pages: number(row.get(3)),
            outside: number(row.get(11)),
            tuples: number(row.get(4)),
            of: of.and_then(|oid| oid.parse().ok()),
            method: text(row.get(6)),
            unique: is_true(row.get(7)),
            partial: is_true(row.get(8)),
            fillfactor: number(row.get(9)),
            packs: is_true(row.get(10)),
            columns: columns.get(&oid).cloned().unwrap_or_default(),
        }
    };
    let mut relations: Vec<Relation> = relations.rows.iter().map(read).collect();
    let widths = match known {
        Some(known) => known,
        None => widths(keeper, &relations).await?,
    };
    for relation in &mut relations {
        for column in &mut relation.columns {
            let place = match relation.of {
                Some(table) => (table, column.of),
                None => (relation.oid, column.number),
            };
            if let Some(width) = widths.get(&place) {
                column.stored.width = *width;
            }
        }
    }
    Ok((relations, widths))
}

/// ANALYZE counts average bytes as whole numbers, and a row that ends just behind a multiple of eight takes eight bytes more. What is stored
/// elsewhere or compressed keeps what ANALYZE says of it.
async fn widths(keeper: &mut Session, relations: &[Relation]) -> Result<Widths, SqlFailure> {
    let mut exact = Widths::new();
    for table in relations.iter().filter(|relation| relation.is_table()) {
        let varies = |column: &&Column| column.stored.length.is_none() && column.stored.width > 0.0;
        let columns: Vec<&Column> = table.columns.iter().filter(varies).collect();
        if columns.is_empty() || table.tuples == 0.0 {
            continue;
        }
        let average = |column: &&Column| {
            let name = quote_ident(&column.name);
            fill("avg(pg_column_size({name}))", &[("name", &name)])
        };
        let name = QualifiedName::new(Ident::new(&table.schema), Ident::new(&table.name));
        let select = fill(
            "SELECT {all} FROM {table}",
            &[
                ("all", &join(columns.iter().map(average), ", ")),
                ("table", &quote_qualified(&name)),
            ],
        );
        let rows = keeper.query(&select).await?;
        for (at, column) in columns.iter().enumerate() {
            let width = number(rows.rows.first().and_then(|row| row.get(at)));
            if (width - column.stored.width).abs() < 1.0 {
                exact.insert((table.oid, column.number), width);
            }
        }
    }
    Ok(exact)
}
