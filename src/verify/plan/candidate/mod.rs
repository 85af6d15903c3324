//! Indexes that a query could use: proposed from its text and the catalog alone, for a planner to judge.
//!
//! Start with [`candidates`]. `draft` turns one use of a table into drafts, each with how promising it looks; `existing` leaves out what is
//! there already; `columns` is what the reader of SQL is told of the catalog.

mod columns;
mod draft;
mod existing;
mod proposal;
mod special;
#[cfg(test)]
mod tests;

pub(super) use proposal::{Candidate, candidates};
