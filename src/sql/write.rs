//! Statements that write given rows, values quoted.

use super::compose::{fill, idents};
use super::ident::{Ident, QualifiedName, SqlText};
use super::quote::{literal, quote_ident, quote_qualified};

fn value(value: Option<&str>) -> String {
    value.map_or_else(
        || "NULL".to_owned(),
        |text| literal(text).as_str().to_owned(),
    )
}

/// INSERT of rows, also into identity columns. Values are text that the server reads as each column's type.
pub fn insert(table: &QualifiedName, columns: &[Ident], rows: &[Vec<Option<String>>]) -> SqlText {
    let table = quote_qualified(table);
    if columns.is_empty() {
        return SqlText::made(format!("INSERT INTO {table} DEFAULT VALUES"));
    }
    let columns: Vec<String> = columns
        .iter()
        .map(|name| quote_ident(name).as_str().to_owned())
        .collect();
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let values: Vec<String> = row.iter().map(|text| value(text.as_deref())).collect();
            format!("({})", values.join(", "))
        })
        .collect();
    let (columns, rows) = (columns.join(", "), rows.join(",\n  "));
    SqlText::made(format!(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES\n  {rows}"
    ))
}

/// COPY of rows that follow as text, also into identity columns.
pub fn copy_in(table: &QualifiedName, columns: &[Ident]) -> SqlText {
    let parts = [
        ("table", &quote_qualified(table)),
        ("columns", &idents(columns)),
    ];
    fill("COPY {table} ({columns}) FROM STDIN", &parts)
}

/// UPDATE of the rows that have these values.
pub fn update(
    table: &QualifiedName,
    set: &[(Ident, Option<String>)],
    of: &[(Ident, Option<String>)],
) -> SqlText {
    let table = quote_qualified(table);
    let set: Vec<String> = set
        .iter()
        .map(|(name, text)| format!("{} = {}", quote_ident(name), value(text.as_deref())))
        .collect();
    let of = matching(of);
    SqlText::made(format!("UPDATE {table} SET {} WHERE {of}", set.join(", ")))
}

/// DELETE of the rows that have these values.
pub fn delete(table: &QualifiedName, of: &[(Ident, Option<String>)]) -> SqlText {
    SqlText::made(format!(
        "DELETE FROM {} WHERE {}",
        quote_qualified(table),
        matching(of)
    ))
}

fn matching(of: &[(Ident, Option<String>)]) -> String {
    let same: Vec<String> = of
        .iter()
        .map(|(name, text)| match text {
            Some(text) => format!("{} = {}", quote_ident(name), literal(text)),
            None => format!("{} IS NULL", quote_ident(name)),
        })
        .collect();
    if same.is_empty() {
        "true".to_owned()
    } else {
        same.join(" AND ")
    }
}

/// Lets the sequence of an identity go on behind the rows that are there.
pub fn follow_rows(table: &QualifiedName, column: &Ident) -> SqlText {
    let (name, quoted) = (quote_qualified(table), quote_ident(column));
    SqlText::made(format!(
        "SELECT setval(pg_get_serial_sequence({}, {}), (SELECT coalesce(max({quoted}), 0) + 1 FROM {name}), false)",
        literal(name.as_str()),
        literal(column.as_str()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_names_and_values() {
        let table = QualifiedName::new("app".into(), "Order".into());
        let sql = insert(
            &table,
            &["id".into(), "user".into()],
            &[vec![Some("O'Hara".into()), None]],
        );
        let wanted = "INSERT INTO app.\"Order\" (id, \"user\") OVERRIDING SYSTEM VALUE VALUES\n  ('O''Hara', NULL)";
        assert_eq!(sql.as_str(), wanted);
        let sql = update(
            &table,
            &[("id".into(), Some("2".into()))],
            &[("user".into(), None)],
        );
        assert_eq!(
            sql.as_str(),
            "UPDATE app.\"Order\" SET id = '2' WHERE \"user\" IS NULL"
        );
    }
}
