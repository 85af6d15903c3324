//! SQL without closing braces. A block of a spec ends at the first `}`, wherever it stands, so strings that hold one, function bodies
//! among them, are written with escapes.

use crate::sql::{SqlText, TokenKind, tokens};

/// The same SQL, with no `}` in it.
pub(super) fn without_braces(sql: &SqlText) -> String {
    let text = sql.as_str();
    if !text.contains('}') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for token in tokens(text) {
        let own = token.text(text);
        if !own.contains('}') {
            continue;
        }
        let Some(written) = written(token.kind, own) else {
            continue;
        };
        out.push_str(&text[copied..token.range.start]);
        out.push_str(&written);
        copied = token.range.end;
    }
    out.push_str(&text[copied..]);
    out
}

fn written(kind: TokenKind, own: &str) -> Option<String> {
    match kind {
        TokenKind::Comment => Some(own.replace('}', ")")),
        TokenKind::QuotedIdent => match own.strip_prefix('"') {
            Some(rest) => Some(format!("U&\"{}", escaped(rest))),
            None => Some(own.replace('}', "\\007D")),
        },
        TokenKind::String => Some(string(own)),
        _ => None,
    }
}

fn string(own: &str) -> String {
    if let Some(rest) = own.strip_prefix('$') {
        let fence = rest.find('$').map_or(own.len(), |end| end + 2);
        let body = own
            .get(fence..own.len().saturating_sub(fence))
            .unwrap_or_default();
        return format!("U&'{}'", escaped(&body.replace('\'', "''")));
    }
    match own.as_bytes() {
        [b'E' | b'e', ..] => backslashed(own),
        [b'U' | b'u', ..] => own.replace('}', "\\007D"),
        _ => {
            let from = own.find('\'').unwrap_or(0);
            format!("U&{}", escaped(&own[from..]))
        }
    }
}

/// For a string with `U&`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('}', "\\007D")
}

/// For a string with `E`, in which a backslash may stand before the brace already.
fn backslashed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            ('}', _) => out.push_str("\\x7D"),
            (_, true) => match chars.next() {
                Some('}') => out.push_str("\\x7D"),
                next => {
                    out.push('\\');
                    out.extend(next);
                }
            },
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        without_braces(&SqlText::authored(text))
    }

    #[test]
    fn strings_keep_their_value_without_a_brace() {
        assert_eq!(told("SELECT '{1}'"), "SELECT U&'{1\\007D'");
        assert_eq!(told("SELECT 'it''s \\}'"), "SELECT U&'it''s \\\\\\007D'");
        assert_eq!(told("SELECT E'\\}\\\\}'"), "SELECT E'\\x7D\\\\\\x7D'");
        assert_eq!(told("SELECT 1 AS \"a}\""), "SELECT 1 AS U&\"a\\007D\"");
        assert_eq!(told("SELECT 1 -- }\n, '}'"), "SELECT 1 -- )\n, U&'\\007D'");
    }

    #[test]
    fn bodies_of_functions_become_strings() {
        assert_eq!(
            told("DO $x$ BEGIN RAISE '{%}', 'a\\b'; END $x$"),
            "DO U&' BEGIN RAISE ''{%\\007D'', ''a\\\\b''; END '"
        );
    }

    #[test]
    fn what_has_none_stays_as_it_is() {
        let plain = "DO $$ BEGIN NULL; END $$ -- {";
        assert_eq!(told(plain), plain);
    }
}
