//! Pieces of SQL in a design: one statement or expression each, parameters bound, faults at their place inside the YAML.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::nearest::nearest;
use super::context::{Context, quoted};
use super::inside::{self, Over};
use crate::finding::{Finding, Severity};
use crate::source::{Node, Span, Text};
use crate::sql::{self, SyntaxKind};

/// What is known of a captured row.
#[derive(Default)]
pub(super) struct Captured {
    /// Its columns, where the statement's text tells them.
    pub(super) columns: Option<Vec<String>>,
    /// Tables that the statement reads or writes.
    pub(super) tables: BTreeSet<String>,
}

impl Captured {
    /// What is known of the first row of a statement.
    pub(super) fn of(sql: &str) -> Captured {
        let facts = sql::facts(sql);
        let tables = facts.map(|facts| facts.reads.into_iter().chain(facts.writes).collect());
        Captured {
            columns: super::output::columns(sql),
            tables: tables.unwrap_or_default(),
        }
    }
}

/// What a piece of SQL may refer to as `:name`.
#[derive(Default)]
pub(super) struct Scope<'t> {
    /// Parameters.
    pub(super) params: BTreeSet<&'t str>,
    /// Captures of earlier steps.
    pub(super) captures: BTreeMap<&'t str, Captured>,
    /// Captures of later steps.
    pub(super) later: BTreeSet<&'t str>,
    /// Whether it speaks of a schema that is not the design's: the one before a migration.
    pub(super) is_elsewhere: bool,
}

/// Judges an expression, in which no parameter has a meaning.
pub(super) fn expression(cx: &Context<'_>, text: &Text, over: Over<'_>, subject: &str) {
    if judge(cx, text, SyntaxKind::Expression, subject) {
        inside::expression(cx, text, over, subject);
        let bound = sql::bind(text.as_str());
        for (index, range) in &bound.uses {
            let message = format!("`:{}` has no meaning here", bound.names[*index]);
            let help = "parameters belong into commands and queries; name a column or a constant";
            cx.error(
                "param-unbound",
                subject,
                message,
                text.part(range.clone()),
                help,
            );
        }
    }
}

/// The expression under a key, judged.
pub(super) fn expression_at(
    cx: &Context<'_>,
    node: &Node,
    key: &str,
    over: Over<'_>,
    subject: &str,
) -> Option<Text> {
    let text = node.get(key)?.text()?;
    expression(cx, text, over, subject);
    Some(text.clone())
}

/// Judges a query without parameters; `None` where it is not written yet.
pub(super) fn plain_query(cx: &Context<'_>, text: &Text, subject: &str) -> Option<Text> {
    with_scope(cx, text, SyntaxKind::Query, &Scope::default(), subject).map(|_| text.clone())
}

/// Judges a statement or query and its parameters, and gives the names it uses; `None` where it is not written yet.
pub(super) fn with_scope(
    cx: &Context<'_>,
    text: &Text,
    kind: SyntaxKind,
    scope: &Scope<'_>,
    subject: &str,
) -> Option<BTreeSet<String>> {
    if is_placeholder(text.as_str()) {
        placeholder(cx, text, subject);
        return None;
    }
    if judge(cx, text, kind, subject) && !scope.is_elsewhere {
        inside::statement(cx, text, subject);
    }
    let bound = sql::bind(text.as_str());
    for range in &bound.positional {
        let message = "numbered parameters are not those of this language";
        let help = "write `:name` and declare the name under `params:`";
        cx.error(
            "param-unbound",
            subject,
            message,
            text.part(range.clone()),
            help,
        );
    }
    let mut said = BTreeSet::new();
    for (index, range) in &bound.uses {
        let name = &bound.names[*index];
        if said.insert(name.as_str()) {
            look_up(cx, text, name, range.clone(), scope, subject);
        }
    }
    Some(bound.names.into_iter().collect())
}

/// Whether SQL is still to be written: `...` stands for it, as in the language's own examples.
pub(super) fn is_placeholder(sql: &str) -> bool {
    sql.contains("...") && {
        let tokens = sql::tokens(sql);
        tokens.windows(2).any(|pair| {
            pair[0].range.end == pair[1].range.start
                && pair[0].kind == sql::TokenKind::Symbol
                && pair[1].kind == sql::TokenKind::Symbol
                && format!("{}{}", pair[0].text(sql), pair[1].text(sql)).starts_with("...")
        })
    }
}

fn placeholder(cx: &Context<'_>, text: &Text, subject: &str) {
    let at = text.as_str().find("...").unwrap_or_default();
    cx.softer(
        Severity::Advice,
        "sql-placeholder",
        subject,
        "`...` stands for SQL that is still to be written",
        text.part(at..at + 3),
        "write it, or leave the key out; until then it counts as absent",
    );
}

