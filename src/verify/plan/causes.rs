//! Why no index helps a query that reads a whole table: its condition is not about the column as it is stored.

use super::case::Case;
use super::expect::LARGE;
use super::planned::{AtVolume, Planned};
use crate::design::{Model, Table};
use crate::explain::{Outcome, Relations};
use crate::finding::{Finding, Severity};

/// What a condition does to a column.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    /// It is converted to this type.
    Converted(String),
    /// A function is applied to it.
    Called,
    /// The pattern may begin with anything.
    Anywhere,
}

/// Findings for queries that are broken at some volume.
pub(super) fn causes(
    model: &Model,
    cases: &[Case<'_>],
    planned: &[AtVolume],
    relations: &Relations,
) -> Vec<Finding> {
    let is_broken = |moment: &&Planned| {
        let mut outcomes = moment.outcomes.iter();
        outcomes.any(|outcome| matches!(outcome, Outcome::Broken { .. }))
    };
    let mut found: Vec<Finding> = Vec::new();
    for (case, planned) in cases.iter().zip(planned) {
        let Some(moment) = planned.planned.iter().find(is_broken) else {
            continue;
        };
        let scans = moment.plan.nodes().iter();
        for scan in scans.filter(|node| node.kind == "Seq Scan") {
            let table = relations.table(scan).and_then(|name| {
                let mut tables = model.tables.iter();
                tables.find(|table| table.name.as_str() == name)
            });
            let (Some(table), Some(filter)) = (table, &scan.filter) else {
                continue;
            };
            if moment.point.rows(table) <= LARGE {
                continue;
            }
            for finding in of_filter(filter, table, case) {
                let finding = finding.of(model.name.as_str());
                // Of a partitioned table once.
                if !found.contains(&finding) {
                    found.push(finding);
                }
            }
        }
    }
    found
}

fn of_filter(filter: &str, table: &Table, case: &Case<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for column in &table.columns {
        let own = column.data_type.as_str();
        let Some(cause) = cause(filter, column.name.as_str(), own) else {
            continue;
        };
        let (query, name) = (case.query.name.as_str(), column.name.as_str());
        let table = table.name.as_str();
        let (message, help) = match cause {
            Cause::Converted(to) => (
                format!(
                    "`{query}` converts `{name}` of each row of `{table}` to {to} before it is compared, so that no index on it helps"
                ),
                format!(
                    "compare it with a value of its own type, {own}: say that type in `params:`, or convert the other side"
                ),
            ),
            Cause::Called => (
                format!(
                    "`{query}` applies a function to `{name}` of each row of `{table}`, so that no index on the column helps"
                ),
                "compare the column itself, with both ends of a range where it is one, or index the expression".to_owned(),
            ),
            Cause::Anywhere => (
                format!(
                    "`{query}` looks in `{name}` of `{table}` for a pattern that may begin with anything, which no btree finds"
                ),
                "let the pattern begin with what is looked for, or name `pg_trgm` in `database.extensions` for a GIN index over `gin_trgm_ops`"
                    .to_owned(),
            ),
        };
        let subject = format!("query {query}");
        let at = case.query.name.at;
        let finding = Finding::new(
            "index-out-of-reach",
            Severity::Warning,
            subject,
            message,
            at,
        );
        found.push(finding.help(help));
    }
    found
}

/// What a filter, as PostgreSQL writes it, does to a column of this type.
fn cause(filter: &str, column: &str, own: &str) -> Option<Cause> {
    for (at, _) in filter.match_indices(column) {
        let (before, after) = (&filter[..at], &filter[at + column.len()..]);
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '"';
        if before.ends_with(is_word) || after.starts_with(is_word) || is_quoted(before) {
            continue;
        }
        if before.ends_with('(')
            && let Some(rest) = after.strip_prefix(")::")
        {
            let to = converted(rest);
            // A varchar is stored as a text is.
            if !(to == "text" && own.starts_with("varchar")) {
                return Some(match is_called(before) {
                    true => Cause::Called,
                    false => Cause::Converted(to.to_owned()),
                });
            }
        }
        if is_called(before) {
            return Some(Cause::Called);
        }
        let pattern = ["~~ '", "~~* '"];
        let rest = after.trim_start_matches(")::text").trim_start();
        let mut patterns = pattern
            .iter()
            .filter_map(|operator| rest.strip_prefix(operator));
        if patterns.any(|pattern| pattern.starts_with(['%', '_'])) {
            return Some(Cause::Anywhere);
        }
    }
    None
}

/// Whether a text ends inside a literal.
fn is_quoted(before: &str) -> bool {
    before.matches('\'').count() % 2 == 1
}

/// The type at the start of what follows `::`.
fn converted(rest: &str) -> &str {
    let end = rest.find([')', '=', '<', '>', '~', '!', ',', '+', '-', '*']);
    let text = &rest[..end.unwrap_or(rest.len())];
    let text = text.split(" IS ").next().unwrap_or(text);
    let text = text.split(" AND ").next().unwrap_or(text);
    text.trim()
}

/// Whether what follows stands among the arguments of a function.
fn is_called(before: &str) -> bool {
    let mut depth = 0;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' if depth > 0 => depth -= 1,
            '(' => {
                let name = before[..at].rsplit(|c: char| !c.is_alphanumeric() && c != '_');
                let name = name.into_iter().next().unwrap_or_default();
                if !name.is_empty() && !name.eq_ignore_ascii_case("row") {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_tells_what_is_done_to_a_column() {
        let converted = |to: &str| Some(Cause::Converted(to.to_owned()));
        for (filter, own, expected) in [
            (
                "((payment_id)::numeric = '12500'::numeric)",
                "bigint",
                converted("numeric"),
            ),
            (
                "((a = 1) AND ((payment_id)::text IS NULL))",
                "bigint",
                converted("text"),
            ),
            ("((payment_id)::text = 'a'::text)", "varchar(20)", None),
            ("(payment_id = '5'::bigint)", "bigint", None),
            ("(ROW(payment_id, b) < ROW(1, 2))", "bigint", None),
            ("(payment_id = ANY ('{1,2}'::bigint[]))", "bigint", None),
            ("(old_payment_id = lower(x))", "bigint", None),
            ("(note = 'of (payment_id)::text')", "bigint", None),
            (
                "(date_trunc('day'::text, payment_id) < '2026-01-01')",
                "timestamptz",
                Some(Cause::Called),
            ),
            (
                "(lower((payment_id)::text) = 'a'::text)",
                "varchar(20)",
                Some(Cause::Called),
            ),
            (
                "(payment_id ~~ '%ann%'::text)",
                "text",
                Some(Cause::Anywhere),
            ),
            (
                "((payment_id)::text ~~* '_a'::text)",
                "varchar",
                Some(Cause::Anywhere),
            ),
            ("(payment_id ~~ 'ann%'::text)", "text", None),
        ] {
            assert_eq!(cause(filter, "payment_id", own), expected, "{filter}");
        }
    }
}
