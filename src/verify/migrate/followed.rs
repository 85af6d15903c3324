//! What programs of the old version write after their rows were copied: it has to get to its new place, and nothing that they could write before may be refused.

use super::ended::{Ended, Refuted};
use super::rehearse::Rehearsal;
use super::steps::{Hands, forward};
use super::traffic::{Breaks, that_run};
use super::writes::Writes;
use crate::catalog::ObjectPath;
use crate::error::Error;
use crate::migrate::{Phase, Plan, Step};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{SqlText, fill, fixed};

/// What is not as it should be.
pub(super) enum Fault {
    /// A check that returns rows, or a step that fails; and after which writes, or with what.
    Shown(String, Option<String>),
    /// A check that fails itself, and what the server says: nothing is known then.
    Fails(String, SqlFailure),
    /// A proof that fails for a column that old programs do not know, and what the server says.
    Left(String, SqlFailure),
    /// What is no longer written that went through before, with which statement where it is no program's, and what the server says.
    Stops(String, Option<SqlText>, SqlFailure),
}

/// Fills everything, writes what programs of the old version could, and says which check then returns rows.
pub(super) async fn differing(
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
    let own = plan.steps.iter().enumerate();
    let own =
        own.filter(|(at, step)| step.is_parity || (step.backfill.is_some() && is_run(*at, step)));
    let own = own.filter_map(|(_, step)| Some((step.title.as_str(), step.check.as_ref()?)));
    let declared = rehearsal.policy.validate.iter();
    let declared = declared.map(|(name, query)| (name.as_str(), query));
    let checks: Vec<(&str, &SqlText)> = own.chain(declared).collect();
    let mut found = None;
    for (at, step) in plan.steps.iter().enumerate() {
        if is_run(at, step) && forward(&mut hands, plan, step).await.is_err() {
            found = Some(Fault::Shown(step.title.clone(), None));
            break;
        }
    }
    if found.is_none() && !written.is_empty() {
        let forced = unforced(&mut hands).await?;
        found = rehearsal
            .write_old(&mut hands, written, &checks, is_whole)
            .await?;
        for statement in &forced {
            let done = hands.owner.batch(statement).await;
            done.map_err(|failure| failure.into_error("force policies again"))?;
        }
    }
    if found.is_none() && !written.is_empty() {
        let path = rehearsal.stage.search_path();
        let tried = that_run(&database, &rehearsal.tried, &path).await?;
        if is_whole {
            let refused = tried.into_iter().find_map(|(tried, failure)| {
                let failure = failure?;
                let is_broken = rehearsal.breaks.breaks(&failure, tried.done);
                is_broken.then(|| Fault::Stops(tried.call.title().to_owned(), None, failure))
            });
            found = refused;
        }
    }
    if found.is_none() && !written.is_empty() {
        // A column that is left empty, or filled with what is nowhere, stands in the way of its proof.
        let proofs = plan.steps.iter().enumerate();
        let proofs =
            proofs.filter(|(at, step)| step.phase == Phase::Validate && !is_run(*at, step));
        for (_, step) in proofs {
            if let Err(failure) = forward(&mut hands, plan, step).await {
                let is_left = failure
                    .constraint
                    .as_ref()
                    .is_some_and(|name| rehearsal.breaks.forgotten.contains(name));
                if is_left {
                    found = Some(Fault::Left(step.title.clone(), failure));
                }
                break;
            }
        }
    }
    if found.is_none()
        && let Some(mover) = &mut hands.mover
    {
        found = looked(mover, &checks).await;
    }
    drop(hands);
    database.drop().await?;
    Ok(found)
}

/// Lets what follows writers see the rows of all tenants: it runs as the owner, for whichever tenant a program names, and nobody is named here. Says what takes that back.
async fn unforced(hands: &mut Hands) -> Result<Vec<SqlText>, Error> {
    let failed = |failure: SqlFailure| failure.into_error("let the owner pass policies by");
    let query = fixed("SELECT oid::regclass::text FROM pg_class WHERE relforcerowsecurity");
    let found = hands.owner.query(&query).await.map_err(failed)?;
    let mut again = Vec::new();
    for name in found.rows.into_iter().flatten().flatten() {
        let name = SqlText::authored(name);
        let parts = [("table", &name)];
        let off = fill("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", &parts);
        hands.owner.batch(&off).await.map_err(failed)?;
        again.push(fill("ALTER TABLE {table} FORCE ROW LEVEL SECURITY", &parts));
    }
    Ok(again)
}

