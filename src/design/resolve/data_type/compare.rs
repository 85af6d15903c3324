//! How two types get on with each other.

use super::DataType;

/// How two types of columns that must be equal get on with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::design::resolve) enum Match {
    /// The same.
    Same,
    /// PostgreSQL compares them, at a price.
    Converted,
    /// PostgreSQL refuses to.
    None,
}

/// Compares the type of a referencing column with that of the referenced one.
pub(in crate::design::resolve) fn compare(child: &DataType, parent: &DataType) -> Match {
    if child == parent {
        return Match::Same;
    }
    if child.dimensions != parent.dimensions || child.dimensions > 0 {
        return Match::None;
    }
    match (rank(&child.base), rank(&parent.base)) {
        (Some((one, child)), Some((other, parent))) if one == other && child <= parent => {
            Match::Converted
        }
        _ => Match::None,
    }
}

/// Types between which an equality exists, in classes; within one the lower converts to the higher by itself.
fn rank(base: &str) -> Option<(&'static str, u8)> {
    Some(match base {
        "int2" | "int4" | "int8" => ("number", 0),
        "numeric" => ("number", 1),
        "float4" | "float8" => ("number", 2),
        "text" | "varchar" | "bpchar" | "name" | "citext" => ("text", 0),
        "date" | "timestamp" | "timestamptz" => ("time", 0),
        "bit" | "varbit" => ("bits", 0),
        "inet" | "cidr" => ("address", 0),
        _ => return None,
    })
}

/// Whether values of the type are points in time.
pub(in crate::design::resolve) fn is_time(data_type: &DataType) -> bool {
    data_type.dimensions == 0
        && matches!(
            data_type.base.as_str(),
            "date" | "timestamp" | "timestamptz"
        )
}

/// Whether values of the type are numbers.
pub(in crate::design::resolve) fn is_number(data_type: &DataType) -> bool {
    data_type.dimensions == 0 && rank(&data_type.base).is_some_and(|(class, _)| class == "number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_compare_as_the_server_compares_them() {
        let of = |base: &str, dimensions| DataType {
            base: base.to_owned(),
            dimensions,
        };
        assert_eq!(compare(&of("int8", 0), &of("int8", 0)), Match::Same);
        assert_eq!(compare(&of("int4", 0), &of("int8", 0)), Match::Converted);
        assert_eq!(compare(&of("int4", 0), &of("numeric", 0)), Match::Converted);
        assert_eq!(compare(&of("numeric", 0), &of("int4", 0)), Match::None);
        assert_eq!(compare(&of("uuid", 0), &of("text", 0)), Match::None);
        assert_eq!(compare(&of("int4", 1), &of("int8", 1)), Match::None);
    }
}
