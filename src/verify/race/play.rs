//! Runs one schedule: every step in the order that the scheduler says, in real sessions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::arena::{Arena, prepare};
use super::block::{Wait, wait};
use super::crash::Crash;
use super::footprint::Footprint;
use super::judge::{Asked, ask};
use super::message::message;
use super::program::{Act, Actor, Ending, Program};
use super::schedule::{Choice, Move, Prefix, Seen};
use super::timeline::Recorder;
use super::trace::{Sending, Trace};
use super::walk::{Walk, Walker};
use crate::error::Error;
use crate::finding::{Moment, Table};
use crate::postgres::{Pending, Prepared, Rows, Session, SqlFailure, SqlState};
use crate::sql::fixed;

/// How often a command that says so is run again after 40001 and its like.
pub(super) const RETRIES: usize = 2;

/// A state with programs that run in it at the same time.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub state: usize,
    pub programs: Vec<Program>,
}

/// Who is asked, and when to stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// Judges that are asked after each commit.
    pub judges: Vec<usize>,
    /// Stop as soon as this judge finds something.
    pub stop: Option<usize>,
    /// Write down what happens.
    pub record: bool,
    /// Leave steps out that commute with what was tried before.
    pub reduce: bool,
    /// What is done past the limit of a trial.
    pub beyond: Beyond,
    /// Go on by chance where the prefix ends.
    pub walk: Option<Walk>,
}

/// What is done where a trial has more schedules than may be tried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beyond {
    /// Schedules by chance.
    pub walks: usize,
    /// Reproduces them.
    pub seed: u64,
    /// Nothing begins after this.
    pub until: Option<Instant>,
}

/// A judge found something.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub judge: usize,
    pub rows: Table,
}

/// What came of a schedule.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// Every decision that was taken.
    pub choices: Vec<Choice>,
    /// Decisions that could have been taken instead, with the number of preemptions.
    pub branches: Vec<(usize, Prefix)>,
    /// Whether it was given up because everything that could follow was tried before.
    pub pruned: bool,
    pub endings: Vec<Option<Ending>>,
    pub violations: Vec<Violation>,
    pub moments: Vec<Moment>,
    /// Every message as it was sent.
    pub trace: Trace,
    /// The decision that could not be taken, where what was asked for does not fit what happens.
    pub diverged: Option<usize>,
    /// Conditions that were evaluated: program, step, result.
    pub required: Vec<(usize, usize, bool)>,
    /// What each judge found last.
    pub last: BTreeMap<usize, Table>,
    /// Constraints and rules that refused writes which are no commands.
    pub refused_by: Vec<String>,
    /// The order in which several went on at once was left to PostgreSQL.
    pub loose: bool,
    pub waits: usize,
    pub deadlocks: usize,
    pub retries: usize,
    pub commits: usize,
}

pub(super) struct Seat {
    pub actor: Actor,
    pub session: Session,
    pub prepared: Arc<Vec<Option<Prepared>>>,
    pub waiting: Option<(Act, Pending)>,
    /// Cancelled as the victim of a deadlock.
    pub victim: bool,
    /// Stopped, so that it does not go on before it is told to.
    pub frozen: bool,
}

/// One schedule being run.
pub(super) struct Play<'p, 'a> {
    pub arena: &'p mut Arena<'a>,
    watch: &'p Watch,
    walker: Option<Walker>,
    prefix: &'p Prefix,
    pub seats: Vec<Seat>,
    pub played: Played,
    pub recorder: Recorder,
    pub stopped: bool,
    /// Sessions that wait for each other in a ring.
    pub ring: Vec<usize>,
    /// What the judges were asked last, for whom, and after what was written. The next statement is sent meanwhile; the next commit,
    /// which would make a difference, is not.
    asked: Option<(Asked, Vec<usize>, Footprint)>,
    /// Written by transactions after which nobody could look.
    unjudged: Footprint,
}

