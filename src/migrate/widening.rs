//! Changes of type that leave the bytes of a table as they are, so that PostgreSQL changes only its catalog.
//!
//! Measured on 14 to 18 (`tests/migrate_locks.rs` observes them again): a longer `varchar` or none, `varchar` to `text`, a larger precision of `numeric` at the same scale,
//! more digits of `time`, `timestamp` and `interval`, `cidr` to `inet`.

use crate::sql::SqlText;

/// Whether rows of the old type are rows of the new one, byte for byte.
pub(super) fn is_wider(from: &SqlText, to: &SqlText) -> bool {
    let (from, to) = (Kind::of(from.as_str()), Kind::of(to.as_str()));
    if from.dimensions + to.dimensions > 0 {
        return false;
    }
    match (from.base.as_str(), to.base.as_str()) {
        ("varchar", "text") => to.arguments.is_empty(),
        ("varchar", "varchar") | ("varbit", "varbit") => at_least(&from, &to),
        ("text", "varchar") => to.arguments.is_empty(),
        ("cidr", "inet") => true,
        ("numeric", "numeric") => match (from.arguments.as_slice(), to.arguments.as_slice()) {
            (_, []) => true,
            ([was, rest @ ..], [now, other @ ..]) => {
                let scale = |list: &[u32]| list.first().copied().unwrap_or(0);
                now >= was && scale(rest) == scale(other)
            }
            ([], _) => false,
        },
        (one, other) if one == other && TIMES.contains(&one) => at_least(&from, &to),
        _ => false,
    }
}

const TIMES: [&str; 5] = ["time", "timetz", "timestamp", "timestamptz", "interval"];

fn at_least(from: &Kind, to: &Kind) -> bool {
    match (from.arguments.first(), to.arguments.first()) {
        (_, None) => true,
        (Some(was), Some(now)) => now >= was,
        (None, Some(_)) => false,
    }
}

/// Whether two spellings name one type.
pub(super) fn is_same_type(one: &SqlText, other: &SqlText) -> bool {
    Kind::of(one.as_str()) == Kind::of(other.as_str())
}

#[derive(PartialEq, Eq)]
struct Kind {
    base: String,
    arguments: Vec<u32>,
    dimensions: usize,
}

impl Kind {
    fn of(text: &str) -> Kind {
        let text = text.trim().to_ascii_lowercase();
        let dimensions = text.matches("[]").count();
        let text = text.replace("[]", "");
        let (head, arguments, tail) = match (text.find('('), text.find(')')) {
            (Some(open), Some(close)) if open < close => {
                let inside = text[open + 1..close].split(',');
                let numbers = inside.filter_map(|part| part.trim().parse().ok()).collect();
                (
                    text[..open].to_owned(),
                    numbers,
                    text[close + 1..].to_owned(),
                )
            }
            _ => (text.clone(), Vec::new(), String::new()),
        };
        let words = format!("{head} {tail}");
        let words: Vec<&str> = words.split_whitespace().collect();
        let base = match words.join(" ").as_str() {
            "character varying" => "varchar".to_owned(),
            "bit varying" => "varbit".to_owned(),
            "decimal" => "numeric".to_owned(),
            "int" | "int4" => "integer".to_owned(),
            "int8" => "bigint".to_owned(),
            "int2" => "smallint".to_owned(),
            "bool" => "boolean".to_owned(),
            "float8" => "double precision".to_owned(),
            "float4" => "real".to_owned(),
            "timestamp with time zone" => "timestamptz".to_owned(),
            "timestamp without time zone" => "timestamp".to_owned(),
            "time with time zone" => "timetz".to_owned(),
            "time without time zone" => "time".to_owned(),
            "character" => "char".to_owned(),
            other => other.to_owned(),
        };
        Kind {
            base,
            arguments,
            dimensions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wider(from: &str, to: &str) -> bool {
        is_wider(&SqlText::authored(from), &SqlText::authored(to))
    }

    #[test]
    fn only_types_with_the_same_bytes_are_wider() {
        for (from, to) in [
            ("varchar(10)", "varchar(20)"),
            ("character varying(10)", "text"),
            ("numeric(10,2)", "numeric(12,2)"),
            ("numeric(10,2)", "numeric"),
            ("timestamptz(3)", "timestamp with time zone"),
            ("cidr", "inet"),
        ] {
            assert!(wider(from, to), "{from} to {to}");
        }
        for (from, to) in [
            ("varchar(20)", "varchar(10)"),
            ("text", "varchar(10)"),
            ("numeric(10,2)", "numeric(12,3)"),
            ("integer", "bigint"),
            ("timestamp", "timestamptz"),
            ("char(10)", "char(20)"),
            ("text[]", "varchar[]"),
        ] {
            assert!(!wider(from, to), "{from} to {to}");
        }
        assert!(is_same_type(
            &SqlText::authored("int8"),
            &SqlText::authored("bigint")
        ));
    }
}
