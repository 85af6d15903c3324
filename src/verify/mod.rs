//! Claims to evidence: everything that is tried on a real PostgreSQL.

pub mod race;
pub mod seed;
