//! Templates by name, rendered over our own types.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, Serde};
use minijinja::{ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

use super::expression::{Expression, Message};
use super::{escape, filters};
use crate::assets::Assets;
use crate::error::Error;
use crate::sql::SqlText;

/// A question that expressions may ask with `is`: about a value, with arguments.
pub type Predicate = fn(&serde_json::Value, &[serde_json::Value]) -> Result<bool, String>;

/// Templates and expressions.
pub struct Environment {
    inner: minijinja::Environment<'static>,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment")
    }
}

/// The environment over these assets. `builtin/NAME` reaches the program's own template where the team has one of that name.
pub fn environment(assets: &Assets) -> Environment {
    let mut inner = minijinja::Environment::new();
    let assets = Arc::new(assets.clone());
    inner.set_loader(move |name| {
        let asset = match name.strip_prefix("builtin/") {
            Some(original) => assets.original(&format!("templates/{original}")),
            None => assets.get(&format!("templates/{name}")),
        };
        let Some(asset) = asset else { return Ok(None) };
        escape::check_source(name, &asset.text)?;
        Ok(Some(asset.text))
    });
    let layout = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    // The default delimiters with two switches; building them cannot fail.
    if let Ok(layout) = layout {
        inner.set_syntax(layout);
    }
    inner.set_undefined_behavior(UndefinedBehavior::Strict);
    inner.set_auto_escape_callback(escape::by_name);
    inner.set_formatter(escape::format);
    filters::add(&mut inner);
    Environment { inner }
}

impl Environment {
    /// Renders `sql/create_table.sql.j2` and the like.
    pub fn render<T: Serialize>(&self, name: &str, context: &T) -> Result<String, Error> {
        self.inner
            .get_template(name)
            .and_then(|template| template.render(Value::from(Serde(context))))
            .map_err(|error| failed(name, &error))
    }

    /// Renders a `.sql.j2` template.
    pub fn sql<T: Serialize>(&self, name: &str, context: &T) -> Result<SqlText, Error> {
        if !name.ends_with(".sql.j2") {
            return Err(Error::Internal(format!("`{name}` is no SQL template")));
        }
        self.render(name, context).map(SqlText::made)
    }

    /// Compiles a condition. Questions and filters that do not exist are told now, not when the condition is first asked.
    pub fn expression(&self, text: &str) -> Result<Expression<'_>, Error> {
        for (kind, name) in asked(text) {
            let exists = self
                .inner
                .compile_expression(kind)
                .and_then(|exists| exists.eval(minijinja::context! { name => name.as_str() }))
                .is_ok_and(|exists| exists.is_true());
            if !exists {
                let what = if kind == QUESTION {
                    "question"
                } else {
                    "filter"
                };
                return Err(Error::Template(format!(
                    "{text}: there is no {what} `{name}`"
                )));
            }
        }
        self.inner
            .compile_expression_owned(text.to_owned())
            .map(|inner| Expression::new(inner, text))
            .map_err(|error| failed(text, &error))
    }

    /// Compiles a message: text with `{{ expressions }}` in it, and nothing else.
    pub fn message(&self, text: &str) -> Result<Message<'_>, Error> {
        Message::new(self, text)
    }

    /// Adds a question that expressions may ask: `columns is covered_by(table.indexes)`.
    pub fn add_predicate(&mut self, name: &'static str, predicate: Predicate) {
        self.inner
            .add_test(name, move |value: &Value, arguments: Rest<Value>| {
                let value = data(value)?;
                let arguments = arguments.iter().map(data).collect::<Result<Vec<_>, _>>()?;
                predicate(&value, &arguments)
                    .map_err(|message| minijinja::Error::new(ErrorKind::InvalidOperation, message))
            });
    }
}

const QUESTION: &str = "name is test";
const FILTER: &str = "name is filter";

/// Names after `is` and `|`, outside strings, each with how to ask whether it exists.
fn asked(text: &str) -> Vec<(&'static str, String)> {
    let mut names = Vec::new();
    let mut expected = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '\'' => rest[1..].find(c).map_or(rest.len(), |end| end + 2),
            _ if c.is_alphanumeric() || c == '_' => rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        let word = &rest[..length];
        match word {
            "is" => expected = Some(QUESTION),
            "not" if expected == Some(QUESTION) => {}
            "|" => expected = Some(FILTER),
            _ if word.trim().is_empty() => {}
            _ => names.extend(expected.take().map(|kind| (kind, word.to_owned()))),
        }
        rest = &rest[length..];
    }
    names
}

fn data(value: &Value) -> Result<serde_json::Value, minijinja::Error> {
    serde_json::to_value(value)
        .map_err(|error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// One line with everything that is known: what, where, and what was behind it.
pub(super) fn failed(what: &str, error: &minijinja::Error) -> Error {
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) if name != "<expression>" => format!("{name}, line {line}"),
        _ => what.to_owned(),
    };
    let mut message = format!("{place}: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        message.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    Error::Template(message)
}
