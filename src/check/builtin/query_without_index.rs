//! An interactive query that can only read a large table from end to end.

use std::collections::BTreeSet;

use super::super::subject::Subject;
use super::super::world::{Access, Owner, World};
use super::Hit;
use crate::design::{Expectation, Query, QueryKind, Table};
use crate::sql::{ColumnRef, PredicateOp, QueryFacts, Verb};

pub(super) fn run<'m>(world: &World<'m>, subject: &Subject<'m>) -> Vec<Hit> {
    let Subject::Query(query) = subject else {
        return Vec::new();
    };
    if query.kind != QueryKind::Interactive {
        return Vec::new();
    }
    let statement = world
        .statements
        .iter()
        .find(|statement| matches!(statement.owner, Owner::Query(of) if of.name == query.name));
    let Some(facts) = statement.and_then(|statement| statement.facts.as_ref()) else {
        return Vec::new();
    };
    let mut tables = Vec::new();
    let mut columns = BTreeSet::new();
    let mut labels = Vec::new();
    for table in &world.model.tables {
        let name = table.name.as_str();
        if !facts.reads.contains(name) || is_served(world, query, table, facts) {
            continue;
        }
        tables.push(format!("`{name}`"));
        let asked = asked(table, facts);
        columns.extend(asked.iter().map(|column| format!("{name}.{column}")));
        let used = facts
            .tables
            .iter()
            .find(|used| used.table == name && used.verb == Verb::Read);
        if let Some(used) = used {
            let says = if asked.is_empty() {
                "no condition, so every row is read"
            } else {
                "no index starts with what is asked for"
            };
            labels.push((query.sql.part(used.range.clone()), says.to_owned()));
        }
    }
    if tables.is_empty() {
        return Vec::new();
    }
    let columns = match columns.is_empty() {
        true => "no condition".to_owned(),
        false => columns.into_iter().collect::<Vec<_>>().join(", "),
    };
    vec![Hit {
        at: query.name.at,
        labels,
        part: None,
        found: vec![("tables", tables.join(" and ")), ("columns", columns)],
    }]
}

fn is_served(world: &World, query: &Query, table: &Table, facts: &QueryFacts) -> bool {
    let declared = table.indexes.iter().any(|index| {
        index.serves.contains(&query.name)
            || query.plan.iter().any(
                |(expected, _)| matches!(expected, Expectation::Uses(name) if *name == index.name),
            )
    });
    declared
        || world.is_small(table)
        || cut_by_partition(table, facts)
        || world
            .access(table.name.as_str())
            .iter()
            .any(|access| reaches(access, table, facts))
}

fn is_of(column: &ColumnRef, table: &Table, name: &str) -> bool {
    column.column == name
        && match &column.table {
            Some(owner) => owner == table.name.as_str(),
            // A column of a subquery or of a table that could not be told may well be this one.
            None => true,
        }
}

fn cut_by_partition(table: &Table, facts: &QueryFacts) -> bool {
    let Some(partition) = &table.partition else {
        return false;
    };
    facts
        .predicates
        .iter()
        .any(|predicate| predicate.plain && is_of(&predicate.column, table, partition.by.as_str()))
}

/// Columns of the table that the query has conditions on.
fn asked(table: &Table, facts: &QueryFacts) -> BTreeSet<String> {
    let compared = facts.predicates.iter().map(|predicate| &predicate.column);
    let joined = facts.joins.iter().flat_map(|(left, right)| [left, right]);
    compared
        .chain(joined)
        .filter(|column| column.table.as_deref() == Some(table.name.as_str()))
        .map(|column| column.column.clone())
        .collect()
}

/// Whether a statement could find its rows of the table this way: it asks for what the index starts with, or wants the first rows
/// in its order, and speaks of every column that a partial index asks about.
pub(in crate::check) fn reaches(access: &Access, table: &Table, facts: &QueryFacts) -> bool {
    let name = table.name.as_str();
    if !facts.tables.iter().any(|used| used.table == name) {
        return false;
    }
    let compares = |column: &str, plain: bool| {
        facts.predicates.iter().any(|predicate| {
            let how = !plain || (predicate.plain && predicate.op != PredicateOp::Other);
            how && is_of(&predicate.column, table, column)
        })
    };
    let joins = |column: &str| {
        let mut sides = facts.joins.iter().flat_map(|(left, right)| [left, right]);
        sides.any(|side| is_of(side, table, column))
    };
    let sorts = |column: &str| {
        let first = facts.order_by.first().and_then(|key| key.column.as_ref());
        facts.limit && first.is_some_and(|first| is_of(first, table, column))
    };
    let mentions = |column: &str| compares(column, false) || joins(column) || sorts(column);
    let is_column = |word: &&String| {
        table
            .columns
            .iter()
            .any(|c| c.name.as_str() == word.as_str())
    };
    let in_predicate = access.predicate.iter().filter(is_column);
    if !access.whole && !in_predicate.into_iter().all(|column| mentions(column)) {
        return false;
    }
    let by_expression = access
        .expressions
        .iter()
        .filter(is_column)
        .any(|column| mentions(column));
    let keys = &access.keys;
    match access.method.as_str() {
        "btree" | "hash" => match keys.first() {
            Some(Some(first)) => {
                let first = first.as_str();
                compares(first, true) || joins(first) || sorts(first)
            }
            _ => by_expression,
        },
        // Other methods answer for each of their keys.
        _ => by_expression || keys.iter().flatten().any(|key| mentions(key.as_str())),
    }
}
