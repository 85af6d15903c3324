//! A scalar that still knows where each of its characters stands in the file.

use std::fmt;
use std::ops::Range;

use super::span::Span;

/// The decoded value of a YAML scalar with its place, and the way back from an offset in the value to the file,
/// also inside block scalars and escapes.
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
    at: Span,
    /// Runs that are contiguous in both: (offset in `text`, byte in the source), ascending, never empty.
    runs: Box<[(u32, u32)]>,
}

impl Text {
    /// `runs`: (offset in `text`, byte in the source) for each stretch that is contiguous in both, ascending.
    pub fn new(text: impl Into<String>, at: Span, runs: Vec<(u32, u32)>) -> Text {
        let runs = if runs.is_empty() {
            vec![(0, at.start)]
        } else {
            runs
        };
        Text {
            text: text.into(),
            at,
            runs: runs.into(),
        }
    }

    /// A text whose characters all stand at one place (derived names, defaults).
    pub fn at_once(text: impl Into<String>, at: Span) -> Text {
        Text {
            text: text.into(),
            at,
            runs: Box::new([]),
        }
    }

    /// The decoded value.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the whole value stands.
    pub fn at(&self) -> Span {
        self.at
    }

    /// Where bytes `range` of the value stand in the file. A range out of the value gives the whole.
    pub fn part(&self, range: Range<usize>) -> Span {
        if self.runs.is_empty() || range.start > self.text.len() {
            return self.at;
        }
        let start = self.byte(range.start);
        let end = if range.end > range.start {
            self.byte(range.end.min(self.text.len()) - 1) + 1
        } else {
            start
        };
        Span::new(self.at.source, start, end.max(start))
    }

    fn byte(&self, offset: usize) -> u32 {
        let run = self
            .runs
            .partition_point(|(decoded, _)| *decoded as usize <= offset)
            .saturating_sub(1);
        let (decoded, source) = self.runs[run];
        source + (offset as u32).saturating_sub(decoded)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
