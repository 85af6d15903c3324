//! What in a statement keeps others out, and the statement without it: locks, and conditions that an UPDATE or DELETE puts to the row
//! as it is by then.
//!
//! Structure comes from the PostgreSQL grammar, places from the author's text: common table expressions, subqueries, comments and
//! strings are nothing special.

use std::collections::BTreeSet;
use std::ops::Range;

use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::facts::{ColumnRef, PredicateOp, QueryFacts, facts};
use super::guard::guarded;
use super::ident::SqlText;
use super::lex::{TokenKind, fold, tokens};
use super::params::bind;

use SyntaxKind as K;

/// Functions that take an advisory lock, those that wait for it first.
const ADVISORY: [&str; 8] = [
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_advisory_xact_lock",
    "pg_advisory_xact_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
    "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
];

/// What kind of thing keeps others out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// `FOR UPDATE` and its like, with OF, NOWAIT and SKIP LOCKED.
    RowLock,
    /// SKIP LOCKED or NOWAIT alone; the lock stays.
    NoWait,
    /// ON CONFLICT, whatever it does.
    OnConflict,
    /// DO UPDATE of ON CONFLICT, of which DO NOTHING is left.
    DoUpdate,
    /// LOCK TABLE.
    TableLock,
    /// `pg_advisory_xact_lock` and its like.
    AdvisoryLock,
    /// A condition of UPDATE, DELETE or ON CONFLICT DO UPDATE on what others change: `version = :version`.
    Condition,
}

/// What is known of the rows that a condition is put to.
pub trait Rows {
    /// Whether others change this column of the table. A condition on one that nobody changes chooses rows, and protects nothing.
    fn changes(&self, table: &str, column: &str) -> bool;
    /// Whether these columns say which row is meant. Where they do not, a condition beside them chooses among several.
    fn is_one(&self, table: &str, columns: &BTreeSet<String>) -> bool;
}

/// Something that can be taken out of a statement. Places are bytes of the text that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakening {
    /// What kind.
    pub what: Protection,
    /// As people call it: `FOR SHARE OF c`, `version = :version`.
    pub title: String,
    /// Where it stands.
    pub range: Range<usize>,
    /// What stands there instead; `None` where nothing is left of the statement.
    instead: Option<String>,
}

/// Everything in a statement (with `:name` parameters) that could be taken out.
pub fn weakenings(text: &str, rows: &dyn Rows) -> Vec<Weakening> {
    let Some(known) = facts(text) else {
        return Vec::new();
    };
    let bound = bind(text);
    let found = guarded(tokens(&bound.sql).len(), || {
        let root = SourceFile::parse(&bound.sql).syntax_node();
        let mut found = Vec::new();
        for node in root.descendants() {
            look(&node, &bound.sql, &mut found);
        }
        found
    });
    let mut weakenings = Vec::new();
    for seen in found.unwrap_or_default() {
        let range = bound.original_range(seen.range);
        if let Some(target) = &seen.of
            && !(is_guarded(&known, &range, target, rows)
                && (seen.is_upsert || rows.is_one(target, &compared(&known, target))))
        {
            continue;
        }
        weakenings.push(Weakening {
            what: seen.what,
            title: seen.title.unwrap_or_else(|| shown(&text[range.clone()])),
            range,
            instead: seen.instead,
        });
    }
    weakenings.sort_by_key(|found| (found.range.start, found.what));
    weakenings
}

/// The statement without these; `None` where nothing is left of it.
pub fn weaken(text: &str, out: &[&Weakening]) -> Option<SqlText> {
    let mut edits: Vec<&Weakening> = out.to_vec();
    edits.sort_by_key(|edit| (edit.range.start, std::cmp::Reverse(edit.range.end)));
    let mut sql = String::with_capacity(text.len());
    let mut copied = 0;
    for edit in edits {
        // SKIP LOCKED is gone with its clause, DO UPDATE with its own.
        if edit.range.start < copied {
            continue;
        }
        sql.push_str(&text[copied..edit.range.start]);
        sql.push_str(edit.instead.as_ref()?);
        copied = edit.range.end;
    }
    sql.push_str(&text[copied..]);
    Some(SqlText::made(sql))
}

