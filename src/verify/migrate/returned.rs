//! After the switch programs of the new version write; then the migration is taken back. Old programs must find values that mean the same.

use super::ended::{Ended, Refuted};
use super::rehearse::{Rehearsal, named};
use super::steps::{Hands, back};
use super::traffic::Breaks;
use crate::migrate::{Phase, Reverse, Step};
use crate::sql::words::mentions;
use crate::sql::{Ident, QualifiedName, SqlText, fill, number, quote_ident, quote_qualified};

/// Values of a column that are written.
const VALUES: i64 = 5;

/// Writes to converted columns what other rows have there, and takes back what can be.
pub(super) async fn returned(rehearsal: &Rehearsal<'_>) -> Result<(), Ended> {
    let converted: Vec<(&QualifiedName, &Ident)> = converted(rehearsal).collect();
    let steps = &rehearsal.plan.steps;
    let Some(last) = steps.iter().rposition(|step| step.phase <= Phase::Switch) else {
        return Ok(());
    };
    let is_reversible = |step: &Step| matches!(step.reverse, Reverse::Parts(_));
    if converted.is_empty() || !steps[..=last].iter().all(is_reversible) {
        return Ok(());
    }
    let (database, mut hands) = rehearsal.begin().await?;
    for step in &steps[..=last] {
        rehearsal.step(&mut hands, step).await?;
    }
    for (table, column) in converted {
        for statement in writes(table, column) {
            let Some(mover) = &mut hands.mover else {
                return Ok(());
            };
            match mover.batch(&statement).await {
                Err(failure) if Breaks::refuses(&failure) => {
                    return Err(Refuted::new(format!(
                        "programs of the new version cannot write to {}.{} what its rows hold while the old column is there: {failure}: let `back` in migration.convert take every value",
                        table.name.as_str(),
                        column.as_str()
                    ))
                    .into());
                }
                // A rule of the new design may refuse it.
                Ok(()) | Err(_) => {}
            }
        }
    }
    let mut checked = false;
    for step in steps[..=last].iter().rev() {
        if step.phase < Phase::Validate && !checked {
            checked = true;
            for filled in steps.iter().filter(|step| is_converting(rehearsal, step)) {
                compared(rehearsal, &mut hands, filled).await?;
            }
        }
        if let Err(failure) = back(&mut hands, &rehearsal.plan, step).await {
            return Err(Refuted::new(format!(
                "{} cannot be taken back when programs of the new version have written what old rows held: {failure}: let `back` in migration.convert say what old programs shall find",
                named(step)
            ))
            .into());
        }
    }
    drop(hands);
    database.drop().await?;
    Ok(())
}

/// The old value that was kept of a new one must become that new value again.
async fn compared(
    rehearsal: &Rehearsal<'_>,
    hands: &mut Hands,
    filled: &Step,
) -> Result<(), Ended> {
    let Err(ended) = rehearsal.check(hands, filled).await else {
        return Ok(());
    };
    let Ended::Refuted(found) = ended else {
        return Err(ended);
    };
    let mut refuted = Refuted::new(format!(
        "what programs of the new version write is another value when the switch is taken back ({}): what migration.convert says in `back`, or else the cast, does not undo what it says in `as`",
        filled.title
    ));
    refuted.lines.push(refuted.reason.clone());
    refuted.lines.extend(found.lines.into_iter().skip(1));
    Err(refuted.into())
}

fn is_converting(rehearsal: &Rehearsal<'_>, step: &Step) -> bool {
    let filled = step.backfill.as_ref().and_then(|own| own.column.as_ref());
    filled.is_some()
        && converted(rehearsal).any(|(table, column)| {
            let title = format!("fill {}.{}", table.name.as_str(), column.as_str());
            step.title.starts_with(&title)
        })
}

/// Columns whose new value stands, by the design's word, on one old column alone.
fn converted<'a>(
    rehearsal: &'a Rehearsal<'_>,
) -> impl Iterator<Item = (&'a QualifiedName, &'a Ident)> {
    rehearsal
        .policy
        .converts
        .iter()
        .filter_map(|(key, convert)| {
            let (table, column) = key;
            let old = rehearsal.old.compiled.catalog.tables.get(table)?;
            let read = old
                .columns
                .iter()
                .filter(|own| mentions(&convert.value, &own.name));
            (read.count() == 1).then_some((table, column))
        })
}

/// Each row gets a value that some row has; and some rows by themselves, where a rule lets not all of them go there.
fn writes(table: &QualifiedName, column: &Ident) -> Vec<SqlText> {
    let mut out = Vec::new();
    for at in 0..VALUES {
        let parts = [
            ("table", &quote_qualified(table)),
            ("column", &quote_ident(column)),
            ("at", &number(at)),
        ];
        let one = fill(
            "UPDATE {table} AS row SET {column} = other.{column}\n    FROM (SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} OFFSET {at} LIMIT 1) AS other",
            &parts,
        );
        let parts = [
            ("one", &one),
            ("count", &number(VALUES)),
            ("at", &number(at)),
        ];
        out.push(fill(
            "{one}\n    WHERE abs(hashtext(row.ctid::text)) % {count} = {at}",
            &parts,
        ));
        let name = quote_qualified(table);
        out.extend((0..VALUES).map(|row| {
            let parts = [("one", &one), ("table", &name), ("row", &number(row))];
            fill(
                "{one}\n    WHERE row.ctid = (SELECT ctid FROM {table} ORDER BY ctid OFFSET {row} LIMIT 1)",
                &parts,
            )
        }));
    }
    out
}
