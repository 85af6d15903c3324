//! The way from one design to another on a server: there, back as far as one can, and there again.

use pgproof::catalog::{Catalog, differences};
use pgproof::compile::{Compiled, compile, ddl};
use pgproof::design::Model;
use pgproof::invariant::Tally;
use pgproof::migrate::{HazardKind, Plan, Policy, Renames, Reverse, Step, plan};
use pgproof::postgres::{Database, Scope, Server, Session, introspect};
use pgproof::sql::{SqlText, idents, quote_ident, quote_qualified};
use pgproof::template::Environment;
use pgproof::verify::migrate::{Hands, back, forward};

use super::support;
use fit::Fit;

#[path = "fit.rs"]
mod fit;

pub struct Side {
    pub model: Model,
    pub compiled: Compiled,
}

impl Side {
    pub fn new(model: Model) -> Side {
        let compiled = compile(&model);
        Side { model, compiled }
    }
}

/// Why there is no plan.
pub fn planned(from: &Side, to: &Side, environment: &Environment) -> Result<Plan, String> {
    let made = plan(
        &from.compiled.catalog,
        &to.compiled.catalog,
        &Renames::of(&to.model),
        &Policy::of(&to.model),
        environment,
    );
    made.map_err(|error| error.to_string())
}

/// A query that says the same before and after, in the names of each side.
pub struct Kept {
    pub table: String,
    pub before: String,
    pub after: String,
}

/// How a migration ended.
pub enum Ended {
    /// Equal to the new design, after this many steps.
    Equal(usize),
    /// Rows that exist stand in the way, as the step's own check shows.
    Rows(String),
}

/// A database with the old design, and a plan that leads from it.
pub struct Way<'w> {
    pub from: &'w Side,
    pub to: &'w Side,
    pub plan: Plan,
    database: Database,
    wanted: Catalog,
}

/// Indexes that are invalid, and constraints that were never proven. (What PostgreSQL keeps for each partition of a table that is referred to is never marked.)
const HALF_DONE: &str = "SELECT coalesce(string_agg(what, ', '), '') FROM (
    SELECT indexrelid::regclass::text AS what FROM pg_index WHERE NOT indisvalid
    UNION ALL SELECT conname FROM pg_constraint WHERE NOT convalidated AND conparentid = 0) AS half";

const ROWS: &str = "SELECT coalesce(string_agg(line, ' ' ORDER BY line), '') FROM (
    SELECT relname || '=' || (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || c.oid::regclass, false, true, '')))[1]::text AS line
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = 'shop' AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'pgproof%') AS lines";

async fn build(
    server: &Server,
    side: &Side,
    environment: &Environment,
) -> Result<Database, String> {
    for (role, made) in &side.compiled.catalog.roles {
        let done = server.ensure_role(role, made.bypass_rls).await;
        done.map_err(|error| error.to_string())?;
    }
    let script = ddl(&side.compiled.catalog, environment).map_err(|error| error.to_string())?;
    let database = support::database(server).await;
    for extension in &side.compiled.catalog.extensions {
        let made = database.create_extension(extension).await;
        made.map_err(|error| error.to_string())?;
    }
    let mut owner = support::session(&database).await;
    for statement in &script.statements {
        let text = statement.sql.as_str();
        if text.starts_with("CREATE ROLE") || text.starts_with("CREATE EXTENSION") {
            continue;
        }
        if let Err(failure) = owner.batch(&statement.sql).await {
            drop(owner);
            let said = format!("not built: {text}: {failure}");
            database.drop().await.map_err(|error| error.to_string())?;
            return Err(said);
        }
    }
    Ok(database)
}

async fn read(session: &mut Session, side: &Side) -> Catalog {
    let scope = Scope {
        schemas: vec![side.model.database.schema.clone()],
        roles: Vec::new(),
    };
    let mut catalog = introspect(session, &scope)
        .await
        .expect("the catalog can be read");
    // A column can only be added at the end, and where it stands means nothing.
    for table in catalog.tables.values_mut() {
        table
            .columns
            .sort_by(|one, other| one.name.cmp(&other.name));
    }
    catalog
}

fn same(what: &str, expected: &Catalog, found: &Catalog) -> Result<(), String> {
    let found = differences(expected, found);
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(format!("{what}:\n    {}", lines.join("\n    ")))
}

