//! The plan as files: for people, and for the tool that a team already uses.

mod alembic;
mod form;
mod runbook;
mod script;
mod tools;

pub use form::{File, Form, files};
pub use script::whole;
