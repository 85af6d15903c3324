//! Runs one schedule: every step in the order that the scheduler says, in real sessions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::arena::{Arena, prepare};
use super::block::{Wait, still_waits, wait};
use super::crash::Crash;
use super::footprint::Footprint;
use super::judge::judge;
use super::program::{Act, Actor, Ending, Program};
use super::schedule::{Choice, Move, Prefix, Seen};
use super::timeline::Recorder;
use crate::error::Error;
use crate::finding::{Moment, Table};
use crate::postgres::{Pending, Prepared, Rows, Session, SqlFailure, SqlState};
use crate::sql::{self, Ident, SqlText, fill, fixed, join, literal, quote_ident};

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
    /// Conditions that were evaluated: program, step, result.
    pub required: Vec<(usize, usize, bool)>,
    /// What each judge found last.
    pub last: BTreeMap<usize, Table>,
    /// Constraints and rules that refused writes which are no commands.
    pub refused_by: Vec<String>,
    pub waits: usize,
    pub deadlocks: usize,
    pub retries: usize,
    pub commits: usize,
}

pub(super) struct Seat {
    pub(super) actor: Actor,
    pub(super) session: Session,
    pub(super) prepared: Arc<Vec<Option<Prepared>>>,
    waiting: Option<(Act, Pending)>,
    /// Cancelled as the victim of a deadlock.
    victim: bool,
}

/// One schedule being run.
pub(super) struct Play<'p, 'a> {
    pub(super) arena: &'p mut Arena<'a>,
    watch: &'p Watch,
    pub(super) seats: Vec<Seat>,
    played: Played,
    pub(super) recorder: Recorder,
    stopped: bool,
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
    });
    let seats: Vec<Seat> = seats.collect();
    let recorder = Recorder::new(watch.record);
    let mut play = Play {
        arena,
        watch,
        seats,
        played: Played::default(),
        recorder,
        stopped: false,
        unjudged: Footprint::default(),
    };
    let run = play.run(prefix).await;
    let cleaned = play.clean_up().await;
    let Play {
        seats,
        mut played,
        recorder,
        arena,
        ..
    } = play;
    played.moments = recorder.moments;
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
    async fn run(&mut self, prefix: &Prefix) -> Result<(), Error> {
        let mut asleep: Vec<Move> = Vec::new();
        let mut last: Option<usize> = None;
        let mut preemptions = 0;
        for position in 0.. {
            let moves = self.moves();
            if moves.is_empty() && self.seats.iter().all(|seat| seat.waiting.is_none()) {
                let unjudged = std::mem::take(&mut self.unjudged);
                return self.judge(&unjudged).await;
            }
            let choice = match prefix.choices.get(position).copied() {
                Some(choice) => choice,
                None if moves.is_empty() => self.choose_victim(preemptions),
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
                    let own = moves
                        .iter()
                        .find(|m| m.session == session)
                        .ok_or_else(|| diverged(position))?;
                    preemptions += usize::from(preempts(&moves, last, session));
                    last = Some(session);
                    let seen = self.step(session).await?;
                    asleep.retain(|other| self.watch.reduce && other.commutes_with(own, seen));
                }
                Choice::Victim(session) => {
                    if !moves.is_empty()
                        || self
                            .seats
                            .get(session)
                            .is_none_or(|seat| seat.waiting.is_none())
                    {
                        return Err(diverged(position));
                    }
                    asleep.clear();
                    self.kill(session).await?;
                }
            }
            if self.stopped {
                return Ok(());
            }
        }
        Ok(())
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

    /// Takes the first choice that is not asleep, and notes the others for later.
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
        let first = *awake.first()?;
        let mut tried: Vec<usize> = asleep.iter().map(|m| m.session).collect();
        tried.push(first.session);
        for other in awake.iter().skip(1) {
            let mut choices = self.played.choices.clone();
            choices.push(Choice::Step(other.session));
            let count = preemptions + usize::from(preempts(moves, last, other.session));
            self.played.branches.push((
                count,
                Prefix {
                    choices,
                    tried: tried.clone(),
                },
            ));
            tried.push(other.session);
        }
        Some(Choice::Step(first.session))
    }

    /// Everybody waits for somebody: one of them must die, and PostgreSQL is free to choose.
    fn choose_victim(&mut self, preemptions: usize) -> Choice {
        let waiting: Vec<usize> = (0..self.seats.len())
            .filter(|at| self.seats[*at].waiting.is_some())
            .collect();
        for other in waiting.iter().skip(1) {
            let mut choices = self.played.choices.clone();
            choices.push(Choice::Victim(*other));
            self.played.branches.push((
                preemptions,
                Prefix {
                    choices,
                    tried: Vec::new(),
                },
            ));
        }
        Choice::Victim(waiting.first().copied().unwrap_or(0))
    }

    /// Sends the next step of a session and lets everything settle.
    async fn step(&mut self, at: usize) -> Result<Seen, Error> {
        let seat = &mut self.seats[at];
        let act = seat.actor.act();
        if self.is_lost(at, &act, Crash::BeforeCommit) {
            self.lose(at, Crash::BeforeCommit).await?;
            return self.release(Seen::default(), true).await;
        }
        let seat = &mut self.seats[at];
        let message = message(seat, &act);
        let mut pending = seat.session.send(&message);
        self.recorder
            .sent(at, || shown(&self.seats[at].actor, &act));
        let others = self.others(at);
        match wait(
            &self.arena.observer,
            self.seats[at].session.pid(),
            &others,
            &mut pending,
        )
        .await?
        {
            Wait::Answered => self.answer(at, act, pending).await,
            Wait::Blocked => {
                self.played.waits += 1;
                self.recorder.waits(at);
                self.seats[at].waiting = Some((act, pending));
                Ok(Seen {
                    waited: true,
                    ..Seen::default()
                })
            }
        }
    }

    async fn kill(&mut self, at: usize) -> Result<(), Error> {
        self.played.deadlocks += 1;
        let Some((act, pending)) = self.seats[at].waiting.take() else {
            return Ok(());
        };
        self.seats[at].victim = true;
        self.arena
            .observer
            .cancel_backend(self.seats[at].session.pid())
            .await?;
        self.answer(at, act, pending).await.map(|_| ())
    }

    fn others(&self, at: usize) -> Vec<i32> {
        let others = self
            .seats
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at);
        others.map(|(_, seat)| seat.session.pid()).collect()
    }

    /// Takes an answer in, and those of sessions that were waiting for it.
    async fn answer(&mut self, at: usize, act: Act, pending: Pending) -> Result<Seen, Error> {
        let (released, failed) = self.take(at, act, pending).await?;
        let seen = Seen {
            failed,
            ..Seen::default()
        };
        self.release(seen, released).await
    }

    /// Lets those go on that waited for what was `released`.
    async fn release(&mut self, mut seen: Seen, mut released: bool) -> Result<Seen, Error> {
        while released && !self.stopped {
            released = false;
            for other in 0..self.seats.len() {
                let Some((act, mut pending)) = self.seats[other].waiting.take() else {
                    continue;
                };
                let pids = self.others(other);
                let pid = self.seats[other].session.pid();
                if still_waits(&self.arena.observer, pid, &pids, &mut pending).await? {
                    self.seats[other].waiting = Some((act, pending));
                } else {
                    seen.woke = true;
                    self.recorder.resumed(other);
                    released |= self.take(other, act, pending).await?.0;
                }
            }
        }
        Ok(seen)
    }

    /// Takes one answer in; says whether it may have let others go on, and whether it is a failure.
    async fn take(&mut self, at: usize, act: Act, pending: Pending) -> Result<(bool, bool), Error> {
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

    async fn judge(&mut self, footprint: &Footprint) -> Result<(), Error> {
        let judges = &self.arena.judges;
        let written = footprint.written();
        let asked: Vec<usize> = self
            .watch
            .judges
            .iter()
            .copied()
            .filter(|at| judges[*at].tables.meets(&written))
            .collect();
        let Some(found) = judge(&mut self.arena.control, judges, &asked).await? else {
            self.unjudged.add(footprint);
            return Ok(());
        };
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
            if seat.actor.open {
                seat.session
                    .batch(&fixed("ROLLBACK"))
                    .await
                    .map_err(|e| e.into_error("roll back"))?;
            }
        }
        Ok(())
    }
}

