//! `volume:` of a table: how many rows there are and will be, and whether PostgreSQL can hold so many.

use super::super::language::values::{parse_count, parse_duration, parse_rate};
use super::super::model::{PartitionRule, Table, Volume, Writes};
use super::context::Context;
use super::value::parsed;
use super::width;
use crate::source::{Entry, Node};

/// Where `horizon` is silent: a year.
const YEAR: f64 = 31_557_600.0;

/// Pages that a block number of 32 bits can tell apart, one number kept for none; rows that a page can point at.
const MOST_PAGES: f64 = 4_294_967_294.0;
const ROWS_IN_PAGE: f64 = 291.0;
/// Bytes of a page without its head; of a row before its data, with its pointer; and what longer rows put elsewhere.
const ROOM: f64 = 8_168.0;
const ROW_HEAD: f64 = 28.0;
const TOASTED: f64 = 2_032.0;

/// `volume:`.
pub(super) fn volume(cx: &Context<'_>, table: &Node, subject: &str) -> Option<Volume> {
    let node = table.get("volume")?;
    let horizon = parsed(node, "horizon", parse_duration);
    if horizon == Some(0.0) {
        let at = node.get("horizon").map_or(node.at, |value| value.at);
        let message = "a horizon of 0 looks no time ahead";
        let help = "say how far ahead plans must hold, or leave it out for a year";
        cx.error("volume-impossible", subject, message, at, help);
    }
    Some(Volume {
        rows: parsed(node, "rows", parse_count)?,
        grows: parsed(node, "grows", parse_rate).unwrap_or(0.0),
        horizon: horizon.unwrap_or(YEAR),
    })
}

/// `writes:`, unless it is one rate for all kinds.
pub(super) fn writes(table: &Node) -> Option<Writes> {
    let node = table.get("writes")?;
    if node.entries().is_empty() {
        return None;
    }
    let rate = |key| parsed(node, key, parse_rate).unwrap_or(0.0);
    Some(Writes {
        inserts: rate("inserts"),
        updates: rate("updates"),
        deletes: rate("deletes"),
    })
}

/// Says where a table cannot be so large, or a column has more different values than there are rows.
pub(super) fn fits(cx: &Context<'_>, node: &Node, table: &Table, subject: &str) {
    let Some(volume) = &table.volume else { return };
    let rows = volume.rows + volume.grows * volume.horizon;
    pages(cx, node, table, rows, subject);
    let columns = node.get("columns").map(Node::entries).unwrap_or_default();
    for column in &table.columns {
        let Some(distinct) = column
            .data
            .distinct
            .filter(|distinct| *distinct > rows.max(1.0))
        else {
            continue;
        };
        let is_it = |entry: &&Entry| entry.key.as_str() == column.name.as_str();
        let data = columns
            .iter()
            .find(is_it)
            .and_then(|entry| entry.value.get("data"));
        let at = data.and_then(|data| data.get("distinct"));
        let at = at.map_or(column.name.at, |value| value.at);
        let message = format!(
            "`{}` has {} different values, and there are {} rows at the horizon",
            column.name.as_str(),
            short(distinct),
            short(rows)
        );
        let subject = format!("{subject} / column {}", column.name.as_str());
        let help = "count the values that rows have, not those that they could have";
        cx.error("data-impossible", &subject, message, at, help);
    }
}

fn pages(cx: &Context<'_>, node: &Node, table: &Table, rows: f64, subject: &str) {
    let data: f64 = table
        .columns
        .iter()
        .map(|column| width::least(cx, column))
        .sum();
    let bytes = (ROW_HEAD + data).min(TOASTED);
    let in_page = (ROOM / bytes).floor().clamp(1.0, ROWS_IN_PAGE);
    let parts = match table.partition.as_ref().map(|partition| &partition.rule) {
        Some(PartitionRule::Hash(parts)) => f64::from(*parts),
        Some(PartitionRule::Every { ahead, .. }) => f64::from(*ahead),
        Some(PartitionRule::Ranges(ranges)) => ranges.len() as f64,
        Some(PartitionRule::List(lists)) => lists.len() as f64,
        None => 1.0,
    };
    let most = MOST_PAGES * in_page * parts.max(1.0);
    if rows > most {
        let at = node.get("volume").and_then(|volume| volume.get("rows"));
        let message = format!(
            "{} rows of at least {bytes:.0} bytes at the horizon, and PostgreSQL keeps {} of them at most, 32 TB a table{}",
            short(rows),
            short(most),
            if table.partition.is_some() {
                " or partition"
            } else {
                ""
            }
        );
        let help = "correct the number, or cut the table into (more) partitions";
        cx.error(
            "volume-impossible",
            subject,
            message,
            at.map_or(node.at, |value| value.at),
            help,
        );
    }
}

/// `1,500,000` would be more to read than `1.5M`.
fn short(count: f64) -> String {
    let text = |count: f64| {
        let text = format!("{count:.1}");
        text.strip_suffix(".0").unwrap_or(&text).to_owned()
    };
    match count {
        _ if count >= 1e15 => format!("{count:.1e}"),
        _ if count >= 1e9 => format!("{}B", text(count / 1e9)),
        _ if count >= 1e6 => format!("{}M", text(count / 1e6)),
        _ if count >= 1e4 => format!("{}k", text(count / 1e3)),
        _ => text(count),
    }
}
