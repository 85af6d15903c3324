//! The table of the language against itself and against the designs: what it says of itself is sound, the JSON Schema and the
//! program's own validation agree, and the reference is up to date.

use std::path::PathBuf;

use pgproof::design::language::{json_schema, validate};
use pgproof::source::{Node, SourceMap, read};

#[path = "support/golden.rs"]
mod golden;

fn designs() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("designs");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("the repository has designs")
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let text = std::fs::read_to_string(folder.join("design.yaml")).ok()?;
            Some((folder.file_name()?.to_string_lossy().into_owned(), text))
        })
        .collect();
    found.sort();
    found
}

/// What the program says of a text: `line:column code: message`, in the order of the file.
fn said(text: &str) -> (Vec<String>, Option<Node>) {
    let mut map = SourceMap::new();
    let id = map.add("design.yaml", text.to_owned());
    let parsed = read(&map, id);
    let mut lines: Vec<String> = parsed
        .faults
        .iter()
        .map(|fault| format!("{}: {}", fault.code, fault.message))
        .collect();
    if let Some(root) = &parsed.root {
        for finding in validate(root, &map) {
            let at = map.line_column(finding.labels[0].at).0;
            lines.push(format!(
                "{}:{} {}: {}",
                at.line, at.column, finding.code, finding.message
            ));
        }
    }
    (lines, parsed.root)
}

fn schema() -> jsonschema::Validator {
    jsonschema::draft202012::new(&json_schema()).expect("the schema is a schema")
}

#[test]
fn the_schema_is_a_schema() {
    let schema = json_schema();
    jsonschema::draft202012::meta::validate(&schema)
        .expect("the schema follows its own meta-schema");
}

#[test]
fn every_design_is_valid_for_both() {
    let validator = schema();
    let designs = designs();
    assert!(!designs.is_empty());
    for (name, text) in designs {
        let (lines, root) = said(&text);
        assert_eq!(lines, Vec::<String>::new(), "{name}");
        let root = root.expect("a valid design has a tree");
        let faults: Vec<_> = validator
            .iter_errors(&root.to_json())
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let reference = pgproof::design::language::reference();
    let example = reference
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("the reference begins with a design");
    assert_eq!(said(example).0, Vec::<String>::new());
    golden::check("docs/language.md", &reference);
}

#[test]
fn changed_designs_are_refused_by_both() {
    let validator = schema();
    let changes = [
        ("pgproof: 1", "pgproof: 9"),
        ("design: ", "desing: "),
        ("tables:\n", "table:\n"),
        ("    grain: ", "    grian: "),
        ("    columns:\n", "    colums:\n"),
        (": uuid", ": {typ: uuid}"),
        ("    key: [", "    key: {a: "),
        ("role: truth", "role: facts"),
        ("enforced: constraint", "enforced: [constraint]"),
        ("isolation: read committed", "isolation: chaos"),
        ("version: 15", "version: 13"),
        ("rows: ", "rows: about "),
        ("    sql: |", "    query: |"),
        ("likelihood: 2", "likelihood: 6"),
        ("kind: interactive", "kind: fast"),
        ("status: ", "status: nearly_"),
    ];
    let mut tried = 0;
    for (name, text) in designs() {
        for (from, to) in changes {
            let mut changed = text.replacen(from, to, 1);
            if changed == text {
                continue;
            }
            if to.ends_with("{a: ") {
                let at = changed.find(to).expect("it was put there") + to.len();
                let end = at + changed[at..].find(']').expect("the list ends");
                changed.replace_range(end..=end, "}");
            }
            let (lines, root) = said(&changed);
            assert!(!lines.is_empty(), "{name}: {to} is accepted");
            let json = root.expect("the text is still YAML").to_json();
            assert!(
                !validator.is_valid(&json),
                "{name}: the schema accepts {to}"
            );
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}
