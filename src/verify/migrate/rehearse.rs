//! A migration rehearsed: with rows and with programs of both versions running, killed and resumed at every step, taken back, and with its safeguards taken out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::ended::{Ended, Refuted, shown};
use super::planned::Planned;
use super::rates::{Ground, table};
use super::rows::{live, stored};
use super::schema::{read, wanted};
use super::steps::{Hands, back, forward};
use super::traffic::{Breaks, Tried, tried};
use super::{followed, kill, load, mutants, returned};
use crate::catalog::{Catalog, Difference, ObjectPath, differences};
use crate::compile::{Compiled, compile};
use crate::design::Model;
use crate::error::Error;
use crate::finding::{Claim, Counterexample, Evidence, Finding, Method, Mutants, Verdict};
use crate::invariant::drift;
use crate::migrate::{Hazard, Phase, Plan, Policy, Renames, Reverse, Step, audit, plan, stops};
use crate::postgres::{Database, SqlFailure};
use crate::sql::Ident;
use crate::template::Environment;
use crate::verify::evidence::Judged;
use crate::verify::race::{ProgramCall, program_calls};
use crate::verify::run::Run;
use crate::verify::seed::{Bulk, Maker};
use crate::verify::stage::{Stage, Staged};

/// Rows of a chunk: tables are small, and a backfill shall have several.
const CHUNK: i64 = 10;

/// What a design claims of the way to it.
pub(crate) fn claim(model: &Model, from: &str) -> Claim {
    let at = model.section("migration").map(|section| section.at);
    Claim {
        subject: format!("migration from {from}"),
        statement: "the migration stops no writer, loses nothing, can be resumed and taken back, and ends at this design".to_owned(),
        at: at.or(Some(model.name.at)),
    }
}

/// One version of the design.
pub(super) struct Side<'a> {
    pub model: &'a Model,
    pub compiled: &'a Compiled,
    pub maker: Maker,
}

impl<'a> Side<'a> {
    fn new(model: &'a Model, compiled: &'a Compiled) -> Side<'a> {
        Side {
            model,
            compiled,
            maker: Maker::new(model, &compiled.catalog),
        }
    }
}

/// A rehearsal while it goes on.
pub(super) struct Rehearsal<'a> {
    pub stage: Stage<'a>,
    pub old: Side<'a>,
    pub new: Side<'a>,
    pub plan: Plan,
    pub policy: Policy,
    /// Moves rows past policies.
    pub role: Ident,
    /// The old schema with rows, to be copied.
    pub filled: Database,
    pub rows: Vec<Bulk>,
    /// Calls of old programs, and what comes of each where no migration has begun.
    pub tried: Vec<Tried>,
    pub breaks: Arc<Breaks>,
    /// Rules that the rows break before anything has begun: they are not the migration's.
    pub excused: BTreeSet<String>,
    pub seed: u64,
    /// The new schema as the server reads it back.
    pub wanted: Catalog,
}

