//! From outcomes to a verdict.

use std::time::Instant;

use super::claims::{Claimed, own_name};
use super::judge::{Bench, Outcome};
use super::trial::Trial;
use crate::catalog::ObjectPath;
use crate::error::Error;
use crate::finding::Verdict;
use crate::verify::evidence::Judged;
use crate::verify::remove::statements;

/// A trial that came out as claimed.
#[derive(Clone, Debug)]
pub(crate) struct Sound {
    /// Which of the claim's trials.
    pub trial: usize,
    /// What had to be taken out first, because it refuses the same before it.
    pub behind: Vec<ObjectPath>,
}

/// A claim that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    /// What came of it.
    pub judged: Judged,
    /// Trials that can notice when something is missing.
    pub sound: Vec<Sound>,
}

/// Tries a claim. Of alternatives the first that comes out is enough.
pub(crate) async fn settle(bench: &mut Bench<'_>, claimed: &Claimed) -> Result<Settled, Error> {
    let start = Instant::now();
    let mut sound = Vec::new();
    let mut outcomes = Vec::with_capacity(claimed.trials.len());
    for (number, trial) in claimed.trials.iter().enumerate() {
        let (outcome, behind) = try_behind(bench, trial).await?;
        if outcome == Outcome::AsClaimed {
            sound.push(Sound {
                trial: number,
                behind,
            });
        }
        let decides = matches!(outcome, Outcome::AsClaimed | Outcome::Wrong(..));
        if claimed.ways && decides {
            outcomes = vec![(false, outcome)];
            break;
        }
        outcomes.push((trial.optional, outcome));
    }
    let judged = judge(
        claimed,
        &outcomes,
        sound.iter().any(|sound| !sound.behind.is_empty()),
    );
    Ok(Settled {
        judged: judged.took(start),
        sound,
    })
}

/// Where somebody else refuses first, the trial is played without that.
async fn try_behind(
    bench: &mut Bench<'_>,
    trial: &Trial,
) -> Result<(Outcome, Vec<ObjectPath>), Error> {
    let first = bench.try_out(trial, &[]).await?;
    let Outcome::Otherwise(_, Some(name)) = &first else {
        return Ok((first, Vec::new()));
    };
    let table = trial.objects.iter().find_map(ObjectPath::table);
    // Triggers of one invariant refuse in the name that theirs begin with.
    let refuses = |object: &&ObjectPath| {
        let own = own_name(object);
        let named = own.is_some_and(|own| own.as_str().starts_with(name.as_str()));
        named && object.table() == table && !trial.objects.contains(object)
    };
    let objects = bench
        .stage
        .compiled
        .mechanisms
        .iter()
        .flat_map(|mechanism| &mechanism.objects);
    let behind: Vec<ObjectPath> = objects.filter(refuses).cloned().collect();
    if behind.is_empty() {
        return Ok((first, behind));
    }
    let mutation = statements(bench.catalog, &behind);
    match bench.try_out(trial, &mutation).await? {
        Outcome::AsClaimed => Ok((Outcome::AsClaimed, behind)),
        _ => Ok((first, Vec::new())),
    }
}

/// What the outcomes say; each with whether the claim hangs on it (`false`) or not.
fn judge(claimed: &Claimed, outcomes: &[(bool, Outcome)], behind: bool) -> Judged {
    if let Some(reason) = &claimed.unable {
        return Judged::unchecked(reason.clone());
    }
    let wrong = outcomes.iter().find_map(|(_, outcome)| match outcome {
        Outcome::Wrong(reason, counterexample) => Some((reason.clone(), counterexample.clone())),
        _ => None,
    });
    if let Some((reason, counterexample)) = wrong {
        return Judged::refuted(reason).with(counterexample);
    }
    let as_claimed = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == Outcome::AsClaimed)
        .count();
    let reason = |(_, outcome): &(bool, Outcome)| match outcome {
        Outcome::Otherwise(reason, _) | Outcome::Unable(reason) => Some(reason.clone()),
        _ => None,
    };
    let hindered = outcomes
        .iter()
        .filter(|(optional, _)| !optional)
        .find_map(reason);
    let nothing = || {
        outcomes
            .iter()
            .find_map(reason)
            .unwrap_or_else(|| "nothing could be tried".to_owned())
    };
    if let Some(reason) = hindered.or_else(|| (as_claimed == 0).then(nothing)) {
        return Judged::unchecked(reason).figure("cases", as_claimed);
    }
    let plural = if as_claimed == 1 { "" } else { "s" };
    let behind = if behind {
        ", with what refuses the same before it taken out"
    } else {
        ""
    };
    let bounds = format!(
        "{as_claimed} illegal write{plural} refused by what should refuse it, each beside a legal one{behind}"
    );
    Judged::new(Verdict::Proven)
        .bounds(bounds)
        .figure("cases", as_claimed)
}
