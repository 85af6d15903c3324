//! Rows that must come together in one transaction, because an invariant holds at its end: a required child, the one row
//! of a group, what balances a sum.

use std::collections::BTreeMap;

use super::evaluate::{Row, Value, evaluate};
use super::maker::{MOST, Maker, NewRow, Pending, Values, has};
use super::shape::Shape;
use super::solve::Candidate;
use crate::design::{Limit, Model, Name, Rule};
use crate::sql::{Comparison, Expression, Ident, parse_expression};

/// How often completing may add rows that need completing themselves.
const ROUNDS: usize = 6;

/// A rule that makes one row need others.
#[derive(Clone, Debug)]
pub(super) enum Companion {
    /// Every row of `parent` has a row in `child` that satisfies `predicate`.
    Child {
        parent: Ident,
        key: Vec<Ident>,
        child: Ident,
        columns: Vec<Ident>,
        predicate: Option<Expression>,
    },
    /// Rows of `table` that agree in `per` sum up to the target.
    Balance {
        table: Ident,
        per: Vec<Ident>,
        sum: Expression,
        target: Target,
        predicate: Option<Expression>,
    },
}

/// What a sum must be.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Number(f64),
    /// A column of the parent, found over these of its columns.
    Column {
        table: Ident,
        key: Vec<Ident>,
        column: Ident,
    },
}

fn idents(names: &[Name]) -> Vec<Ident> {
    names.iter().map(|name| name.ident.clone()).collect()
}

/// Reads the rules out of the design.
pub(super) fn companions(model: &Model, shapes: &BTreeMap<Ident, Shape>) -> Vec<Companion> {
    let read = |text: &Option<crate::source::Text>| {
        text.as_ref()
            .and_then(|text| parse_expression(text.as_str()))
    };
    let of = |rule: &Rule| match rule {
        Rule::RequiredChild { table, child, .. } => {
            let reference = shapes
                .get(&child.ident)?
                .references
                .iter()
                .find(|r| r.to == table.ident)?;
            Some(Companion::Child {
                parent: table.ident.clone(),
                key: reference.key.clone(),
                child: child.ident.clone(),
                columns: reference.columns.clone(),
                predicate: None,
            })
        }
        Rule::ExactlyOne {
            table,
            per,
            predicate,
        } => {
            let mut per = idents(per);
            per.sort();
            let of_parent = shapes
                .get(&table.ident)?
                .references
                .iter()
                .find(|reference| {
                    let mut columns = reference.columns.clone();
                    columns.sort();
                    columns == per
                });
            let (parent, key, columns) = match of_parent {
                Some(found) => (&found.to, &found.key, &found.columns),
                // A group that no parent stands for: every row of it needs the one.
                None => (&table.ident, &per, &per),
            };
            Some(Companion::Child {
                parent: parent.clone(),
                key: key.clone(),
                child: table.ident.clone(),
                columns: columns.clone(),
                predicate: read(predicate),
            })
        }
        Rule::Balanced {
            table,
            per,
            sum,
            equals,
            predicate,
        } => {
            let target = match equals {
                Limit::Number(text) => Target::Number(text.as_str().parse().ok()?),
                Limit::Column {
                    table: parent,
                    column,
                } => {
                    let references = &shapes.get(&table.ident)?.references;
                    let reference = references
                        .iter()
                        .find(|reference| reference.to == parent.ident)?;
                    let key = per.iter().map(|name| {
                        let at = reference
                            .columns
                            .iter()
                            .position(|column| *column == name.ident)?;
                        reference.key.get(at).cloned()
                    });
                    Target::Column {
                        table: parent.ident.clone(),
                        key: key.collect::<Option<_>>()?,
                        column: column.ident.clone(),
                    }
                }
            };
            let sum = parse_expression(sum.as_str())?;
            Some(Companion::Balance {
                table: table.ident.clone(),
                per: idents(per),
                sum,
                target,
                predicate: read(predicate),
            })
        }
        _ => None,
    };
    model
        .invariants
        .iter()
        .filter_map(|invariant| of(&invariant.rule))
        .collect()
}

/// Adds what is missing.
pub(super) fn complete(maker: &Maker, rows: &mut Vec<NewRow>) {
    let most = 2 * rows.len() + MOST;
    for round in 0..ROUNDS {
        let before = rows.len();
        for at in 0..before {
            if rows.len() >= most {
                return;
            }
            for companion in &maker.companions {
                let distinct = at as u64 + 100 * (round as u64 + 1);
                match companion {
                    Companion::Child { .. } => add_child(maker, rows, at, companion, distinct),
                    Companion::Balance { .. } => add_balance(maker, rows, at, companion, distinct),
                };
            }
        }
        if rows.len() == before {
            break;
        }
    }
}