/// Rehearses the migration from an old design.
pub async fn rehearse(
    run: &Run<'_>,
    old: &Model,
    new: &Model,
    environment: &Environment,
) -> Result<(Evidence, Mutants, Vec<Finding>), Error> {
    let start = Instant::now();
    let claim = claim(new, old.name.as_str());
    let (from, to) = (compile(old), compile(new));
    let declared = Policy::of(new);
    let paced = plan(
        &from.catalog,
        &to.catalog,
        &Renames::of(new),
        &declared,
        environment,
    );
    let policy = Policy {
        hurry: Some((CHUNK, 1)),
        ..declared.clone()
    };
    let made = plan(
        &from.catalog,
        &to.catalog,
        &Renames::of(new),
        &policy,
        environment,
    );
    let plan = match made {
        Ok(mut plan) => {
            // Roles and extensions belong to the server, and are made before.
            plan.steps.retain(|step| !is_servers(step));
            plan
        }
        Err(error) => {
            let judged = Judged::refuted(format!("there is no plan: {error}"));
            let evidence = run.evidence(new, Method::Migrate, claim, judged.took(start));
            return Ok((evidence, Mutants::default(), Vec::new()));
        }
    };
    let wanted = match wanted(run, new, &to, environment).await? {
        Ok(wanted) => wanted,
        Err(reason) => {
            let judged = Judged::unchecked(reason);
            return Ok((
                run.evidence(new, Method::Migrate, claim, judged),
                Mutants::default(),
                Vec::new(),
            ));
        }
    };
    let stage = match Stage::open(run.server, old, &from, environment).await? {
        Staged::Ready(stage) => *stage,
        Staged::Refused(finding) => {
            let judged = Judged::unchecked(format!(
                "the schema of {} cannot be applied: {}",
                old.name.as_str(),
                finding.message
            ));
            return Ok((
                run.evidence(new, Method::Migrate, claim, judged),
                Mutants::default(),
                Vec::new(),
            ));
        }
    };
    let old_side = Side::new(old, &from);
    let ground = Ground::open(&stage, &to).await?;
    let role = ground.role.clone();
    let measured = match &paced {
        Ok(paced) => ground.measure(paced, run.seed).await?,
        Err(_) => BTreeMap::new(),
    };
    let filled = ground.copy().await?;
    drop(ground);
    let mut mover = filled.session_as(&role).await?;
    let set = mover.batch(&stage.search_path()).await;
    set.map_err(|failure| failure.into_error("set up a session"))?;
    live(&mut mover, old, &from.catalog, &old_side.maker, run.seed).await?;
    let written = stored(&mut mover, old, &from.catalog).await?;
    // And what its programs make of them, so that values are there that nobody can make up.
    let calls = program_calls(old, &from.catalog, &old_side.maker, &written, run.seed);
    tried(&filled, calls, &stage.search_path()).await?;
    let rows = stored(&mut mover, old, &from.catalog).await?;
    let mut excused = BTreeSet::new();
    for invariant in &old.invariants {
        if let Some(query) = drift(old, invariant)
            && mover
                .query(&query)
                .await
                .is_ok_and(|rows| !rows.rows.is_empty())
        {
            excused.insert(invariant.name.as_str().to_owned());
        }
    }
    drop(mover);
    let mut rehearsal = Rehearsal {
        tried: Vec::new(),
        breaks: Arc::new(load::breaks(&from.catalog, &to.catalog, &Renames::of(new))),
        role,
        filled,
        rows,
        excused,
        new: Side::new(new, &to),
        old: old_side,
        stage,
        plan,
        policy,
        seed: run.seed,
        wanted,
    };
    rehearsal.try_old().await?;
    let ended = rehearsal.all().await;
    rehearsal.filled.drop().await?;
    rehearsal.stage.close().await?;
    let mut findings = Vec::new();
    let (judged, mutants) = match ended {
        Ok((judged, mutants)) => {
            let planned = Planned::of(run, (old, new), environment).await?;
            findings.extend(planned.findings(new));
            let judged = match &paced {
                Ok(paced) => judged.measured(table(paced, &from.catalog, &declared, &measured)),
                Err(_) => judged,
            };
            (planned.told(judged), mutants)
        }
        Err(Ended::Error(error)) => return Err(error),
        Err(Ended::Refuted(refuted)) => {
            let judged = Judged::refuted(refuted.reason.clone());
            let lines = if refuted.lines.is_empty() {
                vec![refuted.reason]
            } else {
                refuted.lines
            };
            let judged = judged.with(Counterexample::Differences { lines });
            (judged, Mutants::default())
        }
    };
    let evidence = run.evidence(new, Method::Migrate, claim, judged.took(start));
    Ok((evidence, mutants, findings))
}

/// Whether it makes what belongs to the server: a role, an extension.
pub(super) fn is_servers(step: &Step) -> bool {
    let is = |cause| matches!(cause, &ObjectPath::Role(_) | &ObjectPath::Extension(_));
    !step.causes.is_empty() && step.causes.iter().all(is)
}

