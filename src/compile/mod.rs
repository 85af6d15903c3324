//! Model to catalog to DDL. Pure: the same model gives the same bytes.
//!
//! [`compile`] makes the catalog of what the design declares and lets each invariant kind add what enforces it; [`ddl()`] writes a
//! catalog down in dependency order.

mod catalog;
mod columns;
mod ddl;
mod judge;
mod names;
mod order;
mod partitions;

pub use catalog::{Compiled, compile};
pub use columns::data_type;
pub use ddl::{Script, Statement, ddl};
