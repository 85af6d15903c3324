//! Races: commands of a design run against each other in every order of their steps.
//!
//! Start at [`Racer`]. It rehearses every command alone (`rehearse`), pairs the calls that can get in each other's way (`pair`), and
//! explores every order of their steps (`explore`, `schedule`) by running them in real sessions (`play`, `block`). After each commit
//! the invariants are asked (`judge`, `history`). What breaks one is shrunk (`shrink`) and shown as a timeline.

mod arena;
mod argument;
mod blind;
mod block;
mod condition;
mod crash;
mod explore;
mod finding;
mod footprint;
mod history;
mod idempotent;
mod isolated;
mod judge;
mod pair;
mod play;
mod program;
mod racer;
mod raw;
mod reach;
mod rehearse;
mod reset;
mod result;
mod schedule;
mod shrink;
mod state;
mod timeline;
mod weakened;

pub use arena::Ground;
pub use racer::{Mutable, RaceOptions, Racer, race};
pub use result::RaceResult;
pub(in crate::verify) use weakened::{Alteration, Altered, Noticed};
