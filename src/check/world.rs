//! What rules are asked about: a design with its schema, and what is worked out once for all rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::catalog::{Catalog, Table as Stored};
use crate::design::{
    Command, Invariant, Model, Projection, Query, Rule, StepKind, Table, TableRole, UserTypeKind,
};
use crate::source::{Span, Text};
use crate::sql::{Ident, Names, QueryFacts, facts_in, hints};

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'m> {
    /// The design.
    pub model: &'m Model,
    /// Its schema, with what invariants add to it.
    pub catalog: &'m Catalog,
    /// The day, `2026-03-01`.
    pub today: &'m str,
}

/// Where a piece of SQL belongs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'m> {
    Query(&'m Query),
    /// With the number of the step, from 1.
    Step(&'m Command, usize),
    View(&'m str),
    Projection(&'m Projection),
}

/// A piece of SQL with what it touches.
#[derive(Debug)]
pub(super) struct Statement<'m> {
    pub owner: Owner<'m>,
    pub sql: &'m Text,
    pub at: Span,
    /// Absent where it could not be read.
    pub facts: Option<QueryFacts>,
    /// Planner hints in comments.
    pub hints: Vec<std::ops::Range<usize>>,
}

/// How rows of a table can be found without reading all of it.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub name: Ident,
    /// Leading keys; `None` for an expression.
    pub keys: Vec<Option<Ident>>,
    /// Columns in key expressions.
    pub expressions: BTreeSet<String>,
    /// Columns that a partial predicate asks about.
    pub predicate: BTreeSet<String>,
    /// Whether the predicate only leaves nulls of the keys out.
    pub whole: bool,
    pub unique: bool,
    pub method: String,
}

/// A design with what rules ask for again and again.
#[derive(Debug)]
pub(super) struct World<'m> {
    pub model: &'m Model,
    pub today: &'m str,
    pub statements: Vec<Statement<'m>>,
    access: HashMap<&'m str, Vec<Access>>,
    tenants: HashMap<&'m str, &'m Ident>,
    append_only: BTreeSet<&'m str>,
    stateful: BTreeSet<(&'m str, &'m str)>,
    projected: BTreeSet<&'m str>,
}

/// The tables of a design, for the reader of SQL.
struct Tables<'m> {
    schema: &'m str,
    columns: HashMap<&'m str, BTreeSet<&'m str>>,
}

impl Names for Tables<'_> {
    fn schema(&self) -> &str {
        self.schema
    }

    fn has_column(&self, table: &str, column: &str) -> Option<bool> {
        let columns = self.columns.get(table)?;
        Some(columns.contains(column))
    }
}

impl<'m> World<'m> {
    pub(super) fn new(inputs: &Inputs<'m>) -> World<'m> {
        let model = inputs.model;
        let access = model
            .tables
            .iter()
            .filter_map(|table| {
                let name = model.qualified(&table.name.ident);
                let stored = inputs.catalog.tables.get(&name)?;
                Some((table.name.as_str(), accesses(stored)))
            })
            .collect();
        let of = |pick: fn(&Rule) -> Option<&Ident>| {
            let rules = model.invariants.iter().map(|invariant| &invariant.rule);
            rules.filter_map(pick).map(Ident::as_str).collect()
        };
        World {
            model,
            today: inputs.today,
            statements: statements(model),
            access,
            tenants: tenants(model),
            append_only: of(|rule| match rule {
                Rule::AppendOnly { table, predicate } if predicate.is_none() => Some(&table.ident),
                _ => None,
            }),
            stateful: model
                .invariants
                .iter()
                .filter_map(|invariant| match &invariant.rule {
                    Rule::Transitions { table, column, .. } => {
                        Some((table.as_str(), column.as_str()))
                    }
                    _ => None,
                })
                .collect(),
            projected: model.projections.iter().map(|p| p.name.as_str()).collect(),
        }
    }

    /// Ways to rows of a table.
    pub(super) fn access(&self, table: &str) -> &[Access] {
        self.access.get(table).map_or(&[], Vec::as_slice)
    }

    /// The column that says whose rows a table holds.
    pub(super) fn tenant(&self, table: &str) -> Option<&'m Ident> {
        self.tenants.get(table).copied()
    }

