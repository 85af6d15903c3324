//! Migrations on a real server.

mod steps;

pub use steps::{Hands, back, forward, groups};
