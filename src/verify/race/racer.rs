//! Races the commands of a design, invariant by invariant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::arena::{Arena, Ground};
use super::blind;
use super::explore::{Explored, explore};
use super::finding::Undeclared;
use super::options::{Mutable, RaceOptions};
use super::pair::{Meeting, groups, meetings};
use super::play::{Beyond, Trial, Watch};
use super::program::{Script, Step};
use super::raw::{RawTrial, trials};
use super::rehearse::{Rehearsal, rehearse, scripts};
use super::result::{RaceResult, Tally, conclude};
use super::schedule::Choice;
use super::shrink::counterexample;
use super::state::load;
use super::worker::{Worker, place};
use crate::design::{Invariant, InvariantKind, Rule};
use crate::error::Error;
use crate::finding::{Counterexample, Finding, Verdict};
use crate::invariant;
use crate::verify::seed::Maker;

/// Trials between two looks at what they found.
const BATCH: usize = 16;

/// Races one design in one database, or one mutant of it.
pub struct Racer<'a> {
    pub(super) arena: Arena<'a>,
    /// Further threads, started when there is enough to do.
    pub(super) others: Vec<Worker>,
    pub(super) options: RaceOptions,
    pub(super) maker: Maker,
    pub(super) scripts: BTreeMap<String, Arc<Script>>,
    pub(super) rehearsal: Arc<Rehearsal>,
    /// Number of the state that each start became.
    pub(super) loaded: Vec<Option<usize>>,
    /// Trials that were explored, by what they are; nothing where the state could not be put in place.
    pub(super) explored: BTreeMap<String, Option<Arc<Explored>>>,
    /// Schedules of more than two sessions so far.
    wide: usize,
    /// Nothing begins after this.
    until: Option<Instant>,
    pub(super) undeclared: Undeclared,
    /// Everything is judged (a design), or only one invariant until it breaks (a mutant).
    is_mutant: bool,
}

/// Races one invariant by itself. For several of one design, [`Racer`] shares the work.
pub async fn race(
    ground: Ground<'_>,
    invariant: &Invariant,
    options: &RaceOptions,
) -> Result<RaceResult, Error> {
    let mut racer = Racer::open(ground, options).await?;
    let result = racer.race(invariant).await;
    racer.close().await?;
    result
}

impl<'a> Racer<'a> {
    /// Copies the database and runs every command alone.
    pub async fn open(ground: Ground<'a>, options: &RaceOptions) -> Result<Racer<'a>, Error> {
        let invariants: Vec<&Invariant> = ground.model.invariants.iter().collect();
        let mut arena = Arena::open(ground, &invariants).await?;
        let maker = Maker::new(ground.model, ground.catalog);
        let scripts = scripts(ground.model, &arena);
        let (rehearsal, loaded) = rehearse(&mut arena, &maker, &scripts, options).await?;
        let mut undeclared = Undeclared::default();
        for (command, failure) in &rehearsal.undeclared {
            undeclared.note(command, failure, None);
        }
        Ok(Racer {
            arena,
            options: options.clone(),
            maker,
            others: Vec::new(),
            scripts,
            rehearsal: Arc::new(rehearsal),
            loaded,
            explored: BTreeMap::new(),
            wide: 0,
            until: options.time.map(|time| Instant::now() + time),
            undeclared,
            is_mutant: false,
        })
    }

    /// Copies the database of a mutant, to race one invariant until it breaks. `whole` is the racer of the design itself, from
    /// which rows and calls are taken.
    pub async fn open_mutant(
        ground: Ground<'a>,
        invariant: &Invariant,
        whole: &Mutable,
    ) -> Result<Racer<'a>, Error> {
        let arena = Arena::open(ground, &[invariant]).await?;
        let scripts = scripts(ground.model, &arena);
        Ok(Racer {
            arena,
            // What three sessions notice, they notice soon.
            options: RaceOptions {
                wide_schedules: whole.options.wide_schedules / 10,
                ..whole.options.clone()
            },
            maker: whole.maker.clone(),
            others: Vec::new(),
            scripts,
            loaded: vec![None; whole.rehearsal.starts.len()],
            rehearsal: whole.rehearsal.clone(),
            explored: BTreeMap::new(),
            wide: 0,
            until: None,
            undeclared: Undeclared::default(),
            is_mutant: true,
        })
    }

