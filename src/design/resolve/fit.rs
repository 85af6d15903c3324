//! Whether a value, as it is written, is one of a type.

use super::super::language::values::{parse_date, parse_number};
use super::super::nearest::nearest;
use super::context::{Context, quoted};
use super::data_type;
use super::value::items;
use crate::source::Text;

/// Words that PostgreSQL takes for a boolean.
const BOOLEANS: &[&str] = &[
    "true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0",
];

/// A value that is loaded as it stands: also whole numbers, within what their type holds, and days that there are.
pub(super) fn literal(cx: &Context<'_>, text: &Text, data_type: &Text, subject: &str) {
    if !value(cx, text, data_type, subject) {
        return;
    }
    let Some(found) = data_type::settle(cx, data_type) else {
        return;
    };
    let written = text.as_str().trim();
    // A short value is widened to its type.
    let short = written.parse::<i64>().is_ok() || written.trim_start_matches('-') == "infinity";
    let help = match data_type::is_time(&found) {
        true if !short && !is_moment(written) => "write a day, such as `2026-03-01`",
        false if !is_held(written, &found.base) => "write a whole number that the type holds",
        _ => return,
    };
    mismatch(cx, text, data_type, subject, help);
}

/// An end of a range that values are drawn from.
pub(super) fn end(cx: &Context<'_>, text: &Text, data_type: &Text, subject: &str) {
    let Some(found) = data_type::settle(cx, data_type) else {
        return;
    };
    let written = text.as_str().trim();
    let help = match (data_type::is_time(&found), data_type::is_number(&found)) {
        (true, _) if !is_moment(written) => "write a day, such as `2026-03-01`",
        (_, true) if parse_number(written).is_err() => "write a number",
        _ => return literal(cx, text, data_type, subject),
    };
    mismatch(cx, text, data_type, subject, help);
}

/// Whether a text begins with a day that there is.
fn is_moment(text: &str) -> bool {
    let rest = text.get(10..).unwrap_or_default();
    text.get(..10).is_some_and(|day| parse_date(day).is_ok())
        && (rest.is_empty() || rest.starts_with([' ', 'T']))
}

/// Whether a type of whole numbers holds a number; others hold what they are given.
fn is_held(text: &str, base: &str) -> bool {
    let bits = match base {
        "int2" => 16,
        "int4" => 32,
        "int8" => 64,
        _ => return true,
    };
    // Within 2^63 a count in floating point is near enough.
    let most = 2f64.powi(bits - 1);
    parse_number(text).is_ok_and(|n| n.fract() == 0.0 && (-most..most).contains(&n))
}

fn mismatch(cx: &Context<'_>, value: &Text, data_type: &Text, subject: &str, help: &str) {
    let message = format!("`{value}` is no value of type `{data_type}`");
    cx.error("type-mismatch", subject, message, value.at(), help);
}

/// Judges a value by its type where its text alone tells: labels of an enum, numbers, booleans. Whether it may be one.
pub(super) fn value(cx: &Context<'_>, value: &Text, data_type: &Text, subject: &str) -> bool {
    let Some(found) = data_type::settle(cx, data_type) else {
        return true;
    };
    if found.dimensions > 0 {
        return true;
    }
    let named = cx.symbols.types.get(found.base.as_str());
    if let Some(labels) = named.and_then(|node| node.get("enum")) {
        let labels = items(labels);
        let whose = format!("type `{}`", found.base);
        return one_of(cx, value, &labels, &whose, subject);
    }
    let text = value.as_str().trim();
    let fits = match found.base.as_str() {
        "bool" => BOOLEANS.contains(&text.to_ascii_lowercase().as_str()),
        _ if data_type::is_number(&found) => {
            parse_number(text).is_ok() || matches!(text, "NaN" | "Infinity" | "-Infinity")
        }
        _ => true,
    };
    if !fits {
        let help = match found.base.as_str() {
            "bool" => "write `true` or `false`",
            _ => "write a number",
        };
        mismatch(cx, value, data_type, subject, help);
    }
    fits
}

/// Says where a value is none of those listed, and whether it may be one. `whose`: column `state`.
pub(super) fn one_of(
    cx: &Context<'_>,
    value: &Text,
    labels: &[Text],
    whose: &str,
    subject: &str,
) -> bool {
    if labels.is_empty() || labels.iter().any(|label| label == value) {
        return true;
    }
    let all: Vec<&str> = labels.iter().map(Text::as_str).collect();
    let help = match nearest(value.as_str(), all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it takes {}", quoted(&all)),
    };
    let message = format!("`{value}` is no value of {whose}");
    cx.error("state-unknown", subject, message, value.at(), help);
    false
}