fn diverged(position: usize) -> Error {
    Error::Internal(format!(
        "a schedule did not repeat: at decision {} the session that went on before cannot",
        position + 1
    ))
}

/// Whether another session is stopped although it could go on.
fn preempts(moves: &[Move], last: Option<usize>, next: usize) -> bool {
    last.is_some_and(|last| last != next && moves.iter().any(|m| m.session == last))
}

fn message(seat: &Seat, act: &Act) -> SqlText {
    match act {
        Act::Statement(step) => {
            let call = seat
                .prepared
                .get(*step)
                .and_then(Option::as_ref)
                .map(|prepared| prepared.call(&seat.actor.params(*step)));
            let call = call.unwrap_or_else(|| fixed("SELECT"));
            match seat.actor.open {
                true => call,
                false => sql::sequence(&begin(&seat.actor, call)),
            }
        }
        Act::Commit | Act::Nothing => fixed("COMMIT"),
        Act::Rollback(_) => fixed("ROLLBACK"),
    }
}

/// BEGIN travels with the first statement: nobody can come between the two and see a difference.
fn begin(actor: &Actor, call: SqlText) -> Vec<SqlText> {
    let script = &actor.program.script;
    let level = fixed(script.isolation.sql());
    let mut statements = vec![fill("BEGIN ISOLATION LEVEL {level}", &[("level", &level)])];
    if let Some((setting, param)) = &script.setting
        && let Some(value) = actor.program.args.get(param).cloned().flatten()
    {
        let name = join(
            setting
                .as_str()
                .split('.')
                .map(|part| quote_ident(&Ident::from(part))),
            ".",
        );
        statements.push(fill(
            "SET LOCAL {name} TO {value}",
            &[("name", &name), ("value", &literal(&value))],
        ));
    }
    statements.push(call);
    statements
}

fn shown(actor: &Actor, act: &Act) -> String {
    match act {
        Act::Statement(step) if actor.open => actor.shown(*step),
        Act::Statement(step) => match actor.program.script.isolation {
            crate::design::Isolation::ReadCommitted => format!("BEGIN; {}", actor.shown(*step)),
            level => format!(
                "BEGIN ISOLATION LEVEL {}; {}",
                level.sql(),
                actor.shown(*step)
            ),
        },
        Act::Commit | Act::Nothing => "COMMIT".to_owned(),
        Act::Rollback(outcome) => format!("ROLLBACK -- {outcome}"),
    }
}
