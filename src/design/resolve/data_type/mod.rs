//! Types by name: PostgreSQL's own, those of well-known extensions, and those of `types:`. Start with [`check`].

mod compare;
mod known;
mod look_up;
mod parts;

pub(super) use compare::{Match, compare, is_number, is_time};
pub(super) use known::is_builtin;
pub(super) use look_up::{DataType, check, of_column, settle};
pub(super) use parts::length;
