//! Values of one type as another one.

use crate::migrate::effect::is_same_type;
use crate::sql::{SqlText, fill};

/// The old type, where none of its values is one of the new: a number is no uuid.
pub(super) fn no_cast<'t>(from: &'t SqlText, to: &SqlText) -> Option<&'t str> {
    let word = |data_type: &SqlText| {
        let text = data_type.as_str().to_ascii_lowercase();
        text.split(['(', ' ']).next().unwrap_or("").to_owned()
    };
    let (one, other) = (word(from), word(to));
    let counts = |word: &str| {
        matches!(
            word,
            "smallint"
                | "integer"
                | "bigint"
                | "numeric"
                | "boolean"
                | "date"
                | "timestamp"
                | "timestamptz"
        )
    };
    let never = (counts(&one) && other == "uuid") || (one == "uuid" && counts(&other));
    never.then_some(from.as_str())
}

/// What the new column holds for a value of the old one.
pub(super) fn cast(value: &SqlText, from: &SqlText, to: &SqlText) -> SqlText {
    let family = |data_type: &SqlText| {
        let text = data_type.as_str().to_ascii_lowercase();
        let word = text.split(['(', ' ', '[']).next().unwrap_or("").to_owned();
        match word.as_str() {
            _ if text.contains('[') => "other",
            "smallint" | "integer" | "int" | "int2" | "int4" | "int8" | "bigint" | "numeric"
            | "decimal" | "real" | "double" | "float4" | "float8" => "number",
            "text" | "varchar" | "character" | "char" | "citext" => "text",
            "timestamp" | "timestamptz"
                if text.contains("with time zone") || word == "timestamptz" =>
            {
                "instant"
            }
            "timestamp" => "clock",
            "date" => "date",
            _ => "other",
        }
    };
    let parts = [("value", value), ("to", to)];
    if is_same_type(from, to) {
        return value.clone();
    }
    match (family(from), family(to)) {
        // A time without a zone is read as UTC whatever the session's zone is.
        ("clock", "instant") | ("instant", "clock") => fill("({value} AT TIME ZONE 'UTC')", &parts),
        (one, other) if (one == other && one != "other") || one == "text" || other == "text" => {
            fill("{value}::{to}", &parts)
        }
        ("clock" | "instant", "date") | ("date", "clock" | "instant") => {
            fill("{value}::{to}", &parts)
        }
        _ => fill("{value}::text::{to}", &parts),
    }
}
