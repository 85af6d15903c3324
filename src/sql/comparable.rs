//! Values of types that have no equality of their own.

use super::{SqlText, fill};

/// Types without an equality, and shapes, of which PostgreSQL compares the areas or the numbers of points.
const UNEQUAL: [&str; 8] = [
    "json", "xml", "point", "line", "box", "path", "polygon", "circle",
];

/// Whether two values of a type cannot be told apart by `=`.
pub fn is_unequal(data_type: &str) -> bool {
    let word = data_type.trim().trim_end_matches("[]");
    UNEQUAL.iter().any(|own| word.eq_ignore_ascii_case(own))
}

/// A value as it can be compared: as its text, where its type has no equality.
pub fn comparable(value: &SqlText, data_type: &SqlText) -> SqlText {
    match is_unequal(data_type.as_str()) {
        true => fill("({value})::text", &[("value", value)]),
        false => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_compared_as_text_and_jsonb_as_it_is() {
        let of = |data_type: &str| {
            let (value, data_type) = (SqlText::authored("a"), SqlText::authored(data_type));
            comparable(&value, &data_type).as_str().to_owned()
        };
        assert_eq!(of("JSON"), "(a)::text");
        assert_eq!(of("point[]"), "(a)::text");
        assert_eq!(of("jsonb"), "a");
    }
}
