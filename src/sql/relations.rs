//! Tables in the text of a query, told from columns of the same name.

use super::lex::{Token, TokenKind, fold, tokens};
use super::{QualifiedName, SqlText, quote_ident};

/// Functions whose arguments have a FROM of their own.
const WITH_FROM: [&str; 5] = ["extract", "trim", "substring", "overlay", "position"];
/// Words after which a list of tables is over.
const AFTER_TABLES: [&str; 13] = [
    "where",
    "group",
    "order",
    "having",
    "limit",
    "union",
    "except",
    "intersect",
    "select",
    "set",
    "window",
    "for",
    "returning",
];

/// A query, or an expression with queries in it, in which a table is called otherwise.
pub fn with_table_renamed(text: &SqlText, from: &QualifiedName, to: &QualifiedName) -> SqlText {
    let source = text.as_str();
    let all: Vec<Token> = tokens(source)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let word = |at: usize| all.get(at).map(|token| fold(token.text(source)));
    let is_symbol = |at: Option<usize>, symbol: &str| {
        let token = at.and_then(|at| all.get(at));
        token.is_some_and(|token| token.is_symbol(source, symbol))
    };
    // Of each open parenthesis: whether tables are listed, and whether it is that of such a function.
    let mut open = vec![(false, false)];
    let mut out = String::with_capacity(source.len());
    let mut copied = 0;
    for (at, token) in all.iter().enumerate() {
        let before = at.checked_sub(1);
        let previous = before.and_then(word).unwrap_or_default();
        if token.is_symbol(source, "(") {
            open.push((false, WITH_FROM.contains(&previous.as_str())));
        } else if token.is_symbol(source, ")") && open.len() > 1 {
            open.pop();
        }
        let name = fold(token.text(source));
        if let (TokenKind::Word, Some((is_list, is_call))) = (token.kind, open.last_mut()) {
            if name == "from" && !*is_call && previous != "distinct" {
                *is_list = true;
            } else if AFTER_TABLES.contains(&name.as_str()) {
                *is_list = false;
            }
        }
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
        if !is_name || name != from.name.as_str() {
            continue;
        }
        let is_listed = open.last().is_some_and(|(is_list, _)| *is_list);
        let schema = before.and_then(|at| at.checked_sub(1)).and_then(word);
        let is_table = if is_symbol(before, ".") {
            schema.is_some_and(|schema| schema == from.schema.as_str())
        } else {
            is_symbol(Some(at + 1), ".")
                || is_listed && (previous == "from" || is_symbol(before, ","))
                || ["join", "update", "into", "only"].contains(&previous.as_str())
        };
        if is_table {
            out.push_str(&source[copied..token.range.start]);
            out.push_str(quote_ident(&to.name).as_str());
            copied = token.range.end;
        }
    }
    out.push_str(&source[copied..]);
    SqlText::made(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Ident;

    #[test]
    fn tables_are_renamed_and_columns_are_not() {
        let name = |name: &str| QualifiedName::new(Ident::new("shop"), Ident::new(name));
        let renamed = |text: &str| {
            let out = with_table_renamed(&SqlText::authored(text), &name("new"), &name("Old One"));
            out.as_str().to_owned()
        };
        for (text, wanted) in [
            ("SELECT t.new FROM new t", "SELECT t.new FROM \"Old One\" t"),
            (
                "SELECT new, new.a FROM a, new WHERE new > 0",
                "SELECT new, \"Old One\".a FROM a, \"Old One\" WHERE new > 0",
            ),
            (
                "SELECT 1 FROM a JOIN shop.new ON a.new = shop.new.id",
                "SELECT 1 FROM a JOIN shop.\"Old One\" ON a.new = shop.\"Old One\".id",
            ),
            (
                "new IS DISTINCT FROM new AND EXISTS (SELECT FROM \"new\" WHERE extract(day FROM new) = 1)",
                "new IS DISTINCT FROM new AND EXISTS (SELECT FROM \"Old One\" WHERE extract(day FROM new) = 1)",
            ),
        ] {
            assert_eq!(renamed(text), wanted);
        }
    }
}
