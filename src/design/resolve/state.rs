//! `states:`: rows to start races from.

use super::super::model::{State, StateRow};
use super::context::Context;
use super::fit;
use super::symbols::{ColumnSymbol, TableSymbol, section};
use super::value::name;
use crate::source::{Entry, Node, Text};

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
                && let Some(value) = &value
            {
                fits(cx, value, column, subject);
            }
            (own, value)
        })
        .collect()
}

fn fits(cx: &Context<'_>, value: &Text, column: &ColumnSymbol, subject: &str) {
    if !column.one_of.is_empty() {
        let whose = format!("column `{}`", column.name.as_str());
        fit::one_of(cx, value, &column.one_of, &whose, subject);
    } else if let Some(data_type) = &column.data_type {
        fit::value(cx, value, data_type, subject);
    }
}