/// Runs the trial along `prefix`, and on from there without preempting anybody. The state must be in place.
pub(super) async fn play(
    arena: &mut Arena<'_>,
    trial: &Trial,
    prefix: &Prefix,
    watch: &Watch,
) -> Result<Result<Played, SqlFailure>, Error> {
    let mut sessions = arena.seat(&trial.programs).await?;
    let mut prepared = Vec::with_capacity(sessions.len());
    for (session, program) in sessions.iter_mut().zip(&trial.programs) {
        match prepare(session, &program.script).await {
            Ok(statements) => prepared.push(Arc::new(statements)),
            Err(failure) => {
                arena.unseat(&trial.programs, sessions);
                return Ok(Err(failure));
            }
        }
    }
    let seats = sessions.into_iter().zip(prepared).zip(&trial.programs);
    let seats = seats.map(|((session, prepared), program)| Seat {
        actor: Actor::new(program.clone()),
        session,
        prepared,
        waiting: None,
        victim: false,
        frozen: false,
    });
    let seats: Vec<Seat> = seats.collect();
    let recorder = Recorder::new(watch.record);
    let mut play = Play {
        arena,
        watch,
        walker: watch.walk.as_ref().map(|walk| walk.begin(seats.len())),
        prefix,
        seats,
        played: Played::default(),
        recorder,
        stopped: false,
        ring: Vec::new(),
        asked: None,
        unjudged: Footprint::default(),
    };
    let mut run = play.run().await;
    if run.is_ok() {
        run = play.hear().await;
    }
    let cleaned = play.clean_up().await;
    let Play {
        seats,
        mut played,
        recorder,
        arena,
        ..
    } = play;
    played.moments = recorder.moments;
    played.trace = recorder.trace;
    played.endings = seats.iter().map(|seat| seat.actor.ending.clone()).collect();
    played.retries = seats.iter().map(|seat| seat.actor.attempts - 1).sum();
    arena.unseat(
        &trial.programs,
        seats.into_iter().map(|seat| seat.session).collect(),
    );
    run?;
    cleaned?;
    Ok(Ok(played))
}

impl Play<'_, '_> {
    async fn run(&mut self) -> Result<(), Error> {
        let prefix = self.prefix;
        let mut asleep: Vec<Move> = Vec::new();
        let mut last: Option<usize> = None;
        let mut preemptions = 0;
        loop {
            let position = self.played.choices.len();
            let moves = self.moves();
            if moves.is_empty() && self.seats.iter().all(|seat| seat.waiting.is_none()) {
                self.hear().await?;
                let unjudged = std::mem::take(&mut self.unjudged);
                return self.judge(&unjudged).await;
            }
            if moves.is_empty() && self.ring.is_empty() {
                // They wait for a lock that outlived its transaction, for ever.
                let all = 0..self.seats.len();
                self.ring = all.filter(|at| self.seats[*at].waiting.is_some()).collect();
            }
            let choice = match prefix.choices.get(position).copied() {
                Some(choice) => choice,
                None => match self.choose(&moves, &asleep, last, preemptions) {
                    Some(choice) => choice,
                    None => {
                        self.played.pruned = true;
                        return Ok(());
                    }
                },
            };
            if position + 1 == prefix.choices.len() {
                asleep = moves
                    .iter()
                    .filter(|m| prefix.tried.contains(&m.session))
                    .cloned()
                    .collect();
            }
            self.played.choices.push(choice);
            match choice {
                Choice::Step(session) => {
                    let Some(own) = moves.iter().find(|m| m.session == session) else {
                        self.played.diverged = Some(position);
                        return Ok(());
                    };
                    preemptions += usize::from(preempts(&moves, last, session));
                    last = Some(session);
                    let seen = self.step(session, preemptions).await?;
                    asleep.retain(|other| self.watch.reduce && other.commutes_with(own, seen));
                }
                Choice::Victim(session) => {
                    if !self.ring.contains(&session) {
                        self.played.diverged = Some(position);
                        return Ok(());
                    }
                    asleep.clear();
                    self.kill(session, preemptions).await?;
                }
                // Only ever taken inside a step.
                Choice::Wake(_) => {
                    self.played.diverged = Some(position);
                    return Ok(());
                }
            }
            if self.stopped {
                return Ok(());
            }
        }
    }

