//! What a statement failed with: the server's own fields, nothing parsed out of texts.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::sqlstate::SqlState;
use crate::error::Error;

/// A statement failed. Its fields are those of [`FailureDetails`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlFailure(Box<FailureDetails>);

/// The fields of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureDetails {
    /// The code.
    pub sqlstate: SqlState,
    /// One line.
    pub message: String,
    /// More, such as the key that exists already.
    pub detail: Option<String>,
    /// What the server suggests.
    pub hint: Option<String>,
    /// Where in the statement, in characters from 1.
    pub position: Option<u32>,
    /// SQL that the server or a function made, and failed in.
    pub internal_query: Option<String>,
    /// Where in `internal_query`, in characters from 1.
    pub internal_position: Option<u32>,
    /// The stack of functions and triggers, innermost first.
    pub context: Option<String>,
    /// The object that refused, as far as the server names it.
    pub schema: Option<String>,
    /// See `schema`.
    pub table: Option<String>,
    /// See `schema`.
    pub column: Option<String>,
    /// See `schema`.
    pub constraint: Option<String>,
}

impl SqlFailure {
    /// A failure that pgproof itself noticed.
    pub(super) fn new(sqlstate: SqlState, message: impl Into<String>) -> SqlFailure {
        SqlFailure(Box::new(FailureDetails {
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            internal_query: None,
            internal_position: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            constraint: None,
        }))
    }

    pub(super) fn from_server(error: &tokio_postgres::Error) -> SqlFailure {
        let Some(db) = error.as_db_error() else {
            return SqlFailure::from_client(error);
        };
        let state = SqlState::from_code(db.code().code()).unwrap_or(SqlState::CONNECTION_FAILURE);
        let mut failure = SqlFailure::new(state, db.message());
        let own = |text: Option<&str>| text.map(str::to_owned);
        failure.detail = own(db.detail());
        failure.hint = own(db.hint());
        failure.context = own(db.where_());
        failure.schema = own(db.schema());
        failure.table = own(db.table());
        failure.column = own(db.column());
        failure.constraint = own(db.constraint());
        match db.position() {
            Some(tokio_postgres::error::ErrorPosition::Original(at)) => {
                failure.position = Some(*at)
            }
            Some(tokio_postgres::error::ErrorPosition::Internal { position, query }) => {
                failure.internal_query = Some(query.clone());
                failure.internal_position = Some(*position);
            }
            None => {}
        }
        failure
    }

    /// Not the server's word: the statement could not be sent, or the answer never came.
    fn from_client(error: &tokio_postgres::Error) -> SqlFailure {
        let mut reason = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            // Newer clients say the source themselves.
            let source = source.to_string();
            if !reason.contains(&source) {
                reason = format!("{reason}: {source}");
            }
        }
        if reason.contains("embedded null") || reason.contains("nul byte") {
            let message =
                "the statement or a value contains a NUL character, which PostgreSQL cannot store";
            return SqlFailure::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message);
        }
        let state = SqlState::CONNECTION_FAILURE;
        if error.is_closed() {
            return SqlFailure::new(state, "the connection to PostgreSQL was lost");
        }
        SqlFailure::new(
            state,
            format!("the connection to PostgreSQL failed: {reason}"),
        )
    }

    /// The position of an error in a statement that was sent behind `characters` of ours.
    pub(super) fn shifted(mut self, characters: usize) -> SqlFailure {
        let shift = u32::try_from(characters).unwrap_or(u32::MAX);
        self.position = self
            .position
            .and_then(|at| at.checked_sub(shift))
            .filter(|&at| at > 0);
        self
    }

    /// As the reason why the tool could not do `what` ("create a database").
    pub fn into_error(self, what: &str) -> Error {
        let help = match self.sqlstate.code() {
            "53100" => {
                "free some space on the disk that holds the data directory, or point TMPDIR to another disk"
            }
            "53300" => "end sessions that are not needed, or raise max_connections",
            "28P01" | "28000" => "check the user, the password and the server's pg_hba.conf",
            "3D000" => {
                "name a database that exists; pgproof only connects to it and creates its own beside it"
            }
            "42501" => {
                "use a role that may do this, or let pgproof start a server of its own with `--postgres auto`"
            }
            "57P03" => "the server is starting or stopping; try again in a moment",
            "57014" => "see which statement it is and why it takes so long; `EXPLAIN` tells",
            _ => "see the server's log for more, and `pgproof doctor` for what is in use",
        };
        let mut message = format!("PostgreSQL could not {what}: {}", self.message);
        if let Some(detail) = &self.detail {
            message = format!("{message} ({detail})");
        }
        Error::Environment {
            message,
            help: help.to_owned(),
        }
    }
}

impl Deref for SqlFailure {
    type Target = FailureDetails;

    fn deref(&self) -> &FailureDetails {
        &self.0
    }
}

impl DerefMut for SqlFailure {
    fn deref_mut(&mut self) -> &mut FailureDetails {
        &mut self.0
    }
}

impl fmt::Display for SqlFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.message, self.sqlstate)?;
        match &self.detail {
            Some(detail) => write!(f, "; {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SqlFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_in_what_was_sent_becomes_one_in_what_was_written() {
        let mut failure = SqlFailure::new(SqlState::SYNTAX_ERROR, "syntax error");
        failure.position = Some(20);
        assert_eq!(failure.clone().shifted(14).position, Some(6));
        // An error in our own words has no place in the author's.
        assert_eq!(failure.shifted(20).position, None);
    }

    #[test]
    fn a_full_disk_comes_with_a_next_step() {
        let failure = SqlFailure::new(SqlState::DISK_FULL, "could not extend file");
        let Error::Environment { message, help } = failure.into_error("load the sample") else {
            unreachable!("a failure of the server is the environment's");
        };
        assert_eq!(
            message,
            "PostgreSQL could not load the sample: could not extend file"
        );
        assert!(help.contains("free some space"));
    }
}
