//! The names that PostgreSQL gives where a statement gives none.

use crate::catalog::Table;
use crate::sql::{Ident, IndexForm};

/// Longest name, in bytes.
const LONGEST: usize = 63;

/// `table_column_suffix`, cut as PostgreSQL cuts it, with a number where that is taken.
pub(super) fn made(
    table: &str,
    middle: &str,
    suffix: &str,
    taken: impl Fn(&Ident) -> bool,
) -> Ident {
    let mut number = 0;
    loop {
        let end = match number {
            0 => suffix.to_owned(),
            number => format!("{suffix}{number}"),
        };
        let name = Ident::new(fit(table, middle, &end));
        // Beyond so many there is no name to be found; nobody has them.
        if !taken(&name) || number > 10_000 {
            return name;
        }
        number += 1;
    }
}

/// The longer of the two names is cut first.
fn fit(table: &str, middle: &str, suffix: &str) -> String {
    let (mut first, mut second) = (table.to_owned(), middle.to_owned());
    let joined = |first: &str, second: &str| match second {
        "" => format!("{first}_{suffix}"),
        second => format!("{first}_{second}_{suffix}"),
    };
    while joined(&first, &second).len() > LONGEST {
        let longer = if first.len() > second.len() {
            &mut first
        } else {
            &mut second
        };
        if longer.pop().is_none() {
            break;
        }
    }
    joined(&first, &second)
}

/// Names of columns with `_` between them.
pub(super) fn joined(columns: &[Ident]) -> String {
    let names: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    names.join("_")
}

/// Columns of an index as they stand in its name.
pub(super) fn of_keys(form: &IndexForm) -> String {
    let names: Vec<String> = form
        .keys
        .iter()
        .map(|key| match &key.column {
            Some(column) => column.as_str().to_owned(),
            None => {
                let head = key.expression.split('(').next().unwrap_or_default().trim();
                let is_call =
                    !head.is_empty() && head.chars().all(|c| c.is_alphanumeric() || c == '_');
                if is_call {
                    head.to_owned()
                } else {
                    "expr".to_owned()
                }
            }
        })
        .collect();
    names.join("_")
}

/// Whether a constraint or an index of a table has a name.
pub(super) fn is_taken(table: &Table, name: &Ident) -> bool {
    table.checks.contains_key(name)
        || table.foreign_keys.contains_key(name)
        || table.uniques.contains_key(name)
        || table.exclusions.contains_key(name)
        || table.indexes.contains_key(name)
        || table
            .primary_key
            .as_ref()
            .is_some_and(|(own, _)| own == name)
}
