//! A finding with the lines it is about.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::excerpt::{Excerpt, Texts};
use super::paint::{DIM, Paint};
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::report::place::Place;
use crate::report::printable::printable;
use crate::source::SourceMap;

/// Draws findings; made once for a report.
pub(super) struct Findings<'a> {
    sources: &'a SourceMap,
    texts: Texts<'a>,
    handler: GraphicalReportHandler,
    paint: Paint,
}

/// A finding in the form miette wants.
struct Drawn<'a> {
    finding: &'a Finding,
    excerpt: Option<Excerpt<'a>>,
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
            texts: Texts::new(sources),
            handler: GraphicalReportHandler::new_themed(theme)
                .with_width(width)
                .with_links(false),
            paint: Paint::new(colour),
        }
    }

    /// One finding, ending in a line feed.
    pub(super) fn draw(&'a self, finding: &Finding) -> Result<String, Error> {
        let drawn = Drawn {
            finding,
            excerpt: finding
                .labels
                .first()
                .map(|label| self.texts.excerpt(label.at.source)),
        };
        let mut text = String::new();
        self.handler
            .render_report(&mut text, &drawn)
            .map_err(|e| Error::Internal(format!("a finding cannot be drawn: {e}")))?;
        for label in &finding.labels {
            if Some(label.at.source) == finding.labels.first().map(|first| first.at.source) {
                continue;
            }
            let place = Place::of(label.at, self.sources).short();
            let seen = format!("  also: {place} {}", printable(&label.text));
            text.push_str(&self.paint.text(DIM, seen.trim_end()));
            text.push('\n');
        }
        Ok(text)
    }
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
        let primary = self.finding.labels.first()?.at;
        let here = self
            .finding
            .labels
            .iter()
            .filter(move |label| label.at.source == primary.source);
        Some(Box::new(here.enumerate().map(move |(index, label)| {
            let text = (!label.text.is_empty()).then(|| printable(&label.text).into_owned());
            let span = excerpt.mark(label.at);
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
