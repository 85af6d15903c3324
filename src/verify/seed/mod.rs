//! Legal rows for any design: parents first, values that satisfy types, checks and lifecycles. Start at [`Maker`].
//! Deterministic; knows nothing of a server.

mod apart;
mod companion;
mod evaluate;
mod joint;
mod kind;
mod maker;
mod pattern;
mod profile;
mod random;
mod sample;
mod shape;
mod solve;
mod spread;
#[cfg(test)]
mod tests;
mod vary;

pub(crate) use profile::Profile;
pub(crate) use random::Random;

pub use maker::{Maker, NewRow, Values};

pub use sample::Bulk;
