//! `statistics:` of a table: columns whose values hang together.

use super::super::language::values::parse_count;
use super::super::model::{Statistics, Table};
use super::context::Context;
use super::symbols::{TableSymbol, section};
use super::value::{name, names, parsed, texts};
use crate::catalog::StatisticsKind;
use crate::source::{Entry, Node};

/// PostgreSQL's `STATS_MAX_DIMENSIONS`.
const MOST: usize = 8;

/// `statistics:`.
pub(super) fn statistics(
    cx: &Context<'_>,
    node: &Node,
    symbol: &TableSymbol<'_>,
    subject: &str,
) -> Vec<Statistics> {
    section(node, &["statistics"])
        .map(|entry| one(cx, entry, symbol, subject))
        .collect()
}

fn one(cx: &Context<'_>, entry: &Entry, symbol: &TableSymbol<'_>, subject: &str) -> Statistics {
    let subject = &format!("{subject} / statistics {}", entry.key);
    let node = &entry.value;
    let own = name(&entry.key);
    super::name::check(cx, "statistics", &own, subject);
    let columns = names(node, "columns");
    cx.columns(symbol, &columns, &format!("{subject} / columns"));
    if let Some(written) = node.get("columns")
        && !(2..=MOST).contains(&columns.len())
    {
        let at = written.at;
        let message = format!(
            "statistics over {} column{}",
            columns.len(),
            if columns.len() == 1 { "" } else { "s" }
        );
        let help = format!("name two to {MOST} columns whose values hang together");
        cx.error("statistics-impossible", subject, message, at, help);
    }
    let words = texts(node, "kinds");
    let asked = |kind: &StatisticsKind| {
        words.is_empty() || words.iter().any(|word| word.as_str() == kind.sql())
    };
    Statistics {
        columns,
        kinds: StatisticsKind::ALL.into_iter().filter(asked).collect(),
        distinct: parsed(node, "distinct", parse_count),
        name: own,
    }
}

/// Says where there cannot be so many combinations.
pub(super) fn fit(cx: &Context<'_>, node: &Node, table: &Table, subject: &str) {
    let rows = table.volume.as_ref().map(|v| v.rows + v.grows * v.horizon);
    for (made, entry) in table.statistics.iter().zip(section(node, &["statistics"])) {
        let Some(distinct) = made.distinct else {
            continue;
        };
        let at = entry
            .value
            .get("distinct")
            .map_or(made.name.at, |value| value.at);
        let subject = format!("{subject} / statistics {}", made.name.as_str());
        let fault = |message: String, help: &str| {
            cx.error("statistics-impossible", &subject, message, at, help);
        };
        if distinct <= 0.0 {
            let help = "give a count, or a fraction of the rows below 1";
            fault(
                "rows have at least one combination of values".to_owned(),
                help,
            );
            continue;
        }
        let counted = |count: f64| match (count < 1.0, rows) {
            (true, Some(rows)) => Some(count * rows),
            (true, None) => None,
            (false, _) => Some(count),
        };
        let Some(combinations) = counted(distinct) else {
            continue;
        };
        if let Some(rows) = rows
            && combinations > rows.max(1.0)
        {
            let message = format!("{combinations} different combinations in {rows} rows");
            fault(
                message,
                "count the combinations that rows have, not those that they could have",
            );
            continue;
        }
        let values = |name: &str| {
            let column = table
                .columns
                .iter()
                .find(|column| column.name.as_str() == name)?;
            let listed = column.data.values.len() as f64;
            let said = column.data.distinct.and_then(counted);
            said.or((listed > 0.0).then_some(listed))
        };
        let known: Vec<Option<f64>> = made
            .columns
            .iter()
            .map(|name| values(name.as_str()))
            .collect();
        for (name, values) in made.columns.iter().zip(&known) {
            if let Some(values) = values.filter(|values| *values > combinations) {
                let message = format!(
                    "`{}` alone has {values} different values, more than the {combinations} combinations",
                    name.as_str()
                );
                fault(
                    message,
                    "there are at least as many combinations as one of the columns has values",
                );
            }
        }
        let product: Option<f64> = known.iter().copied().product();
        if let Some(product) = product.filter(|product| *product < combinations) {
            let message = format!(
                "{combinations} different combinations, and the columns' values make {product} at most"
            );
            fault(message, "count the combinations that rows have");
        }
    }
}
