//! The lines around a place, for miette.

use std::borrow::Cow;
use std::collections::BTreeMap;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::report::printable::printable;
use crate::source::{SourceId, SourceMap, Span};

/// A line longer than this is shown only around what is marked in it.
const LONG: usize = 160;
/// How much of a long line is shown before and after.
const AROUND: usize = 60;

/// All sources, made harmless once.
pub(super) struct Texts<'a> {
    sources: &'a SourceMap,
    safe: BTreeMap<SourceId, Cow<'a, str>>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(sources: &'a SourceMap) -> Texts<'a> {
        let safe = sources
            .ids()
            .map(|id| (id, printable(sources.text(id))))
            .collect();
        Texts { sources, safe }
    }

    pub(super) fn excerpt(&'a self, id: SourceId) -> Excerpt<'a> {
        Excerpt {
            sources: self.sources,
            id,
            text: self.safe.get(&id).map_or("", |text| text),
        }
    }
}

/// One source, read by the line. miette's own implementation walks the whole text for every label; this one finds its
/// lines from where it stands.
pub(super) struct Excerpt<'a> {
    sources: &'a SourceMap,
    id: SourceId,
    text: &'a str,
}

impl Excerpt<'_> {
    /// What of a span is marked: the part on its first line. A whole table under one long brace tells nobody anything.
    pub(super) fn mark(&self, at: Span) -> SourceSpan {
        let start = self.boundary(at.start as usize);
        let end = self.boundary(at.end as usize).max(start);
        let marked = &self.text[start..end];
        let line = marked.lines().next().unwrap_or("").trim_end();
        let length = line.len().min(self.boundary(start + LONG) - start);
        (start, length).into()
    }

    /// The nearest character boundary at or before a byte.
    fn boundary(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }

    /// First byte of the line `above` lines before the one that holds `byte`.
    fn line_start(&self, byte: usize, above: usize) -> usize {
        let mut start = self.text[..byte].rfind('\n').map_or(0, |at| at + 1);
        for _ in 0..above {
            if start == 0 {
                break;
            }
            start = self.text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        }
        start
    }

    /// One past the line `below` lines after the one that holds `byte`, its line feed included.
    fn line_end(&self, byte: usize, below: usize) -> usize {
        let mut end = byte;
        for _ in 0..=below {
            end = self.text[end..]
                .find('\n')
                .map_or(self.text.len(), |at| end + at + 1);
        }
        end
    }

    /// Where to cut: whole lines, or a window where lines are too long to show.
    fn window(&self, start: usize, end: usize, before: usize, after: usize) -> (usize, usize) {
        let mut from = self.line_start(start, before);
        if start - from > LONG * (before + 1) {
            from = self.line_start(start, 0);
        }
        if start - from > LONG {
            from = self.boundary(start - AROUND);
        }
        let mut to = self.line_end(end, after);
        if to - end > LONG * (after + 1) {
            to = self.line_end(end, 0);
        }
        if to - end > LONG {
            to = self.boundary(end + AROUND);
        }
        (from, to)
    }
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = self.boundary(span.offset());
        let end = self.boundary(span.offset() + span.len());
        // Without context miette asks for the place of the mark itself.
        let (from, to) = match before {
            0 => (start, end),
            _ => self.window(start, end, before, after),
        };
        let at = Span::new(self.id, from as u32, from as u32);
        let (place, _) = self.sources.line_column(at);
        let data = &self.text[from..to];
        Ok(Box::new(MietteSpanContents::new_named(
            self.sources.path(self.id).to_owned(),
            data.as_bytes(),
            (from, to - from).into(),
            place.line as usize - 1,
            place.column as usize - 1,
            data.lines().count(),
        )))
    }
}
