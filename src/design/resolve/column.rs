//! Columns, short and long.

use std::collections::BTreeMap;

use super::super::model::{Column, Data, Name, Sensitivity, TimeKind};
use super::context::Context;
use super::inside::Over;
use super::symbols::{ColumnSymbol, section};
use super::value::{name, name_at, text, texts, word};
use super::{data, data_type, default, sql};
use crate::finding::Finding;
use crate::source::{Entry, Node, Text};

const TIMES: &[(&str, TimeKind)] = &[
    ("event", TimeKind::Event),
    ("transaction", TimeKind::Transaction),
    ("effective", TimeKind::Effective),
    ("processing", TimeKind::Processing),
    ("snapshot", TimeKind::Snapshot),
];

const SENSITIVITIES: &[(&str, Sensitivity)] = &[
    ("public", Sensitivity::Public),
    ("internal", Sensitivity::Internal),
    ("confidential", Sensitivity::Confidential),
    ("personal", Sensitivity::Personal),
    ("secret", Sensitivity::Secret),
    ("regulated", Sensitivity::Regulated),
];

const IDENTITIES: &[(&str, bool)] = &[("always", true), ("true", true), ("by_default", false)];

/// `columns:` of a table or projection. `known` are the columns as noted; those without a type are left out.
pub(super) fn columns(
    cx: &Context<'_>,
    node: &Node,
    own: &Name,
    known: &BTreeMap<&str, ColumnSymbol>,
    subject: &str,
) -> Vec<Column> {
    let columns: Vec<Column> = section(node, &["columns"])
        .filter_map(|entry| {
            let symbol = known.get(entry.key.as_str())?;
            column(cx, entry, symbol, Over::Table(own.as_str()), subject)
        })
        .collect();
    let names = columns.iter().map(|column| &column.name);
    super::name::check_case(cx, "column", subject, names);
    columns
}

fn column(
    cx: &Context<'_>,
    entry: &Entry,
    symbol: &ColumnSymbol,
    over: Over<'_>,
    subject: &str,
) -> Option<Column> {
    let node = &entry.value;
    let subject = &format!("{subject} / column {}", entry.key);
    super::name::check_column(cx, &symbol.name, subject);
    let data_type = symbol.data_type.clone()?;
    let settled = data_type::check(cx, &data_type, subject);
    let column = Column {
        name: name(&entry.key),
        nullable: symbol.nullable,
        nullable_because: reason(node),
        default: default::default(cx, node, symbol, subject),
        identity: word(node, "identity", IDENTITIES),
        generated: sql::expression_at(cx, node, "generated", over, subject),
        one_of: texts(node, "one_of"),
        check: sql::expression_at(cx, node, "check", over, subject),
        collate: text(node, "collate"),
        means: text(node, "means"),
        time: word(node, "time", TIMES),
        sensitivity: word(node, "sensitivity", SENSITIVITIES),
        derived: node.get("derived").is_some_and(|value| !value.is_null()),
        data: match node.entries() {
            [] => Data::default(),
            _ => data::data(cx, node, symbol, subject),
        },
        was: name_at(node, "was"),
        data_type,
    };
    sources(cx, node, &column, subject);
    values(cx, node, &column.one_of, subject);
    if let Some(found) = settled {
        suits(cx, node, symbol, &found, subject);
    }
    drift(cx, node, subject);
    Some(column)
}

/// `nullable: REASON`; `true` gives none.
fn reason(node: &Node) -> Option<Text> {
    let value = node.get("nullable")?;
    match value.as_bool() {
        Some(_) => None,
        None => value.text().cloned(),
    }
}

/// A column has one source of values at most.
fn sources(cx: &Context<'_>, node: &Node, column: &Column, subject: &str) {
    let given: Vec<&Entry> = ["default", "identity", "generated"]
        .iter()
        .filter_map(|key| node.entry(key))
        .filter(|entry| !entry.value.is_null())
        .collect();
    if let [first, second, ..] = given.as_slice() {
        let message = format!(
            "a column cannot have both `{}` and `{}`",
            first.key, second.key
        );
        let finding = Finding::error("column-two-sources", subject, message, second.key.at())
            .label(first.key.at(), "the other one")
            .help("leave one of the two out");
        cx.report(finding);
    }
    if column.identity.is_some() && column.nullable {
        let message = "an identity column is never null";
        let help = "take `?` or `nullable` off";
        cx.error("column-two-sources", subject, message, column.name.at, help);
    }
}

/// `one_of` lists at least one value, and none twice.
fn values(cx: &Context<'_>, node: &Node, one_of: &[Text], subject: &str) {
    if let Some(entry) = node.entry("one_of")
        && one_of.is_empty()
        && matches!(entry.value.kind, crate::source::NodeKind::Sequence(_))
    {
        let help = "list the values the column can take, or leave `one_of` out";
        cx.error(
            "values-empty",
            subject,
            "`one_of` lists no value",
            entry.value.at,
            help,
        );
    }
    super::user_type::distinct_values(cx, one_of, subject);
}

/// What is said about a column must be possible for its type.
fn suits(
    cx: &Context<'_>,
    node: &Node,
    symbol: &ColumnSymbol,
    found: &data_type::DataType,
    subject: &str,
) {
    let data_type = symbol
        .data_type
        .as_ref()
        .map(Text::as_str)
        .unwrap_or_default();
    let mismatch = |key: &str, what: &str, help: &str| {
        if let Some(entry) = node.entry(key) {
            let message = format!("{what}, `{data_type}` is none");
            cx.error("type-mismatch", subject, message, entry.value.at, help);
        }
    };
    let is_whole = matches!(found.base.as_str(), "int2" | "int4" | "int8") && found.dimensions == 0;
    if node.get("identity").is_some_and(|value| !value.is_null()) && !is_whole {
        mismatch(
            "identity",
            "an identity column needs a whole-number type",
            "use `bigint`",
        );
    }
    if data_type::is_number(found) {
        for value in super::value::texts(node, "one_of") {
            if super::super::language::values::parse_number(value.as_str()).is_err() {
                let message = format!("`{value}` is no value of type `{data_type}`");
                let help = "list numbers, or make the column `text`";
                cx.error("type-mismatch", subject, message, value.at(), help);
            }
        }
    }
    let is_text = matches!(
        found.base.as_str(),
        "text" | "varchar" | "bpchar" | "name" | "citext"
    );
    let is_users = cx.symbols.types.contains_key(found.base.as_str());
    if !is_text && !is_users {
        mismatch(
            "collate",
            "a collation needs a type of text",
            "leave `collate` out",
        );
    }
}

/// `derived.drift` names an invariant where it looks like one.
fn drift(cx: &Context<'_>, node: &Node, subject: &str) {
    let Some(derived) = node.get("derived") else {
        return;
    };
    if let Some(name) = name_at(derived, "drift") {
        super::projection::drift_name(cx, &name, subject);
    }
    for from in super::value::names(derived, "from") {
        super::process::store(cx, &from, subject);
    }
}

/// Names of columns without looking any up: what a list of a table or projection declares.
pub(super) fn known(node: &Node) -> BTreeMap<&str, ColumnSymbol> {
    section(node, &["columns"])
        .map(|entry| {
            let symbol = ColumnSymbol::of(&entry.key, &entry.value);
            (entry.key.as_str(), symbol)
        })
        .collect()
}

/// The names of columns.
pub(super) fn names_of(columns: &[Column]) -> Vec<Name> {
    columns.iter().map(|column| column.name.clone()).collect()
}
