//! Filters that say what a value is, so that it can be written safely.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::escape::{Kind, kind};
use crate::sql::{Ident, literal, quote_ident};

pub(super) fn add(environment: &mut Environment<'static>) {
    // Both mark a value as safe whatever the text around it is.
    environment.remove_filter("safe");
    environment.remove_filter("tojson");
    environment.add_filter("ident", ident);
    environment.add_filter("idents", idents);
    environment.add_filter("lit", lit);
    environment.add_filter("sql", sql);
    environment.add_filter("comment", comment);
    environment.add_filter("code", code);
    environment.add_filter("markdown", as_markdown);
    environment.add_filter("html", as_html);
    environment.add_filter("json", json);
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Safe in SQL, ordinary text elsewhere.
fn in_sql(state: &State, text: String) -> Value {
    match kind(state) {
        Kind::Sql => Value::from_safe_string(text),
        _ => Value::from(text),
    }
}

fn quoted(value: &Value) -> Result<String, Error> {
    if let Some(name) = value.as_str() {
        return Ok(quote_ident(&Ident::new(name)).to_string());
    }
    let part = |key| {
        let part = value.get_attr(key)?;
        let name = part.as_str().map(Ident::new);
        name.ok_or_else(|| wrong(format!("no name: {value}")))
    };
    let (schema, name) = (part("schema")?, part("name")?);
    Ok(format!("{}.{}", quote_ident(&schema), quote_ident(&name)))
}

/// A name, or a name with its schema.
fn ident(state: &State, value: &Value) -> Result<Value, Error> {
    Ok(in_sql(state, quoted(value)?))
}

/// Names with `, ` between them.
fn idents(state: &State, value: &Value) -> Result<Value, Error> {
    let names = value
        .try_iter()?
        .map(|item| quoted(&item))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(in_sql(state, names.join(", ")))
}

/// A literal of SQL. Strings are quoted; a list gives its literals with `, ` between them.
fn lit(state: &State, value: &Value) -> Result<Value, Error> {
    fn text(value: &Value) -> Result<String, Error> {
        match value.kind() {
            ValueKind::None => Ok("NULL".to_owned()),
            ValueKind::Bool => Ok(if value.is_true() { "true" } else { "false" }.to_owned()),
            ValueKind::Number => Ok(value.to_string()),
            ValueKind::String => Ok(literal(value.as_str().unwrap_or_default()).to_string()),
            ValueKind::Seq => {
                let items = value
                    .try_iter()?
                    .map(|item| text(&item))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(items.join(", "))
            }
            _ => Err(wrong(format!("no literal of SQL: {value}"))),
        }
    }
    Ok(in_sql(state, text(value)?))
}

/// A value that is SQL already (`SqlText`); of a list, the parts with a separator between them.
fn sql(state: &State, value: &Value, separator: Option<String>) -> Result<Value, Error> {
    let text = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| wrong(format!("no SQL: {value}")))
    };
    if value.kind() != ValueKind::Seq {
        return Ok(in_sql(state, text(value)?));
    }
    let parts = value
        .try_iter()?
        .map(|item| text(&item))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(in_sql(
        state,
        parts.join(separator.as_deref().unwrap_or(", ")),
    ))
}

/// Text of a line comment: further lines get their own dashes.
fn comment(state: &State, value: &str) -> Value {
    let lines: Vec<&str> = value.trim_end().lines().collect();
    in_sql(state, lines.join("\n-- ").replace('\r', ""))
}

/// A code span, with as many backticks as it takes.
fn code(state: &State, value: &Value) -> Result<Value, Error> {
    let text = value.to_string().replace(['\n', '\r'], " ");
    if !matches!(kind(state), Kind::Markdown) {
        return Err(wrong("`code` is for Markdown"));
    }
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        " "
    } else {
        ""
    };
    // Tables split cells before they look at code spans.
    let text = text.replace('|', "\\|");
    Ok(Value::from_safe_string(format!(
        "{fence}{pad}{text}{pad}{fence}"
    )))
}

/// Markdown that was put together safely, or that the program carries.
fn as_markdown(state: &State, value: &str) -> Result<Value, Error> {
    match kind(state) {
        Kind::Markdown => Ok(Value::from_safe_string(value.to_owned())),
        _ => Err(wrong("`markdown` is for Markdown")),
    }
}

/// HTML that was put together safely.
fn as_html(state: &State, value: &str) -> Result<Value, Error> {
    match kind(state) {
        Kind::Html => Ok(Value::from_safe_string(value.to_owned())),
        _ => Err(wrong("`html` is for HTML")),
    }
}

/// Data for a script: JSON in which no tag can end.
fn json(state: &State, value: &Value) -> Result<Value, Error> {
    let text = serde_json::to_string(value).map_err(|error| wrong(error.to_string()))?;
    let text = text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\'', "\\u0027");
    match kind(state) {
        Kind::Html => Ok(Value::from_safe_string(text)),
        _ => Ok(Value::from(text)),
    }
}
