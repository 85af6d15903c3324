//! Shapes whose values follow a small grammar: the parser that judges them, and the pattern that the JSON Schema gives
//! editors. Both are here so that they change together; a test holds them against each other.

use super::shape::Shape;
use super::values;

/// A number as the value parsers take it.
const NUMBER: &str = r"\+?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][0-9]{1,2})?";
const COUNT: &str = r"\s*[kKMBG]?";
const TIME: &str = "(us|µs|microseconds?|ms|milliseconds?|s|sec|seconds?|min|minutes?|h|hours?|d|days?|w|weeks?|months?|y|years?)";

/// Judges a value; `None` where the shape has no grammar.
pub(super) fn judge(shape: &Shape, text: &str) -> Option<Result<(), String>> {
    let verdict = match shape {
        Shape::Count => values::parse_count(text).map(drop),
        Shape::Rate => values::parse_rate(text).map(drop),
        Shape::Duration => values::parse_duration(text).map(drop),
        Shape::Size => values::parse_size(text).map(drop),
        Shape::Share => values::parse_share(text).map(drop),
        Shape::Date => values::parse_date(text).map(drop),
        Shape::AtMost => values::parse_at_most(text).map(drop),
        Shape::Partitions => values::parse_partitions(text).map(drop),
        Shape::Within => values::parse_within(text).map(drop),
        Shape::PlanNode => values::parse_never(text).map(drop),
        _ => return None,
    };
    Some(verdict)
}

/// The pattern of the values that are text; `None` where the shape has no grammar.
pub(super) fn pattern(shape: &Shape) -> Option<String> {
    let pattern = match shape {
        Shape::Count => format!(r"{NUMBER}{COUNT}"),
        Shape::Rate => format!(r"{NUMBER}{COUNT}\s*/\s*{TIME}"),
        Shape::Duration => format!(r"({NUMBER}\s*{TIME}\s*)+"),
        Shape::Size => format!(r"{NUMBER}\s*(B|kB|KB|MB|GB|TB)"),
        Shape::Share => format!(r"{NUMBER}\s*%"),
        Shape::Date => "[0-9]{4}-[0-9]{2}-[0-9]{2}".to_owned(),
        Shape::AtMost => format!(r"(<=)?\s*{NUMBER}{COUNT}(\s+(rows?|blocks?|buffers|pages))?"),
        Shape::Partitions => {
            format!(r"(<=)?\s*{NUMBER}{COUNT}(\s+(rows?|blocks?|buffers|pages))? of \s*\S.*")
        }
        Shape::Within => format!(r"(within)?\s*{NUMBER}\s*x?"),
        Shape::PlanNode => {
            let nodes = values::PLAN_NODES.join("|").replace(' ', r"\s+");
            return Some(format!(r"^\s*({nodes})(\s+on\s+.+)?\s*$"));
        }
        _ => return None,
    };
    Some(format!(r"^\s*{pattern}\s*$"))
}

/// The least and the most that a plain number may be, where one may stand for the value.
pub(super) fn number(shape: &Shape) -> Option<(f64, f64)> {
    match shape {
        Shape::Count | Shape::AtMost => Some((0.0, f64::MAX)),
        Shape::Share => Some((0.0, 1.0)),
        Shape::Rate => Some((0.0, 0.0)),
        Shape::Within => Some((1.0, f64::MAX)),
        _ => None,
    }
}
