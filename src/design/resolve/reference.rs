//! `references:` of a table, and the settling of a referenced key.

use super::super::model::{ForeignKey, Name};
use super::context::{Context, quoted};
use super::data_type::{self, Match};
use super::symbols::{TableSymbol, section};
use super::value::{flag, name, name_at, names, text, word};
use crate::catalog::OnDelete;
use crate::finding::{Finding, Severity};
use crate::source::{Entry, Node, Span};

const ACTIONS: &[(&str, OnDelete)] = &[
    ("no_action", OnDelete::NoAction),
    ("restrict", OnDelete::Restrict),
    ("cascade", OnDelete::Cascade),
    ("set_null", OnDelete::SetNull),
    ("set_default", OnDelete::SetDefault),
];

/// `references:`; those whose key cannot be settled are left out.
pub(super) fn references(
    cx: &Context<'_>,
    node: &Node,
    symbol: &TableSymbol<'_>,
    subject: &str,
) -> Vec<ForeignKey> {
    section(node, &["references"])
        .filter_map(|entry| reference(cx, entry, symbol, subject))
        .collect()
}

fn reference(
    cx: &Context<'_>,
    entry: &Entry,
    symbol: &TableSymbol<'_>,
    subject: &str,
) -> Option<ForeignKey> {
    let subject = &format!("{subject} / reference {}", entry.key);
    let node = &entry.value;
    let own = name(&entry.key);
    super::name::check(cx, "constraint", &own, subject);
    let columns = names(node, "columns");
    cx.columns(symbol, &columns, subject);
    let to = name_at(node, "to")?;
    let given = names(node, "key");
    let settled = settle(cx, symbol, &columns, &to, &given, own.at, subject);
    let on_delete = word(node, "on_delete", ACTIONS);
    set_null(cx, node, symbol, &columns, on_delete, subject);
    Some(ForeignKey {
        name: own,
        key: settled?,
        columns,
        to,
        on_delete,
        on_update: word(node, "on_update", ACTIONS),
        deferrable: flag(node, "deferrable"),
        because: text(node, "because"),
    })
}

/// Settles and judges the referenced columns: as given, else the same names where the parent has them all, else the
/// parent's primary key.
pub(super) fn settle(
    cx: &Context<'_>,
    child: &TableSymbol<'_>,
    columns: &[Name],
    to: &Name,
    given: &[Name],
    at: Span,
    subject: &str,
) -> Option<Vec<Name>> {
    let parent = cx.table(to, subject)?;
    let key = match given {
        [] => silent(cx, child, columns, parent, to, at, subject)?,
        given => {
            cx.columns(parent, given, subject);
            given.to_vec()
        }
    };
    if key.len() != columns.len() {
        let help = match given {
            [] => "say which columns are meant: `key: [...]`, as many as `columns:`",
            _ => "list as many columns in `key:` as in `columns:`, in the same order",
        };
        let message = format!(
            "{} referencing and {} referenced do not pair up",
            counted(columns),
            counted(&key)
        );
        let place = given.first().map_or(to.at, |first| first.at);
        cx.error("reference-count", subject, message, place, help);
        return None;
    }
    for (column, target) in columns.iter().zip(&key) {
        pair(cx, child, column, parent, target, subject);
    }
    Some(key)
}

fn silent(
    cx: &Context<'_>,
    child: &TableSymbol<'_>,
    columns: &[Name],
    parent: &TableSymbol<'_>,
    to: &Name,
    at: Span,
    subject: &str,
) -> Option<Vec<Name>> {
    let is_self = child.name == parent.name;
    let has_all = columns
        .iter()
        .all(|column| parent.columns.contains_key(column.as_str()));
    // A table has its own columns, so for a reference to itself the same names say nothing.
    let key: Vec<Name> = if has_all && !is_self && !columns.is_empty() {
        columns.to_vec()
    } else {
        parent.key.clone()
    };
    if key.is_empty() {
        let message = format!("table `{}` has no key to refer to", to.as_str());
        let help = "give the table a `key:`, or say which columns are meant with `key:` here";
        cx.error("reference-without-key", subject, message, to.at, help);
        return None;
    }
    Some(key.into_iter().map(|name| Name { at, ..name }).collect())
}

fn counted(columns: &[Name]) -> String {
    let names: Vec<&str> = columns.iter().map(Name::as_str).collect();
    match names.len() {
        1 => format!("one column ({})", quoted(&names)),
        n => format!("{n} columns ({})", quoted(&names)),
    }
}

/// A column and the one it refers to must be comparable, and better the same.
fn pair(
    cx: &Context<'_>,
    child: &TableSymbol<'_>,
    column: &Name,
    parent: &TableSymbol<'_>,
    target: &Name,
    subject: &str,
) {
    let (Some(from), Some(to)) = (
        child.columns.get(column.as_str()),
        parent.columns.get(target.as_str()),
    ) else {
        return;
    };
    let (Some(from_text), Some(to_text)) = (&from.data_type, &to.data_type) else {
        return;
    };
    let (Some(one), Some(other)) = (
        data_type::settle(cx, from_text),
        data_type::settle(cx, to_text),
    ) else {
        return;
    };
    let severity = match data_type::compare(&one, &other) {
        Match::Same => return,
        Match::Converted => Severity::Warning,
        Match::None => Severity::Error,
    };
    let message = format!(
        "column `{}` is `{from_text}`, `{}.{}` is `{to_text}`",
        column.as_str(),
        parent.name.as_str(),
        target.as_str()
    );
    let finding = Finding::new("type-mismatch", severity, subject, message, column.at)
        .label(from_text.at(), "this type")
        .label(to_text.at(), "and this one")
        .help("give both the same type");
    cx.report(finding);
}

/// ON DELETE SET NULL on a column that is never null makes every delete fail.
fn set_null(
    cx: &Context<'_>,
    node: &Node,
    symbol: &TableSymbol<'_>,
    columns: &[Name],
    on_delete: Option<OnDelete>,
    subject: &str,
) {
    if on_delete != Some(OnDelete::SetNull) {
        return;
    }
    let required = columns.iter().find_map(|name| {
        let column = symbol.columns.get(name.as_str())?;
        (!column.nullable).then_some(column)
    });
    if let (Some(column), Some(value)) = (required, node.get("on_delete")) {
        let message = format!(
            "`on_delete: {}` would set `{}` to null, which it may not be",
            value.as_str().unwrap_or("set null"),
            column.name.as_str()
        );
        let finding = Finding::error("set-null-required", subject, message, value.at)
            .label(column.name.at, "the column is declared here")
            .help("make the column nullable and say why, or choose `restrict`");
        cx.report(finding);
    }
}
