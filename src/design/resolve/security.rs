//! `security.roles`.

use super::super::model::{Grant, Role};
use super::context::{Context, family};
use super::symbols::section;
use super::value::{flag, items, name, text, word_of};
use crate::catalog::Privilege;
use crate::source::{Entry, Node};

const PRIVILEGES: &[(&str, Privilege)] = &[
    ("select", Privilege::Select),
    ("insert", Privilege::Insert),
    ("update", Privilege::Update),
    ("delete", Privilege::Delete),
    ("truncate", Privilege::Truncate),
    ("references", Privilege::References),
    ("trigger", Privilege::Trigger),
];

/// `security.roles`.
pub(super) fn roles(cx: &Context<'_>, root: &Node) -> Vec<Role> {
    section(root, &["security", "roles"])
        .map(|entry| role(cx, entry))
        .collect()
}

fn role(cx: &Context<'_>, entry: &Entry) -> Role {
    let subject = &format!("role {}", entry.key);
    let node = &entry.value;
    let own = name(&entry.key);
    super::name::check_unreserved(cx, "role", &own, subject);
    let grants = section(node, &["grants"])
        .map(|entry| grant(cx, entry, subject))
        .collect();
    Role {
        name: own,
        login: flag(node, "login"),
        bypass_rls: flag(node, "bypass_rls"),
        grants,
        means: text(node, "means"),
    }
}

fn grant(cx: &Context<'_>, entry: &Entry, subject: &str) -> Grant {
    let on = name(&entry.key);
    if !cx.symbols.is_relation(on.as_str()) {
        cx.dangling(family::RELATION, &on, subject, cx.symbols.relations());
    }
    let privileges = items(&entry.value)
        .iter()
        .filter_map(|word| word_of(word.as_str(), PRIVILEGES))
        .collect();
    Grant { on, privileges }
}
