//! `invariants:`.

use super::super::model::{Enforcement, Invariant, InvariantKind, Monitor, Name};
use super::context::{Context, family, quoted};
use super::rule;
use super::symbols::section;
use super::value::{name, name_at, names, text, word};
use crate::finding::Finding;
use crate::source::{Entry, Node};

const ENFORCEMENTS: &[(&str, Enforcement)] = &[
    ("constraint", Enforcement::Constraint),
    ("trigger", Enforcement::Trigger),
    ("policy", Enforcement::Policy),
    ("transaction", Enforcement::Transaction),
    ("application", Enforcement::Application),
    ("reconciliation", Enforcement::Reconciliation),
    ("procedure", Enforcement::Procedure),
];

/// `invariants:`; those without a clause that can be understood are left out.
pub(super) fn invariants(cx: &Context<'_>, root: &Node) -> Vec<Invariant> {
    section(root, &["invariants"])
        .filter_map(|entry| invariant(cx, entry))
        .collect()
}

fn invariant(cx: &Context<'_>, entry: &Entry) -> Option<Invariant> {
    let subject = &format!("invariant {}", entry.key);
    let node = &entry.value;
    let narrowed = node.get("raced_by").filter(|by| by.get("only").is_some());
    let raced_by = match narrowed {
        Some(by) => names(by, "only"),
        None => names(node, "raced_by"),
    };
    cx.distinct(&raced_by, "command", subject);
    for command in &raced_by {
        command_known(cx, command, subject);
    }
    let derived_name = name_at(node, "as");
    if let Some(derived) = &derived_name {
        super::name::check(cx, "derived object", derived, subject);
    }
    let (clause, rule) = rule::rule(cx, node, subject)?;
    let kind = rule.kind();
    Some(Invariant {
        name: name(&entry.key),
        never: text(node, "never"),
        because: text(node, "because"),
        rule_at: clause.key.at(),
        enforced: enforced(cx, node, kind, subject),
        enforced_at: node.get("enforced").map(|value| value.at),
        derived_name,
        raced_by,
        raced_only: narrowed.is_some(),
        monitor: node.get("monitor").map(monitor),
        repair: text(node, "repair"),
        rule,
    })
}

/// Says where a command does not exist.
pub(super) fn command_known(cx: &Context<'_>, command: &Name, subject: &str) {
    if !cx.symbols.commands.contains_key(command.as_str()) {
        let all = cx.symbols.commands.keys().copied();
        cx.dangling(family::COMMAND, command, subject, all);
    }
}

/// As written where the kind allows it, else what it prefers.
fn enforced(cx: &Context<'_>, node: &Node, kind: InvariantKind, subject: &str) -> Enforcement {
    let Some(written) = word(node, "enforced", ENFORCEMENTS) else {
        return kind.preferred();
    };
    let allowed = kind.allowed();
    if allowed.contains(&written) {
        return written;
    }
    let at = node.get("enforced").map_or(node.at, |value| value.at);
    let words: Vec<&str> = allowed.iter().map(|way| way.word()).collect();
    let message = format!(
        "`{}` cannot be enforced by {}",
        kind.word(),
        article(written)
    );
    let finding = Finding::error("enforcement-not-possible", subject, message, at)
        .help(format!("choose one of {}", quoted(&words)));
    cx.report(finding);
    kind.preferred()
}

fn article(way: Enforcement) -> String {
    match way {
        Enforcement::Application => "the application".to_owned(),
        Enforcement::Reconciliation => "reconciliation".to_owned(),
        other => format!("a {}", other.word()),
    }
}

fn monitor(node: &Node) -> Monitor {
    Monitor {
        every: text(node, "every"),
        alert: text(node, "alert"),
    }
}
