//! Races the commands of a design, invariant by invariant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::arena::{Arena, Ground};
use super::blind;
use super::explore::{Explored, explore};
use super::finding::Undeclared;
use super::pair::{Meeting, meetings};
use super::play::{Trial, Watch};
use super::program::{Script, Step};
use super::raw::{RawTrial, trials};
use super::rehearse::{Rehearsal, rehearse, scripts};
use super::result::{RaceResult, Tally, conclude};
use super::shrink::counterexample;
use super::state::{Start, load};
use crate::design::{Invariant, InvariantKind, Rule};
use crate::error::Error;
use crate::finding::{Counterexample, Finding, Verdict};
use crate::invariant;
use crate::verify::seed::Maker;

/// How much is tried.
#[derive(Clone, Debug)]
pub struct RaceOptions {
    /// Reproduces states and arguments.
    pub seed: u64,
    /// Schedules of one trial; beyond it the verdict is `held`.
    pub schedules_of_trial: usize,
    /// Schedules for one invariant.
    pub schedules: usize,
    /// States generated beside those of the design.
    pub generated_states: usize,
    /// Leave out orders that cannot differ from ones tried before.
    pub reduce: bool,
}

impl Default for RaceOptions {
    fn default() -> RaceOptions {
        RaceOptions {
            seed: 0,
            schedules_of_trial: 2000,
            schedules: 20_000,
            generated_states: 6,
            reduce: true,
        }
    }
}

