//! From one schema to another without stopping writers: the plan as data, and what any statement does to a database that is in use.
//!
//! `diff` finds what sets two catalogs apart, one [`Recipe`] for each kind of change says how it is made, and `draft` puts the steps in the order of
//! phases and dependencies. Nothing here asks a server.
//!
//! [`effects`] knows what a statement locks, reads, rewrites and loses, given the schema before it and the server's major version; [`Chain`] follows the
//! statements of a plan or a file one after the other.
//! [`files`] reads the migrations of every tool, [`lint`](mod@lint) says what is wrong with them. `verify::observe` sees the same on a server, and `tests/migrate_locks.rs` holds the two together.

mod aside;
mod audit;
mod backfill;
mod called;
mod chain;
mod change;
mod columns;
mod declared;
mod diff;
mod draft;
mod dual_write;
mod effect;
mod estimate;
pub mod files;
pub mod format;
pub mod lint;
mod lock;
mod lone;
mod make;
mod plan;
mod policy;
mod rank;
mod recipe;
mod recipes;
mod renames;
mod same;
mod views;

pub use audit::{audit, stops};
pub use backfill::progress_table;
pub use chain::{Beside, Chain, apply};
pub use change::{Change, Facet, What};
pub use declared::PART;
pub use effect::{Effects, Loss, effects, effects_beside, effects_of};
pub use estimate::Measured;
pub use lock::LockMode;
pub use lone::Lone;
pub use make::plan;
pub use plan::{Backfill, Hazard, HazardKind, Manner, Part, Phase, Plan, Reverse, Step, groups};
pub use policy::{Convert, Declared, Policy};
pub use recipe::{RECIPES, Recipe};
pub use renames::Renames;