/// Found, with places in the text with numbered parameters.
struct Seen {
    what: Protection,
    title: Option<String>,
    range: Range<usize>,
    instead: Option<String>,
    /// Of a condition: the table whose rows it is put to.
    of: Option<String>,
    /// Whether that is the one row that an INSERT met.
    is_upsert: bool,
}

fn look(node: &SyntaxNode, sql: &str, found: &mut Vec<Seen>) {
    let seen = |what, range, title: Option<&str>, instead: Option<&str>| Seen {
        what,
        title: title.map(str::to_owned),
        range,
        instead: instead.map(str::to_owned),
        of: None,
        is_upsert: false,
    };
    match node.kind() {
        K::LOCKING_CLAUSE => {
            found.push(seen(Protection::RowLock, place(node, sql), None, Some("")));
            let waits = child(node, K::SKIP_LOCKED).or_else(|| child(node, K::NOWAIT));
            if let Some(skip) = waits {
                let range = place(&skip, sql);
                found.push(seen(Protection::NoWait, range, None, Some("")));
            }
        }
        K::LOCK => {
            let title = Some("LOCK TABLE");
            found.push(seen(Protection::TableLock, place(node, sql), title, None));
        }
        K::CALL_EXPR => {
            let Some(name) = advisory(node, sql) else {
                return;
            };
            let value = match name.starts_with("pg_try_") {
                true => "TRUE",
                false => "NULL",
            };
            let parent = node.parent();
            let in_from = parent.filter(|parent| parent.kind() == K::FUNCTION_FROM_ITEM);
            let instead = match in_from {
                Some(from) if child(&from, K::FROM_ALIAS).is_some() => format!("(SELECT {value})"),
                Some(_) => format!("(SELECT {value}) AS {name}"),
                None => value.to_owned(),
            };
            let whole = alone(node);
            let range = match &whole {
                Some(statement) => place(statement, sql),
                None => place(node, sql),
            };
            let instead = whole.is_none().then_some(instead.as_str());
            found.push(seen(Protection::AdvisoryLock, range, Some(name), instead));
        }
        K::UPDATE | K::DELETE => {
            let target = child(node, K::RELATION_NAME)
                .and_then(|relation| child(&relation, K::RELATION_NAME_REF));
            if let (Some(target), Some(condition)) = (target, child(node, K::WHERE_CLAUSE)) {
                conditions(&condition, &table(&target, sql), sql, found);
            }
        }
        K::INSERT => {
            let conflict = child(node, K::ON_CONFLICT_CLAUSE)
                .and_then(|conflict| child(&conflict, K::CONFLICT_DO_UPDATE_SET));
            let condition = conflict.and_then(|update| child(&update, K::WHERE_CLAUSE));
            let target = child(node, K::RELATION_NAME_REF);
            if let (Some(target), Some(condition)) = (target, condition) {
                conditions(&condition, &table(&target, sql), sql, found);
            }
        }
        K::ON_CONFLICT_CLAUSE => {
            let (what, range) = (Protection::OnConflict, place(node, sql));
            found.push(seen(what, range, Some("ON CONFLICT"), Some("")));
            let what = Protection::DoUpdate;
            if let Some(update) = child(node, K::CONFLICT_DO_UPDATE_SET) {
                let range = place(&update, sql);
                found.push(seen(what, range, Some("DO UPDATE"), Some("DO NOTHING")));
            }
        }
        _ => {}
    }
}

fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|child| child.kind() == kind)
}

/// Where a node stands, without blanks and comments around it.
fn place(node: &SyntaxNode, sql: &str) -> Range<usize> {
    let range = node.text_range();
    let (start, end): (usize, usize) = (range.start().into(), range.end().into());
    let inside: Vec<_> = tokens(&sql[start..end])
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    match (inside.first(), inside.last()) {
        (Some(first), Some(last)) => start + first.range.start..start + last.range.end,
        _ => start..end,
    }
}

