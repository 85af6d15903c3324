//! Marks in comments that cut a file into a way forward and a way back.

use std::ops::Range;

use super::tool::starts_with;

/// A line with its bytes.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start..at, line.trim_end_matches(['\n', '\r']))
    })
}

/// The words of a comment that is a line of its own.
pub(super) fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("--").map(str::trim_start)
}

/// A part of a file, and whether it runs in a transaction.
pub(super) type Part = (Range<usize>, bool);

/// How a tool marks the parts of a file.
pub(super) struct Marks {
    up: &'static str,
    down: &'static str,
    /// Says in a mark, or in a comment of its own, that there is no transaction.
    outside: &'static str,
}

/// dbmate's.
pub(super) const DBMATE: Marks = Marks {
    up: "migrate:up",
    down: "migrate:down",
    outside: "transaction:false",
};

/// goose's.
pub(super) const GOOSE: Marks = Marks {
    up: "+goose up",
    down: "+goose down",
    outside: "+goose no transaction",
};

/// sql-migrate's.
pub(super) const SQL_MIGRATE: Marks = Marks {
    up: "+migrate up",
    down: "+migrate down",
    outside: "notransaction",
};

/// The parts of a file: forward and back, each with whether it runs in a transaction.
pub(super) fn parts(text: &str, marks: &Marks) -> (Vec<Part>, Vec<Part>) {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let mut open: Option<(bool, usize, bool)> = None;
    let mut close = |open: Option<(bool, usize, bool)>, end: usize| match open {
        Some((true, start, wrapped)) => up.push((start..end, wrapped)),
        Some((false, start, wrapped)) => down.push((start..end, wrapped)),
        None => {}
    };
    let is_outside = |words: &str| starts_with(words, marks.outside);
    let whole = lines(text).any(|(_, line)| comment(line).is_some_and(is_outside));
    for (range, line) in lines(text) {
        let Some(words) = comment(line) else { continue };
        let forward = starts_with(words, marks.up);
        if !forward && !starts_with(words, marks.down) {
            continue;
        }
        close(open.take(), range.start);
        let wrapped = !whole && !words.split_whitespace().any(is_outside);
        open = Some((forward, range.end, wrapped));
    }
    close(open, text.len());
    (up, down)
}
