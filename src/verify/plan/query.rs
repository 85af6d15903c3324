//! Each catalogued query: planned, run, judged; and once more without each index it is said to use.

use std::collections::BTreeSet;
use std::time::Instant;

use super::expect::{Asked, asked, decide};
use super::params::{Choice, Values, choose, filled_in};
use super::sample::{self, Sample};
use crate::design::{Expectation, Query, Rule};
use crate::error::Error;
use crate::explain::{Outcome, PlanTree, Relations, Subject, parse};
use crate::finding::{Claim, Counterexample, Evidence, Finding, Method, Verdict};
use crate::postgres::{Rows, Session, SqlFailure};
use crate::sql::{self, Ident, SqlText, fill, fixed, quote_ident};
use crate::verify::stage::{begin, rollback};
use crate::verify::{Judged, Run, Stage};

/// What came of the plans of one design.
#[derive(Debug, Default)]
pub struct Plans {
    /// One a query.
    pub evidence: Vec<Evidence>,
    /// Settings or queries that the server refused.
    pub findings: Vec<Finding>,
    /// Indexes taken out.
    pub mutants_made: u64,
    /// Of these, how many a query's expectations noticed.
    pub mutants_killed: u64,
}

/// Judges every catalogued query of a design on a sample.
pub async fn plans(run: &Run<'_>, stage: &Stage<'_>) -> Result<Plans, Error> {
    let subjects = stage.model.queries.iter().map(|query| claim(query).subject);
    plans_of(run, stage, &subjects.collect()).await
}

/// Judges those queries whose subjects are wanted.
pub(crate) async fn plans_of(
    run: &Run<'_>,
    stage: &Stage<'_>,
    wanted: &BTreeSet<String>,
) -> Result<Plans, Error> {
    let mut found = Plans::default();
    if wanted.is_empty() {
        return Ok(found);
    }
    let sample = sample::load(stage, run.seed).await?;
    let mut session = stage.session(&sample.database).await?;
    if let Err((name, failure)) = sample::set_planner(stage, &mut session).await {
        let message = format!(
            "PostgreSQL refuses the setting `{name}`: {}",
            failure.message
        );
        let design = stage.model.name.as_str();
        found.findings.push(
            Finding::error(
                "setting-refused",
                "database",
                message,
                stage.model.database.at,
            )
            .of(design),
        );
    }
    let mut relations = sample.relations.clone();
    if let Ok(pairs) = sample::partition_indexes(&mut session).await {
        relations.index_of = pairs;
    }
    let queries = stage.model.queries.iter();
    for query in queries.filter(|query| wanted.contains(&claim(query).subject)) {
        let since = Instant::now();
        let mut judge = Judge {
            stage,
            query,
            session: &mut session,
            relations: &relations,
            made: 0,
            killed: 0,
        };
        let judged = match judge.judge().await {
            Ok(judged) => judged,
            Err(failure) => Judged::unchecked(format!(
                "the query failed: {} ({})",
                failure.message,
                failure.sqlstate.code()
            )),
        };
        found.mutants_made += judge.made;
        found.mutants_killed += judge.killed;
        let judged = Judged {
            volume: Some(sample.volume.clone()),
            ..judged.took(since)
        };
        found
            .evidence
            .push(run.evidence(stage.model, Method::Plan, claim(query), judged));
    }
    drop(session);
    let Sample { database, .. } = sample;
    database.drop().await?;
    Ok(found)
}

/// What a query claims of its plan.
pub(crate) fn claim(query: &Query) -> Claim {
    let asked: Vec<String> = asked(query).into_iter().map(|asked| asked.text).collect();
    let statement = if asked.is_empty() {
        "can be planned and run".to_owned()
    } else {
        asked.join("; ")
    };
    let at = query.plan.first().map_or(query.name.at, |(_, at)| *at);
    Claim {
        subject: format!("query {}", query.name.as_str()),
        statement,
        at: Some(at),
    }
}

struct Judge<'a, 's> {
    stage: &'a Stage<'s>,
    query: &'a Query,
    session: &'a mut Session,
    relations: &'a Relations,
    made: u64,
    killed: u64,
}

/// A plan with what was decided on it.
struct Decided {
    plan: PlanTree,
    outcomes: Vec<Outcome>,
}

