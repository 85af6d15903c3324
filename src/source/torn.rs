//! Values that a comma inside braces or brackets tore apart: `{type: numeric(12,2)}` is a `type` of `numeric(12` and a key
//! `2)` without value. Each is reported, and put together again, so that the rest of the file is judged as it was meant.

use super::fault::{Fault, SYNTAX};
use super::node::{Node, NodeKind, Style};
use super::span::Span;
use super::text::{Run, Text};
use super::tree::Pair;

/// Most pieces that one value is looked for in.
const PIECES: usize = 50;

/// `[lower(a, b), c]`: a comma in brackets ends a plain value. Reports it, and puts the value together again.
pub(super) fn join_items(text: &str, items: &mut Vec<Node>, faults: &mut Vec<Fault>) {
    let mut first = 0;
    while first < items.len() {
        let mut open = unclosed(&items[first]);
        let mut last = first;
        while open > 0 && last + 1 < items.len().min(first + PIECES) {
            let Some(more) = plain(&items[last + 1]).map(parentheses) else {
                break;
            };
            open += more;
            last += 1;
        }
        if open == 0 && last > first {
            let (from, to) = (items[first].at, items[last].at);
            items[first] = joined(text, from, to, "brackets", faults);
            items.drain(first + 1..=last);
        }
        first += 1;
    }
}

/// `{type: numeric(12,2)}`: a comma in braces ends a plain value. Reports it, and puts the value together again.
pub(super) fn join_pairs(text: &str, pairs: &mut Vec<Pair>, faults: &mut Vec<Fault>) {
    let mut first = 0;
    while first < pairs.len() {
        let mut open = unclosed(&pairs[first].entry.value);
        let mut last = first;
        while open > 0 && last + 1 < pairs.len().min(first + PIECES) {
            let next = &pairs[last + 1];
            let is_torn = next.is_plain
                && next.entry.value.is_null()
                && next.entry.value.at.start == next.entry.value.at.end;
            if !is_torn {
                break;
            }
            open += parentheses(next.entry.key.as_str());
            last += 1;
        }
        if open == 0 && last > first {
            let (from, to) = (pairs[first].entry.value.at, pairs[last].entry.key.at());
            pairs[first].entry.value = joined(text, from, to, "braces", faults);
            pairs.drain(first + 1..=last);
        }
        first += 1;
    }
}

fn joined(text: &str, from: Span, to: Span, inside: &str, faults: &mut Vec<Fault>) -> Node {
    let at = from.to(to);
    let written = &text[at.start as usize..at.end as usize];
    let value = written.split_whitespace().collect::<Vec<_>>().join(" ");
    faults.push(
        Fault::new(
            SYNTAX,
            format!("a comma inside {inside} ends a value: `{value}` is torn apart"),
            at,
        )
        .help(format!("quote it: \"{value}\"")),
    );
    let text = if value == written {
        Text::new(value, at, vec![Run::verbatim(0, at.start as usize)])
    } else {
        Text::at_once(value, at)
    };
    Node {
        at,
        kind: NodeKind::Scalar(text, Style::Quoted),
    }
}

fn plain(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Scalar(text, Style::Plain) => Some(text.as_str()),
        _ => None,
    }
}

/// How many parentheses a plain value leaves open.
fn unclosed(node: &Node) -> i32 {
    plain(node).map_or(0, parentheses).max(0)
}

fn parentheses(text: &str) -> i32 {
    text.bytes().fold(0, |open, byte| match byte {
        b'(' => open + 1,
        b')' => open - 1,
        _ => open,
    })
}
