//! The table of a design's claims.

use comfy_table::{ColumnConstraint, ContentLineStyle, LineStyle, TableStyle};

use super::paint::{DIM, Paint};
use crate::finding::Verdict;
use crate::report::claims::{Claims, Row};
use crate::report::printable::printable;
use crate::report::{draw, wording};

/// A header with a line under it, nothing else: the eye goes along rows.
const QUIET: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// From this width on the reach of a verdict has a column of its own; below, it stands under its claim.
const WIDE: usize = 110;

/// One row a claim: subject, methods, verdict, mutants where there are any, and how far it reaches or why not.
pub(super) fn lines(claims: &Claims<'_>, width: usize, paint: Paint) -> Vec<String> {
    let with_mutants = claims.mutants().0 > 0;
    let wide = width >= WIDE;
    let mut table = draw::table(width - 1);
    table.load_style(QUIET);
    let mut header = vec!["claim", "tried by", "verdict"];
    header.extend(with_mutants.then_some("mutants"));
    header.extend(wide.then_some("how far"));
    let short = header.len() - usize::from(wide);
    table.set_header(header);
    let (idle, tried): (Vec<&Row>, Vec<&Row>) = claims.rows.iter().partition(|row| row.is_idle());
    for row in &tried {
        let mut cells = cells(row, with_mutants);
        cells.extend(wide.then(|| reach(row)));
        table.add_row(cells);
    }
    // Names and verdicts are what one looks for: only the reach is ever broken into lines.
    for column in table.column_iter_mut().take(short) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    let drawn = table.trim_fmt();
    let mut drawn = drawn.lines();
    let mut lines: Vec<String> = drawn
        .by_ref()
        .take(2)
        .map(|line| paint.text(DIM, line))
        .collect();
    if wide {
        lines.extend(drawn.map(|line| paint.claim(&printable(line))));
    } else {
        for (line, row) in drawn.zip(tried) {
            lines.push(paint.claim(&printable(line)));
            for part in draw::wrapped(&printable(&reach(row)), width.saturating_sub(6)) {
                lines.push(format!("    {}", paint.text(DIM, &part)));
            }
        }
    }
    lines.extend(untried(&idle, width, paint));
    lines
}

/// Claims of which nothing was tried, under the reason they share.
fn untried(idle: &[&Row<'_>], width: usize, paint: Paint) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for row in idle {
        let (reason, subject) = (reach(row), draw::one_line(row.subject));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, subjects)) => subjects.push(subject),
            None => reasons.push((reason, vec![subject])),
        }
    }
    let mut lines = Vec::new();
    for (reason, subjects) in reasons {
        let head = format!(
            "{}: {}",
            wording::verdict(Verdict::Unchecked),
            printable(&reason)
        );
        for line in draw::hanging(&head, " ", "    ", width.saturating_sub(2)) {
            lines.push(paint.claim(&line));
        }
        let subjects = subjects.join(", ");
        for line in draw::wrapped(&printable(&subjects), width.saturating_sub(6)) {
            lines.push(format!("    {}", paint.text(DIM, &line)));
        }
    }
    lines
}

fn cells(row: &Row<'_>, with_mutants: bool) -> Vec<String> {
    let methods: Vec<&str> = row.methods().iter().map(|method| method.word()).collect();
    let mut cells = vec![
        draw::one_line(row.subject),
        methods.join(" "),
        wording::verdict(row.verdict()),
    ];
    if with_mutants {
        cells.push(match row.mutants() {
            (0, _) => String::new(),
            (made, killed) => format!("{killed}/{made}"),
        });
    }
    cells
}

fn reach(row: &Row<'_>) -> String {
    draw::one_line(&row.reach())
}