pub async fn scalar(session: &mut Session, text: &str) -> Result<String, String> {
    let rows = session.query(&SqlText::authored(text)).await;
    let rows = rows.map_err(|failure| format!("{text}: {failure}"))?;
    Ok(rows.scalar().unwrap_or_default().to_owned())
}

impl<'w> Way<'w> {
    pub async fn new(
        server: &Server,
        (from, to): (&'w Side, &'w Side),
        plan: Plan,
        environment: &Environment,
    ) -> Result<Way<'w>, String> {
        let target = build(server, to, environment).await?;
        let wanted = read(&mut support::session(&target).await, to).await;
        target.drop().await.map_err(|error| error.to_string())?;
        let database = build(server, from, environment).await?;
        Ok(Way {
            from,
            to,
            plan,
            database,
            wanted,
        })
    }

    /// Somebody who may write rows past row-level security.
    pub async fn admin(&self) -> Session {
        self.database.admin().await.expect("an administrator")
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub async fn drop(self) -> Result<(), String> {
        let gone = self.database.drop().await;
        gone.map_err(|error| error.to_string())
    }

    /// There, back and there again; the database goes with it.
    pub async fn walk(self, kept: &[Kept]) -> Result<Ended, String> {
        let ended = self.there_and_back(kept).await;
        self.drop().await?;
        ended
    }

    async fn there_and_back(&self, kept: &[Kept]) -> Result<Ended, String> {
        let owner = support::session(&self.database).await;
        let mut watcher = self.admin().await;
        let mut hands = Hands {
            owner,
            mover: Some(self.admin().await),
        };
        let counted = scalar(&mut watcher, ROWS).await?;
        let mut before = Vec::new();
        for one in kept {
            before.push(scalar(&mut watcher, &one.before).await?);
        }
        let (mut rest, mut is_first) = (self.plan.steps.as_slice(), true);
        // Each stretch of steps that can be taken back goes there, back and there again.
        while !rest.is_empty() {
            let is_reversible = |step: &&Step| matches!(step.reverse, Reverse::Parts(_));
            let (there, beyond) = rest.split_at(rest.iter().take_while(is_reversible).count());
            let start = read(&mut hands.owner, self.from).await;
            for step in there {
                if let Some(why) = self.step(&mut hands, &mut watcher, step).await? {
                    return Ok(Ended::Rows(why));
                }
            }
            for step in there.iter().rev() {
                let done = back(&mut hands, &self.plan, step).await;
                done.map_err(|failure| {
                    format!("back: {}. {}: {failure}", step.number, step.title)
                })?;
            }
            if let Some(first) = there.first() {
                let found = read(&mut hands.owner, self.from).await;
                same(&format!("taken back to {}", first.number), &start, &found)?;
            }
            if std::mem::take(&mut is_first) {
                whole(&mut watcher, "taken back").await?;
                for (one, before) in kept.iter().zip(&before) {
                    let now = scalar(&mut watcher, &one.before).await?;
                    if now != *before {
                        return Err(format!(
                            "taken back, {} holds {now}, not {before}",
                            one.table
                        ));
                    }
                }
            }
            for step in there.iter().chain(beyond.first()) {
                if let Some(why) = self.step(&mut hands, &mut watcher, step).await? {
                    return Ok(Ended::Rows(why));
                }
            }
            rest = beyond.get(1..).unwrap_or_default();
        }
        let found = read(&mut hands.owner, self.to).await;
        same("at the end", &self.wanted, &found)?;
        whole(&mut watcher, "at the end").await?;
        self.counted(&mut watcher).await?;
        self.rows(&mut watcher, &counted, kept.iter().zip(&before))
            .await?;
        Ok(Ended::Equal(self.plan.steps.len()))
    }

    /// What rows stand in the way; an error where none do, and all the same it does not come through.
    async fn step(
        &self,
        hands: &mut Hands,
        watcher: &mut Session,
        step: &Step,
    ) -> Result<Option<String>, String> {
        let title = format!("{}. {}", step.number, step.title);
        if let Err(failure) = forward(hands, &self.plan, step).await {
            let said = format!("{title}: {failure}");
            return match Fit::new(self.from, self.to).is_of_rows(step, &failure) {
                true => Ok(Some(said)),
                false => Err(said),
            };
        }
        if let Some(check) = &step.check {
            let rows = watcher.query(check).await;
            let rows = rows.map_err(|failure| format!("check of {title}: {failure}"))?;
            if let Some(tally) = self.counted_by(step).filter(|_| !rows.rows.is_empty()) {
                let wrong = scalar(watcher, &miscounted(tally)).await?;
                // Groups that were never as the new rule wants them.
                let fit = Fit::new(self.from, self.to);
                return match wrong == "0" && fit.is_new_invariant(&tally.guard) {
                    true => Ok(Some(format!("check of {title}"))),
                    false => Err(format!(
                        "check of {title}: {wrong} groups are counted wrongly"
                    )),
                };
            }
            if !rows.rows.is_empty() {
                return Err(format!("check of {title} returns rows"));
            }
        }
        Ok(None)
    }

    /// What a step counts.
    fn counted_by(&self, step: &Step) -> Option<&Tally> {
        let mut all = self.to.compiled.tallies.iter();
        all.find(|tally| {
            let (table, guard) = (tally.table.name.as_str(), tally.guard.name.as_str());
            step.title == format!("count {table} into {guard}")
        })
    }

    /// Guard tables hold what there is.
    async fn counted(&self, watcher: &mut Session) -> Result<(), String> {
        for tally in &self.to.compiled.tallies {
            let wrong = scalar(watcher, &miscounted(tally)).await?;
            if wrong != "0" {
                return Err(format!(
                    "{wrong} groups of {} are counted wrongly",
                    tally.guard.name.as_str()
                ));
            }
        }
        Ok(())
    }

    async fn rows(
        &self,
        watcher: &mut Session,
        counted: &str,
        kept: impl ExactSizeIterator<Item = (&Kept, &String)>,
    ) -> Result<(), String> {
        let is_told = kept.len() > 0;
        // Partitions and values that went with their rows, as was said.
        let lost: Vec<&str> = self
            .plan
            .hazards()
            .filter(|hazard| hazard.kind == HazardKind::DataLoss)
            .map(|hazard| hazard.subject.as_str())
            .collect();
        for (one, before) in kept {
            let now = scalar(watcher, &one.after).await?;
            if now != *before && !lost.iter().any(|subject| subject.contains(&one.table)) {
                return Err(format!("{} holds {now}, not {before}", one.table));
            }
        }
        let (old, new) = (&self.from.compiled.catalog, &self.to.compiled.catalog);
        let now = scalar(watcher, ROWS).await?;
        let same_tables = old.tables.keys().eq(new.tables.keys());
        if !is_told && same_tables && lost.is_empty() && now != counted {
            return Err(format!("rows before {counted}, after {now}"));
        }
        Ok(())
    }
}

