//! What PostgreSQL's planner decided, as a tree, and assertions over it. Pure: a plan comes in as JSON, who asked for it
//! and with which values is `verify`'s business.
//!
//! Start with [`PlanTree`]; every assertion has a file of its own under `assertions/` and a line in [`ASSERTIONS`].

mod assertion;
mod assertions;
mod draw;
mod parse;
mod registry;
mod tree;

pub use assertion::{Arguments, Assertion, Needs, Outcome, Relations, Subject};
pub use parse::parse;
pub use registry::{ASSERTIONS, assertion};
pub use tree::{Actual, PlanNode, PlanTree};
