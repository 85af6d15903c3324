//! Values of one type as another one.

use crate::catalog::{Catalog, UserType};
use crate::migrate::draft::Draft;
use crate::migrate::effect::is_same_type;
use crate::sql::words::mentions;
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

fn family(data_type: &SqlText) -> &'static str {
    let text = data_type.as_str().to_ascii_lowercase();
    let word = text.split(['(', ' ', '[']).next().unwrap_or("").to_owned();
    match word.as_str() {
        _ if text.contains('[') => "other",
        "smallint" | "integer" | "int" | "int2" | "int4" | "int8" | "bigint" | "numeric"
        | "decimal" | "real" | "double" | "float4" | "float8" => "number",
        "text" | "varchar" | "character" | "char" | "citext" => "text",
        "timestamp" | "timestamptz" if text.contains("with time zone") || word == "timestamptz" => {
            "instant"
        }
        "timestamp" => "clock",
        "date" => "date",
        _ => "other",
    }
}

/// Whether values of a type are text, of which an explicit cast cuts off what is too long.
pub(super) fn is_text(data_type: &SqlText) -> bool {
    family(data_type) == "text"
}

/// Whether a value without a zone becomes one with a zone.
pub(super) fn gets_zone(from: &SqlText, to: &SqlText) -> bool {
    matches!((family(from), family(to)), ("clock" | "date", "instant"))
}

/// What a cast quietly takes off values, if it does.
pub(super) fn loses(from: &SqlText, to: &SqlText) -> Option<&'static str> {
    // Digits before and behind the point that a type keeps; none where they are without bounds.
    let digits = |data_type: &SqlText| -> Option<i64> {
        let text = data_type.as_str().to_ascii_lowercase();
        let word = text.split(['(', ' ']).next().unwrap_or("").to_owned();
        let inside = text
            .split_once('(')
            .map(|(_, rest)| rest.trim_end_matches(')').to_owned());
        match (word.as_str(), inside) {
            ("smallint" | "integer" | "int" | "bigint" | "int2" | "int4" | "int8", _) => Some(0),
            ("numeric" | "decimal", Some(inside)) => {
                let scale = inside.split_once(',').map_or("0", |(_, scale)| scale);
                scale.trim().parse().ok()
            }
            _ => None,
        }
    };
    match (family(from), family(to)) {
        ("number", "number") => {
            let rounds = match (digits(from), digits(to)) {
                (Some(was), Some(now)) => now < was,
                (None, now) => now.is_some(),
                _ => false,
            };
            rounds.then_some("digits behind the point are rounded off")
        }
        ("clock" | "instant", "date") => Some("the time of day is cut off"),
        _ => None,
    }
}

/// Labels of the column's enum that the new one does not have.
pub(super) fn labels_gone(draft: &Draft<'_>, (was, now): (&SqlText, &SqlText)) -> Option<String> {
    let labels = |catalog: &Catalog, data_type: &SqlText| {
        catalog
            .types
            .iter()
            .find_map(|(name, (kind, _))| match kind {
                UserType::Enum(labels) if mentions(data_type, &name.name) => Some(labels.clone()),
                _ => None,
            })
    };
    let was = labels(draft.from, was)?;
    let now = labels(draft.to, now)?;
    let gone = was.iter().filter(|label| !now.contains(label));
    let gone: Vec<String> = gone.map(|label| format!("`{label}`")).collect();
    (!gone.is_empty()).then(|| gone.join(", "))
}

/// What a column is given for a value of another type. Where both are text PostgreSQL casts by itself, and refuses what is too long; an explicit cast cuts it off.
pub(super) fn assigned(value: &SqlText, from: &SqlText, to: &SqlText) -> SqlText {
    match (family(from), family(to)) {
        ("text", "text") => value.clone(),
        (_, "text") => fill("{value}::text", &[("value", value)]),
        _ => cast(value, from, to),
    }
}

/// What the new column holds for a value of the old one.
pub(super) fn cast(value: &SqlText, from: &SqlText, to: &SqlText) -> SqlText {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cast_takes_off_is_told() {
        let lost = |from: &str, to: &str| {
            loses(&SqlText::authored(from), &SqlText::authored(to)).is_some()
        };
        assert!(lost("double precision", "numeric(12,2)"));
        assert!(lost("numeric", "integer"));
        assert!(lost("numeric(12,4)", "numeric(12,2)"));
        assert!(lost("timestamptz", "date"));
        assert!(!lost("numeric(10,2)", "numeric(12,3)"));
        assert!(!lost("integer", "bigint"));
        assert!(!lost("integer", "numeric(12,2)"));
        assert!(!lost("text", "varchar(3)"));
    }

    #[test]
    fn text_is_assigned_as_it_is_so_that_nothing_is_cut_off() {
        let given = |from: &str, to: &str| {
            let (from, to) = (SqlText::authored(from), SqlText::authored(to));
            assigned(&SqlText::authored("a"), &from, &to)
                .as_str()
                .to_owned()
        };
        assert_eq!(given("text", "varchar(3)"), "a");
        assert_eq!(given("integer", "varchar(3)"), "a::text");
        assert_eq!(given("integer", "numeric(4,1)"), "a::numeric(4,1)");
    }
}
