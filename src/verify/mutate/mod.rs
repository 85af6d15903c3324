//! Mutate: each enforcement is taken out in turn, and what tried the claim must notice.
//!
//! `remove` takes an object out of a catalog and a database; `mutant` says who noticed: the rejected writes first, because they are
//! cheap and taken back, the races second, in a copy of the database; `survey` gathers evidence by claim.

mod mutant;
mod remove;
mod survey;

pub(super) use survey::survey;
