//! PL/pgSQL between dollar quotes: the parser has its grammar but for one thing, `INTO`.

use std::borrow::Cow;

use super::lex::{Token, TokenKind, tokens};

/// The same text with blanks for the `INTO x, y` of statements between dollar quotes, so that every other place stays where it was. (In
/// SQL `INTO` makes a table; in PL/pgSQL it says where the row goes.)
pub(super) fn without_into(text: &str) -> Cow<'_, str> {
    if !text.contains('$') {
        return Cow::Borrowed(text);
    }
    let mut out = text.to_owned();
    let all = tokens(text);
    for body in all.iter().filter_map(|token| token.dollar_quoted(text)) {
        let start = body.start;
        for (from, to) in targets(&text[body]) {
            out.replace_range(start + from..start + to, &" ".repeat(to - from));
        }
    }
    Cow::Owned(out)
}

/// From where to where each `INTO …` of a body goes. `INSERT INTO` is no such thing, and `EXECUTE … INTO` and `FETCH … INTO` are known.
fn targets(body: &str) -> Vec<(usize, usize)> {
    let all = tokens(body);
    let all: Vec<&Token> = all
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let starts = ["begin", "then", "else", "loop"];
    let (mut found, mut is_start, mut is_known) = (Vec::new(), true, false);
    for (at, token) in all.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| all[before]);
        let inserts = before.is_some_and(|it| it.is(body, "insert") || it.is(body, "merge"));
        if token.is(body, "into") && !inserts && !is_known {
            let end = last_target(body, &all[at + 1..]).unwrap_or(token.range.end);
            found.push((token.range.start, end));
        }
        if is_start && token.kind == TokenKind::Word {
            is_known = token.is(body, "execute") || token.is(body, "fetch");
        }
        is_start = token.is_symbol(body, ";") || starts.iter().any(|word| token.is(body, word));
    }
    found
}

/// Where the last variable after `INTO` ends: names with fields and subscripts, comma between them.
fn last_target(body: &str, rest: &[&Token]) -> Option<usize> {
    let mut rest = rest.iter().peekable();
    rest.next_if(|token| token.is(body, "strict"));
    let is_name = |token: &Token| {
        matches!(
            token.kind,
            TokenKind::Word | TokenKind::QuotedIdent | TokenKind::Positional
        )
    };
    let mut end = None;
    loop {
        end = Some(rest.next_if(|token| is_name(token))?.range.end).or(end);
        loop {
            if rest.next_if(|token| token.is_symbol(body, ".")).is_some() {
                end = rest.next().map(|token| token.range.end).or(end);
            } else if rest.next_if(|token| token.is_symbol(body, "[")).is_some() {
                let close = rest.find(|token| token.is_symbol(body, "]"));
                end = close.map(|token| token.range.end).or(end);
            } else {
                break;
            }
        }
        if rest.next_if(|token| token.is_symbol(body, ",")).is_none() {
            return end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_a_row_goes_is_blanked_and_nothing_else() {
        let body = "$b$ BEGIN SELECT a, b INTO STRICT r.x, \"Y\"[1] FROM t; INSERT INTO t VALUES (1) RETURNING a INTO x; \
                    EXECUTE 'q' INTO y USING x; FETCH c INTO r; SELECT CASE WHEN a THEN b END INTO z; END $b$";
        let text = format!(
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS {body}; SELECT 1 INTO kept"
        );
        let blanked = without_into(&text);
        assert_eq!(blanked.len(), text.len());
        for gone in ["STRICT r.x", "\"Y\"", "INTO x", "INTO z"] {
            assert!(!blanked.contains(gone), "{gone}: {blanked}");
        }
        for kept in [
            "INSERT INTO t",
            "'q' INTO y",
            "FETCH c INTO r",
            "INTO kept",
            " FROM t",
        ] {
            assert!(blanked.contains(kept), "{kept}: {blanked}");
        }
        assert_eq!(without_into("SELECT '$' || $1"), "SELECT '$' || $1");
    }
}
