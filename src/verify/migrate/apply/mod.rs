//! A plan applied to somebody's database, so that it can be killed at any moment and goes on where it was.
//!
//! One runner at a time holds an advisory lock. A journal in the database says how far each step is; a step in a transaction writes its line
//! in that transaction, so it is either done and said to be done, or neither. What refuses a transaction is looked at before it is run again.

mod catalog;
mod journal;
mod lock;
mod play;
mod run;
mod undo;
mod watch;

pub(super) use catalog::{forget_own, of_stage, read};
pub use journal::{Entry, Outcome};
pub use run::{End, Migration, Side, Wish, apply, status};
pub use undo::undo;
pub use watch::Teller;
