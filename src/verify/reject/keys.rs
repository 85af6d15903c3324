//! Primary keys, unique constraints and unique indexes: a second row with the same key.

use super::trial::{Trial, filled, insert, same, under};
use crate::catalog::{Index, ObjectPath, Table};
use crate::design::Model;
use crate::invariant::{Case, Value, satisfying};
use crate::sql::{Ident, QualifiedName, parse_expression};

/// A key to try: its columns, and what rows it speaks of.
struct Key<'a> {
    object: ObjectPath,
    name: &'a Ident,
    columns: Vec<Ident>,
    predicate: Option<&'a str>,
}

/// Trials of a key or unique constraint.
pub(super) fn unique(
    model: &Model,
    table: &QualifiedName,
    made: &Table,
    object: ObjectPath,
    name: &Ident,
    columns: &[Ident],
) -> Result<Vec<Trial>, String> {
    trials(
        model,
        table,
        made,
        Key {
            object,
            name,
            columns: columns.to_vec(),
            predicate: None,
        },
    )
}

/// Trials of a unique index.
pub(super) fn index(
    model: &Model,
    table: &QualifiedName,
    made: &Table,
    name: &Ident,
    index: &Index,
) -> Result<Vec<Trial>, String> {
    let mut columns: Vec<Ident> = Vec::new();
    for key in &index.keys {
        let of_key = match &key.column {
            Some(column) => vec![column.clone()],
            None => parse_expression(key.expression.as_str())
                .map(|expression| expression.columns().into_iter().collect())
                .ok_or("its expression could not be read")?,
        };
        columns.extend(
            of_key
                .into_iter()
                .filter(|column| !columns.contains(column))
                .collect::<Vec<_>>(),
        );
    }
    let object = ObjectPath::Index(table.clone(), name.clone());
    let predicate = index.predicate.as_ref().map(|predicate| predicate.as_str());
    trials(
        model,
        table,
        made,
        Key {
            object,
            name,
            columns,
            predicate,
        },
    )
}

fn trials(
    model: &Model,
    table: &QualifiedName,
    made: &Table,
    key: Key<'_>,
) -> Result<Vec<Trial>, String> {
    let scope = scope(model, &table.name, key.predicate)?;
    let outside: Vec<(Ident, Value)> = scope
        .iter()
        .filter(|(column, _)| !key.columns.contains(column))
        .cloned()
        .collect();
    let first = under(filled(&key.columns), &scope);
    // The same parent for both, with all columns that lead to it.
    let leading = made
        .foreign_keys
        .values()
        .filter(|other| other.columns.iter().any(|c| key.columns.contains(c)));
    let mut shared: Vec<Ident> = leading.flat_map(|other| other.columns.clone()).collect();
    shared.retain(|column| !key.columns.contains(column));
    let second = under(under(same(0, &shared), &same(0, &key.columns)), &outside);
    // The nearest legal row differs in one column: one that keys within this one have too, best one that no reference ties to a parent.
    let inner = implied_by(made, &key);
    let tied = |column: &&Ident| {
        made.foreign_keys
            .values()
            .any(|key| key.columns.contains(column))
    };
    let free = key.columns.iter().rev().filter(|column| {
        !scope.iter().any(|(other, _)| other == *column)
            && inner.iter().all(|(_, columns)| columns.contains(column))
    });
    let differing = free
        .clone()
        .find(|column| !tied(column))
        .or_else(|| free.clone().next());
    let legal = differing.map(|column| {
        let different = vec![(column.clone(), Value::Different(0, column.clone()))];
        vec![insert(1, &table.name, under(second.clone(), &different))]
    });
    let case = Case {
        title: format!(
            "a second row of {} with the same {}",
            table.name.as_str(),
            words(&key.columns)
        ),
        before: vec![insert(0, &table.name, first)],
        illegal: vec![insert(1, &table.name, second)],
        sqlstates: vec!["23505"],
        legal: legal.unwrap_or_default(),
    };
    let names = inner
        .into_iter()
        .map(|(name, _)| name)
        .chain([key.name.clone()]);
    Ok(vec![Trial::of(key.object, case).named(names)])
}

/// Keys within this one, with their columns: what breaks this breaks them too, and the server may name either.
fn implied_by(made: &Table, key: &Key<'_>) -> Vec<(Ident, Vec<Ident>)> {
    let primary = made.primary_key.iter().map(|(name, unique)| (name, unique));
    let constraints = primary
        .chain(&made.uniques)
        .map(|(name, unique)| (name.clone(), unique.columns.clone()));
    let indexes = made.indexes.iter().filter_map(|(name, index)| {
        let columns: Option<Vec<Ident>> = index.keys.iter().map(|key| key.column.clone()).collect();
        let predicate = index.predicate.as_ref().map(|predicate| predicate.as_str());
        let applies = index.unique && (predicate.is_none() || predicate == key.predicate);
        Some((name.clone(), columns.filter(|_| applies)?))
    });
    let within = |columns: &[Ident]| columns.iter().all(|column| key.columns.contains(column));
    constraints
        .chain(indexes)
        .filter(|(name, columns)| name != key.name && within(columns))
        .collect()
}

/// Settings under which a predicate holds.
pub(super) fn scope(
    model: &Model,
    table: &Ident,
    predicate: Option<&str>,
) -> Result<Vec<(Ident, Value)>, String> {
    if predicate.is_none() {
        return Ok(Vec::new());
    }
    let settings = model
        .table(table)
        .and_then(|table| satisfying(table, predicate));
    settings.ok_or_else(|| "no values were found that make its predicate true".to_owned())
}

pub(super) fn words(columns: &[Ident]) -> String {
    columns
        .iter()
        .map(Ident::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
