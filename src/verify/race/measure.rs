//! What tests and benchmarks want to know of races.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::explore::{explore, walked};
use super::pair::meetings;
use super::play::{Beyond, Watch};
use super::racer::Racer;
use crate::design::Invariant;
use crate::error::Error;

/// The first schedule that broke an invariant.
#[derive(Clone, Copy, Debug)]
pub struct First {
    /// Since the first schedule began.
    pub after: Duration,
    /// Schedules until then, this one included.
    pub schedules: usize,
    /// Of these such of the same calls.
    pub of_its_trial: usize,
}

impl Racer<'_> {
    /// Everything that can come of any so many commands: how they ended and what the judges then saw, by what was raced. The same with
    /// and without reduction, which is how the reduction is checked. Only trials that were explored to the end.
    pub async fn outcomes(
        &mut self,
        sessions: usize,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
        let commands: Vec<String> = self.scripts.keys().cloned().collect();
        let all = self.meetings(&commands, sessions);
        self.explore_all(&all, 0).await?;
        let explored = all.iter().filter_map(|meeting| {
            let explored = self.explored.get(&meeting.key())?.as_ref()?;
            explored
                .exhausted
                .then(|| (meeting.key(), explored.outcomes.clone()))
        });
        Ok(explored.collect())
    }

    /// Schedules that were run so far, those that were cut off included.
    pub fn schedules(&self) -> usize {
        let explored = self.explored.values().flatten();
        explored
            .map(|explored| explored.schedules + explored.pruned)
            .sum()
    }

    /// Explores the first calls of these commands in one of the states, so many times; how many schedules that were. Nothing where they
    /// cannot run there.
    pub async fn run_orders(
        &mut self,
        state: &str,
        commands: &[&str],
        times: usize,
    ) -> Result<usize, Error> {
        let starts = &self.rehearsal.starts;
        let mut all = meetings(&self.rehearsal, &self.scripts, commands).into_iter();
        let found = all.find(|meeting| starts[meeting.start].name == state);
        let Some(found) = found else { return Ok(0) };
        let done = self
            .spread(vec![found; times], 0, commands.len())
            .await?
            .into_iter();
        Ok(done
            .filter_map(|(_, explored)| Some(explored?.schedules))
            .sum())
    }

    /// Races commands until some schedule breaks the invariant, and no further: not until it is as small as can be.
    pub async fn first(&mut self, invariant: &Invariant) -> Result<Option<First>, Error> {
        let mut judges = self.arena.judges.iter();
        let Some(judge) = judges.position(|judge| judge.invariant.name == invariant.name) else {
            return Ok(None);
        };
        let commands = self.racing(invariant, judge);
        let watch = Watch {
            judges: vec![judge],
            stop: Some(judge),
            beyond: Beyond::default(),
            ..self.watch(judge)
        };
        let began = Instant::now();
        let mut schedules = 0;
        for size in 2..=self.options.sessions {
            for meeting in self.meetings(&commands, size) {
                let Some(trial) = self.place(&meeting).await? else {
                    continue;
                };
                let limit = self.limit(size);
                let explored = explore(&mut self.arena, &trial, &watch, None, limit).await?;
                let of_its_trial = explored.schedules + explored.pruned;
                schedules += of_its_trial;
                if !explored.violations.is_empty() {
                    return Ok(Some(First {
                        after: began.elapsed(),
                        schedules,
                        of_its_trial,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Runs schedules by chance, of any so many commands, each once more along the same decisions. How many were run again, and how
    /// many of these came out otherwise.
    pub async fn run_again(
        &mut self,
        sessions: usize,
        times: usize,
    ) -> Result<(usize, usize), Error> {
        let commands: Vec<String> = self.scripts.keys().cloned().collect();
        let all = self.meetings(&commands, sessions);
        let watch = self.watch(0);
        let (mut run, mut other) = (0, 0);
        while run < times && !all.is_empty() {
            for meeting in &all {
                let Some(trial) = self.place(meeting).await? else {
                    return Ok((run, other));
                };
                let seed = self.options.seed.wrapping_add(run as u64);
                let (choices, first) = walked(&mut self.arena, &trial, &watch, seed, &[]).await?;
                let (_, second) = walked(&mut self.arena, &trial, &watch, seed, &choices).await?;
                run += 1;
                other += usize::from(first != second);
            }
        }
        Ok((run, other))
    }
}
