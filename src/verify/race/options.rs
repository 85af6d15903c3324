//! How much races may cost.

use std::sync::Arc;
use std::time::Duration;

use super::rehearse::Rehearsal;
use crate::verify::seed::Maker;

/// How much is tried.
#[derive(Clone, Debug)]
pub struct RaceOptions {
    /// Reproduces states, arguments and walks.
    pub seed: u64,
    /// Commands that run at the same time, at most; from 2 to 4.
    pub sessions: usize,
    /// Schedules of one trial; beyond it some are taken by chance, and the verdict is `held`.
    pub schedules_of_trial: usize,
    /// Schedules of one trial of more than two sessions; beyond it some are taken by chance.
    pub schedules_of_wide_trial: usize,
    /// Schedules of two sessions for one invariant.
    pub schedules: usize,
    /// Schedules of more than two sessions for all invariants together.
    pub wide_schedules: usize,
    /// Schedules by chance where a trial has too many.
    pub walks: usize,
    /// States generated beside those of the design.
    pub generated_states: usize,
    /// Rows that a table has at most in a generated state.
    pub rows: usize,
    /// Databases in which trials are explored at the same time.
    pub workers: usize,
    /// For all races of one design, its mutants apart; no further trial begins after it.
    pub time: Option<Duration>,
    /// Leave out orders that cannot differ from ones tried before.
    pub reduce: bool,
}

impl Default for RaceOptions {
    fn default() -> RaceOptions {
        RaceOptions {
            seed: 0,
            sessions: 3,
            schedules_of_trial: 2000,
            schedules_of_wide_trial: 400,
            schedules: 20_000,
            wide_schedules: 4_000,
            walks: 100,
            generated_states: 6,
            rows: 3,
            workers: 1,
            time: None,
            reduce: true,
        }
    }
}

/// What mutants of a design share with it.
#[derive(Clone, Debug)]
pub struct Mutable {
    pub(super) options: RaceOptions,
    pub(super) maker: Maker,
    pub(super) rehearsal: Arc<Rehearsal>,
}
