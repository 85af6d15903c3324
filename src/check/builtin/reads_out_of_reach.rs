//! A query that promises to read fewer rows than its only condition leaves.

use super::super::subject::Subject;
use super::super::world::{Owner, World};
use super::Hit;
use crate::design::{Column, Expectation};
use crate::sql::PredicateOp;

/// Shares in sum that leave no room for other values.
const ALL: f64 = 0.999;

pub(super) fn run<'m>(world: &World<'m>, subject: &Subject<'m>) -> Vec<Hit> {
    let Subject::Query(query) = subject else {
        return Vec::new();
    };
    let limit = query.plan.iter().find_map(|(expected, at)| match expected {
        Expectation::Reads(most) => Some((*most, *at)),
        _ => None,
    });
    let mut statements = world.statements.iter();
    let own =
        statements.find(|of| matches!(of.owner, Owner::Query(owner) if owner.name == query.name));
    let facts = own.and_then(|own| own.facts.as_ref());
    let (Some((most, at)), Some(facts)) = (limit, facts) else {
        return Vec::new();
    };
    let ([used], [predicate]) = (facts.tables.as_slice(), facts.predicates.as_slice()) else {
        return Vec::new();
    };
    if facts.limit || predicate.op != PredicateOp::Equal || !predicate.plain {
        return Vec::new();
    }
    let tables = &world.model.tables;
    let table = tables
        .iter()
        .find(|table| table.name.as_str() == used.table);
    let column = table.and_then(|table| {
        let mut columns = table.columns.iter();
        columns.find(|column| column.name.as_str() == predicate.column.column)
    });
    let (Some(table), Some(column)) = (table, column) else {
        return Vec::new();
    };
    let rows = table.volume.as_ref().map_or(0.0, |volume| volume.rows);
    let Some((share, why)) = rarest(column) else {
        return Vec::new();
    };
    let least = (rows * share).floor();
    if least <= most {
        return Vec::new();
    }
    vec![Hit {
        at,
        labels: Vec::new(),
        part: None,
        found: vec![
            ("most", format!("{most:.0}")),
            ("rows", format!("{least:.0}")),
            ("why", format!("`{}` {why}", column.name.as_str())),
        ],
    }]
}

/// The share of a column's rarest value, as far as the design says, and why.
fn rarest(column: &Column) -> Option<(f64, String)> {
    let data = &column.data;
    let there = 1.0 - data.nulls.unwrap_or(0.0);
    let listed: f64 = data.values.iter().map(|(_, share)| share).sum();
    if listed >= ALL {
        let shares = data.values.iter().filter(|(_, share)| *share > 0.0);
        let (value, share) = shares.min_by(|one, other| one.1.total_cmp(&other.1))?;
        return Some((share * there, format!("is `{value}` at the rarest")));
    }
    let is_even = data.skew.is_none_or(|skew| skew == 0.0) && data.values.is_empty();
    match data.distinct {
        Some(distinct) if distinct >= 1.0 && is_even => {
            Some((there / distinct, format!("has {distinct} different values")))
        }
        _ => None,
    }
}
