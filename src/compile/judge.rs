//! What is wrong with a schema, before any server is asked.

use std::collections::BTreeMap;

use super::catalog::Compiled;
use crate::catalog::{ObjectPath, Table};
use crate::design::Model;
use crate::finding::Finding;
use crate::source::Span;
use crate::sql::{Ident, QualifiedName};

/// Adds findings about the compiled schema.
pub(super) fn judge(model: &Model, compiled: &mut Compiled) {
    let mut findings = Vec::new();
    for (name, table) in &compiled.catalog.tables {
        let at = place(model, compiled, &ObjectPath::Table(name.clone()));
        if table.primary_key.is_none() && !name.name.as_str().ends_with("_guard") {
            let message = format!(
                "table `{}` has no key: two equal rows could not be told apart",
                name.name.as_str()
            );
            findings.push(
                Finding::error("table-without-key", subject(name), message, at).help(
                    "add `key: [column, …]` with the columns that identify one row of the grain",
                ),
            );
        }
        partition_key_in_keys(model, compiled, name, table, &mut findings);
        unique_targets(model, compiled, name, table, &mut findings);
    }
    relation_names(model, compiled, &mut findings);
    missing_extensions(model, compiled, &mut findings);
    compiled.findings.extend(findings);
}

fn subject(name: &QualifiedName) -> String {
    format!("table {}", name.name.as_str())
}

fn place(model: &Model, compiled: &Compiled, path: &ObjectPath) -> Span {
    compiled
        .provenance
        .get(path)
        .copied()
        .unwrap_or(model.name.at)
}

