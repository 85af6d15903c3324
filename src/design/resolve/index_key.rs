//! An entry of an index: a column or an expression, with a collation, an operator class and an order after it.

use std::ops::Range;

use super::super::model::IndexKey;
use super::context::Context;
use super::inside::Over;
use super::symbols::TableSymbol;
use super::value::name;
use crate::source::Text;
use crate::sql::{Ident, Token, TokenKind, tokens};

/// What stands after the expression.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// End of the expression in the text.
    end: usize,
    collation: Option<String>,
    opclass: Option<String>,
    descending: bool,
    nulls_first: Option<bool>,
}

/// Reads and judges one entry.
pub(super) fn key(
    cx: &Context<'_>,
    table: &TableSymbol<'_>,
    text: &Text,
    subject: &str,
) -> IndexKey {
    let options = match table.columns.contains_key(text.as_str()) {
        true => Options {
            end: text.as_str().len(),
            ..Options::default()
        },
        false => options(text.as_str()),
    };
    let expression = text.slice(0..options.end).trimmed();
    let column = match column_name(&expression) {
        // A word that is no column may still be a function without parentheses (`current_date`), which no index takes.
        Some(word) => {
            cx.column(table, &name(&expression.slice(word)), subject);
            Some(Ident::new(unquoted(expression.as_str())))
        }
        None if table.columns.contains_key(expression.as_str()) => {
            Some(Ident::new(expression.as_str()))
        }
        None => {
            let over = Over::Table(table.name.as_str());
            super::sql::expression(cx, &expression, over, subject);
            None
        }
    };
    IndexKey {
        expression,
        column,
        collation: options.collation,
        opclass: options.opclass,
        descending: options.descending,
        nulls_first: options.nulls_first,
    }
}

/// Where the name stands, if an expression is nothing else.
fn column_name(expression: &Text) -> Option<Range<usize>> {
    let text = expression.as_str();
    match tokens(text).as_slice() {
        [one] if one.kind == TokenKind::Word => Some(one.range.clone()),
        [one] if one.kind == TokenKind::QuotedIdent && one.terminated => {
            Some(one.range.start + 1..one.range.end - 1)
        }
        _ => None,
    }
}

fn unquoted(name: &str) -> String {
    name.strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .map_or_else(|| name.to_owned(), |inner| inner.replace("\"\"", "\""))
}

/// Takes the options off, last first.
fn options(text: &str) -> Options {
    let all = tokens(text);
    let mut left = all.as_slice();
    let mut found = Options::default();
    if let [rest @ .., nulls, order] = left
        && nulls.is(text, "nulls")
        && (order.is(text, "first") || order.is(text, "last"))
        && !rest.is_empty()
    {
        found.nulls_first = Some(order.is(text, "first"));
        left = rest;
    }
    if let [rest @ .., order] = left
        && (order.is(text, "desc") || order.is(text, "asc"))
        && !rest.is_empty()
    {
        found.descending = order.is(text, "desc");
        left = rest;
    }
    let element = element_end(text, left);
    found.end = left.last().map_or(text.len(), |last| last.range.end);
    let Some(element) = element else {
        return found;
    };
    let (head, tail) = left.split_at(element);
    if let Some((collation, opclass)) = suffix(text, tail) {
        found.collation = collation;
        found.opclass = opclass;
        found.end = head.last().map_or(found.end, |last| last.range.end);
    }
    found
}

/// How many tokens a column, a call or a parenthesised expression at the start takes.
fn element_end(text: &str, all: &[Token]) -> Option<usize> {
    let mut at = 0;
    let first = all.first()?;
    if matches!(first.kind, TokenKind::Word | TokenKind::QuotedIdent) {
        at = 1;
        while all.get(at).is_some_and(|token| token.is_symbol(text, "."))
            && all.get(at + 1).is_some()
        {
            at += 2;
        }
        if !all.get(at).is_some_and(|token| token.is_symbol(text, "(")) {
            return Some(at);
        }
    } else if !first.is_symbol(text, "(") {
        return None;
    }
    let mut depth = 0usize;
    for (index, token) in all.iter().enumerate().skip(at) {
        if token.is_symbol(text, "(") {
            depth += 1;
        } else if token.is_symbol(text, ")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index + 1);
            }
        }
    }
    None
}