/// The first check that returns rows.
async fn looked(mover: &mut Session, checks: &[(&str, &SqlText)]) -> Option<Fault> {
    for (name, check) in checks {
        match mover.query(check).await {
            Ok(rows) if rows.rows.is_empty() => {}
            Ok(_) => return Some(Fault::Shown((*name).to_owned(), None)),
            Err(failure) => return Some(Fault::Fails((*name).to_owned(), failure)),
        }
    }
    None
}

/// What old programs write after their rows were copied gets to its new place, whoever writes it. Handed back is what would refute the migration if no program that
/// runs shows it better.
pub(super) async fn followed(rehearsal: &Rehearsal<'_>) -> Result<Option<Refuted>, Ended> {
    let tables = rehearsal.old.compiled.catalog.tables.keys();
    let written: Vec<ObjectPath> = tables.map(|name| ObjectPath::Table(name.clone())).collect();
    match differing(rehearsal, &rehearsal.plan, &written, None).await? {
        None => Ok(None),
        Some(Fault::Left(what, failure)) => {
            let mut refuted = Refuted::new(format!(
                "programs of the old version can write, after the backfill, what fails in `{what}`: {failure}"
            ));
            refuted.lines.push(refuted.reason.clone());
            refuted.lines.push(
                "let `dual_write` give the new column a value for every row that the old schema allows, or let the column be without one".to_owned(),
            );
            Ok(Some(refuted))
        }
        Some(Fault::Fails(name, failure)) => Err(Refuted::new(format!(
            "what programs of the old version write after the backfill cannot be looked for: {name} fails: {}",
            failure.message
        ))
        .into()),
        Some(Fault::Shown(what, after)) => {
            let after = after.map(|after| format!(" ({after})")).unwrap_or_default();
            Err(Refuted::new(format!(
                "what programs of the old version write after the backfill does not get to its new place{after}: {what} shows rows that differ"
            ))
            .into())
        }
        Some(Fault::Stops(what, statement, failure)) => {
            let mut refuted = Refuted::new(format!(
                "programs of the old version can no longer write after the backfill what they could before: {what} fails: {failure}"
            ));
            refuted.lines.push(refuted.reason.clone());
            refuted.lines.extend(statement.map(|own| own.as_str().to_owned()));
            refuted.lines.extend(failure.context.clone());
            let is_reference = failure.context.is_none();
            refuted.lines.push(match is_reference {
                true => "a reference of a table that they do not know refuses it: let it say `on_delete: cascade`, or come when they are gone".to_owned(),
                false => "let what follows them take every row that the old schema allows, and pass by those that it can do nothing with".to_owned(),
            });
            Err(refuted.into())
        }
    }
}

impl Rehearsal<'_> {
    /// Writes what programs of the old version could: values of the step's tables change, rows come and go. After each change the checks are asked; and, of the whole
    /// plan, whether something is refused that is not where no migration has begun.
    async fn write_old(
        &self,
        hands: &mut Hands,
        written: &[ObjectPath],
        checks: &[(&str, &SqlText)],
        is_whole: bool,
    ) -> Result<Option<Fault>, Error> {
        let Some(mover) = &mut hands.mover else {
            return Ok(None);
        };
        let mut plain = match is_whole {
            true => Some(self.begin().await?),
            false => None,
        };
        let mut found = None;
        'all: for Writes { to, statements } in self.old_writes(written) {
            let mut is_any = false;
            for statement in &statements {
                if let Some((
                    _,
                    Hands {
                        mover: Some(own), ..
                    },
                )) = &mut plain
                    && own.batch(statement).await.is_err()
                {
                    // What a rule refuses is none of the migration's business.
                    continue;
                }
                match mover.batch(statement).await {
                    Ok(()) => is_any = true,
                    Err(failure) if is_whole && Breaks::refuses(&failure) => {
                        let what = format!("what they write to {to}");
                        found = Some(Fault::Stops(what, Some(statement.clone()), failure));
                        break 'all;
                    }
                    Err(_) => {}
                }
            }
            if is_any {
                found = looked(mover, checks).await;
            }
            if let Some(fault) = &mut found {
                if let Fault::Shown(_, after) = fault {
                    *after = Some(format!("when they write {to}"));
                }
                break;
            }
        }
        if let Some((database, hands)) = plain {
            drop(hands);
            database.drop().await?;
        }
        Ok(found)
    }
}
