//! `FOR VALUES …` as data.

use crate::catalog::PartitionBound;
use crate::sql::SqlText;

/// Reads what `pg_get_expr(relpartbound)` prints; `None` where it is of a kind the catalog has no word for.
pub(super) fn bound(text: &str) -> Option<PartitionBound> {
    if text == "DEFAULT" {
        return Some(PartitionBound::Default);
    }
    let values = text.strip_prefix("FOR VALUES ")?;
    if let Some(range) = values.strip_prefix("FROM ") {
        let (from, rest) = bracketed(range)?;
        let (to, _) = bracketed(rest.trim_start().strip_prefix("TO ")?)?;
        return Some(PartitionBound::Range(literal(from), literal(to)));
    }
    if let Some(list) = values.strip_prefix("IN ") {
        let (items, _) = bracketed(list)?;
        return Some(PartitionBound::List(
            split(items).into_iter().map(literal).collect(),
        ));
    }
    let (numbers, _) = bracketed(values.strip_prefix("WITH ")?)?;
    let mut numbers = numbers
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok());
    Some(PartitionBound::Hash(numbers.next()?, numbers.next()?))
}

fn literal(text: &str) -> SqlText {
    SqlText::made(text.trim())
}

/// The inside of the bracket that `text` starts with, and what comes after it. Brackets inside quotes do not count.
pub(super) fn bracketed(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('(')?;
    let mut depth = 1;
    let mut quote = None;
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    return Some((&inside[..at], &inside[at + 1..]));
                }
            }
            _ => {}
        }
    }
    None
}

fn split(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in list.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            ',' if !quoted => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&list[start..]);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> SqlText {
        SqlText::made(text)
    }

    #[test]
    fn every_kind_of_bound_is_read() {
        let range = "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')";
        let from = made("'2026-01-01 00:00:00+00'");
        let to = made("'2026-02-01 00:00:00+00'");
        assert_eq!(bound(range), Some(PartitionBound::Range(from, to)));
        let list = bound("FOR VALUES IN ('a, (b', 'it''s', NULL)");
        let items = ["'a, (b'", "'it''s'", "NULL"].map(made).to_vec();
        assert_eq!(list, Some(PartitionBound::List(items)));
        let hash = bound("FOR VALUES WITH (modulus 16, remainder 3)");
        assert_eq!(hash, Some(PartitionBound::Hash(16, 3)));
        assert_eq!(bound("DEFAULT"), Some(PartitionBound::Default));
        assert_eq!(bound("FOR VALUES FROM (MINVALUE"), None);
    }
}
