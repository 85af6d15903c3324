//! What came of trying one claim, before it is written down.

use std::time::{Duration, Instant};

use crate::finding::{Counterexample, PlanAt, Table, Verdict};

/// A verdict with what supports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What came of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<String>,
    /// Within what everything was tried.
    pub bounds: Option<String>,
    /// Numbers by name.
    pub figures: Vec<(String, f64)>,
    /// What was measured, where that is more than a few numbers.
    pub measured: Option<Table>,
    /// Of a query: its plans.
    pub plans: Vec<PlanAt>,
    /// What refutes it.
    pub counterexample: Option<Counterexample>,
    /// Volume point.
    pub volume: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Judged {
    /// A bare verdict.
    pub fn new(verdict: Verdict) -> Judged {
        Judged {
            verdict,
            reason: None,
            bounds: None,
            figures: Vec::new(),
            measured: None,
            plans: Vec::new(),
            counterexample: None,
            volume: None,
            duration: Duration::ZERO,
        }
    }

    /// Not run, and why.
    pub fn unchecked(reason: impl Into<String>) -> Judged {
        Judged::new(Verdict::Unchecked).reason(reason)
    }

    /// False, and how that shows.
    pub fn refuted(reason: impl Into<String>) -> Judged {
        Judged::new(Verdict::Refuted).reason(reason)
    }

    /// Says why.
    pub fn reason(mut self, reason: impl Into<String>) -> Judged {
        self.reason = Some(reason.into());
        self
    }

    /// Says how far it reaches.
    pub fn bounds(mut self, bounds: impl Into<String>) -> Judged {
        self.bounds = Some(bounds.into());
        self
    }

    /// A count.
    pub fn figure(mut self, name: &str, value: usize) -> Judged {
        self.figures.push((name.to_owned(), value as f64));
        self
    }

    /// What was measured, a line for each thing.
    pub fn measured(mut self, table: Table) -> Judged {
        self.measured = Some(table);
        self
    }

    /// What refutes it.
    pub fn with(mut self, counterexample: Counterexample) -> Judged {
        self.counterexample = Some(counterexample);
        self
    }

    /// How long it took.
    pub fn took(mut self, since: Instant) -> Judged {
        self.duration = since.elapsed();
        self
    }
}
