//! Whether a value, as it is written, is one of a type.

use super::super::language::values::parse_number;
use super::super::nearest::nearest;
use super::context::{Context, quoted};
use super::data_type;
use super::value::items;
use crate::source::Text;

/// Words that PostgreSQL takes for a boolean.
const BOOLEANS: &[&str] = &[
    "true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0",
];

/// Judges a value by its type where its text alone tells: labels of an enum, numbers, booleans.
pub(super) fn value(cx: &Context<'_>, value: &Text, data_type: &Text, subject: &str) {
    let Some(found) = data_type::settle(cx, data_type) else {
        return;
    };
    if found.dimensions > 0 {
        return;
    }
    let named = cx.symbols.types.get(found.base.as_str());
    if let Some(labels) = named.and_then(|node| node.get("enum")) {
        let labels = items(labels);
        return one_of(
            cx,
            value,
            &labels,
            &format!("type `{}`", found.base),
            subject,
        );
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
        let message = format!("`{value}` is no value of type `{data_type}`");
        let help = match found.base.as_str() {
            "bool" => "write `true` or `false`",
            _ => "write a number",
        };
        cx.error("type-mismatch", subject, message, value.at(), help);
    }
}

/// Says where a value is none of those listed. `whose`: column `state`.
pub(super) fn one_of(cx: &Context<'_>, value: &Text, labels: &[Text], whose: &str, subject: &str) {
    if labels.is_empty() || labels.iter().any(|label| label == value) {
        return;
    }
    let all: Vec<&str> = labels.iter().map(Text::as_str).collect();
    let help = match nearest(value.as_str(), all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it takes {}", quoted(&all)),
    };
    let message = format!("`{value}` is no value of {whose}");
    cx.error("state-unknown", subject, message, value.at(), help);
}
