//! The report for a pull request: what matters open, what is only evidence folded.

use super::claims::{Claims, Row, Tally, by_design};
use super::draw;
use super::measured::{Measured, tables};
use super::place::Place;
use super::printable::printable;
use super::wording;
use crate::finding::{Evidence, Finding, Report, Severity, Verdict};
use crate::source::SourceMap;

/// Columns of a drawing: what a pull request shows without a scroll bar.
const WIDTH: usize = 100;

/// The whole comment.
pub(super) fn render(report: &Report, sources: &SourceMap) -> String {
    let claims = by_design(report);
    let mut out = format!(
        "## {}\n\n{}\n\n",
        headline(report, &claims),
        inline(&wording::closing(report, &claims))
    );
    if let Some(line) = wording::unchanged(&claims) {
        out.push_str(&format!("{}\n\n", inline(&line)));
    }
    out.push_str(&overview(&claims));
    for row in claims.iter().flat_map(|design| &design.rows) {
        for evidence in &row.evidence {
            out.push_str(&counterexample(evidence, sources));
        }
    }
    out.push_str(&findings(report, sources));
    for design in &claims {
        out.push_str(&folded(design));
        for measured in tables(design) {
            out.push_str(&figures(design.design, &measured));
        }
    }
    if !report.notes.is_empty() {
        out.push_str("<sub>");
        let notes: Vec<String> = report.notes.iter().map(|note| inline(note)).collect();
        out.push_str(&notes.join(" · "));
        out.push_str("</sub>\n");
    }
    format!("{}\n", out.trim_end())
}

