//! How long the steps of a plan take here, and what they write to the log: measured on a sample, so that it can be said of the declared rows.
//!
//! The plan is run twice, on no rows and on some thousands in each table that a step goes through. What a step takes on no rows is the same for any number;
//! the rest grows with them.

use std::collections::BTreeMap;
use std::time::Instant;

use super::rehearse::is_servers;
use super::rows::load;
use super::steps::{Hands, forward};
use crate::catalog::Catalog;
use crate::compile::{Compiled, compile};
use crate::design::Model;
use crate::error::Error;
use crate::finding::Table;
use crate::migrate::{HazardKind, Measured, Plan, Policy, Step, audit};
use crate::postgres::{Database, Server, ServerOptions, Session};
use crate::sql::{Ident, QualifiedName, SqlText, fill, fixed, literal, quote_qualified};
use crate::template::Environment;
use crate::verify::seed::{Bulk, Maker};
use crate::verify::stage::{Stage, Staged};

/// Rows of a table that a step goes through, and of the others.
const SAMPLE: (usize, usize) = (20_000, 200);

/// Milliseconds that a backfill of the sample may rest, and chunks that it has at least.
const RESTS: (u64, u64) = (2_000, 2);

/// Rows of a table that are filled with few rests.
fn rows_within(plan: &Plan, table: &Ident) -> usize {
    let backfills = plan.steps.iter().filter_map(|step| step.backfill.as_ref());
    let own = backfills.filter(|backfill| backfill.table.name == *table);
    let rows = own.map(|backfill| {
        let chunks = (RESTS.0 / backfill.pause_ms.max(1)).max(RESTS.1);
        chunks.saturating_mul(backfill.chunk.unsigned_abs())
    });
    rows.min().map_or(usize::MAX, |rows| {
        usize::try_from(rows).unwrap_or(usize::MAX)
    })
}

/// Measures a plan on a throw-away server of its own. `None` where the old design cannot be built there.
pub async fn rates(
    options: &ServerOptions,
    (old, new): (&Model, &Model),
    plan: &Plan,
    environment: &Environment,
    seed: u64,
) -> Result<Option<BTreeMap<String, Measured>>, Error> {
    let server = Server::start(options).await?;
    let from = compile(old);
    let found = match Stage::open(&server, old, &from, environment).await? {
        Staged::Ready(stage) => {
            let ground = Ground::open(&stage, &compile(new)).await?;
            let found = ground.measure(plan, seed).await?;
            stage.close().await?;
            Some(found)
        }
        Staged::Refused(_) => None,
    };
    server.stop().await?;
    Ok(found)
}

/// Where a plan is measured.
pub(super) struct Ground<'a> {
    stage: &'a Stage<'a>,
    /// Moves rows past policies.
    pub role: Ident,
    extensions: Vec<Ident>,
}

impl<'a> Ground<'a> {
    /// Makes what belongs to the server: roles of the new design, and one that runs the plan.
    pub(super) async fn open(stage: &'a Stage<'a>, to: &Compiled) -> Result<Ground<'a>, Error> {
        for (role, made) in &to.catalog.roles {
            stage.server.ensure_role(role, made.bypass_rls).await?;
        }
        let old = stage.compiled.catalog.tables.values();
        let mut tables = old.chain(to.catalog.tables.values());
        let role = stage.mover(tables.any(|table| table.row_security)).await?;
        Ok(Ground {
            stage,
            role,
            extensions: to.catalog.extensions.iter().cloned().collect(),
        })
    }

    /// A copy of the old schema with what only a superuser may make.
    pub(super) async fn copy(&self) -> Result<Database, Error> {
        let database = self.stage.copy().await?;
        for extension in &self.extensions {
            database.create_extension(extension).await?;
        }
        Ok(database)
    }

    /// What each step takes that goes through a table, by its title; as far as the sample's rows keep the new rules.
    pub(super) async fn measure(
        &self,
        plan: &Plan,
        seed: u64,
    ) -> Result<BTreeMap<String, Measured>, Error> {
        let worked = worked(plan, &self.stage.compiled.catalog);
        let (model, catalog) = (self.stage.model, &self.stage.compiled.catalog);
        let maker = Maker::new(model, catalog);
        let counts: Vec<(Ident, usize)> = model
            .tables
            .iter()
            .map(|table| {
                let name = &table.name.ident;
                let is_worked = worked.values().any(|worked| worked.name == *name);
                let most = if is_worked { SAMPLE.0 } else { SAMPLE.1 };
                (name.clone(), most.min(rows_within(plan, name)))
            })
            .collect();
        let rows = maker.sample(&counts, seed);
        let idle = self.timed(plan, &worked, (&maker, &[])).await?;
        let busy = self.timed(plan, &worked, (&maker, &rows)).await?;
        let mut found = BTreeMap::new();
        for (title, busy) in busy {
            let Some(idle) = idle.get(&title) else {
                continue;
            };
            let measured = Measured {
                rows: busy.rows,
                idle: idle.seconds,
                seconds: busy.seconds,
                wal: (busy.wal - idle.wal).max(0.0),
            };
            if busy.rows > 0.0 {
                found.insert(title, measured);
            }
        }
        Ok(found)
    }

    async fn timed(
        &self,
        plan: &Plan,
        worked: &BTreeMap<String, QualifiedName>,
        (maker, rows): (&Maker, &[Bulk]),
    ) -> Result<BTreeMap<String, Taken>, Error> {
        let database = self.copy().await?;
        let (model, catalog) = (self.stage.model, &self.stage.compiled.catalog);
        let mut keeper = database.keeper().await?;
        load(&mut keeper, model, catalog, maker, rows).await?;
        let settle = keeper.batch(&fixed("VACUUM (ANALYZE)")).await;
        settle.map_err(|failure| failure.into_error("analyse a sample"))?;
        let mut hands = Hands {
            owner: self.stage.session(&database).await?,
            mover: Some(self.stage.session_as(&database, &self.role).await?),
        };
        let mut found = BTreeMap::new();
        for step in plan.steps.iter().filter(|step| !is_servers(step)) {
            let table = worked.get(&step.title);
            let before = match table {
                Some(table) => written(&mut keeper, table).await?,
                None => Written::default(),
            };
            let since = Instant::now();
            if forward(&mut hands, plan, step).await.is_err() {
                // The sample's rows do not keep a rule of the new design: what comes after is not measured.
                break;
            }
            let seconds = since.elapsed().as_secs_f64();
            if let Some(table) = table {
                let after = written(&mut keeper, table).await?;
                let bulk = rows.iter().find(|bulk| bulk.table == table.name);
                found.insert(
                    step.title.clone(),
                    Taken {
                        rows: bulk.map_or(0, |bulk| bulk.rows.len()) as f64,
                        seconds,
                        wal: after.since(&before, is_rewritten(step)),
                    },
                );
            }
        }
        drop((hands, keeper));
        database.drop().await?;
        Ok(found)
    }
}

