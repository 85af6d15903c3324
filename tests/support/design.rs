//! Designs for tests: those of the repository, and small ones written in the test.

use std::path::Path;

use pgproof::design::language::validate;
use pgproof::design::{Model, resolve};
use pgproof::finding::Severity;
use pgproof::source::{SourceMap, parse};

/// The worked designs.
pub const WORKED: [&str; 6] = [
    "case-assignment",
    "case-owner",
    "commerce",
    "ledger",
    "notifications",
    "review-operations",
];

/// A worked design.
pub fn worked(name: &str) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("designs")
        .join(name)
        .join("design.yaml");
    let text = std::fs::read_to_string(&path).expect("the design is there");
    // `check` is what keeps the worked designs free of faults; here they only have to mean something.
    read(&text).0.expect("the design is a mapping")
}

/// A design from its text; it must be without faults.
pub fn model(text: &str) -> Model {
    try_model(text).unwrap_or_else(|errors| unreachable!("{errors:#?}"))
}

/// A design from its text, or its faults.
pub fn try_model(text: &str) -> Result<Model, Vec<String>> {
    let (model, errors) = read(text);
    match model {
        Some(model) if errors.is_empty() => Ok(model),
        _ => Err(errors),
    }
}

fn read(text: &str) -> (Option<Model>, Vec<String>) {
    let mut sources = SourceMap::new();
    let id = sources.add("design.yaml", text.to_owned());
    let root = parse(&sources, id).expect("the design is YAML");
    let (model, mut findings) = resolve(&root);
    findings.extend(validate(&root, &sources));
    let errors = findings.iter().filter(|f| f.severity == Severity::Error);
    let errors = errors.map(|f| {
        format!(
            "{}: {} at {:?}",
            f.code,
            f.message,
            sources.line_column(f.labels[0].at).0
        )
    });
    (model, errors.collect())
}
