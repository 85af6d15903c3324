//! Claims to evidence: everything that is tried on a real PostgreSQL.

mod build;
mod evidence;
pub mod race;
mod run;
pub mod seed;
mod stage;

pub use build::{build, read_back};
pub use evidence::Judged;
pub use run::Run;
pub use stage::{Stage, Staged};
