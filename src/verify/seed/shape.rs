//! A table as the maker of rows sees it: kinds, keys, references and conditions in one place.

use std::collections::{BTreeMap, BTreeSet};

use super::apart::{Apart, apart};
use super::joint::Together;
use super::kind::{Defined, Kind, Typed};
use crate::catalog::{self, Catalog, ColumnDefault, PartitionBound, UserType};
use crate::design::{Data, Enforcement, Limit, Model, Overlap, Rule};
use crate::sql::{Expression, Ident, QualifiedName, parse_expression, quote_ident};

/// Where a value comes from when a row names none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Default {
    None,
    /// A constant, as text.
    Constant(String),
    /// Something the server works out.
    Computed,
    /// From a sequence.
    Sequence,
    /// GENERATED ALWAYS AS (…): may not be given.
    Generated,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: Ident,
    pub kind: Kind,
    pub nullable: bool,
    pub default: Default,
    /// Part of a key, so that rows must differ in it.
    pub keyed: bool,
    /// Whether rows of another table are counted or added up against it.
    pub limits: bool,
    /// Values the design allows, best first; empty where it does not say.
    pub allowed: Vec<String>,
    pub data: Data,
}

/// A reference to a parent.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub columns: Vec<Ident>,
    pub to: Ident,
    pub key: Vec<Ident>,
    /// The how manieth reference to the same parent: each takes a parent of its own.
    pub nth: u64,
}

/// The lifecycle of a table's state column.
#[derive(Clone, Debug)]
pub(super) struct Lifecycle {
    pub column: Ident,
    pub initial: Vec<String>,
    pub allow: BTreeMap<String, Vec<String>>,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub name: QualifiedName,
    pub columns: Vec<Column>,
    pub primary_key: Vec<Ident>,
    pub references: Vec<Reference>,
    pub checks: Vec<Expression>,
    /// Sets of columns in which rows must differ, whether or not only some rows do.
    pub keys: Vec<Vec<Ident>>,
    /// Intervals that may not overlap.
    pub apart: Vec<Apart>,
    pub lifecycle: Option<Lifecycle>,
    /// Rows that the design declares.
    pub rows: f64,
    pub together: Vec<Together>,
}

impl Shape {
    pub(super) fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }
}

/// Reads every table of a catalog, with what the model knows beyond it.
pub(super) fn shapes(model: &Model, catalog: &Catalog) -> BTreeMap<Ident, Shape> {
    let mut shapes: BTreeMap<Ident, Shape> = catalog
        .tables
        .iter()
        .map(|(name, table)| (name.name.clone(), shape(name, table, model, catalog)))
        .collect();
    let referenced: Vec<(Ident, Ident)> = shapes
        .values()
        .flat_map(|shape| &shape.references)
        .flat_map(|reference| {
            reference
                .key
                .iter()
                .map(|column| (reference.to.clone(), column.clone()))
        })
        .collect();
    for (table, column) in referenced {
        let column = shapes
            .get_mut(&table)
            .and_then(|shape| shape.columns.iter_mut().find(|c| c.name == column));
        if let Some(column) = column {
            column.keyed = true;
        }
    }
    shapes
}

fn shape(name: &QualifiedName, table: &catalog::Table, model: &Model, catalog: &Catalog) -> Shape {
    let mut checks: Vec<Expression> = table
        .checks
        .values()
        .filter_map(|check| parse_expression(check.expression.as_str()))
        .collect();
    let mut apart: Vec<Apart> = table.exclusions.values().filter_map(apart).collect();
    let ruled = apart_by_trigger(model, &name.name);
    let mut keyed = keyed_columns(table);
    for rule in &ruled {
        keyed.extend(
            rule.same
                .iter()
                .chain([&rule.from])
                .chain(&rule.to)
                .cloned(),
        );
    }
    apart.extend(ruled);
    let lifecycle = lifecycle(&name.name, model);
    let declared = model.table(&name.name);
    let columns = table
        .columns
        .iter()
        .map(|column| {
            let typed = Typed::read(column.data_type.as_str(), &|name| defined(name, catalog));
            checks.extend(
                typed
                    .checks
                    .iter()
                    .filter_map(|check| over_column(check, &column.name)),
            );
            let declared = declared.and_then(|table| table.column(&column.name));
            let states = lifecycle
                .as_ref()
                .filter(|states| states.column == column.name);
            let allowed = match (states, declared, &typed.kind) {
                (Some(states), ..) if !states.initial.is_empty() => states.initial.clone(),
                (_, Some(declared), _) if !declared.one_of.is_empty() => declared
                    .one_of
                    .iter()
                    .map(|value| value.as_str().to_owned())
                    .collect(),
                (.., Kind::Enum(labels)) => labels.clone(),
                _ => Vec::new(),
            };
            Column {
                nullable: column.nullable,
                default: default(column),
                keyed: keyed.contains(&column.name),
                limits: limits(model, &name.name, &column.name),
                allowed,
                data: declared
                    .map(|declared| declared.data.clone())
                    .unwrap_or_default(),
                kind: typed.kind,
                name: column.name.clone(),
            }
        })
        .collect();
    checks.extend(partition_check(table));
    let table_of = model.table(&name.name);
    let rows = table_of.map_or(0.0, crate::design::Table::rows);
    let statistics = table_of.into_iter().flat_map(|table| &table.statistics);
    let together = statistics.filter_map(|made| {
        let distinct = made.distinct?;
        Some(Together {
            columns: made.columns.iter().map(|name| name.ident.clone()).collect(),
            distinct: if distinct < 1.0 {
                distinct * rows
            } else {
                distinct
            },
        })
    });
    let together = together.collect();
    Shape {
        name: name.clone(),
        columns,
        primary_key: table
            .primary_key
            .iter()
            .flat_map(|(_, key)| key.columns.clone())
            .collect(),
        references: references(name, table, model),
        checks,
        keys: keys(table),
        apart,
        lifecycle,
        rows,
        together,
    }
}

