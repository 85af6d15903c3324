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
}

pub(super) fn changesets(text: &str) -> Vec<Changeset> {
    let mut found: Vec<Changeset> = Vec::new();
    for (range, line) in lines(text) {
        let Some(words) = comment(line) else {
            if let Some(open) = found.last_mut() {
                open.body.end = range.end;
            }
            continue;
        };
        if starts_with(words, "changeset") {
            found.push(changeset(words, range.end));
        } else if let Some(open) = found.last_mut() {
            if starts_with(words, "rollback ") {
                let start = range.start + line.len() - words.len() + "rollback ".len();
                open.rollback.push(start..range.start + line.len());
            }
            open.body.end = range.end;
        }
    }
    found
}

fn changeset(words: &str, at: usize) -> Changeset {
    let mut parts = words.split_whitespace().skip(1);
    let name = parts.next().unwrap_or_default().to_owned();
    let mut made = Changeset {
        name,
        body: at..at,
        in_transaction: true,
        splits: true,
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
            "enddelimiter" if value != ";" => made.delimiter = Some(value.to_owned()),
            _ => {}
        }
    }
    made
}
