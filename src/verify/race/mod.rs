//! Races: commands of a design run against each other in every order of their steps.

mod arena;
mod block;
mod condition;
mod footprint;
mod history;
mod judge;
mod play;
mod program;
mod reset;
mod schedule;
mod timeline;

pub use arena::Ground;