/// What a trigger keeps apart as an exclusion would. Nothing else does so before it is raced.
fn apart_by_trigger(model: &Model, of: &Ident) -> Vec<Apart> {
    let rules = model.invariants.iter();
    let rules = rules.filter(|invariant| invariant.enforced == Enforcement::Trigger);
    let found = rules.filter_map(|invariant| match &invariant.rule {
        Rule::NoOverlap {
            table,
            per,
            interval,
            ..
        } if table.ident == *of => {
            let (from, to) = match interval {
                Overlap::Period(column) => (&column.ident, None),
                Overlap::FromTo(from, to) => (&from.ident, Some(to.ident.clone())),
            };
            Some(Apart {
                same: per.iter().map(|name| name.ident.clone()).collect(),
                from: from.clone(),
                to,
            })
        }
        _ => None,
    });
    found.collect()
}

fn limits(model: &Model, of: &Ident, name: &Ident) -> bool {
    model.invariants.iter().any(|invariant| {
        matches!(
            &invariant.rule,
            Rule::AtMost { limit: Limit::Column { table, column }, .. }
                if table.ident == *of && column.ident == *name
        )
    })
}

fn keys(table: &catalog::Table) -> Vec<Vec<Ident>> {
    let constraints = table
        .primary_key
        .iter()
        .map(|(_, key)| key)
        .chain(table.uniques.values());
    let indexes = table.indexes.values().filter(|index| index.unique);
    let indexed = indexes.filter_map(|index| {
        index
            .keys
            .iter()
            .map(|key| key.column.clone())
            .collect::<Option<Vec<_>>>()
    });
    constraints
        .map(|key| key.columns.clone())
        .chain(indexed)
        .collect()
}

fn keyed_columns(table: &catalog::Table) -> BTreeSet<Ident> {
    let constraints = table
        .primary_key
        .iter()
        .map(|(_, key)| key)
        .chain(table.uniques.values());
    let unique = table.indexes.values().filter(|index| index.unique);
    let excluded = table
        .exclusions
        .values()
        .flat_map(|exclusion| &exclusion.elements);
    constraints
        .flat_map(|key| key.columns.iter().cloned())
        .chain(unique.flat_map(|index| index.keys.iter().filter_map(|key| key.column.clone())))
        .chain(excluded.flat_map(|(expression, _)| {
            parse_expression(expression.as_str())
                .map(|e| e.columns())
                .unwrap_or_default()
        }))
        .collect()
}

/// What values a type of the design or of PostgreSQL has.
pub(super) fn kind_of(data_type: &str, catalog: &Catalog) -> Kind {
    Typed::read(data_type, &|name| defined(name, catalog)).kind
}

fn defined(name: &str, catalog: &Catalog) -> Option<Defined> {
    let (_, (found, _)) = catalog
        .types
        .iter()
        .find(|(known, _)| known.name.as_str() == name)?;
    Some(match found {
        UserType::Enum(labels) => Defined::Enum(labels.clone()),
        UserType::Domain { base, checks } => Defined::Domain {
            base: base.as_str().to_owned(),
            checks: checks
                .values()
                .map(|check| check.expression.as_str().to_owned())
                .collect(),
        },
    })
}

/// A domain's condition over `value` as one over a column.
fn over_column(check: &Expression, column: &Ident) -> Option<Expression> {
    let mut renamed = check.clone();
    rename(&mut renamed, &Ident::new("value"), column);
    renamed.columns().contains(column).then_some(renamed)
}

