//! Migrations on a real server.

pub mod apply;
mod ended;
mod files;
mod followed;
mod found;
mod kill;
mod load;
mod mutants;
mod planned;
mod rates;
mod rehearse;
mod returned;
mod rows;
mod schema;
mod steps;
mod traffic;
mod writes;

pub use found::{Both, Found, catalogs};
pub use rates::rates;
pub(in crate::verify) use rehearse::{claim, rehearse};
pub use rows::{load, rows};
pub use steps::{Hands, back, forward};
