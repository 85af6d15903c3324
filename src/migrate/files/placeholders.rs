//! What a tool fills in before the server sees a text: `${name}`, `:name`, `@name@`, `{{ name }}`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::tool::Tool;
use crate::sql::{Token, TokenKind, literal, quote_ident, tokens};

/// One of them, where it stands.
struct Place {
    at: Range<usize>,
    name: String,
    kind: Kind,
}

/// What stands there when it is filled in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The value itself.
    Bare,
    /// `:'name'`.
    Literal,
    /// `:"name"`.
    Identifier,
}

/// Puts a word of the same length where each stands: what a tool fills in there is not known. Handed back is what each word stands for, by the word in lower
/// case.
pub(super) fn placeholders(text: &mut String, tool: Tool) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for place in places(text, tool) {
        let written = text[place.at.clone()].to_owned();
        let word = match place.kind {
            Kind::Bare => word(&written),
            // psql quotes what is between the quotes, which can be read as it is.
            Kind::Literal | Kind::Identifier => written.replacen(':', " ", 1),
        };
        text.replace_range(place.at, &word);
        found.insert(word.trim().to_ascii_lowercase(), written);
    }
    found
}

/// The text with the value of one of them, also in strings where tools look there too, and in the bodies of functions.
pub fn filled_in(text: &str, name: &str, value: &str) -> String {
    let mut out = text.to_owned();
    for (open, close) in [("${", "}"), ("{{", "}}"), ("{{ ", " }}"), ("@", "@")] {
        out = out.replace(&[open, name, close].concat(), value);
    }
    let mut own = in_bodies(&out);
    own.retain(|place| place.name == name);
    own.sort_by_key(|place| std::cmp::Reverse(place.at.start));
    for place in own {
        let value = match place.kind {
            Kind::Bare => value.to_owned(),
            Kind::Literal => literal(value).as_str().to_owned(),
            Kind::Identifier => quote_ident(&value.into()).as_str().to_owned(),
        };
        out.replace_range(place.at, &value);
    }
    out
}

/// Those of psql, also between dollar quotes.
fn in_bodies(text: &str) -> Vec<Place> {
    let all = tokens(text);
    let mut found = of_psql(text, &all);
    for token in all {
        let Some(body) = token.dollar_quoted(text) else {
            continue;
        };
        let start = body.start;
        found.extend(in_bodies(&text[body]).into_iter().map(|place| Place {
            at: start + place.at.start..start + place.at.end,
            ..place
        }));
    }
    found
}

/// `p`, and what is left of it.
fn word(written: &str) -> String {
    let rest = written.bytes().skip(1).map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte),
        _ => '_',
    });
    std::iter::once('p').chain(rest).collect()
}

/// All of a text, in their order. Where no tool fills anything in, only what could not be SQL is taken for one.
fn places(text: &str, tool: Tool) -> Vec<Place> {
    if !["${", "{{", "@", ":"].iter().any(|own| text.contains(own)) {
        return Vec::new();
    }
    let all = tokens(text);
    let is_told = |token: &&Token| matches!(token.kind, TokenKind::String | TokenKind::Comment);
    let quoted: Vec<&Token> = all.iter().filter(is_told).collect();
    let is_quoted = |at: usize| {
        let next = quoted.partition_point(|token| token.range.end <= at);
        quoted
            .get(next)
            .is_some_and(|token| token.range.contains(&at))
    };
    let everywhere = matches!(tool, Tool::Flyway | Tool::Liquibase);
    let mut found = Vec::new();
    for (open, close) in [("${", "}"), ("{{", "}}"), ("@", "@")] {
        let mut from = 0;
        while let Some(at) = text[from..].find(open).map(|at| at + from) {
            let inner = at + open.len();
            from = inner;
            let Some(end) = text[inner..].find(close).map(|end| inner + end) else {
                break;
            };
            // `a <@ b @> c` has blanks, and operators.
            let name = match open {
                "@" => &text[inner..end],
                _ => text[inner..end].trim(),
            };
            let is_ours = is_name(name) && (everywhere && open == "${" || !is_quoted(at));
            if is_ours {
                from = end + close.len();
                found.push(Place {
                    at: at..from,
                    name: name.to_owned(),
                    kind: Kind::Bare,
                });
            }
        }
    }
    found.extend(of_psql(text, &all));
    found.sort_by_key(|place| place.at.start);
    found
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    !name.is_empty() && name.chars().all(is_part)
}

/// `:name`, `:'name'`, `:"name"`, outside of strings, and not where an array is cut.
fn of_psql(text: &str, all: &[Token]) -> Vec<Place> {
    let mut found = Vec::new();
    for (number, token) in all.iter().enumerate() {
        let start = token.range.start;
        let before = text[..start].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ']' | ')' | ':' | '"')) {
            continue;
        }
        if token.kind == TokenKind::Param {
            let own = token.text(text);
            let name = own[1..].split('.').next().unwrap_or_default();
            found.push(Place {
                at: start..start + 1 + name.len(),
                name: name.to_owned(),
                kind: Kind::Bare,
            });
            continue;
        }
        let next = all.get(number + 1);
        let (true, Some(next)) = (token.text(text) == ":", next) else {
            continue;
        };
        let own = next.text(text);
        let kind = match next.kind {
            TokenKind::String if own.starts_with('\'') => Kind::Literal,
            TokenKind::QuotedIdent if own.starts_with('"') => Kind::Identifier,
            _ => continue,
        };
        let name = own.get(1..own.len() - 1).unwrap_or_default();
        if next.range.start == token.range.end && is_name(name) {
            found.push(Place {
                at: start..next.range.end,
                name: name.to_owned(),
                kind,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_becomes_a_word_of_the_same_length() {
        let masked = |text: &str| {
            let mut own = text.to_owned();
            let names = placeholders(&mut own, Tool::Plain);
            assert_eq!(own.len(), text.len());
            (own, names.into_values().collect::<Vec<_>>())
        };
        let (text, names) = masked("ALTER TABLE :App.jobs ADD a int DEFAULT :n");
        assert_eq!(text, "ALTER TABLE pApp.jobs ADD a int DEFAULT pn");
        assert_eq!(names, [":App", ":n"]);
        assert_eq!(
            masked("CREATE TABLE @schema@.a (b int)").0,
            "CREATE TABLE pschema_.a (b int)"
        );
        assert_eq!(
            masked("CREATE TABLE {{ s }}.a (b int)").0,
            "CREATE TABLE p__s___.a (b int)"
        );
        assert_eq!(masked("SELECT ${a}.f()").0, "SELECT p_a_.f()");
        assert_eq!(masked("SET x TO :'v'").0, "SET x TO  'v'");
        for kept in [
            "SELECT a[1:n], b::text, '10:30', ':x', $$ @y@ :z $$ -- :w",
            "SELECT @ a, f(b := 1), c <@ d @> e, '{{e}}' @@ f",
            "SELECT a[b:c]",
        ] {
            assert_eq!(masked(kept), (kept.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn values_are_put_where_they_belong() {
        let text = "CREATE TABLE :s.a (b text DEFAULT :'s', c ${s}, \":s\" @s@); SELECT ':s', '${s}', :\"s\", :other, $$ :s.a x[1:s] $$";
        assert_eq!(
            filled_in(text, "s", "An"),
            "CREATE TABLE An.a (b text DEFAULT 'An', c An, \":s\" An); SELECT ':s', 'An', \"An\", :other, $$ An.a x[1:s] $$"
        );
    }
}
