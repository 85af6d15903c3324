//! `partition:` of a table.

use std::collections::BTreeMap;

use super::super::language::values::parse_date;
use super::super::model::{PartitionBy, PartitionRule};
use super::context::Context;
use super::data_type;
use super::symbols::TableSymbol;
use super::value::{flag, items, name_at, text};
use crate::finding::Finding;
use crate::source::{Node, Text};
use crate::sql::Ident;

/// Partitions made where `ahead` is silent.
const AHEAD: u32 = 3;

/// Units of `every`.
const UNITS: &[(&str, &str)] = &[
    ("hour", "hour"),
    ("hours", "hour"),
    ("h", "hour"),
    ("day", "day"),
    ("days", "day"),
    ("week", "week"),
    ("weeks", "week"),
    ("month", "month"),
    ("months", "month"),
    ("year", "year"),
    ("years", "year"),
];

/// `partition:`; `None` where there is none, or none that can be understood.
pub(super) fn partition(
    cx: &Context<'_>,
    node: &Node,
    symbol: &TableSymbol<'_>,
    subject: &str,
) -> Option<PartitionBy> {
    let entry = node.entry("partition")?;
    let node = &entry.value;
    let subject = &format!("{subject} / partition");
    let by = name_at(node, "by")?;
    let column = cx.column(symbol, &by, subject);
    if node.get("every").is_some()
        && let Some(data_type) = column.and_then(|column| column.data_type.as_ref())
        && data_type::settle(cx, data_type).is_some_and(|found| !data_type::is_time(&found))
    {
        let message = format!("`every` cuts time, `{}` is `{data_type}`", by.as_str());
        let finding = Finding::error("type-mismatch", subject, message, by.at)
            .label(data_type.at(), "declared here")
            .help("cut by a column of time, or use `hash`, `list` or `ranges`");
        cx.report(finding);
    }
    let rule = rule(cx, node, subject)?;
    Some(PartitionBy {
        by,
        rule,
        default: flag(node, "default"),
        at: entry.key.at(),
    })
}

fn rule(cx: &Context<'_>, node: &Node, subject: &str) -> Option<PartitionRule> {
    if let Some(every) = node.get("every").and_then(Node::text) {
        return each(cx, node, every, subject);
    }
    if let Some(hash) = node.get("hash") {
        return whole(hash).map(PartitionRule::Hash);
    }
    if let Some(list) = node.get("list") {
        return lists(cx, list, subject);
    }
    ranges(cx, node.get("ranges")?, subject)
}

fn each(cx: &Context<'_>, node: &Node, every: &Text, subject: &str) -> Option<PartitionRule> {
    let Some((count, unit)) = step(every.as_str()) else {
        let message = format!("`{every}` is no step to cut time by");
        let help = "write a whole number of hours, days, weeks, months or years: `1 month`";
        cx.error("partition-invalid", subject, message, every.at(), help);
        return None;
    };
    let from = text(node, "from")?;
    let date = parse_date(from.as_str()).ok()?;
    if unit == "month" && date.day() != 1 || unit == "year" && date.day_of_year() != 1 {
        let message = format!("`from: {from}` is not the first day of a {unit}");
        let help = "begin where the first partition begins";
        cx.error("partition-invalid", subject, message, from.at(), help);
    }
    let ahead = match node.get("ahead") {
        None => AHEAD,
        Some(value) => whole(value)?,
    };
    Some(PartitionRule::Every {
        count,
        unit: unit.to_owned(),
        from: from.as_str().trim().to_owned(),
        ahead,
    })
}

/// `1 month`: a whole number and a unit.
fn step(text: &str) -> Option<(u32, &'static str)> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let count = match &text[..digits] {
        "" => 1,
        number => number.parse().ok()?,
    };
    let word = text[digits..].trim().to_ascii_lowercase();
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == word)?;
    (count > 0).then_some((count, *unit))
}

/// A whole number, of which validation says whether it is in range.
fn whole(node: &Node) -> Option<u32> {
    u32::try_from(node.as_i64()?)
        .ok()
        .filter(|number| *number > 0)
}

/// `list: {europe: [de, fr], asia: [jp]}`, each value in one list only.
fn lists(cx: &Context<'_>, node: &Node, subject: &str) -> Option<PartitionRule> {
    let mut seen: BTreeMap<String, crate::source::Span> = BTreeMap::new();
    let mut lists = Vec::new();
    for entry in node.entries() {
        super::name::check(cx, "partition", &super::value::name(&entry.key), subject);
        let values = items(&entry.value);
        for value in &values {
            if let Some(first) = seen.insert(value.as_str().to_owned(), value.at()) {
                let message = format!("value `{value}` would belong to two partitions");
                let finding = Finding::error("partition-invalid", subject, message, value.at())
                    .label(first, "first here")
                    .help("leave it in one list");
                cx.report(finding);
            }
        }
        let values = values.iter().map(|v| v.as_str().to_owned()).collect();
        lists.push((Ident::new(entry.key.as_str()), values));
    }
    (!lists.is_empty()).then_some(PartitionRule::List(lists))
}

fn ranges(cx: &Context<'_>, node: &Node, subject: &str) -> Option<PartitionRule> {
    let mut ranges = Vec::new();
    for entry in node.entries() {
        super::name::check(cx, "partition", &super::value::name(&entry.key), subject);
        if let [low, high] = items(&entry.value).as_slice() {
            ranges.push((
                Ident::new(entry.key.as_str()),
                low.as_str().to_owned(),
                high.as_str().to_owned(),
            ));
        }
    }
    (!ranges.is_empty()).then_some(PartitionRule::Ranges(ranges))
}
