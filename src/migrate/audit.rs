//! What each step of a plan does to a database in use: the recipes' promises, held against what is known of every statement.

use std::collections::BTreeSet;

use super::chain::Chain;
use super::effect::Effects;
use super::estimate::{self, Work};
use super::lock::LockMode;
use super::plan::{Hazard, HazardKind, Manner, Plan, Step};
use super::policy::Policy;
use crate::catalog::Catalog;
use crate::sql::words::mentions;
use crate::sql::{QualifiedName, ddl};

/// The effects of each step, in order. `from` is the schema before the first.
pub fn audit(plan: &Plan, from: &Catalog) -> Vec<Effects> {
    let mut chain = Chain::new(from.clone(), plan.version);
    plan.steps
        .iter()
        .map(|step| one(&mut chain, step))
        .collect()
}

fn one(chain: &mut Chain, step: &Step) -> Effects {
    let mut all = Effects::default();
    if let Some(backfill) = &step.backfill {
        // The block is opaque to a reader of DDL; what it does is known, because it is ours.
        all.locks
            .insert(backfill.table.clone(), LockMode::RowExclusive);
        all.writes.insert(backfill.table.clone(), false);
        return all;
    }
    for part in &step.parts {
        let Ok(form) = ddl(part.sql.as_str()) else {
            all.unknown = Some("a statement could not be read".to_owned());
            continue;
        };
        let effects = chain.effects(&form);
        chain.follow(&form, &effects);
        all.merge(effects);
    }
    chain.end_transaction();
    all
}

/// Tables that are gone through as a whole while writers wait, which no hazard of the step says.
pub fn stops(step: &Step, effects: &Effects) -> Vec<(QualifiedName, LockMode)> {
    let said = step
        .hazards
        .iter()
        .any(|hazard| matches!(hazard.kind, HazardKind::Stop | HazardKind::Rewrite));
    if said {
        return Vec::new();
    }
    effects.stops().into_iter().collect()
}

/// Writes into each step what it locks and reads, and makes a hazard of every stop that no recipe has named.
pub(super) fn annotate(plan: &mut Plan, from: &Catalog, to: &Catalog, policy: &Policy) {
    let audited = audit(plan, from);
    let tables = || from.tables.iter().chain(&to.tables);
    let forced: BTreeSet<&QualifiedName> = tables()
        .filter(|(_, table)| table.row_security && table.force_row_security)
        .map(|(name, _)| name)
        .collect();
    for (step, effects) in plan.steps.iter_mut().zip(audited) {
        for (table, mode) in stops(step, &effects) {
            let name = table.name.as_str();
            let is_rewrite = effects.rewrites.contains(&table);
            let does = if is_rewrite {
                "is written anew"
            } else {
                "is read from end to end"
            };
            step.hazards.push(Hazard {
                kind: if is_rewrite {
                    HazardKind::Rewrite
                } else {
                    HazardKind::Stop
                },
                subject: name.to_owned(),
                text: format!("{name} {does} under {mode}: {}", mode.plainly()),
            });
        }
        step.past_policies |= step.backfill.as_ref().is_some_and(|backfill| {
            forced
                .iter()
                .any(|name| mentions(&backfill.call, &name.name))
        });
        step.locks = lines(step, &effects, policy);
    }
}

/// One line for each table that somebody could notice, in plain words.
fn lines(step: &Step, effects: &Effects, policy: &Policy) -> Vec<String> {
    let worked: BTreeSet<&QualifiedName> = effects
        .scans
        .iter()
        .chain(&effects.rewrites)
        .chain(&effects.builds_index)
        .collect();
    let mut lines = Vec::new();
    for (table, mode) in &effects.locks {
        let is_worked = worked.contains(table);
        if *mode < LockMode::ShareUpdateExclusive && !is_worked && step.manner() != Manner::Chunks {
            continue;
        }
        let rows = policy.rows.get(table);
        let measured = policy.measured.get(&step.title);
        let how_long = if step.manner() == Manner::Chunks {
            let chunk = step.backfill.as_ref().map_or(0, |b| b.chunk);
            let all = match (rows, measured) {
                (None, _) => String::new(),
                (Some(rows), Some(measured)) => format!(
                    ", {} in all, {} of WAL, by {} rows measured",
                    measured.takes(*rows),
                    measured.writes(*rows),
                    measured.rows
                ),
                (Some(rows), None) => format!(
                    ", {} in all, {} of WAL",
                    estimate::filling(*rows),
                    estimate::wal(*rows)
                ),
            };
            format!("a chunk of {chunk} rows at a time{all}")
        } else if is_worked {
            let work = if effects.rewrites.contains(table) {
                Work::Rewrite
            } else if effects.builds_index.contains(table) {
                Work::Index
            } else {
                Work::Scan
            };
            rows.map_or_else(
                || "as long as all its rows take".to_owned(),
                |rows| {
                    let time = match measured {
                        Some(measured) => format!(
                            "{}, by {} rows measured",
                            measured.takes(*rows),
                            measured.rows
                        ),
                        None => estimate::working(work, *rows),
                    };
                    format!("as long as its {} take, {time}", counted(*rows))
                },
            )
        } else {
            "an instant".to_owned()
        };
        lines.push(format!(
            "{} {mode}, {how_long}: {}",
            table.name.as_str(),
            mode.plainly()
        ));
    }
    lines
}

/// `5 million rows`.
fn counted(rows: f64) -> String {
    match rows {
        _ if rows >= 1e9 => format!("{:.1} billion rows", rows / 1e9),
        _ if rows >= 1e6 => format!("{:.1} million rows", rows / 1e6),
        _ => format!("{rows:.0} rows"),
    }
}
