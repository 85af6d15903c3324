//! The typed clause of an invariant.

use super::super::language::values::{parse_count, parse_number};
use super::super::model::{InvariantKind, Limit, Name, Overlap, Rule};
use super::context::{Context, family};
use super::symbols::{TableSymbol, section};
use super::value::{flag, name, name_at, names, text, textual};
use super::{claim, reference, sql, transitions};
use crate::finding::Finding;
use crate::source::{Entry, Node, Span, Text};

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
    InvariantKind::Transitions,
    InvariantKind::Isolated,
    InvariantKind::Idempotent,
    InvariantKind::Mirrors,
    InvariantKind::Retained,
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
pub(super) fn rule<'n>(
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
    fn columns(&self, key: &str) -> Vec<Name> {
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

    fn expression(&self, key: &str) -> Option<Text> {
        sql::expression_at(self.cx, self.node, key, self.subject)
    }

    fn predicate(&self) -> Option<Text> {
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

    fn fault(&self, code: &str, message: String, at: Span, help: &str) {
        self.cx.error(code, self.subject, message, at, help);
    }

    fn required(&self) -> Option<Rule> {
        let table = self.table()?;
        let Some(child) = name_at(self.node, "child") else {
            return Some(Rule::RequiredColumns {
                table,
                columns: self.columns("columns"),
                predicate: self.predicate(),
            });
        };
        if let Some(symbol) = self.cx.table(&child, self.subject) {
            let refers = section(symbol.node, &["references"])
                .any(|entry| entry.value.get("to").and_then(Node::as_str) == Some(table.as_str()));
            if !refers && self.symbol().is_some() && !self.is_claimed(&child, &table) {
                let message = format!(
                    "table `{}` has no reference to `{}`",
                    child.as_str(),
                    table.as_str()
                );
                let help = "declare one under its `references:`, so that rows can be told to belong together";
                self.fault("no-reference-between", message, child.at, help);
            }
        }
        Some(Rule::RequiredChild {
            table,
            child,
            predicate: self.predicate(),
        })
    }

    /// Whether an invariant of kind `references` leads from one table to the other.
    fn is_claimed(&self, from: &Name, to: &Name) -> bool {
        self.cx
            .symbols
            .claimed
            .contains(&(from.as_str(), to.as_str()))
    }

    fn at_most(&self) -> Option<Rule> {
        let table = self.table()?;
        let per = self.columns("per");
        let limit = self.limit("limit")?;
        self.limit_is_reachable(&table, &per, &limit);
        Some(Rule::AtMost {
            table,
            per,
            sum: self.expression("sum"),
            limit,
            predicate: self.predicate(),
        })
    }

    fn balanced(&self) -> Option<Rule> {
        let table = self.table()?;
        let per = self.columns("per");
        let equals = match self.node.get("equals") {
            Some(_) => self.limit("equals")?,
            None => Limit::Number(Text::at_once("0", self.at)),
        };
        self.limit_is_reachable(&table, &per, &equals);
        Some(Rule::Balanced {
            table,
            per,
            sum: self.expression("sum")?,
            equals,
            predicate: self.predicate(),
        })
    }

    /// A number, or `table.column`.
    fn limit(&self, key: &str) -> Option<Limit> {
        let text = self.node.get(key)?.text()?.trimmed();
        if parse_number(text.as_str()).is_ok() {
            let plain = text.as_str().replace('_', "");
            return Some(Limit::Number(Text::at_once(plain, text.at())));
        }
        if let Ok(count) = parse_count(text.as_str()) {
            return Some(Limit::Number(Text::at_once(format!("{count}"), text.at())));
        }
        let Some(dot) = text.as_str().find('.') else {
            let message = format!("`{text}` is neither a number nor a column");
            let help =
                format!("write `{key}: 10`, or `{key}: table.column` for a column of the parent");
            self.fault("bad-limit", message, text.at(), &help);
            return None;
        };
        let table = name(&text.slice(0..dot));
        let column = name(&text.slice(dot + 1..text.as_str().len()));
        if let Some(symbol) = self.cx.table(&table, self.subject) {
            self.cx.column(symbol, &column, self.subject);
        }
        Some(Limit::Column { table, column })
    }

    /// A limit in a parent's column needs a way from the group to its parent.
    fn limit_is_reachable(&self, table: &Name, per: &[Name], limit: &Limit) {
        let Limit::Column { table: parent, .. } = limit else {
            return;
        };
        let (Some(child), Some(symbol)) =
            (self.symbol(), self.cx.symbols.tables.get(parent.as_str()))
        else {
            return;
        };
        let refers = section(child.node, &["references"])
            .any(|entry| entry.value.get("to").and_then(Node::as_str) == Some(parent.as_str()));
        let shares = !per.is_empty()
            && per
                .iter()
                .all(|name| symbol.columns.contains_key(name.as_str()));
        if !refers && !shares && child.name != symbol.name && !self.is_claimed(table, parent) {
            let message = format!(
                "nothing leads from `{}` to `{}`, whose column is the limit",
                table.as_str(),
                parent.as_str()
            );
            let help = "declare the reference between them under `references:`";
            self.fault("no-reference-between", message, parent.at, help);
        }
    }

    fn no_overlap(&self) -> Option<Rule> {
        let table = self.table()?;
        let interval = match self.column("period") {
            Some(period) => Overlap::Period(period),
            None => Overlap::FromTo(self.column("from")?, self.column("to")?),
        };
        if let Overlap::FromTo(from, to) = &interval {
            self.same_type(&table, from, to);
        }
        Some(Rule::NoOverlap {
            table,
            per: self.columns("per"),
            interval,
            predicate: self.predicate(),
        })
    }

    fn same_type(&self, table: &Name, from: &Name, to: &Name) {
        let of = |column| super::data_type::of_column(self.cx, table, column);
        if let (Some(one), Some(other)) = (of(from), of(to))
            && one != other
        {
            let message = format!(
                "`{}` and `{}` are of different types and bound no interval",
                from.as_str(),
                to.as_str()
            );
            self.fault("type-mismatch", message, to.at, "give both the same type");
        }
    }

    fn references(&self) -> Option<Rule> {
        let table = self.table()?;
        let columns = self.columns("columns");
        let to = name_at(self.node, "to")?;
        let given = names(self.node, "key");
        let key = match self.symbol() {
            Some(symbol) => reference::settle(
                self.cx,
                symbol,
                &columns,
                &to,
                &given,
                self.at,
                self.subject,
            )?,
            None => {
                self.cx.table(&to, self.subject);
                return None;
            }
        };
        Some(Rule::References {
            table,
            columns,
            to,
            key,
            predicate: self.predicate(),
        })
    }

    fn isolated(&self) -> Option<Rule> {
        let tables = names(self.node, "tables");
        let by = name_at(self.node, "by")?;
        self.cx.distinct(&tables, "table", self.subject);
        for table in &tables {
            let Some(symbol) = self.cx.table(table, self.subject) else {
                continue;
            };
            if !symbol.columns.contains_key(by.as_str()) {
                let message = format!(
                    "table `{}` has no column `{}` to isolate by",
                    table.as_str(),
                    by.as_str()
                );
                let help = "add the column, or leave the table out";
                let finding = Finding::error("dangling-column", self.subject, message, table.at)
                    .label(by.at, "asked for here")
                    .help(help);
                self.cx.report(finding);
            }
        }
        let role = name_at(self.node, "role")?;
        if !self.cx.symbols.roles.contains(role.as_str()) {
            let all = self.cx.symbols.roles.iter().copied();
            self.cx.dangling(family::ROLE, &role, self.subject, all);
        }
        Some(Rule::Isolated {
            tables,
            by,
            setting: self.setting()?,
            role,
        })
    }

    /// A setting of one's own has a dot in its name.
    fn setting(&self) -> Option<Text> {
        let setting = text(self.node, "setting")?;
        let is_custom = setting
            .as_str()
            .split_once('.')
            .is_some_and(|(class, name)| !class.is_empty() && !name.is_empty());
        if !is_custom {
            let message = format!("`{setting}` is no name for a setting of one's own");
            let help = "PostgreSQL takes names with a dot, such as `app.tenant_id`";
            self.fault("setting-invalid", message, setting.at(), help);
        }
        Some(setting)
    }

    fn idempotent(&self) -> Option<Rule> {
        let command = name_at(self.node, "command")?;
        let key = name_at(self.node, "key")?;
        let request = names(self.node, "request");
        claim::command_known(self.cx, &command, self.subject);
        self.cx.distinct(&request, "parameter", self.subject);
        if let Some(node) = self.cx.symbols.commands.get(command.as_str()) {
            let params: Vec<&str> = section(node, &["params"])
                .map(|entry| entry.key.as_str())
                .collect();
            for name in std::iter::once(&key).chain(&request) {
                if !params.contains(&name.as_str()) {
                    let all = params.iter().copied();
                    self.cx.dangling(family::PARAM, name, self.subject, all);
                }
            }
        }
        Some(Rule::Idempotent {
            command,
            key,
            request,
        })
    }

    fn mirrors(&self) -> Option<Rule> {
        let projection = textual(self.node)
            .map(name)
            .or_else(|| name_at(self.node, "projection"))?;
        if !self
            .cx
            .symbols
            .projections
            .contains_key(projection.as_str())
        {
            let all = self.cx.symbols.projections.keys().copied();
            self.cx
                .dangling(family::PROJECTION, &projection, self.subject, all);
        }
        Some(Rule::Mirrors { projection })
    }

    fn retained(&self) -> Option<Rule> {
        let table = self.table()?;
        if let Some(symbol) = self.symbol()
            && symbol
                .node
                .get("retention")
                .is_none_or(|rules| rules.one_or_more().is_empty())
        {
            let message = format!("table `{}` says nothing of retention", table.as_str());
            let help = "add `retention:` to the table: after what time, and what is done then";
            self.fault("retained-without-retention", message, table.at, help);
        }
        Some(Rule::Retained { table })
    }

    fn holds(&self) -> Option<Rule> {
        let sql = textual(self.node)?;
        let sql = sql::plain_query(self.cx, sql, self.subject)?;
        Some(Rule::Holds { sql })
    }
}

/// The table a clause speaks of, where it is one.
pub(super) fn table_of(rule: &Rule) -> Option<&str> {
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