    /// What mutants of the design need.
    pub fn mutable(&self) -> Mutable {
        Mutable {
            options: self.options.clone(),
            maker: self.maker.clone(),
            rehearsal: self.rehearsal.clone(),
        }
    }

    /// Errors that commands raised and do not declare, and states that are not legal. Complete once every invariant was raced.
    pub fn findings(&self) -> Vec<Finding> {
        self.undeclared
            .findings(self.arena.ground.model, &self.rehearsal)
    }

    /// Gives the database back.
    pub async fn close(self) -> Result<(), Error> {
        for worker in self.others {
            worker.close().await?;
        }
        self.arena.close().await
    }

    /// Tries to break one invariant.
    pub async fn race(&mut self, invariant: &Invariant) -> Result<RaceResult, Error> {
        if let Rule::Isolated {
            tables,
            by,
            setting,
            role,
        } = &invariant.rule
        {
            return super::isolated::attack(self, tables, by, setting, role).await;
        }
        if let Some(reason) = self.not_raced(invariant) {
            return Ok(RaceResult::unchecked(reason));
        }
        let Some(judge) = self
            .arena
            .judges
            .iter()
            .position(|judge| judge.invariant.name == invariant.name)
        else {
            let reason = self.arena.unjudged.get(invariant.name.as_str()).cloned();
            return Ok(RaceResult::unchecked(format!(
                "its violations cannot be looked for: {}",
                reason.unwrap_or_else(|| "it is not an invariant of this design".to_owned())
            )));
        };
        if let Rule::Idempotent {
            command,
            key,
            request,
        } = &invariant.rule
        {
            return super::idempotent::race(self, judge, command, key, request).await;
        }
        let commands = self.racing(invariant, judge);
        let mut tally = Tally::new(&self.arena.ground.server.version().text);
        tally.narrow(invariant, &commands);
        let idle = match self.is_mutant {
            true => None,
            false => self.vacuous(&commands, &mut tally),
        };
        let mut refutation = self.race_writes(invariant, judge, &mut tally).await?;
        if refutation.is_none() {
            refutation = self.race_commands(&commands, judge, &mut tally).await?;
        }
        // A command that never commits says nothing against what the others have broken.
        if let (None, Some(idle)) = (&refutation, idle) {
            return Ok(idle);
        }
        if tally.trials == 0 {
            return Ok(RaceResult::unchecked(match commands.is_empty() {
                true => "no command of the design writes or locks what it is about".to_owned(),
                false => "no two commands can commit in the same state".to_owned(),
            }));
        }
        self.count_conditions(&commands, &mut tally);
        Ok(conclude(invariant, tally, refutation))
    }

