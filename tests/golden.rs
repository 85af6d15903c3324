//! Outputs compared with files: the reader of a change sees what users will see.

#[path = "support/golden.rs"]
mod golden;
#[path = "support/report.rs"]
mod report;

use std::time::Duration;

use golden::check;
use pgproof::report::{Format, Look, render};
use report::fixed;

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

#[test]
fn the_report_is_as_its_schema_says() {
    let schema = serde_json::from_str(pgproof::report::SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let report: serde_json::Value =
        serde_json::from_str(&rendered(Format::Json, 100, false)).expect("the report is JSON");
    let faults: Vec<String> = validator
        .iter_errors(&report)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_schema_knows_every_word_of_the_program() {
    use pgproof::finding::{Method, Verdict};
    let schema: serde_json::Value =
        serde_json::from_str(pgproof::report::SCHEMA).expect("the schema is JSON");
    let verdicts = serde_json::to_value(Verdict::ALL).expect("verdicts are words");
    assert_eq!(schema["$defs"]["verdict"]["enum"], verdicts);
    // Deserializing each word proves it is one of ours; the count, that none of ours is missing.
    let methods: Vec<Method> =
        serde_json::from_value(schema["$defs"]["method"]["enum"].clone()).expect("known methods");
    assert_eq!(methods.len(), Method::Mutate as usize + 1);
    assert_eq!(
        schema["properties"]["format"]["const"],
        pgproof::report::FORMAT
    );
}
