//! The typed clause of an invariant. `clause` leads to the kinds: `rows` about rows and groups of one table, `whole` about tables,
//! commands and projections as a whole, `transitions` about states.

mod clause;
mod rows;
mod transitions;
mod whole;

pub(super) use clause::{rule, table_of};
