//! The list of kinds, and the way from an invariant to its kind.

use super::case::Case;
use super::derived::Derived;
use super::kinds;
use super::subject::Subject;
use crate::catalog::ObjectPath;
use crate::design::{Invariant, InvariantKind, Model, Rule};
use crate::finding::About;
use crate::sql::{Ident, SqlText};

/// Everything the program knows about one kind of invariant.
pub struct Kind {
    /// Its page.
    pub about: About,
    /// Which kind.
    pub kind: InvariantKind,
    /// The drift query: every row returned is a violation. `None` where only history shows one.
    pub(crate) drift: fn(&Subject) -> Option<SqlText>,
    /// Adds what enforces it in the database.
    pub(crate) enforce: fn(&Subject, &mut Derived),
    /// The smallest illegal writes with their legal neighbours.
    pub(crate) cases: fn(&Subject) -> Vec<Case>,
}

/// All kinds, in the order of the language.
pub static KINDS: &[&Kind] = &[
    &kinds::required::KIND,
    &kinds::unique::KIND,
    &kinds::at_most_one::KIND,
    &kinds::exactly_one::KIND,
    &kinds::at_most::KIND,
    &kinds::check::KIND,
    &kinds::no_overlap::KIND,
    &kinds::references::KIND,
    &kinds::balanced::KIND,
    &kinds::append_only::KIND,
    &kinds::immutable::KIND,
    &kinds::transitions::KIND,
    &kinds::monotonic::KIND,
    &kinds::isolated::KIND,
    &kinds::idempotent::KIND,
    &kinds::declared::MIRRORS,
    &kinds::declared::RETAINED,
    &kinds::declared::HOLDS,
];

/// What is known about a kind.
pub fn kind(kind: InvariantKind) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|known| known.kind == kind)
}

fn of(invariant: &Invariant) -> Option<&'static Kind> {
    kind(invariant.rule.kind())
}

/// Finds violations of an invariant: every row returned is one. `None` where only history shows one.
pub fn drift(model: &Model, invariant: &Invariant) -> Option<SqlText> {
    (of(invariant)?.drift)(&Subject { model, invariant })
}

/// The smallest illegal writes, for an invariant that the database itself is said to keep; empty for the others.
pub fn cases(model: &Model, invariant: &Invariant) -> Vec<Case> {
    let keeps = invariant.enforced.is_databases();
    of(invariant)
        .filter(|_| keeps)
        .map(|kind| (kind.cases)(&Subject { model, invariant }))
        .unwrap_or_default()
}

/// Adds to the schema what enforces an invariant, where the database is said to.
pub fn enforce(model: &Model, invariant: &Invariant, derived: &mut Derived) {
    let subject = Subject { model, invariant };
    if let Some(existing) = named_object(&subject, derived) {
        derived.credit(&subject, vec![existing]);
        return;
    }
    if invariant.enforced.is_databases()
        && let Some(kind) = of(invariant)
    {
        (kind.enforce)(&subject, derived);
    }
}

/// `as:` may name a constraint, index or trigger that the design declares anyway.
fn named_object(subject: &Subject, derived: &Derived) -> Option<ObjectPath> {
    let name: &Ident = &subject.invariant.derived_name.as_ref()?.ident;
    for table in tables(&subject.invariant.rule, subject.model) {
        let path = subject.model.qualified(&table);
        let Some(found) = derived.catalog.tables.get(&path) else {
            continue;
        };
        let here = |make: fn(crate::sql::QualifiedName, Ident) -> ObjectPath| {
            Some(make(path.clone(), name.clone()))
        };
        if found.uniques.contains_key(name) {
            return here(ObjectPath::Unique);
        }
        if found.checks.contains_key(name) {
            return here(ObjectPath::Check);
        }
        if found.foreign_keys.contains_key(name) {
            return here(ObjectPath::ForeignKey);
        }
        if found.exclusions.contains_key(name) {
            return here(ObjectPath::Exclusion);
        }
        if found.indexes.get(name).is_some_and(|index| index.unique) {
            return here(ObjectPath::Index);
        }
        if found.triggers.contains_key(name) {
            return here(ObjectPath::Trigger);
        }
        if found
            .primary_key
            .as_ref()
            .is_some_and(|(key, _)| key == name)
        {
            return Some(ObjectPath::PrimaryKey(path));
        }
    }
    None
}

/// Tables that an invariant talks about, the one that holds it first. For `holds` the design's tables that its SQL names.
fn tables(rule: &Rule, model: &Model) -> Vec<Ident> {
    reads(rule, model)
}

/// Tables whose rows decide whether an invariant holds.
pub fn reads(rule: &Rule, model: &Model) -> Vec<Ident> {
    use crate::design::Limit;
    let limit_table = |limit: &Limit| match limit {
        Limit::Column { table, .. } => Some(table.ident.clone()),
        Limit::Number(_) => None,
    };
    match rule {
        Rule::RequiredColumns { table, .. }
        | Rule::Unique { table, .. }
        | Rule::AtMostOne { table, .. }
        | Rule::Check { table, .. }
        | Rule::NoOverlap { table, .. }
        | Rule::AppendOnly { table, .. }
        | Rule::Immutable { table, .. }
        | Rule::Transitions { table, .. }
        | Rule::Monotonic { table, .. }
        | Rule::Retained { table } => vec![table.ident.clone()],
        Rule::ExactlyOne {
            table,
            per,
            predicate,
        } => {
            let mut tables = vec![table.ident.clone()];
            if predicate.is_none() {
                let parents = model
                    .table(&table.ident)
                    .into_iter()
                    .flat_map(|t| &t.references);
                let parent = parents.filter(|r| {
                    r.columns.len() == per.len() && r.columns.iter().all(|c| per.contains(c))
                });
                tables.extend(parent.map(|r| r.to.ident.clone()).take(1));
            }
            tables
        }
        Rule::RequiredChild { table, child, .. } => vec![table.ident.clone(), child.ident.clone()],
        Rule::AtMost { table, limit, .. }
        | Rule::Balanced {
            table,
            equals: limit,
            ..
        } => std::iter::once(table.ident.clone())
            .chain(limit_table(limit))
            .collect(),
        Rule::References { table, to, .. } => vec![table.ident.clone(), to.ident.clone()],
        Rule::Isolated { tables, .. } => tables.iter().map(|table| table.ident.clone()).collect(),
        Rule::Idempotent { command, .. } => {
            let steps = model
                .command(command.as_str())
                .into_iter()
                .flat_map(|command| &command.steps);
            let mut tables: Vec<Ident> = Vec::new();
            for step in steps {
                if let crate::design::StepKind::Sql { sql, .. } = &step.kind {
                    tables.extend(named_tables(model, sql.as_str()));
                }
            }
            tables.dedup();
            tables
        }
        Rule::Mirrors { projection } => {
            let found = model.projections.iter().find(|p| p.name == *projection);
            found
                .into_iter()
                .flat_map(|p| &p.source)
                .map(|name| name.ident.clone())
                .collect()
        }
        Rule::Holds { sql } => named_tables(model, sql.as_str()),
    }
}

/// The design's tables whose names occur as words in a piece of SQL: more than it reads at worst, never less.
fn named_tables(model: &Model, sql: &str) -> Vec<Ident> {
    let words: std::collections::BTreeSet<String> = sql
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .map(str::to_lowercase)
        .collect();
    let tables = model.tables.iter().map(|table| &table.name.ident);
    tables
        .filter(|name| words.contains(&name.as_str().to_lowercase()) || sql.contains(name.as_str()))
        .cloned()
        .collect()
}
