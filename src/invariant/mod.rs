//! What kinds of invariant exist: what finds violations, what enforces, what must be refused.
//!
//! Each kind is one file under `kinds/` and one line in [`KINDS`]. Start with [`Kind`], then read `kinds/at_most_one.rs`.

mod case;
mod codes;
mod derived;
mod guard;
mod kinds;
mod predicate;
mod registry;
mod subject;
mod tally;
mod tenant;

pub use case::{Case, RowNumber, Value, Write};
pub use codes::FAULTS;
pub use derived::{Derived, Mechanism, unique_index};
pub use predicate::{satisfying, unsatisfying};
pub use registry::{KINDS, Kind, cases, drift, enforce, kind, reads};
pub use tally::Tally;
