//! Dependency order.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::sql::QualifiedName;

/// Tables with parents before children, otherwise by name, so that order says nothing but dependency. Members of a cycle come by name;
/// their foreign keys are added afterwards.
pub fn tables(catalog: &Catalog) -> Vec<&QualifiedName> {
    let mut waiting: BTreeMap<&QualifiedName, BTreeSet<&QualifiedName>> = BTreeMap::new();
    let mut children: BTreeMap<&QualifiedName, Vec<&QualifiedName>> = BTreeMap::new();
    for (name, table) in &catalog.tables {
        let parents: BTreeSet<_> = table
            .parents()
            .filter(|parent| *parent != name && catalog.tables.contains_key(*parent))
            .collect();
        for parent in &parents {
            children.entry(parent).or_default().push(name);
        }
        waiting.insert(name, parents);
    }
    let mut ready: BTreeSet<&QualifiedName> = waiting
        .iter()
        .filter(|(_, parents)| parents.is_empty())
        .map(|(name, _)| *name)
        .collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(name) = ready.pop_first().or_else(|| waiting.keys().next().copied()) {
        if waiting.remove(name).is_none() {
            continue;
        }
        order.push(name);
        for child in children.get(name).into_iter().flatten() {
            if let Some(parents) = waiting.get_mut(child) {
                parents.remove(name);
                if parents.is_empty() {
                    ready.insert(child);
                }
            }
        }
    }
    order
}
