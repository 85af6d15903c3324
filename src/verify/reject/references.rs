//! Foreign keys: a parent that is not there, a parent of another tenant, a parent that goes.

use super::keys::words;
use super::trial::{Effect, Trial, filled, insert, under};
use crate::catalog::{ForeignKey, ObjectPath, OnDelete, Table};
use crate::invariant::{Case, Value, Write};
use crate::sql::{Ident, QualifiedName};

/// Trials of one foreign key.
pub(super) fn trials(
    table: &QualifiedName,
    made: &Table,
    name: &Ident,
    key: &ForeignKey,
) -> Vec<Trial> {
    let object = ObjectPath::ForeignKey(table.clone(), name.clone());
    let mut trials = vec![dangling(table, made, &object, name, key)];
    trials.extend(mixed(table, &object, name, key));
    trials.push(parent_goes(table, &object, name, key));
    trials
}

/// Columns of the child, each with the value of the parent's column.
fn of_parent(key: &ForeignKey, row: usize) -> Vec<(Ident, Value)> {
    let pairs = key.columns.iter().zip(&key.key);
    pairs
        .map(|(column, parent)| (column.clone(), Value::Same(row, parent.clone())))
        .collect()
}

fn dangling(
    table: &QualifiedName,
    made: &Table,
    object: &ObjectPath,
    name: &Ident,
    key: &ForeignKey,
) -> Trial {
    // The column that fewest other references share, so that only this one can refuse.
    let shared = |column: &Ident| {
        made.foreign_keys
            .values()
            .filter(|other| other.columns.contains(column))
            .count()
    };
    let lost = key
        .columns
        .iter()
        .rev()
        .min_by_key(|column| shared(column))
        .cloned();
    let lost: Vec<(Ident, Value)> = lost
        .into_iter()
        .map(|column| (column, Value::Dangling))
        .collect();
    let legal = of_parent(key, 0);
    let case = Case {
        title: format!(
            "a row of {} whose {} is not there",
            table.name.as_str(),
            key.table.name.as_str()
        ),
        before: vec![insert(0, &key.table.name, filled(&key.key))],
        illegal: vec![insert(1, &table.name, under(legal.clone(), &lost))],
        sqlstates: vec!["23503"],
        legal: vec![insert(1, &table.name, legal)],
    };
    Trial::of(object.clone(), case).named([name.clone()])
}

/// Of a composite key: one column from one parent, the rest from another.
fn mixed(
    table: &QualifiedName,
    object: &ObjectPath,
    name: &Ident,
    key: &ForeignKey,
) -> Option<Trial> {
    let (first, parent_first) = (key.columns.first()?, key.key.first()?);
    if key.columns.len() < 2 {
        return None;
    }
    let other: Vec<(Ident, Value)> = key
        .key
        .iter()
        .map(|column| (column.clone(), Value::Different(0, column.clone())))
        .collect();
    let foreign = vec![(first.clone(), Value::Same(1, parent_first.clone()))];
    let case = Case {
        title: format!(
            "a row of {} with a parent of another {}",
            table.name.as_str(),
            first.as_str()
        ),
        before: vec![
            insert(0, &key.table.name, filled(&key.key)),
            insert(1, &key.table.name, under(filled(&key.key), &other)),
        ],
        illegal: vec![insert(2, &table.name, under(of_parent(key, 0), &foreign))],
        sqlstates: vec!["23503"],
        legal: vec![insert(2, &table.name, of_parent(key, 0))],
    };
    // Another key of the parent may leave no room for a second one.
    Some(Trial {
        optional: true,
        ..Trial::of(object.clone(), case).named([name.clone()])
    })
}

fn parent_goes(
    table: &QualifiedName,
    object: &ObjectPath,
    name: &Ident,
    key: &ForeignKey,
) -> Trial {
    let before = vec![
        insert(0, &key.table.name, filled(&key.key)),
        insert(1, &table.name, of_parent(key, 0)),
    ];
    let delete = vec![Write::Delete { row: 0 }];
    let parent = key.table.name.as_str();
    let refused = matches!(key.on_delete, OnDelete::NoAction | OnDelete::Restrict);
    let case = Case {
        title: format!(
            "{parent} deleted while {} refers to it by {}",
            table.name.as_str(),
            words(&key.columns)
        ),
        before,
        illegal: if refused { delete.clone() } else { Vec::new() },
        // RESTRICT has a code of its own from 18 on.
        sqlstates: vec!["23503", "23001"],
        legal: if refused { Vec::new() } else { delete },
    };
    let effect = match key.on_delete {
        OnDelete::Cascade => Some(Effect::Gone(1)),
        OnDelete::SetNull => Some(Effect::Cleared(1, key.columns.clone())),
        _ => None,
    };
    // An append-only parent is not deleted at all, whatever refers to it.
    Trial {
        effect,
        optional: true,
        ..Trial::of(object.clone(), case).named([name.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composite_key_is_tried_with_a_parent_of_another_tenant() {
        let columns = || vec![Ident::from("tenant_id"), Ident::from("case_id")];
        let name = |table: &str| QualifiedName::new("s".into(), table.into());
        let key = ForeignKey {
            columns: columns(),
            table: name("parent"),
            key: columns(),
            on_delete: OnDelete::Cascade,
            on_update: OnDelete::NoAction,
            deferred: false,
        };
        let trials = trials(&name("child"), &Table::default(), &"fk".into(), &key);
        assert_eq!(trials.len(), 3);
        let Write::Insert { set, .. } = &trials[1].case.illegal[0] else {
            unreachable!("an insert")
        };
        assert!(set.contains(&("tenant_id".into(), Value::Same(1, "tenant_id".into()))));
        assert!(set.contains(&("case_id".into(), Value::Same(0, "case_id".into()))));
        assert_eq!(trials[2].effect, Some(Effect::Gone(1)));
    }
}
