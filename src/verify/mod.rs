//! Claims to evidence: everything that is tried on a real PostgreSQL.

mod again;
mod build;
pub mod cache;
mod evidence;
mod majors;
pub mod migrate;
mod mutate;
pub mod observe;
mod part;
pub mod plan;
pub mod race;
mod reject;
mod remove;
mod run;
mod runner;
pub mod seed;
mod stage;
mod unchecked;

pub use again::{Again, replay};
pub use build::{build, read_back};
pub use evidence::Judged;
pub use majors::{Further, METHODS as METHODS_OF_FURTHER_VERSIONS, beside};
pub use part::{Part, Shard};
pub use run::{Run, Told};
pub use runner::{Progress, Quiet, Verified, VerifyOptions, verify};
pub use stage::{Stage, Staged};
