//! The edges of conditions: the value of a parameter at which a comparison of a statement, of a `require:`, of a CHECK or of a limit comes
//! out just so, and those next to it; and rows that stand at the edge of a constant. Chance seldom meets them, and races need them: of two
//! who each take exactly what is left one is too many.

use super::argument::Arguments;
use super::reset::{Snapshot, Stored};
use crate::catalog::Catalog;
use crate::design::{Capture, Command, Condition, Limit, Model, Operand, Operator, Rule, StepKind};
use crate::sql::{Ident, Sum, Sums, Term, compared_sums, sums, without};

/// Decimals that are reckoned with.
const SCALE: usize = 6;
/// Rows of a group that are made for a limit on their number.
const MOST_ROWS: i64 = 6;

/// Sums that are zero where a condition of the command, or one on what it writes, tips over.
pub(super) fn edges(command: &Command, model: &Model, catalog: &Catalog) -> Vec<Sum> {
    let mut found = Vec::new();
    let mut answers: Vec<(Ident, Sums)> = Vec::new();
    for step in &command.steps {
        match &step.kind {
            StepKind::Sql { sql, capture } => {
                let read = sums(sql.as_str());
                found.extend(read.compared.clone());
                for (table, column, sum) in &read.written {
                    found.extend(refused(model, catalog, (table, column), sum));
                }
                answers.extend(capture.clone().map(|capture| (capture, read)));
            }
            StepKind::Require { condition, .. } => required(condition, &mut found),
        }
    }
    let resolved = found.into_iter().filter_map(|sum| resolved(sum, &answers));
    let mut edges: Vec<Sum> = Vec::new();
    for sum in resolved {
        if !edges.contains(&sum) {
            edges.push(sum);
        }
    }
    edges
}

/// What conditions say about a column that becomes this.
fn refused(
    model: &Model,
    catalog: &Catalog,
    (table, column): (&Ident, &Ident),
    becomes: &Sum,
) -> Vec<Sum> {
    let is_it = |term: &Term| matches!(term, Term::Column(tables, name) if tables.contains(table) && name == column);
    let mut found = Vec::new();
    for sum in conditions(model, catalog, table) {
        if sum.iter().any(|(_, term)| is_it(term)) {
            let parts = sum
                .into_iter()
                .flat_map(|(minus, term)| match is_it(&term) {
                    true => becomes
                        .iter()
                        .map(|(m, t)| (*m != minus, t.clone()))
                        .collect(),
                    false => vec![(minus, term)],
                });
            found.push(parts.collect());
        }
    }
    for invariant in &model.invariants {
        if let Rule::AtMost {
            table: of,
            sum: Some(summed),
            limit,
            ..
        } = &invariant.rule
            && of.ident == *table
            && summed.as_str().trim().eq_ignore_ascii_case(column.as_str())
        {
            let limit = match limit {
                Limit::Number(number) => Term::Number(number.as_str().trim().to_owned()),
                Limit::Column { table, column } => {
                    Term::Column(vec![table.ident.clone()], column.ident.clone())
                }
            };
            let mut sum = without(becomes.clone(), vec![(false, limit)]);
            sum.push((false, Term::Sum(vec![table.clone()], column.clone())));
            found.push(sum);
        }
    }
    found
}

/// Comparisons that every row of a table meets, or has to.
fn conditions(model: &Model, catalog: &Catalog, table: &Ident) -> Vec<Sum> {
    let tables = catalog
        .tables
        .iter()
        .filter(|(name, _)| name.name == *table);
    let checks = tables.flat_map(|(_, found)| found.checks.values());
    let checks = checks.map(|check| check.expression.as_str().to_owned());
    let claimed = model
        .invariants
        .iter()
        .filter_map(|invariant| match &invariant.rule {
            Rule::Check { table: of, is, .. } if of.ident == *table => Some(is.as_str().to_owned()),
            _ => None,
        });
    let all = checks.chain(claimed);
    all.flat_map(|condition| compared_sums(&condition, table))
        .collect()
}

