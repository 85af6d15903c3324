//! `never: [seq scan, sort, …]`

use crate::explain::assertion::none_of;
use crate::explain::{
    Arguments, Assertion, Needs, Outcome, PlanNode, PlanTree, Relations, Subject,
};
use crate::finding::About;

/// A scan is filter-heavy when it throws away more than this many rows for each one it keeps …
const THROWN_AWAY: f64 = 9.0;
/// … and at least this many in all: a lookup that drops three rows is nobody's problem.
const WORTH_A_THOUGHT: f64 = 100.0;

/// None of these nodes.
pub static NEVER: Assertion = Assertion {
    about: &About {
        name: "never",
        title: "none of these nodes are in the plan",
        docs: "`seq scan`, `sort` (incremental ones too), `hash join`, `nested loop`, `merge join`, `bitmap`, `parallel` (a gather), `temp` (temporary \
               files), `filter-heavy` (a scan that throws away more than nine rows of ten, and a hundred in all), or any node type in \
               PostgreSQL's words. `… on TABLE` narrows a scan to that table, and any other node to those above a scan of it. `temp` and \
               `filter-heavy` are seen only when the query is executed.\n\n```yaml\nplan:\n  never: [seq scan on regulatory_case, sort]\n```",
        since: "0.1.0",
    },
    needs: Needs::Plan,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let plan = subject.plan;
    let word = arguments.node.to_lowercase();
    if matches!(word.as_str(), "temp" | "filter-heavy") && !plan.is_executed() {
        return Outcome::Undecided(format!("`{word}` is seen only when the query is executed"));
    }
    let at_fault: Vec<usize> = (0..plan.nodes().len())
        .filter(|node| is(&plan.nodes()[*node], &word))
        .filter(|node| match &arguments.table {
            Some(table) => concerns(plan, subject.relations, *node, table.as_str()),
            None => true,
        })
        .collect();
    let asked = match &arguments.table {
        Some(table) => format!("{word} on {}", table.as_str()),
        None => word,
    };
    none_of(
        at_fault,
        |nodes| {
            let lines = plan.lines();
            let what: Vec<&str> = nodes.iter().map(|n| lines[*n].trim_start()).collect();
            format!("has {asked}: {}", what.join("; "))
        },
        &format!("no {asked}"),
    )
}

fn is(node: &PlanNode, word: &str) -> bool {
    match word {
        "sort" => node.is_sort(),
        "bitmap" => node.kind == "Bitmap Heap Scan",
        "parallel" => matches!(node.kind.as_str(), "Gather" | "Gather Merge"),
        "temp" => node
            .actual
            .is_some_and(|actual| actual.spilled || actual.temp_blocks > 0.0),
        "filter-heavy" => node.actual.is_some_and(|actual| {
            let thrown_away = actual.looked_at() - actual.total();
            node.is_table_scan()
                && thrown_away >= WORTH_A_THOUGHT
                && thrown_away > THROWN_AWAY * actual.total()
        }),
        other => node.kind.to_lowercase() == other,
    }
}

fn concerns(plan: &PlanTree, relations: &Relations, node: usize, table: &str) -> bool {
    let reads = |node: usize| relations.table(&plan.nodes()[node]) == Some(table);
    if plan.nodes()[node].is_table_scan() {
        reads(node)
    } else {
        plan.below(node).any(reads)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, faults, holds};
    use super::*;
    use serde_json::{Value, json};

    fn node(node: &str, table: Option<&str>) -> Arguments {
        Arguments {
            node: node.to_owned(),
            table: table.map(Into::into),
            ..Arguments::default()
        }
    }

    fn plan() -> Value {
        json!({"Node Type": "Sort", "Actual Rows": 1, "Actual Loops": 1, "Sort Space Type": "Disk", "Plans": [
            {"Node Type": "Hash Join", "Actual Rows": 1, "Actual Loops": 1, "Plans": [
                {"Node Type": "Seq Scan", "Relation Name": "a", "Actual Rows": 1, "Actual Loops": 1,
                 "Rows Removed by Filter": 500},
                {"Node Type": "Hash", "Actual Rows": 1, "Actual Loops": 1, "Plans": [
                    {"Node Type": "Index Scan", "Relation Name": "b", "Index Name": "ix", "Actual Rows": 1,
                     "Actual Loops": 1, "Rows Removed by Filter": 5}]}]}]})
    }

    #[test]
    fn each_word_finds_its_nodes() {
        for (word, found) in [
            ("seq scan", 2),
            ("sort", 0),
            ("hash join", 1),
            ("temp", 0),
            ("filter-heavy", 2),
            ("Index Scan", 4),
        ] {
            assert_eq!(
                faults(decide(&NEVER, plan(), node(word, None))),
                [found],
                "{word}"
            );
        }
        for word in ["nested loop", "bitmap", "parallel", "merge join"] {
            assert!(holds(&decide(&NEVER, plan(), node(word, None))), "{word}");
        }
    }

    #[test]
    fn a_table_narrows_scans_and_what_is_above_them() {
        assert!(holds(&decide(&NEVER, plan(), node("seq scan", Some("b")))));
        assert_eq!(
            faults(decide(&NEVER, plan(), node("seq scan", Some("a")))),
            [2]
        );
        assert_eq!(faults(decide(&NEVER, plan(), node("sort", Some("b")))), [0]);
        assert!(holds(&decide(&NEVER, plan(), node("sort", Some("c")))));
    }

    #[test]
    fn what_only_execution_shows_is_not_passed_without_it() {
        let plan = json!({"Node Type": "Seq Scan", "Relation Name": "a"});
        assert!(matches!(
            decide(&NEVER, plan, node("temp", None)),
            Outcome::Undecided(_)
        ));
    }
}
