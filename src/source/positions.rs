//! From a decoded scalar back to the bytes it was written with.
//!
//! The parser says what a scalar is worth and where it starts and ends. Source and value are walked side by side here, the
//! value leading: it says how many blanks and line breaks the writer's folding came to.

use super::text::Run;

/// How a scalar is written, as far as finding its characters goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|` or `>`, with the column at which its lines start.
    Block {
        indent: usize,
    },
}

/// The runs of `value`, written at bytes `start..end` of `source` (quotes excluded, block header excluded). `None` where the
/// two do not fit together; then only the scalar as a whole has a place.
pub(super) fn align(
    source: &str,
    start: usize,
    end: usize,
    notation: Notation,
    value: &str,
) -> Option<Vec<Run>> {
    if source.get(start..end)? == value {
        return Some(vec![Run::verbatim(0, start)]);
    }
    let start = match notation {
        Notation::Block { .. } => block_start(source, start),
        _ => start,
    };
    let mut walk = Walk {
        source: source.get(..end)?,
        at: start,
        value,
        done: 0,
        runs: Vec::new(),
    };
    match notation {
        Notation::Block { indent } => walk.block(indent)?,
        _ => walk.flow(notation)?,
    }
    (walk.done == value.len()).then_some(walk.runs)
}

/// The first byte after the header line of a block scalar: blank lines may stand before the line at which the parser says
/// the scalar starts.
fn block_start(source: &str, start: usize) -> usize {
    let header = source[..start].trim_end_matches([' ', '\n', '\r']).len();
    match source[header..start].find(['\n', '\r']) {
        Some(at) => header + at + break_length(&source[header + at..]),
        None => start,
    }
}

/// Bytes of the line break that `text` starts with.
fn break_length(text: &str) -> usize {
    if text.starts_with("\r\n") {
        2
    } else {
        usize::from(text.starts_with(['\n', '\r']))
    }
}

struct Walk<'a> {
    source: &'a str,
    at: usize,
    value: &'a str,
    done: usize,
    runs: Vec<Run>,
}

impl Walk<'_> {
    /// The next `length` bytes are the same in both.
    fn same(&mut self, length: usize) -> Option<()> {
        let here = self.source.get(self.at..self.at + length)?;
        if !self.value[self.done..].starts_with(here) {
            return None;
        }
        let continues = self.runs.last().is_some_and(|run| {
            run.width.is_none() && self.at - run.source as usize == self.done - run.offset as usize
        });
        if !continues && length > 0 {
            self.runs.push(Run::verbatim(self.done, self.at));
        }
        self.at += length;
        self.done += length;
        Some(())
    }

    /// The next character of the value stands for `length` bytes at `at`.
    fn decoded(&mut self, at: usize, length: usize) -> Option<()> {
        let character = self.value[self.done..].chars().next()?;
        self.runs.push(Run::decoded(self.done, at, length));
        self.done += character.len_utf8();
        Some(())
    }

    fn flow(&mut self, notation: Notation) -> Option<()> {
        while self.done < self.value.len() {
            let rest = &self.source[self.at..];
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            if rest[..blank].contains(['\n', '\r']) {
                self.folded(blank, 1)?;
                continue;
            }
            match (notation, rest.chars().next()?) {
                (Notation::SingleQuoted, '\'') => {
                    self.decoded(self.at, 2)?;
                    self.at += 2;
                }
                (Notation::DoubleQuoted, '\\') => self.escape()?,
                (_, character) => self.same(character.len_utf8())?,
            }
        }
        Some(())
    }

    /// `blank` bytes of blanks and line breaks. The first `dropped` breaks are worth one blank where no other follows, and
    /// nothing where others do; the others are worth a break each.
    fn folded(&mut self, blank: usize, dropped: usize) -> Option<()> {
        let breaks = breaks(&self.source[self.at..self.at + blank]);
        if breaks.len() == dropped && dropped > 0 {
            let (offset, length) = breaks[0];
            self.decoded(self.at + offset, length)?;
        }
        for (offset, length) in breaks.into_iter().skip(dropped) {
            self.decoded(self.at + offset, length)?;
        }
        self.at += blank;
        Some(())
    }

    /// A backslash in double quotes.
    fn escape(&mut self) -> Option<()> {
        let rest = &self.source[self.at + 1..];
        let line_break = break_length(rest);
        if line_break > 0 {
            self.at += 1 + line_break;
            let rest = &self.source[self.at..];
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            return self.folded(blank, 0);
        }
        let length = match rest.chars().next()? {
            'x' => 4,
            'u' if is_high_surrogate(rest.get(1..5)?) => 12,
            'u' => 6,
            'U' => 10,
            other => 1 + other.len_utf8(),
        };
        self.decoded(self.at, length)?;
        self.at += length;
        Some(())
    }

    fn block(&mut self, indent: usize) -> Option<()> {
        // Line breaks since the last line with content.
        let mut pending = Vec::new();
        while self.at < self.source.len() {
            let line = &self.source[self.at..];
            let blanks = line.len() - line.trim_start_matches(' ').len();
            self.at += blanks.min(indent);
            let line = &self.source[self.at..];
            let content = line.find(['\n', '\r']).unwrap_or(line.len());
            if content > 0 && self.done < self.value.len() {
                self.between(&pending)?;
                pending.clear();
                self.same(content)?;
            } else {
                self.at += content;
            }
            let length = break_length(&self.source[self.at..]);
            if length > 0 {
                pending.push((self.at, length));
            }
            self.at += length;
        }
        // What chomping left; a break at the end of a file may be the parser's own.
        let mut breaks = pending.into_iter();
        while self.done < self.value.len() {
            let (at, length) = breaks.next().unwrap_or((self.source.len(), 0));
            self.decoded(at, length)?;
        }
        Some(())
    }

    /// The breaks between two lines with content: all of them, all but the first, or one blank.
    fn between(&mut self, breaks: &[(usize, usize)]) -> Option<()> {
        if breaks.is_empty() {
            return Some(());
        }
        let rest = &self.value[self.done..];
        let count = rest.len() - rest.trim_start_matches('\n').len();
        let (skip, take) = match count {
            0 => (0, 1),
            _ => (breaks.len().checked_sub(count)?, count),
        };
        for (at, length) in breaks.iter().skip(skip).take(take) {
            self.decoded(*at, *length)?;
        }
        Some(())
    }
}

/// Where line breaks stand in `text`, with their lengths.
fn breaks(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let length = break_length(&text[at..]);
        if length > 0 {
            found.push((at, length));
        }
        at += length.max(1);
    }
    found
}

fn is_high_surrogate(digits: &str) -> bool {
    u32::from_str_radix(digits, 16).is_ok_and(|code| (0xd800..0xdc00).contains(&code))
}
