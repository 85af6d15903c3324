//! One trial, as data.

use crate::catalog::ObjectPath;
use crate::invariant::{Case, RowNumber, Value, Write};
use crate::sql::Ident;

/// What must be so after the legal writes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// The row is gone.
    Gone(RowNumber),
    /// These columns of the row are null.
    Cleared(RowNumber, Vec<Ident>),
    /// The row is seen by its own tenant and by no other, nor by a session that names none.
    Confined {
        /// Which row.
        row: RowNumber,
        /// Its tenant.
        by: Ident,
        /// What a session says its tenant with.
        setting: String,
    },
}

/// A case, and who is expected to refuse its illegal part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trial {
    /// Enforcement that it exercises.
    pub objects: Vec<ObjectPath>,
    /// What is written.
    pub case: Case,
    /// Constraints of which the server must name one, if it names any; empty where anything of the right code will do.
    pub names: Vec<Ident>,
    /// Column that the server must name, if it names any.
    pub column: Option<Ident>,
    /// What must be so after the legal writes.
    pub effect: Option<Effect>,
    /// Something else may legitimately stand in the way; the claim does not hang on it.
    pub optional: bool,
}

impl Trial {
    /// A trial of one object.
    pub(crate) fn of(object: ObjectPath, case: Case) -> Trial {
        Trial {
            objects: vec![object],
            case,
            names: Vec::new(),
            column: None,
            effect: None,
            optional: false,
        }
    }

    /// Who must refuse.
    pub(crate) fn named(mut self, names: impl IntoIterator<Item = Ident>) -> Trial {
        self.names = names.into_iter().collect();
        self
    }
}

/// An INSERT.
pub(super) fn insert(row: RowNumber, table: &Ident, set: Vec<(Ident, Value)>) -> Write {
    Write::Insert {
        row,
        table: table.clone(),
        set,
    }
}

/// Columns set to those of an earlier row.
pub(super) fn same(row: RowNumber, columns: &[Ident]) -> Vec<(Ident, Value)> {
    columns
        .iter()
        .map(|column| (column.clone(), Value::Same(row, column.clone())))
        .collect()
}

/// Columns set to anything but null.
pub(super) fn filled(columns: &[Ident]) -> Vec<(Ident, Value)> {
    columns
        .iter()
        .map(|column| (column.clone(), Value::Filled))
        .collect()
}

/// Settings over which others have precedence.
pub(super) fn under(
    mut settings: Vec<(Ident, Value)>,
    over: &[(Ident, Value)],
) -> Vec<(Ident, Value)> {
    settings.retain(|(column, _)| !over.iter().any(|(other, _)| other == column));
    settings.extend(over.iter().cloned());
    settings
}
