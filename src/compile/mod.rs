//! Model to catalog to DDL. Pure: the same model gives the same bytes.
//!
//! [`compile`] makes the catalog of what the design declares and lets each invariant kind add what enforces it; [`ddl()`] writes a
//! catalog down in dependency order.

mod catalog;
mod columns;
mod ddl;
mod judge;
pub mod lines;
mod order;
mod partitions;
mod routine;
mod surroundings;
mod writer;

pub use crate::sql::derived;
pub use catalog::{Compiled, compile};
pub use columns::data_type;
pub use ddl::{Script, Statement, ddl};
pub use order::tables as table_order;
pub use writer::{Build, Writer, comes_before_tables, privilege_list};
