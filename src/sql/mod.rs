//! SQL as text with rules: names, quoting, parameters, syntax and facts. The only module that knows `sqlparser` and
//! `squawk-syntax`, and the only place beside `.sql.j2` templates where [`SqlText`] is made.
//!
//! Start with [`bind`] for parameters, [`check_syntax`] for what can be said without a server, [`facts`] for what a statement touches.

mod compose;
mod expression;
mod guard;
mod ident;
mod keywords;
mod lex;
mod params;
mod quote;
mod statement;
mod syntax;

pub use compose::{column_of, fill, fixed, idents, join, number, qualified_columns};
mod write;

pub use expression::{Comparison, Expression, parse_expression};
pub use ident::{Ident, QualifiedName, SqlText};
pub use lex::{Token, TokenKind, fold, hints, tokens};
pub use params::{Bound, bind, substitute};
pub use quote::{literal, quote_ident, quote_qualified};
pub use statement::{StatementKind, statement_kind, statements};
pub use syntax::{SyntaxFault, SyntaxKind, check_syntax};
pub use write::{delete, insert, update};
