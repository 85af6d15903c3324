//! The columns a statement returns, as far as its text alone tells.

use crate::sql::{StatementKind, Token, TokenKind, fold, statement_kind, tokens};

/// Words that end the list of a SELECT.
const AFTER_LIST: &[&str] = &[
    "from",
    "into",
    "where",
    "group",
    "having",
    "window",
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
];

/// Names of the columns a statement returns; `None` where a `*` or an expression leaves that to the server.
pub(super) fn columns(text: &str) -> Option<Vec<String>> {
    let all: Vec<Token> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment && !token.is_symbol(text, ";"))
        .collect();
    let outer = outermost(text, &all);
    let list = match statement_kind(text) {
        StatementKind::Select => {
            let start = position(text, &all, &outer, 0, &["select"])? + 1;
            let end = position(text, &all, &outer, start, AFTER_LIST).unwrap_or(all.len());
            after_distinct(text, &all[start..end])?
        }
        StatementKind::Insert
        | StatementKind::Update
        | StatementKind::Delete
        | StatementKind::Merge => match position(text, &all, &outer, 0, &["returning"]) {
            Some(at) => &all[at + 1..],
            None => return Some(Vec::new()),
        },
        _ => return None,
    };
    split(text, list)
        .into_iter()
        .map(|item| name(text, item))
        .collect()
}

/// For each token whether it stands outside all parentheses.
fn outermost(text: &str, all: &[Token]) -> Vec<bool> {
    let mut depth = 0usize;
    all.iter()
        .map(|token| {
            let is_open = token.is_symbol(text, "(") || token.is_symbol(text, "[");
            let is_close = token.is_symbol(text, ")") || token.is_symbol(text, "]");
            depth = depth.saturating_sub(usize::from(is_close));
            let is_outer = depth == 0 && !is_open && !is_close;
            depth += usize::from(is_open);
            is_outer
        })
        .collect()
}

/// Index of the first of these words outside all parentheses, from `start` on.
fn position(
    text: &str,
    all: &[Token],
    outer: &[bool],
    start: usize,
    words: &[&str],
) -> Option<usize> {
    (start..all.len()).find(|at| outer[*at] && words.iter().any(|word| all[*at].is(text, word)))
}

/// The list without `ALL`, `DISTINCT` or `DISTINCT ON (…)` before it.
fn after_distinct<'t>(text: &str, list: &'t [Token]) -> Option<&'t [Token]> {
    match list {
        [all, rest @ ..] if all.is(text, "all") => Some(rest),
        [distinct, on, ..] if distinct.is(text, "distinct") && on.is(text, "on") => None,
        [distinct, rest @ ..] if distinct.is(text, "distinct") => Some(rest),
        list => Some(list),
    }
}

/// The items between commas.
fn split<'t>(text: &str, list: &'t [Token]) -> Vec<&'t [Token]> {
    let outer = outermost(text, list);
    let mut items = Vec::new();
    let mut start = 0;
    for (at, token) in list.iter().enumerate() {
        if outer[at] && token.is_symbol(text, ",") {
            items.push(&list[start..at]);
            start = at + 1;
        }
    }
    items.push(&list[start..]);
    items
}

/// The name PostgreSQL gives to one item.
fn name(text: &str, item: &[Token]) -> Option<String> {
    let is_name = |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    match item {
        [.., keyword, alias] if keyword.is(text, "as") && is_name(alias) => {
            Some(fold(alias.text(text)))
        }
        [column] if is_name(column) => Some(fold(column.text(text))),
        [path @ .., dot, column]
            if dot.is_symbol(text, ".") && is_name(column) && is_path(text, path) =>
        {
            Some(fold(column.text(text)))
        }
        [function, open, .., close]
            if function.kind == TokenKind::Word
                && open.is_symbol(text, "(")
                && close.is_symbol(text, ")")
                && !function.is(text, "cast")
                && is_one_call(text, item) =>
        {
            Some(fold(function.text(text)))
        }
        _ => None,
    }
}

/// `a`, `a.b`: names with dots between them.
fn is_path(text: &str, path: &[Token]) -> bool {
    path.iter().enumerate().all(|(at, token)| match at % 2 {
        0 => matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent),
        _ => token.is_symbol(text, "."),
    })
}

/// Whether the parenthesis after the first word closes at the end.
fn is_one_call(text: &str, item: &[Token]) -> bool {
    let outer = outermost(text, item);
    let inside = item.len().saturating_sub(1);
    let mut depth = 0usize;
    for (at, token) in item.iter().enumerate().skip(1) {
        depth += usize::from(token.is_symbol(text, "("));
        if token.is_symbol(text, ")") {
            depth = depth.saturating_sub(1);
            if depth == 0 && at != inside {
                return false;
            }
        }
    }
    outer[0]
}

#[cfg(test)]
mod tests {
    use super::columns;

    fn of(text: &str) -> Option<Vec<String>> {
        columns(text)
    }

    fn some(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn lists_give_their_names() {
        assert_eq!(of("SELECT a, t.b, \"C\" FROM t"), some(&["a", "b", "C"]));
        assert_eq!(of("SELECT DISTINCT a AS x FOR SHARE"), some(&["x"]));
        assert_eq!(
            of("select count(*), max(a) as m from t"),
            some(&["count", "m"])
        );
        assert_eq!(
            of("WITH c AS (SELECT 1 AS z) SELECT z FROM c;"),
            some(&["z"])
        );
        assert_eq!(
            of("SELECT (SELECT x FROM y) AS a, b FROM t"),
            some(&["a", "b"])
        );
        assert_eq!(
            of("UPDATE t SET a = 1 RETURNING a, b /* c */"),
            some(&["a", "b"])
        );
        assert_eq!(of("INSERT INTO t VALUES (1)"), some(&[]));
        assert_eq!(of("INSERT INTO t SELECT 1 RETURNING old.a"), some(&["a"]));
    }

    #[test]
    fn what_the_server_must_say_is_left_to_it() {
        for text in [
            "SELECT * FROM t",
            "SELECT t.* FROM t",
            "SELECT a + 1 FROM t",
            "SELECT a::int FROM t",
            "SELECT cast(a AS int) FROM t",
            "SELECT f(a) + g(b)",
            "SELECT count(*) FILTER (WHERE a) FROM t",
            "VALUES (1)",
            "SELECT DISTINCT ON (a) b FROM t",
            "",
            "SELECT",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
