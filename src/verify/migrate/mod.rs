//! Migrations on a real server.

pub mod apply;
mod steps;

pub use steps::{Hands, back, forward, groups};
