//! What races say about an invariant, and within which bounds.

use std::collections::BTreeSet;

use super::explore::Explored;
use super::play::{RETRIES, Trial};
use crate::design::{Enforcement, Invariant};
use crate::finding::{Counterexample, Verdict};

/// What came of racing one invariant.
#[derive(Clone, Debug)]
pub struct RaceResult {
    /// The verdict; of a mutant, `refuted` means noticed.
    pub verdict: Verdict,
    /// Why, where the verdict does not say.
    pub reason: Option<String>,
    /// Within what everything was tried.
    pub bounds: Option<String>,
    /// Numbers by name.
    pub figures: Vec<(String, f64)>,
    /// What refutes it, or shows what may happen where the design admits that it does.
    pub counterexample: Option<Counterexample>,
    /// What refused the illegal writes: of a mutant that nobody noticed, the mechanisms that hold in its place.
    pub refused_by: BTreeSet<String>,
}

impl RaceResult {
    /// Of a mutant: whether anybody noticed that something is missing.
    pub fn is_noticed(&self) -> bool {
        matches!(self.verdict, Verdict::Refuted | Verdict::Vacuous)
    }

    pub(super) fn of(verdict: Verdict, reason: String) -> RaceResult {
        RaceResult {
            verdict,
            reason: Some(reason),
            bounds: None,
            figures: Vec::new(),
            counterexample: None,
            refused_by: BTreeSet::new(),
        }
    }

    pub(super) fn unchecked(reason: impl Into<String>) -> RaceResult {
        RaceResult::of(Verdict::Unchecked, reason.into())
    }
}

/// Counts over the trials of one invariant.
#[derive(Debug)]
pub(super) struct Tally {
    server: String,
    pub commands: usize,
    pub pairs: usize,
    pub trials: usize,
    /// Trials of single writes.
    writes: usize,
    pub states: BTreeSet<usize>,
    complete: usize,
    pruned: usize,
    waits: usize,
    deadlocks: usize,
    retries: usize,
    exhausted: bool,
    pub required: BTreeSet<(String, usize, bool)>,
    refused_by: BTreeSet<String>,
    pub conditions: usize,
    pub conditions_both_ways: usize,
}

impl Tally {
    pub(super) fn new(server: &str) -> Tally {
        Tally {
            server: server.to_owned(),
            commands: 0,
            pairs: 0,
            trials: 0,
            writes: 0,
            states: BTreeSet::new(),
            complete: 0,
            pruned: 0,
            waits: 0,
            deadlocks: 0,
            retries: 0,
            exhausted: true,
            required: BTreeSet::new(),
            refused_by: BTreeSet::new(),
            conditions: 0,
            conditions_both_ways: 0,
        }
    }

    pub(super) fn add(&mut self, explored: &Explored, trial: &Trial, is_write: bool) {
        self.trials += 1;
        self.writes += usize::from(is_write);
        self.complete += explored.schedules;
        self.pruned += explored.pruned;
        self.waits += explored.waits;
        self.deadlocks += explored.deadlocks;
        self.retries += explored.retries;
        self.exhausted &= explored.exhausted;
        self.refused_by.extend(explored.refused_by.iter().cloned());
        let seen = explored
            .required
            .iter()
            .filter_map(|(program, step, result)| {
                Some((
                    trial.programs.get(*program)?.script.title.clone(),
                    *step,
                    *result,
                ))
            });
        self.required.extend(seen);
    }

    pub(super) fn schedules(&self) -> usize {
        self.complete + self.pruned
    }

    /// The budget ran out.
    pub(super) fn cut_short(&mut self) {
        self.exhausted = false;
    }

    fn bounds(&self) -> String {
        let plural = |n: usize, one: &str| {
            if n == 1 {
                format!("1 {one}")
            } else {
                format!("{n} {one}s")
            }
        };
        let mut parts = vec!["2 sessions".to_owned()];
        if self.pairs > 0 {
            parts.push(format!(
                "{} of commands from {}",
                plural(self.pairs, "pair"),
                plural(self.states.len(), "state")
            ));
        }
        if self.writes > 0 {
            parts.push(plural(self.writes, "race") + " of single writes");
        }
        let orders = match self.exhausted {
            true => format!("all {} orders of their steps", self.complete),
            false => format!("{} orders of their steps, not all", self.complete),
        };
        parts.push(match self.pruned {
            0 => orders,
            pruned => format!("{orders} ({pruned} more cut off as equal to one of these)"),
        });
        parts.push(format!("up to {RETRIES} retries"));
        parts.push("statements taken as whole steps".to_owned());
        parts.push(format!("PostgreSQL {}", self.server));
        parts.join(", ")
    }

    fn figures(&self) -> Vec<(String, f64)> {
        let figures = [
            ("commands", self.commands),
            ("pairs", self.pairs),
            ("trials", self.trials),
            ("states", self.states.len()),
            ("schedules", self.complete),
            ("schedules_cut_off", self.pruned),
            ("waits", self.waits),
            ("deadlocks", self.deadlocks),
            ("retries", self.retries),
            ("conditions", self.conditions),
            ("conditions_seen_both_ways", self.conditions_both_ways),
        ];
        figures
            .map(|(name, value)| (name.to_owned(), value as f64))
            .to_vec()
    }
}

/// The verdict.
pub(super) fn conclude(
    invariant: &Invariant,
    tally: Tally,
    refutation: Option<Counterexample>,
) -> RaceResult {
    let detective = matches!(
        invariant.enforced,
        Enforcement::Reconciliation | Enforcement::Procedure
    );
    let (verdict, reason) = match &refutation {
        Some(_) if detective && invariant.monitor.is_some() && invariant.repair.is_some() => (
            Verdict::Held,
            Some("the database lets it break; detected by its drift query, see monitor".to_owned()),
        ),
        Some(_) => (Verdict::Refuted, None),
        None if tally.exhausted => (Verdict::Proven, None),
        None => (
            Verdict::Held,
            Some("there are more orders than the budget allows".to_owned()),
        ),
    };
    RaceResult {
        verdict,
        reason,
        bounds: Some(tally.bounds()),
        figures: tally.figures(),
        counterexample: refutation,
        refused_by: tally.refused_by,
    }
}
