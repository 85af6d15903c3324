//! pgproof proves database designs.
//!
//! Five storeys; a module imports only storeys below it, and inside a storey only along the arrows.
//!
//! ```text
//! shell        cli ─────────────▶ report
//! effects      verify ──────────▶ postgres                     async, the only I/O with a database
//! derivation   check ─▶ compile                                pure, sync, deterministic
//! meaning      invariant ─▶ design      explain      catalog   pure   (invariant, design ─▶ catalog)
//! ground       source  finding  sql  template  assets  error   pure   (finding ─▶ source; template ─▶ sql, assets, error)
//! ```

pub mod error;

pub mod assets;
pub mod finding;
pub mod source;
pub mod sql;
pub mod template;

pub mod catalog;
pub mod design;
pub mod explain;
pub mod invariant;

pub mod check;
pub mod compile;

pub mod postgres;
pub mod verify;

pub mod cli;
pub mod report;
