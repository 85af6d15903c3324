//! A design from text to findings, without a server.

use pgproof::check::{Inputs, Pack, apply_waivers, run};
use pgproof::compile::compile;
use pgproof::design::resolve;
use pgproof::finding::{Finding, Severity};
use pgproof::source::{SourceMap, read};

/// The day on which tests take place.
pub const TODAY: &str = "2026-11-21";

/// What the rules have against a design, waivers applied; an error where it cannot be resolved.
pub fn judge(pack: &Pack, text: &str) -> Result<Vec<Finding>, String> {
    let mut sources = SourceMap::new();
    let id = sources.add("design.yaml", text.to_owned());
    let parsed = read(&sources, id);
    if let Some(fault) = parsed.faults.first() {
        return Err(fault.message.clone());
    }
    let root = parsed.root.ok_or("nothing is there")?;
    let (model, findings) = resolve(&root);
    let errors: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| format!("{}: {}", finding.code, finding.message))
        .collect();
    if !errors.is_empty() {
        return Err(errors.join("\n"));
    }
    let model = model.ok_or("it means nothing")?;
    let compiled = compile(&model);
    if let Some(finding) = compiled
        .findings
        .iter()
        .find(|f| f.severity == Severity::Error)
    {
        return Err(format!("{}: {}", finding.code, finding.message));
    }
    let inputs = Inputs {
        model: &model,
        catalog: &compiled.catalog,
        today: TODAY,
    };
    let findings = run(pack, &inputs).map_err(|error| error.to_string())?;
    let (left, _) = apply_waivers(pack, &model, findings, TODAY).map_err(|e| e.to_string())?;
    Ok(left)
}
