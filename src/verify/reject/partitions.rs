//! Partitions: a row that none of them takes.

use super::trial::{Trial, insert};
use crate::catalog::{ObjectPath, PartitionBound, Partitioning};
use crate::invariant::{Case, Value};
use crate::sql::{QualifiedName, SqlText};

/// A trial of a partitioned table; none where some partition takes everything.
pub(super) fn trial(table: &QualifiedName, partitioning: &Partitioning) -> Option<Trial> {
    let mut inside: Option<SqlText> = None;
    let mut beyond: Option<SqlText> = None;
    for partition in &partitioning.partitions {
        match &partition.bound {
            PartitionBound::Default | PartitionBound::Hash(..) => return None,
            PartitionBound::Range(from, to) => {
                inside.get_or_insert_with(|| from.clone());
                beyond = Some(to.clone());
            }
            PartitionBound::List(values) => {
                inside = inside.or_else(|| values.first().cloned());
            }
        }
    }
    // A value that no list has is not made up: it would have to be legal otherwise.
    let (inside, beyond) = (inside?, beyond?);
    let set = |value: SqlText| vec![(partitioning.column.clone(), Value::Sql(value))];
    let case = Case {
        title: format!("a row of {} beyond its last partition", table.name.as_str()),
        before: Vec::new(),
        illegal: vec![insert(0, &table.name, set(beyond))],
        sqlstates: vec!["23514"],
        legal: vec![insert(0, &table.name, set(inside))],
    };
    Some(Trial::of(ObjectPath::Table(table.clone()), case))
}