async fn whole(watcher: &mut Session, when: &str) -> Result<(), String> {
    let half = scalar(watcher, HALF_DONE).await?;
    match half.is_empty() {
        true => Ok(()),
        false => Err(format!("{when}, and half done: {half}")),
    }
}

/// Counts the groups whose guard row holds something else than their rows come to.
fn miscounted(tally: &Tally) -> String {
    let totals = tally.totals.iter();
    let differ: Vec<String> = totals
        .clone()
        .map(|(counter, _)| {
            let counter = quote_ident(counter);
            format!("coalesce(held.{counter}, 0) <> coalesce(counted.{counter}, 0)")
        })
        .collect();
    if differ.is_empty() {
        // Writers only queue there.
        return "SELECT 0".to_owned();
    }
    let key = match tally.per.is_empty() {
        true => "\"only\"".to_owned(),
        false => idents(&tally.per).to_string(),
    };
    format!(
        "SELECT count(*) FROM ({}) AS counted FULL JOIN {} AS held USING ({key}) WHERE {}",
        counts(tally),
        quote_qualified(&tally.guard),
        differ.join(" OR ")
    )
}

/// What the groups of a table come to.
pub fn counts(tally: &Tally) -> String {
    let totals = tally.totals.iter();
    let totals: Vec<String> = totals
        .map(|(counter, total)| format!("{total} AS {}", quote_ident(counter)))
        .collect();
    let (totals, table) = (totals.join(", "), quote_qualified(&tally.table));
    if tally.per.is_empty() {
        return format!("SELECT true AS \"only\", {totals} FROM {table}");
    }
    let key = idents(&tally.per);
    let given: Vec<String> = tally
        .per
        .iter()
        .map(|name| format!("{} IS NOT NULL", quote_ident(name)))
        .collect();
    format!(
        "SELECT {key}, {totals} FROM {table} WHERE {} GROUP BY {key}",
        given.join(" AND ")
    )
}
