//! What is said of a query, from its run on the sample and its plans at the declared volumes.

use super::case::Case;
use super::planned::{AtVolume, Planned};
use crate::explain::{Outcome, PlanTree};
use crate::finding::{Counterexample, PlanAt, Verdict};
use crate::verify::Judged;

/// Below so many times the cost another plan is nearly as good, and small changes of the statistics decide.
const NARROW: f64 = 1.1;

/// Indexes that were taken out.
#[derive(Clone, Debug, Default)]
pub(super) struct Survivors {
    /// How many.
    pub made: u64,
    /// Those that no expectation missed.
    pub names: Vec<String>,
    /// The one that is missed least, and how many times dearer the query is without it.
    pub margin: Option<(String, f64)>,
}

impl Survivors {
    pub(super) fn killed(&self) -> u64 {
        self.made - self.names.len() as u64
    }
}

/// What came of one expectation in all.
enum Settled {
    Holds,
    Broken(String, Vec<usize>, PlanTree),
    Open(String),
}

/// The verdict on a query.
pub(super) fn conclude(
    case: &Case<'_>,
    planned: Option<&AtVolume>,
    survivors: &Survivors,
    volume: &str,
) -> Judged {
    let judged = verdict(case, planned, survivors);
    let rows = case.sampled.root().and_then(|root| root.actual);
    let cost = |planned: Option<&Planned>| {
        let root = planned.and_then(|planned| planned.plan.root());
        root.map_or(0, |root| root.total_cost.min(1e18) as usize)
    };
    let moments = planned
        .map(|planned| planned.planned.as_slice())
        .unwrap_or_default();
    let mut judged = judged.figure("expectations", case.asked.len());
    // What was only planned has no rows, and no index of it was taken out.
    if let Some(actual) = rows {
        judged = judged
            .figure("rows", actual.total() as usize)
            .figure("mutants_made", survivors.made as usize)
            .figure("mutants_killed", survivors.killed() as usize);
    }
    if !moments.is_empty() {
        judged = judged
            .figure("moments", moments.len())
            .figure("cost_now", cost(moments.first()))
            .figure("cost_at_horizon", cost(moments.last()));
    }
    if let Some((_, margin)) = &survivors.margin {
        let margin = (margin * 1000.0).round() / 1000.0;
        judged.figures.push(("margin".to_owned(), margin));
    }
    let plans = moments.iter().map(|moment| PlanAt {
        when: moment.point.words(),
        nodes: moment.plan.outline(),
    });
    Judged {
        volume: Some(volume.to_owned()),
        plans: plans.collect(),
        ..judged
    }
}

fn verdict(case: &Case<'_>, planned: Option<&AtVolume>, survivors: &Survivors) -> Judged {
    if let Some(failure) = planned.and_then(|planned| planned.failed.as_ref()) {
        return Judged::unchecked(format!(
            "it could not be planned at the declared volume: {} ({})",
            failure.message,
            failure.sqlstate.code()
        ));
    }
    let (mut held, mut open) = (0, Vec::new());
    for at in 0..case.asked.len() {
        match settle(case, planned, at) {
            Settled::Holds => held += 1,
            Settled::Open(why) => open.push(format!("{}: {why}", case.asked[at].text)),
            Settled::Broken(found, at_fault, plan) => {
                return Judged::refuted(format!("expected {}: {found}", case.asked[at].text)).with(
                    Counterexample::Plan {
                        tree: plan.lines(),
                        at_fault,
                    },
                );
            }
        }
    }
    let judged = if !open.is_empty() {
        Judged::unchecked(open.join("; "))
    } else if !survivors.names.is_empty() {
        Judged::new(Verdict::Vacuous).reason(format!(
            "taken out, {} was not missed",
            survivors.names.join(", ")
        ))
    } else {
        Judged::new(Verdict::Held)
    };
    judged
        .bounds(bounds(planned, survivors))
        .figure("expectations_held", held)
}

/// Broken at any volume is broken. What a plan alone cannot say is said by the run on the sample, as long as that is the same plan.
fn settle(case: &Case<'_>, planned: Option<&AtVolume>, at: usize) -> Settled {
    let moments = planned
        .map(|planned| planned.planned.as_slice())
        .unwrap_or_default();
    for moment in moments {
        if let Some(Outcome::Broken { found, at_fault }) = moment.outcomes.get(at) {
            let when = moment.point.words();
            return Settled::Broken(
                format!("{when}, it {found}"),
                at_fault.clone(),
                moment.plan.clone(),
            );
        }
    }
    let is_planned = |moment: &Planned| matches!(moment.outcomes.get(at), Some(Outcome::Holds(_)));
    let holds_at_volume = !moments.is_empty() && moments.iter().all(is_planned);
    let same = moments
        .first()
        .is_none_or(|now| now.plan.shape() == case.sampled.shape());
    match &case.outcomes[at] {
        Outcome::Holds(_) => Settled::Holds,
        _ if holds_at_volume => Settled::Holds,
        Outcome::Undecided(why) => {
            let said = moments
                .iter()
                .find_map(|moment| match moment.outcomes.get(at) {
                    Some(Outcome::Undecided(why)) => Some(why.clone()),
                    _ => None,
                });
            Settled::Open(said.unwrap_or_else(|| why.clone()))
        }
        Outcome::Broken { found, at_fault } => match (case.could_hold[at], same) {
            // The planner can do it and does not: at this size it is dearer.
            (true, _) => Settled::Open(format!(
                "{found} on the sample, where it is cheaper; only the declared volume can say"
            )),
            (false, false) => Settled::Open(format!(
                "{found} on the sample, which is planned otherwise than the declared volume"
            )),
            (false, true) => Settled::Broken(found.clone(), at_fault.clone(), case.sampled.clone()),
        },
    }
}

fn bounds(planned: Option<&AtVolume>, survivors: &Survivors) -> String {
    let mut parts = vec!["typical values of one sampled row".to_owned()];
    if let Some(planned) = planned {
        let moments: Vec<String> = planned
            .planned
            .iter()
            .map(|moment| moment.point.words())
            .collect();
        parts.push(format!("planned {}", moments.join(", ")));
        parts.extend(planned.flips.iter().cloned());
        parts.extend(planned.fragile.iter().cloned());
        parts.extend(
            planned
                .generic
                .iter()
                .map(|line| format!("prepared for all values: {line}")),
        );
    }
    if survivors.made > 0 {
        parts.push(format!(
            "without each of {} index(es) an expectation broke",
            survivors.made
        ));
    }
    if let Some((index, margin)) = &survivors.margin
        && *margin < NARROW
    {
        let more = (100.0 * (margin - 1.0)).max(0.0);
        parts.push(format!(
            "without {index} it would cost {more:.0} % more, which little can turn round"
        ));
    }
    parts.join("; ")
}
