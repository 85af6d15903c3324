//! What an expression says about a row, without a server; what cannot be told stays [`Value::Unknown`].

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::kind::{Kind, seconds_to_text, text_to_seconds};
use crate::sql::{Comparison, Expression, Ident};

/// A value while an expression is worked out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// Seconds since 1970.
    Time(f64),
    Unknown,
}

/// A row, by column.
pub(super) type Row = BTreeMap<Ident, Value>;

impl Value {
    /// Reads a value of a type.
    pub(super) fn read(text: Option<&str>, kind: &Kind) -> Value {
        let Some(text) = text else { return Value::Null };
        match kind {
            Kind::Bool => match text {
                "true" | "t" => Value::Bool(true),
                "false" | "f" => Value::Bool(false),
                _ => Value::Unknown,
            },
            Kind::Integer { .. } | Kind::Decimal { .. } | Kind::Float => {
                text.parse().map_or(Value::Unknown, Value::Number)
            }
            Kind::Date | Kind::Timestamp { .. } => {
                text_to_seconds(text).map_or(Value::Unknown, Value::Time)
            }
            Kind::Interval => interval(text).map_or(Value::Unknown, Value::Number),
            Kind::Text { .. } | Kind::Enum(_) | Kind::Uuid => Value::Text(text.to_owned()),
            _ => Value::Unknown,
        }
    }

    /// As a condition: `None` where it cannot be told; null counts as true, as in a CHECK.
    pub(super) fn passes(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            Value::Null => Some(true),
            _ => None,
        }
    }
}

/// Works out an expression.
pub(super) fn evaluate(expression: &Expression, row: &Row) -> Value {
    use Expression as E;
    match expression {
        E::Null => Value::Null,
        E::Bool(value) => Value::Bool(*value),
        E::Number(digits) => digits.parse().map_or(Value::Unknown, Value::Number),
        E::Text(text) => Value::Text(text.clone()),
        E::Interval(text) => interval(text).map_or(Value::Unknown, Value::Number),
        E::Column(name) => row.get(name).cloned().unwrap_or(Value::Unknown),
        E::Not(inner) => match evaluate(inner, row) {
            Value::Bool(value) => Value::Bool(!value),
            Value::Null => Value::Null,
            _ => Value::Unknown,
        },
        E::And(a, b) => connect(evaluate(a, row), evaluate(b, row), false),
        E::Or(a, b) => connect(evaluate(a, row), evaluate(b, row), true),
        E::Compare(how, a, b) => compare(*how, &evaluate(a, row), &evaluate(b, row)),
        E::Same(a, b) => match (evaluate(a, row), evaluate(b, row)) {
            (Value::Unknown, _) | (_, Value::Unknown) => Value::Unknown,
            (Value::Null, Value::Null) => Value::Bool(true),
            (Value::Null, _) | (_, Value::Null) => Value::Bool(false),
            (a, b) => compare(Comparison::Equal, &a, &b),
        },
        E::IsNull(inner) => match evaluate(inner, row) {
            Value::Unknown => Value::Unknown,
            value => Value::Bool(value == Value::Null),
        },
        E::IsTrue(inner) => match evaluate(inner, row) {
            Value::Unknown => Value::Unknown,
            value => Value::Bool(value == Value::Bool(true)),
        },
        E::In(value, list) => {
            let value = evaluate(value, row);
            list.iter().fold(Value::Bool(false), |found, item| {
                connect(
                    found,
                    compare(Comparison::Equal, &value, &evaluate(item, row)),
                    true,
                )
            })
        }
        E::Like(value, pattern, insensitive) => match evaluate(value, row) {
            Value::Text(text) => Value::Bool(like(&text, pattern, *insensitive)),
            Value::Null => Value::Null,
            _ => Value::Unknown,
        },
        E::Arithmetic(how, a, b) => arithmetic(*how, &evaluate(a, row), &evaluate(b, row)),
        E::Negative(inner) => arithmetic('-', &Value::Number(0.0), &evaluate(inner, row)),
        E::Case(arms, otherwise) => case(arms, otherwise.as_deref(), row),
        E::Call(name, arguments) => call(name, arguments, row),
        E::Cast(inner, to) => cast(evaluate(inner, row), to),
        E::Matches(value, ..) => match evaluate(value, row) {
            Value::Null => Value::Null,
            _ => Value::Unknown,
        },
        E::Opaque(_) => Value::Unknown,
    }
}

/// `date_trunc`.
fn truncated(unit: &str, seconds: f64) -> Value {
    let format = match unit {
        "year" => "%Y-01-01",
        "month" => "%Y-%m-01",
        "day" => "%Y-%m-%d",
        "hour" => "%Y-%m-%dT%H:00:00",
        "minute" => "%Y-%m-%dT%H:%M:00",
        _ => return Value::Unknown,
    };
    text_to_seconds(&seconds_to_text(seconds, format)).map_or(Value::Unknown, Value::Time)
}

