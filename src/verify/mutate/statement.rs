//! What keeps commands apart that is written in the commands themselves: locks, isolation levels, conditions of an UPDATE on what
//! others change.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Table};
use crate::design::{Command, Isolation, Model, StepKind};
use crate::source::Span;
use crate::sql::{Ident, Protection, Rows, Verb, Weakening, facts, weakenings};
use crate::verify::race::{Alteration, Altered};

/// One thing that keeps a command apart from others.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// `FOR SHARE in step 1 of assign-case`.
    pub title: String,
    /// Where it is written.
    pub at: Span,
    /// The command without it.
    pub without: Alteration,
    /// Of an isolation level: the next one below, which is tried where this one was not missed.
    pub below: Option<Box<Guard>>,
}

/// Everything of this kind in the commands of a design.
pub(super) fn guards(model: &Model, catalog: &Catalog) -> Vec<Guard> {
    let rows = Known {
        model,
        catalog,
        changed: changed(model),
    };
    let mut guards = Vec::new();
    for command in &model.commands {
        guards.extend(level(command, command.isolation));
        for (at, step) in command.steps.iter().enumerate() {
            let StepKind::Sql { sql, .. } = &step.kind else {
                continue;
            };
            // Scripts keep statements without blanks around them.
            let text = sql.as_str();
            let lead = text.len() - text.trim_start().len();
            for found in weakenings(text.trim(), &rows) {
                // That a projection is behind is noticed by nobody whom a race asks.
                if found.what == Protection::DoUpdate && is_projected(model, text) {
                    continue;
                }
                let span = sql.part(lead + found.range.start..lead + found.range.end);
                guards.push(of_step(command, at, found, span));
            }
        }
    }
    guards
}

/// Whether a statement changes what can be made again from its sources.
fn is_projected(model: &Model, sql: &str) -> bool {
    let Some(facts) = facts(sql) else {
        return false;
    };
    let is_changed = |name: &str| facts.assigned.contains_key(name);
    let mut projections = model.projections.iter();
    projections.any(|projection| is_changed(projection.name.as_str()))
}

/// What the design says of rows.
struct Known<'a> {
    model: &'a Model,
    catalog: &'a Catalog,
    changed: BTreeSet<(String, String)>,
}

impl Known<'_> {
    fn table(&self, name: &str) -> Option<&Table> {
        let name = self.model.qualified(&Ident::new(name));
        self.catalog.tables.get(&name)
    }
}

impl Rows for Known<'_> {
    fn changes(&self, table: &str, column: &str) -> bool {
        let key = self.table(table).and_then(|t| t.primary_key.as_ref());
        let is_key = key.is_some_and(|(_, key)| key.columns.contains(&Ident::new(column)));
        let known = (table.to_owned(), column.to_owned());
        !is_key && self.changed.contains(&known)
    }

    fn is_one(&self, table: &str, columns: &BTreeSet<String>) -> bool {
        let Some(table) = self.table(table) else {
            return false;
        };
        let keys = table.primary_key.iter().map(|(_, key)| key);
        keys.chain(table.uniques.values()).any(|key| {
            let mut all = key.columns.iter();
            all.all(|column| columns.contains(column.as_str()))
        })
    }
}

/// Columns that some command changes in rows that are there.
fn changed(model: &Model) -> BTreeSet<(String, String)> {
    let mut changed = BTreeSet::new();
    let steps = model.commands.iter().flat_map(|command| &command.steps);
    for step in steps {
        let StepKind::Sql { sql, .. } = &step.kind else {
            continue;
        };
        let Some(facts) = facts(sql.as_str()) else {
            continue;
        };
        for (table, columns) in &facts.assigned {
            if facts.does(Verb::Update, table) {
                let name = table.rsplit('.').next().unwrap_or(table);
                let columns = columns.iter().cloned();
                changed.extend(columns.map(|column| (name.to_owned(), column)));
            }
        }
    }
    changed
}

fn of_step(command: &Command, at: usize, found: Weakening, span: Span) -> Guard {
    let name = command.name.as_str();
    let title = match found.what {
        Protection::Condition => format!("`{}`", found.title),
        _ => found.title.clone(),
    };
    Guard {
        title: format!("{title} in step {} of {name}", at + 1),
        at: span,
        without: Alteration {
            command: name.to_owned(),
            alone: matches!(
                found.what,
                Protection::Condition | Protection::OnConflict | Protection::DoUpdate
            ),
            waits: found.what == Protection::NoWait,
            to: Altered::Statement(at, found),
        },
        below: None,
    }
}

/// A level is lowered by one step; further only where nobody missed that one.
fn level(command: &Command, isolation: Isolation) -> Option<Guard> {
    let lower = match isolation {
        Isolation::Serializable => Isolation::RepeatableRead,
        Isolation::RepeatableRead => Isolation::ReadCommitted,
        Isolation::ReadCommitted => return None,
    };
    let name = command.name.as_str();
    Some(Guard {
        title: format!("isolation {} of {name}", isolation.sql().to_lowercase()),
        at: command.name.at,
        without: Alteration {
            command: name.to_owned(),
            alone: false,
            waits: false,
            to: Altered::Isolation(lower),
        },
        below: level(command, lower).map(Box::new),
    })
}
