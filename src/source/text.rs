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
    /// Ascending; empty where every character stands at `at`.
    runs: Box<[Run]>,
}

/// A stretch of a decoded value, up to the next run, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First byte in the value.
    pub offset: u32,
    /// First byte in the source.
    pub source: u32,
    /// Bytes in the source that the stretch stands for as a whole (an escape, a folded line break); `None` where it is
    /// there byte by byte.
    pub width: Option<u32>,
}

impl Run {
    /// A stretch that is in the source as it is in the value.
    pub fn verbatim(offset: usize, source: usize) -> Run {
        Run {
            offset: offset as u32,
            source: source as u32,
            width: None,
        }
    }

    /// A stretch that stands for `width` other bytes.
    pub fn decoded(offset: usize, source: usize, width: usize) -> Run {
        Run {
            offset: offset as u32,
            source: source as u32,
            width: Some(width as u32),
        }
    }
}

impl Text {
    /// `runs`: ascending by offset. Where there are none, the value is taken to stand at `at` byte by byte.
    pub fn new(text: impl Into<String>, at: Span, runs: Vec<Run>) -> Text {
        let runs = if runs.is_empty() {
            vec![Run::verbatim(0, at.start as usize)]
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

    /// Where bytes `range` of the value stand in the file, widened to whole characters and escapes. An empty range gives the
    /// place before its start. A range out of the value gives the whole.
    pub fn part(&self, range: Range<usize>) -> Span {
        if self.runs.is_empty() || range.start > self.text.len() {
            return self.at;
        }
        let (mut first, mut end) = (range.start, range.end.min(self.text.len()));
        while !self.text.is_char_boundary(first) {
            first -= 1;
        }
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let start = self.before(first);
        let end = if end > first {
            self.after(end - 1)
        } else {
            start
        };
        Span::new(self.at.source, start, end.max(start))
    }

    /// Bytes `range` of the value as a text of its own, which still knows its places. A range out of the value, or one that
    /// cuts a character, gives an empty text.
    pub fn slice(&self, range: Range<usize>) -> Text {
        let text = self.text.get(range.clone()).unwrap_or("");
        let at = self.part(range.clone());
        if self.runs.is_empty() {
            return Text::at_once(text, at);
        }
        let first = self.run(range.start);
        let runs = self.runs[first..]
            .iter()
            .take_while(|run| (run.offset as usize) < range.end.max(range.start + 1))
            .map(|run| {
                let skipped = range.start.saturating_sub(run.offset as usize);
                Run {
                    offset: (run.offset as usize).saturating_sub(range.start) as u32,
                    source: match run.width {
                        None => run.source + skipped as u32,
                        Some(_) => run.source,
                    },
                    width: run.width,
                }
            })
            .collect();
        Text::new(text, at, runs)
    }

    /// The value without blanks around it.
    pub fn trimmed(&self) -> Text {
        let start = self.text.len() - self.text.trim_start().len();
        self.slice(start..start + self.text.trim().len())
    }

    /// Index of the run that holds byte `offset` of the value.
    fn run(&self, offset: usize) -> usize {
        self.runs
            .partition_point(|run| run.offset as usize <= offset)
            .saturating_sub(1)
    }

    /// The byte of the source at which byte `offset` of the value begins.
    fn before(&self, offset: usize) -> u32 {
        let run = self.runs[self.run(offset)];
        match run.width {
            None => run.source + (offset as u32).saturating_sub(run.offset),
            Some(width) if offset == self.text.len() => run.source + width,
            Some(_) => run.source,
        }
    }

    /// The byte of the source after byte `offset` of the value.
    fn after(&self, offset: usize) -> u32 {
        let run = self.runs[self.run(offset)];
        match run.width {
            None => run.source + (offset as u32).saturating_sub(run.offset) + 1,
            Some(width) => run.source + width,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    /// `"é\tb" ` with an escape of two bytes for the tab.
    fn sample() -> (SourceMap, Text) {
        let mut map = SourceMap::new();
        let id = map.add("t", "\"é\\tb\"".to_owned());
        let runs = vec![
            Run::verbatim(0, 1),
            Run::decoded(2, 3, 2),
            Run::verbatim(3, 5),
        ];
        let text = Text::new("é\tb", Span::new(id, 0, 7), runs);
        (map, text)
    }

    #[test]
    fn parts_are_whole_characters_and_escapes() {
        let (map, text) = sample();
        assert_eq!(map.snippet(text.part(0..1)), "é");
        assert_eq!(map.snippet(text.part(1..2)), "é");
        assert_eq!(map.snippet(text.part(2..3)), "\\t");
        assert_eq!(map.snippet(text.part(3..4)), "b");
        assert_eq!(map.snippet(text.part(0..4)), "é\\tb");
        assert_eq!(map.snippet(text.part(0..99)), "é\\tb");
        assert_eq!(text.part(4..4).start, 6);
        assert_eq!(text.part(99..100), text.at());
    }

    #[test]
    fn slices_keep_their_places() {
        let (map, text) = sample();
        let tail = text.slice(2..4);
        assert_eq!(tail.as_str(), "\tb");
        assert_eq!(map.snippet(tail.part(0..1)), "\\t");
        assert_eq!(map.snippet(tail.part(1..2)), "b");
        let last = text.slice(3..4);
        assert_eq!(map.snippet(last.part(0..1)), "b");
        assert_eq!(text.slice(4..4).as_str(), "");
        assert_eq!(text.slice(1..2).as_str(), "");
        assert_eq!(text.slice(50..60).as_str(), "");
    }
}
