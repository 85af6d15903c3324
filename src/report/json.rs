//! The whole report for machines. Names are a contract: `docs/report.schema.json` describes them, and a change that breaks a
//! reader counts [`FORMAT`] up.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::claims::{Tally, by_design};
use super::fingerprint::fingerprint;
use super::place::Place;
use crate::error::Error;
use crate::finding::{
    Counterexample, Evidence, Finding, Input, Method, Mutants, PlanAt, Report, Setting, Severity,
    ShardOf, Table, Verdict,
};
use crate::source::SourceMap;

/// Counted up when a reader of the old report could not read the new one.
pub const FORMAT: u32 = 1;

/// The JSON Schema of the report, as published.
pub const SCHEMA: &str = include_str!("../../docs/report.schema.json");

#[derive(Serialize)]
struct Wire<'a> {
    format: u32,
    tool: Tool,
    designs: &'a [String],
    inputs: &'a [Input],
    findings: Vec<WireFinding<'a>>,
    evidence: Vec<WireEvidence<'a>>,
    summary: WireSummary,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<&'a ShardOf>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct WireFinding<'a> {
    code: &'a str,
    severity: Severity,
    design: &'a str,
    subject: &'a str,
    message: &'a str,
    labels: Vec<WireLabel<'a>>,
    help: Option<&'a str>,
    fingerprint: String,
}

#[derive(Serialize)]
struct WireLabel<'a> {
    path: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: &'a str,
}

#[derive(Serialize)]
struct WireEvidence<'a> {
    id: &'a str,
    design: &'a str,
    claim: WireClaim<'a>,
    method: Method,
    verdict: Verdict,
    reason: Option<&'a str>,
    bounds: Option<&'a str>,
    figures: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<&'a Table>,
    #[serde(skip_serializing_if = "<[PlanAt]>::is_empty")]
    plans: &'a [PlanAt],
    counterexample: Option<&'a Counterexample>,
    setting: &'a Setting,
    reproduce: &'a str,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<&'a str>,
}

#[derive(Serialize)]
struct WireClaim<'a> {
    subject: &'a str,
    statement: &'a str,
    path: Option<String>,
    line: Option<u32>,
}

#[derive(Serialize)]
struct WireSummary {
    designs: usize,
    claims: Map<String, Value>,
    evidence: Map<String, Value>,
    findings: Map<String, Value>,
    mutants: Mutants,
}

/// The report as indented JSON.
pub(super) fn render(report: &Report, sources: &SourceMap) -> Result<String, Error> {
    let wire = Wire {
        format: FORMAT,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        designs: &report.designs,
        inputs: &report.inputs,
        findings: report
            .findings
            .iter()
            .map(|f| finding(f, sources))
            .collect(),
        evidence: report
            .evidence
            .iter()
            .map(|e| evidence(e, sources))
            .collect(),
        summary: summary(report),
        notes: &report.notes,
        shard: report.shard.as_ref(),
    };
    let mut text = serde_json::to_string_pretty(&wire)
        .map_err(|e| Error::Internal(format!("the report cannot be written as JSON: {e}")))?;
    text.push('\n');
    Ok(text)
}

fn finding<'a>(finding: &'a Finding, sources: &SourceMap) -> WireFinding<'a> {
    let labels = finding.labels.iter().map(|label| {
        let place = Place::of(label.at, sources);
        WireLabel {
            path: place.path,
            line: place.line,
            column: place.column,
            end_line: place.end_line,
            end_column: place.end_column,
            text: &label.text,
        }
    });
    WireFinding {
        code: &finding.code,
        severity: finding.severity,
        design: &finding.design,
        subject: &finding.subject,
        message: &finding.message,
        labels: labels.collect(),
        help: finding.help.as_deref(),
        fingerprint: fingerprint(finding),
    }
}

fn evidence<'a>(evidence: &'a Evidence, sources: &SourceMap) -> WireEvidence<'a> {
    let place = evidence.claim.at.map(|at| Place::of(at, sources));
    WireEvidence {
        id: &evidence.id,
        design: &evidence.design,
        claim: WireClaim {
            subject: &evidence.claim.subject,
            statement: &evidence.claim.statement,
            line: place.as_ref().map(|place| place.line),
            path: place.map(|place| place.path),
        },
        method: evidence.method,
        verdict: evidence.verdict,
        reason: evidence.reason.as_deref(),
        bounds: evidence.bounds.as_deref(),
        figures: evidence
            .figures
            .iter()
            .map(|(name, value)| (name.clone(), number(*value)))
            .collect(),
        measured: evidence.measured.as_ref(),
        plans: &evidence.plans,
        counterexample: evidence.counterexample.as_ref(),
        setting: &evidence.setting,
        reproduce: &evidence.reproduce,
        duration_ms: u64::try_from(evidence.duration.as_millis()).unwrap_or(u64::MAX),
        cached: evidence.cached.as_deref(),
    }
}

/// Whole numbers without a fraction: most figures are counts.
fn number(value: f64) -> Value {
    // 2^53: beyond it an f64 no longer tells neighbouring integers apart.
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn summary(report: &Report) -> WireSummary {
    let counts = report.summary();
    let claims = Tally::sum(&by_design(report));
    let severities = [Severity::Error, Severity::Warning, Severity::Advice];
    WireSummary {
        designs: report.designs.len(),
        claims: verdicts(|verdict| claims.of(verdict)),
        evidence: verdicts(|verdict| counts.verdicts[verdict as usize]),
        findings: severities
            .iter()
            .map(|severity| {
                (
                    severity.word().to_owned(),
                    Value::from(counts.severities[*severity as usize]),
                )
            })
            .collect(),
        mutants: report.mutants,
    }
}

fn verdicts(of: impl Fn(Verdict) -> usize) -> Map<String, Value> {
    Verdict::ALL
        .iter()
        .rev()
        .map(|verdict| (verdict.word().to_owned(), Value::from(of(*verdict))))
        .collect()
}
