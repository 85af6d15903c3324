//! The texts of a run, and the way from a byte to a line and column.

use super::span::{LineColumn, SourceId, Span};

/// Every text that a run has read. Paths are kept as given, with `/` between folders.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    path: String,
    text: String,
    /// Byte at which each line starts.
    lines: Vec<u32>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Takes a text in. `path` is what messages call it (`-` becomes `<stdin>`, say).
    pub fn add(&mut self, path: impl Into<String>, text: String) -> SourceId {
        let lines = std::iter::once(0)
            .chain(
                text.bytes()
                    .enumerate()
                    .filter(|(_, b)| *b == b'\n')
                    .map(|(i, _)| i as u32 + 1),
            )
            .collect();
        self.files.push(File {
            path: path.into(),
            text,
            lines,
        });
        SourceId(self.files.len() as u32 - 1)
    }

    /// What messages call the source.
    pub fn path(&self, id: SourceId) -> &str {
        &self.files[id.0 as usize].path
    }

    /// The whole text.
    pub fn text(&self, id: SourceId) -> &str {
        &self.files[id.0 as usize].text
    }

    /// All sources, in the order they were added.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> + use<> {
        (0..self.files.len() as u32).map(SourceId)
    }

    /// The text of a range; empty where it is out of the source.
    pub fn snippet(&self, at: Span) -> &str {
        self.text(at.source)
            .get(at.start as usize..at.end as usize)
            .unwrap_or("")
    }

    /// First and one-past-last place of a range.
    pub fn line_column(&self, at: Span) -> (LineColumn, LineColumn) {
        (
            self.place(at.source, at.start),
            self.place(at.source, at.end),
        )
    }

    fn place(&self, id: SourceId, byte: u32) -> LineColumn {
        let file = &self.files[id.0 as usize];
        let mut byte = (byte as usize).min(file.text.len());
        while !file.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = file.lines.partition_point(|start| *start as usize <= byte) - 1;
        let column = file.text[file.lines[line] as usize..byte].chars().count();
        LineColumn {
            line: line as u32 + 1,
            column: column as u32 + 1,
        }
    }
}
