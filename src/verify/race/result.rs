//! What races say about an invariant, and within which bounds.

use std::collections::{BTreeMap, BTreeSet};

use super::explore::Explored;
use super::play::RETRIES;
use super::program::Program;
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
    /// The only commands that the design wants raced, where it says so.
    narrowed: Vec<String>,
    pub trials: usize,
    /// Trials of single writes.
    writes: usize,
    pub states: BTreeSet<usize>,
    /// Trials of commands, by how many there are in one.
    sizes: BTreeMap<usize, Size>,
    waits: usize,
    deadlocks: usize,
    retries: usize,
    /// Schedules that did not repeat.
    unrepeated: usize,
    /// Violations that did not come up again.
    pub unconfirmed: usize,
    /// Somewhere PostgreSQL was left to decide who goes on first.
    loose: bool,
    pub required: BTreeSet<(String, usize, bool)>,
    refused_by: BTreeSet<String>,
    pub conditions: usize,
    pub conditions_both_ways: usize,
}

/// Counts over the trials of so many sessions.
#[derive(Debug, Default)]
struct Size {
    /// Which commands met.
    groups: BTreeSet<Vec<String>>,
    trials: usize,
    complete: usize,
    pruned: usize,
    walks: usize,
    /// Trials of which not every order was tried, and the fewest preemptions up to which all were.
    cut: usize,
    preemptions: Option<usize>,
    miss: f64,
    /// Trials that there are, where not all were begun.
    of: Option<usize>,
}

impl Size {
    fn is_exhausted(&self) -> bool {
        self.cut == 0 && self.of.is_none() && self.walks == 0
    }

    /// `all 120 orders of two sessions' steps (31 more cut off as equal to one of these)`.
    fn orders(&self, sessions: usize) -> String {
        let whose = format!("of {} sessions' steps", in_words(sessions));
        if self.is_exhausted() {
            return match self.pruned {
                0 => format!("all {} orders {whose}", self.complete),
                pruned => format!(
                    "all {} orders {whose} ({pruned} more cut off as equal to one of these)",
                    self.complete
                ),
            };
        }
        let mut notes = Vec::new();
        if let Some(of) = self.of {
            notes.push(format!("{} of {of} trials begun", self.trials));
        }
        if self.cut > 0 {
            let all = match self.preemptions {
                Some(preemptions @ 1..) => format!(
                    "{} of them only all with fewer than {preemptions} preemptions",
                    self.cut
                ),
                _ => format!("{} of them not all", self.cut),
            };
            notes.push(all);
        }
        if self.walks > 0 {
            notes.push(format!(
                "{} by chance that miss two steps in a wrong order with p <= {:.2}",
                self.walks, self.miss
            ));
        }
        format!("{} orders {whose} ({})", self.complete, notes.join("; "))
    }
}

fn in_words(number: usize) -> &'static str {
    match number {
        0 | 1 => "one",
        2 => "two",
        3 => "three",
        _ => "four",
    }
}

impl Tally {
    /// Notes that only these commands are raced, where the design says so.
    pub(super) fn narrow(&mut self, invariant: &Invariant, commands: &[String]) {
        if invariant.raced_only {
            self.narrowed = commands.to_vec();
        }
    }

    pub(super) fn new(server: &str) -> Tally {
        Tally {
            server: server.to_owned(),
            commands: 0,
            narrowed: Vec::new(),
            trials: 0,
            writes: 0,
            states: BTreeSet::new(),
            sizes: BTreeMap::new(),
            waits: 0,
            deadlocks: 0,
            retries: 0,
            unrepeated: 0,
            unconfirmed: 0,
            loose: false,
            required: BTreeSet::new(),
            refused_by: BTreeSet::new(),
            conditions: 0,
            conditions_both_ways: 0,
        }
    }

