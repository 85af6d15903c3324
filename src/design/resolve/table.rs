//! `tables:`.

use super::super::model::{Check, Exclusion, Name, Table, TableRole, Unique};
use super::context::Context;
use super::inside::Over;
use super::symbols::{TableSymbol, key_span, section};
use super::value::{name, name_at, names, names_of, text, word};
use super::{column, index, partition, reference, retention, sql, statistics, volume};
use crate::finding::Finding;
use crate::source::{Entry, Node, NodeKind, Text};
use crate::sql::Ident;

const ROLES: &[(&str, TableRole)] = &[
    ("truth", TableRole::Truth),
    ("history", TableRole::History),
    ("log", TableRole::Log),
    ("projection", TableRole::Projection),
    ("reference", TableRole::Reference),
    ("queue", TableRole::Queue),
];

/// `tables:`, in the order written.
pub(super) fn tables(cx: &Context<'_>, root: &Node) -> Vec<Table> {
    let tables: Vec<Table> = section(root, &["tables"])
        .filter_map(|entry| table(cx, entry))
        .collect();
    let names = tables.iter().map(|table| &table.name);
    super::name::check_case(cx, "table", "tables", names);
    tables
}

fn table(cx: &Context<'_>, entry: &Entry) -> Option<Table> {
    let symbol = cx.symbols.tables.get(entry.key.as_str())?;
    let node = &entry.value;
    let subject = &format!("table {}", entry.key);
    let own = name(&entry.key);
    super::name::check(cx, "table", &own, subject);
    let partition = partition::partition(cx, node, symbol, subject);
    let table = Table {
        grain: text(node, "grain"),
        role: word(node, "role", ROLES),
        owner: text(node, "owner"),
        means: text(node, "means"),
        columns: column::columns(cx, node, &own, &symbol.columns, subject),
        key: key(cx, symbol, subject),
        key_at: key_span(node, "key", own.at),
        unique: uniques(cx, node, symbol, subject),
        references: reference::references(cx, node, symbol, subject),
        checks: checks(cx, node, symbol, subject),
        exclusions: exclusions(cx, node, symbol, subject),
        indexes: index::indexes(cx, node, symbol, subject),
        statistics: statistics::statistics(cx, node, symbol, subject),
        retention: retention::retention(cx, node, symbol, partition.as_ref(), subject),
        partition,
        volume: volume::volume(cx, node, subject),
        writes: volume::writes(node),
        fillfactor: fillfactor(node),
        tenant: name_at(node, "tenant"),
        was: name_at(node, "was"),
        name: own,
    };
    if let Some(tenant) = &table.tenant {
        cx.column(symbol, tenant, &format!("{subject} / tenant"));
    }
    volume::fits(cx, node, &table, subject);
    statistics::fit(cx, node, &table, subject);
    earlier_name(cx, table.was.as_ref(), &cx.symbols.tables, "table", subject);
    earlier_columns(cx, symbol, &table, subject);
    Some(table)
}

/// `key:`: columns that exist and are never null.
fn key(cx: &Context<'_>, symbol: &TableSymbol<'_>, subject: &str) -> Vec<Name> {
    let subject = format!("{subject} / key");
    cx.distinct(&symbol.key, "column", &subject);
    for name in &symbol.key {
        let Some(column) = cx.column(symbol, name, &subject) else {
            continue;
        };
        if column.nullable {
            let message = format!("key column `{}` may be null", name.as_str());
            let finding = Finding::error("key-nullable", &subject, message, name.at)
                .label(column.name.at, "said here")
                .help("take `?` or `nullable` off: the columns of a key are never null");
            cx.report(finding);
        }
    }
    symbol.key.clone()
}

