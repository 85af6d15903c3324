//! Several databases of one design, in which trials are explored at the same time, each by a thread of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::arena::{Arena, Ground};
use super::explore::{Explored, explore};
use super::pair::Meeting;
use super::play::{Trial, Watch};
use super::racer::Racer;
use super::rehearse::Rehearsal;
use super::state::load;
use crate::catalog::Catalog;
use crate::design::Model;
use crate::error::Error;
use crate::postgres::{Database, Server};
use crate::verify::seed::Maker;

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
struct Work {
    maker: Maker,
    rehearsal: Arc<Rehearsal>,
    watch: Watch,
    /// Schedules of one trial.
    limit: usize,
}

/// What came of trials, by their keys; nothing where a state could not be put in place.
pub(super) type Outcomes = Vec<(String, Option<Explored>)>;

/// Trials that nobody has taken. Who drops it wants no more of them.
struct Queue(Arc<Mutex<VecDeque<Meeting>>>);

impl Drop for Queue {
    fn drop(&mut self) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.clear();
    }
}

fn next(queue: &Mutex<VecDeque<Meeting>>) -> Option<Meeting> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.pop_front()
}

struct Job {
    queue: Arc<Mutex<VecDeque<Meeting>>>,
    work: Arc<Work>,
    done: oneshot::Sender<Result<Outcomes, Error>>,
}

/// A thread with a database of its own, made when there is something to do.
pub(super) struct Worker {
    jobs: mpsc::UnboundedSender<Job>,
    closed: oneshot::Receiver<Result<(), Error>>,
}

/// What a thread keeps for itself, because nobody waits for its end.
struct Own {
    model: Model,
    catalog: Catalog,
    server: Server,
    template: Database,
}

impl Worker {
    /// Starts a thread. It and its sessions have a runtime of their own, so that none of them ever wakes another thread.
    fn start(ground: Ground<'_>) -> Result<Worker, Error> {
        let own = Own {
            model: ground.model.clone(),
            catalog: ground.catalog.clone(),
            server: ground.server.shared(),
            template: ground.template.clone(),
        };
        let io = |source| Error::Io {
            path: "a thread for races".to_owned(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(io)?;
        let (jobs, asked) = mpsc::unbounded_channel();
        let (told, closed) = oneshot::channel();
        let run = move || {
            let ended = runtime.block_on(own.serve(asked));
            // Whoever started it may be gone.
            let _ = told.send(ended);
        };
        std::thread::Builder::new()
            .name("race".to_owned())
            .spawn(run)
            .map_err(io)?;
        Ok(Worker { jobs, closed })
    }

    fn ask(&self, queue: &Queue, work: &Arc<Work>) -> oneshot::Receiver<Result<Outcomes, Error>> {
        let (done, answer) = oneshot::channel();
        // Where the thread has ended the answer says so.
        let _ = self.jobs.send(Job {
            queue: queue.0.clone(),
            work: work.clone(),
            done,
        });
        answer
    }

    /// Gives its database back.
    pub(super) async fn close(self) -> Result<(), Error> {
        let Worker { jobs, closed } = self;
        drop(jobs);
        closed.await.unwrap_or_else(|_| Err(ended()))
    }
}

impl Own {
    async fn serve(self, mut asked: mpsc::UnboundedReceiver<Job>) -> Result<(), Error> {
        let ground = Ground {
            model: &self.model,
            catalog: &self.catalog,
            server: &self.server,
            template: &self.template,
        };
        let mut open: Option<(Arena<'_>, Vec<Option<usize>>)> = None;
        while let Some(Job { queue, work, done }) = asked.recv().await {
            if open.is_none() {
                let invariants: Vec<_> = self.model.invariants.iter().collect();
                match Arena::open(ground, &invariants).await {
                    Ok(arena) => open = Some((arena, vec![None; work.rehearsal.starts.len()])),
                    Err(error) => {
                        let _ = done.send(Err(error));
                        continue;
                    }
                }
            }
            if let Some((arena, loaded)) = &mut open {
                let _ = done.send(explore_next(arena, loaded, &queue, &work).await);
            }
        }
        match open {
            Some((arena, _)) => arena.close().await,
            None => Ok(()),
        }
    }
}

fn ended() -> Error {
    Error::Internal("a thread for races ended before its work".to_owned())
}

async fn explore_next(
    arena: &mut Arena<'_>,
    loaded: &mut [Option<usize>],
    queue: &Mutex<VecDeque<Meeting>>,
    work: &Work,
) -> Result<Outcomes, Error> {
    let mut done = Vec::new();
    while let Some(meeting) = next(queue) {
        let placed = place(arena, loaded, &work.maker, &work.rehearsal, &meeting).await?;
        let explored = match placed {
            Some(trial) => Some(explore(arena, &trial, &work.watch, None, work.limit).await?),
            None => None,
        };
        done.push((meeting.key(), explored));
    }
    Ok(done)
}

impl Racer<'_> {
    /// Explores meetings of so many sessions by as many threads as may be.
    pub(super) async fn spread(
        &mut self,
        meetings: Vec<Meeting>,
        judge: usize,
        size: usize,
    ) -> Result<Outcomes, Error> {
        while self.others.len() + 1 < self.options.workers.min(meetings.len()) {
            self.others.push(Worker::start(self.arena.ground)?);
        }
        let work = Work {
            maker: self.maker.clone(),
            rehearsal: self.rehearsal.clone(),
            watch: self.watch(judge),
            limit: self.limit(size),
        };
        let (arena, loaded) = (&mut self.arena, &mut self.loaded);
        explore_all(arena, loaded, &self.others, meetings, work).await
    }
}

/// Explores trials, here and in further threads: each takes the next one that nobody has.
async fn explore_all(
    arena: &mut Arena<'_>,
    loaded: &mut [Option<usize>],
    others: &[Worker],
    meetings: Vec<Meeting>,
    work: Work,
) -> Result<Outcomes, Error> {
    let queue = Queue(Arc::new(Mutex::new(meetings.into())));
    let work = Arc::new(work);
    let asked: Vec<_> = others
        .iter()
        .map(|worker| worker.ask(&queue, &work))
        .collect();
    let mut found = explore_next(arena, loaded, &queue.0, &work).await?;
    for answer in asked {
        found.extend(answer.await.unwrap_or_else(|_| Err(ended()))?);
    }
    Ok(found)
}
