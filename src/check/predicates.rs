//! Questions that conditions ask with `is`: `table.grain is blank`, `reference.columns is covered_by(table.access, table.tenant)`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::words;
use crate::template::Predicate;

/// Every predicate, by the name that rules use.
pub(super) const PREDICATES: &[(&str, Predicate)] = &[
    ("blank", blank),
    ("covered_by", covered_by),
    ("floating", floating),
    ("naming_several", naming_several),
    ("textual", textual),
    ("zoneless", zoneless),
];

fn text<'v>(value: &'v Value, question: &str) -> Result<&'v str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("`is {question}` asks about a text, and this is {value}"))
}

/// Nothing is said.
fn blank(value: &Value, _: &[Value]) -> Result<bool, String> {
    Ok(match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    })
}

/// One of the column lists starts with these columns, in any order. What says whose rows they are may be missing from the list:
/// the other columns are the ones that choose.
fn covered_by(value: &Value, arguments: &[Value]) -> Result<bool, String> {
    let strings = |value: &Value| -> Option<Vec<String>> {
        let items = value.as_array()?.iter();
        items.map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let wrong = || "`is covered_by` takes columns, lists of columns and a tenant column".to_owned();
    let columns: BTreeSet<String> = strings(value).ok_or_else(wrong)?.into_iter().collect();
    let lists = arguments
        .first()
        .and_then(Value::as_array)
        .ok_or_else(wrong)?;
    let tenant = arguments.get(1).and_then(Value::as_str);
    let choosing: BTreeSet<&String> = columns
        .iter()
        .filter(|column| Some(column.as_str()) != tenant || columns.len() == 1)
        .collect();
    for list in lists {
        let keys = strings(list).ok_or_else(wrong)?;
        let led: BTreeSet<&String> = keys
            .iter()
            .take_while(|key| columns.contains(*key))
            .collect();
        if choosing.is_subset(&led) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A type that rounds, or that prints as the server's locale says.
fn floating(value: &Value, _: &[Value]) -> Result<bool, String> {
    Ok(matches!(
        text(value, "floating")?,
        "real" | "double precision" | "float" | "float4" | "float8"
    ))
}

/// A point in time that is none without a place.
fn zoneless(value: &Value, _: &[Value]) -> Result<bool, String> {
    Ok(matches!(
        text(value, "zoneless")?,
        "timestamp" | "timestamp without time zone"
    ))
}

/// A type that holds words, addresses or documents, and not a number that stands for something elsewhere.
fn textual(value: &Value, _: &[Value]) -> Result<bool, String> {
    Ok(matches!(
        text(value, "textual")?,
        "text"
            | "citext"
            | "character varying"
            | "varchar"
            | "character"
            | "char"
            | "bpchar"
            | "inet"
            | "cidr"
            | "date"
            | "json"
            | "jsonb"
            | "bytea"
            | "macaddr"
            | "hstore"
            | "xml"
    ))
}

/// A sentence that names more than one thing.
fn naming_several(value: &Value, _: &[Value]) -> Result<bool, String> {
    match value {
        Value::Null => Ok(false),
        _ => text(value, "naming_several").map(words::names_several),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_covered_by_what_starts_with_them() {
        let covered = |columns: Value, lists: Value, tenant: Value| {
            covered_by(&columns, &[lists, tenant]).unwrap_or_default()
        };
        assert!(covered(json!(["a"]), json!([["a", "b"]]), json!(null)));
        assert!(covered(
            json!(["a", "b"]),
            json!([["x"], ["b", "a"]]),
            json!(null)
        ));
        assert!(!covered(json!(["a"]), json!([["b", "a"], []]), json!(null)));
        assert!(!covered(
            json!(["a", "b"]),
            json!([["a", "c", "b"]]),
            json!(null)
        ));
        assert!(covered(json!(["t", "a"]), json!([["a"]]), json!("t")));
        assert!(!covered(json!(["t", "a"]), json!([["t"]]), json!("t")));
        assert!(covered(json!(["t"]), json!([["t"]]), json!("t")));
        assert!(!covered(json!(["t"]), json!([["a"]]), json!("t")));
        assert!(covered_by(&json!("a"), &[]).is_err());
    }
}
