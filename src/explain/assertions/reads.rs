//! `reads: <= N rows`

use crate::explain::assertion::{at_most, count};
use crate::explain::{Arguments, Assertion, Needs, Outcome, Subject};
use crate::finding::About;

/// Rows produced by scan nodes before filters.
pub static READS: Assertion = Assertion {
    about: &About {
        name: "reads",
        title: "rows that scans look at, before filters, in the whole plan",
        docs: "Rows that a filter or a recheck throws away count: they were read. Needs execution.\n\n```yaml\nplan:\n  reads: <= 200 rows\n```",
        since: "0.1.0",
    },
    needs: Needs::Execution,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let mut scans: Vec<(usize, f64)> = subject
        .plan
        .nodes()
        .iter()
        .enumerate()
        .filter(|(_, node)| node.is_table_scan())
        .map(|(index, node)| (index, node.actual.map_or(0.0, |actual| actual.looked_at())))
        .collect();
    let total: f64 = scans.iter().map(|(_, rows)| rows).sum();
    scans.sort_by(|a, b| b.1.total_cmp(&a.1));
    // The scans that together make up most of it: naming one that reads three rows would mislead.
    let at_fault = scans
        .iter()
        .filter(|(_, rows)| *rows * 2.0 >= scans[0].1)
        .map(|(index, _)| *index)
        .collect();
    at_most(
        total,
        arguments.limit,
        format!("reads {} rows", count(total)),
        at_fault,
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, faults, holds, limit};
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_thrown_away_were_read() {
        let plan = json!({"Node Type": "Nested Loop", "Actual Rows": 3, "Actual Loops": 1, "Plans": [
            {"Node Type": "Seq Scan", "Relation Name": "a", "Actual Rows": 3, "Actual Loops": 1,
             "Rows Removed by Filter": 97},
            {"Node Type": "Index Scan", "Relation Name": "b", "Actual Rows": 1, "Actual Loops": 3}]});
        assert!(holds(&decide(&READS, plan.clone(), limit(103.0))));
        assert_eq!(faults(decide(&READS, plan, limit(102.0))), [1]);
    }
}
