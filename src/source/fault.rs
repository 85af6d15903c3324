//! What is wrong with a file before its meaning is looked at.

use super::span::Span;

/// The file is no YAML, or not the part of YAML that designs are written in.
pub const SYNTAX: &str = "syntax";
/// One key twice in one mapping.
pub const DUPLICATE_KEY: &str = "duplicate-key";
/// More than the program takes: bytes, levels, nodes.
pub const TOO_LARGE: &str = "too-large";

/// Something is wrong with a file as text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// [`SYNTAX`], [`DUPLICATE_KEY`] or [`TOO_LARGE`].
    pub code: &'static str,
    /// One line, lower case, no final stop.
    pub message: String,
    /// Where.
    pub at: Span,
    /// What to do next.
    pub help: Option<String>,
    /// Further places, with what is to be seen there.
    pub also: Vec<(Span, String)>,
}

impl Fault {
    /// A fault at a place.
    pub fn new(code: &'static str, message: impl Into<String>, at: Span) -> Fault {
        Fault {
            code,
            message: message.into(),
            at,
            help: None,
            also: Vec::new(),
        }
    }

    /// Says what to do next.
    pub fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }

    /// Shows a further place.
    pub fn also(mut self, at: Span, text: impl Into<String>) -> Fault {
        self.also.push((at, text.into()));
        self
    }
}
