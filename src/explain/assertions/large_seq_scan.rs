//! The default for interactive queries: no sequential scan on a large table.

use crate::explain::assertion::{count, none_of};
use crate::explain::{Arguments, Assertion, Needs, Outcome, PlanNode, Subject};
use crate::finding::About;

/// No sequential scan on a table above N rows.
pub static LARGE_SEQ_SCAN: Assertion = Assertion {
    about: &About {
        name: "large_seq_scan",
        title: "no sequential scan on a table above 10,000 rows",
        docs: "What an interactive query without `plan:` is held to. The table's declared rows count, not those the filter leaves. Say what you \
               expect instead to replace it:\n\n```yaml\nplan:\n  never: [seq scan on regulatory_case]\n```",
        since: "0.1.0",
    },
    needs: Needs::Plan,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let relations = subject.relations;
    let nodes = subject.plan.nodes();
    let rows = |node: &PlanNode, of: &std::collections::BTreeMap<String, f64>| {
        relations
            .table(node)
            .and_then(|table| of.get(table))
            .copied()
            .unwrap_or(0.0)
    };
    let (decided, too_small): (Vec<usize>, Vec<usize>) = (0..nodes.len())
        .filter(|node| nodes[*node].kind == "Seq Scan")
        .filter(|node| rows(&nodes[*node], &relations.rows) > arguments.limit)
        .partition(|node| rows(&nodes[*node], &relations.loaded) >= arguments.limit);
    if decided.is_empty() && !too_small.is_empty() {
        let tables: Vec<&str> = too_small
            .iter()
            .filter_map(|node| relations.table(&nodes[*node]))
            .collect();
        return Outcome::Undecided(format!(
            "scans {} in sequence, but too few of its rows are loaded for this to mean anything",
            tables.join(", ")
        ));
    }
    none_of(
        decided,
        |faults| {
            let mut what: Vec<String> = Vec::new();
            for fault in faults {
                let node = &nodes[*fault];
                let table = relations.table(node).unwrap_or("a table");
                let rows = count(rows(node, &relations.rows));
                let words = format!("{table}, {rows} rows declared");
                // Of a partitioned table once.
                if !what.contains(&words) {
                    what.push(words);
                }
            }
            format!("reads a whole table: {}", what.join("; "))
        },
        &format!(
            "no sequential scan on a table above {} rows",
            count(arguments.limit)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide_with, faults, holds, limit, tree};
    use super::*;
    use crate::explain::Relations;
    use serde_json::json;

    #[test]
    fn declared_rows_decide_where_enough_are_loaded() {
        let plan = tree(json!({"Node Type": "Seq Scan", "Relation Name": "a_1"}));
        let mut relations = Relations::default();
        relations.table_of.insert("a_1".to_owned(), "a".to_owned());
        let mut with = |declared: f64, loaded: f64| {
            relations.rows.insert("a".to_owned(), declared);
            relations.loaded.insert("a".to_owned(), loaded);
            decide_with(&LARGE_SEQ_SCAN, &plan, &relations, limit(10_000.0))
        };
        assert!(holds(&with(10_000.0, 10_000.0)));
        assert_eq!(faults(with(5e6, 20_000.0)), [0]);
        assert!(matches!(with(5e6, 500.0), Outcome::Undecided(_)));
    }
}
