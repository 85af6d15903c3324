//! A finding with the lines it is about.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::excerpt::Excerpt;
use super::paint::{DIM, Paint};
use crate::error::Error;
use crate::finding::{Finding, Label, Severity};
use crate::report::place::Place;
use crate::report::printable::printable;
use crate::source::SourceMap;

/// Places at most so many lines apart make one excerpt, with a line of context around each.
const NEAR: u32 = 3;

/// Draws findings; made once for a report.
pub(super) struct Findings<'a> {
    sources: &'a SourceMap,
    width: usize,
    handler: GraphicalReportHandler,
    paint: Paint,
}

/// A finding in the form miette wants.
struct Drawn<'a> {
    finding: &'a Finding,
    /// Those of its labels that are drawn.
    labels: Vec<&'a Label>,
    excerpt: Option<Excerpt>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(sources: &'a SourceMap, width: usize, colour: bool) -> Findings<'a> {
        let theme = GraphicalTheme {
            characters: ThemeCharacters::unicode(),
            styles: match colour {
                true => ThemeStyles::ansi(),
                false => ThemeStyles::none(),
            },
        };
        Findings {
            sources,
            width,
            handler: GraphicalReportHandler::new_themed(theme)
                .with_width(width)
                .with_links(false),
            paint: Paint::new(colour),
        }
    }

    /// One finding, ending in a line feed.
    pub(super) fn draw(&self, finding: &Finding) -> Result<String, Error> {
        let near = |label: &&Label| is_near(label, finding, self.sources);
        let labels: Vec<&Label> = finding.labels.iter().filter(near).collect();
        let drawn = Drawn {
            finding,
            excerpt: Excerpt::around(&labels, self.sources, self.width),
            labels,
        };
        let mut text = String::new();
        self.handler
            .render_report(&mut text, &drawn)
            .map_err(|e| Error::Internal(format!("a finding cannot be drawn: {e}")))?;
        for label in finding.labels.iter().filter(|label| !near(label)) {
            let place = Place::of(label.at, self.sources).short();
            let seen = format!("  also: {place} {}", printable(&label.text));
            text.push_str(&self.paint.text(DIM, seen.trim_end()));
            text.push('\n');
        }
        Ok(text)
    }
}

/// Whether a place is drawn with the primary one. Others are only named: miette would draw them by their place in the file,
/// and what a finding is about must come first.
fn is_near(label: &Label, finding: &Finding, sources: &SourceMap) -> bool {
    let line = |at| sources.line_column(at).0.line;
    finding.labels.first().is_some_and(|first| {
        first.at.source == label.at.source && line(first.at).abs_diff(line(label.at)) <= NEAR
    })
}

impl Diagnostic for Drawn<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let help = self.finding.help.as_deref()?;
        Some(Box::new(printable(help)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt
            .as_ref()
            .map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt.as_ref()?;
        let marked = self.labels.iter().zip(excerpt.marks()).enumerate();
        Some(Box::new(marked.map(|(index, (label, span))| {
            let text = (!label.text.is_empty()).then(|| printable(&label.text).into_owned());
            match index {
                0 => LabeledSpan::new_primary_with_span(text, span),
                _ => LabeledSpan::new_with_span(text, span),
            }
        })))
    }
}

impl std::error::Error for Drawn<'_> {}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.finding, f)
    }
}

impl fmt::Display for Drawn<'_> {
    /// The code goes into the headline: miette would give it a line of its own and an empty one after it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}",
            self.finding.code,
            printable(&self.finding.message)
        )
    }
}
