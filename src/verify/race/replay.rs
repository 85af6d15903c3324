//! Runs a counterexample from a file again, in the design as it is now.

use super::arena::{Arena, Ground, Loaded};
use super::explore::{Explored, explore, replay as play_again};
use super::judge::judge;
use super::play::{Played, Trial, Watch};
use super::rehearse::scripts;
use super::scenario::{choices, effects, programs};
use super::schedule::Choice;
use super::show::{REPEATS, Shown, breaks, show, watch};
use crate::design::Invariant;
use crate::error::Error;
use crate::finding::{Counterexample, Replay};

/// Orders that are tried where the one of the counterexample cannot be followed any more.
const ORDERS: usize = 5000;

/// What came of a counterexample that was run again.
#[derive(Clone, Debug)]
pub enum Replayed {
    /// It breaks the rule again, each time.
    Breaks {
        /// What happened now.
        counterexample: Box<Counterexample>,
        /// Where its order could not be followed, or not only: what was done instead.
        otherwise: Option<String>,
    },
    /// It does not break the rule.
    Holds {
        /// A sentence that says what was tried.
        said: String,
        /// The same, short.
        bounds: String,
    },
}

/// Runs it. An error where it cannot be run in this design at all.
pub async fn replay(ground: Ground<'_>, wanted: &Replay) -> Result<Replayed, Error> {
    let model = ground.model;
    let named = |invariant: &&Invariant| invariant.name.as_str() == wanted.invariant;
    let Some(invariant) = model.invariants.iter().find(named) else {
        return Err(unfit(format!(
            "the design has no invariant `{}`",
            wanted.invariant
        )));
    };
    let mut arena = Arena::open(ground, &[invariant]).await?;
    let result = run(&mut arena, wanted).await;
    arena.close().await?;
    result
}

fn unfit(why: impl std::fmt::Display) -> Error {
    Error::Usage(format!("the counterexample cannot be replayed: {why}"))
}

async fn run(arena: &mut Arena<'_>, wanted: &Replay) -> Result<Replayed, Error> {
    if let Some(reason) = arena.unjudged.get(&wanted.invariant) {
        return Err(unfit(format!(
            "violations of `{}` cannot be looked for: {reason}",
            wanted.invariant
        )));
    }
    let scripts = scripts(arena.ground.model, arena);
    let footprint = |sql: &str| arena.footprint(sql);
    let programs = programs(wanted, &scripts, arena.ground.model, &footprint).map_err(unfit)?;
    let order = choices(&wanted.choices, programs.len()).map_err(unfit)?;
    let state = put_in_place(arena, wanted).await?;
    let trial = Trial { state, programs };
    let effects = effects(wanted, 0);
    let shown = |choices| Shown {
        trial: &trial,
        choices,
        judge: 0,
        effects: effects.as_ref(),
        seed: wanted.seed,
    };
    let mut fits = true;
    for _ in 0..REPEATS {
        let played = play_again(arena, &trial, &order, &watch(0, false), effects.as_ref()).await?;
        let Some(played) = played else {
            return Err(refused(arena, &trial).await?);
        };
        if breaks(&played, 0) {
            if let Some(found) = show(arena, &shown(&order)).await? {
                let longer = played.choices.len() > order.len();
                return Ok(Replayed::Breaks {
                    counterexample: Box::new(found),
                    otherwise: longer.then(|| {
                        "the programs have more steps now than the counterexample: it was followed to its end, and on from there without switching"
                            .to_owned()
                    }),
                });
            }
            // It broke, and then did not: no order to rely on.
            fits = false;
            break;
        }
        fits &= is_followed(&played, &order);
        if let (false, Some(why)) = (fits, strays(&played, &order)) {
            return elsewhere(arena, &trial, &why, &shown).await;
        }
    }
    if !fits {
        let why = "it does not happen the same way each time".to_owned();
        return elsewhere(arena, &trial, &why, &shown).await;
    }
    Ok(Replayed::Holds {
        said: format!(
            "`{}` does not break any more: the very order of the counterexample was followed {REPEATS} times",
            wanted.invariant
        ),
        bounds: format!("1 order of the steps of 1 counterexample, {REPEATS} times"),
    })
}

/// Whether every decision was taken as it was asked for, and no other.
fn is_followed(played: &Played, order: &[Choice]) -> bool {
    played.diverged.is_none() && played.choices == order
}

