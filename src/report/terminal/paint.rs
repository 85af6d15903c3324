//! Colours, or none.

use anstyle::{AnsiColor, Style};

use crate::finding::{Severity, Verdict};
use crate::report::tree::AT_FAULT;
use crate::report::wording;

/// Puts colours on text that is already laid out, so that no layout ever counts an escape sequence.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    colour: bool,
}

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();
const MAGENTA: Style = AnsiColor::Magenta.on_default().bold();

impl Paint {
    pub(super) fn new(colour: bool) -> Paint {
        Paint { colour }
    }

    /// The text in a style.
    pub(super) fn text(self, style: Style, text: &str) -> String {
        match self.colour && !text.is_empty() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    /// A line of a claims table: its verdict in its colour.
    pub(super) fn claim(self, line: &str) -> String {
        for verdict in Verdict::ALL {
            let word = wording::verdict(verdict);
            if line.contains(&word) {
                return line.replacen(&word, &self.text(verdict_style(verdict), &word), 1);
            }
        }
        line.to_owned()
    }

    /// A line of a counterexample: waits, ends and errors stand out, rules step back.
    pub(super) fn counterexample(self, line: &str) -> String {
        let marks = [
            ("… waits for", YELLOW),
            ("… goes on", YELLOW),
            ("→ ERROR", RED),
            ("COMMIT", GREEN),
            ("ROLLBACK", MAGENTA),
            (AT_FAULT, RED),
            ("rows that break the claim", RED),
        ];
        let mut line = line.to_owned();
        for (mark, style) in marks {
            if line.contains(mark) {
                line = line.replace(mark, &self.text(style, mark));
            }
        }
        line.replace('│', &self.text(DIM, "│"))
    }
}

pub(super) fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Refuted => RED,
        Verdict::Vacuous => MAGENTA,
        Verdict::Unchecked => YELLOW,
        Verdict::Held => CYAN,
        Verdict::Proven => GREEN,
    }
}

pub(super) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Advice => CYAN,
    }
}
