//! The safe way, as SQL that can be run. Tests run each, in thought and on a server: none of its statements may be a hazard itself.

mod column;
mod constraint;
mod index;
mod partition;
mod statement;
mod tails;
mod words;

pub(super) use index::build_again;
pub(super) use statement::{PATIENCE, batches, of, of_refused, rename};
