//! A plan as a tree.

use super::draw::hanging;
use super::identifiers::shortened;

/// What marks a node at fault.
pub(super) const AT_FAULT: &str = "◀──";

/// One node a line or a few, with branches: children come indented by two blanks.
pub(super) fn lines(tree: &[String], at_fault: &[usize], width: usize) -> Vec<String> {
    let depths: Vec<usize> = tree
        .iter()
        .map(|node| (node.len() - node.trim_start().len()) / 2)
        .collect();
    let mut lines = Vec::with_capacity(tree.len());
    for (index, node) in tree.iter().enumerate() {
        let (first, next) = branches(&depths, index);
        let mark = match at_fault.contains(&index) {
            true => format!(" {AT_FAULT}"),
            false => String::new(),
        };
        let text = format!("{}{mark}", shortened(node.trim()));
        lines.extend(hanging(&text, &first, &format!("{next}    "), width));
    }
    lines
}

/// What stands before the first line of a node, and before its others.
fn branches(depths: &[usize], index: usize) -> (String, String) {
    let depth = depths[index];
    let (mut first, mut next) = (String::new(), String::new());
    for level in 1..=depth {
        // Whether, at this level, another node hangs on the same parent further down.
        let goes_on = depths[index + 1..]
            .iter()
            .take_while(|below| **below >= level)
            .any(|below| *below == level);
        let (own, below) = match (level == depth, goes_on) {
            (true, true) => ("├─ ", "│  "),
            (true, false) => ("└─ ", "   "),
            (false, true) => ("│  ", "│  "),
            (false, false) => ("   ", "   "),
        };
        first.push_str(own);
        next.push_str(below);
    }
    (first, next)
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn branches_lead_from_parents_to_their_children() {
        let tree = ["a", "  b", "    c", "  d", "    e"].map(str::to_owned);
        assert_eq!(
            lines(&tree, &[2], 80),
            ["a", "├─ b", "│  └─ c ◀──", "└─ d", "   └─ e"]
        );
    }

    #[test]
    fn long_nodes_hang_under_themselves() {
        let tree = ["a", "  bb bb bb bb", "    c"].map(str::to_owned);
        assert_eq!(
            lines(&tree, &[], 13),
            ["a", "└─ bb bb", "       bb bb", "   └─ c"]
        );
    }
}
