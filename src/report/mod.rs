//! Everything a user ever sees of a run, made from one [`Report`](crate::finding::Report): for people in a terminal, for
//! machines as JSON, for a pull request as Markdown.
//!
//! Imports ground modules only. It must never learn about PostgreSQL, rules or commands, and decides nothing: no level, no
//! default, no verdict. Start with [`render`]; `claims` groups evidence into the rows that people read, `draw` turns a
//! counterexample into lines that both the terminal and Markdown show.

mod bounds;
mod claims;
mod draw;
mod fingerprint;
mod format;
mod identifiers;
mod json;
mod markdown;
mod measured;
mod place;
mod printable;
mod read;
mod terminal;
mod tree;
mod wording;

pub use fingerprint::fingerprint;
pub use format::{Format, Look, render};
pub use json::{FORMAT, SCHEMA};
pub use printable::printable;
pub use read::{Written, restore};
