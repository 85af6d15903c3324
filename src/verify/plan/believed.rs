//! `pg_statistic`: what is there, and what makes the planner believe something else.

use super::relation::{is_true, number, text};
use super::statistics::Statistics;
use crate::postgres::{Rows, Session, SqlFailure};
use crate::sql::{self, Ident, SqlText, fill, fixed, join, literal};

/// The part of `pg_statistic` that follows the volume.
#[derive(Clone, Debug)]
pub(super) struct Believed {
    pub relation: u32,
    pub table: String,
    pub number: i64,
    pub inherited: bool,
    pub column: Ident,
    /// The type below its domains: reading a value of a domain runs the conditions of the design, and this is read as a superuser.
    pub type_oid: i64,
    /// Which of the five slots has the most common values, and these.
    common: Option<(usize, Vec<Option<String>>)>,
    /// Which has the correlation with the physical order.
    pub ordered: Option<usize>,
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

/// Reads all of it.
pub(super) async fn read_believed(admin: &mut Session) -> Result<Vec<Believed>, SqlFailure> {
    Ok(read_rows(&admin.query(&fixed(BELIEVED)).await?))
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
