//! Syntax without a server: what PostgreSQL's grammar has against a text, with its place in what the author wrote.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

use super::guard::{LONGEST, guarded};
use super::lex::{Token, TokenKind, tokens};
use super::params::bind;
use super::plpgsql::without_into;
use super::statement::{StatementKind, statement_kind, statements};

/// What a text is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxKind {
    /// One statement of any kind.
    Statement,
    /// One statement that is SELECT, VALUES or TABLE, also behind WITH.
    Query,
    /// A value: of a check, a default, a predicate, an index key.
    Expression,
    /// A data type with its modifiers.
    Type,
}

/// What is wrong with a text, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxFault {
    /// Lower case, no final stop.
    pub message: String,
    /// Bytes in the text that was given.
    pub range: Range<usize>,
}

/// What PostgreSQL's grammar has against a text; `:name` parameters are allowed. Whether the names in it exist is not asked.
///
/// At most one fault of the grammar is reported: what a parser says after the first is mostly its echo.
pub fn check_syntax(text: &str, kind: SyntaxKind) -> Vec<SyntaxFault> {
    let all = tokens(text);
    let words: Vec<&Token> = all
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    if let Some(fault) = lexical(text, &all, &words) {
        return vec![fault];
    }
    let fault = match kind {
        SyntaxKind::Statement | SyntaxKind::Query => one_statement(text),
        SyntaxKind::Expression | SyntaxKind::Type => one_value(text, &words, kind),
    };
    let fault = fault
        .or_else(|| grammatical(text, &words, kind))
        .or_else(|| {
            let other = kind == SyntaxKind::Query && statement_kind(text) != StatementKind::Select;
            other.then(|| at(words[0], "expected a query (SELECT, VALUES, TABLE or WITH)"))
        });
    fault.into_iter().collect()
}

fn at(token: &Token, message: impl Into<String>) -> SyntaxFault {
    SyntaxFault {
        message: message.into(),
        range: token.range.clone(),
    }
}

/// What can be said before any grammar.
fn lexical(text: &str, all: &[Token], words: &[&Token]) -> Option<SyntaxFault> {
    if let Some(open) = all.iter().find(|token| !token.terminated) {
        let what = match open.kind {
            TokenKind::Comment => "comment",
            TokenKind::QuotedIdent => "quoted name",
            _ => "string",
        };
        return Some(at(open, format!("this {what} has no end")));
    }
    if words.is_empty() {
        return Some(SyntaxFault {
            message: "nothing is here but blanks and comments".to_owned(),
            range: 0..text.len(),
        });
    }
    if words.len() > LONGEST {
        let message = format!("more than {LONGEST} words in one piece of SQL cannot be checked");
        return Some(at(words[0], message));
    }
    let unknown = words.iter().find(|token| {
        token.kind == TokenKind::Unknown && !matches!(token.text(text), "{" | "}" | "\\")
    });
    unknown.map(|token| {
        let shown = token.text(text).escape_default();
        at(token, format!("`{shown}` starts no word of SQL"))
    })
}

fn one_statement(text: &str) -> Option<SyntaxFault> {
    let found = statements(text);
    let second = found.get(1)?;
    Some(SyntaxFault {
        message: format!("expected one statement, found {}", found.len()),
        range: second.clone(),
    })
}

/// What wrapping in parentheses would hide: `1) , (2`, `1, 2`, `SELECT 1`.
fn one_value(text: &str, words: &[&Token], kind: SyntaxKind) -> Option<SyntaxFault> {
    let noun = match kind {
        SyntaxKind::Type => "type",
        _ => "expression",
    };
    let mut open: Vec<&str> = Vec::new();
    for token in words {
        match token.text(text) {
            symbol @ ("(" | "[") if token.kind == TokenKind::Symbol => open.push(symbol),
            symbol @ (")" | "]") if token.kind == TokenKind::Symbol => {
                let expected = if symbol == ")" { "(" } else { "[" };
                if open.pop() != Some(expected) {
                    return Some(at(token, format!("`{symbol}` closes nothing")));
                }
            }
            symbol @ ("," | ";") if token.kind == TokenKind::Symbol && open.is_empty() => {
                return Some(at(token, format!("expected one {noun}, found `{symbol}`")));
            }
            _ => {}
        }
    }
    let query = [
        "select", "values", "table", "with", "insert", "update", "delete", "merge",
    ];
    let first = words[0];
    let is_query = kind == SyntaxKind::Expression
        && query.iter().any(|word| first.is(text, word))
        // `values` and the like may be names of columns: then something that continues an expression follows.
        && words.get(1).is_none_or(|next| {
            !matches!(next.kind, TokenKind::Operator) && !next.is_symbol(text, ".")
        });
    is_query.then(|| at(first, "a query is no expression; put it in parentheses"))
}

