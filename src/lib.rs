//! pgproof proves database designs: a YAML document is compiled to PostgreSQL, and every claim in it is tried on a real server.
//!
//! This page is the architecture. A design is text; text becomes a **model** ([`design`]); pure code derives from the model a **catalog**
//! and its DDL ([`compile`]) and **findings** ([`check`]); a real PostgreSQL turns claims into **evidence** ([`verify`]). All a user ever sees is
//! one [`finding::Report`], written by one of several renderers ([`report`]).
//!
//! Five storeys; a module imports only storeys below it, and inside a storey only along the arrows. `tests/house.rs` holds this, and the
//! walls: each foreign library is named in one module only.
//!
//! ```text
//! shell        cli ─────────────▶ report
//! effects      verify ──────────▶ postgres                     async, the only I/O with a database
//! derivation   check ─▶ migrate ─▶ compile                    pure, sync, deterministic
//! meaning      invariant ─▶ design      explain      catalog   pure   (invariant, design ─▶ catalog)
//! ground       source  finding  sql  template  assets  error   pure   (finding ─▶ source; template ─▶ sql, assets, error)
//! ```
//!
//! | to read | begin at |
//! |---|---|
//! | where a text stands | [`source::Text`], a scalar that can point into itself |
//! | the language | [`design::language`]: one table of keys, shapes and descriptions; validation, JSON Schema and reference are made from it |
//! | what a design means | [`design::Model`] |
//! | a kind of invariant | `invariant/kinds/at_most_one.rs`: drift query, enforcement, cases |
//! | the schema | [`catalog::Catalog`], made by `compile` and read back by `postgres`; [`compile::ddl`] writes it down |
//! | a plan assertion | `explain/assertions/uses.rs` |
//! | a rule | `checks/references/reference-without-index.yaml` |
//! | a lock of a statement | [`migrate::effects`] |
//! | a race | [`verify::race`] |
//! | a plan at the declared volume, what a command costs | [`verify::plan`] |
//! | one design on several major versions | [`verify::beside`] |
//!
//! Where this differs from the plan it started from: the language is a table that is walked, not serde types with derived schemas, so that one
//! description serves faults, editors and the reference; SQL inside Rust is put together by [`sql::fill`] from a fixed template and parts that are
//! SQL already, and only whole DDL statements are `.sql.j2` templates; counts and sums over several rows are kept by guard rows
//! (`invariant/guard.rs` says why).

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
pub mod migrate;

pub mod postgres;
pub mod verify;

pub mod cli;
pub mod report;
