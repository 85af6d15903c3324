//! Functions without their bodies: what making them does to tables is known without.

use std::ops::Range;

use crate::sql::lex::{Token, TokenKind};

/// Bodies that can be read in every language between them: SQL and others, PL/pgSQL.
const EMPTY: [&str; 2] = ["", "BEGIN END"];

/// The same statement with nothing in its body, byte for byte as long; none where it makes no function and runs no block. `all` are its tokens without
/// comments.
pub(super) fn without_body(text: &str, all: &[Token]) -> Vec<String> {
    let word = |at: usize, word: &str| all.get(at).is_some_and(|token| token.is(text, word));
    let replaces = word(1, "or") && word(2, "replace");
    let kind = if replaces { 3 } else { 1 };
    let makes = word(0, "create") && (word(kind, "function") || word(kind, "procedure"));
    let runs = word(0, "do");
    if !makes && !runs && !word(0, "alter") {
        return Vec::new();
    }
    let mut has_zone = false;
    let mut plain = text.to_owned();
    for at in 1..all.len().saturating_sub(1) {
        // SET TIME ZONE, which takes no equals sign.
        if word(at - 1, "set") && word(at, "time") && word(at + 1, "zone") {
            let place = all[at].range.start..all[at + 1].range.end;
            plain.replace_range(place.clone(), &padded("TIMEZONE=", place.len()));
            has_zone = true;
        }
    }
    if !makes && !runs {
        // Another form that can be set so.
        return if has_zone { vec![plain] } else { Vec::new() };
    }
    let bodies: Vec<Range<usize>> = (1..all.len())
        .filter(|at| all[*at].kind == TokenKind::String && all[*at].terminated)
        .filter(|at| runs || word(at - 1, "as"))
        .map(|at| inner(&all[at], text))
        .collect();
    let emptied = EMPTY.map(|empty| {
        let mut own = plain.clone();
        for body in bodies.iter().filter(|body| body.len() >= empty.len()) {
            own.replace_range(body.clone(), &padded(empty, body.len()));
        }
        own
    });
    emptied.into_iter().collect()
}

fn padded(text: &str, length: usize) -> String {
    let blanks = " ".repeat(length.saturating_sub(text.len()));
    [text, &blanks].concat()
}

/// What is between the quotes.
fn inner(token: &Token, text: &str) -> Range<usize> {
    token.dollar_quoted(text).unwrap_or_else(|| {
        let quote = token.text(text).find('\'').map_or(0, |at| at + 1);
        let end = token.range.end.saturating_sub(1);
        (token.range.start + quote).min(end)..end
    })
}

#[cfg(test)]
mod tests {
    use crate::sql::{Ddl, ddl};

    #[test]
    fn a_function_is_known_without_its_body() {
        for text in [
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE a int; DECLARE b int; BEGIN RETURN 1; END $$",
            "CREATE OR REPLACE FUNCTION f(int) RETURNS bool AS ' DECLARE a ALIAS FOR $1; n int; BEGIN SELECT count(*) INTO n FROM t; RETURN 1; END ' LANGUAGE plpgsql",
            "CREATE FUNCTION f() RETURNS int AS $x$ $x$ LANGUAGE sql IMMUTABLE SET TIME ZONE 'UTC'",
            "CREATE PROCEDURE f() LANGUAGE plpgsql AS $a$ this is for the server to judge $a$",
        ] {
            let read = ddl(text);
            assert!(
                matches!(&read, Ok(Ddl::CreateFunction { name, .. }) if name.name.as_str() == "f"),
                "{text}: {read:?}"
            );
        }
        assert_eq!(
            ddl("DO $$ DECLARE a int; DECLARE b int; BEGIN a := 1; END $$"),
            Ok(Ddl::Do)
        );
        assert_eq!(
            ddl("ALTER FUNCTION f() SET TIME  ZONE 'UTC'"),
            Ok(Ddl::Apart)
        );
        assert!(ddl("CREATE FUNCTION f() RETURNS int AS $$ $$ LANGUAGE sql nonsense").is_err());
        assert!(ddl("CREATE TABLE t (a int AS $$x$$)").is_err());
    }
}
