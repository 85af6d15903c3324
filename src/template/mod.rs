//! Templates for SQL, Markdown and HTML, and the expressions of rules. The only module that knows `minijinja`.
//!
//! What a template writes is escaped by its name: in `.sql.j2` only numbers and values that passed one of the filters `ident`,
//! `idents`, `lit`, `sql`, `comment` may be written, anything else is an error; `.md.j2` and `.html.j2` escape by themselves.
//! Start with [`environment()`].

mod environment;
mod escape;
mod expression;
mod filters;
#[cfg(test)]
mod tests;

pub use environment::{Environment, Predicate, environment};
pub use expression::{Context, Expression, Fact, Message};
