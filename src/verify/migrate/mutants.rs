//! Safeguards taken out of a plan: each must be missed by a check, or the check is worth nothing.

use super::ended::Ended;
use super::followed::{Fault, differing};
use super::rehearse::Rehearsal;
use super::writes::another;
use crate::catalog::ObjectPath;
use crate::finding::Mutants;
use crate::migrate::{Part, Phase, Plan, Step, audit, stops};
use crate::sql::words::replaced;
use crate::sql::{Ident, QualifiedName, SqlText, fill, fixed, join, quote_ident, quote_qualified};

/// What is taken out of a step.
enum Safeguard {
    /// `CONCURRENTLY`.
    Concurrently,
    /// `NOT VALID`.
    NotValid,
    /// The last row of each chunk.
    LastRow,
    /// All that a backfill of the design's own writes.
    Fill,
    /// Its values: there are others in their place.
    Values,
    /// The trigger that writes both columns or tables.
    DualWrite,
}

/// Takes each safeguard out in turn.
pub(super) async fn mutants(rehearsal: &Rehearsal<'_>) -> Result<(Mutants, Vec<String>), Ended> {
    let (mut mutants, mut survivors) = (Mutants::default(), Vec::new());
    for (at, step) in rehearsal.plan.steps.iter().enumerate() {
        let other = other_values(rehearsal, step);
        let other = other.map(|mutant| (Safeguard::Values, mutant));
        for (safeguard, mutant) in weakened(step).into_iter().chain(other) {
            let mut plan = rehearsal.plan.clone();
            plan.steps[at] = mutant;
            if let Safeguard::LastRow = safeguard {
                // Whoever fills another column of the same row fills this one, too: their triggers see to it.
                for (_, other) in plan.steps.iter_mut().enumerate().filter(|(n, _)| *n != at) {
                    if walks(other) && walked(other) == walked(step) {
                        *other = edited(other, &not_last);
                    }
                }
            }
            let noticed = match safeguard {
                Safeguard::Concurrently | Safeguard::NotValid => stopped(rehearsal, &plan, at),
                Safeguard::LastRow | Safeguard::Fill | Safeguard::Values | Safeguard::DualWrite => {
                    let written: &[ObjectPath] = match safeguard {
                        Safeguard::DualWrite => &step.causes,
                        _ => &[],
                    };
                    // What is counted is counted after the new rules came.
                    let last = match safeguard {
                        Safeguard::Fill | Safeguard::Values => {
                            let mut steps = plan.steps.iter();
                            steps.rposition(|step| step.phase <= Phase::Validate)
                        }
                        _ => {
                            let last = plan.steps.iter().rposition(|step| step.backfill.is_some());
                            last.filter(|_| step.phase > Phase::Backfill)
                        }
                    };
                    let upto = last.map(|last| last.max(at));
                    let fault = differing(rehearsal, &plan, written, upto).await?;
                    matches!(fault, Some(Fault::Shown(..) | Fault::Left(..)))
                }
            };
            mutants.made += 1;
            mutants.killed += u64::from(noticed);
            if !noticed {
                survivors.push(format!("{} without {}", step.title, safeguard.word()));
            }
        }
    }
    Ok((mutants, survivors))
}

impl Safeguard {
    fn word(&self) -> &'static str {
        match self {
            Safeguard::Concurrently => "CONCURRENTLY",
            Safeguard::NotValid => "NOT VALID",
            Safeguard::LastRow => "the last row of a chunk",
            Safeguard::Fill => "what it writes",
            Safeguard::Values => "its values (others in their place)",
            Safeguard::DualWrite => "its trigger",
        }
    }
}

fn walks(step: &Step) -> bool {
    step.backfill.as_ref().is_some_and(|own| own.is_walk)
}

fn walked(step: &Step) -> Option<&QualifiedName> {
    step.backfill.as_ref().map(|own| &own.table)
}

