//! Names inside SQL: tables and columns of the design that a statement misspells. What the design does not declare (other
//! schemas, functions, the server's own tables) is left to the server.

use std::ops::Range;

use super::super::nearest::{misspelt, nearest};
use super::context::{Context, quoted};
use super::symbols::Symbols;
use crate::finding::Finding;
use crate::source::Text;
use crate::sql::{ColumnUse, Ident, Names, QueryFacts, facts_in, quote_ident};

/// Whose columns an expression may name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Over<'n> {
    /// Those of a table.
    Table(&'n str),
    /// None: a default.
    Nothing,
    /// Whatever the server finds there.
    Anything,
}

struct Declared<'s, 'a>(&'s Symbols<'a>);

impl Names for Declared<'_, '_> {
    fn schema(&self) -> &str {
        &self.0.schema
    }

    fn has_column(&self, table: &str, column: &str) -> Option<bool> {
        if let Some(table) = self.0.tables.get(table) {
            return Some(table.columns.contains_key(column));
        }
        let derived = self
            .0
            .views
            .get(table)
            .or_else(|| self.0.projected.get(table))?;
        let columns = derived.as_ref()?;
        Some(columns.iter().any(|known| known == column))
    }
}

/// Looks up the tables and columns of a statement.
pub(super) fn statement(cx: &Context<'_>, text: &Text, subject: &str) {
    let Some(facts) = facts_in(text.as_str(), &Declared(&cx.symbols)) else {
        return;
    };
    for table in &facts.tables {
        let symbols = &cx.symbols;
        let is_ours = !table.table.contains('.') && !symbols.is_relation(&table.table);
        if is_ours && let Some(near) = misspelt(&table.table, symbols.relations()) {
            let message = format!("there is no table `{}`", table.table);
            let at = text.part(table.range.clone());
            let help = format!("did you mean `{near}`?");
            cx.error("dangling-table", subject, message, at, help);
        }
    }
    for column in facts.columns.iter().filter(|column| column.missing) {
        missing(cx, text, &facts, column, column.range.clone(), subject);
    }
}

/// Looks up the columns of an expression.
pub(super) fn expression(cx: &Context<'_>, text: &Text, over: Over<'_>, subject: &str) {
    let before = match over {
        Over::Anything => return,
        Over::Nothing => "SELECT (\n".to_owned(),
        Over::Table(table) => format!(
            "SELECT 1 FROM {} WHERE (\n",
            quote_ident(&Ident::from(table))
        ),
    };
    let whole = format!("{before}{}\n)", text.as_str());
    let Some(facts) = facts_in(&whole, &Declared(&cx.symbols)) else {
        return;
    };
    let inside = |range: &Range<usize>| {
        let start = range.start.saturating_sub(before.len());
        start..range.end.saturating_sub(before.len())
    };
    for column in &facts.columns {
        if matches!(over, Over::Nothing) {
            let message = format!("`{}` is read as the name of a column", column.column.column);
            let at = text.part(inside(&column.range));
            let help = "a default is SQL and names no column; text stands in quotes of its own: \"'open'\"";
            cx.error("default-not-quoted", subject, message, at, help);
        } else if column.missing {
            missing(cx, text, &facts, column, inside(&column.range), subject);
        }
    }
}

/// Says that a column is not there, with the nearest one of the tables that are.
fn missing(
    cx: &Context<'_>,
    text: &Text,
    facts: &QueryFacts,
    found: &ColumnUse,
    range: Range<usize>,
    subject: &str,
) {
    let name = found.column.column.as_str();
    let written = text.as_str().get(range.clone()).unwrap_or(name);
    let tables: Vec<&str> = match &found.column.table {
        Some(table) => vec![table.as_str()],
        None => facts
            .tables
            .iter()
            .map(|used| used.table.as_str())
            .collect(),
    };
    let (message, help) = match (&found.column.table, written.rsplit_once('.')) {
        (None, Some((alias, _))) => (
            format!("nothing in this statement is called `{alias}`"),
            "name a table of the statement, or its alias".to_owned(),
        ),
        (Some(table), _) => (
            format!("table `{table}` has no column `{name}`"),
            offer(cx, &tables, name),
        ),
        (None, None) => (
            format!("no table of this statement has a column `{name}`"),
            offer(cx, &tables, name),
        ),
    };
    let at = text.part(range);
    cx.report(Finding::error("dangling-column", subject, message, at).help(help));
}

fn offer(cx: &Context<'_>, tables: &[&str], name: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    for table in tables {
        if let Some(table) = cx.symbols.tables.get(table) {
            all.extend(table.columns.keys());
        }
    }
    all.sort_unstable();
    all.dedup();
    match nearest(name, all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if all.is_empty() || all.len() > 8 => "add it to the table's `columns:`".to_owned(),
        None => format!(
            "add it to the table's `columns:`; there are {}",
            quoted(&all)
        ),
    }
}
