//! Steps of a command: statements and conditions, in order, every name bound.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::{Param, Step, StepKind};
use super::asked::Asked;
use super::context::Context;
use super::sql::{Captured, Scope};
use super::value::textual;
use super::{condition, sql};
use crate::finding::Finding;
use crate::source::{Node, Text};
use crate::sql::{Ident, SyntaxKind};

/// `steps:`; notes in `used` which parameters they use.
pub(super) fn steps(
    cx: &Context<'_>,
    node: &Node,
    params: &[Param],
    used: &mut BTreeSet<String>,
    subject: &str,
) -> Vec<Step> {
    let items = node.get("steps").map(Node::one_or_more).unwrap_or_default();
    let mut scope = Scope {
        params: params.iter().map(|param| param.name.as_str()).collect(),
        captures: BTreeMap::new(),
        is_elsewhere: false,
        later: items
            .iter()
            .filter_map(|item| item.get("as").and_then(Node::as_str))
            .collect(),
    };
    let mut steps = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let subject = format!("{subject} / step {}", number + 1);
        let kind = match (item.get("sql").and_then(textual), item.get("require")) {
            (Some(text), _) => statement(cx, text, item, &scope, used, &subject),
            (None, Some(node)) => require(cx, node, item, (&scope, params), used, &subject),
            (None, None) => None,
        };
        if let Some(kind) = kind {
            steps.push(Step { kind, at: item.at });
        }
        if let Some(capture) = item.get("as").and_then(textual) {
            let returned = item.get("sql").and_then(Node::as_str).map(Captured::of);
            captured(
                cx,
                capture,
                returned.unwrap_or_default(),
                &mut scope,
                &subject,
            );
        }
    }
    steps
}

fn statement(
    cx: &Context<'_>,
    text: &Text,
    item: &Node,
    scope: &Scope<'_>,
    used: &mut BTreeSet<String>,
    subject: &str,
) -> Option<StepKind> {
    let names = sql::with_scope(cx, text, SyntaxKind::Statement, scope, subject)?;
    used.extend(names);
    own_transaction(cx, text, subject);
    Some(StepKind::Sql {
        sql: text.clone(),
        capture: item.get("as").and_then(Node::as_str).map(Ident::from),
    })
}

/// A command is one transaction; its steps cannot begin or end it.
fn own_transaction(cx: &Context<'_>, text: &Text, subject: &str) {
    if crate::sql::statement_kind(text.as_str()) == crate::sql::StatementKind::Transaction {
        let message = "a step cannot begin or end the transaction";
        let help =
            "leave it out: a command is one transaction, at the level that `isolation:` says";
        cx.error("transaction-in-step", subject, message, text.at(), help);
    }
}

fn captured<'t>(
    cx: &Context<'_>,
    capture: &'t Text,
    returned: Captured,
    scope: &mut Scope<'t>,
    subject: &str,
) {
    let raw = capture.as_str();
    let is_plain = raw.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && raw.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_plain {
        let message = format!("`{raw}` cannot be used as `:{raw}.column`");
        let help = "use letters, digits and `_`, beginning with a letter";
        cx.error("name-invalid", subject, message, capture.at(), help);
    }
    if scope.captures.insert(raw, returned).is_some() {
        let message = format!("an earlier step captures `{raw}` already");
        let help = "choose another name, so that it is clear which row is meant";
        cx.error("duplicate-name", subject, message, capture.at(), help);
    }
    scope.later.remove(raw);
}

fn require(
    cx: &Context<'_>,
    node: &Node,
    item: &Node,
    (scope, params): (&Scope<'_>, &[Param]),
    used: &mut BTreeSet<String>,
    subject: &str,
) -> Option<StepKind> {
    let text = node.text()?;
    let parsed = match condition::parse(text.as_str()) {
        Ok(parsed) => parsed,
        Err(fault) => {
            let at = text.part(fault.range);
            let finding = Finding::error("bad-condition", subject, fault.message, at);
            cx.report(finding);
            // Names in it cannot be told from noise: none of them is to be called unused for that.
            used.extend(words(text.as_str()));
            return None;
        }
    };
    for found in &parsed.uses {
        let at = text.part(found.range.clone());
        match &found.column {
            Some(column)
                if column == "rows" && scope.captures.contains_key(found.name.as_str()) => {}
            Some(column) => sql::captured(cx, &found.name, column, at, scope, subject),
            None if scope.params.contains(found.name.as_str()) => {
                used.insert(found.name.clone());
            }
            None if scope.captures.contains_key(found.name.as_str()) => {
                let message = format!("`{}` is a captured row, not a value", found.name);
                let help = format!("say `{0}.rows` or `{0}.column`", found.name);
                cx.error("bad-condition", subject, message, at, help);
            }
            None => sql::param_unbound(cx, &found.name, at, scope, subject),
        }
    }
    let asked = Asked {
        cx,
        scope,
        params,
        text,
        subject,
    };
    asked.check(&parsed.condition);
    Some(StepKind::Require {
        condition: parsed.condition,
        text: text.clone(),
        otherwise: super::value::text(item, "otherwise"),
    })
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
}
