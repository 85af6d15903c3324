//! `reads: <= N rows`

use crate::explain::assertion::{at_most, count};
use crate::explain::{Arguments, Assertion, Needs, Outcome, Subject};
use crate::finding::About;

/// Rows produced by scan nodes before filters.
pub static READS: Assertion = Assertion {
    about: &About {
        name: "reads",
        title: "rows that scans look at, before filters, in the whole plan",
        docs: "Rows that a filter or a recheck throws away count: they were read. Where the query was only planned, rows are estimated; what a \
               filter throws away behind an index is not known then.\n\n```yaml\nplan:\n  reads: <= 200 rows\n```",
        since: "0.1.0",
    },
    needs: Needs::Plan,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    if !subject.plan.is_executed() {
        return estimated(subject, arguments);
    }
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

/// Of a plan that was not executed.
fn estimated(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let nodes = subject.plan.nodes();
    let asked = subject.plan.asked_rows();
    let (mut total, mut unknown, mut scans) = (0.0, false, Vec::new());
    for (at, node) in nodes.iter().enumerate() {
        if !node.is_table_scan() {
            continue;
        }
        let mut rows = asked[at];
        if node.filter.is_some() {
            let table = subject.relations.table(node);
            let all = table.and_then(|table| subject.relations.rows.get(table));
            let is_whole = node.relation.as_deref() == table;
            match all {
                // As many times more as the table has more rows than the filter leaves.
                Some(all) if node.kind == "Seq Scan" && is_whole => {
                    rows *= (all / node.rows.max(1.0)).max(1.0);
                }
                _ => unknown = true,
            }
        }
        total += rows;
        scans.push((at, rows));
    }
    // Shares of rows that add up to whole ones do so but for the last digits.
    let total = total.round();
    let most = scans.iter().map(|(_, rows)| *rows).fold(0.0, f64::max);
    let at_fault = scans.iter().filter(|(_, rows)| rows * 2.0 >= most);
    let at_fault: Vec<usize> = at_fault.map(|(at, _)| *at).collect();
    let least = if unknown { "at least " } else { "" };
    let found = format!("is estimated to read {least}{} rows", count(total));
    match unknown && total <= arguments.limit {
        true => Outcome::Undecided(found),
        false => at_most(total, arguments.limit, found, at_fault),
    }
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

    #[test]
    fn a_limit_stops_early_unless_something_sorts() {
        let scan = |more: serde_json::Value| {
            let mut scan =
                json!({"Node Type": "Index Scan", "Relation Name": "a", "Plan Rows": 5000});
            scan.as_object_mut()
                .expect("an object")
                .extend(more.as_object().expect("an object").clone());
            scan
        };
        let of = |below| json!({"Node Type": "Limit", "Plan Rows": 50, "Plans": [below]});
        assert!(holds(&decide(&READS, of(scan(json!({}))), limit(50.0))));
        let sorted = json!({"Node Type": "Sort", "Plan Rows": 5000, "Plans": [scan(json!({}))]});
        assert_eq!(faults(decide(&READS, of(sorted), limit(4999.0))), [2]);
        let filtered = of(scan(json!({"Filter": "(b > 1)"})));
        assert!(matches!(
            decide(&READS, filtered, limit(50.0)),
            Outcome::Undecided(_)
        ));
    }

    #[test]
    fn the_inner_side_is_asked_once_a_row() {
        let plan = json!({"Node Type": "Nested Loop", "Plan Rows": 10, "Plans": [
            {"Node Type": "Index Scan", "Relation Name": "a", "Plan Rows": 10, "Parent Relationship": "Outer"},
            {"Node Type": "Index Scan", "Relation Name": "b", "Plan Rows": 3, "Parent Relationship": "Inner"}]});
        assert!(holds(&decide(&READS, plan.clone(), limit(40.0))));
        assert!(!holds(&decide(&READS, plan, limit(39.0))));
    }
}