fn grammatical(text: &str, words: &[&Token], kind: SyntaxKind) -> Option<SyntaxFault> {
    let bound = bind(text);
    let (before, after) = match kind {
        SyntaxKind::Statement | SyntaxKind::Query => ("", ""),
        SyntaxKind::Expression => ("SELECT (", "\n)"),
        SyntaxKind::Type => ("SELECT CAST(NULL AS ", "\n)"),
    };
    let whole = format!("{before}{}{after}", bound.sql);
    let parsed = guarded(words.len(), || first_error(&whole));
    let Some(error) = parsed else {
        return Some(at(words[0], "this SQL is too deep to be checked"));
    };
    let (message, range) = error?;
    let inside = |at: usize| at.saturating_sub(before.len()).min(bound.sql.len());
    let range = bound.original_range(inside(range.start)..inside(range.end));
    // Faults without extent are shown at the word that could not be read.
    let found = words
        .iter()
        .find(|token| token.range.end > range.start)
        .filter(|_| range.start < text.trim_end().len());
    let end = words.last().map_or(0..0, |last| last.range.clone());
    let range = match found {
        _ if !range.is_empty() => range,
        // The body of a function is one token to us, and a text of its own to the parser.
        Some(token) if token.range.start < range.start => word_at(text, range.start),
        Some(token) => token.range.clone(),
        None => end,
    };
    let found = found.map(|_| &text[range.clone()]);
    Some(SyntaxFault {
        message: tidy(&message, found),
        range,
    })
}

fn word_at(text: &str, offset: usize) -> Range<usize> {
    let rest = &text[offset..];
    let start = offset + (rest.len() - rest.trim_start().len());
    let length: usize = text[start..]
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .map(char::len_utf8)
        .sum();
    start..start + length
}

fn first_error(sql: &str) -> Option<(String, Range<usize>)> {
    first_fault(&SourceFile::parse(&without_into(sql)))
}

/// What a parsed text is refused for, as the parser says it.
pub(super) fn first_fault(
    parsed: &squawk_syntax::Parse<SourceFile>,
) -> Option<(String, Range<usize>)> {
    let error = parsed.errors().into_iter().next();
    let error = error.or_else(|| body_error(&parsed.syntax_node()))?;
    let range = error.range();
    Some((
        error.message().to_owned(),
        range.start().into()..range.end().into(),
    ))
}

/// PL/pgSQL between dollar quotes has its own grammar.
fn body_error(root: &SyntaxNode) -> Option<squawk_syntax::syntax_error::SyntaxError> {
    root.children()
        .find_map(|node| {
            ast::CreateFunction::cast(node.clone())
                .and_then(|it| it.plpgsql())
                .or_else(|| ast::CreateProcedure::cast(node.clone()).and_then(|it| it.plpgsql()))
                .or_else(|| ast::Do::cast(node).and_then(|it| it.plpgsql()))
        })?
        .errors()
        .into_iter()
        .next()
}