/// Races one design in one database, or one mutant of it.
pub struct Racer<'a> {
    pub(super) arena: Arena<'a>,
    pub(super) options: RaceOptions,
    pub(super) maker: Maker,
    pub(super) scripts: BTreeMap<String, Arc<Script>>,
    pub(super) rehearsal: Arc<Rehearsal>,
    /// Number of the state that each start became.
    loaded: Vec<Option<usize>>,
    /// Trials that were explored, by what they are.
    explored: BTreeMap<String, Arc<Explored>>,
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
        let (rehearsal, loaded) = rehearse(
            &mut arena,
            &maker,
            &scripts,
            options.generated_states,
            options.seed,
        )
        .await?;
        let mut undeclared = Undeclared::default();
        for (command, failure) in &rehearsal.undeclared {
            undeclared.note(command, failure, None);
        }
        Ok(Racer {
            arena,
            options: options.clone(),
            maker,
            scripts,
            rehearsal: Arc::new(rehearsal),
            loaded,
            explored: BTreeMap::new(),
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
            options: whole.options.clone(),
            maker: whole.maker.clone(),
            scripts,
            loaded: vec![None; whole.rehearsal.starts.len()],
            rehearsal: whole.rehearsal.clone(),
            explored: BTreeMap::new(),
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
        if !self.is_mutant
            && let Some(result) = self.vacuous(&commands, &mut tally)
        {
            return Ok(result);
        }
        let mut refutation = self.race_writes(invariant, judge, &mut tally).await?;
        if refutation.is_none() {
            refutation = self.race_commands(&commands, judge, &mut tally).await?;
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

    /// Commands that change or lock what the invariant is about, and those that it names.
    pub(super) fn racing(&self, invariant: &Invariant, judge: usize) -> Vec<String> {
        let tables = &self.arena.judges[judge].tables;
        let concerned = |name: &String, script: &Script| {
            script.footprint().meant.meets(tables)
                || script.footprint().written().meets(tables)
                || invariant
                    .raced_by
                    .iter()
                    .any(|named| named.as_str() == name)
        };
        let all = self
            .scripts
            .iter()
            .filter(|(name, script)| concerned(name, script));
        all.map(|(name, _)| name.clone()).collect()
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
            tally.add(&explored, &trial, true);
            let found = explored
                .violations
                .iter()
                .find(|(violation, _)| violation.judge == judge);
            if let Some((_, choices)) = found {
                return counterexample(self, &trial, &start, choices, judge, None)
                    .await
                    .map(Some);
            }
        }
        Ok(None)
    }

    async fn race_commands(
        &mut self,
        commands: &[String],
        judge: usize,
        tally: &mut Tally,
    ) -> Result<Option<Counterexample>, Error> {
        for (at, first) in commands.iter().enumerate() {
            for second in &commands[at..] {
                let rehearsal = self.rehearsal.clone();
                let meetings = meetings(&rehearsal, &self.scripts, first, second);
                tally.pairs += usize::from(!meetings.is_empty());
                for meeting in meetings {
                    if tally.schedules() >= self.options.schedules {
                        tally.cut_short();
                        return Ok(None);
                    }
                    let Some(trial) = self.place(&meeting).await? else {
                        continue;
                    };
                    let explored = self.explore(&meeting, &trial, judge).await?;
                    tally.add(&explored, &trial, false);
                    tally.states.insert(meeting.start);
                    let found = explored
                        .violations
                        .iter()
                        .find(|(violation, _)| violation.judge == judge);
                    if let Some((_, choices)) = found {
                        let start = rehearsal.starts[meeting.start].clone();
                        return counterexample(self, &trial, &start, choices, judge, None)
                            .await
                            .map(Some);
                    }
                }
            }
        }
        Ok(None)
    }

    /// The state of a meeting, put into this database if it was not there before.
    pub(super) async fn place(&mut self, meeting: &Meeting) -> Result<Option<Trial>, Error> {
        let state = match self.loaded.get(meeting.start).copied().flatten() {
            Some(state) => state,
            None => {
                let start: Start = self.rehearsal.starts[meeting.start].clone();
                match load(&mut self.arena, &self.maker, &start).await? {
                    Ok(state) => {
                        self.loaded[meeting.start] = Some(state);
                        state
                    }
                    Err(_) => return Ok(None),
                }
            }
        };
        Ok(Some(meeting.trial(state)))
    }

    pub(super) async fn explore(
        &mut self,
        meeting: &Meeting,
        trial: &Trial,
        judge: usize,
    ) -> Result<Arc<Explored>, Error> {
        let key = meeting.key();
        if let Some(known) = self.explored.get(&key) {
            return Ok(known.clone());
        }
        let watch = self.watch(judge);
        let explored = explore(
            &mut self.arena,
            trial,
            &watch,
            None,
            self.options.schedules_of_trial,
        )
        .await?;
        for (program, failure, _) in &explored.undeclared {
            let other = trial
                .programs
                .get(1 - program.min(&1))
                .map(|program| program.script.title.as_str());
            self.undeclared
                .note(&trial.programs[*program].script.title, failure, other);
        }
        let explored = Arc::new(explored);
        self.explored.insert(key, explored.clone());
        Ok(explored)
    }

    /// Everything that can come of any two commands: how they ended and what the judges then saw, by what was raced. The same with
    /// and without reduction, which is how the reduction is checked.
    pub async fn outcomes(&mut self) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
        let commands: Vec<String> = self.scripts.keys().cloned().collect();
        let mut outcomes = BTreeMap::new();
        for (at, first) in commands.iter().enumerate() {
            for second in &commands[at..] {
                for meeting in meetings(&self.rehearsal.clone(), &self.scripts, first, second) {
                    if let Some(trial) = self.place(&meeting).await? {
                        let explored = self.explore(&meeting, &trial, 0).await?;
                        outcomes.insert(meeting.key(), explored.outcomes.clone());
                    }
                }
            }
        }
        Ok(outcomes)
    }

    pub(super) fn watch(&self, judge: usize) -> Watch {
        let all = (0..self.arena.judges.len()).filter(|at| self.arena.judges[*at].has_queries());
        Watch {
            judges: all.collect(),
            stop: self.is_mutant.then_some(judge),
            record: false,
            reduce: self.options.reduce,
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

/// What mutants of a design share with it.
#[derive(Clone, Debug)]
pub struct Mutable {
    options: RaceOptions,
    maker: Maker,
    rehearsal: Arc<Rehearsal>,
}
