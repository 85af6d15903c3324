//! Finds values that satisfy the conditions of a table: a small search over few candidates for each column.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::{Row, Value, evaluate};
use super::kind::{Kind, seconds_to_text, text_to_seconds};
use crate::sql::{Comparison, Expression, Ident};

/// What a column may become.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    /// `None`: the column is left out, and the server fills it.
    pub given: Option<Option<String>>,
    /// What it will be, as far as that is known.
    pub value: Value,
}

impl Candidate {
    pub(super) fn given(text: Option<String>, kind: &Kind) -> Candidate {
        let value = Value::read(text.as_deref(), kind);
        Candidate {
            given: Some(text),
            value,
        }
    }
}

/// How many rows are looked at before the search gives up and lets the server judge.
const PATIENCE: usize = 50_000;

/// Chooses one candidate for each column so that no condition is false, and as many as possible are known to hold. Earlier
/// candidates are better ones.
pub(super) fn choose(
    columns: &[(Ident, Vec<Candidate>)],
    checks: &[Expression],
) -> BTreeMap<Ident, Candidate> {
    let mut chosen = BTreeMap::new();
    for part in parts(columns, checks) {
        let certain = search(&part, true).or_else(|| search(&part, false));
        let first = || {
            part.columns
                .iter()
                .map(|(name, list)| ((*name).clone(), list[0].clone()))
                .collect()
        };
        chosen.extend(certain.unwrap_or_else(first));
    }
    chosen
}

/// Columns that conditions tie together, with these conditions.
struct Part<'a> {
    columns: Vec<&'a (Ident, Vec<Candidate>)>,
    checks: Vec<&'a Expression>,
}

fn parts<'a>(columns: &'a [(Ident, Vec<Candidate>)], checks: &'a [Expression]) -> Vec<Part<'a>> {
    let mut groups: Vec<(BTreeSet<Ident>, Vec<&Expression>)> = Vec::new();
    for check in checks {
        let mut names = check.columns();
        let mut own = vec![check];
        groups.retain(|(others, theirs)| {
            let apart = others.is_disjoint(&names);
            if !apart {
                names.extend(others.iter().cloned());
                own.extend(theirs);
            }
            apart
        });
        groups.push((names, own));
    }
    let mut parts: Vec<Part> = groups
        .into_iter()
        .map(|(names, checks)| Part {
            columns: columns
                .iter()
                .filter(|(name, list)| names.contains(name) && !list.is_empty())
                .collect(),
            checks,
        })
        .collect();
    let free = |name: &Ident| !checks.iter().any(|check| check.columns().contains(name));
    for column in columns
        .iter()
        .filter(|(name, list)| !list.is_empty() && free(name))
    {
        parts.push(Part {
            columns: vec![column],
            checks: Vec::new(),
        });
    }
    parts
}

fn search(part: &Part, certain: bool) -> Option<BTreeMap<Ident, Candidate>> {
    let mut looked = 0;
    let mut picks = vec![0; part.columns.len()];
    let mut row = Row::new();
    // Conditions are judged as soon as their last column has a value.
    let last: Vec<usize> = part
        .checks
        .iter()
        .map(|check| {
            let names = check.columns();
            part.columns
                .iter()
                .rposition(|(name, _)| names.contains(name))
                .unwrap_or(0)
        })
        .collect();
    let mut depth = 0;
    loop {
        if depth == part.columns.len() {
            let picked = part.columns.iter().zip(&picks);
            return Some(
                picked
                    .map(|((name, list), pick)| (name.clone(), list[*pick - 1].clone()))
                    .collect(),
            );
        }
        let (name, list) = part.columns[depth];
        looked += 1;
        if looked > PATIENCE {
            return None;
        }
        match list.get(picks[depth]) {
            Some(candidate) => {
                picks[depth] += 1;
                row.insert(name.clone(), candidate.value.clone());
                let judged = part
                    .checks
                    .iter()
                    .zip(&last)
                    .filter(|(_, last)| **last == depth);
                let legal =
                    judged
                        .into_iter()
                        .all(|(check, _)| match evaluate(check, &row).passes() {
                            Some(passes) => passes,
                            None => !certain,
                        });
                if legal {
                    depth += 1;
                    if depth < picks.len() {
                        picks[depth] = 0;
                    }
                }
            }
            None if depth == 0 => return None,
            None => {
                row.remove(name);
                depth -= 1;
            }
        }
    }
}

