//! What may be written into which kind of text.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value, escape_formatter};

const SQL: &str = "sql";
const MARKDOWN: &str = "md";

/// What kind of text is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sql,
    Markdown,
    Html,
    /// Conditions and messages.
    Plain,
}

pub(super) fn kind(state: &State) -> Kind {
    match state.auto_escape() {
        AutoEscape::Custom(name) if *name == SQL => Kind::Sql,
        AutoEscape::Custom(_) => Kind::Markdown,
        AutoEscape::Html => Kind::Html,
        _ => Kind::Plain,
    }
}

pub(super) fn by_name(name: &str) -> AutoEscape {
    if name.ends_with(".sql.j2") {
        AutoEscape::Custom(SQL.into())
    } else if name.ends_with(".md.j2") {
        AutoEscape::Custom(MARKDOWN.into())
    } else if name.ends_with(".html.j2") {
        AutoEscape::Html
    } else {
        AutoEscape::None
    }
}

/// Templates that would get round the escaping are refused: other suffixes, and `autoescape` blocks.
pub(super) fn check_source(name: &str, text: &str) -> Result<(), Error> {
    let fault = if matches!(by_name(name), AutoEscape::None) {
        "the name of a template ends with .sql.j2, .md.j2 or .html.j2"
    } else if text.contains("autoescape") {
        "`autoescape` cannot be switched in a template"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidOperation, fault))
}

pub(super) fn format(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    match kind(state) {
        Kind::Sql => sql(out, value),
        Kind::Markdown => {
            if value.is_safe() {
                write(out, value.as_str().unwrap_or_default())
            } else if value.is_none() {
                Ok(())
            } else {
                write(out, &markdown(&value.to_string()))
            }
        }
        _ => escape_formatter(out, state, value),
    }
}

fn sql(out: &mut Output, value: &Value) -> Result<(), Error> {
    let finite = || f64::try_from(value.clone()).is_ok_and(f64::is_finite);
    match value.kind() {
        ValueKind::Number if finite() => write(out, &value.to_string()),
        ValueKind::String if value.is_safe() => write(out, value.as_str().unwrap_or_default()),
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!(
                "unquoted value in SQL: {value}; use a filter: ident, idents, lit, sql or comment"
            ),
        )),
    }
}

fn write(out: &mut Output, text: &str) -> Result<(), Error> {
    out.write_str(text)
        .map_err(|_| Error::new(ErrorKind::WriteFailure, "cannot write"))
}

/// A value as plain text of Markdown, on one line: it cannot open a table cell, a tag, a link or a code span.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(c),
        }
    }
    escaped
}
