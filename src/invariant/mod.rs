//! What kinds of invariant exist: what finds violations, what enforces, what must be refused.

mod case;

pub use case::{Case, RowNumber, Value, Write};
