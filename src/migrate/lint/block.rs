//! What a DO block runs: the statements that stand in its body as they are, whichever of them are reached.

use crate::migrate::files::Statement;
use crate::sql::{Token, TokenKind, tokens};

/// What PL/pgSQL shares with SQL, and changes something.
const VERBS: [&str; 16] = [
    "alter", "analyze", "cluster", "comment", "commit", "create", "delete", "drop", "grant",
    "insert", "lock", "refresh", "reindex", "revoke", "truncate", "update",
];

/// The body of a block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// In their order, with their places in the file.
    pub statements: Vec<Statement>,
    /// Whether it runs text that it puts together.
    pub is_dynamic: bool,
}

/// Where a reader of the body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among declarations.
    Head,
    /// Where a statement begins.
    Start,
    /// In a statement that began here and is kept.
    Kept(usize),
    /// In what is PL/pgSQL's alone, as far as `;`.
    Passed,
    /// In a label.
    Labelled,
    /// In a condition or a query, as far as THEN or LOOP.
    Asked,
}

/// Of a block in PL/pgSQL between dollars; none of another.
pub(super) fn inside(statement: &Statement) -> Option<Block> {
    let whole = &statement.sql;
    let all: Vec<Token> = without_comments(whole);
    let named = all.iter().position(|token| token.is(whole, "language"));
    let language = named.and_then(|at| Some(all.get(at + 1)?.text(whole)));
    if language.is_some_and(|name| !name.eq_ignore_ascii_case("plpgsql")) {
        return None;
    }
    let body = all.iter().find_map(|token| token.dollar_quoted(whole))?;
    let base = body.start;
    let text = &whole[body];
    let mut block = Block::default();
    let mut place = Place::Head;
    let mut depth = 0_usize;
    for token in without_comments(text) {
        let is = |word: &str| token.is(text, word);
        let symbol = |first: &str| token.text(text).starts_with(first);
        let ends = depth == 0 && token.is_symbol(text, ";");
        match token.text(text) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        place = match place {
            Place::Head if is("begin") => Place::Start,
            Place::Head => Place::Head,
            Place::Start if VERBS.iter().any(|verb| is(verb)) => Place::Kept(token.range.start),
            Place::Start if is("declare") => Place::Head,
            Place::Start if ["begin", "else", "loop"].iter().any(|word| is(word)) => Place::Start,
            Place::Start
                if [
                    "if",
                    "elsif",
                    "elseif",
                    "for",
                    "foreach",
                    "while",
                    "case",
                    "when",
                    "exception",
                ]
                .iter()
                .any(|word| is(word)) =>
            {
                Place::Asked
            }
            Place::Start if ends || symbol(">") => Place::Start,
            Place::Start if symbol("<") => Place::Labelled,
            Place::Start => {
                block.is_dynamic |= is("execute");
                Place::Passed
            }
            Place::Kept(start) if ends => {
                let own = start..token.range.start;
                let from = statement.at.start + base + own.start;
                block.statements.push(Statement {
                    sql: text[own.clone()].trim_end().to_owned(),
                    at: from..from + own.len(),
                    transactional: true,
                    unit: statement.unit,
                });
                Place::Start
            }
            Place::Passed if ends => Place::Start,
            Place::Labelled if symbol(">") => Place::Start,
            Place::Asked if ends || depth == 0 && (is("then") || is("loop")) => Place::Start,
            other => other,
        };
    }
    Some(block)
}

fn without_comments(text: &str) -> Vec<Token> {
    let mut all = tokens(text);
    all.retain(|token| token.kind != TokenKind::Comment);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str) -> Option<(Vec<String>, bool)> {
        let statement = Statement {
            sql: sql.to_owned(),
            at: 10..10 + sql.len(),
            transactional: false,
            unit: 0,
        };
        let block = inside(&statement)?;
        for own in &block.statements {
            let at = own.at.start - 10;
            assert!(sql[at..].starts_with(&own.sql), "{own:?}");
        }
        let texts = block.statements.into_iter().map(|own| own.sql);
        Some((texts.collect(), block.is_dynamic))
    }

    #[test]
    fn statements_of_a_block_are_found_where_they_stand() {
        let guarded = "DO $$ BEGIN\n ALTER TABLE a ADD b int; -- so\nEXCEPTION WHEN duplicate_column OR duplicate_object THEN NULL; WHEN others THEN DROP TABLE c; END $$";
        let (found, dynamic) = of(guarded).expect("a block");
        assert_eq!(found, ["ALTER TABLE a ADD b int", "DROP TABLE c"]);
        assert!(!dynamic);
        let asked = "DO LANGUAGE plpgsql $x$ DECLARE n int := 1; r record; BEGIN IF NOT EXISTS (SELECT 1 FROM t WHERE CASE WHEN a THEN b ELSE c END) THEN \
            UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END; ELSIF n > 1 THEN n := 2; ELSE DELETE FROM t; END IF; \
            <<again>> FOR r IN SELECT * FROM t LOOP CREATE INDEX ON t (a); PERFORM f(); COMMIT; END LOOP; END $x$";
        let (found, _) = of(asked).expect("a block");
        let wanted = [
            "UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END",
            "DELETE FROM t",
            "CREATE INDEX ON t (a)",
            "COMMIT",
        ];
        assert_eq!(found, wanted);
        let built = "DO $$BEGIN EXECUTE format('ALTER TABLE %I ADD b int', 'a'); END$$";
        assert_eq!(of(built), Some((Vec::new(), true)));
        assert_eq!(of("DO 'BEGIN NULL; END'"), None);
        assert_eq!(of("DO LANGUAGE plpython3u $$ x = 1 $$"), None);
        assert_eq!(of("DO $$"), None);
    }
}
