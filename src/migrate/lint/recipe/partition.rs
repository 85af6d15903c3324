//! Partitions: what would be read or built while they are attached is proven and built before.

use super::constraint::unique;
use super::words::{WINDOW, authored, made, table_name, text, two_steps, written};
use crate::migrate::chain::Chain;
use crate::sql::{Ident, Named, NewTable, QualifiedName, SqlText, fill, fixed, join, quote_ident};

pub(super) fn attach(
    chain: &Chain,
    parent: &QualifiedName,
    partition: &Named,
    bound: &str,
) -> String {
    let (part, _) = chain.look().relation(partition);
    let column = chain
        .look()
        .partitioning(parent)
        .map(|by| by.column.clone());
    let Some(condition) = column.and_then(|column| condition(&column, bound)) else {
        return WINDOW.to_owned();
    };
    let check = made(&part, "bound", "check");
    let body = fill("CHECK ({condition})", &[("condition", &condition)]);
    let steps = join(
        [
            missing_indexes(chain, parent, &part),
            beside_default(chain, parent, bound),
            vec![two_steps(&part, &check, &body)],
        ]
        .concat(),
        "\n",
    );
    text(fill(
        "{steps}\n-- the check proves it, so no row is read:\nALTER TABLE {parent} ATTACH PARTITION {part} {bound};\nALTER TABLE {part} DROP CONSTRAINT {check};",
        &[
            ("steps", &steps),
            ("parent", &table_name(parent)),
            ("part", &table_name(&part)),
            ("bound", &authored(bound)),
            ("check", &quote_ident(&check)),
        ],
    ))
}

/// Indexes that the parent has and the partition lacks would be built while it is attached.
pub(super) fn missing_indexes(
    chain: &Chain,
    parent: &QualifiedName,
    part: &QualifiedName,
) -> Vec<SqlText> {
    let look = chain.look();
    let (Some(above), Some(own)) = (look.table(parent), look.table(part)) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    if let (Some((_, key)), None) = (&above.primary_key, &own.primary_key) {
        steps.push(unique(part, &key.columns, true, None));
    }
    for key in above.uniques.values() {
        if !own
            .uniques
            .values()
            .any(|other| other.columns == key.columns)
        {
            steps.push(unique(part, &key.columns, false, None));
        }
    }
    let missing = above.indexes.values().filter(|index| {
        !own.indexes
            .values()
            .any(|other| other.keys == index.keys && other.predicate == index.predicate)
    });
    for index in missing {
        let keys = index.keys.iter().map(|key| key.expression.clone());
        let filter = index.predicate.as_ref().map_or(fixed(""), |predicate| {
            fill(" WHERE {predicate}", &[("predicate", predicate)])
        });
        steps.push(fill(
            "CREATE {unique}INDEX CONCURRENTLY ON {part} USING {method} ({keys}){filter};",
            &[
                ("unique", &fixed(if index.unique { "UNIQUE " } else { "" })),
                ("part", &table_name(part)),
                ("method", &quote_ident(&index.method)),
                ("keys", &join(keys, ", ")),
                ("filter", &filter),
            ],
        ));
    }
    steps
}

/// A check that no row of the DEFAULT partition belongs into the new one.
pub(super) fn beside_default(chain: &Chain, parent: &QualifiedName, bound: &str) -> Vec<SqlText> {
    let by = chain.look().partitioning(parent);
    let Some(by) = by else { return Vec::new() };
    let Some(default) = chain.look().default_of(parent) else {
        return Vec::new();
    };
    let body = match (range(&by.column, bound), listed(&by.column, bound)) {
        (Some((own, low, high)), _) => fill(
            "CHECK ({own} < {low} OR {own} >= {high})",
            &[("own", &own), ("low", &low), ("high", &high)],
        ),
        (_, Some((own, values))) => fill(
            "CHECK ({own} IS NULL OR {own} NOT IN ({values}))",
            &[("own", &own), ("values", &values)],
        ),
        _ => return Vec::new(),
    };
    let check = made(&default, "outside", "check");
    vec![two_steps(&default, &check, &body)]
}

/// What a bound asks of a row.
pub(super) fn condition(column: &Ident, bound: &str) -> Option<SqlText> {
    if let Some((own, values)) = listed(column, bound) {
        return Some(fill(
            "{own} IS NOT NULL AND {own} IN ({values})",
            &[("own", &own), ("values", &values)],
        ));
    }
    let (own, low, high) = range(column, bound)?;
    Some(fill(
        "{own} IS NOT NULL AND {own} >= {low} AND {own} < {high}",
        &[("own", &own), ("low", &low), ("high", &high)],
    ))
}

/// The column and the values of a list; none where NULL is among them, or where it is over an expression.
fn listed(column: &Ident, bound: &str) -> Option<(SqlText, SqlText)> {
    let at = bound.to_ascii_lowercase().find(" in")?;
    let values = bound[at + " in".len()..].trim();
    let values = values.strip_prefix('(')?.strip_suffix(')')?.trim();
    let all = crate::sql::tokens(values);
    let is_null = all.iter().any(|token| token.is(values, "null"));
    let is_plain = column
        .as_str()
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_');
    (!is_null && is_plain).then(|| (quote_ident(column), authored(values)))
}

/// The column and both ends of a range over one column.
pub(super) fn range(column: &Ident, bound: &str) -> Option<(SqlText, SqlText, SqlText)> {
    let lower = bound.to_ascii_lowercase();
    let from = lower.find(" from")?;
    let to = lower[from..].find(" to").map(|at| at + from)?;
    let value = |text: &str| {
        let text = text.trim().trim_start_matches('(').trim_end_matches(')');
        authored(text.trim())
    };
    let (low, high) = (value(&bound[from + 5..to]), value(&bound[to + 3..]));
    let is_open = |end: &SqlText| {
        ["minvalue", "maxvalue"].contains(&end.as_str().to_ascii_lowercase().as_str())
    };
    if low.as_str().contains(',') || is_open(&low) || is_open(&high) {
        return None;
    }
    Some((quote_ident(column), low, high))
}

pub(super) fn partition_of(chain: &Chain, table: &NewTable) -> String {
    let (Some(own), Some((parent, bound))) = (&table.table, &table.partition_of) else {
        return WINDOW.to_owned();
    };
    let (name, _) = chain.look().relation(parent);
    let mut steps = beside_default(chain, &name, bound);
    steps.push(fill(
        "CREATE TABLE {own} (LIKE {parent} INCLUDING ALL);\nALTER TABLE {parent} ATTACH PARTITION {own} {bound};",
        &[
            ("own", &written(own)),
            ("parent", &written(parent)),
            ("bound", &authored(bound)),
        ],
    ));
    text(join(steps, "\n"))
}
