//! A migration while programs of both versions run.

use std::sync::Arc;
use std::time::Duration;

use super::ended::{Ended, Refuted, shown};
use super::rehearse::{Rehearsal, named};
use super::steps::Hands;
use super::traffic::{Breaks, Traffic, Tried};
use crate::catalog::Catalog;
use crate::compile::derived;
use crate::migrate::{Phase, Renames, Step};
use crate::sql::Ident;

/// Calls that programs make before a step at least.
const CALLS: u64 = 12;

impl Rehearsal<'_> {
    /// Every step, with programs running before, during and after it.
    pub(super) async fn under_load(&self) -> Result<Seen, Ended> {
        let (database, mut hands) = self.begin().await?;
        database.find_deadlocks().await?;
        let path = self.stage.search_path();
        let (until, since) = self.compatible();
        let started = Traffic::start(&database, &self.tried, &path, self.breaks.clone()).await?;
        let mut old = Some(started);
        let mut new: Option<Traffic> = None;
        let mut seen = Seen::default();
        for (at, step) in self.plan.steps.iter().enumerate() {
            if new.is_none() && step.phase > since {
                let calls = self.new_calls();
                let started = Traffic::start(&database, &calls, &path, Arc::default()).await?;
                // Each of them once before the step, which may bring what they need.
                started.go_round().await;
                new = Some(started);
            }
            if step.phase > until
                && let Some(traffic) = old.take()
            {
                seen.old_calls += traffic.stop().await.0;
            }
            for traffic in [&old, &new].into_iter().flatten() {
                traffic.go_on(CALLS).await;
                traffic.longest();
            }
            self.step(&mut hands, step).await?;
            for (whose, traffic) in [("old", &old), ("new", &new)] {
                let Some(traffic) = traffic else { continue };
                traffic.go_round().await;
                seen.note(traffic.longest(), step);
                if let Some((title, said)) = traffic.broken().into_iter().next() {
                    let mut refuted = Refuted::new(format!(
                        "{title} of the {whose} programs no longer runs after {}: {said}",
                        named(step)
                    ));
                    refuted.lines = vec![
                        refuted.reason.clone(),
                        format!("the {whose} version is said to work in {}", step.phase),
                    ];
                    return Err(refuted.into());
                }
            }
            // Whatever was copied must be the same while both are written.
            let next = self.plan.steps.get(at + 1).map(|step| step.phase);
            if step.phase < Phase::Switch && next.is_none_or(|next| next > step.phase) {
                for earlier in &self.plan.steps[..=at] {
                    if earlier.backfill.is_some() {
                        self.check(&mut hands, earlier).await?;
                    }
                }
            }
            if step.phase <= Phase::Validate && next.is_none_or(|next| next > Phase::Validate) {
                self.validated(&mut hands).await?;
            }
        }
        if let Some(traffic) = old.take() {
            seen.old_calls += traffic.stop().await.0;
        }
        if new.is_none() {
            let calls = self.new_calls();
            new = Some(Traffic::start(&database, &calls, &path, Arc::default()).await?);
        }
        if let Some(traffic) = new.take() {
            traffic.go_round().await;
            let broken = traffic.broken();
            seen.new_calls += traffic.stop().await.0;
            if let Some((title, said)) = broken.into_iter().next() {
                return Err(Refuted::new(format!(
                    "{title} of the new programs does not run at the end: {said}"
                ))
                .into());
            }
        }
        self.ended(&mut hands).await?;
        drop(hands);
        database.drop().await?;
        Ok(seen)
    }

    /// The design's own queries that must return no row.
    pub(super) async fn validated(&self, hands: &mut Hands) -> Result<(), Ended> {
        let Some(mover) = &mut hands.mover else {
            return Ok(());
        };
        for (name, query) in &self.policy.validate {
            let rows = mover.query(query).await;
            let rows = rows.map_err(|failure| {
                Refuted::new(format!(
                    "the query {name} of `migration.validate` fails: {failure}"
                ))
            })?;
            if let Some(row) = rows.rows.first() {
                let mut refuted = Refuted::new(format!(
                    "{name} of `migration.validate` returns {} rows",
                    rows.rows.len()
                ));
                refuted.lines = vec![refuted.reason.clone(), shown(row)];
                return Err(refuted.into());
            }
        }
        Ok(())
    }

    /// Calls of the new version's programs, of which nobody knows yet whether they go through.
    fn new_calls(&self) -> Vec<Tried> {
        let calls = self.calls(&self.new).into_iter();
        calls.map(|call| Tried { call, done: false }).collect()
    }

    /// Until which phase old programs are to work, and after which new ones.
    fn compatible(&self) -> (Phase, Phase) {
        let phase = |word: &str| match word {
            "old" | "expanded" => Some(Phase::Expand),
            "backfilled" => Some(Phase::Backfill),
            "validated" => Some(Phase::Validate),
            "switched" => Some(Phase::Switch),
            "contracted" => Some(Phase::Contract),
            _ => None,
        };
        let mut until: Option<Phase> = None;
        let mut since = Phase::Switch;
        for phases in self.policy.compatibility.values() {
            let known: Vec<Phase> = phases.iter().filter_map(|word| phase(word)).collect();
            let is_old = phases.iter().any(|word| word == "old");
            let is_new = phases.iter().any(|word| word == "contracted");
            // Of several versions that work at the start the first to go is the old one.
            if is_old && let Some(last) = known.iter().max() {
                until = Some(until.map_or(*last, |until| until.min(*last)));
            }
            if is_new
                && !is_old
                && let Some(first) = known.iter().min()
            {
                since = *first;
            }
        }
        (until.unwrap_or(Phase::Switch), since)
    }
}

/// What old programs cannot keep, since they do not know it.
pub(super) fn breaks(old: &Catalog, new: &Catalog, renames: &Renames) -> Breaks {
    let mut out = Breaks::default();
    for (name, table) in &new.tables {
        let was = renames.tables.get(name).unwrap_or(name);
        let Some(was) = old.tables.get(was) else {
            out.new_tables.insert(name.name.as_str().to_owned());
            continue;
        };
        let mut columns = table.columns.iter();
        while let Some(column) = columns.find(|c| was.column(&c.name).is_none()) {
            for word in ["not_null_proof", "not_null"] {
                let proof = derived(&[name.name.as_str(), column.name.as_str(), word]);
                out.forgotten.insert(proof.as_str().to_owned());
            }
            let path = format!("{}.{}", name.name.as_str(), column.name.as_str());
            out.forgotten.insert(path);
        }
        let is_new = |column: &Ident| {
            let is_renamed = renames
                .columns
                .contains_key(&(name.clone(), column.clone()));
            was.column(column).is_none() && !is_renamed
        };
        let of_new = table
            .foreign_keys
            .iter()
            .filter(|(_, key)| key.columns.iter().all(is_new));
        let of_new = of_new.map(|(name, _)| name.as_str().to_owned());
        out.forgotten.extend(of_new);
    }
    out
}

/// What was seen under load.
pub(super) struct Seen {
    pub old_calls: u64,
    pub new_calls: u64,
    pub longest: Duration,
    pub during: String,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen {
            old_calls: 0,
            new_calls: 0,
            longest: Duration::ZERO,
            during: "nothing".to_owned(),
        }
    }
}

impl Seen {
    fn note(&mut self, longest: Duration, step: &Step) {
        if longest > self.longest {
            self.longest = longest;
            self.during = step.title.clone();
        }
    }
}
