//! `index_only: true`

use crate::explain::assertion::{count, none_of};
use crate::explain::{Arguments, Assertion, Needs, Outcome, Subject};
use crate::finding::About;

/// Answered without visiting the heap.
pub static INDEX_ONLY: Assertion = Assertion {
    about: &About {
        name: "index_only",
        title: "the query is answered without visiting the heap",
        docs: "Every scan of a table is an index-only scan, and on vacuumed data none of them fetches a heap page.\n\n\
               ```yaml\nplan:\n  index_only: true\n```",
        since: "0.1.0",
    },
    needs: Needs::Plan,
    check,
};

fn check(subject: &Subject<'_>, _: &Arguments) -> Outcome {
    let nodes = subject.plan.nodes();
    let scans = (0..nodes.len()).filter(|node| nodes[*node].is_table_scan());
    let at_fault: Vec<usize> = scans
        .filter(|node| {
            let node = &nodes[*node];
            node.kind != "Index Only Scan"
                || node.actual.is_some_and(|actual| actual.heap_fetches > 0.0)
        })
        .collect();
    none_of(
        at_fault,
        |faults| {
            let what: Vec<String> = faults
                .iter()
                .map(|fault| {
                    let node = &nodes[*fault];
                    let table = subject.relations.table(node).unwrap_or("a table");
                    match node.actual {
                        Some(actual) if node.kind == "Index Only Scan" => {
                            format!("{} heap fetches on {table}", count(actual.heap_fetches))
                        }
                        _ => format!("{} on {table}", node.kind.to_lowercase()),
                    }
                })
                .collect();
            format!("visits the heap: {}", what.join(", "))
        },
        "every scan is index-only, without a heap fetch",
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, faults, holds};
    use super::*;
    use serde_json::{Value, json};

    fn scan(kind: &str, fetches: u32) -> Value {
        json!({"Node Type": kind, "Relation Name": "a", "Actual Rows": 1, "Actual Loops": 1, "Heap Fetches": fetches})
    }

    #[test]
    fn a_heap_fetch_is_a_visit() {
        let none = Arguments::default;
        assert!(holds(&decide(
            &INDEX_ONLY,
            scan("Index Only Scan", 0),
            none()
        )));
        assert_eq!(
            faults(decide(&INDEX_ONLY, scan("Index Only Scan", 3), none())),
            [0]
        );
        assert_eq!(
            faults(decide(&INDEX_ONLY, scan("Index Scan", 0), none())),
            [0]
        );
    }
}
