//! A design from text to findings, without a server.

use pgproof::check::{Inputs, Pack, apply_waivers, judge_migrations, run};
use pgproof::compile::compile;
use pgproof::design::resolve;
use pgproof::finding::{Finding, Severity};
use pgproof::migrate::files::{Source, read as read_migrations};
use pgproof::migrate::lint::{Options, lint};
use pgproof::source::{SourceMap, read};

/// The day on which tests take place.
pub const TODAY: &str = "2026-11-21";

/// What the rules have against a migration, where another one ran before it.
pub fn judge_migration(
    pack: &Pack,
    earlier: &str,
    migration: &str,
) -> Result<Vec<Finding>, String> {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let sources = [
        source("1_before.sql", earlier),
        source("2_now.sql", migration),
    ];
    let migrations = read_migrations(&sources, None);
    let mut map = SourceMap::new();
    let texts: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
    let ids: Vec<_> = sources
        .iter()
        .map(|s| map.add(s.path.clone(), s.text.clone()))
        .collect();
    let options = Options {
        version: 15,
        is_whole: true,
        since: Some("2_now".to_owned()),
    };
    let linted = lint(&migrations, &texts, &options);
    if let Some((_, _, why)) = linted.unknown.first() {
        return Err(why.clone());
    }
    let judged = judge_migrations(pack, &migrations, &linted, &ids);
    judged
        .map(|judged| judged.findings)
        .map_err(|error| error.to_string())
}

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
