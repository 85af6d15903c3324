//! A span as people and machines count it.

use crate::source::{SourceMap, Span};

/// A range in a file: lines and columns from 1, columns in characters, the end one past the last character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

impl Place {
    pub(super) fn of(at: Span, sources: &SourceMap) -> Place {
        let (start, end) = sources.line_column(at);
        Place {
            path: sources.path(at.source).to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }

    /// `path:line:column`, which editors and terminals make clickable.
    pub(super) fn short(&self) -> String {
        format!("{}:{}:{}", self.path, self.line, self.column)
    }
}
