//! Evidence of earlier runs, where nothing that it depends on has changed.
//!
//! Start at [`Cache`]. `work` cuts a design into pieces and says what each depends on, in the words of `meaning` and `tables`, which leave
//! out prose and places. `sheet` is what is kept of a piece, with places by name (`place`), because lines move; `store` has the files;
//! `recall` finds what is known of a design and keeps what is new. What refutes a claim is tried again each time, and so is what could not
//! be tried.

mod meaning;
mod place;
mod recall;
mod sheet;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod words;
mod work;

pub use recall::{Asked, Recalled};
pub use store::Cache;
