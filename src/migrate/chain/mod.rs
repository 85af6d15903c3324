//! Statements one after the other: each sees the schema that those before it have made.

mod alter;
mod beside;
mod follow;
mod indexes;
mod like;
mod names;
mod objects;
mod partitions;
mod tables;

pub use beside::Beside;
pub(in crate::migrate) use beside::words;
pub use follow::{Chain, apply};
