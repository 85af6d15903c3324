//! From one schema to another without stopping writers: the plan as data.
//!
//! `diff` finds what sets two catalogs apart, one [`Recipe`] for each kind of change says how it is made, and `draft` puts the steps in the order of
//! phases and dependencies. Nothing here asks a server.

mod backfill;
mod change;
mod diff;
mod draft;
pub mod format;
mod lone;
mod make;
mod plan;
mod policy;
mod recipe;
mod recipes;
mod renames;
mod same;
mod volatile;
mod widening;

pub use backfill::progress_table;
pub use change::{Change, Facet, What};
pub use lone::Lone;
pub use make::plan;
pub use plan::{Backfill, Hazard, HazardKind, Manner, Part, Phase, Plan, Reverse, Step};
pub use policy::{Declared, Policy};
pub use recipe::{RECIPES, Recipe};
pub use renames::Renames;