impl Rehearsal<'_> {
    async fn all(&self) -> Result<(Judged, Mutants), Ended> {
        self.audited()?;
        let steps = self.plan.steps.len();
        let killed = kill::killed(self).await?;
        let reversed = self.taken_back().await?;
        // Before the load, whose luck it would be.
        let left = followed::followed(self).await?;
        returned::returned(self).await?;
        let seen = self.under_load().await?;
        if let Some(left) = left {
            return Err(left.into());
        }
        let (mutants, survivors) = mutants::mutants(self).await?;
        let lock = self.policy.lock;
        if seen.longest.as_secs_f64() > lock {
            return Err(Refuted::new(format!(
                "a statement of a running program took {} ms during `{}`, and writers may be held up for {} ms",
                seen.longest.as_millis(),
                seen.during,
                lock * 1e3
            ))
            .into());
        }
        let verdict = if mutants.killed < mutants.made {
            Verdict::Vacuous
        } else {
            Verdict::Held
        };
        let empty: Vec<&str> = self
            .rows
            .iter()
            .filter(|bulk| bulk.rows.is_empty())
            .map(|bulk| bulk.table.as_str())
            .collect();
        let empty = if empty.is_empty() {
            String::new()
        } else {
            format!(", none in {}", empty.join(", "))
        };
        let excused = if self.excused.is_empty() {
            String::new()
        } else {
            let names: Vec<&str> = self.excused.iter().map(String::as_str).collect();
            format!(
                "; not judged at the end, because the rows break them before: {}",
                names.join(", ")
            )
        };
        let hazards: BTreeSet<String> = self.plan.hazards().map(Hazard::name).collect();
        let hazards = match hazards.is_empty() {
            true => String::new(),
            false => {
                let all: Vec<String> = hazards.into_iter().collect();
                format!("; hazards that have to be accepted: {}", all.join(", "))
            }
        };
        let mut judged = Judged::new(verdict).bounds(format!(
            "{steps} steps with {} rows{empty}; {} calls of old and {} of new programs, the longest statement {} ms (during `{}`); {killed} steps killed and resumed; {reversed} steps taken back; {} of {} safeguards noticed when they were taken out{excused}{hazards}",
            self.rows.iter().map(|bulk| bulk.rows.len()).sum::<usize>(),
            seen.old_calls,
            seen.new_calls,
            seen.longest.as_millis(),
            seen.during,
            mutants.killed,
            mutants.made
        ));
        if verdict == Verdict::Vacuous {
            judged = judged.reason(format!(
                "taken out, and nothing noticed: {}",
                survivors.join("; ")
            ));
        }
        let judged = judged
            .figure("steps", steps)
            .figure("killed", killed)
            .figure("taken_back", reversed)
            .figure("longest_stall_ms", seen.longest.as_millis() as usize);
        Ok((judged, mutants))
    }

    /// No step goes through a whole table while writers wait, unless a hazard says so.
    fn audited(&self) -> Result<(), Refuted> {
        let effects = audit(&self.plan, &self.old.compiled.catalog);
        for (step, effects) in self.plan.steps.iter().zip(&effects) {
            if let Some((table, mode)) = stops(step, effects).first() {
                return Err(Refuted::new(format!(
                    "{} goes through all of {} under {mode}",
                    named(step),
                    table.name.as_str()
                )));
            }
        }
        Ok(())
    }

    /// Calls of one version's programs.
    pub(super) fn calls(&self, side: &Side<'_>) -> Vec<ProgramCall> {
        program_calls(
            side.model,
            &side.compiled.catalog,
            &side.maker,
            &self.rows,
            self.seed,
        )
    }

    /// Runs the old version's programs where no migration has begun.
    async fn try_old(&mut self) -> Result<(), Error> {
        let (database, hands) = self.begin().await?;
        let calls = self.calls(&self.old);
        self.tried = tried(&database, calls, &self.stage.search_path()).await?;
        drop(hands);
        database.drop().await
    }

    /// A database with the old schema and rows.
    pub(super) async fn begin(&self) -> Result<(Database, Hands), Error> {
        let database = self.stage.server.clone_database(&self.filled).await?;
        let mut mover = database.session_as(&self.role).await?;
        let set = mover.batch(&self.stage.search_path()).await;
        set.map_err(|failure| failure.into_error("set up a session"))?;
        let owner = self.stage.session(&database).await?;
        let hands = Hands {
            owner,
            mover: Some(mover),
        };
        Ok((database, hands))
    }

    /// Runs one step; a failure refutes the migration.
    pub(super) async fn step(&self, hands: &mut Hands, step: &Step) -> Result<(), Ended> {
        match forward(hands, &self.plan, step).await {
            Ok(()) => {}
            Err(failure) => return Err(self.failed(hands, step, &failure).await.into()),
        }
        if step.phase <= Phase::Validate || step.backfill.is_some() {
            self.check(hands, step).await?;
        }
        Ok(())
    }

    /// Why a step failed: the rows that stand in the way, where its own query shows them.
    async fn failed(&self, hands: &mut Hands, step: &Step, failure: &SqlFailure) -> Refuted {
        let mut refuted = Refuted::new(format!("{} fails: {failure}", named(step)));
        let is_rows = failure.sqlstate.code().starts_with("23");
        if let (Some(check), Some(mover)) = (&step.check, &mut hands.mover)
            && let Ok(found) = mover.query(check).await
        {
            refuted.lines.push(refuted.reason.clone());
            refuted.lines.extend(
                found
                    .rows
                    .iter()
                    .take(3)
                    .map(|row| format!("a row in the way: {}", shown(row))),
            );
        }
        if is_rows && step.backfill.is_none() {
            if refuted.lines.is_empty() {
                refuted.lines.push(refuted.reason.clone());
            }
            refuted.lines.push("the old design allows such rows: put them right before, or let the old design say that there are none".to_owned());
        }
        refuted
    }

    /// The step's own query must return nothing after it.
    pub(super) async fn check(&self, hands: &mut Hands, step: &Step) -> Result<(), Ended> {
        let (Some(check), Some(mover)) = (&step.check, &mut hands.mover) else {
            return Ok(());
        };
        let found = mover.query(check).await;
        let found = found.map_err(|failure| failure.into_error("run the check of a step"))?;
        match found.rows.first() {
            None => Ok(()),
            Some(row) => {
                let mut refuted = Refuted::new(format!(
                    "after {} its check still returns rows",
                    named(step)
                ));
                refuted.lines = vec![refuted.reason.clone(), shown(row)];
                Err(refuted.into())
            }
        }
    }

    /// Forward up to each step that cannot be taken back, back to the one before it, and forward again.
    async fn taken_back(&self) -> Result<usize, Ended> {
        let (database, mut hands) = self.begin().await?;
        let (mut rest, mut count) = (self.plan.steps.as_slice(), 0);
        while !rest.is_empty() {
            let is_reversible = |step: &&Step| matches!(step.reverse, Reverse::Parts(_));
            let (there, beyond) = rest.split_at(rest.iter().take_while(is_reversible).count());
            let start = read(&mut hands.owner, self.old.model).await?;
            for step in there {
                self.step(&mut hands, step).await?;
            }
            for step in there.iter().rev() {
                if let Err(failure) = back(&mut hands, &self.plan, step).await {
                    return Err(Refuted::new(format!(
                        "{} cannot be taken back: {failure}",
                        named(step)
                    ))
                    .into());
                }
            }
            if let Some(first) = there.first() {
                let found = read(&mut hands.owner, self.old.model).await?;
                let when = format!("after everything from {} on was taken back", named(first));
                same(&when, &differences(&start, &found))?;
            }
            count += there.len();
            let Some((passed, beyond)) = beyond.split_first() else {
                break;
            };
            for step in there.iter().chain([passed]) {
                self.step(&mut hands, step).await?;
            }
            rest = beyond;
        }
        drop(hands);
        database.drop().await?;
        Ok(count)
    }

    /// At the end the schema is the new design's, and no rule of it is broken.
    pub(super) async fn ended(&self, hands: &mut Hands) -> Result<(), Ended> {
        let found = read(&mut hands.owner, self.new.model).await?;
        same("at the end", &differences(&self.wanted, &found))?;
        for invariant in &self.new.model.invariants {
            let (Some(query), Some(mover)) = (drift(self.new.model, invariant), &mut hands.mover)
            else {
                continue;
            };
            let rows = mover.query(&query).await;
            let rows = rows.map_err(|failure| failure.into_error("run a drift query"))?;
            let name = invariant.name.as_str();
            if !rows.rows.is_empty() && !self.excused.contains(name) {
                let mut refuted =
                    Refuted::new(format!("at the end {} rows break {name}", rows.rows.len()));
                refuted.lines.push(refuted.reason.clone());
                let shown = rows.rows.iter().take(3).map(|row| shown(row));
                refuted.lines.extend(shown);
                refuted.lines.push("either the old design allows such rows, which have to be put right before, or a backfill makes them".to_owned());
                return Err(refuted.into());
            }
        }
        Ok(())
    }
}

pub(super) fn named(step: &Step) -> String {
    format!("step {} ({})", step.number, step.title)
}

fn same(when: &str, found: &[Difference]) -> Result<(), Refuted> {
    if found.is_empty() {
        return Ok(());
    }
    let mut refuted = Refuted::new(format!(
        "{when} the schema differs in {} places",
        found.len()
    ));
    refuted.lines = found.iter().map(ToString::to_string).collect();
    Err(refuted)
}
