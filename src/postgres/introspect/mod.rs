//! Reads a [`Catalog`](crate::catalog::Catalog) back from a live database: a few set-based queries over `pg_catalog`, no OIDs out.

mod assemble;
mod beyond;
mod bound;
mod queries;
mod read;
mod rows;
mod tables;

pub use beyond::beyond;
pub use read::{Scope, introspect};
