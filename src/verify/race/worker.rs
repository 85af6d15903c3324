//! Several databases of one design, in which trials are explored at the same time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;

use super::arena::Arena;
use super::explore::{Explored, explore};
use super::pair::Meeting;
use super::play::{Trial, Watch};
use super::rehearse::Rehearsal;
use super::state::load;
use crate::error::Error;
use crate::verify::seed::Maker;

/// A database with the number of the state that each start became there.
pub(super) type Worker<'a> = (Arena<'a>, Vec<Option<usize>>);

/// The state of a meeting, put into a database if it was not there before; `None` where it cannot be.
pub(super) async fn place(
    arena: &mut Arena<'_>,
    loaded: &mut [Option<usize>],
    maker: &Maker,
    rehearsal: &Rehearsal,
    meeting: &Meeting,
) -> Result<Option<Trial>, Error> {
    let state = match loaded.get(meeting.start).copied().flatten() {
        Some(state) => state,
        None => {
            let Some(start) = rehearsal.starts.get(meeting.start) else {
                return Ok(None);
            };
            let Ok(state) = load(arena, maker, start).await? else {
                return Ok(None);
            };
            loaded[meeting.start] = Some(state);
            state
        }
    };
    Ok(Some(meeting.trial(state)))
}

/// What a trial is explored with.
pub(super) struct Work<'w> {
    pub maker: &'w Maker,
    pub rehearsal: &'w Rehearsal,
    pub watch: &'w Watch,
    /// Schedules of one trial.
    pub limit: usize,
}

/// What came of trials, by their keys; nothing where a state could not be put in place.
pub(super) type Outcomes = Vec<(String, Option<Explored>)>;

/// Explores trials, each worker taking the next one that nobody has.
pub(super) async fn explore_all<'w, 'a: 'w>(
    workers: impl Iterator<Item = (&'w mut Arena<'a>, &'w mut Vec<Option<usize>>)>,
    meetings: Vec<Meeting>,
    work: &Work<'_>,
) -> Result<Outcomes, Error> {
    let queue: Mutex<VecDeque<Meeting>> = Mutex::new(meetings.into());
    let next = || {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    };
    let all = workers.map(|(arena, loaded)| async {
        let mut done = Vec::new();
        while let Some(meeting) = next() {
            let placed = place(arena, loaded, work.maker, work.rehearsal, &meeting).await?;
            let explored = match placed {
                Some(trial) => Some(explore(arena, &trial, work.watch, None, work.limit).await?),
                None => None,
            };
            done.push((meeting.key(), explored));
        }
        Ok::<_, Error>(done)
    });
    let mut found = Vec::new();
    for done in join_all(all).await {
        found.extend(done?);
    }
    Ok(found)
}
