//! The language: one table of keys, shapes and descriptions. Validation, the JSON Schema and the language reference are
//! made from it, so that the three cannot disagree.
//!
//! Start with the table itself in `sections/`; [`values`] holds the small grammars (`500k/month`, `7 years`).

mod codes;
mod grammar;
mod reference;
mod scalar;
mod schema;
mod sections;
mod shape;
#[cfg(test)]
mod tests;
mod unknown;
mod validate;
pub mod values;

pub use codes::CODES;
pub(in crate::design) use codes::{MISSING_KEY, SECTION_TWICE, WRONG_TYPE};
pub use reference::reference;
pub use schema::json_schema;
pub use sections::DESIGN;
pub use shape::{Key, Object, Rule, Shape, Sql, Word};
pub use validate::validate;