fn add_child(
    maker: &Maker,
    rows: &mut Vec<NewRow>,
    at: usize,
    companion: &Companion,
    distinct: u64,
) -> Option<()> {
    let Companion::Child {
        parent,
        key,
        child,
        columns,
        predicate,
    } = companion
    else {
        return None;
    };
    if rows[at].table != *parent {
        return None;
    }
    let values: Option<Values> = key
        .iter()
        .zip(columns)
        .map(|(key, column)| Some((column.clone(), Some(maker.known(&rows[at], key)?))))
        .collect();
    let values = values?;
    let there = rows.iter().any(|row| {
        row.table == *child
            && has(row, &values)
            && predicate
                .as_ref()
                .is_none_or(|p| passes(maker, row, p) != Some(false))
    });
    if !there {
        let extra: Vec<Expression> = predicate
            .iter()
            .map(|p| Expression::IsTrue(Box::new(p.clone())))
            .collect();
        maker.add_with(
            rows,
            &mut Pending::beside(rows),
            child,
            &values,
            &extra,
            distinct,
        )?;
    }
    Some(())
}

fn add_balance(
    maker: &Maker,
    rows: &mut Vec<NewRow>,
    at: usize,
    companion: &Companion,
    distinct: u64,
) -> Option<()> {
    let Companion::Balance {
        table,
        per,
        sum,
        target,
        predicate,
    } = companion
    else {
        return None;
    };
    if rows[at].table != *table {
        return None;
    }
    let group: Option<Values> = per
        .iter()
        .map(|name| Some((name.clone(), Some(maker.known(&rows[at], name)?))))
        .collect();
    let group = group?;
    let mut total = 0.0;
    for row in rows
        .iter()
        .filter(|row| row.table == *table && has(row, &group))
    {
        if predicate
            .as_ref()
            .is_none_or(|p| passes(maker, row, p) == Some(true))
        {
            total += number(maker, row, sum)?;
        }
    }
    let missing = match target {
        Target::Number(number) => number - total,
        Target::Column { table, key, column } => {
            let key: Values = key
                .iter()
                .cloned()
                .zip(group.iter().map(|(_, value)| value.clone()))
                .collect();
            let parent = rows
                .iter()
                .find(|row| row.table == *table && has(row, &key))?;
            number(maker, parent, &Expression::Column(column.clone()))? - total
        }
    };
    if missing != 0.0 {
        let wanted = Expression::Number(missing.to_string());
        let mut extra = vec![Expression::Compare(
            Comparison::Equal,
            Box::new(sum.clone()),
            Box::new(wanted),
        )];
        // The summand is seldom compared with constants, so the values that could make up for it are named here.
        for name in sum.columns() {
            for value in [missing, -missing] {
                extra.push(hint(&name, value));
            }
        }
        extra.extend(
            predicate
                .iter()
                .map(|p| Expression::IsTrue(Box::new(p.clone()))),
        );
        // It hangs on the same parents, with all columns that lead there.
        let mut given = group.clone();
        let references = maker
            .shapes
            .get(table)
            .map(|shape| shape.references.as_slice());
        for reference in references.unwrap_or_default() {
            if !reference.columns.iter().any(|column| per.contains(column)) {
                continue;
            }
            for column in reference
                .columns
                .iter()
                .filter(|column| !per.contains(column))
            {
                given.push((column.clone(), maker.known(&rows[at], column)));
            }
        }
        maker.add_with(
            rows,
            &mut Pending::beside(rows),
            table,
            &given,
            &extra,
            distinct,
        )?;
    }
    Some(())
}

/// A condition that always holds and mentions a value for a column.
fn hint(column: &Ident, value: f64) -> Expression {
    let same = Expression::In(
        Box::new(Expression::Column(column.clone())),
        vec![Expression::Number(value.to_string())],
    );
    Expression::Or(Box::new(Expression::Bool(true)), Box::new(same))
}

/// What a parent that is made for `child` must have so that a sum over its children comes out right.
pub(super) fn wanted_of_parent(maker: &Maker, child: &NewRow, parent: &Ident) -> Values {
    let wanted = |companion: &Companion| match companion {
        Companion::Balance {
            table,
            sum,
            target: Target::Column {
                table: of, column, ..
            },
            ..
        } if *table == child.table && of == parent => {
            Some((column.clone(), Some(number(maker, child, sum)?.to_string())))
        }
        _ => None,
    };
    maker.companions.iter().filter_map(wanted).collect()
}

fn row_values(maker: &Maker, row: &NewRow) -> Row {
    let Some(shape) = maker.shapes.get(&row.table) else {
        return Row::new();
    };
    let value = |column: &super::shape::Column| match row.value(&column.name) {
        Some(text) => Candidate::given(text.clone(), &column.kind).value,
        None => maker
            .known(row, &column.name)
            .map_or(Value::Unknown, |text| {
                Value::read(Some(&text), &column.kind)
            }),
    };
    shape
        .columns
        .iter()
        .map(|column| (column.name.clone(), value(column)))
        .collect()
}

fn passes(maker: &Maker, row: &NewRow, predicate: &Expression) -> Option<bool> {
    match evaluate(predicate, &row_values(maker, row)) {
        Value::Bool(value) => Some(value),
        Value::Null => Some(false),
        _ => None,
    }
}

fn number(maker: &Maker, row: &NewRow, expression: &Expression) -> Option<f64> {
    match evaluate(expression, &row_values(maker, row)) {
        Value::Number(number) => Some(number),
        Value::Null => Some(0.0),
        _ => None,
    }
}
