//! What a statement touches, and how: tables, columns, locks, conditions, order.
//!
//! Structure comes from the PostgreSQL grammar (`walk`), because nothing may be missed there; conditions are taken apart with
//! `sqlparser` (`condition`), and where it cannot read one, its columns are still known, only not how they are compared.

mod columns;
mod condition;
mod relations;
mod scope;
#[cfg(test)]
mod tests;
mod types;
mod walk;

pub use types::{
    ColumnRef, ColumnUse, Names, OrderKey, Predicate, PredicateOp, QueryFacts, RowLock, TableUse,
    Verb,
};
pub use walk::{facts, facts_in};
