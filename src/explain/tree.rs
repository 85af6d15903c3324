//! The plan tree: nodes in the order EXPLAIN prints them.

/// What happened at a node, from `EXPLAIN (ANALYZE)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Actual {
    /// Rows a loop returned, on average.
    pub rows: f64,
    /// How often the node was run; 0 is "never executed".
    pub loops: f64,
    /// Rows that `Filter` threw away, per loop.
    pub removed_by_filter: f64,
    /// Rows that a recheck threw away, per loop.
    pub removed_by_recheck: f64,
    /// Heap pages an index-only scan had to visit.
    pub heap_fetches: f64,
    /// Shared blocks hit and read, children included.
    pub shared_blocks: f64,
    /// Temporary blocks read and written, children included.
    pub temp_blocks: f64,
    /// Whether a sort, hash or aggregate went to disk.
    pub spilled: bool,
}

impl Actual {
    /// Rows over all loops.
    pub fn total(&self) -> f64 {
        self.rows * self.loops
    }

    /// Rows that were looked at over all loops, those thrown away included.
    pub fn looked_at(&self) -> f64 {
        (self.rows + self.removed_by_filter + self.removed_by_recheck) * self.loops
    }
}

/// One node of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanNode {
    /// Node type in PostgreSQL's words: `Index Only Scan`.
    pub kind: String,
    /// Distance from the root.
    pub depth: usize,
    /// Index of the parent; absent at the root.
    pub parent: Option<usize>,
    /// `Outer`, `Inner`, `Member`, `InitPlan`, `SubPlan` …
    pub relationship: String,
    /// Relation that is scanned or written.
    pub relation: Option<String>,
    /// Alias of the relation.
    pub alias: Option<String>,
    /// Index that is used.
    pub index: Option<String>,
    /// `Inner`, `Left`, `Semi`, `Anti` …
    pub join_type: Option<String>,
    /// Of aggregates: `Plain`, `Sorted`, `Hashed`, `Mixed`.
    pub strategy: Option<String>,
    /// Condition that the index answers.
    pub index_condition: Option<String>,
    /// Condition applied to rows after they were read.
    pub filter: Option<String>,
    /// What a sort sorts by.
    pub sort_key: Vec<String>,
    /// Cost before the first row.
    pub startup_cost: f64,
    /// Cost of all rows.
    pub total_cost: f64,
    /// Estimated rows per loop.
    pub rows: f64,
    /// Partitions that were removed when execution started.
    pub subplans_removed: f64,
    /// What happened, where the plan was executed.
    pub actual: Option<Actual>,
}

impl PlanNode {
    /// Whether rows of a table come from here (a bitmap index scan yields places, not rows).
    pub fn is_table_scan(&self) -> bool {
        self.relation.is_some() && self.kind.ends_with("Scan") && self.kind != "Bitmap Index Scan"
    }

    /// Whether it is a sort, of whatever kind.
    pub fn is_sort(&self) -> bool {
        matches!(self.kind.as_str(), "Sort" | "Incremental Sort")
    }
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanTree {
    pub(super) nodes: Vec<PlanNode>,
}

impl PlanTree {
    /// All nodes, parents before children, in the order EXPLAIN prints them; the first is the root.
    pub fn nodes(&self) -> &[PlanNode] {
        &self.nodes
    }

    /// The node that yields the result.
    pub fn root(&self) -> Option<&PlanNode> {
        self.nodes.first()
    }

    /// Whether it was executed, so that actual rows are known.
    pub fn is_executed(&self) -> bool {
        self.root().is_some_and(|root| root.actual.is_some())
    }

    /// Indices of everything below a node.
    pub fn below(&self, node: usize) -> std::ops::Range<usize> {
        let depth = self.nodes.get(node).map_or(0, |n| n.depth);
        let first = (node + 1).min(self.nodes.len());
        let count = self.nodes[first..]
            .iter()
            .take_while(|n| n.depth > depth)
            .count();
        first..first + count
    }

