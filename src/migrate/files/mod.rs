//! Files of SQL migrations, of whatever tool: which tool, in which order, what runs forward and what back, and what runs in one
//! transaction.
//!
//! Start with [`read()`], pure over texts; [`load()`] takes them from a folder. What is said to a tool in comments and file names is read here
//! and nowhere else; what a statement does is [`effects`](crate::migrate::effects).

mod cut;
mod forms;
mod liquibase;
mod load;
mod marks;
mod mask;
mod order;
mod placeholders;
mod read;
#[cfg(test)]
mod tests;
mod tool;

pub use forms::{MigrationFile, Migrations, Source, Statement, Unread, Wrapping};
pub use load::{load, looks_like_migrations};
pub use placeholders::filled_in;
pub use read::read;
pub use tool::Tool;