fn required(condition: &Condition, found: &mut Vec<Sum>) {
    match condition {
        Condition::And(left, right) | Condition::Or(left, right) => {
            required(left, found);
            required(right, found);
        }
        Condition::Not(inner) => required(inner, found),
        Condition::Compare(
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual,
            left,
            right,
        ) => {
            let side = |operand| {
                let mut sum = Sum::new();
                operated(operand, false, &mut sum).map(|()| sum)
            };
            if let (Some(left), Some(right)) = (side(left), side(right)) {
                found.push(without(left, right));
            }
        }
        _ => {}
    }
}

fn operated(operand: &Operand, minus: bool, sum: &mut Sum) -> Option<()> {
    let term = match operand {
        Operand::Number(number) => Term::Number(number.clone()),
        Operand::Param(name) => Term::Param(name.as_str().to_owned()),
        Operand::Capture(Capture::Column(of, column)) => {
            Term::Param(format!("{}.{}", of.as_str(), column.as_str()))
        }
        Operand::Add(left, right) => {
            operated(left, minus, sum)?;
            return operated(right, minus, sum);
        }
        Operand::Subtract(left, right) => {
            operated(left, minus, sum)?;
            return operated(right, !minus, sum);
        }
        _ => return None,
    };
    sum.push((minus, term));
    Some(())
}

/// With what statements answer in place of what was captured.
fn resolved(sum: Sum, answers: &[(Ident, Sums)]) -> Option<Sum> {
    let mut out = Sum::new();
    for (minus, term) in sum {
        let Term::Param(name) = &term else {
            out.push((minus, term));
            continue;
        };
        let Some((of, column)) = name.split_once('.') else {
            out.push((minus, term));
            continue;
        };
        let (_, read) = answers
            .iter()
            .rev()
            .find(|(known, _)| known.as_str() == of)?;
        let mut named = read.answered.iter();
        let (_, answer) = named.find(|(known, _)| known.as_str() == column)?;
        out.extend(answer.iter().map(|(m, term)| (*m != minus, term.clone())));
    }
    // One of another capture would have to be looked for again.
    let is_open =
        |(_, term): &(bool, Term)| matches!(term, Term::Param(name) if name.contains('.'));
    (!out.iter().any(is_open)).then_some(out)
}

/// Values of a parameter at which a sum is zero, one less and one more, where all else is as `set` and the rows that it means say.
pub(super) fn values(sum: &Sum, param: &str, snapshot: &Snapshot, set: &Arguments) -> Vec<String> {
    let (mut factor, mut rest, mut decimals) = (0, 0, 0);
    for (minus, term) in sum {
        let sign = if *minus { -1 } else { 1 };
        if matches!(term, Term::Param(name) if name == param) {
            factor += sign;
            continue;
        }
        let Some((value, exact)) = value(term, snapshot, set) else {
            return Vec::new();
        };
        rest += sign * value;
        decimals = decimals.max(exact);
    }
    if factor == 0 {
        return Vec::new();
    }
    let step = 10i128.pow((SCALE - decimals) as u32);
    let edge = -rest / factor;
    [edge, edge - step, edge + step]
        .map(|value| shown(value, decimals))
        .to_vec()
}

/// A term's value in millionths, and how many decimals it has.
fn value(term: &Term, snapshot: &Snapshot, set: &Arguments) -> Option<(i128, usize)> {
    match term {
        Term::Number(number) => decimal(number),
        Term::Param(name) => decimal(set.get(&Ident::from(name.as_str()))?.as_deref()?),
        Term::Column(tables, column) => {
            let (stored, at) = place(snapshot, tables, column)?;
            let rows = stored.rows.iter().rev();
            let row = rows.max_by_key(|row| shared(row, set))?;
            decimal(row.get(at)?.as_deref()?)
        }
        Term::Sum(tables, column) => {
            let (stored, at) = place(snapshot, tables, column)?;
            let rows = stored.rows.iter().filter(|row| shared(row, set) > 0);
            let values = rows.filter_map(|row| decimal(row.get(at)?.as_deref()?));
            Some(values.fold((0, 0), |(sum, most), (value, exact)| {
                (sum + value, most.max(exact))
            }))
        }
        Term::Count(tables) => {
            let stored = snapshot
                .tables
                .iter()
                .find(|stored| tables.contains(&stored.name.name))?;
            let rows = stored.rows.iter().filter(|row| shared(row, set) > 0);
            Some((rows.count() as i128 * 10i128.pow(SCALE as u32), 0))
        }
    }
}

