//! What a statement of a migration says, as typed forms: names as written, actions in order, nothing judged.
//!
//! Start with [`ddl`]. What has no form of its own is [`Ddl::Other`] with its leading words, so that nobody takes silence for harmless.

mod alter;
mod apart;
mod body;
mod constraint;
mod fires;
mod forms;
mod names;
mod objects;
mod read;
mod rows;
mod table;
mod table_forms;
#[cfg(test)]
mod tests;

pub use fires::Fires;
pub use forms::{
    Ddl, DomainAction, IndexAction, IndexForm, KeyForm, Object, ReindexTarget, Rename, Setting,
    Transaction, TypeAction,
};
pub use names::Named;
pub use read::ddl;
pub use table_forms::{
    ConstraintForm, ConstraintKind, LikeForm, NewColumn, NewTable, TableAction, TriggerState,
};
