//! Reject: for each constraint and invariant the smallest illegal write is refused by what should refuse it, and the nearest legal
//! one is accepted.
//!
//! `claims` lists what is claimed; `keys`, `references`, `columns`, `exclusions` and `partitions` turn it into trials without a
//! server, `conditions` asks the server which values break a check; `player` writes the rows and `judge` says what came of it. Every
//! trial is one transaction that is taken back.

mod claims;
mod columns;
mod conditions;
mod exclusions;
mod judge;
mod keys;
mod partitions;
mod player;
mod references;
mod trial;
mod verdict;

pub(super) use claims::{Claimed, claims};
pub(super) use judge::{Bench, Outcome};
pub(super) use trial::Trial;
pub(super) use verdict::{Settled, settle};
