//! The page as a whole.

use super::finding::Findings;
use super::paint::{BOLD, DIM, Paint, severity_style, verdict_style};
use super::table;
use crate::error::Error;
use crate::finding::{Evidence, Report, Severity, Verdict};
use crate::report::claims::{Claims, Tally, by_design};
use crate::report::format::Look;
use crate::report::identifiers::shortened;
use crate::report::measured::{Measured, tables};
use crate::report::place::Place;
use crate::report::printable::printable;
use crate::report::{draw, wording};
use crate::source::SourceMap;

/// The whole page.
pub(in crate::report) fn render(
    report: &Report,
    sources: &SourceMap,
    look: &Look,
) -> Result<String, Error> {
    // Below 60 columns tables lose more than they save; above 140 lines are too long to read.
    let width = look.width.clamp(60, 140);
    let page = Page {
        sources,
        width,
        paint: Paint::new(look.colour),
    };
    let claims = by_design(report);
    let mut out = String::new();
    let findings = Findings::new(sources, width, look.colour);
    for finding in &report.findings {
        out.push_str(&findings.draw(finding)?);
        out.push('\n');
    }
    for design in &claims {
        out.push_str(&page.claims(design));
        out.push('\n');
    }
    for design in &claims {
        for row in &design.rows {
            for evidence in &row.evidence {
                out.push_str(&page.counterexample(evidence));
            }
        }
    }
    out.push_str(&page.closing(report, &claims, look));
    Ok(out)
}

/// Lines of what was measured that are shown.
const MEASURED: usize = 40;

struct Page<'a> {
    sources: &'a SourceMap,
    width: usize,
    paint: Paint,
}

impl Page<'_> {
    /// The name of a design over the table of its claims.
    fn claims(&self, claims: &Claims<'_>) -> String {
        let setting = claims.rows.first().and_then(|row| row.evidence.first());
        let setting = setting.map(|evidence| {
            let server = evidence.setting.server_version.as_deref();
            let server = server.map_or(String::new(), |version| format!("PostgreSQL {version}, "));
            format!("{server}seed {}", evidence.setting.seed)
        });
        let mut out = format!(
            "{}  {}\n",
            self.paint.text(BOLD, &printable(claims.design)),
            self.paint.text(DIM, &setting.unwrap_or_default())
        );
        for line in table::lines(claims, self.width, self.paint) {
            out.push_str(&format!(" {line}\n"));
        }
        for measured in tables(claims) {
            out.push_str(&self.measured(&measured));
        }
        out
    }

    /// What was measured, under the claims: at most so many lines that the claims stay in sight.
    fn measured(&self, measured: &Measured) -> String {
        let Measured { title, table } = measured;
        let mut out = format!("\n {}\n", self.paint.text(BOLD, &printable(title)));
        for line in draw::figures(table, MEASURED, self.width - 2) {
            let line = self.paint.text(DIM, &printable(&line));
            out.push_str(&format!(" {line}\n"));
        }
        let left = table.rows.len().saturating_sub(MEASURED);
        if left > 0 {
            let told = format!("{left} more with `--format markdown`");
            out.push_str(&format!("  {}\n", self.paint.text(DIM, &told)));
        }
        out
    }

    /// What refutes a claim, drawn under what was claimed; nothing where nothing does.
    fn counterexample(&self, evidence: &Evidence) -> String {
        let Some(counterexample) = &evidence.counterexample else {
            return String::new();
        };
        let verdict = evidence.verdict;
        let mut out = format!(
            "{} by {}: {}\n",
            self.paint
                .text(verdict_style(verdict), &wording::verdict(verdict)),
            evidence.method.word(),
            self.paint.text(
                BOLD,
                &printable(&format!("{}, {}", evidence.design, evidence.claim.subject))
            ),
        );
        let mut told = vec![printable(&evidence.claim.statement).into_owned()];
        told.extend(
            evidence
                .reason
                .as_deref()
                .map(|reason| printable(reason).into_owned()),
        );
        told.retain(|line| !line.is_empty());
        for line in told {
            let line = shortened(&draw::one_line(&line));
            for part in draw::hanging(&line, "  ", "    ", self.width) {
                out.push_str(&format!("{part}\n"));
            }
        }
        if let Some(at) = evidence.claim.at {
            let place = Place::of(at, self.sources).short();
            out.push_str(&format!("  {}\n", self.paint.text(DIM, &printable(&place))));
        }
        out.push('\n');
        for line in draw::counterexample(counterexample, self.width - 2) {
            let line = self.paint.counterexample(&printable(&line));
            out.push_str(format!("  {line}").trim_end());
            out.push('\n');
        }
        let again = format!("again: {}", printable(&evidence.reproduce));
        out.push_str(&format!("\n  {}\n", self.paint.text(DIM, &again)));
        if let Some(replay) = wording::replay(evidence) {
            let replay = format!("this race: {}", printable(&replay));
            out.push_str(&format!("  {}\n", self.paint.text(DIM, &replay)));
        }
        out.push('\n');
        out
    }

    fn closing(&self, report: &Report, claims: &[Claims<'_>], look: &Look) -> String {
        let mut line = wording::closing(report, claims);
        if let Some(elapsed) = look.elapsed {
            line.push_str(&format!(" in {}", wording::duration(elapsed)));
        }
        let worst = Verdict::ALL
            .into_iter()
            .find(|v| Tally::sum(claims).of(*v) > 0);
        let style = match (report.is_at_fault(), worst) {
            (true, _) => severity_style(Severity::Error),
            (false, Some(worst)) => verdict_style(worst),
            (false, None) => verdict_style(Verdict::Proven),
        };
        let mut out = format!("{}\n", self.paint.text(style, &line));
        if let Some(line) = wording::unchanged(claims) {
            out.push_str(&format!("{}\n", self.paint.text(DIM, &line)));
        }
        out
    }
}
