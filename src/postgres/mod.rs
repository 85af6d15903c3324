//! Everything with a real PostgreSQL: where it comes from, databases for a run, sessions, and leaving nothing behind. The only module
//! that names `tokio_postgres` or `testcontainers`.
//!
//! Start at [`Server`]; then [`Database`], [`Session`] and [`Observer`]. What a design says runs in sessions of a role without rights over
//! the server; pgproof's own statements go through [`Database::admin`]. A server in a container or of local programs belongs to one run:
//! it holds a lease, and what a killed run left is swept by the next.

mod cache;
mod cleanup;
mod connect;
#[cfg(feature = "containers")]
mod container;
mod copy;
mod cores;
mod database;
mod doctor;
#[cfg(feature = "containers")]
mod engine;
mod failure;
mod files;
mod find;
mod foreign;
mod introspect;
mod lease;
mod local;
mod observer;
mod options;
mod places;
mod process;
mod programs;
mod server;
mod session;
mod sqlstate;
mod sweep;
mod target;

pub use cleanup::{Signal, stop_all, until_signal};
pub use connect::Limits;
pub use cores::Core;
pub use database::Database;
pub use doctor::{DoctorLine, doctor};
pub use failure::{FailureDetails, SqlFailure};
pub use files::FileChange;
pub use find::{Foreseen, foresee};
pub use introspect::{Scope, beyond, introspect};
pub use observer::{Observer, Waits};
pub use options::{ServerChoice, ServerOptions};
pub use places::Places;
pub use programs::{Programs, find_programs};
pub use server::{Server, ServerVersion};
pub use session::{Described, Param, Pending, Prepared, Rows, Session, Value};
pub use sqlstate::SqlState;
pub use sweep::{Swept, sweep};
pub use target::Target;
