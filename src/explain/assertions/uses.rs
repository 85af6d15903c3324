//! `uses: [index…]`

use crate::explain::{Arguments, Assertion, Needs, Outcome, Subject};
use crate::finding::About;

/// Each index appears in the chosen plan.
pub static USES: Assertion = Assertion {
    about: &About {
        name: "uses",
        title: "each index appears in the chosen plan",
        docs: "An index is used where a scan names it: as an index scan, an index-only scan or under a bitmap. Of a partitioned table the \
               index of any partition counts for the index of the table.\n\n```yaml\nplan:\n  uses: [ix_assignment_actor_active]\n```",
        since: "0.1.0",
    },
    needs: Needs::Plan,
    check,
};

fn check(subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
    let nodes = subject.plan.nodes();
    let used: Vec<&str> = nodes
        .iter()
        .filter_map(|node| subject.relations.index(node))
        .collect();
    let missing: Vec<&str> = arguments
        .names
        .iter()
        .map(|name| name.as_str())
        .filter(|name| !used.contains(name))
        .collect();
    if missing.is_empty() {
        return Outcome::Holds(format!("uses {}", used.join(", ")));
    }
    let instead = if used.is_empty() {
        "uses no index".to_owned()
    } else {
        format!("uses {}", used.join(", "))
    };
    Outcome::Broken {
        found: format!("does not use {}; it {instead}", missing.join(", ")),
        at_fault: (0..nodes.len())
            .filter(|node| nodes[*node].is_table_scan())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{decide, decide_with, faults, holds, tree};
    use super::*;
    use crate::explain::Relations;
    use serde_json::json;

    fn names(name: &str) -> Arguments {
        Arguments {
            names: vec![name.into()],
            ..Arguments::default()
        }
    }

    #[test]
    fn an_index_under_a_bitmap_is_used() {
        let plan = json!({"Node Type": "Bitmap Heap Scan", "Relation Name": "t", "Plans": [
            {"Node Type": "Bitmap Index Scan", "Index Name": "ix"}]});
        assert!(holds(&decide(&USES, plan.clone(), names("ix"))));
        assert_eq!(faults(decide(&USES, plan, names("other"))), [0]);
    }

    #[test]
    fn the_index_of_a_partition_counts() {
        let plan = tree(
            json!({"Node Type": "Index Scan", "Relation Name": "t_2026", "Index Name": "t_2026_a_idx"}),
        );
        let mut relations = Relations::default();
        relations
            .index_of
            .insert("t_2026_a_idx".to_owned(), "ix".to_owned());
        assert!(holds(&decide_with(&USES, &plan, &relations, names("ix"))));
    }
}
