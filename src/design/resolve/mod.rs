//! A valid node tree into a [`Model`](super::Model): names looked up, shorthands settled, every fault of a file in one run.
//!
//! `design` runs the passes: `symbols` first notes what the design declares, then each section is taken apart on its own,
//! so that a fault in one item hides nothing in another. What `language::validate` already says about shapes and words is not
//! said again here: a value of the wrong shape is passed over in silence.

mod asked;
mod claim;
mod codes;
mod column;
mod command;
mod condition;
mod context;
mod data;
mod data_type;
mod default;
mod design;
mod document;
mod event;
mod expectation;
mod fit;
mod index;
mod index_key;
mod inside;
mod name;
mod namespace;
mod output;
mod partition;
mod process;
mod projection;
mod query;
mod reference;
mod retention;
mod rule;
mod security;
mod sql;
mod sqlstate;
mod state;
mod statistics;
mod step;
mod symbols;
mod table;
mod user_type;
mod value;
mod view;
mod volume;
mod width;

#[cfg(test)]
mod tests;

pub use codes::FAULTS;
pub use design::resolve;
