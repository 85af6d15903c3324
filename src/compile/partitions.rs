//! Partitions that exist from the start.

use jiff::civil::DateTime;
use jiff::{Span, ToSpan};

use super::derived;
use crate::catalog::{Partition, PartitionBound, PartitionMethod, Partitioning};
use crate::design::{PartitionBy, PartitionRule, Table};
use crate::finding::Finding;
use crate::sql::literal;

/// PostgreSQL copes with more, but a plan over ten thousand partitions does not end; a typo does get there.
const MOST: u32 = 10_000;

/// PARTITION BY with its first partitions.
pub(super) fn partitioning(
    table: &Table,
    by: &PartitionBy,
    findings: &mut Vec<Finding>,
) -> Partitioning {
    let name = table.name.as_str();
    let (method, mut partitions) = match &by.rule {
        PartitionRule::Every {
            count,
            unit,
            from,
            ahead,
        } => (
            PartitionMethod::Range,
            every(table, by, (*count, unit, from, *ahead), findings),
        ),
        PartitionRule::Ranges(ranges) => {
            let partitions = ranges.iter().map(|(part, from, to)| Partition {
                name: derived(&[name, part.as_str()]),
                bound: PartitionBound::Range(literal(from), literal(to)),
            });
            (PartitionMethod::Range, partitions.collect())
        }
        PartitionRule::List(lists) => {
            let partitions = lists.iter().map(|(part, values)| Partition {
                name: derived(&[name, part.as_str()]),
                bound: PartitionBound::List(values.iter().map(|value| literal(value)).collect()),
            });
            (PartitionMethod::List, partitions.collect())
        }
        PartitionRule::Hash(modulus) => {
            let width = modulus.saturating_sub(1).to_string().len();
            let partitions = (0..(*modulus).min(MOST)).map(|remainder| Partition {
                name: derived(&[name, &format!("h{remainder:0width$}")]),
                bound: PartitionBound::Hash(*modulus, remainder),
            });
            (PartitionMethod::Hash, partitions.collect())
        }
    };
    if by.default && method != PartitionMethod::Hash {
        partitions.push(Partition {
            name: derived(&[name, "default"]),
            bound: PartitionBound::Default,
        });
    }
    Partitioning {
        method,
        column: by.by.ident.clone(),
        partitions,
    }
}

fn every(
    table: &Table,
    by: &PartitionBy,
    (count, unit, from, ahead): (u32, &str, &str, u32),
    findings: &mut Vec<Finding>,
) -> Vec<Partition> {
    let subject = format!("table {}", table.name.as_str());
    let Some(start) = day(from) else {
        findings.push(
            Finding::error(
                "partition-start",
                subject,
                format!("`{from}` is not a day"),
                by.at,
            )
            .help("write `from: 2026-01-01`, the first day of the first partition"),
        );
        return Vec::new();
    };
    if ahead > MOST {
        let message =
            format!("{ahead} partitions from the start are more than a planner copes with");
        findings.push(
            Finding::error("partition-count", subject, message, by.at).help(format!(
                "make at most {MOST}; `every` may be longer, or `ahead` smaller"
            )),
        );
        return Vec::new();
    }
    let mut partitions = Vec::new();
    let mut lower = start;
    for _ in 0..ahead.max(1) {
        let Some(upper) = span(count, unit).and_then(|span| lower.checked_add(span).ok()) else {
            break;
        };
        partitions.push(Partition {
            name: derived(&[table.name.as_str(), &label(lower, unit)]),
            bound: PartitionBound::Range(
                literal(&moment(lower, unit)),
                literal(&moment(upper, unit)),
            ),
        });
        lower = upper;
    }
    partitions
}

fn day(text: &str) -> Option<DateTime> {
    text.trim()
        .parse::<jiff::civil::Date>()
        .ok()
        .map(|date| date.at(0, 0, 0, 0))
        .or_else(|| text.trim().parse().ok())
}

fn span(count: u32, unit: &str) -> Option<Span> {
    let count = i64::from(count.max(1));
    Some(match unit.trim_end_matches('s') {
        "hour" | "h" => count.hours(),
        "day" | "d" => count.days(),
        "week" => count.weeks(),
        "month" => count.months(),
        "quarter" => (3 * count).months(),
        "year" => count.years(),
        _ => return None,
    })
}

fn label(at: DateTime, unit: &str) -> String {
    match unit.trim_end_matches('s') {
        "year" => format!("{:04}", at.year()),
        "month" | "quarter" => format!("{:04}_{:02}", at.year(), at.month()),
        "hour" | "h" => format!(
            "{:04}_{:02}_{:02}_{:02}",
            at.year(),
            at.month(),
            at.day(),
            at.hour()
        ),
        _ => format!("{:04}_{:02}_{:02}", at.year(), at.month(), at.day()),
    }
}

fn moment(at: DateTime, unit: &str) -> String {
    match unit.trim_end_matches('s') {
        "hour" | "h" => format!("{} {:02}:00", at.date(), at.hour()),
        _ => at.date().to_string(),
    }
}