    fn not_raced(&self, invariant: &Invariant) -> Option<String> {
        match invariant.rule.kind() {
            InvariantKind::Retained => Some("retention is not a matter of races".to_owned()),
            InvariantKind::Mirrors => Some(
                "a projection follows its source by events; their delivery is not tried yet"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Commands that change or lock what the invariant is about, and those that it names; where it says so only these.
    pub(super) fn racing(&self, invariant: &Invariant, judge: usize) -> Vec<String> {
        let named = |name: &String| {
            let mut by = invariant.raced_by.iter();
            by.any(|named| named.as_str() == name)
        };
        if invariant.raced_only {
            let named = self.scripts.keys().filter(|name| named(name));
            return named.cloned().collect();
        }
        // What a command reads decides what it writes: whoever writes that matters as well.
        let mut tables = self.arena.judges[judge].tables.clone();
        let mut chosen: BTreeSet<String> = BTreeSet::new();
        loop {
            let before = chosen.len();
            for (name, script) in &self.scripts {
                let print = script.footprint();
                let concerned = print.meant.meets(&tables) || print.written().meets(&tables);
                if (concerned || named(name)) && chosen.insert(name.clone()) {
                    tables.add(&print.reads);
                }
            }
            if chosen.len() == before {
                return chosen.into_iter().collect();
            }
        }
    }

    /// A command that never commits proves nothing about what it would do.
    fn vacuous(&self, commands: &[String], tally: &mut Tally) -> Option<RaceResult> {
        tally.commands = commands.len();
        let idle = commands
            .iter()
            .find(|name| self.rehearsal.committing(name).next().is_none())?;
        let tried = self.loaded.iter().flatten().count();
        let last = self
            .rehearsal
            .last
            .get(idle)
            .map(|ending| format!(", it ended with {ending}"))
            .unwrap_or_default();
        Some(RaceResult::of(
            Verdict::Vacuous,
            format!(
                "`{idle}` committed in none of {tried} states{last}; give a state under `states:` in which it can"
            ),
        ))
    }

    async fn race_writes(
        &mut self,
        invariant: &Invariant,
        judge: usize,
        tally: &mut Tally,
    ) -> Result<Option<Counterexample>, Error> {
        if !invariant.enforced.is_databases() {
            return Ok(None);
        }
        let mut raw = blind::trials(&self.arena, &self.maker, invariant);
        for case in invariant::cases(self.arena.ground.model, invariant) {
            raw.extend(trials(&mut self.arena, &self.maker, &case).await?);
        }
        for RawTrial { start, programs } in raw {
            let Ok(state) = load(&mut self.arena, &self.maker, &start).await? else {
                continue;
            };
            let trial = Trial { state, programs };
            let watch = self.watch(judge);
            let limit = self.options.schedules_of_trial;
            let explored = explore(&mut self.arena, &trial, &watch, None, limit).await?;
            tally.add(&explored, &trial.programs, true);
            let found = explored
                .violations
                .iter()
                .find(|(violation, _)| violation.judge == judge);
            if let Some((_, choices)) = found {
                let found = counterexample(self, &trial, &start, choices, judge, None).await?;
                if found.is_some() {
                    return Ok(found);
                }
                tally.unconfirmed += 1;
            }
        }
        Ok(None)
    }

    /// Two commands at a time in every way, then three and more, as far as the budget goes.
    async fn race_commands(
        &mut self,
        commands: &[String],
        judge: usize,
        tally: &mut Tally,
    ) -> Result<Option<Counterexample>, Error> {
        for size in 2..=self.options.sessions {
            let all = self.meetings(commands, size);
            let batch = match self.is_mutant {
                true => 1,
                false => BATCH,
            };
            for meetings in all.chunks(batch) {
                let spent = match size {
                    2 => tally.schedules() >= self.options.schedules,
                    _ => self.wide >= self.options.wide_schedules,
                };
                // What was explored for another invariant costs nothing.
                let is_known = |meeting: &Meeting| self.explored.contains_key(&meeting.key());
                if (spent || self.is_late()) && !meetings.iter().all(is_known) {
                    tally.cut_short(size, all.len());
                    break;
                }
                self.explore_all(meetings, judge).await?;
                for meeting in meetings {
                    let found = self.count(meeting, judge, tally);
                    if let Some(choices) = found
                        && let Some(trial) = self.place(meeting).await?
                    {
                        let start = self.rehearsal.starts[meeting.start].clone();
                        let found =
                            counterexample(self, &trial, &start, &choices, judge, None).await?;
                        if found.is_some() {
                            return Ok(found);
                        }
                        tally.unconfirmed += 1;
                    }
                }
            }
        }
        Ok(None)
    }

    /// Counts what came of a meeting; the schedule in which it broke the rule, if it did.
    fn count(&self, meeting: &Meeting, judge: usize, tally: &mut Tally) -> Option<Vec<Choice>> {
        let explored = self.explored.get(&meeting.key())?.as_ref()?;
        tally.add(explored, &meeting.programs, false);
        tally.states.insert(meeting.start);
        let found = explored
            .violations
            .iter()
            .find(|(violation, _)| violation.judge == judge);
        found.map(|(_, choices)| choices.clone())
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// So many commands at a time; of more than two the first calls of each group before the second ones of any.
    pub(super) fn meetings(&self, commands: &[String], size: usize) -> Vec<Meeting> {
        let meet = |one: &str, other: &str| {
            let print = |name: &str| self.scripts.get(name).map(|script| script.footprint());
            print(one).zip(print(other)).is_some_and(|(one, other)| {
                one.written().meets(&other.touched()) || other.written().meets(&one.touched())
            })
        };
        let groups = groups(commands, size, &meet);
        let of_groups = groups
            .iter()
            .map(|group| meetings(&self.rehearsal, &self.scripts, group));
        if size == 2 {
            return of_groups.flatten().collect();
        }
        let mut numbered: Vec<(usize, Meeting)> = of_groups
            .flat_map(|found| found.into_iter().enumerate())
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, meeting)| meeting).collect()
    }

    /// The state of a meeting, put into this database if it was not there before.
    pub(super) async fn place(&mut self, meeting: &Meeting) -> Result<Option<Trial>, Error> {
        let rehearsal = self.rehearsal.clone();
        let (arena, loaded) = (&mut self.arena, &mut self.loaded);
        place(arena, loaded, &self.maker, &rehearsal, meeting).await
    }

    /// Explores one, if it was not explored before; nothing where its state cannot be put in place.
    pub(super) async fn explore(
        &mut self,
        meeting: &Meeting,
        judge: usize,
    ) -> Result<Option<Arc<Explored>>, Error> {
        self.explore_all(std::slice::from_ref(meeting), judge)
            .await?;
        Ok(self.explored.get(&meeting.key()).cloned().flatten())
    }

    /// Explores those that were not explored before, several at a time.
    pub(super) async fn explore_all(
        &mut self,
        meetings: &[Meeting],
        judge: usize,
    ) -> Result<(), Error> {
        let new = |meeting: &&Meeting| !self.explored.contains_key(&meeting.key());
        let new: Vec<Meeting> = meetings.iter().filter(new).cloned().collect();
        let Some(size) = new.first().map(|meeting| meeting.programs.len()) else {
            return Ok(());
        };
        let done = self.spread(new.clone(), judge, size).await?;
        let mut done: BTreeMap<String, Option<Explored>> = done.into_iter().collect();
        // In their order, whoever was done first.
        for meeting in &new {
            let Some(explored) = done.remove(&meeting.key()) else {
                continue;
            };
            if let Some(explored) = &explored {
                self.note_undeclared(meeting, explored);
                if size > 2 {
                    self.wide += explored.schedules + explored.pruned;
                }
            }
            self.explored.insert(meeting.key(), explored.map(Arc::new));
        }
        Ok(())
    }

    /// Schedules of one trial of so many sessions.
    pub(super) fn limit(&self, size: usize) -> usize {
        match size {
            2 => self.options.schedules_of_trial,
            _ => self.options.schedules_of_wide_trial,
        }
    }

    fn note_undeclared(&mut self, meeting: &Meeting, explored: &Explored) {
        for (program, failure, _) in &explored.undeclared {
            let title = |at: usize| meeting.programs[at].script.title.as_str();
            let others: Vec<&str> = (0..meeting.programs.len())
                .filter(|at| at != program)
                .map(title)
                .collect();
            let others = others.join("` and `");
            self.undeclared
                .note(title(*program), failure, Some(others.as_str()));
        }
    }

    pub(super) fn watch(&self, judge: usize) -> Watch {
        let all = (0..self.arena.judges.len()).filter(|at| self.arena.judges[*at].has_queries());
        Watch {
            judges: all.collect(),
            stop: self.is_mutant.then_some(judge),
            reduce: self.options.reduce,
            beyond: Beyond {
                walks: self.options.walks,
                seed: self.options.seed,
                until: self.until,
            },
            ..Watch::default()
        }
    }

    fn count_conditions(&self, commands: &[String], tally: &mut Tally) {
        let mut seen: BTreeSet<(String, usize, bool)> = self.rehearsal.required.clone();
        seen.extend(tally.required.iter().cloned());
        for command in commands {
            let steps = self
                .scripts
                .get(command)
                .map(|script| script.steps.as_slice())
                .unwrap_or_default();
            for (at, _) in steps
                .iter()
                .enumerate()
                .filter(|(_, step)| matches!(step, Step::Require { .. }))
            {
                let saw = |result| seen.contains(&(command.clone(), at, result));
                tally.conditions += 1;
                tally.conditions_both_ways += usize::from(saw(true) && saw(false));
            }
        }
    }
}
