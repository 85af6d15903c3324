//! The forms a report can take.

use std::time::Duration;

use super::{json, markdown, terminal};
use crate::error::Error;
use crate::finding::Report;
use crate::source::SourceMap;

/// The forms a report can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal.
    Human,
    /// For machines; the schema is [`SCHEMA`](super::SCHEMA).
    Json,
    /// For a pull request.
    Markdown,
}

/// What the reader's side can show. Passed in, so that the same report gives the same text.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colours are wanted.
    pub colour: bool,
    /// How long the run took, for the last line.
    pub elapsed: Option<Duration>,
}

impl Default for Look {
    fn default() -> Look {
        Look {
            width: 100,
            colour: false,
            elapsed: None,
        }
    }
}

/// The whole report as text, ending in a line feed.
pub fn render(
    report: &Report,
    sources: &SourceMap,
    format: Format,
    look: &Look,
) -> Result<String, Error> {
    match format {
        Format::Human => terminal::render(report, sources, look),
        Format::Json => json::render(report, sources),
        Format::Markdown => Ok(markdown::render(report, sources)),
    }
}