/// `extract(field from …)`.
fn extracted(field: &str, seconds: f64) -> Value {
    let format = match field {
        "year" => "%Y",
        "month" => "%m",
        "day" => "%d",
        "hour" => "%H",
        "minute" => "%M",
        "doy" => "%j",
        "dow" => "%w",
        "isodow" => "%u",
        "epoch" => return Value::Number(seconds),
        _ => return Value::Unknown,
    };
    let text = seconds_to_text(seconds, format);
    text.parse().map_or(Value::Unknown, Value::Number)
}

/// AND and OR over three values and the unknown one; `wins` decides alone.
fn connect(a: Value, b: Value, wins: bool) -> Value {
    match (a, b) {
        (Value::Bool(x), _) | (_, Value::Bool(x)) if x == wins => Value::Bool(wins),
        (Value::Bool(_), other) | (other, Value::Bool(_)) => match other {
            Value::Bool(_) | Value::Null => other,
            _ => Value::Unknown,
        },
        (Value::Null, Value::Null) => Value::Null,
        _ => Value::Unknown,
    }
}

fn compare(how: Comparison, a: &Value, b: &Value) -> Value {
    let order = match (a, b) {
        (Value::Null, _) | (_, Value::Null) => return Value::Null,
        (Value::Number(a), Value::Number(b)) | (Value::Time(a), Value::Time(b)) => a.partial_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Text(text)) => {
            text_to_seconds(text).and_then(|b| a.partial_cmp(&b))
        }
        (Value::Text(text), Value::Time(b)) => text_to_seconds(text).and_then(|a| a.partial_cmp(b)),
        (Value::Number(a), Value::Text(text)) => {
            text.parse().ok().and_then(|b: f64| a.partial_cmp(&b))
        }
        (Value::Text(text), Value::Number(b)) => {
            text.parse().ok().and_then(|a: f64| a.partial_cmp(b))
        }
        _ => None,
    };
    let Some(order) = order else {
        return Value::Unknown;
    };
    Value::Bool(match how {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::NotEqual => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    })
}

fn arithmetic(how: char, a: &Value, b: &Value) -> Value {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Value::Null,
        (Value::Time(a), Value::Number(b)) if how == '+' => Value::Time(a + b),
        (Value::Time(a), Value::Number(b)) if how == '-' => Value::Time(a - b),
        (Value::Time(a), Value::Time(b)) if how == '-' => Value::Number(a - b),
        (Value::Number(a), Value::Number(b)) => match how {
            '+' => Value::Number(a + b),
            '-' => Value::Number(a - b),
            '*' => Value::Number(a * b),
            // Integers divide differently from numerics, and the types are not known here.
            '/' if *b != 0.0 && (a / b).fract() == 0.0 => Value::Number(a / b),
            '%' if *b != 0.0 => Value::Number(a % b),
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}

fn case(arms: &[(Expression, Expression)], otherwise: Option<&Expression>, row: &Row) -> Value {
    for (condition, result) in arms {
        match evaluate(condition, row) {
            Value::Bool(true) => return evaluate(result, row),
            Value::Unknown => return Value::Unknown,
            _ => {}
        }
    }
    otherwise.map_or(Value::Null, |otherwise| evaluate(otherwise, row))
}

fn call(name: &str, arguments: &[Expression], row: &Row) -> Value {
    let values: Vec<Value> = arguments
        .iter()
        .map(|argument| evaluate(argument, row))
        .collect();
    let known = !values.contains(&Value::Unknown);
    match (name, values.as_slice()) {
        ("coalesce", list) => {
            let first = list.iter().find(|value| **value != Value::Null);
            first.cloned().unwrap_or(Value::Null)
        }
        ("num_nonnulls", list) if known => {
            Value::Number(list.iter().filter(|value| **value != Value::Null).count() as f64)
        }
        ("num_nulls", list) if known => {
            Value::Number(list.iter().filter(|value| **value == Value::Null).count() as f64)
        }
        (_, list) if list.contains(&Value::Null) => Value::Null,
        ("length" | "char_length" | "character_length", [Value::Text(text)]) => {
            Value::Number(text.chars().count() as f64)
        }
        ("octet_length", [Value::Text(text)]) => Value::Number(text.len() as f64),
        ("lower", [Value::Text(text)]) => Value::Text(text.to_lowercase()),
        ("date_trunc", [Value::Text(unit), Value::Time(seconds)]) => truncated(unit, *seconds),
        (name, [Value::Time(seconds)]) if name.starts_with("extract_") => {
            extracted(&name["extract_".len()..], *seconds)
        }
        ("upper", [Value::Text(text)]) => Value::Text(text.to_uppercase()),
        ("btrim" | "trim", [Value::Text(text)]) => Value::Text(text.trim().to_owned()),
        ("abs", [Value::Number(number)]) => Value::Number(number.abs()),
        ("sign", [Value::Number(number)]) => {
            Value::Number(if *number == 0.0 { 0.0 } else { number.signum() })
        }
        ("isfinite", [Value::Time(_)]) => Value::Bool(true),
        _ => Value::Unknown,
    }
}

fn cast(value: Value, to: &str) -> Value {
    let time = to.starts_with("timestamp") || to == "date";
    let number = [
        "int", "bigint", "smallint", "numeric", "real", "double", "decimal",
    ];
    match value {
        Value::Text(text) if time => text_to_seconds(&text).map_or(Value::Unknown, Value::Time),
        Value::Text(text) if number.iter().any(|name| to.starts_with(name)) => {
            text.parse().map_or(Value::Unknown, Value::Number)
        }
        Value::Text(text) if to.starts_with("bool") => match text.as_str() {
            "true" | "t" => Value::Bool(true),
            "false" | "f" => Value::Bool(false),
            _ => Value::Unknown,
        },
        // Rounding and truncation would have to know the type it comes from.
        Value::Time(_) if to == "date" => Value::Unknown,
        Value::Number(number) if to.starts_with("text") => Value::Text(number.to_string()),
        value => value,
    }
}

/// Seconds of an interval written with units; months are 30 days, as PostgreSQL compares them.
fn interval(text: &str) -> Option<f64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return None;
    }
    words.chunks(2).try_fold(0.0, |total, pair| {
        let count: f64 = pair[0].parse().ok()?;
        let unit = match pair[1].trim_end_matches('s') {
            "second" | "sec" => 1.0,
            "minute" | "min" => 60.0,
            "hour" | "hr" => 3600.0,
            "day" => 86_400.0,
            "week" => 604_800.0,
            "month" | "mon" => 2_592_000.0,
            "year" => 31_104_000.0,
            _ => return None,
        };
        Some(total + count * unit)
    })
}