/// `collate "C" text_pattern_ops`, each part optional; `None` where something else stands there.
fn suffix(text: &str, tail: &[Token]) -> Option<(Option<String>, Option<String>)> {
    let (collation, rest) = match tail {
        [word, rest @ ..] if word.is(text, "collate") => {
            let (name, rest) = qualified(text, rest)?;
            (Some(name), rest)
        }
        all => (None, all),
    };
    if rest.is_empty() {
        return Some((collation, None));
    }
    let (opclass, rest) = qualified(text, rest)?;
    // Parameters of an operator class: `gist_trgm_ops(siglen=64)`.
    if let (Some(open), Some(close)) = (rest.first(), rest.last())
        && open.is_symbol(text, "(")
        && close.is_symbol(text, ")")
    {
        let arguments = &text[open.range.start..close.range.end];
        return Some((collation, Some(format!("{opclass}{arguments}"))));
    }
    rest.is_empty().then_some((collation, Some(opclass)))
}

/// A name with or without a schema, and what follows it.
fn qualified<'t>(text: &str, tokens: &'t [Token]) -> Option<(String, &'t [Token])> {
    let is_name = |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    match tokens {
        [schema, dot, name, rest @ ..]
            if is_name(schema) && dot.is_symbol(text, ".") && is_name(name) =>
        {
            Some((text[schema.range.start..name.range.end].to_owned(), rest))
        }
        [name, rest @ ..] if is_name(name) => Some((name.text(text).to_owned(), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, String, String, bool, Option<bool>) {
        let o = options(text);
        (
            text[..o.end].to_owned(),
            o.collation.unwrap_or_default(),
            o.opclass.unwrap_or_default(),
            o.descending,
            o.nulls_first,
        )
    }

    fn plain(expression: &str) -> (String, String, String, bool, Option<bool>) {
        (
            expression.to_owned(),
            String::new(),
            String::new(),
            false,
            None,
        )
    }

    #[test]
    fn options_come_off_and_the_expression_stays() {
        assert_eq!(read("a"), plain("a"));
        assert_eq!(
            read("assigned_at desc nulls last"),
            (
                "assigned_at".into(),
                "".into(),
                "".into(),
                true,
                Some(false)
            )
        );
        assert_eq!(read("lower(email)"), plain("lower(email)"));
        assert_eq!(
            read("payload jsonb_path_ops"),
            (
                "payload".into(),
                "".into(),
                "jsonb_path_ops".into(),
                false,
                None
            )
        );
        assert_eq!(
            read("name collate \"C\" text_pattern_ops DESC"),
            (
                "name".into(),
                "\"C\"".into(),
                "text_pattern_ops".into(),
                true,
                None
            )
        );
        assert_eq!(
            read("body gist_trgm_ops(siglen=64)"),
            (
                "body".into(),
                "".into(),
                "gist_trgm_ops(siglen=64)".into(),
                false,
                None
            )
        );
        assert_eq!(read("(payload ->> 'a') desc").0, "(payload ->> 'a')");
        assert_eq!(read("(a || ')') nulls first").4, Some(true));
        assert_eq!(
            read("payload ->> 'a' desc"),
            ("payload ->> 'a'".into(), "".into(), "".into(), true, None)
        );
        assert_eq!(read("pg_catalog.lower(a) asc").0, "pg_catalog.lower(a)");
    }

    #[test]
    fn nonsense_stays_whole() {
        for text in [
            "",
            "(",
            ")",
            "lower(",
            "desc",
            "nulls first",
            "a b c d",
            "a collate",
            "'x",
        ] {
            assert!(options(text).end <= text.len(), "{text}");
        }
    }
}
