//! One file per kind of invariant: `About`, drift query, enforcement, cases. Read `at_most_one.rs` first.

pub(super) mod append_only;
pub(super) mod at_most;
pub(super) mod at_most_one;
pub(super) mod balanced;
pub(super) mod check;
pub(super) mod declared;
pub(super) mod exactly_one;
pub(super) mod idempotent;
pub(super) mod immutable;
pub(super) mod isolated;
pub(super) mod monotonic;
pub(super) mod no_overlap;
pub(super) mod references;
pub(super) mod required;
pub(super) mod transitions;
pub(super) mod unique;