/// The table, without its schema.
fn table(name: &SyntaxNode, sql: &str) -> String {
    let text = &sql[place(name, sql)];
    let words = tokens(text);
    let last = words
        .iter()
        .rev()
        .find(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent));
    last.map_or_else(String::new, |token| fold(token.text(text)))
}

/// The name of the function, where it takes an advisory lock.
fn advisory(call: &SyntaxNode, sql: &str) -> Option<&'static str> {
    let callee = call.children().next()?;
    let name = table(&callee, sql);
    ADVISORY.into_iter().find(|known| *known == name)
}

/// The statement, if it does nothing but this call.
fn alone(call: &SyntaxNode) -> Option<SyntaxNode> {
    let target = call.parent().filter(|node| node.kind() == K::TARGET)?;
    let list = target.parent()?;
    let select = list.parent()?.parent()?;
    let outermost = select
        .parent()
        .is_some_and(|above| above.kind() == K::SOURCE_FILE);
    let is_only = list.children().count() == 1 && select.children().count() == 1;
    (select.kind() == K::SELECT && outermost && is_only).then_some(select)
}

/// What must hold one by one, in `WHERE a AND (b AND c)`.
fn conditions(clause: &SyntaxNode, table: &str, sql: &str, found: &mut Vec<Seen>) {
    let mut open: Vec<SyntaxNode> = clause.children().collect();
    while let Some(node) = open.pop() {
        let inner = match node.kind() {
            K::PAREN_EXPR => node.children().next().filter(is_conjunction),
            K::BIN_EXPR if is_conjunction(&node) => Some(node.clone()),
            _ => None,
        };
        match inner {
            Some(inner) => open.extend(inner.children().filter(|part| part.kind() != K::OP)),
            None if !node.descendants().any(|below| is_query(below.kind())) => found.push(Seen {
                what: Protection::Condition,
                title: None,
                range: place(&node, sql),
                instead: Some("TRUE".to_owned()),
                of: Some(table.to_owned()),
                is_upsert: clause
                    .parent()
                    .is_some_and(|above| above.kind() == K::CONFLICT_DO_UPDATE_SET),
            }),
            None => {}
        }
    }
}

fn is_conjunction(node: &SyntaxNode) -> bool {
    let is_and = |item: squawk_syntax::SyntaxElement| match item.as_node() {
        Some(op) if op.kind() == K::OP => op
            .children_with_tokens()
            .any(|token| token.kind() == K::AND_KW),
        _ => item.kind() == K::AND_KW,
    };
    node.kind() == K::BIN_EXPR && node.children_with_tokens().any(is_and)
}

fn is_query(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        K::SELECT | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE
    )
}

/// Columns of the table that the statement compares for equality.
fn compared(known: &QueryFacts, table: &str) -> BTreeSet<String> {
    let is_own = |column: &&ColumnRef| {
        let of = column.table.as_deref();
        of.is_none_or(|of| of.rsplit('.').next() == Some(table))
    };
    let equal = known.predicates.iter().filter(|predicate| {
        predicate.plain && matches!(predicate.op, PredicateOp::Equal | PredicateOp::In)
    });
    let joined = known.joins.iter().flat_map(|(left, right)| [left, right]);
    let all = equal.map(|predicate| &predicate.column).chain(joined);
    all.filter(is_own)
        .map(|column| column.column.clone())
        .collect()
}

/// Whether a condition is about columns of the table that others change, and about nothing else.
fn is_guarded(known: &QueryFacts, at: &Range<usize>, table: &str, rows: &dyn Rows) -> bool {
    let inside =
        |used: &&super::facts::ColumnUse| at.start <= used.range.start && used.range.end <= at.end;
    let mut columns = BTreeSet::new();
    for used in known.columns.iter().filter(inside) {
        let of = used.column.table.as_deref();
        let of = of.map(|name| name.rsplit('.').next().unwrap_or(name));
        if of.is_some_and(|of| of != table) {
            return false;
        }
        columns.insert(used.column.column.as_str());
    }
    !columns.is_empty()
        && columns
            .into_iter()
            .all(|column| rows.changes(table, column))
}