/// A walk that leaves the last row of each chunk out.
fn not_last(sql: &SqlText) -> SqlText {
    replaced(sql, ") <= ROW(", ") < ROW(")
}

fn edited(step: &Step, edit: &dyn Fn(&SqlText) -> SqlText) -> Step {
    let mut mutant = step.clone();
    for part in &mut mutant.parts {
        part.sql = edit(&part.sql);
    }
    if let Some(backfill) = &mut mutant.backfill {
        backfill.call = edit(&backfill.call);
    }
    mutant
}

fn weakened(step: &Step) -> Vec<(Safeguard, Step)> {
    let mut out = Vec::new();
    let text = |step: &Step| -> String {
        let all = step.parts.iter().map(|part| part.sql.as_str());
        all.collect::<Vec<_>>().join(";")
    };
    let whole = text(step);
    let mut change = |safeguard: Safeguard, edit: &dyn Fn(&SqlText) -> SqlText| {
        out.push((safeguard, edited(step, edit)));
    };
    if step.phase <= Phase::Validate && whole.contains("INDEX CONCURRENTLY") {
        change(Safeguard::Concurrently, &|sql| {
            replaced(sql, " CONCURRENTLY", "")
        });
    }
    if whole.contains(" NOT VALID") && step.phase <= Phase::Validate {
        change(Safeguard::NotValid, &|sql| replaced(sql, " NOT VALID", ""));
    }
    if let Some(false) = step.backfill.as_ref().map(|backfill| backfill.is_walk) {
        change(Safeguard::Fill, &|_| fixed("SELECT 1"));
    }
    if walks(step) {
        change(Safeguard::LastRow, &not_last);
    }
    if whole.contains("CREATE TRIGGER pgproof_") && step.phase == Phase::Expand {
        change(Safeguard::DualWrite, &|sql| {
            if sql.as_str().starts_with("CREATE TRIGGER") {
                fixed("SELECT 1")
            } else {
                sql.clone()
            }
        });
    }
    out
}

/// A backfill of the design's own that brings other values than it does. None where all that it writes are keys, or columns that were there.
fn other_values(rehearsal: &Rehearsal<'_>, step: &Step) -> Option<Step> {
    let target = rehearsal.target(step)?;
    let (old, new) = (&rehearsal.old.compiled, &rehearsal.new.compiled);
    let (was, made) = (
        old.catalog.tables.get(target),
        new.catalog.tables.get(target)?,
    );
    let keys = made.primary_key.iter().flat_map(|(_, key)| &key.columns);
    let keys = keys.chain(made.foreign_keys.values().flat_map(|key| &key.columns));
    let keys: Vec<&Ident> = keys.collect();
    let columns = made.columns.iter().filter(|column| {
        let is_there = was.is_some_and(|was| was.column(&column.name).is_some());
        !is_there && !column.is_generated() && !keys.contains(&&column.name)
    });
    let set: Vec<SqlText> = columns
        .filter_map(|column| {
            let other = another(&column.name, column.data_type.as_str())?;
            let parts = [("column", &quote_ident(&column.name)), ("other", &other)];
            Some(fill("{column} = {other}", &parts))
        })
        .collect();
    if set.is_empty() {
        return None;
    }
    let parts = [
        ("table", &quote_qualified(target)),
        ("set", &join(set, ", ")),
    ];
    let mut mutant = step.clone();
    let update = fill("UPDATE {table} SET {set}", &parts);
    mutant.parts.push(Part::alone(update));
    Some(mutant)
}

/// Whether the audit sees that writers would wait.
fn stopped(rehearsal: &Rehearsal<'_>, plan: &Plan, at: usize) -> bool {
    let effects = audit(plan, &rehearsal.old.compiled.catalog);
    let step = &plan.steps[at];
    effects
        .get(at)
        .is_some_and(|effects| !stops(step, effects).is_empty())
}
