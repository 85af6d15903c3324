//! Queries judged on a database that is there, by its own statistics and settings: planned in a transaction that may not write, never run.
//!
//! No table is read but those of the catalog: values for parameters are those that `pg_stats` remembers. What is not there, or was never
//! analysed, is `unchecked`.

mod found;
mod judge;
mod values;

pub use judge::attached;
