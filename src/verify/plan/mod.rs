//! Queries against their expectations: every statement of the design is put to the server, and every catalogued query is planned and run
//! on a generated, analysed sample.
//!
//! Start with [`plans`]. `prepare` finds what the server would not accept; `sample` loads rows; `params` chooses values; `expect` asks the
//! assertions of `explain`. `storage` then makes the sample's database as large as the design declares, in what the planner sees of it:
//! `volume` says when and how large, `statistics` what ANALYZE would believe, `size` how many pages; `planned` plans every query there, and
//! `conclude` puts the two together. On a server that is not pgproof's own nothing is made larger, and what a sample cannot decide is
//! `unchecked`.
//!
//! `compare` plans what two designs have in common, for a migration from one to the other.
//!
//! `writes` measures what commands cost, `index_cost` what indexes add to inserts, both in a copy of the sample that may be written to.

mod advice;
mod attached;
mod believed;
mod candidate;
mod capacity;
mod case;
mod causes;
mod commands;
mod compare;
mod conclude;
mod expect;
mod flips;
mod graft;
mod grow;
mod index_cost;
mod indexes;
mod measure;
mod params;
mod planned;
mod prepare;
mod query;
mod relation;
mod rows_of;
mod sample;
mod size;
mod statistics;
mod storage;
mod together;
mod tops;
mod volume;
mod without;
mod writes;

pub use attached::attached;
pub(super) use compare::{Compared, in_both};
pub use measure::{FromDeclaration, PlannedQuery, PlannedSize, planned_queries};
pub use prepare::refused_statements;
pub use query::{Plans, plans};
pub(super) use query::{claim, design_claims, is_about_statements, plans_of};
pub(super) use writes::claims as write_claims;
