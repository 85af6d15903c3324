//! Statements that refuse to run in a transaction, and may therefore be found half done.

use super::plan::Part;
use crate::sql::{SqlText, Token, join, tokens};

/// What such a statement leaves when it is broken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lone {
    /// `CREATE INDEX CONCURRENTLY`: an invalid index of this name.
    Builds(SqlText),
    /// `DETACH PARTITION … CONCURRENTLY`: a partition that is neither in nor out.
    Detaches {
        /// The partitioned table.
        parent: SqlText,
        /// The partition.
        child: SqlText,
    },
    /// Nothing that hinders the same statement, sent again.
    Again,
}

impl Lone {
    /// How a part may be found after a crash; none where it can be given a transaction of its own.
    pub fn of(part: &Part) -> Option<Lone> {
        if !part.alone {
            return None;
        }
        let text = part.sql.as_str();
        let all = tokens(text);
        let is = |at: usize, word: &str| all.get(at).is_some_and(|token| token.is(text, word));
        if is(0, "do") {
            return Some(Lone::Again);
        }
        let concurrently = all
            .iter()
            .position(|token| token.is(text, "concurrently"))?;
        if is(0, "create") {
            return builds(text, &all, concurrently);
        }
        let detach = all.iter().position(|token| token.is(text, "detach"));
        if let (true, Some(detach)) = (is(0, "alter"), detach) {
            return Some(Lone::Detaches {
                parent: words(text, all.get(2..detach)?),
                child: words(text, all.get(detach + 2..concurrently)?),
            });
        }
        Some(Lone::Again)
    }
}

/// The index is made in the schema of its table.
fn builds(text: &str, all: &[Token], concurrently: usize) -> Option<Lone> {
    let name = all.get(concurrently + 1)?;
    let rest = all.get(concurrently + 2..)?;
    let table = match rest {
        [on, table, dot, _, ..] if on.is(text, "on") && dot.is_symbol(text, ".") => Some(table),
        _ => None,
    };
    let name = words(text, std::slice::from_ref(name));
    Some(Lone::Builds(match table {
        Some(schema) => join([words(text, std::slice::from_ref(schema)), name], "."),
        None => name,
    }))
}

/// Tokens of a statement are SQL, as the statement is.
fn words(text: &str, tokens: &[Token]) -> SqlText {
    let parts = tokens.iter().map(|token| token.text(text));
    SqlText::authored(parts.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lone(text: &str) -> Option<Lone> {
        Lone::of(&Part::alone(SqlText::authored(text)))
    }

    #[test]
    fn statements_are_known_by_what_they_leave() {
        let sql = |text: &str| SqlText::authored(text);
        let built = |text: &str| Some(Lone::Builds(sql(text)));
        for (text, expected) in [
            (
                "CREATE UNIQUE INDEX CONCURRENTLY \"a b\"\n    ON shop.t (x)",
                built("shop.\"a b\""),
            ),
            ("CREATE INDEX CONCURRENTLY i ON t (x)", built("i")),
            (
                "DROP INDEX CONCURRENTLY IF EXISTS shop.i",
                Some(Lone::Again),
            ),
            ("DO $$ BEGIN COMMIT; END $$", Some(Lone::Again)),
            (
                "ALTER TABLE shop.log\n    DETACH PARTITION shop.log_1 CONCURRENTLY",
                Some(Lone::Detaches {
                    parent: sql("shop.log"),
                    child: sql("shop.log_1"),
                }),
            ),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", None),
            ("ALTER TYPE s ADD VALUE IF NOT EXISTS 'concurrently'", None),
        ] {
            assert_eq!(lone(text), expected, "{text}");
        }
        assert_eq!(Lone::of(&Part::new(sql("DO $$ $$"))), None);
    }
}
