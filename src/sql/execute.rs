//! How a statement with parameters is sent as text: prepared once and executed with literals, or with the literals in place where
//! PostgreSQL cannot prepare it.

use super::compose::join;
use super::ident::{Ident, SqlText};
use super::lex::{TokenKind, tokens};
use super::quote::{literal, quote_ident};

/// `PREPARE name AS sql`, and how many characters stand before `sql`, to map an error's position back.
pub fn prepare(name: &Ident, sql: &SqlText) -> (SqlText, usize) {
    let head = format!("PREPARE {} AS ", quote_ident(name));
    let length = head.chars().count();
    (SqlText::made(head + sql.as_str()), length)
}

/// `EXECUTE name(…)`; a parameter is the text form of a value of whatever type the server inferred.
pub fn execute(name: &Ident, params: &[Option<String>]) -> SqlText {
    let name = quote_ident(name);
    if params.is_empty() {
        return SqlText::made(format!("EXECUTE {name}"));
    }
    let values = join(params.iter().map(value), ", ");
    SqlText::made(format!("EXECUTE {name}({values})"))
}

/// The statement with each `$n` replaced by a literal, for statements that cannot be prepared.
/// A placeholder without a parameter stays, and the server says so.
pub fn inline(sql: &SqlText, params: &[Option<String>]) -> SqlText {
    let text = sql.as_str();
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for token in tokens(text) {
        if token.kind != TokenKind::Positional {
            continue;
        }
        let number = token.text(text)[1..].parse::<usize>().unwrap_or_default();
        if let Some(param) = number.checked_sub(1).and_then(|at| params.get(at)) {
            out.push_str(&text[copied..token.range.start]);
            out.push_str(value(param).as_str());
            copied = token.range.end;
        }
    }
    out.push_str(&text[copied..]);
    SqlText::made(out)
}

/// Several statements as one message, such as `BEGIN` with the first statement of a transaction.
pub fn sequence(statements: &[SqlText]) -> SqlText {
    // A line break before each semicolon, so that a comment at the end of a line ends.
    join(statements.iter().cloned(), "\n;\n")
}

fn value(param: &Option<String>) -> SqlText {
    match param {
        Some(text) => literal(text),
        None => SqlText::made("NULL"),
    }
}

/// `$1`.
pub fn placeholder(number: usize) -> SqlText {
    SqlText::made(format!("${number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authored(text: &str) -> SqlText {
        SqlText::authored(text)
    }

    #[test]
    fn literals_take_the_place_of_placeholders_in_code_only() {
        let params = [Some("it's".to_owned()), None];
        let sql = authored("CALL p($1, $2, '$1', $3) -- $1");
        assert_eq!(
            inline(&sql, &params).as_str(),
            "CALL p('it''s', NULL, '$1', $3) -- $1"
        );
        assert_eq!(
            execute(&"p1".into(), &params).as_str(),
            "EXECUTE p1('it''s', NULL)"
        );
        assert_eq!(execute(&"p1".into(), &[]).as_str(), "EXECUTE p1");
    }

    #[test]
    fn what_stands_before_a_prepared_statement_is_counted_in_characters() {
        let (sql, head) = prepare(&"é".into(), &authored("SELECT 1"));
        let rest: String = sql.as_str().chars().skip(head).collect();
        assert_eq!(rest, "SELECT 1");
    }

    #[test]
    fn a_comment_at_the_end_swallows_nothing() {
        let joined = sequence(&[
            authored("BEGIN"),
            authored("SELECT 1 -- one"),
            authored("SELECT 2"),
        ]);
        assert_eq!(joined.as_str(), "BEGIN\n;\nSELECT 1 -- one\n;\nSELECT 2");
    }
}
