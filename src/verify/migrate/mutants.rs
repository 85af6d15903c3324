//! Safeguards taken out of a plan: each must be missed by a check, or the check is worth nothing.

use super::ended::{Ended, Refuted};
use super::rehearse::Rehearsal;
use super::steps::{Hands, forward};
use super::traffic::that_run;
use crate::catalog::ObjectPath;
use crate::error::Error;
use crate::finding::Mutants;
use crate::migrate::{Phase, Plan, Renames, Step, audit, stops};
use crate::postgres::SqlFailure;
use crate::sql::words::replaced;
use crate::sql::{self, Ident, SqlText, fill, fixed, quote_ident, quote_qualified, sequence};

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
    /// The trigger that writes both columns or tables.
    DualWrite,
}

/// Takes each safeguard out in turn.
pub(super) async fn mutants(rehearsal: &Rehearsal<'_>) -> Result<(Mutants, Vec<String>), Ended> {
    let (mut mutants, mut survivors) = (Mutants::default(), Vec::new());
    for (at, step) in rehearsal.plan.steps.iter().enumerate() {
        for (safeguard, mutant) in weakened(step) {
            let mut plan = rehearsal.plan.clone();
            plan.steps[at] = mutant;
            let noticed = match safeguard {
                Safeguard::Concurrently | Safeguard::NotValid => stopped(rehearsal, &plan, at),
                Safeguard::LastRow | Safeguard::Fill | Safeguard::DualWrite => {
                    let written: &[ObjectPath] = match safeguard {
                        Safeguard::DualWrite => &step.causes,
                        _ => &[],
                    };
                    // What is counted is counted after the new rules came.
                    let last = match safeguard {
                        Safeguard::Fill => {
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
                    matches!(fault, Some(Fault::Shown(_)))
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
            Safeguard::DualWrite => "its trigger",
        }
    }
}

fn weakened(step: &Step) -> Vec<(Safeguard, Step)> {
    let mut out = Vec::new();
    let text = |step: &Step| -> String {
        let all = step.parts.iter().map(|part| part.sql.as_str());
        all.collect::<Vec<_>>().join(";")
    };
    let whole = text(step);
    let mut change = |safeguard: Safeguard, edit: &dyn Fn(&SqlText) -> SqlText| {
        let mut mutant = step.clone();
        for part in &mut mutant.parts {
            part.sql = edit(&part.sql);
        }
        if let Some(backfill) = &mut mutant.backfill {
            backfill.call = edit(&backfill.call);
        }
        out.push((safeguard, mutant));
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
    if step
        .backfill
        .as_ref()
        .is_some_and(|backfill| backfill.is_walk)
    {
        change(Safeguard::LastRow, &|sql| {
            replaced(sql, ") <= ROW(", ") < ROW(")
        });
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

/// Whether the audit sees that writers would wait.
fn stopped(rehearsal: &Rehearsal<'_>, plan: &Plan, at: usize) -> bool {
    let effects = audit(plan, &rehearsal.old.compiled.catalog);
    let step = &plan.steps[at];
    effects
        .get(at)
        .is_some_and(|effects| !stops(step, effects).is_empty())
}

/// What is not as it should be.
enum Fault {
    /// A check that returns rows, or a step that fails.
    Shown(String),
    /// A check that fails itself, and what the server says: nothing is known then.
    Fails(String, SqlFailure),
}

/// Fills everything, writes what programs of the old version could, and says which check then returns rows.
async fn differing(
    rehearsal: &Rehearsal<'_>,
    plan: &Plan,
    written: &[ObjectPath],
    upto: Option<usize>,
) -> Result<Option<Fault>, Error> {
    let is_whole = plan.digest() == rehearsal.plan.digest();
    let is_run = |at: usize, step: &Step| {
        step.phase <= Phase::Backfill || upto.is_some_and(|upto| at <= upto)
    };
    let (database, mut hands) = rehearsal.begin().await?;
    let mut found = None;
    for (at, step) in plan.steps.iter().enumerate() {
        if is_run(at, step) && forward(&mut hands, plan, step).await.is_err() {
            found = Some(Fault::Shown(step.title.clone()));
            break;
        }
    }
    if found.is_none() && !written.is_empty() {
        rehearsal.write_old(&mut hands, written).await;
        let path = rehearsal.stage.search_path();
        that_run(&database, &rehearsal.old_calls(), &path).await?;
        // A column that is left empty stands in the way of its proof.
        let forgotten = rehearsal.forgotten();
        let proofs = plan
            .steps
            .iter()
            .filter(|step| step.phase == Phase::Validate && !is_whole);
        for step in proofs {
            if let Err(failure) = forward(&mut hands, plan, step).await {
                let is_left = failure
                    .constraint
                    .as_ref()
                    .is_some_and(|name| forgotten.contains(name));
                found = is_left.then(|| Fault::Shown(step.title.clone()));
                break;
            }
        }
    }
    let own = plan.steps.iter().enumerate();
    let own =
        own.filter(|(at, step)| step.is_parity || (step.backfill.is_some() && is_run(*at, step)));
    let own = own.filter_map(|(_, step)| Some((step.title.as_str(), step.check.as_ref()?)));
    let declared = rehearsal.policy.validate.iter();
    let declared = declared.map(|(name, query)| (name.as_str(), query));
    if let Some(mover) = &mut hands.mover {
        for (name, check) in own.chain(declared) {
            if found.is_some() {
                break;
            }
            found = match mover.query(check).await {
                Ok(rows) if rows.rows.is_empty() => None,
                Ok(_) => Some(Fault::Shown(name.to_owned())),
                Err(failure) => Some(Fault::Fails(name.to_owned(), failure)),
            };
        }
    }
    drop(hands);
    database.drop().await?;
    Ok(found)
}

/// What old programs write after their rows were copied gets to its new place, whoever writes it.
pub(super) async fn followed(rehearsal: &Rehearsal<'_>) -> Result<(), Ended> {
    let tables = rehearsal.old.compiled.catalog.tables.keys();
    let written: Vec<ObjectPath> = tables.map(|name| ObjectPath::Table(name.clone())).collect();
    match differing(rehearsal, &rehearsal.plan, &written, None).await? {
        None => Ok(()),
        Some(Fault::Fails(name, failure)) => Err(Refuted::new(format!(
            "what programs of the old version write after the backfill cannot be looked for: {name} fails: {}",
            failure.message
        ))
        .into()),
        Some(Fault::Shown(what)) => Err(Refuted::new(format!(
            "what programs of the old version write after the backfill does not get to its new place: {what} shows rows that differ"
        ))
        .into()),
    }
}

impl Rehearsal<'_> {
    /// Writes what programs of the old version could: values of the step's tables change, rows come and go.
    async fn write_old(&self, hands: &mut Hands, written: &[ObjectPath]) {
        let Some(mover) = &mut hands.mover else {
            return;
        };
        for statement in self.old_writes(written) {
            // What a rule refuses is none of the migration's business.
            let _ = mover.batch(&statement).await;
        }
    }

    fn old_writes(&self, written: &[ObjectPath]) -> Vec<SqlText> {
        let renames = Renames::of(self.new.model);
        let mut out = Vec::new();
        for cause in written {
            let Some(table) = cause.table() else { continue };
            let name = quote_qualified(table);
            let mut columns: Vec<Ident> = Vec::new();
            if let ObjectPath::Column(_, column) = cause {
                let was = renames.columns.get(&(table.clone(), column.clone()));
                columns.push(was.unwrap_or(column).clone());
            } else if let Some(old) = self.old.compiled.catalog.tables.get(table) {
                columns.extend(old.columns.iter().map(|column| column.name.clone()));
            }
            let types = self.old.compiled.catalog.tables.get(table);
            for column in &columns {
                let data_type = types.and_then(|table| table.column(column));
                let other = data_type.and_then(|found| another(column, found.data_type.as_str()));
                if let Some(other) = other {
                    let parts = [
                        ("table", &name),
                        ("column", &quote_ident(column)),
                        ("other", &other),
                    ];
                    let all = fill("UPDATE {table} SET {column} = {other}", &parts);
                    let parts = [("all", &all), ("table", &name)];
                    out.push(fill(
                        "{all} WHERE ctid = (SELECT max(ctid) FROM {table})",
                        &parts,
                    ));
                    out.push(all);
                }
                let parts = [("table", &name), ("column", &quote_ident(column))];
                let all = fill(
                    "UPDATE {table} AS row SET {column} = other.{column}\n    FROM (SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} DESC LIMIT 1) AS other\n    WHERE row.{column} IS DISTINCT FROM other.{column}",
                    &parts,
                );
                out.push(all.clone());
                out.push(fill(
                    "{all}\n    AND row.ctid = (SELECT max(found.ctid) FROM {table} AS found WHERE found.{column} IS DISTINCT FROM other.{column})",
                    &[("all", &all), ("table", &name), ("column", &quote_ident(column))],
                ));
            }
            let made = self.old.maker.row(&table.name, &[], 7_001);
            let rows = made.into_iter().map(|row| row.at_once());
            let inserts = rows.map(|row| {
                let (columns, values): (Vec<_>, Vec<_>) = row.values.into_iter().unzip();
                let table = self.old.model.qualified(&row.table);
                sql::insert(&table, &columns, &[values])
            });
            out.push(sequence(&inserts.collect::<Vec<_>>()));
            out.push(fill(
                "DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})",
                &[("table", &name)],
            ));
        }
        out
    }
}

/// A value that a column does not have yet.
fn another(column: &Ident, data_type: &str) -> Option<SqlText> {
    let data_type = data_type.to_ascii_lowercase();
    let column = quote_ident(column);
    let parts = [("column", &column)];
    let is = |words: &[&str]| words.iter().any(|word| data_type.starts_with(word));
    if is(&["text", "varchar", "character varying"]) {
        return Some(fill("coalesce({column}, '') || 'x'", &parts));
    }
    if is(&["int", "bigint", "smallint", "numeric", "real", "double"]) {
        return Some(fill("coalesce({column}, 0) + 1", &parts));
    }
    if is(&["bool"]) {
        return Some(fill("NOT coalesce({column}, false)", &parts));
    }
    if is(&["timestamp", "date"]) {
        return Some(fill("coalesce({column}, now()) + interval '1 day'", &parts));
    }
    None
}
