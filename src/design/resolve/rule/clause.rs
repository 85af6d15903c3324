//! What all clauses have: a table, columns, expressions.

use super::super::super::model::{InvariantKind, Name, Rule};
use super::super::context::Context;
use super::super::inside::Over;
use super::super::sql;
use super::super::symbols::TableSymbol;
use super::super::value::{flag, name, name_at, names, textual};
use super::transitions;
use crate::source::{Entry, Node, NodeKind, Span, Text};

const KINDS: &[InvariantKind] = &[
    InvariantKind::Required,
    InvariantKind::Unique,
    InvariantKind::AtMostOne,
    InvariantKind::ExactlyOne,
    InvariantKind::AtMost,
    InvariantKind::Check,
    InvariantKind::NoOverlap,
    InvariantKind::References,
    InvariantKind::Balanced,
    InvariantKind::AppendOnly,
    InvariantKind::Immutable,
    InvariantKind::Transitions,
    InvariantKind::Monotonic,
    InvariantKind::Isolated,
    InvariantKind::Idempotent,
    InvariantKind::Mirrors,
    InvariantKind::Retained,
    InvariantKind::Holds,
];

/// Kinds whose clause holds for all rows of a table, or speaks of no table.
const TAKES_NO_WHERE: &[InvariantKind] = &[
    InvariantKind::Isolated,
    InvariantKind::Idempotent,
    InvariantKind::Mirrors,
    InvariantKind::Retained,
];

/// Kinds that a name alone, or a text, stands for.
const SHORT: &[InvariantKind] = &[
    InvariantKind::AppendOnly,
    InvariantKind::Mirrors,
    InvariantKind::Retained,
    InvariantKind::Holds,
];

/// A clause with what it is resolved against.
pub(super) struct Clause<'c> {
    /// What every pass has at hand.
    pub(super) cx: &'c Context<'c>,
    /// The clause's value.
    pub(super) node: &'c Node,
    /// Where the clause's key is written.
    pub(super) at: Span,
    /// What it is about.
    pub(super) subject: &'c str,
}

/// The clause of an invariant, with the entry that holds it. Of several the first counts: validation speaks of the others.
pub(in crate::design::resolve) fn rule<'n>(
    cx: &Context<'_>,
    node: &'n Node,
    subject: &str,
) -> Option<(&'n Entry, Rule)> {
    let (entry, kind) = node.entries().iter().find_map(|entry| {
        let kind = KINDS
            .iter()
            .find(|kind| kind.word() == entry.key.as_str())?;
        Some((entry, *kind))
    })?;
    let clause = Clause {
        cx,
        node: &entry.value,
        at: entry.key.at(),
        subject,
    };
    let is_long = matches!(entry.value.kind, NodeKind::Mapping(_));
    if !is_long && !SHORT.contains(&kind) {
        return None;
    }
    if TAKES_NO_WHERE.contains(&kind) {
        clause.takes_no_where(kind);
    }
    Some((entry, clause.rule(kind)?))
}

impl<'c> Clause<'c> {
    fn rule(&self, kind: InvariantKind) -> Option<Rule> {
        Some(match kind {
            InvariantKind::Required => self.required()?,
            InvariantKind::Unique => Rule::Unique {
                table: self.table()?,
                columns: self.columns("columns"),
                predicate: self.predicate(),
            },
            InvariantKind::AtMostOne => Rule::AtMostOne {
                table: self.table()?,
                per: self.columns("per"),
                predicate: self.predicate(),
            },
            InvariantKind::ExactlyOne => Rule::ExactlyOne {
                table: self.table()?,
                per: self.columns("per"),
                predicate: self.predicate(),
            },
            InvariantKind::AtMost => self.at_most()?,
            InvariantKind::Check => Rule::Check {
                table: self.table()?,
                is: self.expression("is")?,
                predicate: self.predicate(),
            },
            InvariantKind::NoOverlap => self.no_overlap()?,
            InvariantKind::References => self.references()?,
            InvariantKind::Balanced => self.balanced()?,
            InvariantKind::AppendOnly => Rule::AppendOnly {
                table: self.table()?,
                predicate: self.predicate(),
            },
            InvariantKind::Immutable => Rule::Immutable {
                table: self.table()?,
                columns: self.columns("columns"),
                once: self.once(),
            },
            InvariantKind::Transitions => transitions::transitions(self)?,
            InvariantKind::Monotonic => Rule::Monotonic {
                table: self.table()?,
                column: self.column("column")?,
                strictly: flag(self.node, "strictly"),
                predicate: self.predicate(),
            },
            InvariantKind::Isolated => self.isolated()?,
            InvariantKind::Idempotent => self.idempotent()?,
            InvariantKind::Mirrors => self.mirrors()?,
            InvariantKind::Retained => self.retained()?,
            InvariantKind::Holds => self.holds()?,
        })
    }

