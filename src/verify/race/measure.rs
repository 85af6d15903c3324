//! What tests and benchmarks want to know of races.

use std::collections::{BTreeMap, BTreeSet};

use super::explore::walked;
use super::racer::Racer;
use crate::error::Error;

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
