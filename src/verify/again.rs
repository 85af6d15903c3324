//! A counterexample from a file, run again in the design as it is now.

use std::time::Instant;

use super::evidence::Judged;
use super::race::{self, Replayed};
use super::run::Run;
use super::runner::{ground, invariant_claim};
use super::stage::{Stage, Staged};
use crate::compile::Compiled;
use crate::design::Model;
use crate::error::Error;
use crate::finding::{Evidence, Finding, Method, Replay, Verdict};
use crate::template::Environment;

/// What came of it.
pub enum Again {
    /// It was run; what it shows, and a sentence about it where it breaks nothing, or in another order.
    Ran(Box<Evidence>, Option<String>),
    /// The server refused the schema.
    Refused(Box<Finding>),
}

/// Runs a counterexample again.
pub async fn replay(
    run: &Run<'_>,
    model: &Model,
    compiled: &Compiled,
    environment: &Environment,
    wanted: &Replay,
) -> Result<Again, Error> {
    let start = Instant::now();
    let stage = match Stage::open(run.server, model, compiled, environment).await? {
        Staged::Ready(stage) => stage,
        Staged::Refused(finding) => return Ok(Again::Refused(Box::new(finding))),
    };
    let replayed = race::replay(ground(&stage), wanted).await;
    stage.close().await?;
    let (mut judged, said) = match replayed? {
        Replayed::Breaks {
            counterexample,
            otherwise,
        } => {
            let mut judged = Judged::new(Verdict::Refuted).with(*counterexample);
            judged.reason.clone_from(&otherwise);
            (judged, otherwise)
        }
        Replayed::Holds { said, bounds } => {
            let judged = Judged::new(Verdict::Held)
                .bounds(bounds)
                .reason(said.clone());
            (judged, Some(said))
        }
    };
    judged.duration = start.elapsed();
    let invariant = model
        .invariants
        .iter()
        .find(|invariant| invariant.name.as_str() == wanted.invariant);
    let Some(invariant) = invariant else {
        return Err(Error::Internal("an invariant went away".to_owned()));
    };
    let mut evidence = run.evidence(model, Method::Race, invariant_claim(invariant), judged);
    // Not tried as `verify` does: this very race, once more.
    evidence.reproduce = run.command.to_owned();
    Ok(Again::Ran(Box::new(evidence), said))
}
