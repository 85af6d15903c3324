//! Recipes, one file for what belongs together.

mod cast;
pub(super) mod check;
pub(super) mod column;
pub(super) mod default;
pub(super) mod exclusion;
mod follow;
pub(super) mod grant;
mod in_parts;
pub(super) mod index;
pub(super) mod key;
pub(super) mod not_null;
pub(super) mod partition;
pub(super) mod policy;
pub(super) mod primary;
pub(super) mod reference;
mod referred;
mod regroup;
pub(super) mod replace;
pub(super) mod rule;
pub(super) mod shadow;
pub(super) mod statistics;
pub(super) mod surroundings;
pub(super) mod table;
mod tally;
mod turned;
pub(super) mod user_type;
pub(super) mod view;
