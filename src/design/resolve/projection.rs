//! `projections:`.

use super::super::model::{Name, Projection, ProjectionKind};
use super::context::{Context, family};
use super::sql::Scope;
use super::symbols::section;
use super::value::{name, name_at, names, sql_at, text, word};
use super::{column, command, sql};
use crate::source::{Entry, Node, Text};
use crate::sql::SyntaxKind;

const KINDS: &[(&str, ProjectionKind)] = &[
    ("table", ProjectionKind::Table),
    ("materialized_view", ProjectionKind::MaterializedView),
    ("external", ProjectionKind::External),
];

/// `projections:`.
pub(super) fn projections(cx: &Context<'_>, root: &Node) -> Vec<Projection> {
    section(root, &["projections"])
        .map(|entry| projection(cx, root, entry))
        .collect()
}

fn projection(cx: &Context<'_>, root: &Node, entry: &Entry) -> Projection {
    let subject = &format!("projection {}", entry.key);
    let node = &entry.value;
    let own = name(&entry.key);
    super::name::check(cx, "projection", &own, subject);
    let source = names(node, "source");
    cx.distinct(&source, "source", subject);
    for table in &source {
        let is_itself = *table == own;
        if !cx.symbols.is_relation(table.as_str()) || is_itself {
            let others = cx.symbols.relations().filter(|name| *name != own.as_str());
            cx.dangling(family::TABLE, table, subject, others);
        }
    }
    if let Some(drift) = name_at(node, "drift") {
        drift_name(cx, &drift, subject);
    }
    let known = column::known(node);
    let columns = column::columns(cx, node, &own, &known, subject);
    let rebuild = sql_at(node, "rebuild").and_then(|sql| sql::plain_query(cx, &sql, subject));
    let kind = kind(cx, node, &own, !columns.is_empty(), rebuild.is_some());
    let is_declared = cx.symbols.tables.contains_key(own.as_str());
    if kind == ProjectionKind::Table && columns.is_empty() && !is_declared {
        let at = node.get("kind").map_or(own.at, |value| value.at);
        let message = format!("table `{}` is declared nowhere", own.as_str());
        let help = "give its `columns:` here, or declare it under `tables:`";
        cx.error("projection-without-columns", subject, message, at, help);
    }
    Projection {
        key: key(cx, node, &own, &columns, subject),
        kind,
        updated_by: node
            .get("updated_by")
            .map(|update| updated_by(cx, root, update, subject)),
        freshness: text(node, "freshness"),
        owner: text(node, "owner"),
        name: own,
        source,
        columns,
        rebuild,
    }
}

/// As written, else what follows from what is there.
fn kind(
    cx: &Context<'_>,
    node: &Node,
    own: &Name,
    has_columns: bool,
    has_rebuild: bool,
) -> ProjectionKind {
    if let Some(written) = word(node, "kind", KINDS) {
        return written;
    }
    if has_columns || cx.symbols.tables.contains_key(own.as_str()) {
        ProjectionKind::Table
    } else if has_rebuild {
        ProjectionKind::MaterializedView
    } else {
        ProjectionKind::External
    }
}

/// Key columns exist, where the projection's columns are declared.
fn key(
    cx: &Context<'_>,
    node: &Node,
    own: &Name,
    columns: &[super::super::model::Column],
    subject: &str,
) -> Vec<Name> {
    let key = names(node, "key");
    cx.distinct(&key, "column", subject);
    if let Some(table) = cx.symbols.tables.get(own.as_str()) {
        for column in &key {
            cx.column(table, column, subject);
        }
    } else if !columns.is_empty() {
        let known = column::names_of(columns);
        for column in key.iter().filter(|column| !known.contains(column)) {
            let all = known.iter().map(Name::as_str);
            cx.dangling(family::COLUMN, column, subject, all);
        }
    }
    key
}

/// `{event, sql}`; the event's payload fields are what the SQL may name.
fn updated_by(
    cx: &Context<'_>,
    root: &Node,
    node: &Node,
    subject: &str,
) -> (Option<Name>, Option<Text>) {
    let subject = &format!("{subject} / updated_by");
    let event = name_at(node, "event");
    if let Some(event) = &event {
        command::event_known(cx, event, subject);
    }
    let sql = sql_at(node, "sql").and_then(|text| {
        let fields = event
            .as_ref()
            .map(|event| section(root, &["events", event.as_str(), "payload"]))
            .into_iter()
            .flatten();
        let scope = Scope {
            params: fields.map(|entry| entry.key.as_str()).collect(),
            ..Scope::default()
        };
        let is_open = scope.params.is_empty();
        judged(cx, &text, &scope, is_open, subject).then_some(text)
    });
    (event, sql)
}

/// An event without a declared payload may carry anything.
fn judged(cx: &Context<'_>, text: &Text, scope: &Scope<'_>, is_open: bool, subject: &str) -> bool {
    if !is_open {
        return sql::with_scope(cx, text, SyntaxKind::Statement, scope, subject).is_some();
    }
    let bound = crate::sql::bind(text.as_str());
    let any = Scope {
        params: bound.names.iter().map(String::as_str).collect(),
        ..Scope::default()
    };
    sql::with_scope(cx, text, SyntaxKind::Statement, &any, subject).is_some()
}

/// `drift:` names an invariant, or says in words how drift is found.
pub(super) fn drift_name(cx: &Context<'_>, drift: &Name, subject: &str) {
    let is_word = drift
        .as_str()
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let known = &cx.symbols.invariants;
    if is_word && drift.as_str().contains('-') && !known.contains(drift.as_str()) {
        cx.dangling(family::INVARIANT, drift, subject, known.iter().copied());
    }
}
