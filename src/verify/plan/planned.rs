//! Queries planned at the volumes that the design declares: now, each year to the horizon, and where a plan changes on the way.

use std::collections::BTreeMap;

use super::case::{Case, Other};
use super::expect::decide_at_volume;
use super::flips::flips;
use super::relation::{Extent, Relation};
use super::sample::{self, thousands};
use super::statistics::Belief;
use super::storage::{Storage, Volume};
use super::volume::{Point, ends, points};
use crate::catalog::Catalog;
use crate::design::{Model, Writes};
use crate::error::Error;
use crate::explain::{Outcome, PlanTree, Relations, Subject};
use crate::postgres::{Database, Session, SqlFailure};
use crate::sql::{Ident, fixed};
use crate::verify::Stage;
use crate::verify::seed::Maker;

/// A query planned at one volume.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// When.
    pub point: Point,
    /// With typical values.
    pub plan: PlanTree,
    /// With others.
    pub others: Vec<Other>,
    /// What came of each expectation.
    pub outcomes: Vec<Outcome>,
}

/// What planning at the declared volumes says about one query.
#[derive(Clone, Debug, Default)]
pub(super) struct AtVolume {
    /// At each moment, now first.
    pub planned: Vec<Planned>,
    /// Where the plan changes, in words.
    pub flips: Vec<String>,
    /// How the plan differs if the planner knew the number of different values exactly.
    pub fragile: Option<String>,
    /// How the plan differs where it is made for all values at once.
    pub generic: Option<String>,
    /// Planning failed.
    pub failed: Option<SqlFailure>,
}

/// A sample's database made as large as the design says.
pub(super) struct Scaled<'a, 's> {
    stage: &'a Stage<'s>,
    database: &'a Database,
    maker: &'a Maker,
    names: Relations,
    pub storage: Storage,
}

impl<'a, 's> Scaled<'a, 's> {
    /// Nothing is executed in this database from here on.
    pub(super) async fn open(
        stage: &'a Stage<'s>,
        database: &'a Database,
        maker: &'a Maker,
        names: &'a Relations,
    ) -> Result<Scaled<'a, 's>, Error> {
        Ok(Scaled {
            stage,
            database,
            maker,
            names: names.clone(),
            storage: Storage::open(database, maker, names, None).await?,
        })
    }

