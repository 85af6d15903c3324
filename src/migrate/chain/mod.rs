//! Statements one after the other: each sees the schema that those before it have made.

mod beside;
mod follow;

pub use beside::Beside;
pub use follow::{Chain, apply};
