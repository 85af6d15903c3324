//! Mutants of commands: a lock, a condition or a level taken out of a statement. The schema stays, and so the arena of the design is
//! raced in; what a mutant does is held against what the design did in the very same meeting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::argument::Arguments;
use super::explore::{Explored, explore};
use super::pair::{Meeting, meetings};
use super::play::Trial;
use super::program::{Program, Script, Step};
use super::racer::Racer;
use super::rehearse::Rehearsal;
use crate::design::{Isolation, Rule};
use crate::error::Error;
use crate::finding::Verdict;
use crate::sql::{Ident, SqlText, Weakening, bind, weaken};

/// Schedules of one mutant.
const SCHEDULES: usize = 400;
/// Of these so many in one meeting.
const OF_MEETING: usize = 120;
/// Calls that are tried alone.
const ALONE: usize = 24;
/// Calls that are tried alone with other values.
const VARIED: usize = 4;
/// What stands in for a statement that is taken out and whose answer is asked for.
const NOTHING: &str = "SELECT WHERE false";

/// What is different in a command.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Alteration {
    pub command: String,
    pub to: Altered,
    /// Whether a single session may notice: it chooses rows, or passes some by.
    pub alone: bool,
    /// Whether to wait where nobody waited before is noticed.
    pub waits: bool,
}

/// How.
#[derive(Clone, Debug)]
pub(in crate::verify) enum Altered {
    /// This is taken out of the statement of this step.
    Statement(usize, Weakening),
    /// The isolation level.
    Isolation(Isolation),
}

/// What came of racing a mutant.
#[derive(Clone, Debug, Default)]
pub(in crate::verify) struct Noticed {
    /// Invariants that broke.
    pub by: BTreeSet<String>,
    /// What else went wrong.
    pub otherwise: Option<String>,
    /// How the commands may end together now and could not before, where nothing went wrong.
    pub ends: Option<String>,
    /// Meetings in which it was tried.
    pub meetings: usize,
    /// The server did not take the changed statement.
    pub refused: Option<String>,
}

impl Noticed {
    /// Whether anything did.
    pub(in crate::verify) fn is_noticed(&self) -> bool {
        !self.by.is_empty() || self.otherwise.is_some()
    }
}