    pub(super) fn is_append_only(&self, table: &str) -> bool {
        self.append_only.contains(table)
    }

    /// Whether an invariant says how a column moves.
    pub(super) fn has_transitions(&self, table: &str, column: &str) -> bool {
        self.stateful.contains(&(table, column))
    }

    /// Whether a table is a projection that the design describes as one.
    pub(super) fn is_projected(&self, table: &str) -> bool {
        self.projected.contains(table)
    }

    /// Labels of an enum, or the values that a column is restricted to.
    pub(super) fn values(&self, column: &'m crate::design::Column) -> Vec<&'m str> {
        let user_type = self.model.user_type(column.data_type.as_str().trim());
        match user_type.map(|user_type| &user_type.kind) {
            Some(UserTypeKind::Enum(labels)) => labels.iter().map(Text::as_str).collect(),
            _ => column.one_of.iter().map(Text::as_str).collect(),
        }
    }

    /// How many labels or listed values a column may take; 0 where that is not said.
    pub(super) fn labels(&self, column: &crate::design::Column) -> usize {
        let user_type = self.model.user_type(column.data_type.as_str().trim());
        match user_type.map(|user_type| &user_type.kind) {
            Some(UserTypeKind::Enum(labels)) => labels.len(),
            _ => column.one_of.len(),
        }
    }

    /// A type by its own name, through domains, lower case, without modifiers, arrays and needless blanks.
    pub(super) fn base_type(&self, declared: &str) -> String {
        let mut name = declared.trim().to_owned();
        // A domain over a domain over …; a circle is somebody else's finding.
        for _ in 0..8 {
            let domain = self.model.user_type(&name).map(|found| &found.kind);
            match domain {
                Some(UserTypeKind::Domain { base, .. }) => name = base.as_str().trim().to_owned(),
                Some(UserTypeKind::Enum(_)) => return "enum".to_owned(),
                None => break,
            }
        }
        let mut plain = String::new();
        let mut depth = 0usize;
        for c in name.to_lowercase().chars() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ if depth == 0 => plain.push(c),
                _ => {}
            }
        }
        let words: Vec<&str> = plain.split_whitespace().collect();
        let words = words.join(" ");
        words
            .strip_prefix("pg_catalog.")
            .unwrap_or(&words)
            .to_owned()
    }

    /// Whether a table is known to hold so little that reading all of it is no loss.
    pub(super) fn is_small(&self, table: &Table) -> bool {
        match &table.volume {
            Some(volume) => volume.rows + volume.grows * volume.horizon < 10_000.0,
            None => table.role == Some(TableRole::Reference),
        }
    }
}

fn tenants(model: &Model) -> HashMap<&str, &Ident> {
    let mut tenants: HashMap<&str, &Ident> = HashMap::new();
    for Invariant { rule, .. } in &model.invariants {
        if let Rule::Isolated { tables, by, .. } = rule {
            tenants.extend(tables.iter().map(|table| (table.as_str(), &by.ident)));
        }
    }
    for table in &model.tables {
        if let Some(tenant) = &table.tenant {
            tenants.insert(table.name.as_str(), &tenant.ident);
        }
    }
    tenants
}

