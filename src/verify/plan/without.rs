//! A query's plan where an index is not there: what is missed then, an expectation must notice.

use super::case::{Case, read};
use super::conclude::Survivors;
use super::expect::{Asked, decide, decide_at_volume};
use super::planned::AtVolume;
use crate::design::Expectation;
use crate::explain::{Outcome, PlanTree, Relations, Subject};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{Ident, SqlText, fill, quote_ident};
use crate::verify::Stage;
use crate::verify::stage::{begin, rollback};

/// Takes out each index that the query is said to use, in a transaction that is taken back; those that nothing missed.
pub(super) async fn without_each_index(
    stage: &Stage<'_>,
    session: &mut Session,
    case: &Case<'_>,
    planned: Option<&AtVolume>,
    relations: &Relations,
) -> Result<Survivors, SqlFailure> {
    let mut found = Survivors::default();
    let now = planned.and_then(|planned| planned.planned.first());
    let before = now.map_or(&case.outcomes, |now| &now.outcomes);
    for statement in &case.before {
        session.query(statement).await?;
    }
    for (expectation, _) in &case.query.plan {
        let Expectation::Uses(index) = expectation else {
            continue;
        };
        // Only what held with the index can be missed without it.
        let held = case.asked.iter().zip(before).any(|(asked, outcome)| {
            asked.arguments.names.contains(&index.ident) && matches!(outcome, Outcome::Holds(_))
        });
        if !held || !is_plain_index(stage, &index.ident) {
            continue;
        }
        let plan = planned_without(session, &index.ident, &case.typical).await?;
        found.made += 1;
        if let Some(now) = now {
            let cost = |plan: &PlanTree| plan.root().map_or(0.0, |root| root.total_cost);
            let times = cost(&plan) / cost(&now.plan).max(0.01);
            if found
                .margin
                .as_ref()
                .is_none_or(|(_, least)| times < *least)
            {
                found.margin = Some((index.as_str().to_owned(), times));
            }
        }
        let subject = Subject {
            plan: &plan,
            others: &[],
            relations,
        };
        let is_broken = |asked: &Asked| {
            let outcome = match now {
                Some(_) => decide_at_volume(asked, &subject),
                None => decide(asked, &subject),
            };
            matches!(outcome, Outcome::Broken { .. })
        };
        let mut all = case.asked.iter().zip(before);
        if !all.any(|(asked, before)| !matches!(before, Outcome::Broken { .. }) && is_broken(asked))
        {
            found.names.push(index.as_str().to_owned());
        }
    }
    Ok(found)
}

/// The plan without an index.
pub(super) async fn planned_without(
    session: &mut Session,
    index: &Ident,
    query: &SqlText,
) -> Result<PlanTree, SqlFailure> {
    let drop = fill("DROP INDEX {index}", &[("index", &quote_ident(index))]);
    let explain = fill("EXPLAIN (FORMAT JSON) {query}", &[("query", query)]);
    session.batch(&begin()).await?;
    let rows = match session.batch(&drop).await {
        Ok(()) => session.query(&explain).await,
        Err(failure) => Err(failure),
    };
    session.batch(&rollback()).await?;
    Ok(read(&rows?))
}

/// Not the index of a constraint, which cannot be dropped by itself.
fn is_plain_index(stage: &Stage<'_>, index: &Ident) -> bool {
    let mut tables = stage.compiled.catalog.tables.values();
    tables.any(|table| table.indexes.contains_key(index))
}
