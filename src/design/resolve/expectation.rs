//! `plan:` of a query.

use super::super::language::values::{
    PLAN_NODES, parse_at_most, parse_never, parse_partitions, parse_within,
};
use super::super::model::{Expectation, Name, Param};
use super::context::{Context, family};
use super::symbols::section;
use super::value::{items, name, names_of};
use crate::source::{Node, Span, Text};

/// `plan:`, each expectation with its place.
pub(super) fn plan(
    cx: &Context<'_>,
    query: &Node,
    params: &[Param],
    subject: &str,
) -> Vec<(Expectation, Span)> {
    let subject = &format!("{subject} / plan");
    let mut found = Vec::new();
    for entry in section(query, &["plan"]) {
        let value = &entry.value;
        match entry.key.as_str() {
            "uses" => {
                for index in names_of(value) {
                    index_known(cx, &index, subject);
                    found.push((Expectation::Uses(index.clone()), index.at));
                }
            }
            "never" => {
                for text in items(value) {
                    found.extend(never(cx, &text, subject).map(|it| (it, text.at())));
                }
            }
            "same_plan_for" => {
                let names = names_of(value);
                for param in &names {
                    if !params.iter().any(|known| known.name == *param) {
                        let all = params.iter().map(|known| known.name.as_str());
                        cx.dangling(family::PARAM, param, subject, all);
                    }
                }
                if !names.is_empty() {
                    found.push((Expectation::SamePlanFor(names), value.at));
                }
            }
            "partitions" => {
                for text in items(value) {
                    found.extend(partitions(cx, &text, subject).map(|it| (it, text.at())));
                }
            }
            key => {
                let bound = bound(key, value);
                if bound.as_ref().is_some_and(is_impossible) {
                    let message = format!("no plan keeps `{key}` at 0");
                    let help = "give the most that is bearable, or leave the expectation out";
                    cx.error("expectation-impossible", subject, message, value.at, help);
                }
                found.extend(bound.map(|it| (it, value.at)));
            }
        }
    }
    found
}

/// Whether no plan can be so: only what is returned may be nothing.
fn is_impossible(expectation: &Expectation) -> bool {
    matches!(
        expectation,
        Expectation::Reads(most) | Expectation::Cost(most) | Expectation::Buffers(most) if *most <= 0.0
    )
}

/// Expectations that are one number or flag.
fn bound(key: &str, value: &Node) -> Option<Expectation> {
    if key == "index_only" {
        return (value.as_bool() == Some(true)).then_some(Expectation::IndexOnly);
    }
    let text = value.as_str()?;
    Some(match key {
        "reads" => Expectation::Reads(parse_at_most(text).ok()?),
        "returns" => Expectation::Returns(parse_at_most(text).ok()?),
        "cost" => Expectation::Cost(parse_at_most(text).ok()?),
        "buffers" => Expectation::Buffers(parse_at_most(text).ok()?),
        "estimates" => Expectation::Estimates(parse_within(text).ok()?),
        _ => return None,
    })
}

fn index_known(cx: &Context<'_>, index: &Name, subject: &str) {
    if !cx.symbols.is_index(index.as_str()) {
        let all = cx.symbols.indexes.iter().map(String::as_str);
        cx.dangling(family::INDEX, index, subject, all);
    }
}

fn never(cx: &Context<'_>, text: &Text, subject: &str) -> Option<Expectation> {
    let (node, table) = parse_never(text.as_str()).ok()?;
    debug_assert!(PLAN_NODES.contains(&node));
    let on = table.map(|range| relation(cx, text, range, subject));
    Some(Expectation::Never {
        node: node.to_owned(),
        on,
    })
}

fn partitions(cx: &Context<'_>, text: &Text, subject: &str) -> Option<Expectation> {
    let (most, range) = parse_partitions(text.as_str()).ok()?;
    let table = relation(cx, text, range, subject);
    if let Some(symbol) = cx.symbols.tables.get(table.as_str())
        && symbol.node.get("partition").is_none()
    {
        let message = format!("table `{}` has no partitions", table.as_str());
        let help = "leave the expectation out, or add `partition:` to the table";
        cx.error("table-not-partitioned", subject, message, table.at, help);
    }
    Some(Expectation::Partitions(most, table))
}

fn relation(cx: &Context<'_>, text: &Text, range: std::ops::Range<usize>, subject: &str) -> Name {
    let table = name(&text.slice(range));
    if !cx.symbols.is_relation(table.as_str()) {
        cx.dangling(family::TABLE, &table, subject, cx.symbols.relations());
    }
    table
}
