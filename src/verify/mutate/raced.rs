//! Mutants of commands: each lock, level and condition is taken out in turn, and the races must notice.
//!
//! Whoever notices counts: a lock may serve several rules, or the order in which commands wait. One that is not missed alone is tried
//! together with others that may hide its loss, those of commands and those of the schema; only what is not missed then is said to be of
//! no use.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::mutant::without_objects;
use super::statement::{Guard, guards};
use crate::design::{Enforcement, Invariant};
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::invariant::Mechanism;
use crate::verify::race::{Alteration, Noticed, Racer};
use crate::verify::runner::Progress;
use crate::verify::stage::Stage;

/// Pairs of guards that are taken out together.
const PAIRS: usize = 12;
/// Mechanisms of the schema that one guard is tried with.
const OF_SCHEMA: usize = 3;

/// What became of one guard.
pub(super) struct Tried {
    pub title: String,
    /// The invariant that it is counted for.
    pub invariant: String,
    pub killed: bool,
    /// Why nothing can be said.
    pub untried: Option<String>,
    pub duration: Duration,
}

/// What came of all of them.
#[derive(Default)]
pub(super) struct Raced {
    pub tried: Vec<Tried>,
    pub findings: Vec<Finding>,
    /// Invariants of which something that protects them was missed.
    pub noticed: BTreeSet<String>,
}

struct Survey<'s, 'a, 'r> {
    stage: &'s Stage<'a>,
    racer: &'s mut Racer<'r>,
    progress: &'s mut dyn Progress,
    raced: Raced,
    /// By invariant, how many are counted for it.
    counted: BTreeMap<String, usize>,
}

/// A guard that nobody missed.
struct Survivor {
    guard: Guard,
    invariants: Vec<String>,
    noticed: Noticed,
    duration: Duration,
}

/// How many things commands do to be kept apart.
pub(super) fn count(stage: &Stage<'_>) -> usize {
    guards(stage.model, &stage.compiled.catalog).len()
}

/// Takes each out in turn.
pub(super) async fn race(
    stage: &Stage<'_>,
    racer: &mut Racer<'_>,
    progress: &mut dyn Progress,
) -> Result<Raced, Error> {
    let mut survey = Survey {
        stage,
        racer,
        progress,
        raced: Raced::default(),
        counted: BTreeMap::new(),
    };
    let mut open = Vec::new();
    for guard in guards(stage.model, &stage.compiled.catalog) {
        let mut next = Some(guard);
        while let Some(guard) = next.take() {
            let below = guard.below.clone();
            if let Some(survivor) = survey.one(guard).await? {
                open.push(survivor);
                next = below.map(|below| *below);
            }
        }
    }
    survey.together(&mut open).await?;
    survey.with_schema(&mut open).await?;
    survey.all_of_an_invariant(&mut open).await?;
    for survivor in open {
        survey.unneeded(survivor);
    }
    Ok(survey.raced)
}