impl Racer<'_> {
    /// Invariants that races of a command may break: those that rows decide, in the order of the design.
    pub(in crate::verify) fn protected_by(&self, command: &str) -> Vec<String> {
        let judges = self.arena.judges.iter().enumerate();
        let concerned = judges.filter(|(at, judge)| match &judge.invariant.rule {
            Rule::Idempotent { command: of, .. } => of.as_str() == command,
            Rule::Isolated { .. } => false,
            _ => {
                judge.has_queries()
                    && self
                        .racing(&judge.invariant, *at)
                        .iter()
                        .any(|name| name == command)
            }
        });
        concerned
            .map(|(_, judge)| judge.invariant.name.as_str().to_owned())
            .collect()
    }

    /// Whether a command commits in any state: one that never does cannot show what it lacks.
    pub(in crate::verify) fn commits(&self, command: &str) -> bool {
        self.rehearsal.committing(command).next().is_some()
    }

    /// Races a mutant until somebody notices.
    pub(in crate::verify) async fn race_altered(
        &mut self,
        alterations: &[Alteration],
    ) -> Result<Noticed, Error> {
        let mut scripts = self.scripts.clone();
        let mut noticed = Noticed::default();
        let commands: BTreeSet<&str> = alterations.iter().map(|a| a.command.as_str()).collect();
        for command in &commands {
            let own = alterations.iter().filter(|a| a.command == *command);
            let own: Vec<&Altered> = own.map(|alteration| &alteration.to).collect();
            if let Some(script) = scripts.get(*command) {
                let altered = self.altered(script, &own);
                scripts.insert((*command).to_owned(), Arc::new(altered));
            }
        }
        for command in &commands {
            let own = alterations.iter().filter(|a| a.command == *command);
            let alone: Vec<&Alteration> = own.filter(|alteration| alteration.alone).collect();
            if !alone.is_empty() {
                let named = alone.iter().flat_map(|a| self.named(a)).collect();
                self.alone(command, &scripts, &named, &mut noticed).await?;
            }
            if noticed.is_noticed() || noticed.refused.is_some() {
                return Ok(noticed);
            }
        }
        let waits = alterations.iter().all(|alteration| alteration.waits);
        let mut spent = 0;
        for (original, altered) in self.encounters(&commands, &scripts) {
            if spent >= SCHEDULES {
                break;
            }
            spent += self
                .encounter(&original, &altered, waits, &mut noticed)
                .await?;
            if noticed.is_noticed() || noticed.refused.is_some() {
                return Ok(noticed);
            }
        }
        self.repeated(&commands, &scripts, &mut noticed).await?;
        Ok(noticed)
    }

    fn altered(&self, script: &Script, to: &[&Altered]) -> Script {
        let mut changed = script.clone();
        changed.steps.clear();
        for (at, step) in script.steps.iter().enumerate() {
            let out: Vec<&Weakening> = to
                .iter()
                .filter_map(|altered| match altered {
                    Altered::Statement(step, out) if *step == at => Some(out),
                    _ => None,
                })
                .collect();
            let Step::Sql { text, capture, .. } = step else {
                changed.steps.push(step.clone());
                continue;
            };
            if out.is_empty() {
                changed.steps.push(step.clone());
                continue;
            }
            let left = weaken(text, &out);
            if left.is_none() && capture.is_none() {
                continue;
            }
            let text = left.as_ref().map_or(NOTHING, SqlText::as_str);
            let bound = bind(text);
            changed.steps.push(Step::Sql {
                sql: SqlText::authored(bound.sql),
                params: bound.names,
                text: text.to_owned(),
                capture: capture.clone(),
                footprint: self.arena.footprint(text),
            });
        }
        for altered in to {
            if let Altered::Isolation(level) = altered {
                changed.isolation = *level;
            }
        }
        changed
    }

    /// Parameters that what is taken out asks for.
    fn named(&self, alteration: &Alteration) -> Vec<Ident> {
        let script = self.scripts.get(&alteration.command);
        match (&alteration.to, script) {
            (Altered::Statement(at, out), Some(script)) => match script.steps.get(*at) {
                Some(Step::Sql { text, .. }) => {
                    let part = text.get(out.range.clone()).unwrap_or_default();
                    bind(part).names.into_iter().map(Ident::new).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Calls of the command alone, as designed and altered. `named`: parameters that what was taken out asks for.
    async fn alone(
        &mut self,
        command: &str,
        scripts: &BTreeMap<String, Arc<Script>>,
        named: &BTreeSet<Ident>,
        noticed: &mut Noticed,
    ) -> Result<(), Error> {
        let (Some(original), Some(altered)) = (
            self.scripts.get(command).cloned(),
            scripts.get(command).cloned(),
        ) else {
            return Ok(());
        };
        for (start, arguments) in calls(&self.rehearsal, command, named) {
            let program = |script: &Arc<Script>| Program {
                script: script.clone(),
                args: arguments.clone(),
            };
            let meeting = Meeting {
                start,
                programs: vec![program(&original), program(&altered)],
            };
            let Some(trial) = self.place(&meeting).await? else {
                continue;
            };
            let single = |program: Program| Trial {
                state: trial.state,
                programs: vec![program],
            };
            let (before, after) = (single(program(&original)), single(program(&altered)));
            let watch = self.watch(0);
            let seen = explore(&mut self.arena, &before, &watch, None, 8).await?;
            let found = explore(&mut self.arena, &after, &watch, None, 8).await?;
            if let Some(failure) = &found.broken {
                noticed.refused = Some(failure.message.clone());
                return Ok(());
            }
            noticed.meetings += 1;
            noticed.by.extend(self.broken(&found, Some(&seen)));
            noticed.otherwise = otherwise(&after, &seen, &found, false);
            if noticed.is_noticed() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Invariants that broke, and did not in `before`.
    fn broken(&self, explored: &Explored, before: Option<&Explored>) -> Vec<String> {
        let known: BTreeSet<usize> = before
            .map(|before| before.violations.iter().map(|(v, _)| v.judge).collect())
            .unwrap_or_default();
        let new = explored.violations.iter().map(|(v, _)| v.judge);
        new.filter(|judge| !known.contains(judge))
            .map(|judge| self.arena.judges[judge].invariant.name.as_str().to_owned())
            .collect()
    }

    /// Meetings of these commands with all that they are raced with, the most promising of each first, as designed and altered.
    fn encounters(
        &self,
        commands: &BTreeSet<&str>,
        scripts: &BTreeMap<String, Arc<Script>>,
    ) -> Vec<(Meeting, Meeting)> {
        let mut pairs: Vec<(usize, &str, &str)> = Vec::new();
        for command in commands {
            for (rank, other) in self.rivals(command) {
                let (first, second) = (other.min(*command), other.max(*command));
                let known = pairs.iter().any(|(_, a, b)| (*a, *b) == (first, second));
                if !known {
                    pairs.push((rank, first, second));
                }
            }
        }
        pairs.sort_by_key(|(rank, ..)| *rank);
        let mut found: Vec<(usize, Meeting, Meeting)> = Vec::new();
        for (_, first, second) in pairs {
            let rehearsal: &Rehearsal = &self.rehearsal;
            let original = meetings(rehearsal, &self.scripts, &[first, second]);
            let altered = meetings(rehearsal, scripts, &[first, second]);
            let both = original.into_iter().zip(altered).enumerate();
            found.extend(both.map(|(round, (original, altered))| (round, original, altered)));
        }
        found.sort_by_key(|(round, ..)| *round);
        found.into_iter().map(|(_, a, b)| (a, b)).collect()
    }

    /// Commands that an invariant races with this one: itself and those that wait for it first.
    fn rivals(&self, command: &str) -> Vec<(usize, &str)> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (at, judge) in self.arena.judges.iter().enumerate() {
            let racing = self.racing(&judge.invariant, at);
            if judge.has_queries() && racing.iter().any(|name| name == command) {
                let known = self.scripts.keys();
                names.extend(
                    known
                        .map(String::as_str)
                        .filter(|k| racing.iter().any(|r| r == k)),
                );
            }
        }
        let Some(own) = self.scripts.get(command).map(|script| script.footprint()) else {
            return Vec::new();
        };
        let rank = |name: &str| {
            let print = self.scripts.get(name).map(|script| script.footprint());
            let named = self.arena.judges.iter().any(|judge| {
                let named =
                    |name: &str| judge.invariant.raced_by.iter().any(|n| n.as_str() == name);
                named(name) && named(command)
            });
            match print {
                _ if named => 0,
                Some(print) if print.conflicts(&own) => 1,
                _ => 2,
            }
        };
        names.into_iter().map(|name| (rank(name), name)).collect()
    }

    /// One meeting; how many schedules it took.
    async fn encounter(
        &mut self,
        original: &Meeting,
        altered: &Meeting,
        waits: bool,
        noticed: &mut Noticed,
    ) -> Result<usize, Error> {
        let Some(trial) = self.place(original).await? else {
            return Ok(0);
        };
        let Some(before) = self.explore(original, 0).await? else {
            return Ok(0);
        };
        let trial = altered.trial(trial.state);
        let watch = self.watch(0);
        let after = explore(&mut self.arena, &trial, &watch, None, OF_MEETING).await?;
        if let Some(failure) = &after.broken {
            noticed.refused = Some(failure.message.clone());
            return Ok(0);
        }
        noticed.meetings += 1;
        noticed.by.extend(self.broken(&after, Some(&before)));
        if noticed.by.is_empty() {
            noticed.otherwise = otherwise(&trial, &before, &after, waits);
            let new = after
                .endings
                .keys()
                .find(|k| !before.endings.contains_key(*k));
            if let Some(new) = new {
                let ends = trial.programs.iter().zip(new);
                let ends = ends.map(|(program, end)| format!("`{}` {end}", program.script.title));
                let ends = ends.collect::<Vec<_>>().join(" and ");
                noticed.ends.get_or_insert(ends);
            }
        }
        Ok(after.schedules + after.pruned)
    }

    /// One key, one effect is counted, not looked up: where nothing else noticed, the command meets itself.
    async fn repeated(
        &mut self,
        commands: &BTreeSet<&str>,
        scripts: &BTreeMap<String, Arc<Script>>,
        noticed: &mut Noticed,
    ) -> Result<(), Error> {
        let judges = self.arena.judges.iter().map(|judge| &judge.invariant);
        let claims: Vec<_> = judges
            .filter(|invariant| match &invariant.rule {
                Rule::Idempotent { command, .. } => commands.contains(command.as_str()),
                _ => false,
            })
            .cloned()
            .collect();
        for invariant in claims {
            let whole = std::mem::replace(&mut self.scripts, scripts.clone());
            let altered = self.race(&invariant).await;
            self.scripts = whole;
            noticed.meetings += 1;
            if altered?.verdict == Verdict::Refuted
                && self.race(&invariant).await?.verdict != Verdict::Refuted
            {
                noticed.by.insert(invariant.name.as_str().to_owned());
            }
        }
        Ok(())
    }
}

/// Calls worth trying alone: those that were rehearsed, and those that commit with other values of these parameters.
fn calls(rehearsal: &Rehearsal, command: &str, named: &BTreeSet<Ident>) -> Vec<(usize, Arguments)> {
    let known = rehearsal.calls.get(command).into_iter().flatten();
    let mut calls = Vec::new();
    for call in rehearsal.committing(command).take(VARIED) {
        for name in named {
            let Some(Some(value)) = call.arguments.get(name) else {
                continue;
            };
            let others = known
                .clone()
                .filter_map(|other| other.arguments.get(name)?.clone());
            let others = others.filter(|other| other != value).take(1);
            for other in beside(value).into_iter().chain(others) {
                let mut arguments = call.arguments.clone();
                arguments.insert(name.clone(), Some(other));
                calls.push((call.start, arguments));
            }
        }
    }
    calls.extend(
        known
            .map(|call| (call.start, call.arguments.clone()))
            .take(ALONE),
    );
    calls
}

/// A value a little smaller, and one a little greater: of a number, or of a date by its year.
fn beside(value: &str) -> Vec<String> {
    if let Ok(number) = value.parse::<i64>() {
        return vec![
            number.saturating_sub(1).to_string(),
            number.saturating_add(1).to_string(),
        ];
    }
    let year = value.get(..4).and_then(|year| year.parse::<i64>().ok());
    match (year, value.get(4..)) {
        (Some(year), Some(rest)) if rest.starts_with('-') && rest.get(3..4) == Some("-") => {
            vec![
                format!("{:04}{rest}", year - 1),
                format!("{:04}{rest}", year + 1),
            ]
        }
        _ => Vec::new(),
    }
}

/// What went wrong that is no broken invariant: an error that nobody declares, an outcome that can no longer be had, a deadlock.
fn otherwise(trial: &Trial, before: &Explored, after: &Explored, waits: bool) -> Option<String> {
    let title = |program: usize| trial.programs[program].script.title.as_str();
    let is_known = |program: usize, code: &str| {
        let mut known = before.undeclared.iter();
        known.any(|(other, failure, _)| *other == program && failure.sqlstate.code() == code)
    };
    let new = after
        .undeclared
        .iter()
        .find(|(program, failure, _)| !is_known(*program, failure.sqlstate.code()));
    if let Some((program, failure, _)) = new {
        return Some(format!("`{}` fails: {}", title(*program), failure.message));
    }
    if after.deadlocks > 0 && before.deadlocks == 0 {
        return Some("the commands deadlock".to_owned());
    }
    if waits && after.waits > 0 && before.waits == 0 {
        return Some("the commands wait for each other".to_owned());
    }
    if !before.exhausted || !after.exhausted {
        return None;
    }
    let ends = |explored: &Explored, program: usize| -> BTreeSet<String> {
        let all = explored.endings.keys();
        all.filter_map(|names| names.get(program).cloned())
            .collect()
    };
    // Of two identical calls only the first may begin.
    let twins = trial.programs.windows(2).all(|pair| pair[0] == pair[1]);
    let all = |explored: &Explored| -> Vec<BTreeSet<String>> {
        let each = (0..trial.programs.len()).map(|program| ends(explored, program));
        match twins {
            true => vec![each.flatten().collect()],
            false => each.collect(),
        }
    };
    let lost = all(before).into_iter().zip(all(after)).enumerate();
    lost.into_iter().find_map(|(program, (before, after))| {
        let lost = before.difference(&after).next()?;
        Some(format!("`{}` no longer ends with `{lost}`", title(program)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beside_a_value() {
        assert_eq!(beside("7"), ["6", "8"]);
        assert_eq!(
            beside("2026-03-01 00:00:00+00"),
            ["2025-03-01 00:00:00+00", "2027-03-01 00:00:00+00"]
        );
        for other in ["", "open", "00000000-0000-4000-8000-000000000001", "é"] {
            assert_eq!(beside(other), Vec::<String>::new(), "{other}");
        }
    }
}
