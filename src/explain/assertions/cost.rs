//! `cost: <= N`

use crate::explain::assertion::at_most;
use crate::explain::{Arguments, Assertion, Needs, Outcome, Subject};
use crate::finding::About;

/// Planner cost.
pub static COST: Assertion = Assertion {
    about: &About {
        name: "cost",
        title: "the planner's cost of the whole plan",
        docs: "In the planner's own unit (a page read in sequence is 1.0). Cost grows with the data, so less data than declared can \
               break this, never keep it.\n\n```yaml\nplan:\n  cost: <= 500\n```",
        since: "0.1.0",
    },
    needs: Needs::Volume,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let cost = subject.plan.root().map_or(0.0, |root| root.total_cost);
    at_most(cost, arguments.limit, format!("costs {cost:.2}"), vec![0])
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, faults, holds, limit};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_root_has_the_whole_cost() {
        let plan = json!({"Node Type": "Seq Scan", "Relation Name": "a", "Total Cost": 12.5});
        assert!(holds(&decide(&COST, plan.clone(), limit(12.5))));
        assert_eq!(faults(decide(&COST, plan, limit(12.0))), [0]);
    }
}
