//! Reads a [`Catalog`](crate::catalog::Catalog) back from a live database: a few set-based queries over `pg_catalog`, no OIDs out.

mod assemble;
mod bound;
mod queries;
mod read;
mod rows;
mod tables;

pub use read::{Scope, introspect};
