//! A counterexample as lines of text: the same drawing goes to the terminal and, fenced, into Markdown.

use comfy_table::{
    ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, TableStyle, Width,
};

use super::identifiers::shortened;
use super::tree;
use crate::finding::{Anomaly, Counterexample, Moment, MomentKind, Table};

/// So many rows are at most turned into columns.
const MOST_TURNED: usize = 4;

/// Lines between columns and under the header, none around: the terminal's own edge is frame enough.
pub(super) const RULED: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction('│'))
    .header_separator(LineStyle::none().fill('─').junction('┼'))
    .content_lines(ContentLineStyle::none().junction('│'));

/// The drawing, no line wider than `width` where words allow.
pub(super) fn counterexample(counterexample: &Counterexample, width: usize) -> Vec<String> {
    match counterexample {
        Counterexample::Timeline {
            sessions,
            start,
            moments,
            rows,
            anomaly,
            ..
        } => {
            let mut lines = named(anomaly.as_ref(), width);
            lines.extend(timeline(sessions, start, moments, rows, width));
            lines
        }
        Counterexample::Statements {
            sql,
            expected,
            found,
        } => statements(sql, expected, found),
        Counterexample::Plan { tree, at_fault } => tree::lines(tree, at_fault, width),
        Counterexample::Differences { lines } => lines.clone(),
    }
}

/// What kind of race it is, before the race itself.
fn named(anomaly: Option<&Anomaly>, width: usize) -> Vec<String> {
    let Some(anomaly) = anomaly else {
        return Vec::new();
    };
    let told = format!("{}: {}", anomaly.name, anomaly.why);
    let mut lines = hanging(&told, "", "  ", width);
    lines.push(String::new());
    lines
}

fn timeline(
    sessions: &[String],
    start: &[String],
    moments: &[Moment],
    rows: &Table,
    width: usize,
) -> Vec<String> {
    let mut lines = Vec::new();
    if !start.is_empty() {
        lines.push("rows at the start".to_owned());
        for row in start {
            lines.extend(hanging(&shortened(row), "  ", "      ", width));
        }
        lines.push(String::new());
    }
    lines.extend(moments_table(sessions, moments, width));
    if !rows.columns.is_empty() {
        lines.push(String::new());
        lines.push("rows that break the claim".to_owned());
        lines.extend(
            rows_table(rows, width)
                .into_iter()
                .map(|row| format!("  {row}")),
        );
    }
    lines
}

/// One column a session, one row a moment.
fn moments_table(sessions: &[String], moments: &[Moment], width: usize) -> Vec<String> {
    let mut table = table(width);
    let header: Vec<String> = std::iter::once(String::new())
        .chain(sessions.iter().cloned())
        .collect();
    table.set_header(header);
    for (number, moment) in moments.iter().enumerate() {
        let mut cells = vec![String::new(); sessions.len() + 1];
        cells[0] = (number + 1).to_string();
        if let Some(cell) = cells.get_mut(moment.session + 1) {
            *cell = shortened(&told(number, moments, sessions));
        }
        table.add_row(cells);
    }
    let digits = moments.len().to_string().len();
    let numbers = digits + 2;
    // Equal columns, with their separators: a timeline is read down and across, and must not dance with its contents.
    let each = width.saturating_sub(numbers + sessions.len()) / sessions.len().max(1);
    let constraints = std::iter::once(numbers)
        .chain(sessions.iter().map(|_| each.max(20)))
        .map(|wide| ColumnConstraint::Absolute(Width::Fixed(clamp(wide))));
    table.set_constraints(constraints.collect::<Vec<_>>());
    table.trim_fmt().lines().map(str::to_owned).collect()
}

/// What a moment's cell says.
fn told(number: usize, moments: &[Moment], sessions: &[String]) -> String {
    let moment = &moments[number];
    let result = match moment.result.as_str() {
        "" => String::new(),
        result => format!("\n→ {}", one_line(result)),
    };
    let text = one_line(&moment.text);
    match moment.kind {
        MomentKind::Ran => format!("{text}{result}"),
        MomentKind::Waits => format!("{text}\n… waits for {}", others(moment.session, sessions)),
        MomentKind::Resumed => {
            let began = moments[..number]
                .iter()
                .rposition(|m| m.session == moment.session && m.kind == MomentKind::Waits);
            match began {
                Some(began) => format!("… goes on with {}{result}", began + 1),
                None => format!("… goes on{result}"),
            }
        }
        MomentKind::Required => format!("require {text}{result}"),
        MomentKind::Committed => format!("COMMIT{result}"),
        MomentKind::RolledBack => format!("ROLLBACK{result}"),
        MomentKind::Lost => format!("{text}{result}"),
    }
}

