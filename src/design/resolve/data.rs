//! `data:` of a column: how its values are spread.

use super::super::language::values::{parse_count, parse_date, parse_number, parse_share};
use super::super::model::Data;
use super::context::Context;
use super::fit;
use super::symbols::ColumnSymbol;
use super::value::{items, parsed, text};
use super::width;
use crate::source::Node;

/// Shares are written by hand: this much over 1 is rounding.
const ROUNDING: f64 = 1e-6;

/// `data:`.
pub(super) fn data(cx: &Context<'_>, node: &Node, column: &ColumnSymbol, subject: &str) -> Data {
    let Some(node) = node.get("data") else {
        return Data::default();
    };
    let data = Data {
        distinct: parsed(node, "distinct", parse_count),
        values: values(node),
        skew: parsed(node, "skew", parse_number),
        nulls: parsed(node, "nulls", parse_share),
        range: range(node),
        correlation: parsed(node, "correlation", parse_number),
        width: parsed(node, "width", parse_count),
        pattern: text(node, "pattern").map(|text| text.as_str().to_owned()),
    };
    check(cx, node, &data, column, subject);
    data
}

fn values(node: &Node) -> Vec<(String, f64)> {
    let entries = node.get("values").map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            let share = parse_share(entry.value.as_str()?).ok()?;
            Some((entry.key.as_str().to_owned(), share))
        })
        .collect()
}

fn range(node: &Node) -> Option<(String, String)> {
    let bounds = items(node.get("range")?);
    match bounds.as_slice() {
        [low, high] => Some((end(low.as_str()), end(high.as_str()))),
        _ => None,
    }
}

/// An end as PostgreSQL reads it: people part the digits of large numbers.
fn end(text: &str) -> String {
    match parse_number(text) {
        Ok(_) => text.replace('_', ""),
        Err(_) => text.to_owned(),
    }
}

fn check(cx: &Context<'_>, node: &Node, data: &Data, column: &ColumnSymbol, subject: &str) {
    let fault = |key: &str, message: String, help: &str| {
        let at = node.get(key).map_or(node.at, |value| value.at);
        cx.error("data-impossible", subject, message, at, help);
    };
    if data.distinct == Some(0.0) {
        let help = "give a count, or a fraction of the rows below 1";
        fault(
            "distinct",
            "a column with rows has at least one value".to_owned(),
            help,
        );
    }
    let sum: f64 = data.values.iter().map(|(_, share)| share).sum();
    if sum > 1.0 + ROUNDING {
        let message = format!("the shares of the values sum up to {}", rounded(sum));
        fault(
            "values",
            message,
            "make them sum up to 1, or less where other values occur",
        );
    }
    if !data.values.is_empty() && sum <= 0.0 {
        fault(
            "values",
            "no value has a share".to_owned(),
            "give the share of at least one, above 0",
        );
    }
    if !column.nullable && data.nulls.is_some_and(|nulls| nulls > 0.0) {
        let message = "a column that may not be null has no share of nulls".to_owned();
        fault(
            "nulls",
            message,
            "say `nullable: REASON`, or leave `nulls` out",
        );
    }
    if data.width == Some(0.0) {
        fault(
            "width",
            "a value takes at least one byte".to_owned(),
            "give the average in bytes",
        );
    }
    if let (Some(width), Some(data_type)) = (data.width, &column.data_type)
        && let Some(most) = width::most(cx, data_type)
        && width > most
    {
        let message = format!("a `{data_type}` takes {most} bytes at most, not {width}");
        fault(
            "width",
            message,
            "give the average in bytes, or leave it out",
        );
    }
    if let Some(distinct) = data.distinct
        && distinct >= 1.0
        && (data.values.len() as f64) > distinct
    {
        let message = format!(
            "there are {distinct} different values, and {} are listed",
            data.values.len()
        );
        fault("distinct", message, "count the listed values in");
    }
    if let Some((low, high)) = &data.range
        && is_backwards(low, high)
    {
        let message = format!("the range from `{low}` to `{high}` is empty");
        fault("range", message, "write the lowest value first");
    }
    typed(cx, node, column, subject);
    if let Some(labels) = cx.symbols.labels(column) {
        for entry in node.get("values").map(Node::entries).unwrap_or_default() {
            let whose = format!("column `{}`", column.name.as_str());
            fit::one_of(cx, &entry.key, &labels, &whose, subject);
        }
    }
}

/// What is listed and the ends of a range are values of the column's type.
fn typed(cx: &Context<'_>, node: &Node, column: &ColumnSymbol, subject: &str) {
    let Some(data_type) = &column.data_type else {
        return;
    };
    for bound in node.get("range").map(items).unwrap_or_default() {
        fit::end(cx, &bound, data_type, subject);
    }
    // Those of an enum are looked at beside its labels.
    if cx.symbols.labels(column).is_none() {
        for entry in node.get("values").map(Node::entries).unwrap_or_default() {
            fit::literal(cx, &entry.key, data_type, subject);
        }
    }
}

/// Whether a range runs backwards, where that can be seen from its text: of two days, the day decides; of two times of one day, written
/// the same way, the text.
fn is_backwards(low: &str, high: &str) -> bool {
    if let (Ok(low), Ok(high)) = (parse_number(low), parse_number(high)) {
        return low > high;
    }
    let (low, high) = (low.trim(), high.trim());
    let day = |text: &str| parse_date(text.get(..10)?).ok();
    match (day(low), day(high)) {
        (Some(from), Some(to)) if from != to => from > to,
        (Some(_), Some(_)) => low.len() == high.len() && zone(low) == zone(high) && low > high,
        _ => false,
    }
}

/// What follows the seconds.
fn zone(text: &str) -> Option<&str> {
    text.get(19..)
}

fn rounded(sum: f64) -> String {
    let text = format!("{sum:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
