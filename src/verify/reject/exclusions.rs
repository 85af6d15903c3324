//! Exclusion constraints: a second row like the first.

use super::keys::scope;
use super::trial::{Trial, filled, insert, same, under};
use crate::catalog::{Exclusion, ObjectPath};
use crate::design::Model;
use crate::invariant::{Case, Value};
use crate::sql::{Ident, QualifiedName, parse_expression};

/// Trials of one exclusion, each a way to make the first row; one that comes out is enough.
pub(super) fn trials(
    model: &Model,
    table: &QualifiedName,
    name: &Ident,
    exclusion: &Exclusion,
) -> Result<Vec<Trial>, String> {
    let predicate = exclusion
        .predicate
        .as_ref()
        .map(|predicate| predicate.as_str());
    let scope = scope(model, &table.name, predicate)?;
    let mut columns: Vec<Ident> = Vec::new();
    let mut equal: Option<Ident> = None;
    for (element, operator) in &exclusion.elements {
        let expression =
            parse_expression(element.as_str()).ok_or("its expression could not be read")?;
        let of_element = expression.columns();
        if operator == "=" && of_element.len() == 1 {
            equal = of_element.first().cloned();
        }
        columns.extend(
            of_element
                .into_iter()
                .filter(|column| !columns.contains(column))
                .collect::<Vec<_>>(),
        );
    }
    let outside: Vec<(Ident, Value)> = scope
        .iter()
        .filter(|(column, _)| !columns.contains(column))
        .cloned()
        .collect();
    let second = under(same(0, &columns), &outside);
    let legal = equal.map(|column| {
        let different = vec![(column.clone(), Value::Different(0, column))];
        vec![insert(1, &table.name, under(second.clone(), &different))]
    });
    let case = Case {
        title: format!(
            "a second row of {} that overlaps the first",
            table.name.as_str()
        ),
        before: vec![insert(0, &table.name, under(filled(&columns), &scope))],
        illegal: vec![insert(1, &table.name, second)],
        sqlstates: vec!["23P01"],
        legal: legal.unwrap_or_default(),
    };
    let object = ObjectPath::Exclusion(table.clone(), name.clone());
    Ok(vec![Trial::of(object, case).named([name.clone()])])
}