/// Where what happens leaves the order that was asked for.
fn strays(played: &Played, order: &[Choice]) -> Option<String> {
    let name = |session: usize| super::classify::letter(session);
    match played.diverged {
        Some(at) => Some(match order.get(at) {
            Some(Choice::Step(session)) => format!(
                "at decision {} session {} cannot go on, it waits or has ended",
                at + 1,
                name(*session)
            ),
            Some(Choice::Victim(session)) => format!(
                "at decision {} there is no deadlock in which session {} could die",
                at + 1,
                name(*session)
            ),
            Some(Choice::Wake(session)) => format!(
                "at decision {} session {} is not let go",
                at + 1,
                name(*session)
            ),
            None => format!("it ends before decision {}", at + 1),
        }),
        None if played.choices.len() < order.len() => Some(format!(
            "it ends after {} of {} decisions",
            played.choices.len(),
            order.len()
        )),
        None if played.choices.len() > order.len() => {
            Some("its programs go on beyond its end".to_owned())
        }
        None => None,
    }
}

/// The order does not fit any more: all others are tried, of the same programs from the same rows.
async fn elsewhere<'t>(
    arena: &mut Arena<'_>,
    trial: &'t Trial,
    why: &str,
    shown: &dyn Fn(&'t [Choice]) -> Shown<'t>,
) -> Result<Replayed, Error> {
    let wanted = Watch {
        reduce: true,
        ..watch(0, false)
    };
    let effects = shown(&[]).effects;
    let explored = explore(arena, trial, &wanted, effects, ORDERS).await?;
    let Explored {
        violations,
        schedules,
        pruned,
        exhausted,
        ..
    } = explored;
    let invariant = arena.judges[0].invariant.name.as_str().to_owned();
    if let Some((_, order)) = violations.into_iter().next() {
        let again = Shown {
            trial,
            choices: &order,
            ..shown(&[])
        };
        if let Some(found) = show(arena, &again).await? {
            return Ok(Replayed::Breaks {
                counterexample: Box::new(found),
                otherwise: Some(format!(
                    "the order of the counterexample does not fit the design any more ({why}), but another order of the same programs from the same rows breaks `{invariant}`"
                )),
            });
        }
    }
    let tried = match (exhausted, pruned) {
        (true, 0) => {
            format!("all {schedules} orders of the same programs from the same rows were tried")
        }
        (true, cut) => format!(
            "all {schedules} orders of the same programs from the same rows were tried ({cut} more are equal to one of these)"
        ),
        (false, _) => format!(
            "{schedules} orders of the same programs from the same rows were tried, not all"
        ),
    };
    Ok(Replayed::Holds {
        said: format!(
            "`{invariant}` does not break any more: the order of the counterexample does not fit the design any more ({why}); {tried}, and none breaks it"
        ),
        bounds: match exhausted {
            true => format!("all {schedules} orders of the steps of 1 counterexample"),
            false => format!("{schedules} orders of the steps of 1 counterexample, not all"),
        },
    })
}

/// Puts the rows in place. They must be legal: what breaks the rule already says nothing about a race.
async fn put_in_place(arena: &mut Arena<'_>, wanted: &Replay) -> Result<usize, Error> {
    let recalled = arena.resetter.recall(&wanted.rows, &wanted.sequences);
    let snapshot = recalled.map_err(unfit)?;
    arena.states.push(Loaded { snapshot });
    let state = arena.states.len() - 1;
    let snapshot = &arena.states[state].snapshot;
    let call = arena
        .resetter
        .put_back(&mut arena.control, state, snapshot, None)
        .await?;
    if let Err(failure) = arena.control.query(&call).await {
        return Err(unfit(format!(
            "its rows at the start are not legal any more: {}",
            failure.message
        )));
    }
    let broken = judge(&arena.control, &arena.judges, &[0]).await?;
    if !broken.is_empty() {
        return Err(unfit(format!(
            "its rows at the start break `{}` already, as the design says it now",
            wanted.invariant
        )));
    }
    Ok(state)
}

/// The server does not take a program's SQL any more.
async fn refused(arena: &mut Arena<'_>, trial: &Trial) -> Result<Error, Error> {
    let watch = Watch::default();
    let explored = explore(arena, trial, &watch, None, 1).await?;
    Ok(unfit(match explored.broken {
        Some(failure) => format!("PostgreSQL refuses its statements: {}", failure.message),
        None => "PostgreSQL refuses its statements".to_owned(),
    }))
}
