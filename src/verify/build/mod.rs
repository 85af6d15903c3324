//! Build: the schema applies, compiles to the same text twice, and reads back equal to the model.

mod canonical;
mod check;
mod scratch;

pub(super) use check::refused;
pub use check::{build, read_back};
