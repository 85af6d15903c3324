//! What a rule looks at, one at a time: its name in messages, and its places.

use super::rule::SubjectKind;
use super::world::{Owner, Statement};
use crate::design::{
    Column, Command, ForeignKey, Index, Invariant, Model, Projection, Query, Table,
};
use crate::source::{Span, Text};

/// One thing that a rule looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'m> {
    Design(&'m Model),
    Table(&'m Table),
    Column(&'m Table, &'m Column),
    Reference(&'m Table, &'m ForeignKey),
    Index(&'m Table, &'m Index),
    Query(&'m Query),
    Statement(&'m Statement<'m>),
    Invariant(&'m Invariant),
    Command(&'m Command),
    Projection(&'m Projection),
}

impl SubjectKind {
    /// Places that a rule may show: the subject, and parts of it.
    pub(super) fn places(self) -> &'static [&'static str] {
        match self {
            SubjectKind::Design => &["design", "document"],
            SubjectKind::Table => &["table", "table.grain", "table.key"],
            SubjectKind::Column => &["column", "column.type", "table"],
            SubjectKind::Reference => &["reference", "reference.to", "table"],
            SubjectKind::Index => &["index", "table"],
            SubjectKind::Query => &["query", "query.sql"],
            SubjectKind::Statement => &[
                "statement",
                "statement.star",
                "statement.offset",
                "statement.hint",
            ],
            SubjectKind::Invariant => &["invariant", "invariant.enforced", "invariant.kind"],
            SubjectKind::Command => &["command"],
            SubjectKind::Projection => &["projection"],
            SubjectKind::Migration => &["migration"],
        }
    }
}

fn place(text: Option<&Text>, otherwise: Span) -> Span {
    text.map_or(otherwise, Text::at)
}

impl<'m> Subject<'m> {
    pub(super) fn kind(&self) -> SubjectKind {
        match self {
            Subject::Design(_) => SubjectKind::Design,
            Subject::Table(_) => SubjectKind::Table,
            Subject::Column(..) => SubjectKind::Column,
            Subject::Reference(..) => SubjectKind::Reference,
            Subject::Index(..) => SubjectKind::Index,
            Subject::Query(_) => SubjectKind::Query,
            Subject::Statement(_) => SubjectKind::Statement,
            Subject::Invariant(_) => SubjectKind::Invariant,
            Subject::Command(_) => SubjectKind::Command,
            Subject::Projection(_) => SubjectKind::Projection,
        }
    }

    /// `table orders / column customer_id`: with the code it makes the fingerprint.
    pub(super) fn name(&self) -> String {
        let of = |table: &Table, kind: &str, name: &str| {
            format!("table {} / {kind} {name}", table.name.as_str())
        };
        match self {
            Subject::Design(model) => format!("design {}", model.name.as_str()),
            Subject::Table(table) => format!("table {}", table.name.as_str()),
            Subject::Column(table, column) => of(table, "column", column.name.as_str()),
            Subject::Reference(table, key) => of(table, "reference", key.name.as_str()),
            Subject::Index(table, index) => of(table, "index", index.name.as_str()),
            Subject::Query(query) => format!("query {}", query.name.as_str()),
            Subject::Statement(statement) => match statement.owner {
                Owner::Query(query) => format!("query {}", query.name.as_str()),
                Owner::Step(command, step) => {
                    format!("command {} / step {step}", command.name.as_str())
                }
                Owner::View(view) => format!("view {view}"),
                Owner::Projection(projection) => {
                    format!("projection {}", projection.name.as_str())
                }
            },
            Subject::Invariant(invariant) => format!("invariant {}", invariant.name.as_str()),
            Subject::Command(command) => format!("command {}", command.name.as_str()),
            Subject::Projection(projection) => {
                format!("projection {}", projection.name.as_str())
            }
        }
    }

    /// Where one of [`SubjectKind::places`] stands; the subject itself where the part is not written.
    pub(super) fn at(&self, part: &str) -> Span {
        match (self, part) {
            (Subject::Design(model), "document") => model
                .section("document")
                .map_or(model.name.at, |section| section.at),
            (Subject::Design(model), _) => model.name.at,
            (Subject::Table(table), "table.grain") => place(table.grain.as_ref(), table.name.at),
            (Subject::Table(table), "table.key") => table.key_at,
            (
                Subject::Table(table)
                | Subject::Column(table, _)
                | Subject::Reference(table, _)
                | Subject::Index(table, _),
                "table",
            ) => table.name.at,
            (Subject::Table(table), _) => table.name.at,
            (Subject::Column(_, column), "column.type") => column.data_type.at(),
            (Subject::Column(_, column), _) => column.name.at,
            (Subject::Reference(_, key), "reference.to") => key.to.at,
            (Subject::Reference(_, key), _) => key.name.at,
            (Subject::Index(_, index), _) => index.name.at,
            (Subject::Query(query), "query.sql") => query.sql.at(),
            (Subject::Query(query), _) => query.name.at,
            (Subject::Statement(statement), part) => statement_place(statement, part),
            (Subject::Invariant(invariant), "invariant.enforced") => {
                invariant.enforced_at.unwrap_or(invariant.name.at)
            }
            (Subject::Invariant(invariant), "invariant.kind") => invariant.rule_at,
            (Subject::Invariant(invariant), _) => invariant.name.at,
            (Subject::Command(command), _) => command.name.at,
            (Subject::Projection(projection), _) => projection.name.at,
        }
    }
}

fn statement_place(statement: &Statement, part: &str) -> Span {
    let facts = statement.facts.as_ref();
    let range = match part {
        "statement.star" => facts.and_then(|facts| facts.select_star.clone()),
        "statement.offset" => facts.and_then(|facts| facts.offset.clone()),
        "statement.hint" => statement.hints.first().cloned(),
        _ => None,
    };
    range.map_or(statement.at, |range| statement.sql.part(range))
}

/// Everything there is to look at, in the order of the design.
pub(super) fn subjects<'m>(
    kind: SubjectKind,
    model: &'m Model,
    statements: &'m [Statement<'m>],
) -> Vec<Subject<'m>> {
    let tables = &model.tables;
    match kind {
        SubjectKind::Design => vec![Subject::Design(model)],
        SubjectKind::Table => tables.iter().map(Subject::Table).collect(),
        SubjectKind::Column => each(tables, |t| &t.columns, Subject::Column),
        SubjectKind::Reference => each(tables, |t| &t.references, Subject::Reference),
        SubjectKind::Index => each(tables, |t| &t.indexes, Subject::Index),
        SubjectKind::Query => model.queries.iter().map(Subject::Query).collect(),
        SubjectKind::Statement => statements.iter().map(Subject::Statement).collect(),
        SubjectKind::Invariant => model.invariants.iter().map(Subject::Invariant).collect(),
        SubjectKind::Command => model.commands.iter().map(Subject::Command).collect(),
        SubjectKind::Projection => model.projections.iter().map(Subject::Projection).collect(),
        // These are no part of a design: `migrations` looks at them.
        SubjectKind::Migration => Vec::new(),
    }
}

fn each<'m, T>(
    tables: &'m [Table],
    of: fn(&Table) -> &Vec<T>,
    make: fn(&'m Table, &'m T) -> Subject<'m>,
) -> Vec<Subject<'m>> {
    tables
        .iter()
        .flat_map(|table| of(table).iter().map(move |item| make(table, item)))
        .collect()
}
