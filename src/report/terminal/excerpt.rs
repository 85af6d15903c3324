//! The lines around what a finding is about, cut to the width of the terminal, for miette.
//!
//! miette would walk the whole text for every label, and print lines as long as they are; where the terminal breaks them,
//! marks no longer stand under what they mark.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::finding::Label;
use crate::report::printable::printable;
use crate::source::{LineColumn, SourceMap, Span};

/// What stands to the left of a line: its number and a rule.
const GUTTER: usize = 9;
/// How much of a long line is shown before a mark far to the right.
const BEFORE: usize = 24;

/// A few lines, with the marks in them.
pub(super) struct Excerpt {
    path: String,
    /// The lines as shown.
    text: String,
    /// Number of the first line, from 0.
    first: usize,
    marks: Vec<Mark>,
}

/// A mark, in the order of the labels it comes from.
struct Mark {
    /// Bytes of `Excerpt::text`.
    start: usize,
    length: usize,
    /// Where it really is.
    place: LineColumn,
}

impl Excerpt {
    /// The lines around labels of one source that are near each other. `None` where there is no label.
    pub(super) fn around(labels: &[&Label], sources: &SourceMap, width: usize) -> Option<Excerpt> {
        let spans: Vec<Span> = labels.iter().map(|label| label.at).collect();
        let source = spans.first()?.source;
        let text = sources.text(source);
        let byte = |at: u32| boundary(text, at as usize);
        let top = byte(spans.iter().map(|at| at.start).min()?);
        let bottom = byte(spans.iter().map(|at| at.start).max()?);
        let start = line_start(text, top, 1);
        let (place, _) = sources.line_column(Span::new(source, start as u32, start as u32));
        let mut excerpt = Excerpt {
            path: sources.path(source).to_owned(),
            text: String::new(),
            first: place.line as usize - 1,
            marks: Vec::new(),
        };
        let mut marks: Vec<Option<Mark>> = spans.iter().map(|_| None).collect();
        let mut from = start;
        for line in lines(&text[start..line_end(text, bottom, 1)]) {
            let here = |at: &Span| (from..from + line.len()).contains(&byte(at.start));
            let bare = line.trim_end_matches(['\n', '\r']);
            let found: Vec<(usize, (usize, usize))> = spans
                .iter()
                .enumerate()
                .filter(|(_, at)| {
                    here(at) || (byte(at.start) == text.len() && from + line.len() == text.len())
                })
                .map(|(index, at)| {
                    (
                        index,
                        columns(bare, byte(at.start) - from, byte(at.end) - from),
                    )
                })
                .collect();
            let wanted = found.iter().map(|(_, columns)| *columns);
            let (shown, skipped) = cut(
                &printable(bare),
                wanted.collect(),
                width.saturating_sub(GUTTER),
            );
            for (index, (left, right)) in found {
                let (place, _) = sources.line_column(spans[index]);
                let bytes = |column: usize| byte_of(&shown, column.saturating_sub(skipped));
                marks[index] = Some(Mark {
                    start: excerpt.text.len() + bytes(left),
                    length: bytes(right).saturating_sub(bytes(left)),
                    place,
                });
            }
            excerpt.text.push_str(&shown);
            excerpt.text.push('\n');
            from += line.len();
        }
        excerpt.marks = marks
            .into_iter()
            .collect::<Option<Vec<Mark>>>()
            .unwrap_or_default();
        Some(excerpt)
    }

    /// The marks, in the order of the labels.
    pub(super) fn marks(&self) -> impl Iterator<Item = SourceSpan> + '_ {
        self.marks
            .iter()
            .map(|mark| (mark.start, mark.length).into())
    }
}

/// The lines with their ends; one empty line where there is nothing at all.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let nothing = text.is_empty().then_some("");
    text.split_inclusive('\n').chain(nothing)
}

/// Columns, from 0, that a range of bytes takes on a line; what goes on below it is left out.
fn columns(line: &str, start: usize, end: usize) -> (usize, usize) {
    let count = |bytes: usize| line[..boundary(line, bytes)].chars().count();
    let trimmed = line.trim_end().len();
    (count(start), count(end.min(trimmed)).max(count(start)))
}

/// The part of a line that fits, with what is marked in it, and how many columns it begins later. An ellipsis takes the place
/// of what is left out.
fn cut(line: &str, marked: Vec<(usize, usize)>, width: usize) -> (String, usize) {
    let length = line.chars().count();
    if length <= width {
        return (line.to_owned(), 0);
    }
    let right = marked.iter().map(|(_, right)| *right).max().unwrap_or(0);
    let left = marked.iter().map(|(left, _)| *left).min().unwrap_or(0);
    let skipped = match right < width {
        true => 0,
        false => left.saturating_sub(BEFORE).min(length - width),
    };
    let mut shown: Vec<char> = line.chars().skip(skipped).take(width).collect();
    if let Some(first) = shown.first_mut().filter(|_| skipped > 0) {
        *first = '…';
    }
    if let Some(last) = shown.last_mut().filter(|_| skipped + width < length) {
        *last = '…';
    }
    (shown.into_iter().collect(), skipped)
}

/// The byte at which a column begins.
fn byte_of(line: &str, column: usize) -> usize {
    line.char_indices()
        .nth(column)
        .map_or(line.len(), |(at, _)| at)
}

/// The nearest character boundary at or before a byte.
fn boundary(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// First byte of the line `above` lines before the one that holds `byte`.
fn line_start(text: &str, byte: usize, above: usize) -> usize {
    let mut start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
    for _ in 0..above {
        if start == 0 {
            break;
        }
        start = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
    }
    start
}

/// One past the line `below` lines after the one that holds `byte`, its line feed included.
fn line_end(text: &str, byte: usize, below: usize) -> usize {
    let mut end = byte;
    for _ in 0..=below {
        end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    }
    end
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let mark = self.marks.iter().find(|mark| mark.start == span.offset());
        // Without context miette asks for the place of the mark itself.
        let (line, column) = match mark.filter(|_| before == 0) {
            Some(mark) => (mark.place.line as usize - 1, mark.place.column as usize - 1),
            None => (self.first, 0),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.clone(),
            self.text.as_bytes(),
            (0, self.text.len()).into(),
            line,
            column,
            self.text.lines().count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_what_is_marked_in_it() {
        let line: String = ('a'..='z').cycle().take(100).collect();
        assert_eq!(cut(&line, vec![(3, 8)], 10), ("abcdefghi…".to_owned(), 0));
        let (shown, skipped) = cut(&line, vec![(60, 62)], 40);
        assert_eq!((shown.chars().count(), skipped), (40, 36));
        assert!(shown.starts_with('…') && shown.ends_with('…'));
        assert_eq!(shown.chars().nth(60 - skipped), line.chars().nth(60));
        let (shown, skipped) = cut(&line, vec![(95, 100)], 40);
        assert_eq!((shown.ends_with('v'), skipped), (true, 60));
    }

    #[test]
    fn a_mark_ends_with_its_line() {
        assert_eq!(columns("größe: 1  ", 0, 400), (0, 8));
        assert_eq!(columns("größe: 1", 9, 10), (7, 8));
        assert_eq!(columns("", 0, 0), (0, 0));
    }
}