    /// Who can take a step now. Of identical programs that have not begun, only the first may begin.
    fn moves(&mut self) -> Vec<Move> {
        let mut moves: Vec<Move> = Vec::with_capacity(self.seats.len());
        let fresh: Vec<bool> = self
            .seats
            .iter()
            .map(|seat| seat.waiting.is_none() && seat.actor.is_fresh())
            .collect();
        for at in 0..self.seats.len() {
            let twin = (0..at).any(|other| {
                self.watch.reduce
                    && fresh[at]
                    && fresh[other]
                    && self.seats[other].actor.program == self.seats[at].actor.program
            });
            let seat = &mut self.seats[at];
            if seat.waiting.is_some() || twin {
                continue;
            }
            let act = seat.actor.act();
            for (step, holds) in seat.actor.required.drain(..) {
                let text = seat.actor.program.script.shown_condition(step);
                self.recorder.required(at, text, holds);
                self.played.required.push((at, step, holds));
            }
            if act != Act::Nothing {
                moves.push(Move::new(at, &seat.actor, act));
            }
        }
        moves
    }

    /// Takes the first choice that is not asleep, and notes the others for later. A deadlock may be noticed at once or after others
    /// have gone on, and PostgreSQL is free in whom it cancels.
    fn choose(
        &mut self,
        moves: &[Move],
        asleep: &[Move],
        last: Option<usize>,
        preemptions: usize,
    ) -> Option<Choice> {
        let is_asleep = |m: &&Move| asleep.iter().any(|other| other.session == m.session);
        let mut awake: Vec<&Move> = moves.iter().filter(|m| !is_asleep(m)).collect();
        awake.sort_by_key(|m| (Some(m.session) != last, m.session));
        let victims = self.ring.iter().map(|session| Choice::Victim(*session));
        let steps = awake.iter().map(|m| Choice::Step(m.session));
        let options: Vec<Choice> = victims.chain(steps).collect();
        if self.walker.is_some() && !options.is_empty() {
            return Some(self.walk(&options));
        }
        let first = *options.first()?;
        let mut tried: Vec<usize> = asleep.iter().map(|m| m.session).collect();
        for (at, option) in options.iter().enumerate() {
            let session = match option {
                Choice::Step(session) => Some(*session),
                _ => None,
            };
            if at > 0 {
                let further = session.is_some_and(|next| preempts(moves, last, next));
                let known = match session {
                    Some(_) => tried.clone(),
                    None => Vec::new(),
                };
                self.branch(*option, preemptions + usize::from(further), known);
            }
            tried.extend(session);
        }
        Some(first)
    }

    fn walk(&mut self, options: &[Choice]) -> Choice {
        let left = |at: usize| self.seats[at].actor.left();
        let picked = self
            .walker
            .as_mut()
            .map(|walker| walker.pick(options, &left));
        options[picked.unwrap_or(0)]
    }

    /// Notes that this could have been decided now.
    fn branch(&mut self, choice: Choice, preemptions: usize, tried: Vec<usize>) {
        let mut choices = self.played.choices.clone();
        choices.push(choice);
        let prefix = Prefix { choices, tried };
        self.played.branches.push((preemptions, prefix));
    }

    /// Which of several sessions that one event let go runs on first; `None` where it was to be another one.
    pub(super) fn first_of(&mut self, ready: &[usize], preemptions: usize) -> Option<usize> {
        let position = self.played.choices.len();
        let first = match self.prefix.choices.get(position) {
            Some(Choice::Wake(session)) if ready.contains(session) => *session,
            Some(_) => {
                self.played.diverged = Some(position);
                self.stopped = true;
                return None;
            }
            None if self.walker.is_some() => {
                let options: Vec<Choice> = ready.iter().copied().map(Choice::Wake).collect();
                match self.walk(&options) {
                    Choice::Wake(first) => first,
                    _ => ready[0],
                }
            }
            None => {
                for other in &ready[1..] {
                    self.branch(Choice::Wake(*other), preemptions, Vec::new());
                }
                ready[0]
            }
        };
        self.played.choices.push(Choice::Wake(first));
        Some(first)
    }

