//! What several tests use.

pub mod golden;
pub mod report;
