//! All mutants of a design, and what they say about its claims.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::mutant::{Fate, Sound, by_races, by_writes};
use super::raced::{self, Tried};
use crate::catalog::ObjectPath;
use crate::design::Invariant;
use crate::error::Error;
use crate::finding::{Claim, Finding, Method, Severity, Verdict};
use crate::invariant::Mechanism;
use crate::verify::evidence::Judged;
use crate::verify::part::Part;
use crate::verify::race::{Mutable, Racer};
use crate::verify::reject::{Bench, Claimed, Settled};
use crate::verify::runner::{Progress, invariant_claim};
use crate::verify::stage::Stage;

/// What came of it.
#[derive(Default)]
pub(crate) struct Surveyed {
    /// One for each claim that has mechanisms.
    pub judged: Vec<(Claim, Judged)>,
    /// Mechanisms that hide each other.
    pub findings: Vec<Finding>,
    /// Mutants made.
    pub made: usize,
    /// Mutants noticed.
    pub killed: usize,
}

/// Mutants of one claim.
#[derive(Default)]
struct Tally {
    made: usize,
    killed: usize,
    survivors: Vec<String>,
    /// What commands do that nobody missed.
    unneeded: Vec<String>,
    /// Whether anything that protects the claim was missed, counted here or elsewhere.
    noticed: bool,
    untried: Vec<String>,
    duration: Duration,
}

/// How many mutants there will be at least.
pub(crate) fn count(stage: &Stage<'_>) -> usize {
    stage.compiled.mechanisms.len() + raced::count(stage)
}

/// Takes out every mechanism in turn. `racer` races the whole design, where it can be raced.
pub(crate) async fn survey(
    bench: &mut Bench<'_>,
    claims: &[Claimed],
    settled: &[Settled],
    racer: Option<&mut Racer<'_>>,
    (part, progress): (&Part, &mut dyn Progress),
) -> Result<Surveyed, Error> {
    let stage = bench.stage;
    let races = racer.as_ref().map(|racer| racer.mutable());
    let races = races.as_ref();
    let mechanisms = stage.compiled.mechanisms.iter();
    let mut subjects: Vec<String> = mechanisms
        .map(|mechanism| claim_of(stage, claims, mechanism).subject)
        .collect();
    // What commands do for a rule is counted for the rule.
    let raced = stage.model.invariants.iter();
    subjects.extend(raced.map(|invariant| invariant_claim(invariant).subject));
    let wanted = part.wanted(Method::Mutate, subjects.iter().map(String::as_str));
    let sound = sound(claims, settled);
    let mut found = Surveyed::default();
    let mut order: Vec<Claim> = Vec::new();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for mechanism in &stage.compiled.mechanisms {
        progress.claim(&mechanism.title);
        let claim = claim_of(stage, claims, mechanism);
        if !wanted.contains(&claim.subject) {
            continue;
        }
        if !order.iter().any(|known| known.subject == claim.subject) {
            order.push(claim.clone());
        }
        let start = Instant::now();
        let mut fate = fate(stage, bench, &sound, mechanism, races).await?;
        if fate == Fate::Survived
            && let Some(finding) = redundancy(stage, bench, &sound, mechanism).await?
        {
            // Taken out together with what hid its loss, it was noticed.
            found.findings.push(finding);
            fate = Fate::Killed;
        }
        let tally = tallies.entry(claim.subject.clone()).or_default();
        tally.duration += start.elapsed();
        match fate {
            Fate::Killed => {
                tally.made += 1;
                tally.killed += 1;
            }
            Fate::Survived => {
                tally.made += 1;
                tally.survivors.push(mechanism.title.clone());
            }
            Fate::Untried(reason) => tally.untried.push(format!("{}: {reason}", mechanism.title)),
        }
    }
    if let Some(racer) = racer {
        let raced = raced::race(stage, racer, progress).await?;
        found.findings.extend(raced.findings);
        for tried in raced.tried {
            let named = |known: &&Invariant| known.name.as_str() == tried.invariant;
            let Some(invariant) = stage.model.invariants.iter().find(named) else {
                continue;
            };
            let claim = invariant_claim(invariant);
            if !wanted.contains(&claim.subject) {
                continue;
            }
            if !order.iter().any(|known| known.subject == claim.subject) {
                order.push(claim.clone());
            }
            let tally = tallies.entry(claim.subject).or_default();
            tally.noticed |= raced.noticed.contains(&tried.invariant);
            tally.add(tried);
        }
    }
    for claim in order {
        let tally = tallies.remove(&claim.subject).unwrap_or_default();
        found.made += tally.made;
        found.killed += tally.killed;
        found.judged.push((claim, verdict(tally)));
    }
    Ok(found)
}

