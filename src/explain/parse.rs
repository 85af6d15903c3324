//! From the JSON of `EXPLAIN (FORMAT JSON)` to a tree.

use serde_json::{Map, Value};

use super::tree::{Actual, PlanNode, PlanTree};
use crate::error::Error;

/// Deeper than any plan PostgreSQL makes; guards the stack against JSON that is no plan.
const DEEPEST: usize = 500;

/// Reads a plan: the array that EXPLAIN returns, or one element of it.
pub fn parse(json: &Value) -> Result<PlanTree, Error> {
    let statement = match json {
        Value::Array(statements) => statements.first().unwrap_or(&Value::Null),
        other => other,
    };
    let root = statement
        .get("Plan")
        .and_then(Value::as_object)
        .ok_or_else(|| Error::Internal("EXPLAIN returned no plan".to_owned()))?;
    let mut tree = PlanTree::default();
    add(&mut tree, root, None, 0);
    Ok(tree)
}

fn add(tree: &mut PlanTree, json: &Map<String, Value>, parent: Option<usize>, depth: usize) {
    let index = tree.nodes.len();
    tree.nodes.push(node(json, parent, depth));
    if depth >= DEEPEST {
        return;
    }
    let children = json.get("Plans").and_then(Value::as_array);
    for child in children.into_iter().flatten().filter_map(Value::as_object) {
        add(tree, child, Some(index), depth + 1);
    }
}

fn node(json: &Map<String, Value>, parent: Option<usize>, depth: usize) -> PlanNode {
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    PlanNode {
        kind: text("Node Type").unwrap_or_default(),
        depth,
        parent,
        relationship: text("Parent Relationship").unwrap_or_default(),
        relation: text("Relation Name"),
        alias: text("Alias"),
        index: text("Index Name"),
        join_type: text("Join Type"),
        strategy: text("Strategy"),
        index_condition: text("Index Cond"),
        filter: text("Filter"),
        sort_key: strings(json.get("Sort Key")),
        startup_cost: number(json, "Startup Cost"),
        total_cost: number(json, "Total Cost"),
        rows: number(json, "Plan Rows"),
        subplans_removed: number(json, "Subplans Removed"),
        actual: json.contains_key("Actual Loops").then(|| actual(json)),
    }
}

fn actual(json: &Map<String, Value>) -> Actual {
    let temp = number(json, "Temp Read Blocks") + number(json, "Temp Written Blocks");
    let spilled = json.get("Sort Space Type").and_then(Value::as_str) == Some("Disk")
        || number(json, "Hash Batches") > 1.0
        || number(json, "HashAgg Batches") > 1.0
        || number(json, "Disk Usage") > 0.0;
    Actual {
        rows: number(json, "Actual Rows"),
        loops: number(json, "Actual Loops"),
        removed_by_filter: number(json, "Rows Removed by Filter")
            + number(json, "Rows Removed by Join Filter"),
        removed_by_recheck: number(json, "Rows Removed by Index Recheck"),
        heap_fetches: number(json, "Heap Fetches"),
        shared_blocks: number(json, "Shared Hit Blocks") + number(json, "Shared Read Blocks"),
        temp_blocks: temp,
        spilled,
    }
}

fn number(json: &Map<String, Value>, key: &str) -> f64 {
    json.get(key).and_then(Value::as_f64).unwrap_or(0.0)
}

fn strings(json: Option<&Value>) -> Vec<String> {
    let items = json.and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nodes_come_in_the_order_of_explain_with_their_parents() {
        let json = json!([{"Plan": {
            "Node Type": "Hash Join", "Total Cost": 9.5, "Plans": [
                {"Node Type": "Seq Scan", "Relation Name": "a", "Actual Rows": 2, "Actual Loops": 3,
                 "Rows Removed by Filter": 5},
                {"Node Type": "Hash", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "b"}]}]}}]);
        let tree = parse(&json).expect("a plan");
        let kinds: Vec<_> = tree
            .nodes()
            .iter()
            .map(|n| (n.kind.as_str(), n.depth))
            .collect();
        assert_eq!(
            kinds,
            [
                ("Hash Join", 0),
                ("Seq Scan", 1),
                ("Hash", 1),
                ("Seq Scan", 2)
            ]
        );
        assert_eq!(tree.below(0), 1..4);
        assert_eq!(tree.below(2), 3..4);
        assert_eq!(tree.children(0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(tree.above(3).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(tree.nodes()[1].actual.map(|a| a.looked_at()), Some(21.0));
        assert!(
            !tree.is_executed(),
            "only one node carries actual rows, not the root"
        );
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        for json in [json!([]), json!({}), json!(null), json!([{"Plan": 1}])] {
            assert!(parse(&json).is_err());
        }
    }
}
