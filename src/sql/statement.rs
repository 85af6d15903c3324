//! Where one statement ends and the next begins, and what kind each is.

use std::ops::Range;

use super::lex::{Token, TokenKind, tokens};

/// What a statement does, by its leading words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatementKind {
    /// SELECT, VALUES, TABLE, also behind WITH.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// MERGE.
    Merge,
    /// TRUNCATE.
    Truncate,
    /// LOCK TABLE.
    Lock,
    /// CALL, DO, EXECUTE.
    Call,
    /// CREATE, ALTER, DROP, COMMENT, GRANT, REVOKE, REFRESH …
    Definition,
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, SET TRANSACTION …
    Transaction,
    /// SET, RESET, NOTIFY, LISTEN, EXPLAIN, COPY, VACUUM and the rest.
    Other,
}

impl StatementKind {
    /// Whether it reads or writes rows and nothing else: what queries and steps of commands are made of.
    pub fn is_rows(self) -> bool {
        use StatementKind::*;
        matches!(self, Select | Insert | Update | Delete | Merge)
    }
}

/// The statements of a text, without the semicolons between them and the comments after them. Empty ones are dropped; a
/// `BEGIN ATOMIC … END` body and a parenthesised list stay whole.
pub fn statements(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut current: Option<Range<usize>> = None;
    let mut has_words = false;
    let mut parentheses = 0usize;
    let mut atomic = 0usize;
    let all = tokens(text);
    for (index, token) in all.iter().enumerate() {
        let symbol = token.text(text);
        match token.kind {
            TokenKind::Symbol if symbol == ";" && parentheses == 0 && atomic == 0 => {
                found.extend(current.take().filter(|_| has_words));
                has_words = false;
                continue;
            }
            TokenKind::Symbol if symbol == "(" => parentheses += 1,
            TokenKind::Symbol if symbol == ")" => parentheses = parentheses.saturating_sub(1),
            TokenKind::Word if token.is(text, "atomic") && follows(&all, index, text, "begin") => {
                atomic = 1;
            }
            TokenKind::Word if atomic > 0 && token.is(text, "case") => atomic += 1,
            TokenKind::Word if atomic > 0 && token.is(text, "end") => atomic -= 1,
            _ => {}
        }
        let comment = token.kind == TokenKind::Comment;
        has_words |= !comment;
        match &mut current {
            Some(range) if !comment => range.end = token.range.end,
            Some(_) => {}
            None => current = Some(token.range.clone()),
        }
    }
    found.extend(current.filter(|_| has_words));
    found
}

fn follows(all: &[Token], index: usize, text: &str, word: &str) -> bool {
    all[..index]
        .iter()
        .rev()
        .find(|token| token.kind != TokenKind::Comment)
        .is_some_and(|token| token.is(text, word))
}

/// What one statement does. Behind WITH it is the statement after the common table expressions.
pub fn statement_kind(text: &str) -> StatementKind {
    let all: Vec<Token> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let mut depth = 0usize;
    let with = all.first().is_some_and(|token| token.is(text, "with"));
    for token in &all {
        if token.is_symbol(text, "(") {
            depth += usize::from(with);
        } else if token.is_symbol(text, ")") {
            depth = depth.saturating_sub(1);
        } else if token.kind == TokenKind::Word && depth == 0 {
            let kind = leading(&token.text(text).to_ascii_lowercase());
            match kind {
                Some(kind) if !with || kind.is_rows() => return kind,
                // In `WITH name (…) AS (…) SELECT` only the main statement's verb is a word of this list.
                _ if with => {}
                _ => return StatementKind::Other,
            }
        }
    }
    StatementKind::Other
}

fn leading(word: &str) -> Option<StatementKind> {
    use StatementKind::*;
    Some(match word {
        "select" | "values" | "table" => Select,
        "insert" => Insert,
        "update" => Update,
        "delete" => Delete,
        "merge" => Merge,
        "truncate" => Truncate,
        "lock" => Lock,
        "call" | "do" | "execute" => Call,
        "create" | "alter" | "drop" | "comment" | "grant" | "revoke" | "refresh" | "reindex"
        | "cluster" | "reassign" | "security" | "import" => Definition,
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release"
        | "prepare" => Transaction,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        statements(text).into_iter().map(|at| &text[at]).collect()
    }

    #[test]
    fn splits_at_semicolons_of_the_top_only() {
        assert_eq!(
            split("; SELECT ';' ; -- x;\n ;SELECT $$;$$ -- y\n"),
            ["SELECT ';'", "SELECT $$;$$"]
        );
        let body = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END";
        assert_eq!(split(&format!("{body}; SELECT 1")), [body, "SELECT 1"]);
        let rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)";
        assert_eq!(split(rule), [rule]);
        assert_eq!(
            split("/*+ SeqScan */ SELECT 1;"),
            ["/*+ SeqScan */ SELECT 1"]
        );
        assert_eq!(split(" -- nothing\n /* here */ ;"), Vec::<&str>::new());
    }

    #[test]
    fn kinds() {
        use StatementKind::*;
        for (text, kind) in [
            ("(SELECT 1) UNION SELECT 2", Select),
            (
                "WITH x(a) AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM x",
                Insert,
            ),
            (
                "with recursive update_ as (select 1) update t set a = 1",
                Update,
            ),
            ("TABLE t", Select),
            ("/* c */ MERGE INTO t", Merge),
            ("COMMIT", Transaction),
            ("create view v as select 1", Definition),
            ("SET x = 1", Other),
            ("", Other),
        ] {
            assert_eq!(statement_kind(text), kind, "{text}");
        }
    }
}
