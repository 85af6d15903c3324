//! Dependency order.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, View};
use crate::sql::QualifiedName;
use crate::sql::words::mentions;

/// Views behind those whose names stand in their queries, otherwise as they were: a materialised one may read a plain one, and the other way round.
pub fn views(mut waiting: Vec<(QualifiedName, View)>) -> Vec<(QualifiedName, View)> {
    let mut order = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let reads = |view: &View, own: &QualifiedName| {
            let mut others = waiting.iter().filter(|(other, _)| other != own);
            others.any(|(other, _)| mentions(&view.query, &other.name))
        };
        let free = waiting.iter().position(|(name, view)| !reads(view, name));
        order.push(waiting.remove(free.unwrap_or(0)));
    }
    order
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_come_behind_those_that_they_read() {
        let view = |name: &str, query: &str| {
            let view = View {
                query: crate::sql::SqlText::authored(query),
                materialized: false,
                security_invoker: false,
                key: Vec::new(),
                grants: BTreeMap::new(),
                comment: None,
            };
            (QualifiedName::new("app".into(), name.into()), view)
        };
        let all = vec![
            view("best", "SELECT * FROM days"),
            view("days", "SELECT day FROM sale"),
            view("other", "SELECT 'best'"),
            view("a", "SELECT * FROM b"),
            view("b", "SELECT * FROM a"),
        ];
        let order = super::views(all);
        let order: Vec<&str> = order.iter().map(|(name, _)| name.name.as_str()).collect();
        assert_eq!(order, ["days", "best", "other", "a", "b"]);
    }
}
