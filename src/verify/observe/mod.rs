//! What a statement does, seen on a server: locks, scans, rewrites, what is gone.
//!
//! Start with [`observe`]. It runs one statement in a transaction that is rolled back; what refuses to run there is run outside, held up by
//! other sessions so that its locks can be read. `migrate::effects` says the same without a server; `tests/migrate_locks.rs` compares.

mod inside;
mod locks;
mod outside;
mod seen;
mod snapshot;

pub use seen::{Observed, observe};