impl Tally {
    /// Something that a command does.
    fn add(&mut self, tried: Tried) {
        self.duration += tried.duration;
        match tried.untried {
            Some(reason) => self.untried.push(format!("{}: {reason}", tried.title)),
            None => {
                self.made += 1;
                self.killed += usize::from(tried.killed);
                if !tried.killed {
                    self.unneeded.push(tried.title);
                }
            }
        }
    }
}

/// Trials that come out as claimed in the whole schema: only they can notice anything.
fn sound<'a>(claims: &'a [Claimed], settled: &'a [Settled]) -> Vec<Sound<'a>> {
    let pairs = claims.iter().zip(settled);
    pairs
        .flat_map(|(claimed, settled)| {
            settled.sound.iter().filter_map(move |sound| {
                let trial = claimed.trials.get(sound.trial)?;
                Some(Sound {
                    claimed,
                    trial,
                    behind: &sound.behind,
                })
            })
        })
        .collect()
}

fn claim_of(stage: &Stage<'_>, claims: &[Claimed], mechanism: &Mechanism) -> Claim {
    if let Some(name) = &mechanism.invariant
        && let Some(invariant) = stage
            .model
            .invariants
            .iter()
            .find(|known| known.name.as_str() == name)
    {
        return invariant_claim(invariant);
    }
    let tries = |claimed: &&Claimed| {
        claimed.invariant.is_none()
            && claimed
                .trials
                .iter()
                .any(|trial| trial.objects.iter().any(|o| mechanism.objects.contains(o)))
    };
    let named = |claimed: &&Claimed| {
        claimed.invariant.is_none()
            && mechanism
                .objects
                .iter()
                .any(|object| subject(object).as_ref() == Some(&claimed.claim.subject))
    };
    let found = claims
        .iter()
        .find(tries)
        .or_else(|| claims.iter().find(named));
    match found {
        Some(claimed) => claimed.claim.clone(),
        None => Claim {
            subject: mechanism.title.clone(),
            statement: "is enforced".to_owned(),
            at: Some(mechanism.at),
        },
    }
}

/// The subject under which a constraint is claimed, where nothing tries it.
fn subject(object: &ObjectPath) -> Option<String> {
    use ObjectPath::*;
    match object {
        Unique(table, name)
        | Check(table, name)
        | ForeignKey(table, name)
        | Exclusion(table, name)
        | Index(table, name) => Some(format!(
            "constraint {} on {}",
            name.as_str(),
            table.name.as_str()
        )),
        _ => None,
    }
}