/// Says what the grammar has against a text; true where it has nothing.
fn judge(cx: &Context<'_>, text: &Text, kind: SyntaxKind, subject: &str) -> bool {
    let is_statement = matches!(kind, SyntaxKind::Statement | SyntaxKind::Query);
    let found = match is_statement {
        true => sql::statements(text.as_str()),
        false => Vec::new(),
    };
    if let [_, second, ..] = found.as_slice() {
        let message = format!(
            "one statement is expected here, {} are written",
            found.len()
        );
        let help = "make each a step of its own, or join them with WITH";
        cx.error(
            "sql-two-statements",
            subject,
            message,
            text.part(second.clone()),
            help,
        );
        return false;
    }
    let faults = sql::check_syntax(text.as_str(), kind);
    for fault in &faults {
        let finding = Finding::error(
            "sql-syntax",
            subject,
            fault.message.clone(),
            text.part(fault.range.clone()),
        );
        cx.report(finding);
    }
    faults.is_empty()
}

/// Judges one `:name` or `:capture.column`.
fn look_up(
    cx: &Context<'_>,
    text: &Text,
    name: &str,
    range: Range<usize>,
    scope: &Scope<'_>,
    subject: &str,
) {
    let at = text.part(range);
    match name.split_once('.') {
        Some((capture, column)) => captured(cx, capture, column, at, scope, subject),
        None if scope.params.contains(name) => {}
        None if scope.captures.contains_key(name) => {
            let message = format!("`:{name}` is a captured row, not a value");
            let help = format!("name one of its columns: `:{name}.column`");
            cx.error("param-unbound", subject, message, at, help);
        }
        None => param_unbound(cx, name, at, scope, subject),
    }
}

/// Judges `capture.column`.
pub(super) fn captured(
    cx: &Context<'_>,
    capture: &str,
    column: &str,
    at: Span,
    scope: &Scope<'_>,
    subject: &str,
) {
    let Some(known) = scope.captures.get(capture) else {
        return capture_unknown(cx, capture, at, scope, subject);
    };
    let Some(columns) = &known.columns else {
        return;
    };
    if columns.iter().any(|known| known == column) {
        return;
    }
    let all: Vec<&str> = columns.iter().map(String::as_str).collect();
    let help = match nearest(column, all.iter().copied()) {
        Some(near) => format!("did you mean `{capture}.{near}`?"),
        None if column == "rows" => {
            "the number of rows can be asked for in a condition only".to_owned()
        }
        None if all.is_empty() => "let the statement return it: `RETURNING`".to_owned(),
        None => format!("let the statement return it; it returns {}", quoted(&all)),
    };
    let message = format!("the step captured as `{capture}` returns no column `{column}`");
    cx.error("capture-unknown", subject, message, at, help);
}

/// Says that nothing is captured under a name.
fn capture_unknown(cx: &Context<'_>, capture: &str, at: Span, scope: &Scope<'_>, subject: &str) {
    let (message, help) = if scope.later.contains(capture) {
        (
            format!("`{capture}` is captured only by a later step"),
            "move the step that captures it before this one".to_owned(),
        )
    } else {
        let near = nearest(capture, scope.captures.keys().copied());
        (
            format!("no earlier step captures `{capture}`"),
            near.map_or_else(
                || format!("say `as: {capture}` at the step whose first row is meant"),
                |near| format!("did you mean `{near}`?"),
            ),
        )
    };
    cx.error("capture-unknown", subject, message, at, help);
}

/// Says that a parameter is not declared.
pub(super) fn param_unbound(
    cx: &Context<'_>,
    name: &str,
    at: Span,
    scope: &Scope<'_>,
    subject: &str,
) {
    let all: Vec<&str> = scope.params.iter().copied().collect();
    let help = match nearest(name, all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if all.is_empty() || all.len() > 8 => {
            format!("declare it: `params: {{{name}: TYPE}}`")
        }
        None => format!("declare it under `params:`; there are {}", quoted(&all)),
    };
    let message = format!("parameter `{name}` is not declared");
    cx.error("param-unbound", subject, message, at, help);
}

/// Says which parameters nothing uses.
pub(super) fn unused(
    cx: &Context<'_>,
    params: &BTreeMap<&str, Span>,
    used: &BTreeSet<String>,
    subject: &str,
) {
    for (name, at) in params {
        if !used.contains(*name) {
            let message = format!("parameter `{name}` is never used");
            let help = format!("use it as `:{name}`, or leave it out");
            cx.softer(
                Severity::Warning,
                "param-unused",
                subject,
                message,
                *at,
                help,
            );
        }
    }
}