impl Judge<'_, '_> {
    async fn judge(&mut self) -> Result<Judged, SqlFailure> {
        let model = self.stage.model;
        let typical = self.values(Choice::Typical).await?;
        let common = self.values(Choice::MostCommon).await?;
        self.tenant(&typical).await?;
        let sql = filled_in(model, self.query, &typical);
        let worst = self
            .plan(&filled_in(model, self.query, &common), false)
            .await
            .ok();
        let others: Vec<(String, PlanTree)> = worst
            .into_iter()
            .map(|plan| ("the most common values".to_owned(), plan))
            .collect();
        let asked = asked(self.query);
        let decided = self.decide(&sql, &asked, &others).await?;
        let mut undecided = Vec::new();
        for (asked, outcome) in asked.iter().zip(&decided.outcomes) {
            match outcome {
                Outcome::Holds(_) => {}
                Outcome::Undecided(why) => undecided.push(format!("{}: {why}", asked.text)),
                Outcome::Broken { found, at_fault } => match self.could_hold(&sql, asked).await? {
                    // The planner can do it and does not: at this size it is dearer.
                    true => undecided.push(format!(
                        "{}: {found} on the sample, where it is cheaper; only the declared volume can say",
                        asked.text
                    )),
                    false => return Ok(refuted(asked, found, at_fault, &decided.plan)),
                },
            }
        }
        let held = asked.len() - undecided.len();
        let survivors = self
            .without_each_index(&sql, &asked, &decided, &others)
            .await?;
        let rows = decided
            .plan
            .root()
            .and_then(|root| root.actual.as_ref())
            .map_or(0.0, |actual| actual.total());
        let judged = if !undecided.is_empty() {
            Judged::unchecked(undecided.join("; "))
        } else if !survivors.is_empty() {
            Judged::new(Verdict::Vacuous).reason(format!(
                "taken out, {} was not missed",
                survivors.join(", ")
            ))
        } else {
            let indexes = if self.made > 0 {
                format!(
                    "; without each of {} index(es) an expectation broke",
                    self.made
                )
            } else {
                String::new()
            };
            Judged::new(Verdict::Held).bounds(format!("typical values of one sampled row{indexes}"))
        };
        Ok(judged
            .figure("expectations", asked.len())
            .figure("expectations_held", held)
            .figure("rows", rows as usize)
            .figure("mutants_made", self.made as usize)
            .figure("mutants_killed", self.killed as usize))
    }

    /// Parameters from rows of any tenant: which one the query is for is decided by them.
    async fn values(&mut self, choice: Choice) -> Result<Values, SqlFailure> {
        self.session.batch(&begin()).await?;
        self.stage.pass_policies(self.session).await?;
        let values = choose(self.stage.model, self.query, self.session, choice).await;
        self.session.batch(&rollback()).await?;
        values
    }

    /// Under row-level security a query sees one tenant's rows: those of its parameter, else of the largest tenant. Never those of the tenant
    /// that the query before it was for: what comes of a query must not hang on which others are asked.
    async fn tenant(&mut self, values: &Values) -> Result<(), SqlFailure> {
        for invariant in &self.stage.model.invariants {
            let Rule::Isolated {
                tables,
                by,
                setting,
                ..
            } = &invariant.rule
            else {
                continue;
            };
            let value = match (values.get(by.as_str()), tables.first()) {
                (Some(Some(value)), _) => Some(value.clone()),
                (_, Some(table)) => self.largest(&table.ident, &by.ident).await?,
                _ => None,
            };
            let Some(value) = value else { continue };
            let set = fill(
                "SELECT set_config({setting}, {value}, false)",
                &[
                    ("setting", &sql::literal(setting.as_str())),
                    ("value", &sql::literal(&value)),
                ],
            );
            self.session.query(&set).await?;
        }
        Ok(())
    }

    /// The tenant with most rows of the sample.
    async fn largest(&mut self, table: &Ident, by: &Ident) -> Result<Option<String>, SqlFailure> {
        let most = fill(
            "SELECT CAST({by} AS text) FROM {table} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
            &[("by", &quote_ident(by)), ("table", &quote_ident(table))],
        );
        self.session.batch(&begin()).await?;
        self.stage.pass_policies(self.session).await?;
        let rows = self.session.query(&most).await;
        self.session.batch(&rollback()).await?;
        let first = rows?.rows.into_iter().next();
        Ok(first.and_then(|row| row.into_iter().next().flatten()))
    }

