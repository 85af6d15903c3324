//! The table itself, one file per part of a design. `root` holds the top level.

mod column;
mod command;
mod database;
mod document;
mod index;
mod invariant;
mod kind;
mod migration;
mod operation;
mod process;
mod projection;
mod query;
mod root;
mod security;
mod table;

pub use root::DESIGN;