/// The letters of all sessions but one: `B`, `A or C`.
fn others(session: usize, sessions: &[String]) -> String {
    let letters: Vec<&str> = sessions
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != session)
        .map(|(_, title)| title.split(':').next().unwrap_or(title))
        .collect();
    letters.join(" or ")
}

/// Statements come from indented blocks; in a column their line breaks are only noise.
pub(super) fn one_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The text in lines of at most `width` columns, where words allow.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            // Counted in characters: texts of the program, in which none is wide.
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text in lines of at most `width` columns: the first after `first`, all others after `next`.
pub(super) fn hanging(text: &str, first: &str, next: &str, width: usize) -> Vec<String> {
    let indent = first.chars().count().max(next.chars().count());
    let lines = wrapped(text, width.saturating_sub(indent));
    let indented = lines.iter().enumerate().map(|(number, line)| match number {
        0 => format!("{first}{line}"),
        _ => format!("{next}{line}"),
    });
    indented.collect()
}

/// The rows; where they are wider than the page, each row becomes a column.
fn rows_table(rows: &Table, width: usize) -> Vec<String> {
    let text = |value: &Option<String>| match value {
        Some(value) => shortened(value),
        None => "NULL".to_owned(),
    };
    let cells: Vec<Vec<String>> = rows
        .rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect();
    let columns = rows.columns.len();
    let widest = |column: usize| {
        let values = cells.iter().filter_map(|row| row.get(column));
        let all = values.chain([&rows.columns[column]]);
        all.map(|value| value.chars().count()).max().unwrap_or(0)
    };
    let natural: usize = (0..columns).map(|column| widest(column) + 3).sum();
    let mut table = table(width.saturating_sub(2));
    if natural <= width.saturating_sub(2) || cells.len() > MOST_TURNED {
        table.set_header(rows.columns.clone());
        table.add_rows(cells);
    } else {
        let numbers = (1..=cells.len()).map(|number| format!("row {number}"));
        table.set_header(
            std::iter::once(String::new())
                .chain(numbers)
                .collect::<Vec<_>>(),
        );
        for (column, name) in rows.columns.iter().enumerate() {
            let values = cells
                .iter()
                .map(|row| row.get(column).cloned().unwrap_or_default());
            table.add_row(
                std::iter::once(name.clone())
                    .chain(values)
                    .collect::<Vec<_>>(),
            );
        }
    }
    table.trim_fmt().lines().map(str::to_owned).collect()
}

fn statements(sql: &[String], expected: &str, found: &str) -> Vec<String> {
    let mut lines: Vec<String> = sql
        .iter()
        .flat_map(|statement| statement.trim_end().lines())
        .map(|line| format!("  {line}"))
        .collect();
    lines.push(format!("expected  {}", one_line(expected)));
    lines.push(format!("found     {}", one_line(found)));
    lines.iter().map(|line| shortened(line)).collect()
}

/// So many lines of a table of figures; what each is about is not broken.
pub(super) fn figures(figures: &Table, most: usize, width: usize) -> Vec<String> {
    let mut drawn = table(width);
    drawn.set_header(figures.columns.clone());
    for row in figures.rows.iter().take(most) {
        drawn.add_row(row.iter().map(|cell| cell.as_deref().unwrap_or_default()));
    }
    if let Some(first) = drawn.column_mut(0) {
        first.set_constraint(ColumnConstraint::ContentWidth);
    }
    drawn.trim_fmt().lines().map(str::to_owned).collect()
}

/// An empty table in the house's style.
pub(super) fn table(width: usize) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(RULED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(clamp(width));
    table
}

/// Widths are small; comfy-table counts them in 16 bits.
fn clamp(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}
