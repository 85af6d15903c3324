//! `partitions: <= N of TABLE`

use std::collections::BTreeSet;

use crate::explain::assertion::at_most;
use crate::explain::{Arguments, Assertion, Needs, Outcome, PlanTree, Subject};
use crate::finding::About;

/// Partitions left after pruning.
pub static PARTITIONS: Assertion = Assertion {
    about: &About {
        name: "partitions",
        title: "partitions of a table that are left after pruning",
        docs: "Partitions that the planner or the start of the execution removed do not count, nor those that a join's values ruled out \
               while it ran. One that was not reached only because a LIMIT was satisfied counts.\n\n\
               ```yaml\nplan:\n  partitions: <= 1 of login_event\n```",
        since: "0.1.0",
    },
    needs: Needs::Plan,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let plan = subject.plan;
    let Some(table) = &arguments.table else {
        return Outcome::Undecided("no table is named".to_owned());
    };
    let scans: Vec<usize> = (0..plan.nodes().len())
        .filter(|node| plan.nodes()[*node].is_table_scan())
        .filter(|node| subject.relations.table(&plan.nodes()[*node]) == Some(table.as_str()))
        .collect();
    let planned = distinct(plan, &scans);
    let left: Vec<usize> = scans
        .into_iter()
        .filter(|node| !is_pruned_while_running(plan, *node))
        .collect();
    let count = distinct(plan, &left);
    let removed: f64 = plan.nodes().iter().map(|node| node.subplans_removed).sum();
    let mut found = format!("reads {count} partitions of {}", table.as_str());
    if removed > 0.0 {
        found += &format!(", {removed} more were removed when execution started");
    }
    if planned > count {
        found += &format!(", {} more while it ran", planned - count);
    }
    at_most(count as f64, arguments.limit, found, left)
}

fn distinct(plan: &PlanTree, nodes: &[usize]) -> usize {
    let names: BTreeSet<_> = nodes
        .iter()
        .map(|node| &plan.nodes()[*node].relation)
        .collect();
    names.len()
}

fn is_pruned_while_running(plan: &PlanTree, node: usize) -> bool {
    let never = plan.nodes()[node]
        .actual
        .is_some_and(|actual| actual.loops == 0.0);
    never && !plan.above(node).any(|up| plan.nodes()[up].kind == "Limit")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide_with, faults, holds, tree};
    use super::*;
    use crate::explain::Relations;
    use serde_json::{Value, json};

    fn scan(relation: &str, loops: u32) -> Value {
        json!({"Node Type": "Seq Scan", "Relation Name": relation, "Actual Rows": 1, "Actual Loops": loops})
    }

    fn of(limit: f64) -> Arguments {
        Arguments {
            limit,
            table: Some("log".into()),
            ..Arguments::default()
        }
    }

    #[test]
    fn only_what_was_left_counts_unless_a_limit_stopped_early() {
        let mut relations = Relations::default();
        for name in ["log_1", "log_2"] {
            relations.table_of.insert(name.to_owned(), "log".to_owned());
        }
        let append = json!({"Node Type": "Append", "Actual Rows": 1, "Actual Loops": 1, "Subplans Removed": 22,
                            "Plans": [scan("log_1", 1), scan("log_2", 0), scan("other", 1)]});
        let plan = tree(append.clone());
        assert!(holds(&decide_with(&PARTITIONS, &plan, &relations, of(1.0))));
        assert_eq!(
            faults(decide_with(&PARTITIONS, &plan, &relations, of(0.0))),
            [1]
        );
        let limited = tree(
            json!({"Node Type": "Limit", "Actual Rows": 1, "Actual Loops": 1, "Plans": [append]}),
        );
        assert_eq!(
            faults(decide_with(&PARTITIONS, &limited, &relations, of(1.0))),
            [2, 3]
        );
    }
}
