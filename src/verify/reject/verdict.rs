//! From outcomes to a verdict.

use std::time::Instant;

use super::claims::Claimed;
use super::judge::{Bench, Outcome};
use crate::error::Error;
use crate::finding::Verdict;
use crate::verify::evidence::Judged;

/// Plays the trials of a claim. Of alternatives the first that comes out is enough.
async fn settle(bench: &mut Bench<'_>, claimed: &Claimed) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = Vec::with_capacity(claimed.trials.len());
    for trial in &claimed.trials {
        let outcome = bench.try_out(trial, &[]).await?;
        let decides = matches!(outcome, Outcome::AsClaimed | Outcome::Wrong(..));
        if claimed.ways && decides {
            return Ok(vec![outcome]);
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// What the outcomes say about the claim.
pub(crate) async fn judge(bench: &mut Bench<'_>, claimed: &Claimed) -> Result<Judged, Error> {
    let start = Instant::now();
    if let Some(reason) = &claimed.unable {
        return Ok(Judged::unchecked(reason.clone()).took(start));
    }
    let outcomes = settle(bench, claimed).await?;
    let wrong = outcomes.iter().find_map(|outcome| match outcome {
        Outcome::Wrong(reason, counterexample) => Some((reason.clone(), counterexample.clone())),
        _ => None,
    });
    if let Some((reason, counterexample)) = wrong {
        return Ok(Judged::refuted(reason).with(counterexample).took(start));
    }
    let as_claimed = outcomes
        .iter()
        .filter(|outcome| **outcome == Outcome::AsClaimed)
        .count();
    // Of alternatives one outcome is left, or none came out and the first says why.
    let hindered =
        claimed
            .trials
            .iter()
            .zip(&outcomes)
            .find_map(|(trial, outcome)| match outcome {
                Outcome::Otherwise(reason) | Outcome::Unable(reason) if !trial.optional => {
                    Some(reason.clone())
                }
                _ => None,
            });
    let open = hindered.or_else(|| (as_claimed == 0).then(|| first_reason(&outcomes)));
    if let Some(reason) = open {
        return Ok(Judged::unchecked(reason)
            .figure("cases", as_claimed)
            .took(start));
    }
    let plural = if as_claimed == 1 { "" } else { "s" };
    let bounds = format!(
        "{as_claimed} illegal write{plural} refused by what should refuse it, each beside a legal one"
    );
    Ok(Judged::new(Verdict::Proven)
        .bounds(bounds)
        .figure("cases", as_claimed)
        .took(start))
}

fn first_reason(outcomes: &[Outcome]) -> String {
    let reasons = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Otherwise(reason) | Outcome::Unable(reason) => Some(reason.clone()),
        _ => None,
    });
    reasons
        .into_iter()
        .next()
        .unwrap_or_else(|| "nothing could be tried".to_owned())
}
