//! SQL as text with rules: names, quoting, parameters, syntax and facts. The only module that knows `sqlparser` and
//! `squawk-syntax`, and the only place beside `.sql.j2` templates where [`SqlText`] is made.
//!
//! Start with [`bind`] for parameters, [`check_syntax`] for what can be said without a server, [`facts()`] for what a statement touches,
//! [`accesses`] for what an index would have to serve, [`ddl()`] for what a statement of a migration says.

mod access;
mod comparable;
mod compose;
mod condition;
mod control;
mod ddl;
mod derived;
mod execute;
mod expression;
mod facts;
mod guard;
mod ident;
mod inserted;
mod keywords;
mod lex;
mod meeting;
mod params;
mod plpgsql;
mod quote;
mod relations;
mod spell;
mod statement;
mod sums;
mod syntax;
mod weaken;
pub mod words;
mod write;

pub use access::{Access, Against, Condition, Key, Kind, SortKey, Test, TypedNames, accesses};
pub use comparable::{comparable, is_unequal};
pub use compose::{column_of, fill, fixed, idents, join, number, pad, qualified_columns};
pub use condition::{condition_names, sqlstate};
pub use control::{
    alter_role, create_database, create_extension, create_login_role, create_role, drop_database,
    drop_role, format_types, grant_role, grant_role_to_current_user, is_mighty_role,
    is_role_of_ours, make_keeper, run_program, run_script, set_for_database, set_for_role,
    terminate_backend,
};
pub use ddl::{
    ConstraintForm, ConstraintKind, Ddl, DomainAction, Fires, IndexAction, IndexForm, KeyForm,
    LikeForm, Named, NewColumn, NewTable, Object, ReindexTarget, Rename, Setting, TableAction,
    Transaction, TriggerState, TypeAction, ddl,
};
pub use derived::derived;
pub use execute::{execute, inline, placeholder, prepare, sequence};
pub use expression::{Comparison, Expression, parse_expression};
pub use facts::{
    ColumnRef, ColumnUse, Names, OrderKey, Predicate, PredicateOp, QueryFacts, RowLock, TableUse,
    Verb, facts, facts_in,
};
pub use ident::{Ident, QualifiedName, SqlText};
pub use inserted::inserted_params;
pub use lex::{Token, TokenKind, fold, hints, tokens};
pub use meeting::{Meeting, meetings};
pub use params::{Bound, bind, substitute};
pub use quote::{literal, quote_ident, quote_qualified};
pub use relations::with_table_renamed;
pub use spell::settled;
pub use statement::{StatementKind, statement_kind, statements};
pub use sums::{Sum, Sums, Term, compared_sums, sums, without};
pub use syntax::{SyntaxFault, SyntaxKind, check_syntax};
pub use weaken::{Protection, Rows, Weakening, weaken, weakenings};
pub use write::{copy_in, delete, follow_rows, insert, update};
