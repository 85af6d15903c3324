//! `states:`: rows to start races from.

use super::super::model::{State, StateRow};
use super::context::Context;
use super::data::label;
use super::symbols::{TableSymbol, section};
use super::value::name;
use crate::source::{Entry, Node};

/// `states:`.
pub(super) fn states(cx: &Context<'_>, root: &Node) -> Vec<State> {
    section(root, &["states"])
        .map(|entry| state(cx, entry))
        .collect()
}

fn state(cx: &Context<'_>, entry: &Entry) -> State {
    let subject = &format!("state {}", entry.key);
    let tables = entry
        .value
        .entries()
        .iter()
        .map(|table| {
            let own = name(&table.key);
            let symbol = cx.table(&own, subject);
            let rows = table
                .value
                .one_or_more()
                .iter()
                .map(|item| row(cx, item, symbol, subject))
                .collect();
            (own, rows)
        })
        .collect();
    State {
        name: name(&entry.key),
        tables,
    }
}

fn row(cx: &Context<'_>, node: &Node, table: Option<&TableSymbol<'_>>, subject: &str) -> StateRow {
    node.entries()
        .iter()
        .map(|entry| {
            let own = name(&entry.key);
            let value = entry.value.text().cloned();
            if let Some(table) = table
                && let Some(column) = cx.column(table, &own, subject)
                && let (Some(value), Some(labels)) = (&value, cx.symbols.labels(column))
            {
                label(cx, value, &labels, &column.name, subject);
            }
            (own, value)
        })
        .collect()
}
