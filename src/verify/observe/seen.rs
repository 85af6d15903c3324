//! One statement on a server.

use super::{inside, outside};
use crate::error::Error;
use crate::migrate::Effects;
use crate::postgres::{Database, SqlFailure};
use crate::sql::SqlText;

/// SQLSTATE of what cannot run inside a transaction block.
const ACTIVE_TRANSACTION: &str = "25001";

/// What was seen of a statement.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What it did. Scans are not seen of statements that run outside a transaction.
    pub effects: Effects,
    /// Why the server refused it; the effects are then those up to there.
    pub failure: Option<SqlFailure>,
}

/// Runs a statement on a database of ours, with the schema it is meant for and some rows, and says what it did. In a transaction it leaves
/// nothing behind; what has to run outside one ([`Effects::needs_no_transaction`]) changes the database.
pub async fn observe(database: &Database, statement: &SqlText) -> Result<Observed, Error> {
    let observed = inside::observe(database, statement).await?;
    match &observed.failure {
        Some(failure) if failure.sqlstate.is(ACTIVE_TRANSACTION) => {
            outside::observe(database, statement).await
        }
        _ => Ok(observed),
    }
}
