//! What conditions and messages of rules can say: facts about each kind of subject.

mod index;
mod made;
mod shape;

pub(super) use made::{design, own, table};
pub(super) use shape::sample;
