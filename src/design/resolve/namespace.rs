//! Names that PostgreSQL keeps in one drawer: two objects of a schema, or two constraints of a table, cannot share one.

use std::collections::BTreeMap;

use super::super::model::{
    Enforcement, InvariantKind, Model, Name, ProjectionKind, Rule, Table, ViewKind,
};
use super::context::Context;
use crate::finding::Finding;
use crate::source::Text;

/// Who has a name already.
#[derive(Default)]
struct Drawer<'m> {
    taken: BTreeMap<&'m str, (&'static str, &'m Name, &'m str)>,
}

impl<'m> Drawer<'m> {
    /// Puts a name in; says so where it is taken. `of` is the table it belongs to, if any.
    fn put(&mut self, cx: &Context<'_>, noun: &'static str, name: &'m Name, of: &'m str) {
        match self.taken.get(name.as_str()) {
            Some((other, first, _)) => duplicate(cx, noun, name, other, first),
            None => {
                self.taken.insert(name.as_str(), (noun, name, of));
            }
        }
    }
}

fn duplicate(cx: &Context<'_>, noun: &str, name: &Name, other: &str, first: &Name) {
    let subject = format!("{noun} {}", name.as_str());
    let message = format!("the name `{}` is taken by {other} already", name.as_str());
    let finding = Finding::error("duplicate-name", subject, message, name.at)
        .label(first.at, "taken here")
        .help("rename one of the two");
    cx.report(finding);
}

/// Judges all names of a design that PostgreSQL keeps together.
pub(super) fn check(cx: &Context<'_>, model: &Model) {
    let mut relations = Drawer::default();
    for table in &model.tables {
        relations.put(cx, "a table", &table.name, "");
    }
    for view in model
        .views
        .iter()
        .filter(|view| view.kind == ViewKind::View)
    {
        relations.put(cx, "a view", &view.name, "");
    }
    for projection in &model.projections {
        let is_declared = cx.symbols.tables.contains_key(projection.name.as_str())
            && projection.kind == ProjectionKind::Table;
        if projection.kind != ProjectionKind::External && !is_declared {
            relations.put(cx, "a projection", &projection.name, "");
        }
    }
    // A table brings a type of its own name, so these two share a drawer as well.
    let mut types = Drawer {
        taken: relations.taken.clone(),
    };
    for user_type in &model.types {
        types.put(cx, "a type", &user_type.name, "");
    }
    for table in &model.tables {
        of_table(cx, table, &mut relations);
    }
    // Statistics have a drawer of their own.
    let mut statistics = Drawer::default();
    for table in &model.tables {
        for made in &table.statistics {
            statistics.put(cx, "statistics", &made.name, table.name.as_str());
        }
    }
    derived(cx, model, &relations);
}

/// Indexes and constraints of one table.
fn of_table<'m>(cx: &Context<'_>, table: &'m Table, relations: &mut Drawer<'m>) {
    let own = table.name.as_str();
    let mut constraints = Drawer::default();
    for unique in &table.unique {
        relations.put(cx, "a unique constraint", &unique.name, own);
        constraints.put(cx, "a unique constraint", &unique.name, own);
    }
    for exclusion in &table.exclusions {
        relations.put(cx, "an exclusion constraint", &exclusion.name, own);
        constraints.put(cx, "an exclusion constraint", &exclusion.name, own);
    }
    for index in &table.indexes {
        relations.put(cx, "an index", &index.name, own);
    }
    for reference in &table.references {
        constraints.put(cx, "a reference", &reference.name, own);
    }
    for check in &table.checks {
        constraints.put(cx, "a check", &check.name, own);
    }
}

/// Names that invariants give to what is derived from them. A name that the same table declares is meant to be that object,
/// and two invariants may rest on one object.
fn derived(cx: &Context<'_>, model: &Model, relations: &Drawer<'_>) {
    let mut given: BTreeMap<&str, (&Name, String)> = BTreeMap::new();
    for invariant in &model.invariants {
        let Some(name) = &invariant.derived_name else {
            continue;
        };
        let object = object_of(&invariant.rule);
        match given.get(name.as_str()) {
            // What carries the key of an `idempotent` is a key that another invariant may state as well.
            Some((first, other)) if *other != object && !object.is_empty() && !other.is_empty() => {
                duplicate(
                    cx,
                    "an invariant's object",
                    name,
                    "another invariant's object",
                    first,
                );
            }
            Some(_) => {}
            None => {
                given.insert(name.as_str(), (name, object));
            }
        }
        let makes_index = invariant.enforced == Enforcement::Constraint
            && matches!(
                invariant.rule.kind(),
                InvariantKind::Unique
                    | InvariantKind::AtMostOne
                    | InvariantKind::ExactlyOne
                    | InvariantKind::NoOverlap
            );
        let Some((noun, first, of)) = relations.taken.get(name.as_str()) else {
            continue;
        };
        let table = super::rule::table_of(&invariant.rule);
        if makes_index && (of.is_empty() || table != Some(of)) {
            duplicate(cx, "an invariant's object", name, noun, first);
        }
    }
}

/// What is derived from a clause, as far as two clauses must be told apart; empty where that is another's object.
fn object_of(rule: &Rule) -> String {
    let unique = |table: &Name, columns: &[Name], predicate: &Option<Text>| {
        let mut columns: Vec<&str> = columns.iter().map(Name::as_str).collect();
        columns.sort_unstable();
        let predicate = predicate.as_ref().map_or("", Text::as_str);
        format!("unique {} {columns:?} {predicate}", table.as_str())
    };
    match rule {
        Rule::Idempotent { .. } => String::new(),
        Rule::Unique {
            table,
            columns,
            predicate,
        }
        | Rule::AtMostOne {
            table,
            per: columns,
            predicate,
        }
        | Rule::ExactlyOne {
            table,
            per: columns,
            predicate,
        } => unique(table, columns, predicate),
        other => format!("{:?} {:?}", other.kind(), super::rule::table_of(other)),
    }
}
