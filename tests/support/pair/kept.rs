//! What of the rows has to be the same afterwards.

use super::super::way::Kept;
use super::parts::*;
use super::write::{data_type, quoted};

/// A digest of each table that stays, over the columns that stay.
pub fn kept(old: &Design, new: &Design) -> Vec<Kept> {
    let mut out = Vec::new();
    for table in &old.tables {
        let Some(now) = new.table(table.id) else {
            continue;
        };
        let both: Vec<(String, String)> = table
            .plain()
            .filter_map(|column| {
                let after = now
                    .column(column.id)
                    .filter(|column| column.generated.is_none())?;
                let kind = cast(column.kind, after.kind)?;
                Some((
                    format!("{}{kind}::text", quoted(&column.name)),
                    format!("{}::text", quoted(&after.name)),
                ))
            })
            .collect();
        let query = |columns: Vec<&str>, table: &Table| {
            format!(
                "SELECT count(*) || ' ' || coalesce(md5(string_agg(line, '' ORDER BY line)), '') FROM (SELECT md5(ROW({})::text) AS line FROM shop.{}) AS lines",
                columns.join(", "),
                quoted(&table.name)
            )
        };
        out.push(Kept {
            table: now.name.clone(),
            before: query(both.iter().map(|(one, _)| one.as_str()).collect(), table),
            after: query(both.iter().map(|(_, other)| other.as_str()).collect(), now),
        });
    }
    out
}

/// How an old value is to be looked at, where it can be told from outside what becomes of it.
fn cast(old: Kind, new: Kind) -> Option<String> {
    let is_number = |kind: Kind| {
        matches!(
            kind,
            Kind::Smallint | Kind::Integer | Kind::Bigint | Kind::Numeric(..)
        )
    };
    match (old, new) {
        _ if old == new => Some(String::new()),
        (Kind::Enum(_), Kind::Enum(_))
        | (Kind::Domain(_), Kind::Domain(_))
        | (Kind::Words(_), Kind::Words(_)) => Some(String::new()),
        // A number that does not fit stops the migration, and must not stop the look at it before.
        (_, Kind::Bigint | Kind::Numeric(14, 4)) if is_number(old) => {
            Some(format!("::{}", data_type(new)))
        }
        (_, Kind::Text) if is_number(old) || old.is_text() => Some("::text".to_owned()),
        (Kind::Varchar(_), Kind::Varchar(_)) | (Kind::Text, Kind::Varchar(_) | Kind::Enum(_)) => {
            Some(String::new())
        }
        _ => None,
    }
}
