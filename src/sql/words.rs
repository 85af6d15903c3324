//! Texts compared and changed word by word, not letter by letter.

use super::ident::{Ident, SqlText};
use super::lex::{Token, TokenKind, fold, tokens};
use super::quote::quote_ident;

/// Whether two texts are the same but for blanks, comments and the case of words.
pub fn same(one: &SqlText, other: &SqlText) -> bool {
    one == other || words(one.as_str()) == words(other.as_str())
}

/// The same, of what may be absent.
pub fn same_option(one: Option<&SqlText>, other: Option<&SqlText>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => same(one, other),
        _ => false,
    }
}

/// A statement with one fixed text in the place of another: what a mutant is made by.
pub fn replaced(sql: &SqlText, from: &'static str, to: &'static str) -> SqlText {
    SqlText::made(sql.as_str().replace(from, to))
}

/// The definition of a function, so that it takes the place of one of the same name: `CREATE OR REPLACE …`.
pub fn replacing(definition: &SqlText) -> SqlText {
    let text = definition.as_str();
    match tokens(text).as_slice() {
        [create, kind, ..]
            if create.is(text, "create")
                && (kind.is(text, "function") || kind.is(text, "procedure")) =>
        {
            SqlText::made(format!("CREATE OR REPLACE {}", &text[kind.range.start..]))
        }
        _ => definition.clone(),
    }
}

/// Whether a statement makes a function or a procedure.
pub fn is_routine(definition: &SqlText) -> bool {
    let words = words(definition.as_str());
    let words: Vec<&str> = words.iter().map(String::as_str).take(4).collect();
    let rest = words.strip_prefix(&["create"]).unwrap_or_default();
    let rest = rest.strip_prefix(&["or", "replace"]).unwrap_or(rest);
    matches!(rest.first(), Some(&("function" | "procedure")))
}

fn words(text: &str) -> Vec<String> {
    let all = tokens(text);
    let told = all.iter().filter(|token| token.kind != TokenKind::Comment);
    told.map(|token| match token.kind {
        TokenKind::Word => fold(token.text(text)),
        _ => token.text(text).to_owned(),
    })
    .collect()
}

/// Whether an expression speaks of a column, a table or a function of this name.
pub fn mentions(text: &SqlText, name: &Ident) -> bool {
    let text = text.as_str();
    tokens(text)
        .iter()
        .any(|token| is_name(token.kind) && fold(token.text(text)) == name.as_str())
}

fn is_name(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Word | TokenKind::QuotedIdent)
}

/// An expression with another column in the place of one. What stands before an open parenthesis is a function's name,
/// and before a point a table's.
pub fn renamed(text: &SqlText, from: &Ident, to: &Ident) -> SqlText {
    otherwise(text, from, to, &["(", "."])
}

/// A query with another relation in the place of one, also before the point of a column.
pub fn relation_renamed(text: &SqlText, from: &Ident, to: &Ident) -> SqlText {
    otherwise(text, from, to, &["("])
}

/// With another name in the place of one, but where one of these symbols follows.
fn otherwise(text: &SqlText, from: &Ident, to: &Ident, but: &[&str]) -> SqlText {
    let source = text.as_str();
    let all = tokens(source);
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    for (number, token) in all.iter().enumerate() {
        let is_other = all
            .get(number + 1)
            .is_some_and(|next| but.iter().any(|symbol| next.is_symbol(source, symbol)));
        let is_name = is_name(token.kind) && !is_syntax(&all, number, source);
        if is_name && !is_other && fold(token.text(source)) == from.as_str() {
            out.push_str(&source[at..token.range.start]);
            out.push_str(quote_ident(to).as_str());
            at = token.range.end;
        }
    }
    out.push_str(&source[at..]);
    SqlText::made(out)
}

/// Whether a word that could be a name is none where it stands: `AT TIME ZONE`, `with time zone`, `EXTRACT(year FROM …)`.
fn is_syntax(all: &[Token], at: usize, source: &str) -> bool {
    let is = |at: usize, word: &str| all.get(at).is_some_and(|token| token.is(source, word));
    let behind = |back: usize, word: &str| at.checked_sub(back).is_some_and(|at| is(at, word));
    let is_zone = is(at, "at") && is(at + 1, "time") && is(at + 2, "zone")
        || is(at, "time") && is(at + 1, "zone")
        || is(at, "zone") && behind(1, "time");
    let is_open = at
        .checked_sub(1)
        .is_some_and(|at| all[at].is_symbol(source, "("));
    is_zone || is_open && behind(2, "extract") && is(at + 1, "from")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(text: &str) -> SqlText {
        SqlText::authored(text)
    }

    #[test]
    fn blanks_and_case_do_not_count_but_strings_do() {
        assert!(same(&sql("a  >  0 AND b"), &sql("A > 0 and b")));
        assert!(!same(&sql("a = 'X'"), &sql("a = 'x'")));
        assert!(!same(&sql("a > 0"), &sql("a > 1")));
    }

    #[test]
    fn columns_are_renamed_and_functions_are_not() {
        let out = renamed(
            &sql("lower(lower) = 'lower'"),
            &"lower".into(),
            &"Low".into(),
        );
        assert_eq!(out.as_str(), "lower(\"Low\") = 'lower'");
        let zone = renamed(
            &sql("at AT TIME ZONE zone < time::timestamp with time zone"),
            &"at".into(),
            &"x".into(),
        );
        let zone = renamed(&zone, &"time".into(), &"y".into());
        let zone = renamed(&zone, &"zone".into(), &"z".into());
        assert_eq!(
            zone.as_str(),
            "x AT TIME ZONE z < y::timestamp with time zone"
        );
        let year = renamed(&sql("EXTRACT(year FROM year)"), &"year".into(), &"y".into());
        assert_eq!(year.as_str(), "EXTRACT(year FROM y)");
        assert!(mentions(&sql("x.status <> 'a'"), &"status".into()));
        assert!(!mentions(&sql("'status'"), &"status".into()));
    }
}
