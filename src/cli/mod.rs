//! The command line: one file a command, each with its arguments and a `run` that says how the program ends.
//!
//! Decides nothing about designs. Start with `args` for what there is and `start` for how a run begins and ends; `output` is
//! the only place in the program that prints.

mod analysis;
mod apply;
mod args;
mod budget;
mod check;
mod compile;
mod completions;
mod crash;
mod doctor;
mod explain;
mod found;
mod majors;
mod merge;
mod migrate;
mod migrations;
mod new;
mod output;
mod progress;
mod reference;
mod replay;
mod rule;
mod runtime;
mod save;
mod schema;
mod settings;
mod start;
mod trials;
mod verify;
mod workspace;

pub use reference::reference;
pub use start::main;
