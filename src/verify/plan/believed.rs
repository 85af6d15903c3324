//! `pg_statistic`: what is there, and what makes the planner believe something else.

use super::relation::{is_true, number, text};
use super::statistics::Statistics;
use crate::postgres::{Rows, Session, SqlFailure};
use crate::sql::{
    self, Ident, QualifiedName, SqlText, fill, fixed, join, literal, quote_ident, quote_qualified,
};

/// The part of `pg_statistic` that follows the volume.
#[derive(Clone, Debug)]
pub(super) struct Believed {
    pub relation: u32,
    pub table: String,
    schema: String,
    pub number: i64,
    pub inherited: bool,
    pub column: Ident,
    /// The type below its domains: reading a value of a domain runs the conditions of the design, and this is read as a superuser.
    pub type_oid: i64,
    /// Which of the five slots has the most common values, and these.
    common: Option<(usize, Vec<Option<String>>)>,
    /// Which has the correlation with the physical order.
    pub ordered: Option<usize>,
    /// Which has the bounds of a histogram.
    bounds: Option<usize>,
    /// Bounds of all values: those that ANALYZE keeps leave the common ones out.
    all: Vec<String>,
}

/// Values of types that may have a domain inside (arrays, ranges, rows) are left as they are.
const BELIEVED: &str = "\
WITH RECURSIVE below(of, oid) AS (
  SELECT oid, oid FROM pg_type
  UNION ALL SELECT b.of, t.typbasetype FROM below AS b JOIN pg_type AS t ON t.oid = b.oid WHERE t.typtype = 'd'
)
SELECT s.starelid, s.staattnum, s.stainherit, a.attname, t.oid, c.relname,
       CASE 1 WHEN s.stakind1 THEN 1 WHEN s.stakind2 THEN 2 WHEN s.stakind3 THEN 3 WHEN s.stakind4 THEN 4 WHEN s.stakind5 THEN 5 END,
       CASE 3 WHEN s.stakind1 THEN 1 WHEN s.stakind2 THEN 2 WHEN s.stakind3 THEN 3 WHEN s.stakind4 THEN 4 WHEN s.stakind5 THEN 5 END,
       CASE 2 WHEN s.stakind1 THEN 1 WHEN s.stakind2 THEN 2 WHEN s.stakind3 THEN 3 WHEN s.stakind4 THEN 4 WHEN s.stakind5 THEN 5 END,
       n.nspname,
       to_jsonb(CASE WHEN t.typtype NOT IN ('b', 'e') OR t.typcategory = 'A' THEN NULL ELSE
                CASE 1 WHEN s.stakind1 THEN s.stavalues1::text::text[] WHEN s.stakind2 THEN s.stavalues2::text::text[]
                       WHEN s.stakind3 THEN s.stavalues3::text::text[] WHEN s.stakind4 THEN s.stavalues4::text::text[]
                       WHEN s.stakind5 THEN s.stavalues5::text::text[] END END)
FROM pg_statistic AS s
JOIN pg_class AS c ON c.oid = s.starelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
JOIN below AS b ON b.of = a.atttypid
JOIN pg_type AS t ON t.oid = b.oid AND t.typtype <> 'd'
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'";

fn read_rows(rows: &Rows) -> Vec<Believed> {
    let read = |row: &Vec<Option<String>>| {
        let values = row.get(10).cloned().flatten();
        let values: Option<Vec<Option<String>>> =
            values.and_then(|values| serde_json::from_str(&values).ok());
        let slot = number(row.get(6)) as usize;
        let bounds = row.get(8).cloned().flatten();
        Believed {
            relation: number(row.first()) as u32,
            table: text(row.get(5)),
            schema: text(row.get(9)),
            bounds: bounds.and_then(|slot| slot.parse().ok()),
            all: Vec::new(),
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
pub(super) fn update(believed: &Believed, found: &Statistics, correlation: Option<f64>) -> SqlText {
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
        if many == 0 {
            parts.extend(histogram(believed));
        }
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

/// Where the common values are forgotten, the others must stand for all.
fn histogram(believed: &Believed) -> Option<SqlText> {
    let slot = believed.bounds.filter(|_| believed.all.len() > 1)?;
    let template = match slot {
        1 => ", stavalues1 = array_in({values}, {type}, -1)",
        2 => ", stavalues2 = array_in({values}, {type}, -1)",
        3 => ", stavalues3 = array_in({values}, {type}, -1)",
        4 => ", stavalues4 = array_in({values}, {type}, -1)",
        _ => ", stavalues5 = array_in({values}, {type}, -1)",
    };
    let values = literal(&array(&believed.all));
    let of = sql::number(believed.type_oid);
    Some(fill(template, &[("values", &values), ("type", &of)]))
}

/// Reads all of it; and the bounds of all values for those columns whose common values will be forgotten. `known`: what was read of the
/// same rows before.
pub(super) async fn read_believed(
    admin: &mut Session,
    keeper: &mut Session,
    forgets: &dyn Fn(&Believed) -> bool,
    known: &[Believed],
) -> Result<Vec<Believed>, SqlFailure> {
    let mut all = read_rows(&admin.query(&fixed(BELIEVED)).await?);
    for believed in &mut all {
        if believed.common.is_none() || believed.bounds.is_none() || !forgets(believed) {
            continue;
        }
        let same = |other: &&Believed| {
            (other.relation, other.number, other.inherited)
                == (believed.relation, believed.number, believed.inherited)
        };
        let before = known.iter().find(same).map(|known| known.all.clone());
        if let Some(before) = before.filter(|before| !before.is_empty()) {
            believed.all = before;
            continue;
        }
        let (schema, table) = (Ident::new(&believed.schema), Ident::new(&believed.table));
        let bounds = fill(
            "SELECT to_jsonb(percentile_disc(ARRAY(SELECT step / 100.0 FROM generate_series(0, 100) AS step)) WITHIN GROUP (ORDER BY {column})::text[])\n\
             FROM {table}",
            &[
                ("column", &quote_ident(&believed.column)),
                (
                    "table",
                    &quote_qualified(&QualifiedName::new(schema, table)),
                ),
            ],
        );
        let rows = keeper.query(&bounds).await?;
        let text = rows.rows.first().and_then(|row| row.first()?.clone());
        believed.all = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::array;

    #[test]
    fn values_are_quoted_as_an_array_wants_them() {
        assert_eq!(
            array(&["a\"b".to_owned(), "c,d".to_owned()]),
            "{\"a\\\"b\",\"c,d\"}"
        );
    }
}