/// Values that the conditions themselves mention for a column, and their neighbours; of patterns the `n`th match.
pub(super) fn mentioned(column: &Ident, kind: &Kind, checks: &[Expression], n: u64) -> Vec<String> {
    let mut found = Vec::new();
    for check in checks
        .iter()
        .filter(|check| check.columns().contains(column))
    {
        check.visit(&mut |part| match part {
            Expression::Compare(how, a, b) => {
                for (side, other) in [(a, b), (b, a)] {
                    if side.columns().contains(column) {
                        found.extend(around(*how, other, kind));
                        found.extend(of_length(side, other));
                    }
                }
            }
            Expression::In(value, list) if value.columns().contains(column) => {
                found.extend(list.iter().filter_map(literal));
            }
            Expression::Like(value, pattern, _) if value.columns().contains(column) => {
                found.push(super::pattern::like(pattern, n));
            }
            Expression::Matches(value, pattern, _) if value.columns().contains(column) => {
                found.extend(super::pattern::matching(pattern, n));
            }
            _ => {}
        });
    }
    let mut seen = BTreeSet::new();
    found.retain(|value| seen.insert(value.clone()));
    found
}

fn literal(expression: &Expression) -> Option<String> {
    match expression {
        Expression::Number(text) | Expression::Text(text) => Some(text.clone()),
        Expression::Bool(value) => Some(value.to_string()),
        Expression::Cast(inner, _) => literal(inner),
        _ => None,
    }
}

fn around(how: Comparison, constant: &Expression, kind: &Kind) -> Vec<String> {
    let Some(text) = literal(constant) else {
        return Vec::new();
    };
    let steps: &[f64] = match how {
        Comparison::Equal => &[0.0],
        _ => &[0.0, 1.0, -1.0],
    };
    match kind {
        Kind::Integer { .. } | Kind::Decimal { .. } | Kind::Float => match text.parse::<f64>() {
            Ok(number) => steps
                .iter()
                .map(|step| (number + step).to_string())
                .collect(),
            Err(_) => Vec::new(),
        },
        Kind::Date | Kind::Timestamp { .. } => match text_to_seconds(&text) {
            Some(seconds) => {
                let format = if *kind == Kind::Date {
                    "%Y-%m-%d"
                } else {
                    "%Y-%m-%d %H:%M:%S"
                };
                steps
                    .iter()
                    .map(|step| seconds_to_text(seconds + step * 86_400.0, format))
                    .collect()
            }
            None => Vec::new(),
        },
        Kind::Text { .. } | Kind::Enum(_) => vec![text],
        _ => vec![text],
    }
}

/// Text of the lengths that `length(column) <= n` and its like name.
fn of_length(side: &Expression, other: &Expression) -> Vec<String> {
    let is_length = matches!(side, Expression::Call(name, _) if name.ends_with("length"));
    match (
        is_length,
        literal(other).and_then(|text| text.parse::<i64>().ok()),
    ) {
        (true, Some(length)) => [length, length + 1, length - 1]
            .iter()
            .filter(|length| (0..=10_000).contains(*length))
            .map(|length| "x".repeat(*length as usize))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_expression;

    fn solve(columns: &[(&str, Kind, bool)], checks: &[&str]) -> Vec<(String, Option<String>)> {
        let checks: Vec<Expression> = checks
            .iter()
            .map(|check| parse_expression(check).expect("parses"))
            .collect();
        let columns: Vec<(Ident, Vec<Candidate>)> = columns
            .iter()
            .map(|(name, kind, nullable)| {
                let name = Ident::from(*name);
                let mut list: Vec<Option<String>> = if *nullable { vec![None] } else { Vec::new() };
                list.extend((0..3).map(|n| Some(kind.value(n, ""))));
                list.extend(mentioned(&name, kind, &checks, 1).into_iter().map(Some));
                let list = list
                    .into_iter()
                    .map(|text| Candidate::given(text, kind))
                    .collect();
                (name, list)
            })
            .collect();
        let chosen = choose(&columns, &checks);
        chosen
            .into_iter()
            .map(|(name, c)| (name.as_str().to_owned(), c.given.flatten()))
            .collect()
    }

    const INT: Kind = Kind::Integer { low: 0, high: 1000 };
    const TIME: Kind = Kind::Timestamp { zone: true };

    #[test]
    fn orders_columns() {
        let row = solve(&[("a", TIME, false), ("b", TIME, false)], &["b > a"]);
        assert!(row[0].1 < row[1].1, "{row:?}");
        let row = solve(
            &[("a", TIME, false), ("b", TIME, true)],
            &["b is null or b > a"],
        );
        assert_eq!(row[1].1, None);
    }

    #[test]
    fn uses_the_constants_of_the_conditions() {
        let row = solve(&[("a", INT, false)], &["a >= 100 and a % 2 = 1"]);
        assert_eq!(row[0].1.as_deref(), Some("101"));
        let row = solve(
            &[("c", Kind::Text { max: None }, false)],
            &["length(c) = 3"],
        );
        assert_eq!(row[0].1.as_deref(), Some("xxx"));
    }

    #[test]
    fn prefers_what_is_known_to_hold() {
        let kinds = [
            ("a", INT, true),
            ("s", Kind::Enum(vec!["open".into(), "closed".into()]), false),
        ];
        let row = solve(&kinds, &["(s = 'open') = (a is null)", "s <> 'open'"]);
        assert_eq!(row[1].1.as_deref(), Some("closed"));
        assert!(row[0].1.is_some());
    }
}
