//! A report that was written as JSON, read again: to make one of several, or to show it in another form.
//!
//! Findings point into texts by line and column. Where the files are still as they were, excerpts are theirs; where they are not, there
//! is nothing to show of them, but every place keeps its numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::json::FORMAT;
use crate::finding::{
    Claim, Counterexample, Evidence, Finding, Input, Label, Method, Mutants, PlanAt, Report,
    Setting, Severity, ShardOf, Table, Verdict,
};
use crate::source::{SourceId, SourceMap, Span};

/// A report as it was written.
#[derive(Debug, Deserialize)]
pub struct Written {
    format: u32,
    tool: Tool,
    designs: Vec<String>,
    inputs: Vec<Input>,
    findings: Vec<WrittenFinding>,
    evidence: Vec<WrittenEvidence>,
    summary: Summary,
    notes: Vec<String>,
    shard: Option<ShardOf>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    name: String,
    version: String,
}

#[derive(Debug, Deserialize)]
struct Summary {
    mutants: Mutants,
}

#[derive(Debug, Deserialize)]
struct WrittenFinding {
    code: String,
    severity: Severity,
    design: String,
    subject: String,
    message: String,
    labels: Vec<WrittenLabel>,
    help: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WrittenLabel {
    path: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
}

#[derive(Debug, Deserialize)]
struct WrittenEvidence {
    id: String,
    design: String,
    claim: WrittenClaim,
    method: Method,
    verdict: Verdict,
    reason: Option<String>,
    bounds: Option<String>,
    figures: Map<String, Value>,
    measured: Option<Table>,
    #[serde(default)]
    plans: Vec<PlanAt>,
    counterexample: Option<Counterexample>,
    setting: Setting,
    reproduce: String,
    duration_ms: u64,
    cached: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WrittenClaim {
    subject: String,
    statement: String,
    path: Option<String>,
    line: Option<u32>,
}

/// What has to be known before the rest can be read.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

impl Written {
    /// Reads a report; what is wrong with it is told in words.
    pub fn parse(text: &str) -> Result<Written, String> {
        let head: Head = serde_json::from_str(text)
            .map_err(|e| format!("it is not a report as `--format json` writes it: {e}"))?;
        if head.format != FORMAT {
            return Err(format!(
                "it is a report of format {}, and this pgproof reads format {FORMAT}",
                head.format
            ));
        }
        let written: Written = serde_json::from_str(text)
            .map_err(|e| format!("it is not a report as `--format json` writes it: {e}"))?;
        match written.tool.name == env!("CARGO_PKG_NAME") && written.format == FORMAT {
            true => Ok(written),
            false => Err(format!("it was written by {}", written.tool.name)),
        }
    }

    /// The version of pgproof that wrote it.
    pub fn version(&self) -> &str {
        &self.tool.version
    }

    /// The files that it is about.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }
}

/// Reports that were written, with the texts that they point into. `text_of` gives a file as it was, where it still is.
pub fn restore(
    written: Vec<Written>,
    text_of: &dyn Fn(&Input) -> Option<String>,
) -> (Vec<Report>, SourceMap) {
    let mut texts = Texts::default();
    for report in &written {
        texts.extents(report);
    }
    let inputs = written.iter().flat_map(|report| &report.inputs);
    texts.add(inputs, text_of);
    let reports = written.into_iter().map(|report| texts.report(report));
    let reports = reports.collect();
    (reports, texts.sources)
}

/// Texts by path, and how far places reach into those that are not there.
#[derive(Default)]
struct Texts {
    sources: SourceMap,
    by_path: BTreeMap<String, SourceId>,
    /// By path and line: the last column that is pointed at.
    extents: BTreeMap<String, BTreeMap<u32, u32>>,
}

impl Texts {
    fn extents(&mut self, report: &Written) {
        let labels = report.findings.iter().flat_map(|finding| &finding.labels);
        for label in labels {
            self.reach(&label.path, label.line, label.column);
            self.reach(&label.path, label.end_line, label.end_column);
        }
        for evidence in &report.evidence {
            if let (Some(path), Some(line)) = (&evidence.claim.path, evidence.claim.line) {
                self.reach(path, line, 1);
            }
        }
    }

