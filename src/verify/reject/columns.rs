//! Columns: null where it may not be, text that is too long, labels that do not exist.

use super::trial::{Trial, insert};
use crate::catalog::{Catalog, Column, ColumnDefault, ObjectPath, Table, UserType};
use crate::invariant::{Case, Value};
use crate::sql::{QualifiedName, SqlText, fill, literal, number};

/// Trials of a table's columns.
pub(super) fn trials(catalog: &Catalog, name: &QualifiedName, table: &Table) -> Vec<Trial> {
    let given = table.columns.iter().filter(|column| {
        use ColumnDefault::{Generated, IdentityAlways, IdentityByDefault};
        !matches!(
            column.default,
            Some(Generated(_) | IdentityAlways | IdentityByDefault)
        )
    });
    given
        .flat_map(|column| {
            let null = (!column.nullable).then(|| null(name, table, column));
            [
                null,
                too_large(name, column),
                no_label(catalog, name, column),
            ]
        })
        .flatten()
        .collect()
}

fn case(
    name: &QualifiedName,
    column: &Column,
    title: String,
    value: Value,
    sqlstate: &'static str,
) -> Case {
    let set = vec![(column.name.clone(), value)];
    Case {
        title,
        before: Vec::new(),
        illegal: vec![insert(0, &name.name, set)],
        sqlstates: vec![sqlstate],
        legal: vec![insert(
            0,
            &name.name,
            vec![(column.name.clone(), Value::Filled)],
        )],
    }
}

fn null(name: &QualifiedName, table: &Table, column: &Column) -> Trial {
    let title = format!("{} of {} null", column.name.as_str(), name.name.as_str());
    let object = ObjectPath::NotNull(name.clone(), column.name.clone());
    let mut case = case(name, column, title, Value::Null, "23502");
    // Where a row goes is settled before its columns are looked at.
    if table
        .partitioning
        .as_ref()
        .is_some_and(|by| by.column == column.name)
    {
        case.sqlstates.push("23514");
    }
    Trial {
        column: Some(column.name.clone()),
        ..Trial::of(object, case)
    }
}

/// `varchar(n)` and `numeric(p,s)`: one more than fits.
fn too_large(name: &QualifiedName, column: &Column) -> Option<Trial> {
    let text = column.data_type.as_str().to_lowercase();
    let (kind, rest) = text.split_once('(')?;
    let (arguments, rest) = rest.split_once(')')?;
    let mut arguments = arguments.split(',').map(|part| part.trim().parse::<i64>());
    let first = arguments.next()?.ok()?;
    if !rest.trim().is_empty() {
        return None;
    }
    let (value, sqlstate) = match kind.trim() {
        "varchar" | "character varying" | "char" | "character" => (
            fill("repeat('x', {n})", &[("n", &number(first + 1))]),
            "22001",
        ),
        "numeric" | "decimal" => {
            let scale = arguments.next().and_then(Result::ok).unwrap_or(0);
            (
                fill("10::numeric ^ {n}", &[("n", &number(first - scale))]),
                "22003",
            )
        }
        _ => return None,
    };
    let title = format!(
        "{} of {} larger than {text}",
        column.name.as_str(),
        name.name.as_str()
    );
    Some(of_type(
        name,
        column,
        case(name, column, title, Value::Sql(value), sqlstate),
    ))
}

fn no_label(catalog: &Catalog, name: &QualifiedName, column: &Column) -> Option<Trial> {
    let is_it = |of: &QualifiedName| crate::sql::quote_qualified(of) == column.data_type;
    let (_, (kind, _)) = catalog.types.iter().find(|(of, _)| is_it(of))?;
    let UserType::Enum(_) = kind else { return None };
    let unknown: SqlText = literal("pgproof knows no such label");
    let title = format!(
        "{} of {} with a label that does not exist",
        column.name.as_str(),
        name.name.as_str()
    );
    Some(of_type(
        name,
        column,
        case(name, column, title, Value::Sql(unknown), "22P02"),
    ))
}

fn of_type(name: &QualifiedName, column: &Column, case: Case) -> Trial {
    let trial = Trial::of(ObjectPath::Column(name.clone(), column.name.clone()), case);
    // A trigger may look at the value before its length is known to be wrong.
    Trial {
        optional: true,
        ..trial
    }
}