    /// Sends the next step of a session and lets everything settle.
    async fn step(&mut self, at: usize, preemptions: usize) -> Result<Seen, Error> {
        self.hold_back().await?;
        let seat = &mut self.seats[at];
        let act = seat.actor.act();
        let footprint = seat.actor.footprint_of(&act);
        if footprint.is_none_or(Footprint::shuts_out) {
            self.hear().await?;
        }
        if self.stopped {
            return Ok(Seen::default());
        }
        if self.is_lost(at, &act, Crash::BeforeCommit) {
            self.lose(at, Crash::BeforeCommit).await?;
            let woke = self.wake(preemptions).await?;
            self.let_go().await?;
            return Ok(Seen {
                woke,
                ..Seen::default()
            });
        }
        let seat = &mut self.seats[at];
        let message = message(seat, &act);
        let mut pending = seat.session.send(&message);
        self.recorder
            .sent(at, || Sending::of(&self.seats[at].actor, &act));
        let likely = self.may_wait(at, &act);
        let seen = match self.wait(at, &mut pending, likely).await? {
            Wait::Answered => self.answer(at, act, pending, preemptions).await?,
            Wait::Blocked => {
                self.played.waits += 1;
                self.recorder.waits(at);
                self.seats[at].waiting = Some((act, pending));
                self.ring = self.ring().await?;
                Seen {
                    waited: true,
                    ..Seen::default()
                }
            }
        };
        self.let_go().await?;
        Ok(seen)
    }

    async fn kill(&mut self, at: usize, preemptions: usize) -> Result<(), Error> {
        self.played.deadlocks += 1;
        let Some((act, pending)) = self.seats[at].waiting.take() else {
            return Ok(());
        };
        self.hold_back().await?;
        self.seats[at].victim = true;
        self.arena
            .observer
            .cancel_backend(self.seats[at].session.pid())
            .await?;
        self.answer(at, act, pending, preemptions).await?;
        self.let_go().await
    }

    /// Waits until a statement of this session answered, or waits for another session.
    pub(super) async fn wait(
        &self,
        at: usize,
        pending: &mut Pending,
        likely: bool,
    ) -> Result<Wait, Error> {
        let pid = self.seats[at].session.pid();
        wait(&self.arena.observer, pid, &self.others(at), pending, likely).await
    }

    /// Whether another session may hold what this statement wants.
    pub(super) fn may_wait(&self, at: usize, act: &Act) -> bool {
        let Some(wanted) = self.seats[at].actor.footprint_of(act) else {
            return false;
        };
        let mut others = self.seats.iter().enumerate();
        others.any(|(other, seat)| other != at && seat.actor.may_hold_up(wanted))
    }