    pub(super) fn model(&self) -> &'a Model {
        self.stage.model
    }

    pub(super) fn catalog(&self) -> &'a Catalog {
        &self.stage.compiled.catalog
    }

    pub(super) fn names(&self) -> &Relations {
        &self.names
    }

    /// A session that may hide indexes.
    pub(super) async fn steward(&self) -> Result<Session, Error> {
        let mut admin = self.database.steward().await?;
        let set = admin
            .batch(&fixed("SET allow_system_table_mods = on"))
            .await;
        set.map_err(|failure| failure.into_error("change statistics"))?;
        Ok(admin)
    }

    /// A session of the owner, with production's planner settings.
    pub(super) async fn session(&self) -> Result<Session, Error> {
        let mut session = self.stage.session(self.database).await?;
        // What the server refuses of these was said before.
        let _ = sample::set_planner(self.stage, &mut session).await;
        Ok(session)
    }

    /// Bytes of an index as large as everything is now, its partitions' parts together.
    pub(super) fn bytes_of(&self, index: &str) -> f64 {
        self.bytes_in(&self.storage.extents, index)
    }

    /// The same where everything is so large.
    pub(super) fn bytes_in(&self, extents: &BTreeMap<u32, Extent>, index: &str) -> f64 {
        let mut bytes = 0.0;
        for relation in &self.storage.relations {
            let of = self.names.index_of.get(&relation.name);
            if of.map_or(relation.name.as_str(), String::as_str) == index {
                let extent = extents.get(&relation.oid);
                bytes += extent.map_or(0.0, |extent| extent.pages) * 8192.0;
            }
        }
        bytes
    }

    /// The design's table of a table, a partition, or an index of one.
    pub(super) fn table_of<'r>(&'r self, relation: &'r Relation) -> Option<&'r str> {
        let relation = match relation.of {
            Some(oid) => self
                .storage
                .relations
                .iter()
                .find(|table| table.oid == oid)?,
            None => relation,
        };
        let name = self
            .names
            .table_of
            .get(&relation.name)
            .unwrap_or(&relation.name);
        self.names.rows.contains_key(name).then_some(name.as_str())
    }

    /// Makes files as small as the sample's, so that an index can be built.
    pub(super) async fn shrink(&mut self) -> Result<(), Error> {
        self.storage.shrink().await
    }

    /// Reads anew what relations there are.
    pub(super) async fn look_again(&mut self) -> Result<(), Error> {
        let storage = Storage::open(self.database, self.maker, &self.names, Some(&self.storage));
        self.storage = storage.await?;
        let mut admin = self.database.steward().await?;
        if let Ok(pairs) = sample::partition_indexes(&mut admin).await {
            self.names.index_of = pairs;
        }
        Ok(())
    }

    /// How large everything is at that moment; nothing is changed.
    pub(super) fn measure(&self, point: Point, belief: Belief) -> BTreeMap<u32, Extent> {
        let rows = |table: &Ident| point.rows_of(self.stage.model, table);
        self.storage.measure(&Volume {
            maker: self.maker,
            names: &self.names,
            rows: &rows,
            writes: &|table| writes(self.stage.model, table),
            belief,
        })
    }

    /// What the names in a plan stand for, with their rows at that moment.
    pub(super) fn relations(&self, point: Point) -> Relations {
        let mut relations = self.names.clone();
        for table in &self.stage.model.tables {
            let name = table.name.as_str().to_owned();
            relations.rows.insert(name.clone(), point.rows(table));
            relations.loaded.insert(name, point.rows(table));
        }
        relations
    }

    /// Makes everything as large as at that moment. What the names in a plan stand for, with their rows then, and a session that sees it.
    pub(super) async fn go_to(
        &mut self,
        point: Point,
        belief: Belief,
    ) -> Result<(Relations, Session), Error> {
        let model = self.stage.model;
        let rows = |table: &Ident| point.rows_of(model, table);
        let volume = Volume {
            maker: self.maker,
            names: &self.names,
            rows: &rows,
            writes: &|table| writes(self.stage.model, table),
            belief,
        };
        self.storage.set(&volume).await?;
        Ok((self.relations(point), self.session().await?))
    }

    /// Plans every query at every moment.
    pub(super) async fn plan_all(&mut self, cases: &[Case<'_>]) -> Result<Vec<AtVolume>, Error> {
        let mut found: Vec<AtVolume> = cases.iter().map(|_| AtVolume::default()).collect();
        let moments = points(self.stage.model);
        for (at, point) in moments.iter().enumerate() {
            let (relations, mut session) = self.go_to(*point, Belief::Estimated).await?;
            for (case, found) in cases.iter().zip(&mut found) {
                match case.plan_at(&mut session).await {
                    Ok((plan, others)) => {
                        let subject = Subject {
                            plan: &plan,
                            others: &others,
                            relations: &relations,
                        };
                        let asked = case.asked.iter();
                        let outcomes = asked.map(|asked| decide_at_volume(asked, &subject));
                        let outcomes = outcomes.collect();
                        if at == 0 {
                            found.generic = case.generic(&mut session, &plan).await;
                        }
                        found.planned.push(Planned {
                            point: *point,
                            plan,
                            others,
                            outcomes,
                        });
                    }
                    Err(failure) => found.failed = Some(failure),
                }
            }
        }
        self.as_declared(cases, &moments, &mut found).await?;
        flips(self, cases, &moments, &mut found).await?;
        Ok(found)
    }

    /// Once more with the true number of different values, which ANALYZE often misses.
    async fn as_declared(
        &mut self,
        cases: &[Case<'_>],
        moments: &[Point],
        found: &mut [AtVolume],
    ) -> Result<(), Error> {
        let Some(last) = moments.last() else {
            return Ok(());
        };
        let (_, mut session) = self.go_to(*last, Belief::Declared).await?;
        for (case, found) in cases.iter().zip(found) {
            let Some(believed) = found.planned.last() else {
                continue;
            };
            if let Ok(plan) = case.typical_at(&mut session).await
                && let Some(line) = difference(&believed.plan, &plan)
            {
                found.fragile = Some(format!(
                    "{}, with exact statistics it would be planned otherwise: {line}",
                    last.words()
                ));
            }
        }
        Ok(())
    }

    /// `planned at 20,000,000 rows of the largest table now, 44,000,000 in 1 year`.
    pub(super) fn words(&self) -> String {
        let tables = || self.stage.model.tables.iter();
        let largest = |point: &Point| {
            let rows = tables().map(|table| point.rows(table));
            rows.fold(0.0, f64::max)
        };
        let ends = ends(self.stage.model);
        let words: Vec<String> = ends
            .iter()
            .map(|point| format!("{} rows {}", thousands(largest(point)), point.words()))
            .collect();
        format!("planned with the largest table at {}", words.join(", "))
    }
}

fn writes(model: &Model, table: &Ident) -> Option<Writes> {
    let mut tables = model.tables.iter();
    tables.find(|known| known.name.ident == *table)?.writes
}

/// The first line in which two plans differ: `Sort instead of Index Scan using ix_a on a`.
pub(super) fn difference(before: &PlanTree, after: &PlanTree) -> Option<String> {
    let (one, other) = (before.shape(), after.shape());
    if one == other {
        return None;
    }
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let name = |plan: &PlanTree| {
        let node = plan.nodes().get(same);
        node.map_or_else(|| "nothing".to_owned(), crate::explain::PlanNode::name)
    };
    Some(format!("{} instead of {}", name(after), name(before)))
}
