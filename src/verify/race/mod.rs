//! Races: commands of a design run against each other in every order of their steps.
//!
//! Start at [`Racer`]. It rehearses every command alone (`rehearse`), pairs the calls that can get in each other's way (`pair`), and
//! explores every order of their steps (`explore`, `schedule`) by running them in real sessions (`play`, `block`). After each commit
//! the invariants are asked (`judge`, `history`). What breaks one is shrunk (`shrink`) and shown as a timeline.

mod alone;
mod arena;
mod argument;
mod blind;
mod block;
mod boundary;
mod caller;
mod classify;
mod condition;
mod crash;
mod explore;
mod export;
mod finding;
mod footprint;
mod history;
mod idempotent;
mod in_rows;
mod isolated;
mod judge;
mod measure;
mod message;
mod options;
mod pair;
mod play;
mod program;
mod racer;
mod raw;
mod reach;
mod rehearse;
mod replay;
mod reset;
mod result;
mod scenario;
mod schedule;
mod show;
mod shrink;
mod sideways;
mod state;
mod timeline;
mod trace;
mod wake;
mod walk;
mod weakened;
mod worker;

pub(in crate::verify) use alone::{Alone, Call, Ended, TableRows, calls};
pub use arena::Ground;
pub(in crate::verify) use caller::{Call as ProgramCall, Called, calls as program_calls};
pub use export::export;
pub use measure::First;
pub use options::{Mutable, RaceOptions};
pub use racer::{Racer, race};
pub use replay::{Replayed, replay};
pub use result::RaceResult;
pub(in crate::verify) use weakened::{Alteration, Altered, Noticed};
