//! `-- pgproof: allow CODE because …`: a fault that is meant, said where it stands.

use std::ops::Range;

use crate::sql::{TokenKind, tokens};

/// One acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allow {
    /// Its bytes.
    pub(super) at: Range<usize>,
    /// Code of the rule.
    pub(super) code: String,
    /// Why; empty where nothing is said, and then it allows nothing.
    pub(super) because: String,
    /// Index of the statement it belongs to.
    pub(super) statement: usize,
    /// Whether a fault was allowed by it.
    pub(super) used: bool,
}

/// The acknowledgements of a file. One belongs to the statement that it stands in, before, or behind on the same line.
pub(super) fn allows(text: &str, places: &[Range<usize>]) -> Vec<Allow> {
    if !text.contains("pgproof:") {
        return Vec::new();
    }
    let comments = tokens(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::Comment);
    comments
        .filter_map(|token| {
            let (code, because) = parse(token.text(text))?;
            Some(Allow {
                statement: owner(text, places, &token.range),
                at: token.range,
                code,
                because,
                used: false,
            })
        })
        .collect()
}

fn parse(comment: &str) -> Option<(String, String)> {
    let text = comment
        .trim_start_matches(['-', '/', '*', ' '])
        .trim_end_matches(['*', '/', ' ']);
    let rest = text
        .strip_prefix("pgproof:")?
        .trim_start()
        .strip_prefix("allow ")?
        .trim();
    let (code, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let because = reason.trim().strip_prefix("because").unwrap_or_default();
    Some((code.to_owned(), because.trim().to_owned()))
}

fn owner(text: &str, places: &[Range<usize>], comment: &Range<usize>) -> usize {
    // The first statement that ends behind the comment; statements begin with the comments before them.
    let next = places.partition_point(|place| place.end <= comment.start);
    if next == 0 {
        return 0;
    }
    let before = &text[places[next - 1].end..comment.start];
    match before.contains('\n') {
        true => next,
        false => next - 1,
    }
}