fn rename(expression: &mut Expression, from: &Ident, to: &Ident) {
    use Expression::*;
    match expression {
        Column(name) if name == from => *name = to.clone(),
        Opaque(columns) => {
            if columns.remove(from) {
                columns.insert(to.clone());
            }
        }
        Not(a)
        | IsNull(a)
        | IsTrue(a)
        | Negative(a)
        | Cast(a, _)
        | Like(a, ..)
        | Matches(a, ..) => rename(a, from, to),
        And(a, b) | Or(a, b) | Compare(_, a, b) | Same(a, b) | Arithmetic(_, a, b) => {
            rename(a, from, to);
            rename(b, from, to);
        }
        In(a, list) => {
            rename(a, from, to);
            list.iter_mut().for_each(|item| rename(item, from, to));
        }
        Call(_, list) => list.iter_mut().for_each(|item| rename(item, from, to)),
        Case(arms, otherwise) => {
            for (condition, result) in arms {
                rename(condition, from, to);
                rename(result, from, to);
            }
            if let Some(otherwise) = otherwise {
                rename(otherwise, from, to);
            }
        }
        Column(_) | Null | Bool(_) | Number(_) | Text(_) | Interval(_) => {}
    }
}

fn default(column: &catalog::Column) -> Default {
    match &column.default {
        None => match column.data_type.as_str().to_lowercase().trim() {
            "serial" | "bigserial" | "smallserial" => Default::Sequence,
            _ => Default::None,
        },
        Some(ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault) => Default::Sequence,
        Some(ColumnDefault::Generated(_)) => Default::Generated,
        Some(ColumnDefault::Expression(text)) => match constant(parse_expression(text.as_str())) {
            Some(constant) => Default::Constant(constant),
            None if text.as_str().to_lowercase().contains("nextval") => Default::Sequence,
            None => Default::Computed,
        },
    }
}

fn constant(expression: Option<Expression>) -> Option<String> {
    match expression? {
        Expression::Bool(value) => Some(value.to_string()),
        Expression::Number(digits) => Some(digits),
        Expression::Text(text) => Some(text),
        Expression::Cast(inner, _) => constant(Some(*inner)),
        _ => None,
    }
}

/// Foreign keys, and what the design says about parents without one.
fn references(name: &QualifiedName, table: &catalog::Table, model: &Model) -> Vec<Reference> {
    let idents = |names: &[crate::design::Name]| -> Vec<Ident> {
        names.iter().map(|name| name.ident.clone()).collect()
    };
    let keys = table
        .foreign_keys
        .values()
        .map(|key| (key.columns.clone(), key.table.name.clone(), key.key.clone()));
    let ruled = model
        .invariants
        .iter()
        .filter_map(|invariant| match &invariant.rule {
            Rule::References {
                table: of,
                columns,
                to,
                key,
                ..
            } if of.ident == name.name => Some((idents(columns), to.ident.clone(), idents(key))),
            _ => None,
        });
    let mut found: Vec<Reference> = Vec::new();
    for (columns, to, key) in keys.chain(ruled) {
        let same = |other: &Reference| other.columns == columns && other.to == to;
        if found.iter().any(same) || columns.len() != key.len() {
            continue;
        }
        let nth = found.iter().filter(|other| other.to == to).count() as u64;
        found.push(Reference {
            columns,
            to,
            key,
            nth,
        });
    }
    found
}

fn lifecycle(table: &Ident, model: &Model) -> Option<Lifecycle> {
    model
        .invariants
        .iter()
        .find_map(|invariant| match &invariant.rule {
            Rule::Transitions {
                table: of,
                column,
                initial,
                allow,
                ..
            } if of.ident == *table => {
                let text = |value: &crate::source::Text| value.as_str().to_owned();
                Some(Lifecycle {
                    column: column.ident.clone(),
                    initial: initial.iter().map(text).collect(),
                    allow: allow
                        .iter()
                        .map(|(from, to)| (text(from), to.iter().map(text).collect()))
                        .collect(),
                })
            }
            _ => None,
        })
}

/// What the partitions there are demand of the partition column.
fn partition_check(table: &catalog::Table) -> Option<Expression> {
    let partitioning = table.partitioning.as_ref()?;
    let column = quote_ident(&partitioning.column);
    let mut alternatives = Vec::new();
    for partition in &partitioning.partitions {
        let text = match &partition.bound {
            PartitionBound::Range(from, to) => format!("{column} >= {from} AND {column} < {to}"),
            PartitionBound::List(values) => {
                let values: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
                format!("{column} IN ({})", values.join(", "))
            }
            PartitionBound::Hash(..) | PartitionBound::Default => continue,
        };
        alternatives.extend(parse_expression(&text));
    }
    alternatives
        .into_iter()
        .reduce(|a, b| Expression::Or(Box::new(a), Box::new(b)))
}
