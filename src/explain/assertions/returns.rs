//! `returns: <= N rows`

use crate::explain::assertion::{at_most, count};
use crate::explain::{Arguments, Assertion, Needs, Outcome, Subject};
use crate::finding::About;

/// Rows at the root.
pub static RETURNS: Assertion = Assertion {
    about: &About {
        name: "returns",
        title: "rows that the query returns",
        docs: "Needs execution.\n\n```yaml\nplan:\n  returns: <= 50 rows\n```",
        since: "0.1.0",
    },
    needs: Needs::Execution,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let rows = subject
        .plan
        .root()
        .and_then(|root| root.actual)
        .map_or(0.0, |actual| actual.total());
    at_most(
        rows,
        arguments.limit,
        format!("returns {} rows", count(rows)),
        vec![0],
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, faults, holds, limit};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_root_counts() {
        let plan = json!({"Node Type": "Limit", "Actual Rows": 50, "Actual Loops": 1, "Plans": [
            {"Node Type": "Seq Scan", "Relation Name": "a", "Actual Rows": 9000, "Actual Loops": 1}]});
        assert!(holds(&decide(&RETURNS, plan.clone(), limit(50.0))));
        assert_eq!(faults(decide(&RETURNS, plan.clone(), limit(49.0))), [0]);
        let planned = json!({"Node Type": "Limit", "Plan Rows": 50});
        assert!(matches!(
            decide(&RETURNS, planned, limit(49.0)),
            Outcome::Undecided(_)
        ));
    }
}
