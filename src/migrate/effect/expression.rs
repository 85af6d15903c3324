//! What can be said of an expression by its words.

use super::functions::is_stable;
use super::look::Look;
use crate::sql::{Named, Token, TokenKind, fold, tokens};

/// Functions of PostgreSQL's own that give another value at each call.
const VOLATILE: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_bytes",
    "gen_random_uuid",
    "gen_salt",
    "lastval",
    "nextval",
    "pg_sleep",
    "random",
    "random_normal",
    "setval",
    "timeofday",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
];

/// Whether each row would get a value of its own. A function of which nothing is known may be volatile, as functions are unless they
/// say otherwise.
pub(super) fn is_volatile(expression: &str, look: &Look) -> bool {
    let all: Vec<Token> = tokens(expression)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    (0..all.len()).any(|at| {
        let is_call = matches!(all[at].kind, TokenKind::Word | TokenKind::QuotedIdent)
            && all
                .get(at + 1)
                .is_some_and(|next| next.is_symbol(expression, "("));
        if !is_call {
            return false;
        }
        let name = fold(all[at].text(expression));
        let is_qualified = at >= 2 && all[at - 1].is_symbol(expression, ".");
        let start = if is_qualified {
            all[at - 2].range.start
        } else {
            all[at].range.start
        };
        let written = &expression[start..all[at].range.end];
        if VOLATILE.contains(&name.as_str()) {
            return true;
        }
        if let Some(stable) = own_function(written, look) {
            return !stable;
        }
        let after_cast = at > 0 && all[at - 1].is_symbol(expression, "::");
        let known = is_stable(&name) || after_cast;
        let places = ["pg_catalog", "public", "extensions"];
        let own = is_qualified && !places.contains(&fold(all[at - 2].text(expression)).as_str());
        own || !known
    })
}

/// Whether a function of the schema says that it is stable.
fn own_function(written: &str, look: &Look) -> Option<bool> {
    let named = Named::parse(written)?;
    let functions = &look.catalog.functions;
    let found = functions.iter().find(|(name, _)| {
        name.name == named.name
            && named
                .schema
                .as_ref()
                .is_none_or(|schema| *schema == name.schema)
    });
    let (_, function) = found?;
    let all = tokens(function.definition.as_str());
    let text = function.definition.as_str();
    Some(
        all.iter()
            .any(|token| token.is(text, "immutable") || token.is(text, "stable")),
    )
}

/// The parts of a condition between ANDs at its top, in one spelling: lower case, without casts, parentheses and blanks.
pub(super) fn conjuncts(expression: &str) -> Vec<String> {
    let text = expression.trim();
    let text = text.strip_suffix(" NOT VALID").unwrap_or(text);
    let text = text.strip_suffix(" NO INHERIT").unwrap_or(text);
    let mut parts = Vec::new();
    split(text, &mut parts, 0);
    parts
}

fn split(text: &str, parts: &mut Vec<String>, depth: usize) {
    let all: Vec<Token> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let Some((first, last)) = all.first().zip(all.last()) else {
        return;
    };
    // Parentheses around the whole.
    let mut open = 0usize;
    let closes_at = all.iter().position(|token| {
        open += usize::from(token.is_symbol(text, "("));
        open -= usize::from(token.is_symbol(text, ")") && open > 0);
        open == 0
    });
    if first.is_symbol(text, "(") && closes_at == Some(all.len() - 1) && depth < 50 {
        return split(&text[first.range.end..last.range.start], parts, depth + 1);
    }
    let mut open = 0usize;
    let mut start = 0;
    let mut between = false;
    let mut found = Vec::new();
    for token in &all {
        open += usize::from(token.is_symbol(text, "("));
        open -= usize::from(token.is_symbol(text, ")") && open > 0);
        if open > 0 {
            continue;
        }
        if token.is(text, "or") {
            parts.push(plain(text));
            return;
        }
        between |= token.is(text, "between");
        if token.is(text, "and") {
            if std::mem::take(&mut between) {
                continue;
            }
            found.push(start..token.range.start);
            start = token.range.end;
        }
    }
    if found.is_empty() {
        parts.push(plain(text));
        return;
    }
    found.push(start..text.len());
    for range in found {
        split(&text[range], parts, depth + 1);
    }
}

/// One spelling of a simple condition.
pub(super) fn plain(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut is_cast = false;
    for token in tokens(text) {
        let own = token.text(text);
        match token.kind {
            TokenKind::Comment => {}
            TokenKind::Symbol if own == "::" => is_cast = true,
            TokenKind::Symbol if matches!(own, "(" | ")") => {}
            TokenKind::Word if is_cast => {}
            TokenKind::Number if is_cast => {}
            TokenKind::Word | TokenKind::QuotedIdent => words.push(fold(own)),
            TokenKind::String => {
                is_cast = false;
                words.push(own.trim_matches('\'').to_owned());
            }
            _ => {
                is_cast = false;
                words.push(own.to_owned());
            }
        }
    }
    // `DATE '2024-01-01'` and `'2024-01-01'::date` are the same value.
    words.retain(|word| !matches!(word.as_str(), "date" | "timestamp" | "timestamptz"));
    words.join(" ")
}
