//! What one statement does, said without a server: by its form, the schema before it, and the major version.
//!
//! Start with [`effects`]. Each file knows one family of statements; what none knows is said in [`Effects::unknown`].

mod report;
mod statement;

pub use report::{Effects, Loss};
pub use statement::{effects, effects_beside};
