//! What a statement does to a database that is in use: which locks it takes, what it reads, rewrites and loses; and the lint of existing
//! migration files with that knowledge.
//!
//! Start with [`effects`]: a statement, the schema before it and the server's major version give [`Effects`]. [`Chain`] follows the
//! statements of a file, one after the other; [`files`] reads those of every tool, [`lint`](mod@lint) says what is wrong with them. [`LockMode`] says who waits for whom. `verify::observe` sees the same on a server, and
//! `tests/migrate_locks.rs` holds the two together.

mod chain;
mod effect;
pub mod files;
pub mod lint;
mod lock;

pub use chain::{Beside, Chain, apply};
pub use effect::{Effects, Loss, effects, effects_beside, effects_of};
pub use lock::LockMode;
