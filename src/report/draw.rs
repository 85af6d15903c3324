//! A counterexample as lines of text: the same drawing goes to the terminal and, fenced, into Markdown.

use comfy_table::{
    ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, TableStyle, Width,
};

use crate::finding::{Counterexample, Moment, MomentKind, Table};

/// What marks a plan node at fault.
pub(super) const AT_FAULT: &str = "◀ here";

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
        } => timeline(sessions, start, moments, rows, width),
        Counterexample::Statements {
            sql,
            expected,
            found,
        } => statements(sql, expected, found),
        Counterexample::Plan { tree, at_fault } => plan(tree, at_fault),
        Counterexample::Differences { lines } => lines.clone(),
    }
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
        lines.extend(start.iter().map(|row| format!("  {row}")));
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
            *cell = told(number, moments, sessions);
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

fn rows_table(rows: &Table, width: usize) -> Vec<String> {
    let mut table = table(width.saturating_sub(2));
    table.set_header(rows.columns.clone());
    for row in &rows.rows {
        let cells = row.iter().map(|value| match value {
            Some(value) => value.as_str(),
            None => "NULL",
        });
        table.add_row(cells.collect::<Vec<_>>());
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
    lines
}

fn plan(tree: &[String], at_fault: &[usize]) -> Vec<String> {
    let mut lines = Vec::with_capacity(tree.len());
    for (index, node) in tree.iter().enumerate() {
        let depth = node.len() - node.trim_start().len();
        let (indent, text) = node.split_at(depth);
        // Two blanks a level become a branch, so that the eye finds the parent.
        let branch = match indent.len() {
            0 => String::new(),
            deep => format!("{}└─ ", " ".repeat((deep / 2).saturating_sub(1) * 3)),
        };
        let mark = match at_fault.contains(&index) {
            true => format!("   {AT_FAULT}"),
            false => String::new(),
        };
        lines.push(format!("{branch}{text}{mark}"));
    }
    lines
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
