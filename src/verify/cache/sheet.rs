//! What is kept of evidence.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::Places;
use crate::finding::{
    Claim, Counterexample, Evidence, Finding, Label, PlanAt, Severity, Table, Verdict,
};
use crate::verify::evidence::Judged;

/// What came of one piece of work: a claim, or all claims of a method that cannot be told apart without a server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    /// All claims of the work, in the order in which they are reported.
    pub claims: Vec<KeptClaim>,
    /// What was found to be wrong on the way.
    pub findings: Vec<KeptFinding>,
}

/// A claim, with its evidence where that may be used again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptClaim {
    pub subject: String,
    pub statement: String,
    pub place: Option<String>,
    pub kept: Option<Kept>,
}

/// Evidence without what the design of today says better: statement, place, command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub tried: String,
    pub verdict: Verdict,
    pub reason: Option<String>,
    pub bounds: Option<String>,
    pub figures: Vec<(String, f64)>,
    pub measured: Option<Table>,
    pub plans: Vec<PlanAt>,
    pub counterexample: Option<Counterexample>,
    pub volume: Option<String>,
    pub duration_ms: u64,
}

/// A finding with its places by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptFinding {
    pub code: String,
    pub severity: Severity,
    pub subject: String,
    pub message: String,
    pub labels: Vec<(String, String)>,
    pub help: Option<String>,
}

impl Sheet {
    /// Whether there is evidence for everything.
    pub(super) fn is_whole(&self) -> bool {
        self.claims.iter().all(|claim| claim.kept.is_some())
    }
}

impl KeptClaim {
    /// What refutes a claim, and what kept it from being tried, is looked for again each time. So is what points at a place that
    /// has no name.
    pub(super) fn of(evidence: &Evidence, places: &Places, now: &str) -> KeptClaim {
        let place = evidence.claim.at.map(|at| places.name(at));
        let is_settled = matches!(
            evidence.verdict,
            Verdict::Proven | Verdict::Held | Verdict::Vacuous
        );
        let kept = (is_settled && place != Some(None)).then(|| Kept {
            tried: evidence.cached.clone().unwrap_or_else(|| now.to_owned()),
            verdict: evidence.verdict,
            reason: evidence.reason.clone(),
            bounds: evidence.bounds.clone(),
            figures: evidence.figures.clone(),
            measured: evidence.measured.clone(),
            plans: evidence.plans.clone(),
            counterexample: evidence.counterexample.clone(),
            volume: evidence.setting.volume.clone(),
            duration_ms: u64::try_from(evidence.duration.as_millis()).unwrap_or(u64::MAX),
        });
        KeptClaim {
            subject: evidence.claim.subject.clone(),
            statement: evidence.claim.statement.clone(),
            place: place.flatten(),
            kept,
        }
    }

    /// The claim, where it stands now.
    pub(super) fn claim(&self, places: &Places) -> Claim {
        Claim {
            subject: self.subject.clone(),
            statement: self.statement.clone(),
            at: self.place.as_deref().and_then(|name| places.at(name)),
        }
    }
}

impl Kept {
    pub(super) fn judged(&self) -> Judged {
        Judged {
            verdict: self.verdict,
            reason: self.reason.clone(),
            bounds: self.bounds.clone(),
            figures: self.figures.clone(),
            measured: self.measured.clone(),
            plans: self.plans.clone(),
            counterexample: self.counterexample.clone(),
            volume: self.volume.clone(),
            duration: Duration::from_millis(self.duration_ms),
        }
    }
}

impl KeptFinding {
    /// `None` where it points at a place that has no name.
    pub(super) fn of(finding: &Finding, places: &Places) -> Option<KeptFinding> {
        let labels = finding.labels.iter();
        let labels = labels.map(|label| Some((places.name(label.at)?, label.text.clone())));
        Some(KeptFinding {
            code: finding.code.clone(),
            severity: finding.severity,
            subject: finding.subject.clone(),
            message: finding.message.clone(),
            labels: labels.collect::<Option<_>>()?,
            help: finding.help.clone(),
        })
    }

    /// The finding, where it stands now; `None` where there is no such place any more.
    pub(super) fn finding(&self, design: &str, places: &Places) -> Option<Finding> {
        let labels = self.labels.iter().map(|(place, text)| {
            Some(Label {
                at: places.at(place)?,
                text: text.clone(),
            })
        });
        Some(Finding {
            code: self.code.clone(),
            severity: self.severity,
            subject: self.subject.clone(),
            message: self.message.clone(),
            labels: labels.collect::<Option<_>>()?,
            help: self.help.clone(),
            design: design.to_owned(),
        })
    }
}
