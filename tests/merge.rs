//! Reports read again, and `merge` as its users run it.

#[path = "support/program.rs"]
mod program;
#[path = "support/report.rs"]
mod report;

use std::path::Path;

use pgproof::report::{Format, Look, Written, render, restore};
use program::{pgproof, stderr, stdout};
use serde_json::{Value, json};

/// A file as it was, where it still is.
type TextOf<'a> = &'a dyn Fn(&pgproof::finding::Input) -> Option<String>;

fn written() -> String {
    let (report, sources) = report::fixed();
    render(&report, &sources, Format::Json, &Look::default()).expect("a report can be written")
}

#[test]
fn a_report_that_is_read_is_the_report_that_was_written() {
    let (_, sources) = report::fixed();
    let texts = |input: &pgproof::finding::Input| {
        let known = sources.ids().find(|id| sources.path(*id) == input.path)?;
        Some(sources.text(known).to_owned())
    };
    let gone = |_: &pgproof::finding::Input| None;
    let ways: [TextOf; 2] = [&texts, &gone];
    for text_of in ways {
        let parsed = Written::parse(&written()).expect("it is a report");
        let (reports, sources) = restore(vec![parsed], text_of);
        let again = render(&reports[0], &sources, Format::Json, &Look::default());
        assert_eq!(again.expect("can be written"), written());
        for format in [Format::Human, Format::Markdown] {
            let text = render(&reports[0], &sources, format, &Look::default());
            assert!(text.expect("can be written").contains("grain-missing"));
        }
    }
}

#[test]
fn what_is_no_report_is_said_to_be_none() {
    assert!(Written::parse("{}").is_err());
    assert!(Written::parse("nonsense").is_err());
    let newer = written().replacen("\"format\": 1", "\"format\": 2", 1);
    let told = Written::parse(&newer).expect_err("it is of another format");
    assert!(told.contains("format 2"), "{told}");
}

/// The fixed report cut in two by evidence, in files of a folder.
fn shards(folder: &Path, change: impl Fn(usize, &mut Value)) -> Vec<String> {
    (1..=2)
        .map(|number| {
            let mut report: Value = serde_json::from_str(&written()).expect("JSON");
            let evidence = report["evidence"].as_array().expect("a list").clone();
            let own: Vec<Value> = evidence
                .into_iter()
                .enumerate()
                .filter(|(at, _)| at % 2 == number - 1)
                .map(|(_, evidence)| evidence)
                .collect();
            report["evidence"] = Value::from(own);
            report["shard"] = json!({"number": number, "of": 2, "run": "0123456789abcdef"});
            change(number, &mut report);
            let name = format!("shard-{number}.json");
            std::fs::write(folder.join(&name), report.to_string()).expect("can be written");
            name
        })
        .collect()
}

fn merge(folder: &Path, files: &[&str]) -> assert_cmd::assert::Assert {
    pgproof(&["merge", "--format", "json"])
        .args(files)
        .current_dir(folder)
        .assert()
}

#[test]
fn shards_make_one_report_with_its_exit_code() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    shards(folder.path(), |_, _| {});
    let whole: Value = serde_json::from_str(&written()).expect("JSON");
    // In any order.
    for files in [
        ["shard-1.json", "shard-2.json"],
        ["shard-2.json", "shard-1.json"],
    ] {
        let assert = merge(folder.path(), &files).code(1);
        let merged: Value = serde_json::from_str(&stdout(&assert)).expect("JSON");
        assert_eq!(merged["summary"]["claims"], whole["summary"]["claims"]);
        assert_eq!(merged["summary"]["findings"], whole["summary"]["findings"]);
        assert_eq!(merged["shard"], Value::Null);
        let ids = |report: &Value| {
            let all = report["evidence"].as_array().expect("a list");
            let mut ids: Vec<String> = all.iter().map(|e| e.to_string()).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&merged), ids(&whole));
    }
    let human = pgproof(&["merge", "shard-1.json", "shard-2.json"])
        .current_dir(folder.path())
        .assert()
        .code(1);
    assert!(stdout(&human).contains("4 refuted"), "{}", stdout(&human));
    assert!(stderr(&human).contains("merged from 2 shards"));
}

#[test]
fn what_does_not_belong_together_is_not_merged() {
    type Change = fn(usize, &mut Value);
    let cases: [(Change, &[&str], &str); 8] = [
        (|_, _| {}, &["shard-1.json"], "shard 2/2 is missing"),
        (
            |_, _| {},
            &["shard-1.json", "shard-2.json", "shard-2.json"],
            "are both shard 2/2",
        ),
        (
            |number, report| report["shard"]["run"] = json!(format!("{number}")),
            &["shard-1.json", "shard-2.json"],
            "was asked for something else",
        ),
        (
            |number, report| report["shard"]["of"] = json!(number + 2),
            &["shard-1.json", "shard-2.json"],
            "one of 4 shards",
        ),
        (
            |_, report| report["shard"] = Value::Null,
            &["shard-1.json", "shard-2.json"],
            "is no shard",
        ),
        (
            |number, report| report["inputs"][0]["sha256"] = json!(number.to_string().repeat(64)),
            &["shard-1.json", "shard-2.json"],
            "is about other files than shard-1.json: designs/case-assignment/design.yaml",
        ),
        (
            |_, report| report["tool"]["version"] = json!("9.9.9"),
            &["shard-1.json", "shard-2.json"],
            "was written by pgproof 9.9.9",
        ),
        (
            |number, report| {
                for evidence in report["evidence"].as_array_mut().expect("a list") {
                    evidence["setting"]["server_version"] = json!(format!("15.{number}"));
                }
            },
            &["shard-1.json", "shard-2.json"],
            "on PostgreSQL 15.1 in shard-1.json and on 15.2 in shard-2.json",
        ),
    ];
    for (change, files, told) in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        shards(folder.path(), change);
        let assert = merge(folder.path(), files).code(2);
        assert!(
            stderr(&assert).contains(told),
            "{told} in {}",
            stderr(&assert)
        );
        assert_eq!(stdout(&assert), "");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("a.json"), "{}").expect("can be written");
    let assert = merge(folder.path(), &["a.json"]).code(2);
    assert!(stderr(&assert).contains("a.json cannot be merged"));
    merge(folder.path(), &["absent.json"]).code(2);
    pgproof(&["merge"]).assert().code(2);
}