fn uniques(cx: &Context<'_>, node: &Node, symbol: &TableSymbol<'_>, subject: &str) -> Vec<Unique> {
    let over = Over::Table(symbol.name.as_str());
    section(node, &["unique"])
        .map(|entry| {
            let subject = format!("{subject} / unique {}", entry.key);
            let own = name(&entry.key);
            super::name::check(cx, "constraint", &own, &subject);
            let columns = match &entry.value.kind {
                NodeKind::Mapping(_) => names(&entry.value, "columns"),
                _ => names_of(&entry.value),
            };
            cx.columns(symbol, &columns, &subject);
            Unique {
                name: own,
                columns,
                predicate: sql::expression_at(cx, &entry.value, "where", over, &subject),
            }
        })
        .collect()
}

fn checks(cx: &Context<'_>, node: &Node, symbol: &TableSymbol<'_>, subject: &str) -> Vec<Check> {
    let over = Over::Table(symbol.name.as_str());
    section(node, &["checks"])
        .filter_map(|entry| {
            let subject = format!("{subject} / check {}", entry.key);
            let own = name(&entry.key);
            super::name::check(cx, "constraint", &own, &subject);
            let expression = entry.value.text()?;
            sql::expression(cx, expression, over, &subject);
            Some(Check {
                name: own,
                expression: expression.clone(),
            })
        })
        .collect()
}

/// `exclude:`.
fn exclusions(
    cx: &Context<'_>,
    node: &Node,
    symbol: &TableSymbol<'_>,
    subject: &str,
) -> Vec<Exclusion> {
    let over = Over::Table(symbol.name.as_str());
    section(node, &["exclude"])
        .map(|entry| {
            let subject = format!("{subject} / exclude {}", entry.key);
            let own = name(&entry.key);
            super::name::check(cx, "constraint", &own, &subject);
            let elements = elements(cx, &entry.value, &subject);
            for (expression, _) in &elements {
                super::index_key::key(cx, symbol, expression, &subject);
            }
            Exclusion {
                name: own,
                using: text(&entry.value, "using")
                    .map_or_else(|| Ident::from("gist"), |text| Ident::new(text.as_str())),
                elements,
                predicate: sql::expression_at(cx, &entry.value, "where", over, &subject),
            }
        })
        .collect()
}

/// `{room_id: "=", during: "&&"}`, or `[room_id with =, during with &&]`.
fn elements(cx: &Context<'_>, node: &Node, subject: &str) -> Vec<(Text, Text)> {
    let Some(node) = node.get("elements") else {
        return Vec::new();
    };
    let pairs = node
        .entries()
        .iter()
        .filter_map(|pair| Some((pair.key.clone(), pair.value.text()?.clone())));
    let listed = node.items().iter().filter_map(|item| {
        let text = item.text()?;
        let parts = text.as_str().to_ascii_lowercase().rfind(" with ");
        if parts.is_none() {
            let message = format!("`{text}` names no operator");
            let help = "write `EXPRESSION with OPERATOR`, such as `during with &&`";
            cx.error("exclusion-invalid", subject, message, text.at(), help);
        }
        let at = parts?;
        let operator = text.slice(at + " with ".len()..text.as_str().len());
        Some((text.slice(0..at).trimmed(), operator.trimmed()))
    });
    pairs.chain(listed).collect()
}

fn fillfactor(node: &Node) -> Option<u16> {
    let value = node.get("fillfactor")?.as_i64()?;
    u16::try_from(value)
        .ok()
        .filter(|value| (10..=100).contains(value))
}

/// `was:` must not be the name of something that is still there.
fn earlier_name<V>(
    cx: &Context<'_>,
    was: Option<&Name>,
    present: &std::collections::BTreeMap<&str, V>,
    noun: &str,
    subject: &str,
) {
    if let Some(was) = was
        && present.contains_key(was.as_str())
    {
        let message = format!("{noun} `{}` is still there", was.as_str());
        let help = "`was` names what this one was called before: leave it out where it is new, and where names change hands, give one up in a migration of its own first";
        cx.error("was-present", subject, message, was.at, help);
    }
}

fn earlier_columns(cx: &Context<'_>, symbol: &TableSymbol<'_>, table: &Table, subject: &str) {
    for column in &table.columns {
        let subject = format!("{subject} / column {}", column.name.as_str());
        earlier_name(cx, column.was.as_ref(), &symbol.columns, "column", &subject);
    }
}