fn statements(model: &Model) -> Vec<Statement<'_>> {
    let tables = Tables {
        schema: model.database.schema.as_str(),
        columns: model
            .tables
            .iter()
            .map(|table| {
                let columns = table.columns.iter().map(|column| column.name.as_str());
                (table.name.as_str(), columns.collect())
            })
            .collect(),
    };
    let mut statements = Vec::new();
    let mut read = |owner, sql, at| statements.push(statement(&tables, owner, sql, at));
    for query in &model.queries {
        read(Owner::Query(query), &query.sql, query.name.at);
    }
    for command in &model.commands {
        for (index, step) in command.steps.iter().enumerate() {
            if let StepKind::Sql { sql, .. } = &step.kind {
                read(Owner::Step(command, index + 1), sql, step.at);
            }
        }
    }
    for view in &model.views {
        let owner = Owner::View(view.name.as_str());
        read(owner, &view.sql, view.name.at);
    }
    for projection in &model.projections {
        let updates = projection
            .updated_by
            .as_ref()
            .and_then(|(_, sql)| sql.as_ref());
        for sql in projection.rebuild.iter().chain(updates) {
            read(Owner::Projection(projection), sql, projection.name.at);
        }
    }
    statements
}

fn statement<'m>(tables: &Tables<'_>, owner: Owner<'m>, sql: &'m Text, at: Span) -> Statement<'m> {
    Statement {
        owner,
        sql,
        at,
        facts: facts_in(sql.as_str(), tables),
        hints: hints(sql.as_str()),
    }
}

fn accesses(table: &Stored) -> Vec<Access> {
    let columns = |name: &Ident, columns: &[Ident]| Access {
        name: name.clone(),
        keys: columns.iter().cloned().map(Some).collect(),
        expressions: BTreeSet::new(),
        predicate: BTreeSet::new(),
        whole: true,
        unique: true,
        method: "btree".to_owned(),
    };
    let mut found = Vec::new();
    if let Some((name, key)) = &table.primary_key {
        found.push(columns(name, &key.columns));
    }
    found.extend(
        table
            .uniques
            .iter()
            .map(|(name, key)| columns(name, &key.columns)),
    );
    for (name, index) in &table.indexes {
        let expressions = index.keys.iter().filter(|key| key.column.is_none());
        let predicate = index.predicate.as_ref().map(|sql| sql.as_str());
        found.push(Access {
            name: name.clone(),
            keys: index.keys.iter().map(|key| key.column.clone()).collect(),
            expressions: expressions
                .flat_map(|key| columns_in(key.expression.as_str()))
                .collect(),
            predicate: predicate.map(columns_in).unwrap_or_default(),
            whole: predicate.is_none_or(|sql| leaves_nulls_out(sql, &index.keys)),
            unique: index.unique,
            method: index.method.as_str().to_owned(),
        });
    }
    for (name, exclusion) in &table.exclusions {
        let keys = exclusion.elements.iter().map(|(expression, operator)| {
            let word = expression.as_str();
            let name = crate::sql::fold(word);
            let known = table
                .columns
                .iter()
                .any(|column| column.name.as_str() == name);
            (known && operator == "=").then(|| Ident::new(name))
        });
        let predicate = exclusion.predicate.as_ref().map(|sql| sql.as_str());
        found.push(Access {
            name: name.clone(),
            keys: keys.collect(),
            expressions: exclusion
                .elements
                .iter()
                .flat_map(|(expression, _)| columns_in(expression.as_str()))
                .collect(),
            predicate: predicate.map(columns_in).unwrap_or_default(),
            whole: predicate.is_none(),
            unique: false,
            method: exclusion.method.as_str().to_owned(),
        });
    }
    found
}

/// Names of columns in an expression; functions and other words may be among them, which does no harm where the result is
/// compared with the columns of a table.
fn columns_in(expression: &str) -> BTreeSet<String> {
    use crate::sql::{TokenKind, fold, tokens};
    tokens(expression)
        .into_iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent))
        .map(|token| fold(token.text(expression)))
        .collect()
}

/// `a is not null` over keys of the index: every row that an equality could find is in it.
fn leaves_nulls_out(predicate: &str, keys: &[crate::catalog::IndexKey]) -> bool {
    let names: BTreeMap<&str, ()> = keys
        .iter()
        .filter_map(|key| Some((key.column.as_ref()?.as_str(), ())))
        .collect();
    columns_in(predicate).iter().all(|word| {
        matches!(word.as_str(), "is" | "not" | "null" | "and") || names.contains_key(word.as_str())
    })
}