    /// `in:`, or the clause itself where it is a single name.
    pub(super) fn table_name(&self) -> Option<Name> {
        textual(self.node)
            .map(name)
            .or_else(|| name_at(self.node, "in"))
    }

    /// The table of the clause, looked up; its name also where there is none such.
    pub(super) fn table(&self) -> Option<Name> {
        let name = self.table_name()?;
        self.cx.table(&name, self.subject);
        Some(name)
    }

    /// The table of the clause, where it exists, in silence.
    pub(super) fn symbol(&self) -> Option<&TableSymbol<'c>> {
        self.cx.symbols.tables.get(self.table_name()?.as_str())
    }

    /// Columns of the clause's table.
    pub(super) fn columns(&self, key: &str) -> Vec<Name> {
        let names = names(self.node, key);
        if let Some(table) = self.symbol() {
            self.cx.columns(table, &names, self.subject);
        }
        names
    }

    /// A column of the clause's table.
    pub(super) fn column(&self, key: &str) -> Option<Name> {
        let name = name_at(self.node, key)?;
        if let Some(table) = self.symbol() {
            self.cx.column(table, &name, self.subject);
        }
        Some(name)
    }

    pub(super) fn expression(&self, key: &str) -> Option<Text> {
        let table = self.symbol().map(|table| table.name.as_str());
        let over = table.map_or(Over::Anything, Over::Table);
        sql::expression_at(self.cx, self.node, key, over, self.subject)
    }

    pub(super) fn predicate(&self) -> Option<Text> {
        self.expression("where")
    }

    /// Both `where` and `once` are judged on the row as it was, so that together they are one condition.
    fn once(&self) -> Option<Text> {
        match (self.predicate(), self.expression("once")) {
            (Some(predicate), Some(once)) => {
                let both = format!("({predicate}) and ({once})");
                Some(Text::at_once(both, predicate.at()))
            }
            (predicate, once) => predicate.or(once),
        }
    }

    /// Of some kinds a part of the rows cannot be taken out; that would be ignored in silence.
    fn takes_no_where(&self, kind: InvariantKind) {
        if let Some(entry) = self.node.entry("where")
            && !entry.value.is_null()
        {
            let message = format!("`{}` speaks of all rows and takes no `where`", kind.word());
            let help = "leave it out; a rule for some of the rows can be said with `holds`";
            self.fault("where-not-possible", message, entry.key.at(), help);
        }
    }

    pub(super) fn fault(&self, code: &str, message: String, at: Span, help: &str) {
        self.cx.error(code, self.subject, message, at, help);
    }
}

/// The table a clause speaks of, where it is one.
pub(in crate::design::resolve) fn table_of(rule: &Rule) -> Option<&str> {
    match rule {
        Rule::RequiredColumns { table, .. }
        | Rule::RequiredChild { table, .. }
        | Rule::Unique { table, .. }
        | Rule::AtMostOne { table, .. }
        | Rule::ExactlyOne { table, .. }
        | Rule::AtMost { table, .. }
        | Rule::Check { table, .. }
        | Rule::NoOverlap { table, .. }
        | Rule::References { table, .. }
        | Rule::Balanced { table, .. }
        | Rule::AppendOnly { table, .. }
        | Rule::Immutable { table, .. }
        | Rule::Transitions { table, .. }
        | Rule::Monotonic { table, .. }
        | Rule::Retained { table } => Some(table.as_str()),
        Rule::Isolated { .. }
        | Rule::Idempotent { .. }
        | Rule::Mirrors { .. }
        | Rule::Holds { .. } => None,
    }
}