impl Survey<'_, '_, '_> {
    /// One guard alone; given back where nobody missed it.
    async fn one(&mut self, guard: Guard) -> Result<Option<Survivor>, Error> {
        let command = guard.without.command.clone();
        let invariants = self.racer.protected_by(&command);
        // Without a rule that its races could break there is nothing to ask.
        if invariants.is_empty() || !self.racer.commits(&command) {
            return Ok(None);
        }
        self.progress.claim(&guard.title);
        let start = Instant::now();
        let without = std::slice::from_ref(&guard.without);
        let noticed = self.racer.race_altered(without).await?;
        let survivor = Survivor {
            guard,
            invariants,
            noticed,
            duration: start.elapsed(),
        };
        if let Some(reason) = &survivor.noticed.refused {
            let reason = format!("the server does not take the statement without it: {reason}");
            self.note(&survivor, false, Some(reason));
            return Ok(None);
        }
        if survivor.noticed.meetings == 0 {
            let reason = "no two commands can commit in the same state".to_owned();
            self.note(&survivor, false, Some(reason));
            return Ok(None);
        }
        if survivor.noticed.is_noticed() {
            self.note(&survivor, true, None);
            return Ok(None);
        }
        Ok(Some(survivor))
    }

    /// Counts it for one invariant, and notes for which of them something was missed.
    fn note(&mut self, survivor: &Survivor, killed: bool, untried: Option<String>) {
        let by = &survivor.noticed.by;
        let broke = |name: &&String| by.contains(*name);
        let own: Vec<&String> = match by.is_empty() {
            true => survivor.invariants.iter().collect(),
            false => survivor.invariants.iter().filter(broke).collect(),
        };
        let left_to_commands = |name: &str| {
            let found = self.invariant(name);
            found.is_some_and(|invariant| !is_databases(invariant.enforced))
        };
        // What the database does not do by itself is what commands are written so for; of those the one that has least to show.
        let home = own.into_iter().min_by_key(|name| {
            let counted = self.counted.get(*name).copied().unwrap_or(0);
            (!left_to_commands(name), counted)
        });
        let Some(home) = home.cloned() else {
            return;
        };
        *self.counted.entry(home.clone()).or_default() += 1;
        if killed {
            self.raced
                .noticed
                .extend(survivor.invariants.iter().cloned());
        }
        self.raced.tried.push(Tried {
            title: survivor.guard.title.clone(),
            invariant: home,
            killed,
            untried,
            duration: survivor.duration,
        });
    }

    fn invariant(&self, name: &str) -> Option<&Invariant> {
        let mut all = self.stage.model.invariants.iter();
        all.find(|known| known.name.as_str() == name)
    }

    /// Two that nobody missed alone: each may do the work of the other.
    async fn together(&mut self, open: &mut Vec<Survivor>) -> Result<(), Error> {
        let mut pairs: Vec<(bool, usize, usize)> = Vec::new();
        for first in 0..open.len() {
            for second in first + 1..open.len() {
                let (one, two) = (&open[first], &open[second]);
                let shares = one.invariants.iter().any(|i| two.invariants.contains(i));
                let same = one.guard.without.command == two.guard.without.command;
                // SKIP LOCKED and the lock it belongs to are one thing.
                let nested = same
                    && one.guard.at.start <= two.guard.at.start
                    && two.guard.at.end <= one.guard.at.end;
                if shares && !nested {
                    pairs.push((!same, first, second));
                }
            }
        }
        pairs.sort();
        let mut found: BTreeSet<usize> = BTreeSet::new();
        for (_, first, second) in pairs.into_iter().take(PAIRS) {
            if found.contains(&first) || found.contains(&second) {
                continue;
            }
            let both = [&open[first], &open[second]].map(|one| one.guard.without.clone());
            let noticed = self.racer.race_altered(&both).await?;
            if noticed.is_noticed() {
                let hidden = redundant(&open[first].guard, &open[second].guard.title);
                self.find(hidden);
                for at in [first, second] {
                    open[at].noticed.by = noticed.by.clone();
                    found.insert(at);
                }
            }
        }
        self.settle(open, &found);
        Ok(())
    }

    /// These were missed after all.
    fn settle(&mut self, open: &mut Vec<Survivor>, found: &BTreeSet<usize>) {
        for at in found.iter().rev() {
            let survivor = open.remove(*at);
            self.note(&survivor, true, None);
        }
    }

    /// The schema may hold what the commands hold as well: without its mechanism the commands alone must do it, with the guard and
    /// not without.
    async fn with_schema(&mut self, open: &mut Vec<Survivor>) -> Result<(), Error> {
        let mut found = BTreeSet::new();
        let stage = self.stage;
        for (at, survivor) in open.iter_mut().enumerate() {
            let near = |mechanism: &&Mechanism| {
                let of = mechanism.invariant.as_ref();
                of.is_some_and(|of| survivor.invariants.contains(of))
            };
            let mechanisms = stage.compiled.mechanisms.iter().filter(near);
            let mechanisms: Vec<&Mechanism> = mechanisms.take(OF_SCHEMA).collect();
            for mechanism in mechanisms {
                if self.without_both(&survivor.guard, mechanism).await? {
                    self.find(redundant(&survivor.guard, &mechanism.title));
                    survivor.noticed.by = mechanism.invariant.iter().cloned().collect();
                    found.insert(at);
                    break;
                }
            }
        }
        self.settle(open, &found);
        Ok(())
    }

    async fn without_both(&mut self, guard: &Guard, mechanism: &Mechanism) -> Result<bool, Error> {
        let name = mechanism.invariant.as_deref().unwrap_or_default();
        let Some(invariant) = self.invariant(name).cloned() else {
            return Ok(false);
        };
        let whole = self.racer.mutable();
        let (copy, catalog) = without_objects(self.stage, &mechanism.objects).await?;
        let ground = crate::verify::race::Ground {
            model: self.stage.model,
            catalog: &catalog,
            server: self.stage.server,
            template: &copy,
        };
        let mut racer = Racer::open_mutant(ground, &invariant, &whole).await?;
        let noticed = racer
            .race_altered(std::slice::from_ref(&guard.without))
            .await;
        racer.close().await?;
        copy.drop().await?;
        Ok(noticed?.by.contains(name))
    }

    /// Where nothing that commands do for an invariant was missed, alone or in pairs: all of it at once.
    async fn all_of_an_invariant(&mut self, open: &mut Vec<Survivor>) -> Result<(), Error> {
        let names: BTreeSet<String> = open
            .iter()
            .flat_map(|survivor| survivor.invariants.iter().cloned())
            .filter(|name| !self.raced.noticed.contains(name))
            .collect();
        for name in names {
            let all: Vec<usize> = (0..open.len())
                .filter(|at| open[*at].invariants.contains(&name))
                .collect();
            if all.len() < 3 {
                continue;
            }
            let without: Vec<Alteration> = all
                .iter()
                .map(|at| open[*at].guard.without.clone())
                .collect();
            let noticed = self.racer.race_altered(&without).await?;
            if !noticed.by.contains(&name) {
                continue;
            }
            let others: Vec<&str> = all[1..]
                .iter()
                .map(|at| open[*at].guard.title.as_str())
                .collect();
            let hidden = redundant(&open[all[0]].guard, &others.join(", "));
            self.find(hidden);
            for at in &all {
                open[*at].noticed.by = noticed.by.clone();
            }
            self.settle(open, &all.into_iter().collect());
        }
        Ok(())
    }

    fn find(&mut self, finding: Finding) {
        let design = self.stage.model.name.as_str();
        self.raced.findings.push(finding.of(design));
    }

    /// Nobody missed it at all.
    fn unneeded(&mut self, survivor: Survivor) {
        let guard = &survivor.guard;
        let message = format!(
            "no race of two sessions needs {}: without it every rule holds and every outcome stays",
            guard.title
        );
        let help = match &survivor.noticed.ends {
            Some(ends) => format!(
                "without it {ends} together: if that must not be, say so as an invariant; else leave it out"
            ),
            None => "leave it out, or state the invariant that it is there for".to_owned(),
        };
        let finding = Finding::new(
            "unneeded-lock",
            Severity::Advice,
            guard.title.clone(),
            message,
            guard.at,
        );
        self.find(finding.help(help));
        self.note(&survivor, false, None);
    }
}

fn is_databases(enforced: Enforcement) -> bool {
    enforced.is_databases()
}

fn redundant(guard: &Guard, other: &str) -> Finding {
    let message = format!(
        "{} is not missed when it is taken out: {other} does the same",
        guard.title
    );
    Finding::new(
        "redundant-mechanism",
        Severity::Advice,
        guard.title.clone(),
        message,
        guard.at,
    )
    .help("keep one of the two, or say in `because` why both are there")
}
