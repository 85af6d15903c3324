//! Build: the schema applies, compiles to the same text twice, and reads back equal to the model.

mod canonical;
mod check;
mod scratch;

pub use check::{build, read_back};
pub(super) use check::{claim, refused};
