//! `buffers: <= N`

use crate::explain::assertion::{at_most, count};
use crate::explain::{Arguments, Assertion, Needs, Outcome, Subject};
use crate::finding::About;

/// Shared blocks hit and read.
pub static BUFFERS: Assertion = Assertion {
    about: &About {
        name: "buffers",
        title: "shared blocks that the query hits and reads",
        docs: "Counted while the query runs; unlike time they are the same on every machine. Needs execution.\n\n\
               ```yaml\nplan:\n  buffers: <= 300\n```",
        since: "0.1.0",
    },
    needs: Needs::Execution,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let blocks = subject
        .plan
        .root()
        .and_then(|root| root.actual)
        .map_or(0.0, |actual| actual.shared_blocks);
    at_most(
        blocks,
        arguments.limit,
        format!("touches {} blocks", count(blocks)),
        vec![0],
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, faults, holds, limit};
    use super::*;
    use serde_json::json;

    #[test]
    fn hits_and_reads_count() {
        let plan = json!({"Node Type": "Seq Scan", "Relation Name": "a", "Actual Rows": 1, "Actual Loops": 1,
                          "Shared Hit Blocks": 7, "Shared Read Blocks": 3});
        assert!(holds(&decide(&BUFFERS, plan.clone(), limit(10.0))));
        assert_eq!(faults(decide(&BUFFERS, plan, limit(9.0))), [0]);
    }
}