    /// Plans a query, and runs it where asked; what it changes is taken back.
    async fn plan(&mut self, query: &SqlText, run: bool) -> Result<PlanTree, SqlFailure> {
        let options = if run {
            "ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON"
        } else {
            "FORMAT JSON"
        };
        let explain = fill(
            "EXPLAIN ({options}) {query}",
            &[("options", &fixed(options)), ("query", query)],
        );
        self.session.batch(&begin()).await?;
        let rows = self.session.query(&explain).await;
        self.session.batch(&rollback()).await?;
        Ok(read(&rows?))
    }

    async fn decide(
        &mut self,
        query: &SqlText,
        asked: &[Asked],
        others: &[(String, PlanTree)],
    ) -> Result<Decided, SqlFailure> {
        let plan = self.plan(query, true).await?;
        let subject = Subject {
            plan: &plan,
            others,
            relations: self.relations,
        };
        let outcomes = asked.iter().map(|asked| decide(asked, &subject)).collect();
        Ok(Decided { plan, outcomes })
    }

    /// Whether the expectation holds once the planner is told to avoid what is not wanted.
    async fn could_hold(&mut self, query: &SqlText, asked: &Asked) -> Result<bool, SqlFailure> {
        if asked.avoid.is_empty() {
            return Ok(false);
        }
        for switch in &asked.avoid {
            self.switch(switch, "off").await?;
        }
        let plan = self.plan(query, false).await;
        for switch in &asked.avoid {
            self.switch(switch, "on").await?;
        }
        let plan = plan?;
        let subject = Subject {
            plan: &plan,
            others: &[],
            relations: self.relations,
        };
        Ok(matches!(decide(asked, &subject), Outcome::Holds(_)))
    }

    async fn switch(&mut self, name: &'static str, value: &'static str) -> Result<(), SqlFailure> {
        let set = fill(
            "SET {name} = {value}",
            &[("name", &fixed(name)), ("value", &fixed(value))],
        );
        self.session.batch(&set).await
    }

    /// Takes out each index that the query is said to use, in a transaction that is taken back; those that nothing missed.
    async fn without_each_index(
        &mut self,
        query: &SqlText,
        asked: &[Asked],
        with: &Decided,
        others: &[(String, PlanTree)],
    ) -> Result<Vec<String>, SqlFailure> {
        let mut survivors = Vec::new();
        for (expectation, _) in &self.query.plan {
            let Expectation::Uses(index) = expectation else {
                continue;
            };
            // Only what held with the index can be missed without it.
            let held = asked.iter().zip(&with.outcomes).any(|(asked, outcome)| {
                asked.arguments.names.contains(&index.ident) && matches!(outcome, Outcome::Holds(_))
            });
            if !held || !self.is_plain_index(&index.ident) {
                continue;
            }
            self.made += 1;
            let drop = fill(
                "DROP INDEX {index}",
                &[("index", &quote_ident(&index.ident))],
            );
            let explain = fill("EXPLAIN (FORMAT JSON) {query}", &[("query", query)]);
            self.session.batch(&begin()).await?;
            let rows = match self.session.batch(&drop).await {
                Ok(()) => self.session.query(&explain).await,
                Err(failure) => Err(failure),
            };
            self.session.batch(&rollback()).await?;
            let plan = read(&rows?);
            let subject = Subject {
                plan: &plan,
                others,
                relations: self.relations,
            };
            let broken = asked.iter().zip(&with.outcomes).any(|(asked, before)| {
                !matches!(before, Outcome::Broken { .. })
                    && matches!(decide(asked, &subject), Outcome::Broken { .. })
            });
            if broken {
                self.killed += 1;
            } else {
                survivors.push(index.as_str().to_owned());
            }
        }
        Ok(survivors)
    }

    /// Not the index of a constraint, which cannot be dropped by itself.
    fn is_plain_index(&self, index: &Ident) -> bool {
        let mut tables = self.stage.compiled.catalog.tables.values();
        tables.any(|table| table.indexes.contains_key(index))
    }
}

/// The plan in an answer of EXPLAIN, which may come in several rows, one a line.
fn read(rows: &Rows) -> PlanTree {
    let text: Vec<&str> = rows
        .rows
        .iter()
        .filter_map(|row| row.first()?.as_deref())
        .collect();
    let json = serde_json::from_str(&text.join("\n")).unwrap_or(serde_json::Value::Null);
    parse(&json).unwrap_or_default()
}

fn refuted(asked: &Asked, found: &str, at_fault: &[usize], plan: &PlanTree) -> Judged {
    Judged::refuted(format!("expected {}: {found}", asked.text)).with(Counterexample::Plan {
        tree: plan.lines(),
        at_fault: at_fault.to_vec(),
    })
}
