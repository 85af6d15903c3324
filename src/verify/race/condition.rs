//! Conditions of `require`, worked out over what a session has captured.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::design::{Capture, Condition, Operand, Operator};
use crate::sql::Ident;

/// What a statement with `as:` gave back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Captured {
    /// Rows returned or changed.
    pub rows: u64,
    /// The first row, by column.
    pub first: BTreeMap<String, Option<String>>,
}

/// What conditions and later statements can see.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub params: BTreeMap<Ident, Option<String>>,
    pub captures: BTreeMap<Ident, Captured>,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Text(String),
}

impl Known {
    /// The value of `:name` or `:capture.column`.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        match name.split_once('.') {
            Some((capture, column)) => self
                .captures
                .get(&Ident::from(capture))?
                .first
                .get(column)
                .cloned()
                .flatten(),
            None => self.params.get(&Ident::from(name)).cloned().flatten(),
        }
    }

    /// Whether a condition is true; null is not.
    pub(super) fn holds(&self, condition: &Condition) -> bool {
        self.judge(condition) == Some(true)
    }

    /// `None` is SQL's null.
    fn judge(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::And(a, b) => match (self.judge(a), self.judge(b)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Condition::Or(a, b) => match (self.judge(a), self.judge(b)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Condition::Not(inner) => self.judge(inner).map(|value| !value),
            Condition::Compare(how, a, b) => self.compare(*how, a, b),
            Condition::In(value, list) => {
                let found: Vec<_> = list
                    .iter()
                    .map(|item| self.compare(Operator::Equal, value, item))
                    .collect();
                // As in SQL: a null among the rest leaves it open.
                if found.contains(&Some(true)) {
                    Some(true)
                } else if found.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
            Condition::True(operand) => match self.operand(operand) {
                Value::Null => None,
                Value::Bool(value) => Some(value),
                Value::Text(text) => boolean(&text),
            },
        }
    }

    fn compare(&self, how: Operator, a: &Operand, b: &Operand) -> Option<bool> {
        let literal_null = *a == Operand::Null || *b == Operand::Null;
        let (a, b) = (self.operand(a), self.operand(b));
        // `== null` asks for null; everything else compared with null is null.
        if literal_null {
            let both = a == Value::Null && b == Value::Null;
            return match how {
                Operator::Equal => Some(both),
                Operator::NotEqual => Some(!both),
                _ => None,
            };
        }
        let order = order(&a, &b)?;
        Some(match how {
            Operator::Equal => order == Ordering::Equal,
            Operator::NotEqual => order != Ordering::Equal,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
        })
    }

    fn operand(&self, operand: &Operand) -> Value {
        let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
        match operand {
            Operand::Null => Value::Null,
            Operand::Bool(value) => Value::Bool(*value),
            Operand::Number(digits) => Value::Text(digits.clone()),
            Operand::Text(value) => Value::Text(value.clone()),
            Operand::Param(name) => text(self.params.get(name).cloned().flatten()),
            Operand::Capture(Capture::Rows(name)) => {
                let rows = self.captures.get(name).map_or(0, |captured| captured.rows);
                Value::Text(rows.to_string())
            }
            Operand::Capture(Capture::Column(name, column)) => {
                let captured = self.captures.get(name);
                text(
                    captured.and_then(|captured| {
                        captured.first.get(column.as_str()).cloned().flatten()
                    }),
                )
            }
            Operand::Add(a, b) => self.sum(a, b, 1),
            Operand::Subtract(a, b) => self.sum(a, b, -1),
        }
    }

    fn sum(&self, a: &Operand, b: &Operand, sign: i128) -> Value {
        let (Value::Text(a), Value::Text(b)) = (self.operand(a), self.operand(b)) else {
            return Value::Null;
        };
        match (Number::read(&a), Number::read(&b)) {
            (Some(a), Some(b)) => Value::Text(a.plus(&b, sign).show()),
            _ => Value::Null,
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "t" | "true" => Some(true),
        "f" | "false" => Some(false),
        _ => None,
    }
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Text(text)) => boolean(text).map(|b| a.cmp(&b)),
        (Value::Text(text), Value::Bool(b)) => boolean(text).map(|a| a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => match (Number::read(a), Number::read(b)) {
            (Some(a), Some(b)) => Some(a.compare(&b)),
            _ => match (instant(a), instant(b)) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => Some(a.cmp(b)),
            },
        },
    }
}

