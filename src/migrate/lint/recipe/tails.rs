//! What stands behind the columns of a constraint, taken over as it is written.

use super::words::authored;
use crate::sql::{SqlText, Token, TokenKind, fixed, tokens};

/// The words of a constraint that stand in no parentheses, with their places.
fn outer(written: &str) -> Vec<Token> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for token in tokens(written) {
        if token.is_symbol(written, "(") {
            depth += 1;
        }
        if depth == 0 && token.kind != TokenKind::Comment {
            found.push(token.clone());
        }
        if token.is_symbol(written, ")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                found.push(token);
            }
        }
    }
    found
}

/// REFERENCES with all behind it but NOT VALID.
pub(super) fn references(written: &str) -> Option<SqlText> {
    let all = outer(written);
    let start = all.iter().find(|token| token.is(written, "references"))?;
    let pairs = all.windows(2);
    let mut not_valid =
        pairs.filter(|pair| pair[0].is(written, "not") && pair[1].is(written, "valid"));
    let text = match not_valid.next() {
        Some(pair) => {
            let before = written[start.range.start..pair[0].range.start].trim_end();
            [before, &written[pair[1].range.end..]].concat()
        }
        None => written[start.range.start..].to_owned(),
    };
    Some(authored(text.trim()))
}

/// INCLUDE, NULLS NOT DISTINCT and WITH of a key, as an index says them.
pub(super) fn of_index(written: &str) -> SqlText {
    let all = outer(written);
    let clause = |word: &str| {
        let at = all.iter().position(|token| token.is(written, word))?;
        let is_end =
            |token: &&Token| token.is_symbol(written, ")") || token.is(written, "distinct");
        let end = all[at..].iter().find(is_end)?;
        Some([" ", &written[all[at].range.start..end.range.end]].concat())
    };
    let parts = ["include", "nulls", "with"].into_iter().filter_map(clause);
    authored(&parts.collect::<String>())
}

/// DEFERRABLE and INITIALLY of a key.
pub(super) fn of_constraint(written: &str) -> SqlText {
    let all = outer(written);
    let words = ["deferrable", "initially"];
    let is_it = |token: &Token| words.iter().any(|word| token.is(written, word));
    let Some(mut at) = all.iter().position(is_it) else {
        return fixed("");
    };
    if at > 0 && all[at - 1].is(written, "not") {
        at -= 1;
    }
    authored(&[" ", &written[all[at].range.start..]].concat())
}
