//! A plan as people read it: one line a node.

use super::tree::{PlanNode, PlanTree};

/// Conditions longer than this are cut: the tree is for finding the node, not for reading the query.
const LONGEST_CONDITION: usize = 100;

impl PlanTree {
    /// One line a node, in the order of [`PlanTree::nodes`], children indented by two blanks.
    pub fn lines(&self) -> Vec<String> {
        self.nodes().iter().map(line).collect()
    }
}

impl PlanNode {
    /// What it is, without numbers: `Index Scan using ix_a on a`.
    pub fn name(&self) -> String {
        let mut name = self.kind.clone();
        if let Some(join) = self.join_type.as_deref().filter(|join| *join != "Inner") {
            name += &format!(" ({})", join.to_lowercase());
        }
        if let Some(index) = &self.index {
            name += &format!(" using {index}");
        }
        if let Some(relation) = &self.relation {
            name += &format!(" on {relation}");
        }
        name
    }
}

fn line(node: &PlanNode) -> String {
    let mut line = "  ".repeat(node.depth);
    if matches!(node.relationship.as_str(), "InitPlan" | "SubPlan") {
        line += &format!("{}: ", node.relationship);
    }
    line += &node.name();
    if let Some(alias) = &node.alias
        && node.relation.as_ref() != Some(alias)
    {
        line += &format!(" {alias}");
    }
    line += &numbers(node);
    if !node.sort_key.is_empty() {
        line += &format!("  by {}", cut(&node.sort_key.join(", ")));
    }
    for (word, condition) in [("on", &node.index_condition), ("filter", &node.filter)] {
        if let Some(condition) = condition {
            line += &format!("  {word} {}", cut(condition));
        }
    }
    if node.subplans_removed > 0.0 {
        line += &format!("  {} removed at start", node.subplans_removed);
    }
    line
}

fn numbers(node: &PlanNode) -> String {
    let cost = format!("cost {:.2}", node.total_cost);
    match node.actual {
        Some(actual) if actual.loops == 0.0 => format!("  (never executed, {cost})"),
        Some(actual) => {
            let loops = if actual.loops > 1.0 {
                format!(" in {} loops", actual.loops)
            } else {
                String::new()
            };
            let removed = actual.looked_at() - actual.total();
            let removed = if removed > 0.0 {
                format!(", {removed} thrown away")
            } else {
                String::new()
            };
            format!(
                "  ({} rows{loops}{removed}, estimated {}, {cost})",
                actual.total(),
                node.rows
            )
        }
        None => format!("  (estimated {} rows, {cost})", node.rows),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST_CONDITION {
        return text.to_owned();
    }
    let head: String = text.chars().take(LONGEST_CONDITION).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use crate::explain::parse;
    use serde_json::json;

    #[test]
    fn a_tree_is_drawn_with_one_line_a_node() {
        let json = json!([{"Plan": {
            "Node Type": "Limit", "Total Cost": 1.0, "Plan Rows": 5, "Plans": [
                {"Node Type": "Index Scan", "Relation Name": "orders", "Alias": "o", "Index Name": "ix",
                 "Total Cost": 8.25, "Plan Rows": 5, "Actual Rows": 4, "Actual Loops": 2,
                 "Rows Removed by Filter": 1, "Index Cond": "(a = 1)", "Filter": "(b > 2)"}]}}]);
        assert_eq!(
            parse(&json).expect("a plan").lines(),
            [
                "Limit  (estimated 5 rows, cost 1.00)",
                "  Index Scan using ix on orders o  (8 rows in 2 loops, 2 thrown away, estimated 5, cost 8.25)  on (a = 1)  filter (b > 2)"
            ]
        );
    }
}
