//! Queries that two designs have, planned in both at the same volumes: what a migration makes dearer.

use super::measure::planned_queries;
use super::planned::difference;
use super::sample::thousands;
use crate::compile::compile;
use crate::design::Model;
use crate::error::Error;
use crate::explain::PlanTree;
use crate::postgres::Server;
use crate::template::Environment;
use crate::verify::stage::{Stage, Staged};

/// How many times as dear a query has to be before anybody is told: values are drawn anew, and statistics with them.
const DEARER: f64 = 2.0;
/// Units of cost below which nobody notices.
const NOTICED: f64 = 100.0;

/// One query in both designs.
pub(in crate::verify) struct Compared {
    /// Its name.
    pub query: String,
    before: PlanTree,
    after: PlanTree,
}

impl Compared {
    /// Whether it has become so much dearer that somebody would notice.
    pub(in crate::verify) fn is_dearer(&self) -> bool {
        let (before, after) = (cost(&self.before), cost(&self.after));
        after > before * DEARER && after - before > NOTICED
    }

    /// `costs 12 before the migration and 8,134 after it: Seq Scan on item instead of Index Scan using ix on item`.
    pub(in crate::verify) fn words(&self) -> String {
        let costs = format!(
            "costs {} before the migration and {} after it",
            thousands(cost(&self.before)),
            thousands(cost(&self.after))
        );
        match difference(&self.before, &self.after) {
            Some(line) => format!("{costs}: {line}"),
            None => format!("{costs}, by the same plan"),
        }
    }
}

fn cost(plan: &PlanTree) -> f64 {
    plan.root().map_or(0.0, |root| root.total_cost)
}

/// Plans the queries that are in both, each in its own design's schema, at the volumes that the new design declares.
pub(in crate::verify) async fn in_both(
    server: &Server,
    (old, new): (&Model, &Model),
    environment: &Environment,
    seed: u64,
) -> Result<Vec<Compared>, Error> {
    let is_shared = |name: &str| new.queries.iter().any(|query| query.name.as_str() == name);
    let mut old = old.clone();
    old.queries.retain(|query| is_shared(query.name.as_str()));
    if old.queries.is_empty() {
        return Ok(Vec::new());
    }
    for table in &mut old.tables {
        let mut all = new.tables.iter();
        let now = all.find(|now| {
            now.name.ident == table.name.ident
                || now
                    .was
                    .as_ref()
                    .is_some_and(|was| was.ident == table.name.ident)
        });
        let Some(now) = now else { continue };
        table.volume.clone_from(&now.volume);
        for column in &mut table.columns {
            // Values that are named may be none that the old type has.
            let now = now.column(&column.name.ident);
            if let Some(now) = now.filter(|now| now.data.values.is_empty()) {
                column.data.clone_from(&now.data);
            }
        }
    }
    let (Some(before), Some(after)) = (
        plans(server, &old, environment, seed).await?,
        plans(server, new, environment, seed).await?,
    ) else {
        return Ok(Vec::new());
    };
    let found = before.into_iter().filter_map(|(query, before)| {
        let (_, after) = after.iter().find(|(name, _)| *name == query)?;
        let after = after.clone();
        Some(Compared {
            query,
            before,
            after,
        })
    });
    Ok(found.collect())
}

/// Queries with their plans; none where the schema is refused.
async fn plans(
    server: &Server,
    model: &Model,
    environment: &Environment,
    seed: u64,
) -> Result<Option<Vec<(String, PlanTree)>>, Error> {
    let compiled = compile(model);
    let Staged::Ready(stage) = Stage::open(server, model, &compiled, environment).await? else {
        return Ok(None);
    };
    let found = planned_queries(&stage, seed).await?;
    stage.close().await?;
    let planned = found.queries.into_iter();
    Ok(Some(
        planned
            .filter_map(|query| Some((query.name, query.plan?)))
            .collect(),
    ))
}