fn like(text: &str, pattern: &str, insensitive: bool) -> bool {
    fn matches(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skip| matches(&text[skip..], rest)),
            Some(('_', rest)) => !text.is_empty() && matches(&text[1..], rest),
            Some(('\\', rest)) if !rest.is_empty() => {
                text.first() == rest.first() && matches(&text[1..], &rest[1..])
            }
            Some((wanted, rest)) => text.first() == Some(wanted) && matches(&text[1..], rest),
        }
    }
    let chars = |text: &str| -> Vec<char> {
        if insensitive {
            text.to_lowercase().chars().collect()
        } else {
            text.chars().collect()
        }
    };
    matches(&chars(text), &chars(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_expression;

    fn check(text: &str, row: &[(&str, Value)]) -> Option<bool> {
        let row = row
            .iter()
            .map(|(name, value)| (Ident::from(*name), value.clone()))
            .collect();
        evaluate(&parse_expression(text).expect("parses"), &row).passes()
    }

    #[test]
    fn follows_three_valued_logic() {
        assert_eq!(
            check(
                "a > 0 or b is null",
                &[("a", Value::Null), ("b", Value::Null)]
            ),
            Some(true)
        );
        assert_eq!(check("a > 0", &[("a", Value::Null)]), Some(true));
        assert_eq!(
            check(
                "a > 0 and b > 0",
                &[("a", Value::Unknown), ("b", Value::Number(0.0))]
            ),
            Some(false)
        );
        assert_eq!(check("a > 0", &[("a", Value::Unknown)]), None);
    }

    #[test]
    fn compares_times_with_their_text() {
        let row = [(
            "a",
            Value::Time(text_to_seconds("2026-01-01").expect("time")),
        )];
        assert_eq!(check("a >= '2025-06-01'", &row), Some(true));
        assert_eq!(
            check("a + interval '1 day' > date '2026-01-02'", &row),
            Some(false)
        );
    }

    #[test]
    fn takes_times_apart() {
        let time = Value::Time(text_to_seconds("2026-03-01").expect("time"));
        let row = [("a", time)];
        assert_eq!(check("extract(day from a) = 1", &row), Some(true));
        assert_eq!(check("a = date_trunc('month', a)", &row), Some(true));
        assert_eq!(check("extract(month from a) = 2", &row), Some(false));
    }

    #[test]
    fn knows_common_functions() {
        let row = [("a", Value::Text("abc".into())), ("b", Value::Null)];
        assert_eq!(check("length(a) between 1 and 3", &row), Some(true));
        assert_eq!(check("num_nonnulls(a, b) = 1", &row), Some(true));
        assert_eq!(check("a like 'a_c%'", &row), Some(true));
        assert_eq!(
            check("case when b is null then a = 'x' else true end", &row),
            Some(false)
        );
    }
}