    pub(super) fn others(&self, at: usize) -> Vec<i32> {
        let others = self
            .seats
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at);
        others.map(|(_, seat)| seat.session.pid()).collect()
    }

    /// Takes an answer in, and those of sessions that were waiting for it.
    async fn answer(
        &mut self,
        at: usize,
        act: Act,
        pending: Pending,
        preemptions: usize,
    ) -> Result<Seen, Error> {
        let (released, failed) = self.take(at, act, pending).await?;
        let woke = released && !self.stopped && self.wake(preemptions).await?;
        Ok(Seen {
            waited: false,
            failed,
            woke,
        })
    }

    /// Takes one answer in; says whether it may have let others go on, and whether it is a failure.
    pub(super) async fn take(
        &mut self,
        at: usize,
        act: Act,
        pending: Pending,
    ) -> Result<(bool, bool), Error> {
        match pending.await {
            Ok(mut answers) => {
                let rows = answers.pop().unwrap_or_default();
                if !self.is_lost(at, &act, Crash::AfterCommit) {
                    self.recorder.answered(at, &act, &rows);
                }
                Ok((self.succeeded(at, act, &rows).await?, false))
            }
            Err(failure) => {
                self.failed(at, failure).await?;
                Ok((true, true))
            }
        }
    }

    async fn succeeded(&mut self, at: usize, act: Act, rows: &Rows) -> Result<bool, Error> {
        let actor = &mut self.seats[at].actor;
        match act {
            Act::Statement(step) => {
                actor.answered(step, rows);
                Ok(false)
            }
            Act::Rollback(outcome) => {
                actor.gave_up(outcome);
                Ok(true)
            }
            Act::Commit | Act::Nothing => {
                match self.is_lost(at, &act, Crash::AfterCommit) {
                    true => self.lose(at, Crash::AfterCommit).await?,
                    false => self.seats[at].actor.committed(),
                }
                self.played.commits += 1;
                let written = self.seats[at].actor.program.script.footprint();
                self.judge(&written).await?;
                Ok(true)
            }
        }
    }

    async fn failed(&mut self, at: usize, mut failure: SqlFailure) -> Result<(), Error> {
        let seat = &mut self.seats[at];
        if std::mem::take(&mut seat.victim) && failure.sqlstate == SqlState::QUERY_CANCELED {
            failure.sqlstate = SqlState::DEADLOCK_DETECTED;
            failure.message = "deadlock detected".to_owned();
        }
        if matches!(
            failure.sqlstate.class(),
            "08" | "25" | "57" | "53" | "58" | "XX"
        ) {
            return Err(failure.into_error("run a schedule"));
        }
        // PostgreSQL let go of every lock when the error was raised; ROLLBACK only tidies up.
        seat.session
            .batch(&fixed("ROLLBACK"))
            .await
            .map_err(|e| e.into_error("roll back"))?;
        if !seat.actor.program.script.is_command {
            self.played.refused_by.extend(failure.constraint.clone());
        }
        self.recorder.failed(at, &failure);
        let again = seat.actor.failed(failure, RETRIES);
        if again {
            self.recorder.again(at);
        }
        Ok(())
    }

    /// Asks those whom this concerns.
    async fn judge(&mut self, footprint: &Footprint) -> Result<(), Error> {
        self.hear().await?;
        let judges = &self.arena.judges;
        let written = footprint.written();
        let asked: Vec<usize> = self
            .watch
            .judges
            .iter()
            .copied()
            .filter(|at| judges[*at].tables.meets(&written))
            .collect();
        let sent = ask(&self.arena.control, judges, &asked);
        self.asked = sent.map(|sent| (sent, asked, footprint.clone()));
        // Who stops at what is found has to know at once, and so has who writes down what happens when.
        match self.watch.stop.is_some() || self.watch.record {
            true => self.hear().await,
            false => Ok(()),
        }
    }

    /// Takes in what the judges say. Where a session keeps everybody from reading (TRUNCATE, LOCK TABLE) there is nothing to be seen
    /// until it ends.
    async fn hear(&mut self) -> Result<(), Error> {
        let Some((mut sent, asked, footprint)) = self.asked.take() else {
            return Ok(());
        };
        let all: Vec<i32> = self.seats.iter().map(|seat| seat.session.pid()).collect();
        let (observer, control) = (&self.arena.observer, self.arena.control.pid());
        if wait(observer, control, &all, &mut sent.pending, false).await? == Wait::Blocked {
            observer.cancel_backend(control).await?;
            match sent.pending.await {
                Err(failure) if failure.sqlstate != SqlState::QUERY_CANCELED => {
                    return Err(failure.into_error("run a drift query"));
                }
                _ => self.unjudged.add(&footprint),
            }
            return Ok(());
        }
        let found = sent.found().await?;
        for at in asked {
            self.played.last.remove(&at);
        }
        for (at, rows) in found {
            self.played.last.insert(at, rows.clone());
            self.stopped |= self.watch.stop == Some(at);
            if !self.played.violations.iter().any(|known| known.judge == at) {
                self.played.violations.push(Violation { judge: at, rows });
            }
        }
        Ok(())
    }

    /// Ends whatever is still open.
    async fn clean_up(&mut self) -> Result<(), Error> {
        self.let_go().await?;
        for seat in &mut self.seats {
            if let Some((_, mut pending)) = seat.waiting.take() {
                while !pending.settle(Duration::from_millis(1)).await {
                    self.arena
                        .observer
                        .cancel_backend(seat.session.pid())
                        .await?;
                }
                let _ = pending.await;
                seat.actor.open = true;
            }
            if seat.actor.program.script.keeps_locks() {
                seat.session
                    .batch(&fixed("ROLLBACK; SELECT pg_advisory_unlock_all()"))
                    .await
                    .map_err(|e| e.into_error("give locks back"))?;
            } else if seat.actor.open {
                seat.session
                    .batch(&fixed("ROLLBACK"))
                    .await
                    .map_err(|e| e.into_error("roll back"))?;
            }
        }
        Ok(())
    }
}

/// Whether another session is stopped although it could go on.
fn preempts(moves: &[Move], last: Option<usize>, next: usize) -> bool {
    last.is_some_and(|last| last != next && moves.iter().any(|m| m.session == last))
}
