//! How a statement gets at the rows of each table in it: what an index would have to serve.
//!
//! [`accesses`] gives one [`Access`] for each place where a table stands, so that two branches of a union over one table stay two. `conjunct`
//! says what a condition asks of one table, `lasting` what may stand in an index at all: no parameter, nothing that changes with the clock or
//! with a setting. What cannot be read is left out, never guessed.

mod conjunct;
mod from;
mod kind;
mod lasting;
mod reader;
mod scope;
#[cfg(test)]
mod tests;
mod types;

pub use kind::Kind;
pub use reader::accesses;
pub use types::{Access, Against, Condition, Key, SortKey, Test, TypedNames};
