//! What one statement does, said without a server: by its form, the schema before it, and the major version.
//!
//! Start with [`effects`]. Each file knows one family of statements; what none knows is said in [`Effects::unknown`].

mod alter;
mod ask;
mod column;
mod constraint;
mod drop;
mod expression;
mod functions;
mod index;
mod look;
mod object;
mod partition;
mod proof;
mod report;
mod rows;
mod statement;
mod types;
mod types_in_use;
mod views;
mod work;

pub(in crate::migrate) use ask::{is_same_type, is_volatile, keeps_bytes};
pub(in crate::migrate) use look::{Found, Look, shown};
pub use report::{Effects, Loss};
pub use statement::{effects, effects_beside, effects_of};
pub(in crate::migrate) use types::{Type, base_of};
pub(in crate::migrate) use views::views_of;