/// What one step took.
struct Taken {
    rows: f64,
    seconds: f64,
    wal: f64,
}

/// The end of the log, and the bytes of a table with its indexes.
#[derive(Default)]
struct Written {
    log: f64,
    bytes: f64,
}

impl Written {
    /// A throw-away server does not log what it can write anew, an index or a table; elsewhere that is logged as it grows.
    fn since(&self, before: &Written, is_rewritten: bool) -> f64 {
        let kept = if is_rewritten { 0.0 } else { before.bytes };
        (self.log - before.log).max(self.bytes - kept)
    }
}

async fn written(session: &mut Session, table: &QualifiedName) -> Result<Written, Error> {
    let name = literal(quote_qualified(table).as_str());
    let query: SqlText = fill(
        "SELECT pg_current_wal_insert_lsn() - '0/0', coalesce(pg_total_relation_size(to_regclass({name})), 0)",
        &[("name", &name)],
    );
    let rows = session.query(&query).await;
    let rows = rows.map_err(|failure| failure.into_error("read the end of the log"))?;
    let row = rows.rows.into_iter().next().unwrap_or_default();
    let number = |at: usize| -> f64 {
        let text = row.get(at).cloned().flatten();
        text.and_then(|text| text.parse().ok()).unwrap_or(0.0)
    };
    Ok(Written {
        log: number(0),
        bytes: number(1),
    })
}

fn is_rewritten(step: &Step) -> bool {
    let mut hazards = step.hazards.iter();
    hazards.any(|hazard| hazard.kind == HazardKind::Rewrite)
}

/// Steps that go through a table, by their titles.
fn worked(plan: &Plan, from: &Catalog) -> BTreeMap<String, QualifiedName> {
    let mut out = BTreeMap::new();
    for (step, effects) in plan.steps.iter().zip(audit(plan, from)) {
        let walked = step.backfill.as_ref().map(|backfill| &backfill.table);
        let mut all = walked
            .into_iter()
            .chain(&effects.rewrites)
            .chain(&effects.builds_index)
            .chain(&effects.scans);
        if let Some(table) = all.next() {
            out.insert(step.title.clone(), table.clone());
        }
    }
    out
}

/// What was measured, with what it means at the declared rows.
pub(super) fn table(
    plan: &Plan,
    from: &Catalog,
    policy: &Policy,
    measured: &BTreeMap<String, Measured>,
) -> Table {
    let columns = [
        "step",
        "rows here",
        "took",
        "declared rows",
        "takes there",
        "log there",
    ];
    let worked = worked(plan, from);
    let lines = plan.steps.iter().filter_map(|step| {
        let found = measured.get(&step.title)?;
        let declared = worked
            .get(&step.title)
            .and_then(|table| policy.rows.get(table));
        let there = declared.map(|rows| (found.takes(*rows), found.writes(*rows)));
        let (takes, writes) = there.unzip();
        let took = found.took();
        Some(vec![
            Some(step.title.clone()),
            Some(format!("{:.0}", found.rows)),
            Some(took),
            declared.map(|rows| format!("{rows:.0}")),
            takes,
            writes,
        ])
    });
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: lines.collect(),
    }
}
