//! Evidence of earlier runs, where nothing that it depends on has changed.
//!
//! Start at [`Cache`]. `meaning` says what evidence depends on, and leaves out prose and places; `sheet` is what is kept of it, with
//! places by name (`place`), because lines move; `store` has the files; `recall` finds what is known of a design and keeps what
//! is new. What refutes a claim is always tried again, and so is what could not be tried.

mod meaning;
mod place;
mod recall;
mod sheet;
mod store;
#[cfg(test)]
mod tests;
mod words;

pub use recall::{Asked, Recalled};
pub use store::Cache;
