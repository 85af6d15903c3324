//! YAML into meaning: the language (one table of keys, shapes and descriptions), and the resolved model.
//!
//! `language/` says which keys exist, what they take and what they mean; validation, the JSON Schema and the language
//! reference are made from it. `resolve/` turns a valid node tree into a [`Model`], reporting every fault of a file in one run.
//! Nothing above this storey sees the node tree.

pub mod language;
pub mod load;
mod model;
mod nearest;
mod resolve;

pub use model::*;
pub use resolve::{FAULTS, resolve};
