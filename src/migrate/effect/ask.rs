//! What recipes ask before they choose a way.

use super::expression;
use super::look::Look;
use super::types::{Change, Type, change};
use crate::catalog::Catalog;
use crate::migrate::chain::Beside;
use crate::sql::SqlText;

/// Types and defaults stand on no relation, and a recipe asks of each column: what leads to relations is not gathered for it.
fn without_relations() -> Beside {
    Beside::of(&Catalog::default())
}

/// Whether a default gives each row a value of its own, so that adding a column with it writes the table.
pub(in crate::migrate) fn is_volatile(default: &SqlText, catalog: &Catalog, version: u16) -> bool {
    let beside = without_relations();
    let look = Look {
        catalog,
        beside: &beside,
        version,
    };
    expression::is_volatile(default.as_str(), &look)
}

/// Whether rows of one type are rows of another byte for byte, so that PostgreSQL changes only its catalog.
pub(in crate::migrate) fn keeps_bytes(
    (from, to): (&SqlText, &SqlText),
    catalog: &Catalog,
    version: u16,
) -> bool {
    let beside = without_relations();
    let look = Look {
        catalog,
        beside: &beside,
        version,
    };
    change(from.as_str(), to.as_str(), &look) == Change::None
}

/// Whether two spellings name one type.
pub(in crate::migrate) fn is_same_type(one: &SqlText, other: &SqlText) -> bool {
    one == other || Type::parse(one.as_str()) == Type::parse(other.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_with_the_same_bytes_keep_them() {
        let keeps = |from: &str, to: &str| {
            let pair = (&SqlText::authored(from), &SqlText::authored(to));
            keeps_bytes(pair, &Catalog::default(), 15)
        };
        for (from, to) in [
            ("varchar(10)", "varchar(20)"),
            ("character varying(10)", "text"),
            ("numeric(10,2)", "numeric(12,2)"),
            ("timestamptz(3)", "timestamp with time zone"),
            ("cidr", "inet"),
        ] {
            assert!(keeps(from, to), "{from} to {to}");
        }
        for (from, to) in [
            ("varchar(20)", "varchar(10)"),
            ("numeric(10,2)", "numeric(12,3)"),
            ("integer", "bigint"),
            ("timestamp", "timestamptz"),
            ("text[]", "varchar[]"),
        ] {
            assert!(!keeps(from, to), "{from} to {to}");
        }
        let one = (SqlText::authored("int8"), SqlText::authored("bigint"));
        assert!(is_same_type(&one.0, &one.1));
    }
}
