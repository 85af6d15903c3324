//! What a check proves to the server, so that it need not read the rows.

use super::expression::{conjuncts, plain};
use crate::catalog::Table;
use crate::sql::Ident;

/// Whether a check says `c IS NOT NULL`.
pub(super) fn implies_not_null(check: &str, column: &Ident) -> bool {
    let wanted = format!("{} is not null", column.as_str());
    conjuncts(check).contains(&wanted)
}

/// Whether checks and NOT NULL of a table say that all its rows belong into a partition with this bound.
pub(super) fn implies_bound(table: &Table, column: &Ident, bound: &str) -> bool {
    let checks = table
        .checks
        .values()
        .filter(|check| super::look::is_proven(check));
    let mut known: Vec<String> = checks
        .flat_map(|check| conjuncts(check.expression.as_str()))
        .collect();
    let not_null = table.column(column).is_some_and(|own| !own.nullable)
        || known.contains(&format!("{} is not null", column.as_str()));
    let Some(wanted) = wanted(column, bound) else {
        return false;
    };
    known.retain(|text| !text.is_empty());
    not_null
        && wanted
            .iter()
            .all(|text| known.iter().any(|known| implies(known, text)))
}

/// Whether what is known says what is wanted: the same, or a part of a list.
fn implies(known: &str, wanted: &str) -> bool {
    let listed = |text: &str| -> Option<(String, Vec<String>)> {
        let (name, values) = text.split_once(" in ").or_else(|| text.split_once(" = "))?;
        let values = values.split(" , ");
        let values = values.map(|value| value.trim().to_owned()).collect();
        Some((name.to_owned(), values))
    };
    let part = || {
        let ((one, few), (other, many)) = (listed(known)?, listed(wanted)?);
        let is_plain = |values: &[String]| values.iter().all(|value| !value.contains('('));
        let is_part = few.iter().all(|value| many.contains(value));
        (one == other && is_plain(&few) && is_part).then_some(())
    };
    known == wanted || part().is_some()
}

/// Whether a check of a table says that none of its rows belongs into a range: `c < from OR c >= to`.
pub(super) fn excludes_bound(table: &Table, column: &Ident, bound: &str) -> bool {
    let Some(wanted) = wanted(column, bound) else {
        return false;
    };
    let name = column.as_str();
    let [low, high] = &wanted[..] else {
        return excludes_list(table, name, &wanted);
    };
    let (Some(from), Some(until)) = (
        low.strip_prefix(&format!("{name} >= ")),
        high.strip_prefix(&format!("{name} < ")),
    ) else {
        return false;
    };
    let outside = format!("{name} < {from} or {name} >= {until}");
    let mut checks = table
        .checks
        .values()
        .filter(|check| super::look::is_proven(check));
    checks.any(|check| conjuncts(check.expression.as_str()).contains(&outside))
}

/// What a bound asks of a row, in the spelling of [`conjuncts`].
fn wanted(column: &Ident, bound: &str) -> Option<Vec<String>> {
    let name = column.as_str();
    let lower = bound.to_ascii_lowercase();
    if let Some(at) = lower.find(" from") {
        let rest = &bound[at + 5..];
        let to = rest.to_ascii_lowercase().find(" to")?;
        let value = |text: &str| plain(text);
        let (from, until) = (value(&rest[..to]), value(&rest[to + 3..]));
        if from.contains(',') || until.contains(',') {
            return None;
        }
        let mut all = Vec::new();
        if from != "minvalue" {
            all.push(format!("{name} >= {from}"));
        }
        if until != "maxvalue" {
            all.push(format!("{name} < {until}"));
        }
        return Some(all);
    }
    let at = lower.find(" in")?;
    let values = plain(&bound[at + 3..]);
    if values.contains(',') {
        return Some(vec![format!("{name} in {values}")]);
    }
    Some(vec![format!("{name} = {values}")])
}

/// The same of a list: `c not in (…)`, `c <> …`, each alone or with `c is null or` before it.
fn excludes_list(table: &Table, name: &str, wanted: &[String]) -> bool {
    let [wanted] = wanted else {
        return false;
    };
    let listed = wanted.strip_prefix(&format!("{name} in "));
    let single = wanted.strip_prefix(&format!("{name} = "));
    let Some(values) = listed.or(single) else {
        return false;
    };
    let outside = [
        format!("{name} not in {values}"),
        format!("{name} <> {values}"),
    ];
    let said = |part: &String| {
        let bare = part
            .strip_prefix(&format!("{name} is null or "))
            .unwrap_or(part);
        outside.iter().any(|own| own == bare)
    };
    let mut checks = table
        .checks
        .values()
        .filter(|check| super::look::is_proven(check));
    checks.any(|check| conjuncts(check.expression.as_str()).iter().any(said))
}
