//! Clauses about tables, commands and projections as a whole.

use super::super::super::model::Rule;
use super::super::context::family;
use super::super::symbols::section;
use super::super::value::{name, name_at, names, text, textual};
use super::super::{claim, sql};
use super::clause::Clause;
use crate::finding::Finding;
use crate::source::Text;

impl Clause<'_> {
    pub(super) fn isolated(&self) -> Option<Rule> {
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

    pub(super) fn idempotent(&self) -> Option<Rule> {
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

    pub(super) fn mirrors(&self) -> Option<Rule> {
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

    pub(super) fn retained(&self) -> Option<Rule> {
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

    pub(super) fn holds(&self) -> Option<Rule> {
        let sql = textual(self.node)?;
        let sql = sql::plain_query(self.cx, sql, self.subject)?;
        Some(Rule::Holds { sql })
    }
}