fn headline(report: &Report, claims: &[Claims<'_>]) -> String {
    let tally = Tally::sum(claims);
    let refuted = tally.of(Verdict::Refuted);
    let vacuous = tally.of(Verdict::Vacuous);
    match (refuted, vacuous, report.is_at_fault()) {
        (1.., _, _) => format!(
            "✖ pgproof: {} refuted",
            wording::count(refuted, "claim", "claims")
        ),
        (0, 1.., _) => format!(
            "✖ pgproof: {} without power",
            wording::count(vacuous, "check", "checks")
        ),
        (0, 0, true) => "✖ pgproof: findings".to_owned(),
        (0, 0, false) if tally.all() > 0 => "✔ pgproof: nothing refuted".to_owned(),
        (0, 0, false) => "✔ pgproof: nothing found".to_owned(),
    }
}

/// One row a design, one column a verdict.
fn overview(claims: &[Claims<'_>]) -> String {
    if claims.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "| design | proven | held | unchecked | vacuous | refuted | mutants killed |\n|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for design in claims {
        let tally = design.tally();
        out.push_str(&format!("| {} |", inline(design.design)));
        for verdict in Verdict::ALL.iter().rev() {
            match tally.of(*verdict) {
                0 => out.push_str(" |"),
                number => out.push_str(&format!(" {number} |")),
            }
        }
        match design.mutants() {
            (0, _) => out.push_str(" |\n"),
            (made, killed) => out.push_str(&format!(" {killed} of {made} |\n")),
        }
    }
    out.push('\n');
    out
}

/// What refutes a claim, with its drawing in a fence; nothing where nothing does.
fn counterexample(evidence: &Evidence, sources: &SourceMap) -> String {
    let Some(counterexample) = &evidence.counterexample else {
        return String::new();
    };
    let mut out = format!(
        "### {}: {}, {}\n\n",
        wording::verdict(evidence.verdict),
        inline(&evidence.design),
        inline(&evidence.claim.subject)
    );
    let mut told = vec![inline(&evidence.claim.statement)];
    told.extend(evidence.reason.as_deref().map(inline));
    told.retain(|line| !line.is_empty());
    if let Some(at) = evidence.claim.at {
        told.push(code(&Place::of(at, sources).short()));
    }
    out.push_str(&told.join("<br>\n"));
    let drawing = draw::counterexample(counterexample, WIDTH).join("\n");
    out.push_str(&format!("\n\n{}\n\n", fenced(&drawing)));
    let again = format!("again: {}", code(&evidence.reproduce));
    let replay =
        wording::replay(evidence).map(|replay| format!("<br>\nthis race: {}", code(&replay)));
    out.push_str(&format!("{again}{}\n\n", replay.unwrap_or_default()));
    out
}

/// Errors and warnings open, advice folded.
fn findings(report: &Report, sources: &SourceMap) -> String {
    let (weighty, advice): (Vec<&Finding>, Vec<&Finding>) = report
        .findings
        .iter()
        .partition(|finding| finding.severity < Severity::Advice);
    let mut out = String::new();
    if !weighty.is_empty() {
        out.push_str("### Findings\n\n");
        out.extend(weighty.iter().map(|finding| item(finding, sources)));
        out.push('\n');
    }
    if !advice.is_empty() {
        let items: String = advice
            .iter()
            .map(|finding| item(finding, sources))
            .collect();
        out.push_str(&details(
            &wording::count(advice.len(), "piece of advice", "pieces of advice"),
            &items,
        ));
    }
    out
}

fn item(finding: &Finding, sources: &SourceMap) -> String {
    let place = finding
        .labels
        .first()
        .map(|label| Place::of(label.at, sources));
    let place = place.map_or(String::new(), |place| {
        format!("{} ", code(&format!("{}:{}", place.path, place.line)))
    });
    let help = finding.help.as_deref();
    let help = help.map_or(String::new(), |help| format!("<br>{}", inline(help)));
    format!(
        "- **{}** {} {place}{}{help}\n",
        finding.severity.word(),
        code(&finding.code),
        inline(&finding.message)
    )
}

/// All claims of a design, folded.
fn folded(claims: &Claims<'_>) -> String {
    let mut table = String::from("| claim | tried by | verdict | how far |\n|---|---|---|---|\n");
    for row in &claims.rows {
        table.push_str(&claim(row));
    }
    let title = format!(
        "{}: {}",
        inline(claims.design),
        wording::tally(&claims.tally())
    );
    details(&title, &table)
}

fn claim(row: &Row<'_>) -> String {
    let methods: Vec<&str> = row.methods().iter().map(|method| method.word()).collect();
    let mutants = match row.mutants() {
        (0, _) => String::new(),
        (made, killed) => format!(
            "; {killed} of {} killed",
            wording::count(
                usize::try_from(made).unwrap_or(usize::MAX),
                "mutant",
                "mutants"
            )
        ),
    };
    format!(
        "| {} | {} | {} | {}{mutants} |\n",
        inline(&row.subject),
        methods.join(", "),
        wording::verdict(row.verdict()),
        inline(&row.reach())
    )
}

/// What was measured, folded.
fn figures(design: &str, measured: &Measured) -> String {
    let Measured { title, table } = measured;
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut body = line(table.columns.iter().map(|name| inline(name)).collect());
    body.push_str(&line(
        table.columns.iter().map(|_| "---".to_owned()).collect(),
    ));
    for row in &table.rows {
        let cells = row
            .iter()
            .map(|cell| inline(cell.as_deref().unwrap_or_default()));
        body.push_str(&line(cells.collect()));
    }
    details(&format!("{}: {}", inline(design), inline(title)), &body)
}

fn details(title: &str, body: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{body}\n</details>\n\n")
}

/// Text that must not become markup: a design can say anything. Names between backticks stay names.
fn inline(text: &str) -> String {
    let text = printable(&draw::one_line(text)).into_owned();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, quoted)) = rest.split_once('`') {
        out.push_str(&escaped(before));
        match quoted.split_once('`') {
            Some((name, after)) if !name.is_empty() => {
                out.push_str(&code(name));
                rest = after;
            }
            _ => {
                out.push_str("\\`");
                rest = quoted;
            }
        }
    }
    out.push_str(&escaped(rest));
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A code span. `|` would end a table cell and a backtick the span.
fn code(text: &str) -> String {
    let text = printable(&draw::one_line(text))
        .replace('`', "'")
        .replace('|', "\\|");
    format!("`{text}`")
}

/// A fence longer than any inside.
fn fenced(text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}text\n{}\n{fence}", printable(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_design_cannot_write_markup() {
        assert_eq!(
            inline("a|b `c_d` <img> *d*\ne"),
            "a\\|b `c_d` &lt;img&gt; \\*d\\* e"
        );
        assert_eq!(inline("``a` b"), "\\``a` b");
        assert_eq!(code("a`b|c"), "`a'b\\|c`");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert!(fenced("a ```` b").starts_with("`````text\n"));
    }
}