    pub(super) fn add(&mut self, explored: &Explored, programs: &[Program], is_write: bool) {
        self.trials += 1;
        self.writes += usize::from(is_write);
        let size = self.sizes.entry(programs.len().max(2)).or_default();
        if !is_write && programs.len() > 1 {
            let titles = programs.iter().map(|program| program.script.title.clone());
            size.groups.insert(titles.collect());
        }
        size.trials += 1;
        size.complete += explored.schedules;
        size.pruned += explored.pruned;
        size.walks += explored.walks;
        if !explored.exhausted {
            size.cut += 1;
            let known = size.preemptions.unwrap_or(usize::MAX);
            size.preemptions = Some(known.min(explored.preemptions));
            size.miss = size.miss.max(explored.miss);
        }
        self.waits += explored.waits;
        self.deadlocks += explored.deadlocks;
        self.retries += explored.retries;
        self.loose |= explored.loose;
        self.unrepeated += explored.unrepeated;
        self.refused_by.extend(explored.refused_by.iter().cloned());
        let seen = explored
            .required
            .iter()
            .filter_map(|(program, step, result)| {
                let program = programs.get(*program)?;
                Some((program.script.title.clone(), *step, *result))
            });
        self.required.extend(seen);
    }

    pub(super) fn schedules(&self) -> usize {
        self.sum(|size| size.complete + size.pruned)
    }

    fn sum(&self, count: impl Fn(&Size) -> usize) -> usize {
        self.sizes.values().map(count).sum()
    }

    /// The budget ran out among trials of so many sessions, of which there are `all`.
    pub(super) fn cut_short(&mut self, sessions: usize, all: usize) {
        self.sizes.entry(sessions).or_default().of = Some(all);
    }

    /// Whether every order of two sessions was tried: what more sessions add is said, and decides nothing.
    fn is_exhausted(&self) -> bool {
        self.sizes.get(&2).is_none_or(Size::is_exhausted)
    }

    fn bounds(&self) -> String {
        let plural = |n: usize, one: &str| match n {
            1 => format!("1 {one}"),
            n => format!("{n} {one}s"),
        };
        let most = self.sizes.keys().max().copied().unwrap_or(2);
        let mut parts = vec![match most {
            2 => "2 sessions".to_owned(),
            most => format!("up to {most} sessions"),
        }];
        let mut met = Vec::new();
        for (sessions, size) in &self.sizes {
            let groups = size.groups.len();
            match sessions {
                _ if groups == 0 => {}
                2 => met.push(plural(groups, "pair")),
                _ => met.push(format!(
                    "{} of {}",
                    plural(groups, "group"),
                    in_words(*sessions)
                )),
            }
        }
        if !self.narrowed.is_empty() {
            let names: Vec<String> = self
                .narrowed
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            parts.push(format!("narrowed by the design to {}", names.join(", ")));
        }
        if !met.is_empty() {
            let states = plural(self.states.len(), "state");
            parts.push(format!("{} of commands from {states}", met.join(" and ")));
        }
        if self.writes > 0 {
            parts.push(plural(self.writes, "race") + " of single writes");
        }
        parts.extend(
            self.sizes
                .iter()
                .map(|(sessions, size)| size.orders(*sessions)),
        );
        parts.push(format!("up to {RETRIES} retries"));
        if self.unrepeated > 0 {
            let count = plural(self.unrepeated, "schedule");
            parts.push(format!("{count} that did not repeat left out"));
        }
        if self.loose {
            parts.push("who of several goes on first left to PostgreSQL".to_owned());
        }
        parts.push("statements taken as whole steps".to_owned());
        parts.push(format!("PostgreSQL {}", self.server));
        parts.join(", ")
    }

    fn figures(&self) -> Vec<(String, f64)> {
        let pairs = self.sizes.get(&2).map_or(0, |size| size.groups.len());
        let figures = [
            ("commands", self.commands),
            ("pairs", pairs),
            ("groups", self.sum(|size| size.groups.len())),
            ("sessions", self.sizes.keys().max().copied().unwrap_or(2)),
            ("trials", self.trials),
            ("states", self.states.len()),
            ("schedules", self.sum(|size| size.complete)),
            ("schedules_cut_off", self.sum(|size| size.pruned)),
            ("schedules_by_chance", self.sum(|size| size.walks)),
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
        None if tally.unconfirmed > 0 => (
            Verdict::Held,
            Some(
                "it was seen to break, but not again: who of several goes on first cannot be told to this server"
                    .to_owned(),
            ),
        ),
        None if tally.is_exhausted() => (Verdict::Proven, None),
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
