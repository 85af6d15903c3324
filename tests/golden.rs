//! Outputs compared with files: the reader of a change sees what users will see.

mod support;

use std::time::Duration;

use pgproof::report::{Format, Look, render};
use support::golden::check;
use support::report::fixed;

fn rendered(format: Format, width: usize, colour: bool) -> String {
    let (report, sources) = fixed();
    let look = Look {
        width,
        colour,
        elapsed: Some(Duration::from_secs(31)),
    };
    render(&report, &sources, format, &look).expect("a report can be rendered")
}

#[test]
fn report_for_a_terminal_of_80_columns() {
    check(
        "tests/cases/report/human-80.txt",
        &rendered(Format::Human, 80, false),
    );
}

#[test]
fn report_for_a_terminal_of_120_columns() {
    check(
        "tests/cases/report/human-120.txt",
        &rendered(Format::Human, 120, false),
    );
}

#[test]
fn colours_are_put_on_and_change_nothing_else() {
    let plain = rendered(Format::Human, 100, false);
    let coloured = rendered(Format::Human, 100, true);
    assert!(coloured.contains("\u{1b}["));
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(stripped, plain);
}

#[test]
fn report_for_machines() {
    check(
        "tests/cases/report/report.json",
        &rendered(Format::Json, 100, false),
    );
}

#[test]
fn report_for_a_pull_request() {
    check(
        "tests/cases/report/report.md",
        &rendered(Format::Markdown, 100, false),
    );
}
