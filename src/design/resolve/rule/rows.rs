//! Clauses about rows and groups of rows.

use super::super::super::language::values::{parse_count, parse_number};
use super::super::super::model::{Limit, Name, Overlap, Rule};
use super::super::symbols::section;
use super::super::value::{name, name_at, names};
use super::super::{data_type, reference};
use super::clause::Clause;
use crate::source::{Node, Text};

impl Clause<'_> {
    pub(super) fn required(&self) -> Option<Rule> {
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

    pub(super) fn at_most(&self) -> Option<Rule> {
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

    pub(super) fn balanced(&self) -> Option<Rule> {
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

    pub(super) fn no_overlap(&self) -> Option<Rule> {
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
        let of = |column| data_type::of_column(self.cx, table, column);
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

    pub(super) fn references(&self) -> Option<Rule> {
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
}
