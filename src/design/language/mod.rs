//! The language: one table of keys, shapes and descriptions. Validation, the JSON Schema and the language reference are
//! made from it, so that the three cannot disagree.
//!
//! Start with the table itself in `sections/`; [`values`] holds the small grammars (`500k/month`, `7 years`).

pub mod values;