/// The parser's words in the style of ours: `expected R_PAREN, found IDENT` becomes ``expected `)`, found `b` ``.
pub(super) fn tidy(message: &str, found: Option<&str>) -> String {
    let message = message.trim_end_matches('.');
    let (expected, _) = message.split_once(", found ").unwrap_or((message, ""));
    let (expected, _) = expected.split_once(", got ").unwrap_or((expected, ""));
    let mut tidy = expected
        .split(' ')
        .map(|word| match word {
            "COMMA" => "`,` or `)`".to_owned(),
            "R_PAREN" => "`)`".to_owned(),
            "L_PAREN" => "`(`".to_owned(),
            "SEMICOLON" => "`;`".to_owned(),
            "EQ" => "`=`".to_owned(),
            "IDENT" => "a name".to_owned(),
            "command" => "a statement".to_owned(),
            _ => match word.strip_suffix("_KW") {
                Some(keyword) => format!("`{keyword}`"),
                None => word.to_owned(),
            },
        })
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" in target_el", "")
        .replace("expected from item", "expected a table");
    if tidy.starts_with(|c: char| c.is_ascii_uppercase())
        && !tidy[1..].starts_with(|c: char| c.is_ascii_uppercase())
    {
        tidy[..1].make_ascii_lowercase();
    }
    if tidy.starts_with("expected") && !tidy.contains("at least") {
        match found {
            Some(word) => tidy.push_str(&format!(", found `{word}`")),
            None => tidy.push_str(", found the end"),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (message, text at fault) of the one fault there must be.
    fn fault(text: &str, kind: SyntaxKind) -> (String, String) {
        let mut faults = check_syntax(text, kind);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        let fault = faults.remove(0);
        assert!(!fault.message.contains("_KW"), "{}", fault.message);
        (fault.message, text[fault.range].to_owned())
    }

    #[test]
    fn what_postgres_accepts_passes() {
        use SyntaxKind::*;
        for (text, kind) in [
            (
                "SELECT a FROM t WHERE b = :b FOR NO KEY UPDATE OF t SKIP LOCKED",
                Statement,
            ),
            (
                "INSERT INTO t(a) VALUES (:a) ON CONFLICT (a) WHERE b DO UPDATE SET c = excluded.c WHERE t.c < excluded.c RETURNING (xmax = 0) AS inserted",
                Statement,
            ),
            ("-- c\nWITH x AS (SELECT 1) TABLE x;", Query),
            (
                "ended_at is null or ended_at > :x::timestamptz -- why",
                Expression,
            ),
            ("a[1:2] && ARRAY[:a, :b]", Expression),
            ("exists (select 1 from t where t.a = (1, 2))", Expression),
            ("with_tax + 1", Expression),
            ("numeric(12,2)", Type),
            ("timestamp(3) with time zone", Type),
            ("character varying(20)[]", Type),
            ("double precision", Type),
            ("interval day to second", Type),
            ("casework.\"State\"[]", Type),
            (
                "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$",
                Statement,
            ),
            (
                "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE x int; BEGIN SELECT a INTO x FROM t WHERE b; RETURN x; END $$",
                Statement,
            ),
        ] {
            assert_eq!(check_syntax(text, kind), [], "{text}");
        }
    }

    #[test]
    fn faults_stand_where_they_are() {
        use SyntaxKind::*;
        for (text, kind, message, place) in [
            (
                "SELEC 1",
                Statement,
                "expected a statement, found `SELEC`",
                "SELEC",
            ),
            (
                "SELECT a FROM t WHERE (a = :tenant AND",
                Statement,
                "expected an expression, found the end",
                "AND",
            ),
            (
                "SELECT :tenant, a FROM WHERE b",
                Statement,
                "expected a table, found `WHERE`",
                "WHERE",
            ),
            (
                "INSERT INTO t (a, b VALUES (:a)",
                Statement,
                "expected `,` or `)`, found `VALUES`",
                "VALUES",
            ),
            (
                "DELETE t WHERE a",
                Statement,
                "expected `FROM`, found `t`",
                "t",
            ),
            ("SELECT 'a", Statement, "this string has no end", "'a"),
            (
                "SELECT 1; SELECT 2",
                Query,
                "expected one statement, found 2",
                "SELECT 2",
            ),
            (
                "DELETE FROM t",
                Query,
                "expected a query (SELECT, VALUES, TABLE or WITH)",
                "DELETE",
            ),
            (
                "  -- c",
                Query,
                "nothing is here but blanks and comments",
                "  -- c",
            ),
            (
                "a > 1, b",
                Expression,
                "expected one expression, found `,`",
                ",",
            ),
            ("a > 1) , (2", Expression, "`)` closes nothing", ")"),
            (
                "select 1",
                Expression,
                "a query is no expression; put it in parentheses",
                "select",
            ),
            (
                "a >",
                Expression,
                "expected an expression, found the end",
                ">",
            ),
            ("numeric(12,2", Type, "expected `)`, found the end", "2"),
            ("int not null", Type, "expected `)`, found `not`", "not"),
            (
                "SELECT a FROM t JOIN u WHERE 1=1",
                Query,
                "join missing condition",
                "WHERE",
            ),
        ] {
            assert_eq!(
                fault(text, kind),
                (message.to_owned(), place.to_owned()),
                "{text}"
            );
        }
        let (_, place) = fault(
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETRUN 1; END $$",
            Statement,
        );
        assert_eq!(place, "RETRUN");
    }

    #[test]
    fn depth_and_length_end_in_an_answer() {
        for text in [
            format!("{}1{}", "(".repeat(2_000), ")".repeat(2_000)),
            format!("1{}", "+1".repeat(2_000)),
            format!("{}true", "not ".repeat(3_000)),
            "(select ".repeat(4_900),
        ] {
            check_syntax(&text, SyntaxKind::Expression);
        }
        let (message, _) = fault(&"1+".repeat(60_000), SyntaxKind::Expression);
        assert!(message.starts_with("more than 10000"), "{message}");
    }

    proptest::proptest! {
        // Nothing is written beside the sources: a case that fails is made a test by hand.
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

               #[test]
        fn no_text_brings_the_parser_down(words in proptest::collection::vec("(select|from|where|case|end|when|begin|atomic|\\(|\\)|,|;|'|\\$\\$|\\{|\\[|:a|a|=|::|with|as|insert into|on conflict|values|merge|function|[ -~é])", 0..40)) {
            let text = words.join(" ");
            for kind in [SyntaxKind::Statement, SyntaxKind::Expression, SyntaxKind::Type] {
                for fault in check_syntax(&text, kind) {
                    proptest::prop_assert!(text.get(fault.range.clone()).is_some(), "{:?}", fault);
                }
            }
        }
    }
}
