//! Rules, templates and worked designs: those embedded in the program, and those of the team over them.
//!
//! Start with [`Assets::get`].

mod embedded;
mod overrides;

pub use embedded::{Asset, Assets, Origin};
