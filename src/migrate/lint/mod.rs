//! What is wrong with existing migrations: each statement is judged by what it does where the chain of statements has come to.
//!
//! Start with [`lint`]. It gives [`Fault`]s: a code, a place, and facts for the words; the rules under `checks/migrations/` make sentences of
//! them. What a statement does is [`effects`](crate::migrate::effects); the safe way is in `recipe`.

mod allow;
mod block;
mod cause;
mod fault;
mod forms;
mod hazards;
mod recipe;
mod rows;
#[cfg(test)]
mod tests;
mod texts;
mod transactions;
mod walk;

pub use fault::{Allowed, FACTS, Fault, Linted, Options};
pub use walk::lint;
