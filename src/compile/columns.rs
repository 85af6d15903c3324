//! Columns, their types, and the checks that stand in a column's own lines.

use super::derived;
use crate::catalog::{Check, Column, ColumnDefault};
use crate::design::{self, Model};
use crate::sql::{Ident, SqlText, fill, join, literal, quote_ident, quote_qualified};

/// A type as the catalog has it: names of the design's own types get their schema.
pub fn data_type(model: &Model, text: &str) -> SqlText {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if model.user_type(word).is_some() {
        let name = quote_qualified(&model.qualified(&Ident::new(word)));
        return fill(
            "{name}{rest}",
            &[("name", &name), ("rest", &SqlText::authored(rest))],
        );
    }
    SqlText::authored(match text.to_ascii_lowercase().as_str() {
        "serial" | "serial4" => "integer",
        "bigserial" | "serial8" => "bigint",
        "smallserial" | "serial2" => "smallint",
        _ => text,
    })
}

fn is_serial(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text.ends_with("serial") || ["serial2", "serial4", "serial8"].contains(&text.as_str())
}

/// One column.
pub(super) fn column(model: &Model, column: &design::Column) -> Column {
    let default = if let Some(generated) = &column.generated {
        Some(ColumnDefault::Generated(SqlText::authored(
            generated.as_str(),
        )))
    } else if column.identity == Some(true) {
        Some(ColumnDefault::IdentityAlways)
    } else if column.identity == Some(false) || is_serial(column.data_type.as_str()) {
        Some(ColumnDefault::IdentityByDefault)
    } else {
        column
            .default
            .as_ref()
            .map(|text| ColumnDefault::Expression(SqlText::authored(text.as_str())))
    };
    Column {
        name: column.name.ident.clone(),
        data_type: data_type(model, column.data_type.as_str()),
        nullable: column.nullable,
        default,
        collation: column.collate.as_ref().map(|text| collation(text.as_str())),
        comment: column
            .means
            .as_ref()
            .map(|text| text.as_str().trim().to_owned()),
    }
}

/// A collation name, schema and all.
pub(super) fn collation(text: &str) -> SqlText {
    let names = text
        .split('.')
        .map(|part| quote_ident(&Ident::new(part.trim().trim_matches('"'))));
    join(names, ".")
}

/// `one_of` and `check` of a column, as named checks.
pub(super) fn checks(table: &design::Table, column: &design::Column) -> Vec<(Ident, Check)> {
    let name = quote_ident(&column.name.ident);
    let mut checks = Vec::new();
    if !column.one_of.is_empty() {
        let values = join(
            column
                .one_of
                .iter()
                .map(|value| value_literal(column, value.as_str())),
            ", ",
        );
        let expression = fill(
            "{name} IN ({values})",
            &[("name", &name), ("values", &values)],
        );
        let derived = derived(&[table.name.as_str(), column.name.as_str(), "one_of"]);
        checks.push((derived, Check { expression }));
    }
    if let Some(check) = &column.check {
        let derived = derived(&[table.name.as_str(), column.name.as_str(), "check"]);
        checks.push((
            derived,
            Check {
                expression: SqlText::authored(check.as_str().trim()),
            },
        ));
    }
    checks
}

/// Numbers stay bare for numeric columns; everything else is a string literal, which PostgreSQL reads as the column's type.
fn value_literal(column: &design::Column, value: &str) -> SqlText {
    let data_type = column.data_type.as_str().to_ascii_lowercase();
    let numeric = ["int", "numeric", "decimal", "real", "double", "float"]
        .iter()
        .any(|t| data_type.contains(t));
    if numeric && value.parse::<f64>().is_ok() {
        SqlText::authored(value)
    } else {
        literal(value)
    }
}