async fn fate(
    stage: &Stage<'_>,
    bench: &mut Bench<'_>,
    sound: &[Sound<'_>],
    mechanism: &Mechanism,
    races: Option<&Mutable>,
) -> Result<Fate, Error> {
    let by_writes = by_writes(
        bench,
        sound,
        &mechanism.objects,
        mechanism.invariant.as_deref(),
    )
    .await?;
    if by_writes == Fate::Killed {
        return Ok(by_writes);
    }
    let invariant = mechanism.invariant.as_ref().and_then(|name| {
        stage
            .model
            .invariants
            .iter()
            .find(|known| known.name.as_str() == name)
    });
    match (invariant, races) {
        (Some(invariant), Some(races)) => by_races(stage, mechanism, invariant, races).await,
        _ => Ok(by_writes),
    }
}

/// Another mechanism that hides the loss of this one: without both, the writes notice.
async fn redundancy(
    stage: &Stage<'_>,
    bench: &mut Bench<'_>,
    sound: &[Sound<'_>],
    mechanism: &Mechanism,
) -> Result<Option<Finding>, Error> {
    let tables: Vec<_> = mechanism
        .objects
        .iter()
        .filter_map(ObjectPath::table)
        .collect();
    for other in &stage.compiled.mechanisms {
        let same = other.objects == mechanism.objects;
        let near = other.invariant.is_some() && other.invariant == mechanism.invariant
            || other
                .objects
                .iter()
                .filter_map(ObjectPath::table)
                .any(|table| tables.contains(&table));
        if same || !near {
            continue;
        }
        let both: Vec<ObjectPath> = mechanism
            .objects
            .iter()
            .chain(&other.objects)
            .cloned()
            .collect();
        let alone = by_writes(bench, sound, &other.objects, mechanism.invariant.as_deref()).await?;
        // What the other one alone breaks says nothing about this one: it must take both.
        if alone == Fate::Killed
            && mechanism.invariant.is_some()
            && other.invariant == mechanism.invariant
        {
            continue;
        }
        if hidden_by(bench, sound, mechanism, &both).await? {
            let message = format!(
                "{} is not missed when it is taken out: {} refuses the same",
                mechanism.title, other.title
            );
            let finding = Finding::new(
                "redundant-mechanism",
                Severity::Advice,
                mechanism.title.clone(),
                message,
                mechanism.at,
            );
            return Ok(Some(
                finding
                    .help("keep one of the two, or say in `because` why both are there")
                    .of(stage.model.name.as_str()),
            ));
        }
    }
    Ok(None)
}

/// Whether the trials of this mechanism itself notice once both are gone.
async fn hidden_by(
    bench: &mut Bench<'_>,
    sound: &[Sound<'_>],
    mechanism: &Mechanism,
    both: &[ObjectPath],
) -> Result<bool, Error> {
    let own: Vec<Sound<'_>> = sound
        .iter()
        .filter(|sound| {
            mechanism.invariant.is_some() && sound.claimed.invariant == mechanism.invariant
                || sound
                    .trial
                    .objects
                    .iter()
                    .any(|object| mechanism.objects.contains(object))
        })
        .copied()
        .collect();
    Ok(by_writes(bench, &own, both, mechanism.invariant.as_deref()).await? == Fate::Killed)
}

fn verdict(tally: Tally) -> Judged {
    // A lock that nobody misses is advice; where nothing else is missed either, nothing is known to protect the claim.
    let useless = (tally.killed == 0 && !tally.noticed)
        .then(|| tally.unneeded.first())
        .flatten();
    let judged = if let Some(survivor) = tally.survivors.first().or(useless) {
        Judged::new(Verdict::Vacuous).reason(format!("nobody notices when {survivor} is taken out"))
    } else if let Some(untried) = tally.untried.first() {
        Judged::unchecked(format!(
            "{} was not taken out; {untried}",
            if tally.untried.len() == 1 {
                "a mechanism"
            } else {
                "some mechanisms"
            }
        ))
    } else {
        let plural = if tally.made == 1 { "" } else { "s" };
        let spare = match tally.unneeded.as_slice() {
            [] => String::new(),
            all => format!(", no race needs {}", all.join(", ")),
        };
        Judged::new(Verdict::Proven).bounds(format!(
            "{} of {} mutant{plural} noticed{spare}",
            tally.killed, tally.made
        ))
    };
    let mut judged = judged
        .figure("mutants_made", tally.made)
        .figure("mutants_killed", tally.killed);
    judged.duration = tally.duration;
    judged
}
