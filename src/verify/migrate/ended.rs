//! How a rehearsal ends early.

use crate::error::Error;

/// What went wrong, with what shows it.
pub(super) struct Refuted {
    pub reason: String,
    pub lines: Vec<String>,
}

impl Refuted {
    pub(super) fn new(reason: impl Into<String>) -> Refuted {
        Refuted {
            reason: reason.into(),
            lines: Vec::new(),
        }
    }
}

/// An error of the tool, or something that refutes the migration.
pub(super) enum Ended {
    Error(Error),
    Refuted(Refuted),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Ended {
        Ended::Error(error)
    }
}

impl From<Refuted> for Ended {
    fn from(refuted: Refuted) -> Ended {
        Ended::Refuted(refuted)
    }
}

/// The values of a row, for people.
pub(super) fn shown(row: &[Option<String>]) -> String {
    let values: Vec<&str> = row
        .iter()
        .map(|value| value.as_deref().unwrap_or("NULL"))
        .collect();
    values.join(", ")
}
