//! Legal rows for any design: parents first, values that satisfy types, checks and lifecycles. Start at [`Maker`].
//! Deterministic; knows nothing of a server.

mod companion;
mod evaluate;
mod kind;
mod maker;
mod pattern;
mod shape;
mod solve;
#[cfg(test)]
mod tests;

pub use maker::{Maker, NewRow, Values};