/// On one line, without comments.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut end = None;
    for token in tokens(text) {
        if token.kind == TokenKind::Comment {
            end = Some(0);
            continue;
        }
        if end.is_some_and(|end| end != token.range.start) {
            shown.push(' ');
        }
        shown.push_str(token.text(text));
        end = Some(token.range.end);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    struct ById;

    impl Rows for ById {
        fn changes(&self, _: &str, column: &str) -> bool {
            column != "id"
        }

        fn is_one(&self, _: &str, columns: &BTreeSet<String>) -> bool {
            columns.contains("id")
        }
    }

    /// What is found, and the statement without each.
    fn each(text: &str) -> Vec<(Protection, String, Option<String>)> {
        let found = weakenings(text, &ById);
        found
            .iter()
            .map(|one| {
                let without = weaken(text, &[one]).map(|sql| sql.as_str().to_owned());
                (one.what, one.title.clone(), without)
            })
            .collect()
    }

    fn without(text: &str) -> Vec<String> {
        let all = each(text).into_iter();
        all.map(|(_, title, without)| {
            format!("{title} | {}", without.as_deref().unwrap_or("nothing"))
        })
        .collect()
    }

    #[test]
    fn row_locks() {
        for (text, expected) in [
            (
                "SELECT a FROM t WHERE id = :id FOR NO KEY UPDATE",
                vec!["FOR NO KEY UPDATE | SELECT a FROM t WHERE id = :id "],
            ),
            (
                "SELECT a FROM t AS x, u FOR KEY SHARE OF x NOWAIT FOR\n  SHARE of u;",
                vec![
                    "FOR KEY SHARE OF x NOWAIT | SELECT a FROM t AS x, u  FOR\n  SHARE of u;",
                    "NOWAIT | SELECT a FROM t AS x, u FOR KEY SHARE OF x  FOR\n  SHARE of u;",
                    "FOR SHARE of u | SELECT a FROM t AS x, u FOR KEY SHARE OF x NOWAIT ;",
                ],
            ),
            (
                "WITH j AS (SELECT id FROM \"for update\" LIMIT 1 FOR UPDATE /* c */ SKIP LOCKED) -- FOR SHARE\nUPDATE t SET a = 'for share' FROM j WHERE t.id = j.id",
                vec![
                    "FOR UPDATE SKIP LOCKED | WITH j AS (SELECT id FROM \"for update\" LIMIT 1 ) -- FOR SHARE\nUPDATE t SET a = 'for share' FROM j WHERE t.id = j.id",
                    "SKIP LOCKED | WITH j AS (SELECT id FROM \"for update\" LIMIT 1 FOR UPDATE /* c */ ) -- FOR SHARE\nUPDATE t SET a = 'for share' FROM j WHERE t.id = j.id",
                ],
            ),
            (
                "SELECT (SELECT a FROM t WHERE id = :id FOR SHARE), é FROM u",
                vec!["FOR SHARE | SELECT (SELECT a FROM t WHERE id = :id ), é FROM u"],
            ),
            ("SELECT substring(a FROM 1 FOR 2) FROM t", vec![]),
        ] {
            assert_eq!(without(text), expected, "{text}");
        }
    }

    #[test]
    fn advisory_locks_and_locks_on_tables() {
        for (text, expected) in [
            (
                "SELECT pg_advisory_xact_lock(hashtext(:k))",
                vec!["pg_advisory_xact_lock | nothing"],
            ),
            (
                "SELECT pg_catalog.PG_TRY_ADVISORY_LOCK(1, :b) AS got, id FROM t",
                vec!["pg_try_advisory_lock | SELECT TRUE AS got, id FROM t"],
            ),
            (
                "SELECT a FROM t, pg_advisory_lock(7)",
                vec!["pg_advisory_lock | SELECT a FROM t, (SELECT NULL) AS pg_advisory_lock"],
            ),
            (
                "SELECT a FROM t, pg_advisory_lock(7) AS l",
                vec!["pg_advisory_lock | SELECT a FROM t, (SELECT NULL) AS l"],
            ),
            (
                "-- why\nLOCK TABLE t IN SHARE ROW EXCLUSIVE MODE;",
                vec!["LOCK TABLE | nothing"],
            ),
            (
                "SELECT 'pg_advisory_lock(1)', pg_advisory_unlock(1), my.lock(1)",
                vec![],
            ),
        ] {
            assert_eq!(without(text), expected, "{text}");
        }
    }

    #[test]
    fn conditions_on_what_others_change() {
        for (text, expected) in [
            (
                "UPDATE t SET v = v + 1 WHERE id = :id AND v = :v",
                vec!["v = :v | UPDATE t SET v = v + 1 WHERE id = :id AND TRUE"],
            ),
            (
                "UPDATE app.t AS x SET a = 1 WHERE (x.id = :id AND x.left >= CAST(:n AS int)) AND :n > 0",
                vec![
                    "x.left >= CAST(:n AS int) | UPDATE app.t AS x SET a = 1 WHERE (x.id = :id AND TRUE) AND :n > 0",
                ],
            ),
            (
                "UPDATE t SET held_by = :me WHERE id = :id AND (held_by IS NULL OR until < now())",
                vec![
                    "(held_by IS NULL OR until < now()) | UPDATE t SET held_by = :me WHERE id = :id AND TRUE",
                ],
            ),
            (
                "DELETE FROM t USING u WHERE t.id = u.id AND t.v = u.v AND t.state IN ('a', 'b') AND u.x = 1",
                vec![
                    "t.state IN ('a', 'b') | DELETE FROM t USING u WHERE t.id = u.id AND t.v = u.v AND TRUE AND u.x = 1",
                ],
            ),
            (
                "INSERT INTO t (id, v) VALUES (:id, :v) ON CONFLICT (id) DO UPDATE SET v = excluded.v WHERE t.v < excluded.v",
                vec![
                    "ON CONFLICT | INSERT INTO t (id, v) VALUES (:id, :v) ",
                    "DO UPDATE | INSERT INTO t (id, v) VALUES (:id, :v) ON CONFLICT (id) DO NOTHING",
                    "t.v < excluded.v | INSERT INTO t (id, v) VALUES (:id, :v) ON CONFLICT (id) DO UPDATE SET v = excluded.v WHERE TRUE",
                ],
            ),
            (
                "UPDATE t SET a = 1 WHERE id = 1 AND v = (SELECT max(v) FROM t)",
                vec![],
            ),
            ("SELECT a FROM t WHERE v = :v", vec![]),
            (
                "UPDATE t SET a = 1 WHERE id = (SELECT 1) AND v BETWEEN :a AND :b",
                vec!["v BETWEEN :a AND :b | UPDATE t SET a = 1 WHERE id = (SELECT 1) AND TRUE"],
            ),
            (
                // It chooses among several rows.
                "UPDATE t SET a = 1 WHERE other = :o AND v IS NULL",
                vec![],
            ),
        ] {
            assert_eq!(without(text), expected, "{text}");
        }
    }

    #[test]
    fn several_at_once() {
        let text = "WITH j AS (SELECT id FROM t FOR UPDATE SKIP LOCKED) UPDATE t SET v = 2 FROM j WHERE t.id = j.id AND t.v = 1";
        let found = weakenings(text, &ById);
        let all: Vec<&Weakening> = found.iter().collect();
        assert_eq!(all.len(), 3);
        assert_eq!(
            weaken(text, &all).expect("something is left").as_str(),
            "WITH j AS (SELECT id FROM t ) UPDATE t SET v = 2 FROM j WHERE t.id = j.id AND TRUE"
        );
    }

    #[test]
    fn what_cannot_be_read_has_nothing_to_take_out() {
        for text in ["", "SELEC 1 FOR", "SELECT ( FOR UPDATE"] {
            let found = weakenings(text, &ById);
            for one in &found {
                assert!(text.get(one.range.clone()).is_some());
            }
        }
    }
}