    fn reach(&mut self, path: &str, line: u32, column: u32) {
        let lines = self.extents.entry(path.to_owned()).or_default();
        let last = lines.entry(line).or_default();
        *last = column.max(*last);
    }

    fn add<'i>(
        &mut self,
        inputs: impl Iterator<Item = &'i Input>,
        text_of: &dyn Fn(&Input) -> Option<String>,
    ) {
        for input in inputs {
            if self.extents.contains_key(&input.path)
                && !self.by_path.contains_key(&input.path)
                && let Some(text) = text_of(input)
            {
                let id = self.sources.add(&input.path, text);
                self.by_path.insert(input.path.clone(), id);
            }
        }
        for (path, lines) in &self.extents {
            if !self.by_path.contains_key(path) {
                let id = self.sources.add(path, blank(lines));
                self.by_path.insert(path.clone(), id);
            }
        }
    }

    fn report(&self, written: Written) -> Report {
        let findings = written.findings.into_iter();
        let evidence = written.evidence.into_iter();
        Report {
            designs: written.designs,
            inputs: written.inputs,
            findings: findings.map(|finding| self.finding(finding)).collect(),
            evidence: evidence.map(|evidence| self.evidence(evidence)).collect(),
            mutants: written.summary.mutants,
            notes: written.notes,
            shard: written.shard,
        }
    }

    fn finding(&self, written: WrittenFinding) -> Finding {
        let labels = written.labels.into_iter().filter_map(|label| {
            let start = self.byte(&label.path, label.line, Some(label.column))?;
            let end = self.byte(&label.path, label.end_line, Some(label.end_column))?;
            Some(Label {
                at: Span::new(*self.by_path.get(&label.path)?, start, end.max(start)),
                text: label.text,
            })
        });
        Finding {
            code: written.code,
            severity: written.severity,
            subject: written.subject,
            message: written.message,
            labels: labels.collect(),
            help: written.help,
            design: written.design,
        }
    }

    fn evidence(&self, written: WrittenEvidence) -> Evidence {
        let claim = written.claim;
        let at = claim.path.as_ref().zip(claim.line);
        let at = at.and_then(|(path, line)| {
            let start = self.byte(path, line, None)?;
            Some(Span::new(*self.by_path.get(path)?, start, start))
        });
        let figures = written.figures.into_iter();
        Evidence {
            id: written.id,
            design: written.design,
            claim: Claim {
                subject: claim.subject,
                statement: claim.statement,
                at,
            },
            method: written.method,
            verdict: written.verdict,
            reason: written.reason,
            bounds: written.bounds,
            // What is no number was none when it was written.
            figures: figures
                .map(|(name, value)| (name, value.as_f64().unwrap_or(f64::NAN)))
                .collect(),
            measured: written.measured,
            plans: written.plans,
            counterexample: written.counterexample,
            setting: written.setting,
            reproduce: written.reproduce,
            duration: Duration::from_millis(written.duration_ms),
            cached: written.cached,
        }
    }

    /// The byte of a place; without a column the first of a line that is not blank.
    fn byte(&self, path: &str, line: u32, column: Option<u32>) -> Option<u32> {
        let text = self.sources.text(*self.by_path.get(path)?);
        let mut start = 0;
        for _ in 1..line {
            start += text[start..]
                .find('\n')
                .map_or(text.len() - start, |at| at + 1);
        }
        let own = text[start..].split('\n').next().unwrap_or_default();
        let inside = match column {
            Some(column) => {
                let skipped = column.saturating_sub(1) as usize;
                // The line feed itself is the character after the last.
                let ends = own.char_indices().map(|(at, _)| at).chain([own.len()]);
                ends.take(skipped + 1).last().unwrap_or(0)
            }
            None => own.len() - own.trim_start().len(),
        };
        u32::try_from(start + inside).ok()
    }
}

/// Blanks up to every place that is pointed at.
fn blank(lines: &BTreeMap<u32, u32>) -> String {
    let last = lines.keys().next_back().copied().unwrap_or(0);
    let line = |number: u32| {
        let columns = lines.get(&number).copied().unwrap_or(1);
        format!("{}\n", " ".repeat(columns.saturating_sub(1) as usize))
    };
    (1..=last).map(line).collect()
}
