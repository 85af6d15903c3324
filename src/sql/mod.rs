//! SQL as text with rules: names, quoting, parameters, syntax and facts. The only module that knows `sqlparser` and
//! `squawk-syntax`, and the only place beside `.sql.j2` templates where [`SqlText`] is made.

mod compose;
mod ident;
mod keywords;
mod quote;

pub use compose::{column_of, fill, fixed, idents, join, number, qualified_columns};
pub use ident::{Ident, QualifiedName, SqlText};
pub use quote::{literal, quote_ident, quote_qualified};