fn place<'s>(
    snapshot: &'s Snapshot,
    tables: &[Ident],
    column: &Ident,
) -> Option<(&'s Stored, usize)> {
    let mut found = snapshot
        .tables
        .iter()
        .filter(|stored| tables.contains(&stored.name.name));
    found.find_map(|stored| {
        let at = stored.columns.iter().position(|name| name == column)?;
        Some((stored, at))
    })
}

/// How many arguments a row has.
fn shared(row: &[Option<String>], set: &Arguments) -> usize {
    let mut values = set.values().flatten().collect::<Vec<_>>();
    values.dedup();
    values
        .iter()
        .filter(|value| row.iter().flatten().any(|known| known == **value))
        .count()
}

fn decimal(text: &str) -> Option<(i128, usize)> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if part.len() > SCALE || !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{part:0<SCALE$}");
    // A value that large is next to nothing that could be reckoned.
    let value: i64 = digits.parse().ok()?;
    Some((i128::from(value), part.len()))
}

fn shown(value: i128, decimals: usize) -> String {
    let unit = 10i128.pow(SCALE as u32);
    let (whole, part) = (value.abs() / unit, value.abs() % unit);
    let sign = if value < 0 { "-" } else { "" };
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => {
            let part = format!("{part:0SCALE$}");
            format!("{sign}{whole}.{}", &part[..decimals])
        }
    }
}

/// Rows at the edge of a constant that commands or rules compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// One with this value in this column.
    Value(Ident, Ident, String),
    /// So many that are alike.
    Rows(Ident, u64),
}

/// Those of the whole design.
pub(super) fn stored_edges(model: &Model, catalog: &Catalog) -> Vec<Edge> {
    let none = (Snapshot::default(), Arguments::new());
    let mut all: Vec<Sum> = Vec::new();
    for command in &model.commands {
        all.extend(edges(command, model, catalog));
    }
    for invariant in &model.invariants {
        match &invariant.rule {
            Rule::Check { table, is, .. } => all.extend(compared_sums(is.as_str(), &table.ident)),
            Rule::AtMost {
                table,
                sum: None,
                limit: Limit::Number(number),
                ..
            } => all.push(vec![
                (false, Term::Count(vec![table.ident.clone()])),
                (true, Term::Number(number.as_str().trim().to_owned())),
            ]),
            _ => {}
        }
    }
    let mut found: Vec<Edge> = Vec::new();
    for sum in all {
        let (numbers, others): (Sum, Sum) = sum
            .into_iter()
            .partition(|(_, term)| matches!(term, Term::Number(_)));
        // The one that is left stands for a parameter.
        let [(minus, term)] = others.as_slice() else {
            continue;
        };
        let mut open = numbers;
        open.push((*minus, Term::Param("it".to_owned())));
        let values = values(&open, "it", &none.0, &none.1);
        for value in values {
            let edge = match term {
                Term::Column(tables, column) => {
                    let [table] = tables.as_slice() else { continue };
                    Edge::Value(table.clone(), column.clone(), value)
                }
                Term::Count(tables) => match (tables.as_slice(), value.parse::<i64>()) {
                    ([table], Ok(rows)) if (3..=MOST_ROWS).contains(&rows) => {
                        Edge::Rows(table.clone(), rows.unsigned_abs())
                    }
                    _ => continue,
                },
                _ => continue,
            };
            if !found.contains(&edge) {
                found.push(edge);
            }
        }
    }
    found
}
