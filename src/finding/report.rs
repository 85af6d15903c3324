//! Everything a run found out.

use super::evidence::Evidence;
use super::fault::{Finding, Severity};
use super::verdict::Verdict;

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Input {
    /// As given.
    pub path: String,
    /// Hexadecimal.
    pub sha256: String,
}

/// Mutants made and noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mutants {
    /// How many enforcements were taken out.
    pub made: u64,
    /// How many of these a check noticed.
    pub killed: u64,
}

/// Which share of a run's claims a report is about.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ShardOf {
    /// From 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// Digest of everything that shards of one run have in common: the files, the program, the seed, what was asked for.
    pub run: String,
}

/// Everything a run found out; every output is made from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Names of the designs that were looked at, also those of which there is nothing to say.
    pub designs: Vec<String>,
    /// Files that were read.
    pub inputs: Vec<Input>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What was tried.
    pub evidence: Vec<Evidence>,
    /// Mutants over all designs.
    pub mutants: Mutants,
    /// Remarks about the run itself: which server, what was not there.
    pub notes: Vec<String>,
    /// Where the claims were split over several runs: which share this is.
    pub shard: Option<ShardOf>,
}

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// By [`Verdict::ALL`].
    pub verdicts: [usize; 5],
    /// Errors, warnings, advice.
    pub severities: [usize; 3],
}

impl Report {
    /// Counts by verdict and severity.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for evidence in &self.evidence {
            if let Some(slot) = Verdict::ALL.iter().position(|v| *v == evidence.verdict) {
                summary.verdicts[slot] += 1;
            }
        }
        for finding in &self.findings {
            summary.severities[finding.severity as usize] += 1;
        }
        summary
    }

    /// Whether the design is at fault: a finding above advice, or a claim refuted or vacuous.
    pub fn is_at_fault(&self) -> bool {
        self.findings.iter().any(|f| f.severity < Severity::Advice)
            || self.evidence.iter().any(|e| e.verdict <= Verdict::Vacuous)
    }
}
