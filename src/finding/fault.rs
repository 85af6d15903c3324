//! Something is wrong, and where.

use crate::source::Span;

/// How much a finding weighs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The design is wrong; exit code 1.
    Error,
    /// The design is probably wrong; exit code 1.
    Warning,
    /// Worth a thought; exit code 0.
    Advice,
}

impl Severity {
    /// The word users read.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        }
    }
}

/// A place that a finding talks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub at: Span,
    /// What is to be seen there; may be empty.
    pub text: String,
}

/// Something is wrong, and where. A finding is never an error of the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Unique, stable, kebab-case: `reference-without-index`.
    pub code: String,
    /// Weight, after the user's levels.
    pub severity: Severity,
    /// What it is about, in the design's words: `table orders / column customer_id`. With the code it makes the fingerprint.
    pub subject: String,
    /// One line, lower case, no final stop.
    pub message: String,
    /// The first is primary.
    pub labels: Vec<Label>,
    /// The next move, imperative.
    pub help: Option<String>,
    /// Name of the design; empty where a file could not be read as one.
    pub design: String,
}

impl Finding {
    /// A finding with its primary place.
    pub fn new(
        code: &str,
        severity: Severity,
        subject: impl Into<String>,
        message: impl Into<String>,
        at: Span,
    ) -> Finding {
        Finding {
            code: code.to_owned(),
            severity,
            subject: subject.into(),
            message: message.into(),
            labels: vec![Label {
                at,
                text: String::new(),
            }],
            help: None,
            design: String::new(),
        }
    }

    /// An error-level finding.
    pub fn error(
        code: &str,
        subject: impl Into<String>,
        message: impl Into<String>,
        at: Span,
    ) -> Finding {
        Finding::new(code, Severity::Error, subject, message, at)
    }

    /// Says what is to be seen at the primary place.
    pub fn here(mut self, text: impl Into<String>) -> Finding {
        self.labels[0].text = text.into();
        self
    }

    /// A further place.
    pub fn label(mut self, at: Span, text: impl Into<String>) -> Finding {
        self.labels.push(Label {
            at,
            text: text.into(),
        });
        self
    }

    /// What to do next.
    pub fn help(mut self, text: impl Into<String>) -> Finding {
        self.help = Some(text.into());
        self
    }

    /// The design it belongs to.
    pub fn of(mut self, design: &str) -> Finding {
        self.design = design.to_owned();
        self
    }
}