fn listed(columns: &[Ident]) -> String {
    columns
        .iter()
        .map(Ident::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// PostgreSQL enforces uniqueness per partition, so every unique key must contain the partition column.
fn partition_key_in_keys(
    model: &Model,
    compiled: &Compiled,
    name: &QualifiedName,
    table: &Table,
    findings: &mut Vec<Finding>,
) {
    let Some(partitioning) = &table.partitioning else {
        return;
    };
    let by = &partitioning.column;
    let mut keys: Vec<(ObjectPath, String, Vec<Ident>)> = Vec::new();
    if let Some((_, key)) = &table.primary_key {
        keys.push((
            ObjectPath::PrimaryKey(name.clone()),
            "the key".to_owned(),
            key.columns.clone(),
        ));
    }
    for (unique, key) in &table.uniques {
        let what = format!("unique constraint `{}`", unique.as_str());
        keys.push((
            ObjectPath::Unique(name.clone(), unique.clone()),
            what,
            key.columns.clone(),
        ));
    }
    for (index, key) in table.indexes.iter().filter(|(_, index)| index.unique) {
        let what = format!("unique index `{}`", index.as_str());
        let columns = key
            .keys
            .iter()
            .filter_map(|key| key.column.clone())
            .collect();
        keys.push((
            ObjectPath::Index(name.clone(), index.clone()),
            what,
            columns,
        ));
    }
    for (path, what, columns) in keys {
        if !columns.contains(by) {
            let message = format!(
                "{what} of partitioned table `{}` lacks the partition column `{}`",
                name.name.as_str(),
                by.as_str()
            );
            let partition_at = model
                .table(&name.name)
                .and_then(|t| t.partition.as_ref())
                .map(|p| p.at);
            let mut finding = Finding::error("partition-key-not-in-key", subject(name), message, place(model, compiled, &path))
                .here(format!("({})", listed(&columns)))
                .help(format!(
                    "write [{}, {}]: PostgreSQL keeps uniqueness per partition only, so every unique key must hold the partition column",
                    listed(&columns),
                    by.as_str()
                ));
            if let Some(at) = partition_at {
                finding = finding.label(at, "partitioned here");
            }
            findings.push(finding);
        }
    }
    for exclusion in table
        .exclusions
        .keys()
        .filter(|_| model.database.version < 17)
    {
        let path = ObjectPath::Exclusion(name.clone(), exclusion.clone());
        let message = format!(
            "exclusion `{}` cannot be kept over the partitions of `{}` on PostgreSQL {}",
            exclusion.as_str(),
            name.name.as_str(),
            model.database.version
        );
        findings.push(
            Finding::error("exclusion-on-partitioned", subject(name), message, place(model, compiled, &path))
                .help("keep the rows it ranges over in a table that is not partitioned, or use PostgreSQL 17 with the partition column compared by `=`"),
        );
    }
}

/// A foreign key needs a unique key on exactly the columns it points at.
fn unique_targets(
    model: &Model,
    compiled: &Compiled,
    name: &QualifiedName,
    table: &Table,
    findings: &mut Vec<Finding>,
) {
    for (reference, key) in &table.foreign_keys {
        let Some(parent) = compiled.catalog.tables.get(&key.table) else {
            continue;
        };
        if key.key.is_empty() || has_unique_key(parent, &key.key) {
            continue;
        }
        let message = format!(
            "reference `{}` points at {} ({}), which no unique key of that table covers",
            reference.as_str(),
            key.table.name.as_str(),
            listed(&key.key)
        );
        let path = ObjectPath::ForeignKey(name.clone(), reference.clone());
        let subject = format!("{} / reference {}", subject(name), reference.as_str());
        findings.push(
            Finding::error(
                "reference-without-unique-target",
                subject,
                message,
                place(model, compiled, &path),
            )
            .label(
                place(model, compiled, &ObjectPath::Table(key.table.clone())),
                "the table it points at",
            )
            .help(format!(
                "add to table `{0}`: `unique: {{uq_{0}_{1}: [{2}]}}`",
                key.table.name.as_str(),
                key.key
                    .iter()
                    .map(Ident::as_str)
                    .collect::<Vec<_>>()
                    .join("_"),
                listed(&key.key)
            )),
        );
    }
}

fn has_unique_key(table: &Table, columns: &[Ident]) -> bool {
    let same = |key: &[Ident]| {
        key.len() == columns.len() && key.iter().all(|column| columns.contains(column))
    };
    table
        .primary_key
        .as_ref()
        .is_some_and(|(_, key)| same(&key.columns))
        || table
            .uniques
            .values()
            .any(|key| !key.deferred && same(&key.columns))
        || table.indexes.values().any(|index| {
            index.unique
                && index.predicate.is_none()
                && index.keys.iter().all(|key| key.column.is_some())
                && same(
                    &index
                        .keys
                        .iter()
                        .filter_map(|key| key.column.clone())
                        .collect::<Vec<_>>(),
                )
        })
}

/// Tables, views, indexes and the indexes of constraints share one namespace per schema.
fn relation_names(model: &Model, compiled: &Compiled, findings: &mut Vec<Finding>) {
    let mut taken: BTreeMap<QualifiedName, ObjectPath> = BTreeMap::new();
    let mut take = |name: QualifiedName, path: ObjectPath| {
        if let Some(other) = taken.get(&name) {
            let at = place(model, compiled, &path);
            let message = format!(
                "`{}` is the name of two things: {other}, and {path}",
                name.name.as_str()
            );
            findings.push(
                Finding::error("name-taken", path.to_string(), message, at)
                    .label(place(model, compiled, other), "the first one")
                    .help("give one of them another name: tables, views, indexes and unique constraints of a schema share their names"),
            );
        } else {
            taken.insert(name, path);
        }
    };
    for name in compiled.catalog.tables.keys() {
        take(name.clone(), ObjectPath::Table(name.clone()));
    }
    for (name, _) in &compiled.catalog.views {
        take(name.clone(), ObjectPath::View(name.clone()));
    }
    for (name, table) in &compiled.catalog.tables {
        let here = |other: &Ident| QualifiedName::new(name.schema.clone(), other.clone());
        if let Some((key, _)) = &table.primary_key {
            take(here(key), ObjectPath::PrimaryKey(name.clone()));
        }
        for unique in table.uniques.keys() {
            take(
                here(unique),
                ObjectPath::Unique(name.clone(), unique.clone()),
            );
        }
        for exclusion in table.exclusions.keys() {
            take(
                here(exclusion),
                ObjectPath::Exclusion(name.clone(), exclusion.clone()),
            );
        }
        for index in table.indexes.keys() {
            take(here(index), ObjectPath::Index(name.clone(), index.clone()));
        }
        for partition in table.partitioning.iter().flat_map(|p| &p.partitions) {
            take(
                here(&partition.name),
                ObjectPath::Table(here(&partition.name)),
            );
        }
    }
}

/// Operator classes that come with an extension.
const OPERATOR_CLASSES: &[(&str, &str)] = &[
    ("gin_trgm_ops", "pg_trgm"),
    ("gist_trgm_ops", "pg_trgm"),
    ("vector_cosine_ops", "vector"),
    ("vector_l2_ops", "vector"),
];

fn missing_extensions(model: &Model, compiled: &Compiled, findings: &mut Vec<Finding>) {
    for (name, table) in &compiled.catalog.tables {
        for (index, made) in &table.indexes {
            for opclass in made.keys.iter().filter_map(|key| key.opclass.as_ref()) {
                let needed = OPERATOR_CLASSES
                    .iter()
                    .find(|(class, _)| *class == opclass.as_str());
                let Some((class, extension)) = needed else {
                    continue;
                };
                if compiled
                    .catalog
                    .extensions
                    .contains(&Ident::new(*extension))
                {
                    continue;
                }
                let path = ObjectPath::Index(name.clone(), index.clone());
                let message = format!(
                    "index `{}` needs `{class}`, which comes with the extension `{extension}`",
                    index.as_str()
                );
                findings.push(
                    Finding::error(
                        "extension-missing",
                        path.to_string(),
                        message,
                        place(model, compiled, &path),
                    )
                    .help(format!("add it: `database: {{extensions: [{extension}]}}`")),
                );
            }
        }
    }
}
