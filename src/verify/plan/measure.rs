//! What tests and benchmarks want to know of plans.

use std::time::{Duration, Instant};

use super::case::Case;
use super::planned::Scaled;
use super::query::cases;
use super::sample;
use super::statistics::Belief;
use super::volume::Point;
use crate::error::Error;
use crate::explain::PlanTree;
use crate::verify::Stage;
use crate::verify::seed::Maker;

/// A query as it is planned at the declared volume.
#[derive(Clone, Debug)]
pub struct PlannedQuery {
    /// Its name.
    pub name: String,
    /// With its values.
    pub sql: String,
    /// Its plan; nothing where it could not be planned.
    pub plan: Option<PlanTree>,
}

/// How large a relation is at the declared volume.
#[derive(Clone, Debug)]
pub struct PlannedSize {
    /// A table, a partition or an index.
    pub relation: String,
    /// Rows or entries.
    pub tuples: f64,
    /// Pages of 8 kB.
    pub pages: f64,
}

/// What a declaration alone says.
#[derive(Clone, Debug, Default)]
pub struct FromDeclaration {
    /// Plans.
    pub queries: Vec<PlannedQuery>,
    /// Sizes.
    pub sizes: Vec<PlannedSize>,
    /// How long it took to make the sample as large as declared.
    pub enlarged: Duration,
}

/// Plans every query of a design at its volume now, from the declaration alone.
pub async fn planned_queries(stage: &Stage<'_>, seed: u64) -> Result<FromDeclaration, Error> {
    let Ok(sample) = sample::load(stage, seed, None).await? else {
        return Ok(FromDeclaration::default());
    };
    let maker = Maker::new(stage.model, &stage.compiled.catalog);
    let all: Vec<Case<'_>> = cases(stage, &sample, &|_| true).await?.0;
    let mut scaled = Scaled::open(stage, &sample.database, &maker, &sample.relations).await?;
    let since = Instant::now();
    let (_, mut session) = scaled.go_to(Point::at(0.0), Belief::Estimated).await?;
    let enlarged = since.elapsed();
    let mut found = Vec::with_capacity(all.len());
    for case in &all {
        let planned = case.plan_at(&mut session).await.ok();
        found.push(PlannedQuery {
            name: case.query.name.as_str().to_owned(),
            sql: case.typical.as_str().to_owned(),
            plan: planned.map(|(plan, _)| plan),
        });
    }
    let storage = &scaled.storage;
    let size = |relation: &super::relation::Relation| {
        let extent = storage.extents.get(&relation.oid)?;
        Some(PlannedSize {
            relation: relation.name.clone(),
            tuples: extent.tuples,
            pages: extent.pages,
        })
    };
    let sizes = storage.relations.iter().filter_map(size).collect();
    drop(session);
    sample.database.drop().await?;
    Ok(FromDeclaration {
        queries: found,
        enlarged,
        sizes,
    })
}
