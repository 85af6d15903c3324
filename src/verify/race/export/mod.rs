//! A counterexample for tools other than this one: PostgreSQL's own isolation tester, and people with psql.
//!
//! [`export`] makes the files; `setup` is what both need first, `braces` makes SQL fit for a spec.

mod braces;
mod files;
mod psql;
mod setup;
mod spec;

pub use files::export;
