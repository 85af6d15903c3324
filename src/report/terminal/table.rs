//! The table of a design's claims.

use comfy_table::{ColumnConstraint, ContentLineStyle, LineStyle, TableStyle};

use super::paint::{DIM, Paint};
use crate::finding::{Evidence, Method, Verdict};
use crate::report::claims::{Claims, Row};
use crate::report::identifiers::shortened;
use crate::report::printable::printable;
use crate::report::{bounds, draw, wording};

/// A header with a line under it, nothing else: the eye goes along rows.
const QUIET: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// One row a claim: verdict, mutants where there are any, how it was tried and how much. Under it the reason, where it is
/// not proven; at the end what bounds all of it, and what was not tried.
pub(super) fn lines(claims: &Claims<'_>, width: usize, paint: Paint) -> Vec<String> {
    let rows = claims.folded();
    let (idle, tried): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is_idle());
    let with_mutants = claims.mutants().0 > 0;
    let mut drawn = table(&tried, with_mutants, true);
    if drawn.lines().any(|line| line.chars().count() >= width) {
        drawn = table(&tried, with_mutants, false);
    }
    let mut drawn = drawn.lines();
    let mut lines: Vec<String> = drawn.by_ref().take(2).map(str::to_owned).collect();
    if let Some(rule) = lines.get_mut(1) {
        *rule = rule.chars().take(width - 1).collect();
    }
    for line in &mut lines {
        *line = paint.text(DIM, line);
    }
    for (line, row) in drawn.zip(tried) {
        lines.push(paint.claim(&printable(line)));
        lines.extend(below(&reason(row), width, paint));
    }
    lines.extend(untried(&idle, width, paint));
    lines.extend(within(claims, width, paint));
    lines
}

/// The rows under their header. Nothing is broken into lines, so that what comes below a row can be put there.
fn table(rows: &[&Row<'_>], with_mutants: bool, with_nouns: bool) -> String {
    let mut table = draw::table(usize::MAX);
    table.load_style(QUIET);
    let mut header = vec!["claim", "verdict"];
    header.extend(with_mutants.then_some("mutants"));
    header.push("tried by");
    table.set_header(header);
    for row in rows {
        let mut cells = vec![
            draw::one_line(&row.subject),
            wording::verdict(row.verdict()),
        ];
        if with_mutants {
            cells.push(match row.mutants() {
                (0, _) => String::new(),
                (made, killed) => format!("{killed}/{made}"),
            });
        }
        cells.push(bounds::tried(&row.evidence, with_nouns));
        table.add_row(cells);
    }
    for column in table.column_iter_mut() {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.trim_fmt()
}

/// Why a claim is not proven, as far as the numbers do not say it. Sampled races say how much of all they are.
fn reason(row: &Row<'_>) -> String {
    let is_sampled = |e: &&Evidence| e.method == Method::Race && e.verdict == Verdict::Held;
    match row.verdict() {
        Verdict::Proven => String::new(),
        Verdict::Held if !row.evidence.iter().any(is_sampled) => String::new(),
        _ => draw::one_line(&row.reach()),
    }
}

fn below(text: &str, width: usize, paint: Paint) -> Vec<String> {
    let lines = draw::wrapped(&printable(&shortened(text)), width.saturating_sub(6));
    lines
        .iter()
        .map(|line| format!("    {}", paint.text(DIM, line)))
        .collect()
}

/// Claims of which nothing was tried, under the reason they share.
fn untried(idle: &[&Row<'_>], width: usize, paint: Paint) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for row in idle {
        let (reason, subject) = (draw::one_line(&row.reach()), draw::one_line(&row.subject));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, subjects)) => subjects.push(subject),
            None => reasons.push((reason, vec![subject])),
        }
    }
    let mut lines = Vec::new();
    for (reason, subjects) in reasons {
        let word = wording::verdict(Verdict::Unchecked);
        let head = format!("{word}: {}", printable(&shortened(&reason)));
        let head = draw::hanging(&head, " ", "    ", width.saturating_sub(2));
        lines.extend(head.iter().map(|line| paint.claim(line)));
        lines.extend(below(&subjects.join(", "), width, paint));
    }
    lines
}

/// What bounds every claim that was tried by a method in its usual way.
fn within(claims: &Claims<'_>, width: usize, paint: Paint) -> Vec<String> {
    let all: Vec<&Evidence> = claims
        .rows
        .iter()
        .flat_map(|row| row.evidence.clone())
        .collect();
    let mut lines = Vec::new();
    for method in [
        Method::Reject,
        Method::Race,
        Method::Plan,
        Method::Migrate,
        Method::Mutate,
    ] {
        let shared = bounds::common(&all, method);
        if shared.is_empty() {
            continue;
        }
        let text = format!("{}: {}", method.word(), shared.join(", "));
        let text = draw::hanging(&printable(&text), " ", "    ", width.saturating_sub(2));
        lines.extend(text.iter().map(|line| paint.text(DIM, line)));
    }
    lines
}
