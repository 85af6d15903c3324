//! Conditions and messages of rules.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::environment::{Environment, failed};
use crate::error::Error;

/// A value that expressions can look into: made once, shared by many contexts.
#[derive(Clone, Debug)]
pub struct Fact(Value);

impl Fact {
    /// Takes a value.
    pub fn new<T: Serialize>(value: &T) -> Fact {
        Fact(Value::from(Serde(value)))
    }
}

/// What expressions are evaluated over: facts by name.
#[derive(Clone, Debug)]
pub struct Context(Value);

impl Context {
    /// Takes facts.
    pub fn new<T: Serialize>(facts: &T) -> Context {
        Context(Value::from(Serde(facts)))
    }

    /// Facts by name.
    pub fn of<'n>(facts: impl IntoIterator<Item = (&'n str, Fact)>) -> Context {
        let facts: BTreeMap<String, Value> = facts
            .into_iter()
            .map(|(name, fact)| (name.to_owned(), fact.0))
            .collect();
        Context(Value::from(facts))
    }
}

/// A compiled condition.
#[derive(Debug)]
pub struct Expression<'e> {
    inner: minijinja::Expression<'e, 'static>,
    text: String,
}

impl<'e> Expression<'e> {
    pub(super) fn new(inner: minijinja::Expression<'e, 'static>, text: &str) -> Expression<'e> {
        Expression {
            inner,
            text: text.to_owned(),
        }
    }

    /// Whether it is true.
    pub fn is_true(&self, context: &Context) -> Result<bool, Error> {
        self.value(context).map(|value| value.is_true())
    }

    fn value(&self, context: &Context) -> Result<Value, Error> {
        self.inner
            .eval(context.0.clone())
            .map_err(|error| failed(&self.text, &error))
    }

    /// Paths that it reads: `column.type`.
    pub fn paths(&self) -> BTreeSet<String> {
        self.inner.undeclared_variables(true).into_iter().collect()
    }
}

/// A text with `{{ expressions }}` in it.
#[derive(Debug)]
pub struct Message<'e> {
    parts: Vec<Part<'e>>,
}

#[derive(Debug)]
enum Part<'e> {
    Text(String),
    Value(Expression<'e>),
}

impl<'e> Message<'e> {
    pub(super) fn new(environment: &'e Environment, text: &str) -> Result<Message<'e>, Error> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((expression, after)) = after.split_once("}}") else {
                return Err(Error::Template(format!("{text}: `{{{{` has no end")));
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Value(environment.expression(expression.trim())?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Message { parts })
    }

    /// The text with its values.
    pub fn render(&self, context: &Context) -> Result<String, Error> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Value(expression) => {
                    text.push_str(&expression.value(context)?.to_string());
                }
            }
        }
        Ok(text)
    }

    /// Paths that it reads.
    pub fn paths(&self) -> BTreeSet<String> {
        self.parts
            .iter()
            .flat_map(|part| match part {
                Part::Text(_) => BTreeSet::new(),
                Part::Value(expression) => expression.paths(),
            })
            .collect()
    }
}
