//! `types:`: enums and domains.

use std::collections::BTreeMap;

use super::super::model::{UserType, UserTypeKind};
use super::context::Context;
use super::inside::Over;
use super::symbols::section;
use super::value::{items, name, text, textual};
use super::{data_type, sql};
use crate::finding::Finding;
use crate::source::{Entry, Node, Text};

/// `types:`.
pub(super) fn types(cx: &Context<'_>, root: &Node) -> Vec<UserType> {
    section(root, &["types"])
        .filter_map(|entry| user_type(cx, entry))
        .collect()
}

fn user_type(cx: &Context<'_>, entry: &Entry) -> Option<UserType> {
    let subject = &format!("type {}", entry.key);
    let node = &entry.value;
    let own = name(&entry.key);
    super::name::check(cx, "type", &own, subject);
    if data_type::is_builtin(own.as_str()) {
        let message = format!(
            "a type of PostgreSQL's own is called `{}` as well",
            own.as_str()
        );
        let help = "choose another name: without its schema it would mean PostgreSQL's";
        cx.error("name-reserved", subject, message, own.at, help);
    }
    let kind = match (node.get("enum"), node.get("domain").and_then(textual)) {
        (Some(labels), _) => {
            let found = items(labels);
            if found.is_empty() && matches!(labels.kind, crate::source::NodeKind::Sequence(_)) {
                let help = "list the labels in the order in which they sort";
                cx.error(
                    "values-empty",
                    subject,
                    "this enum has no label",
                    labels.at,
                    help,
                );
            }
            distinct_values(cx, &found, subject);
            long_labels(cx, &found, subject);
            UserTypeKind::Enum(found)
        }
        (None, Some(base)) => {
            data_type::check(cx, base, subject);
            circle(cx, entry, subject);
            UserTypeKind::Domain {
                base: base.clone(),
                check: sql::expression_at(cx, node, "check", Over::Anything, subject),
            }
        }
        (None, None) => return None,
    };
    Some(UserType {
        name: own,
        kind,
        means: text(node, "means"),
    })
}

/// PostgreSQL refuses labels longer than a name.
fn long_labels(cx: &Context<'_>, labels: &[Text], subject: &str) {
    for label in labels.iter().filter(|label| label.as_str().len() > 63) {
        let message = format!(
            "this label is {} bytes long, PostgreSQL takes 63",
            label.as_str().len()
        );
        cx.error("name-too-long", subject, message, label.at(), "shorten it");
    }
}

/// A domain over itself, in one step or several.
fn circle(cx: &Context<'_>, entry: &Entry, subject: &str) {
    let base_of = |name: &str| {
        let node = cx.symbols.types.get(name)?;
        node.get("domain").and_then(Node::as_str)
    };
    let mut current = entry.key.as_str();
    for _ in 0..cx.symbols.types.len() {
        match base_of(current) {
            Some(base) if base == entry.key.as_str() => {
                let message = format!("domain `{}` is made of itself", entry.key);
                let help = "name a PostgreSQL type at the end of the chain";
                let at = entry
                    .value
                    .get("domain")
                    .map_or(entry.key.at(), |base| base.at);
                cx.error("type-circle", subject, message, at, help);
                return;
            }
            Some(base) => current = base,
            None => return,
        }
    }
}

/// Says where a list holds a value twice.
pub(super) fn distinct_values(cx: &Context<'_>, values: &[Text], subject: &str) {
    let mut seen = BTreeMap::new();
    for value in values {
        if let Some(first) = seen.insert(value.as_str(), value.at()) {
            let message = format!("value `{value}` is listed twice");
            let finding = Finding::error("duplicate-name", subject, message, value.at())
                .label(first, "first here")
                .help("leave one of the two out");
            cx.report(finding);
        }
    }
}
