//! Liquibase's formatted SQL: changesets, each a transaction, with the way back in comments.

use std::ops::Range;

use super::marks::{comment, lines};
use super::tool::starts_with;

/// One changeset.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changeset {
    /// `author:id`.
    pub(super) name: String,
    /// Its SQL.
    pub(super) body: Range<usize>,
    /// Lines behind `--rollback`.
    pub(super) rollback: Vec<Range<usize>>,
    /// Unless `runInTransaction:false`.
    pub(super) in_transaction: bool,
    /// Unless `splitStatements:false`.
    pub(super) splits: bool,
    /// `endDelimiter`, where it is not a semicolon.
    pub(super) delimiter: Option<String>,
    /// Unless `dbms` names others than PostgreSQL.
    pub(super) is_ours: bool,
}

pub(super) fn changesets(text: &str) -> Vec<Changeset> {
    let mut found: Vec<Changeset> = Vec::new();
    // Where a block of the way back began: `/* liquibase rollback`.
    let mut back: Option<usize> = None;
    for (range, line) in lines(text) {
        if let Some(start) = back {
            if let (Some(end), Some(open)) = (line.find("*/"), found.last_mut()) {
                open.rollback.push(start..range.start + end);
                back = None;
                open.body.end = range.end;
            }
            continue;
        }
        if begins_rollback(line) {
            back = Some(range.end);
            continue;
        }
        let Some(words) = comment(line) else {
            if let Some(open) = found.last_mut() {
                open.body.end = range.end;
            }
            continue;
        };
        if starts_with(words, "changeset") {
            found.push(changeset(words, range.end));
        } else if let Some(open) = found.last_mut() {
            if starts_with(words, "rollback ") && says_sql(&words["rollback ".len()..]) {
                let start = range.start + line.len() - words.len() + "rollback ".len();
                open.rollback.push(start..range.start + line.len());
            }
            open.body.end = range.end;
        }
    }
    found
}

fn begins_rollback(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("/*");
    rest.is_some_and(|rest| {
        let words: Vec<&str> = rest.split_whitespace().take(2).collect();
        let is = |at: usize, word: &str| {
            words
                .get(at)
                .is_some_and(|own| own.eq_ignore_ascii_case(word))
        };
        is(0, "liquibase") && is(1, "rollback")
    })
}

/// Words instead of SQL say that nothing is taken back, or what another changeset says of it.
fn says_sql(rest: &str) -> bool {
    let rest = rest.trim();
    let none = ["empty", "not required", "none"];
    !none.iter().any(|word| rest.eq_ignore_ascii_case(word)) && !starts_with(rest, "changesetid:")
}

fn changeset(words: &str, at: usize) -> Changeset {
    let mut parts = words.split_whitespace().skip(1);
    let name = parts.next().unwrap_or_default().to_owned();
    let mut made = Changeset {
        name,
        body: at..at,
        in_transaction: true,
        splits: true,
        is_ours: true,
        ..Changeset::default()
    };
    for part in parts {
        let Some((key, value)) = part.split_once(':') else {
            continue;
        };
        let is_false = value.eq_ignore_ascii_case("false");
        match key.to_ascii_lowercase().as_str() {
            "runintransaction" => made.in_transaction = !is_false,
            "splitstatements" => made.splits = !is_false,
            "enddelimiter" if value != ";" => made.delimiter = Some(value.replace("\\n", "\n")),
            "dbms" => made.is_ours = is_ours(value),
            _ => {}
        }
    }
    made
}

/// Whether `dbms:postgresql,oracle` or `dbms:!h2` lets a changeset run here.
fn is_ours(value: &str) -> bool {
    let mut names = value.split(',').map(str::trim);
    let is_postgres = |name: &str| {
        ["postgresql", "postgres", "all"].contains(&name.to_ascii_lowercase().as_str())
    };
    if value.contains('!') {
        return !names.any(|name| name.strip_prefix('!').is_some_and(is_postgres));
    }
    names.any(is_postgres)
}
