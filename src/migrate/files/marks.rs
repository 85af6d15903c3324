//! Marks in comments that cut a file: dbmate's.

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

/// The parts of a file of dbmate's: forward and back, each with whether it runs in a transaction.
pub(super) fn dbmate(text: &str) -> (Vec<Part>, Vec<Part>) {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let mut open: Option<(bool, usize, bool)> = None;
    let mut close = |open: Option<(bool, usize, bool)>, end: usize| match open {
        Some((true, start, wrapped)) => up.push((start..end, wrapped)),
        Some((false, start, wrapped)) => down.push((start..end, wrapped)),
        None => {}
    };
    for (range, line) in lines(text) {
        let Some(words) = comment(line) else { continue };
        let forward = starts_with(words, "migrate:up");
        if !forward && !starts_with(words, "migrate:down") {
            continue;
        }
        close(open.take(), range.start);
        let wrapped = !words
            .split_whitespace()
            .any(|word| word == "transaction:false");
        open = Some((forward, range.end, wrapped));
    }
    close(open, text.len());
    (up, down)
}
