//! Partitions, and partitions of partitions.

use super::follow::Chain;
use super::tables::add_constraint;
use crate::catalog::{Partition, PartitionBound, PartitionMethod, Partitioning, Table};
use crate::sql::{Ident, NewTable, QualifiedName, SqlText};

/// PARTITION BY of a new table.
pub(super) fn by(form: &NewTable) -> Option<Partitioning> {
    let (method, keys) = form.partition_by.as_ref()?;
    Some(Partitioning {
        method: match method.as_str() {
            "list" => PartitionMethod::List,
            "hash" => PartitionMethod::Hash,
            _ => PartitionMethod::Range,
        },
        column: Ident::new(keys.join(", ").trim_matches('"')),
        partitions: Vec::new(),
    })
}

/// CREATE TABLE … PARTITION OF.
pub(super) fn create(
    chain: &mut Chain,
    form: &NewTable,
    parent: &QualifiedName,
    name: &QualifiedName,
    bound: &str,
) {
    let mut own = Table::default();
    // What is new has no rows that could be against it.
    let mut unproven = Vec::new();
    for constraint in &form.constraints {
        add_constraint(
            &chain.look(),
            name,
            &mut own,
            None,
            constraint,
            &mut unproven,
        );
    }
    add(chain, parent, name, bound);
    if !form.constraints.is_empty() {
        chain.beside.own.insert(name.clone(), own);
    }
    if let Some(by) = by(form) {
        chain.beside.parted.insert(name.clone(), by);
    }
}

/// A partition of a table, or of one of its partitions. One in another schema is known by its parent alone, without its bound.
pub(super) fn add(
    chain: &mut Chain,
    parent: &QualifiedName,
    partition: &QualifiedName,
    written: &str,
) {
    let root = chain.beside.partitions.get(parent).cloned();
    let part = Partition {
        name: partition.name.clone(),
        bound: bound(written),
    };
    let is_beside = partition.schema == parent.schema;
    if let (None, true) = (&root, is_beside) {
        chain.edit(parent, |table| {
            if let Some(by) = &mut table.partitioning {
                by.partitions.push(part);
            }
        });
        return;
    }
    match chain.beside.parted.get_mut(parent) {
        Some(by) if is_beside => by.partitions.push(part),
        _ => {
            let children = chain.beside.children.entry(parent.clone()).or_default();
            children.insert(partition.clone());
        }
    }
    let root = root.unwrap_or_else(|| parent.clone());
    chain.beside.partitions.insert(partition.clone(), root);
}

/// Takes a partition from its parent; how it is partitioned itself is handed back.
pub(super) fn remove(chain: &mut Chain, partition: &QualifiedName) -> Option<Partitioning> {
    let root = chain.beside.partitions.get(partition).cloned();
    let stays = |part: &Partition| part.name != partition.name;
    if let Some(root) = root.filter(|root| root.schema == partition.schema) {
        chain.edit(&root, |table| {
            if let Some(by) = &mut table.partitioning {
                by.partitions.retain(stays);
            }
        });
    }
    let parted = chain.beside.parted.iter_mut();
    for (_, by) in parted.filter(|(own, _)| own.schema == partition.schema) {
        by.partitions.retain(stays);
    }
    for children in chain.beside.children.values_mut() {
        children.remove(partition);
    }
    chain.beside.partitions.remove(partition);
    chain.beside.parted.remove(partition)
}

/// A bound as the catalog has it.
fn bound(written: &str) -> PartitionBound {
    let text = written.trim();
    if text.eq_ignore_ascii_case("default") {
        return PartitionBound::Default;
    }
    let lower = text.to_ascii_lowercase();
    let inner = |part: &str| {
        part.trim()
            .trim_start_matches('(')
            .trim_end_matches(')')
            .trim()
            .to_owned()
    };
    if let Some(from) = lower.find(" from")
        && let Some(to) = lower[from..].find(" to").map(|at| at + from)
    {
        return PartitionBound::Range(
            SqlText::authored(inner(&text[from + 5..to])),
            SqlText::authored(inner(&text[to + 3..])),
        );
    }
    if lower.contains("modulus") {
        let numbers: Vec<u32> = text
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        if let [modulus, remainder] = numbers[..] {
            return PartitionBound::Hash(modulus, remainder);
        }
    }
    let values = lower.find(" in").map_or("", |at| &text[at + 3..]);
    let values = inner(values);
    PartitionBound::List(
        values
            .split(',')
            .map(|value| SqlText::authored(value.trim()))
            .collect(),
    )
}