/// A date or a time of one, whichever way it is written: `10:00+00` is `10:00:00+00`. Without a zone it is UTC's.
fn instant(text: &str) -> Option<jiff::SignedDuration> {
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    let rest = text.get(10..)?.trim_start_matches(['T', ' ']);
    let (clock, zone) = match rest.find(['+', '-', 'Z']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let time: jiff::civil::Time = match clock.trim() {
        "" => jiff::civil::Time::midnight(),
        clock => clock.parse().ok()?,
    };
    let epoch = jiff::civil::date(1970, 1, 1).to_datetime(jiff::civil::Time::midnight());
    let local = date.to_datetime(time).duration_since(epoch);
    local.checked_sub(offset(zone)?)
}

/// `+02`, `-03:30`, `Z` or nothing.
fn offset(zone: &str) -> Option<jiff::SignedDuration> {
    let (sign, digits) = match zone.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return matches!(zone, "" | "Z").then_some(jiff::SignedDuration::ZERO),
    };
    let mut seconds = 0;
    for (part, weight) in digits.split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i64>().ok()? * weight;
    }
    Some(jiff::SignedDuration::from_secs(sign * seconds))
}

/// A decimal number, exactly.
struct Number {
    digits: i128,
    scale: u32,
}

impl Number {
    fn read(text: &str) -> Option<Number> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        // Long runs of digits are identifiers or digests, and 30 digits leave room for scaling.
        if whole.len() + fraction.len() > 30 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Number {
            digits,
            scale: fraction.len() as u32,
        })
    }

    fn scaled(&self, scale: u32) -> i128 {
        self.digits
            .saturating_mul(10i128.saturating_pow(scale.saturating_sub(self.scale)))
    }

    fn compare(&self, other: &Number) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.scaled(scale).cmp(&other.scaled(scale))
    }

    fn plus(&self, other: &Number, sign: i128) -> Number {
        let scale = self.scale.max(other.scale);
        Number {
            digits: self.scaled(scale) + sign * other.scaled(scale),
            scale,
        }
    }

    fn show(&self) -> String {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = format!(
            "{:0width$}",
            self.digits.unsigned_abs(),
            width = self.scale as usize + 1
        );
        match self.scale {
            0 => format!("{sign}{digits}"),
            scale => {
                let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
                format!("{sign}{whole}.{fraction}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let first = [
            ("n", Some("9")),
            ("state", Some("open")),
            ("gone", None),
            ("flag", Some("t")),
        ];
        let first = first.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        let captured = Captured {
            rows: 1,
            first: first.into_iter().collect(),
        };
        Known {
            params: BTreeMap::from([
                ("limit".into(), Some("10".to_owned())),
                ("none".into(), None),
            ]),
            captures: BTreeMap::from([("found".into(), captured)]),
        }
    }

    fn column(name: &str) -> Operand {
        Operand::Capture(Capture::Column("found".into(), name.into()))
    }

    fn compare(how: Operator, a: Operand, b: Operand) -> bool {
        known().holds(&Condition::Compare(how, a, b))
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(compare(
            Operator::Less,
            column("n"),
            Operand::Param("limit".into())
        ));
        assert!(compare(
            Operator::Equal,
            Operand::Number("1.50".into()),
            Operand::Number("1.5".into())
        ));
        let sum = Operand::Add(Box::new(column("n")), Box::new(Operand::Number("1".into())));
        assert!(compare(
            Operator::Equal,
            sum,
            Operand::Param("limit".into())
        ));
    }

    #[test]
    fn times_are_compared_as_times() {
        let order = |a: &str, b: &str| order(&Value::Text(a.into()), &Value::Text(b.into()));
        for (a, b, wanted) in [
            (
                "2026-03-02 10:00+00",
                "2026-03-02 10:00:00+00",
                Ordering::Equal,
            ),
            (
                "2026-03-02T10:00Z",
                "2026-03-02 12:00:00.5+02",
                Ordering::Less,
            ),
            (
                "2026-03-02 09:30:00-03:30",
                "2026-03-02 13:00+00",
                Ordering::Equal,
            ),
            ("2026-03-02", "2026-03-02 00:00:00", Ordering::Equal),
            ("2026-03-02-b", "2026-03-02-a", Ordering::Greater),
        ] {
            assert_eq!(order(a, b), Some(wanted), "{a} {b}");
        }
    }

    #[test]
    fn null_is_not_true_unless_it_is_asked_for() {
        assert!(!compare(
            Operator::Equal,
            column("gone"),
            Operand::Param("none".into())
        ));
        assert!(!compare(
            Operator::NotEqual,
            column("gone"),
            Operand::Text("x".into())
        ));
        assert!(compare(Operator::Equal, column("gone"), Operand::Null));
        assert!(compare(Operator::NotEqual, column("n"), Operand::Null));
        let not = Condition::Not(Box::new(Condition::True(column("gone"))));
        assert!(!known().holds(&not));
    }

    #[test]
    fn lists_and_flags() {
        let states = vec![Operand::Text("draft".into()), Operand::Text("open".into())];
        assert!(known().holds(&Condition::In(column("state"), states)));
        assert!(known().holds(&Condition::True(column("flag"))));
        assert!(compare(
            Operator::Equal,
            Operand::Capture(Capture::Rows("found".into())),
            Operand::Number("1".into())
        ));
        assert_eq!(known().value("found.state").as_deref(), Some("open"));
    }
}
