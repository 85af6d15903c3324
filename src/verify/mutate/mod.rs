//! Mutate: each enforcement is taken out in turn, and what tried the claim must notice.
//!
//! `mutant` says who noticed: the rejected writes first, because they are
//! cheap and taken back, the races second, in a copy of the database; `survey` gathers evidence by claim. What commands do to be
//! kept apart is listed by `statement` and raced by `raced`.

mod mutant;
mod raced;
mod statement;
mod survey;

pub(super) use survey::{count, survey};
