//! `estimates: within 10x`

use crate::explain::assertion::count;
use crate::explain::{Arguments, Assertion, Needs, Outcome, PlanTree, Subject};
use crate::finding::About;

/// Estimated against actual rows.
pub static ESTIMATES: Assertion = Assertion {
    about: &About {
        name: "estimates",
        title: "estimated and actual rows are at most this factor apart at every node",
        docs: "Rows per loop, none counted as one. Nodes whose actual rows say nothing about the estimate are left out: those that a LIMIT, \
               a semi-join or a merge join stopped early, bitmaps, repeated materialised rows, workers under a gather, and nodes that never \
               ran. Needs execution.\n\n```yaml\nplan:\n  estimates: within 10x\n```",
        since: "0.1.0",
    },
    needs: Needs::Execution,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let plan = subject.plan;
    let mut errors: Vec<(usize, f64)> = comparable(plan)
        .into_iter()
        .filter_map(|index| {
            let node = &plan.nodes()[index];
            let (actual, estimated) = (node.actual?.rows.max(1.0), node.rows.max(1.0));
            Some((index, (actual / estimated).max(estimated / actual)))
        })
        .collect();
    errors.sort_by(|a, b| b.1.total_cmp(&a.1));
    let Some((worst, factor)) = errors.first().copied() else {
        return Outcome::Undecided("every node of the plan stops early".to_owned());
    };
    let node = &plan.nodes()[worst];
    let found = format!(
        "worst estimate is {factor:.1}x off: {} estimated, {} actual at {}",
        count(node.rows),
        count(node.actual.map_or(0.0, |actual| actual.rows)),
        node.kind.to_lowercase()
    );
    if factor <= arguments.limit {
        return Outcome::Holds(found);
    }
    let at_fault = errors
        .iter()
        .filter(|(_, factor)| *factor > arguments.limit)
        .map(|(index, _)| *index)
        .collect();
    Outcome::Broken { found, at_fault }
}

/// Nodes that ran to their end, once per loop, so that what they returned can be compared with what was expected.
fn comparable(plan: &PlanTree) -> Vec<usize> {
    let nodes = plan.nodes();
    let mut cut_short = vec![false; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        cut_short[index] = node
            .parent
            .is_some_and(|parent| may_stop_early(plan, parent, index, cut_short[parent]));
    }
    (0..nodes.len())
        .filter(|index| !cut_short[*index])
        .filter(|index| {
            let node = &nodes[*index];
            let ran = node.actual.is_some_and(|actual| actual.loops > 0.0);
            let tells = !matches!(
                node.kind.as_str(),
                "Bitmap Index Scan" | "BitmapAnd" | "BitmapOr" | "Materialize" | "Memoize" | "Hash"
            );
            ran && tells
        })
        .collect()
}

fn may_stop_early(plan: &PlanTree, parent: usize, child: usize, parent_is_cut: bool) -> bool {
    let up = &plan.nodes()[parent];
    let is_inner = plan.nodes()[child].relationship == "Inner";
    match up.kind.as_str() {
        "Limit" | "Gather" | "Gather Merge" | "Merge Join" => true,
        // These read their input to the end before the first row comes out.
        "Sort" | "Hash" => false,
        "Aggregate" if matches!(up.strategy.as_deref(), Some("Plain" | "Hashed")) => false,
        _ if is_inner && matches!(up.join_type.as_deref(), Some("Semi" | "Anti")) => true,
        _ if plan.nodes()[child].relationship == "SubPlan" => true,
        _ => parent_is_cut,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, faults, holds, limit};
    use super::*;
    use serde_json::{Value, json};

    fn node(kind: &str, estimated: u32, actual: u32, children: Vec<Value>) -> Value {
        json!({"Node Type": kind, "Relation Name": "a", "Plan Rows": estimated, "Actual Rows": actual,
               "Actual Loops": 1, "Plans": children})
    }

    #[test]
    fn the_worst_node_decides() {
        let plan = node("Hash Join", 10, 10, vec![node("Seq Scan", 1, 20, vec![])]);
        assert!(holds(&decide(&ESTIMATES, plan.clone(), limit(20.0))));
        assert_eq!(faults(decide(&ESTIMATES, plan, limit(10.0))), [1]);
    }

    #[test]
    fn what_a_limit_stops_is_left_out_but_not_below_a_sort() {
        let early = node("Limit", 1, 1, vec![node("Seq Scan", 100_000, 1, vec![])]);
        assert!(holds(&decide(&ESTIMATES, early, limit(10.0))));
        let sort = node("Sort", 9, 1, vec![node("Seq Scan", 1, 900, vec![])]);
        let plan = node("Limit", 1, 1, vec![sort]);
        assert_eq!(faults(decide(&ESTIMATES, plan, limit(10.0))), [2]);
    }
}