    /// Indices of a node's own children.
    pub fn children(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.below(node)
            .filter(move |child| self.nodes[*child].parent == Some(node))
    }

    /// Indices of the nodes above, nearest first.
    pub fn above(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.nodes.get(node).and_then(|n| n.parent), |up| {
            self.nodes[*up].parent
        })
    }

    /// How many rows each node is estimated to hand on, over all its loops and no more than what is asked of it: a limit above stops it
    /// early, an outer side asks again for each of its rows.
    pub fn asked_rows(&self) -> Vec<f64> {
        // Loops, and which part of each loop's rows is asked for.
        let mut asked: Vec<(f64, f64)> = Vec::with_capacity(self.nodes.len());
        for (at, node) in self.nodes.iter().enumerate() {
            let Some(parent) = node.parent else {
                asked.push((1.0, 1.0));
                continue;
            };
            let above = &self.nodes[parent];
            let (loops, part) = asked[parent];
            asked.push(match above.kind.as_str() {
                "Limit" if node.rows > 0.0 => (loops, part * (above.rows / node.rows).min(1.0)),
                "Nested Loop" if node.relationship == "Inner" => {
                    let outer = self.children(parent).find(|child| *child != at);
                    let rows = outer.map_or(1.0, |outer| self.nodes[outer].rows);
                    (loops * (rows * part).max(1.0), 1.0)
                }
                // These take in all before they give anything.
                "Sort" | "Hash" | "Bitmap Heap Scan" | "WindowAgg" | "Materialize" => (loops, 1.0),
                "Aggregate" if above.strategy.as_deref() != Some("Sorted") => (loops, 1.0),
                _ => (loops, part),
            });
        }
        let rows = self.nodes.iter().zip(asked);
        rows.map(|(node, (loops, part))| node.rows * loops * part)
            .collect()
    }

    /// What makes two plans the same: node types, relations, indexes, join types, strategies and sort keys, without costs and rows. The
    /// parts of an Append come in the order of their names: their own order follows their costs.
    pub fn shape(&self) -> Vec<String> {
        match self.nodes.is_empty() {
            true => Vec::new(),
            false => self.shape_below(0),
        }
    }

    /// The same for people: one line a node, children indented by two blanks.
    pub fn outline(&self) -> Vec<String> {
        match self.nodes.is_empty() {
            true => Vec::new(),
            false => self.outline_below(0),
        }
    }

    fn outline_below(&self, at: usize) -> Vec<String> {
        let node = &self.nodes[at];
        let mut line = format!("{}{}", "  ".repeat(node.depth), node.name());
        if matches!(node.relationship.as_str(), "InitPlan" | "SubPlan") {
            line += &format!(" ({})", node.relationship);
        }
        if let Some(strategy) = node.strategy.as_deref().filter(|known| *known != "Plain") {
            line += &format!(" ({})", strategy.to_lowercase());
        }
        if !node.sort_key.is_empty() {
            line += &format!(" by {}", node.sort_key.join(", "));
        }
        let mut below: Vec<Vec<String>> = self
            .children(at)
            .map(|child| self.outline_below(child))
            .collect();
        if node.kind == "Append" {
            below.sort();
        }
        let mut outline = vec![line];
        outline.extend(below.into_iter().flatten());
        outline
    }

    fn shape_below(&self, at: usize) -> Vec<String> {
        let node = &self.nodes[at];
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let own = [
            node.depth.to_string(),
            node.kind.clone(),
            node.relationship.clone(),
            part(&node.relation),
            part(&node.index),
            part(&node.join_type),
            part(&node.strategy),
            node.sort_key.join(","),
        ];
        let mut below: Vec<Vec<String>> = self
            .children(at)
            .map(|child| self.shape_below(child))
            .collect();
        if node.kind == "Append" {
            below.sort();
        }
        let mut shape = vec![own.join("|")];
        shape.extend(below.into_iter().flatten());
        shape
    }
}
