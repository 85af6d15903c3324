//! The default for interactive queries: no sort of many rows.

use crate::explain::assertion::{count, none_of};
use crate::explain::{Arguments, Assertion, Needs, Outcome, PlanTree, Subject};
use crate::finding::About;

/// No sort of more than N rows.
pub static LARGE_SORT: Assertion = Assertion {
    about: &About {
        name: "large_sort",
        title: "no sort of more than 10,000 rows",
        docs: "What an interactive query without `plan:` is held to. Rows that go into the sort count, also when a LIMIT keeps only a few of \
               them. Say what you expect instead to replace it:\n\n```yaml\nplan:\n  never: [sort]\n```",
        since: "0.1.0",
    },
    needs: Needs::Plan,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let plan = subject.plan;
    let at_fault: Vec<usize> = (0..plan.nodes().len())
        .filter(|node| plan.nodes()[*node].is_sort() && input(plan, *node) > arguments.limit)
        .collect();
    none_of(
        at_fault,
        |faults| {
            let largest = faults
                .iter()
                .map(|node| input(plan, *node))
                .fold(0.0, f64::max);
            format!("sorts {} rows", count(largest))
        },
        &format!("no sort of more than {} rows", count(arguments.limit)),
    )
}

/// Rows that go in: what was seen, else what is estimated.
fn input(plan: &PlanTree, sort: usize) -> f64 {
    plan.children(sort)
        .map(|child| &plan.nodes()[child])
        .map(|node| node.actual.map_or(node.rows, |actual| actual.total()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, faults, holds, limit};
    use super::*;
    use serde_json::json;

    #[test]
    fn what_goes_in_counts() {
        let plan = json!({"Node Type": "Limit", "Plan Rows": 10, "Plans": [
            {"Node Type": "Sort", "Plan Rows": 10, "Plans": [
                {"Node Type": "Seq Scan", "Relation Name": "a", "Plan Rows": 20000}]}]});
        assert!(holds(&decide(&LARGE_SORT, plan.clone(), limit(20_000.0))));
        assert_eq!(faults(decide(&LARGE_SORT, plan, limit(10_000.0))), [1]);
    }
}
