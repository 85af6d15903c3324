//! Each catalogued query: run on the sample, planned at the declared volumes, judged; and once more without each index it is said to use.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::advice::advise;
use super::capacity;
use super::case::{Case, plan};
use super::causes::causes;
use super::commands::advise_commands;
use super::conclude::{Survivors, conclude};
use super::expect::{Asked, asked, decide};
use super::index_cost;
use super::indexes;
use super::params::{Choice, Values, choose, filled_in, for_all_values};
use super::planned::{AtVolume, Scaled};
use super::sample::{self, Sample};
use super::statistics::Belief;
use super::volume::Point;
use super::without::without_each_index;
use super::writes;
use crate::design::{Model, Query, Rule};
use crate::error::Error;
use crate::explain::{Outcome, Relations, Subject};
use crate::finding::{Claim, Evidence, Finding, Method};
use crate::postgres::{Session, SqlFailure};
use crate::sql::{self, Ident, SqlText, fill, fixed, quote_ident};
use crate::verify::seed::Maker;
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
    let all = all_claims(stage.model).map(|claim| claim.subject);
    plans_of(run, stage, &all.collect()).await
}

fn all_claims(model: &Model) -> impl Iterator<Item = Claim> {
    let queries = model.queries.iter().map(claim);
    let whole = queries.chain(design_claims(model));
    whole.chain(writes::claims(model))
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
    let sample = match sample::load(stage, run.seed, run.rows).await? {
        Ok(sample) => sample,
        Err(why) => {
            let claims = all_claims(stage.model);
            let claims = claims.filter(|claim| wanted.contains(&claim.subject));
            let unchecked = |claim| {
                let judged = Judged::unchecked(why.as_str());
                run.evidence(stage.model, Method::Plan, claim, judged)
            };
            found.evidence = claims.map(unchecked).collect();
            return Ok(found);
        }
    };
    let is_wanted = |subject: &str| wanted.contains(subject);
    // What is said of the design as a whole is said of all its queries.
    let whole: Vec<Claim> = design_claims(stage.model)
        .into_iter()
        .filter(|claim| is_wanted(&claim.subject))
        .collect();
    let is_run = |query: &Query| !whole.is_empty() || is_wanted(&claim(query).subject);
    let (written, costs) = write(run, stage, &sample, wanted).await?;
    let (cases, others) = cases(stage, &sample, &is_run).await?;
    found.findings.extend(others.findings);
    for (query, judged) in others.failed {
        if is_wanted(&claim(query).subject) {
            let evidence = run.evidence(stage.model, Method::Plan, claim(query), judged);
            found.evidence.push(evidence);
        }
    }
    let (judged, said) = judge_all(run, stage, &sample, &cases, (&whole, &costs)).await?;
    found.findings.extend(said.findings);
    for (case, (judged, survivors)) in cases.iter().zip(judged) {
        if !is_wanted(&claim(case.query).subject) {
            continue;
        }
        found.mutants_made += survivors.made;
        found.mutants_killed += survivors.killed();
        let judged = Judged {
            duration: case.took + judged.duration,
            ..judged
        };
        found
            .evidence
            .push(run.evidence(stage.model, Method::Plan, claim(case.query), judged));
    }
    let order = |evidence: &Evidence| {
        let mut queries = stage.model.queries.iter();
        queries.position(|query| claim(query).subject == evidence.claim.subject)
    };
    found.evidence.sort_by_key(order);
    for (claim, judged) in said.judged {
        found
            .evidence
            .push(run.evidence(stage.model, Method::Plan, claim, judged));
    }
    found.evidence.extend(written);
    let Sample { database, .. } = sample;
    database.drop().await?;
    Ok(found)
}

/// What is measured by writing, in a copy of the sample: before anybody has a session there, and before it is made large.
async fn write(
    run: &Run<'_>,
    stage: &Stage<'_>,
    sample: &Sample,
    wanted: &BTreeSet<String>,
) -> Result<(Vec<Evidence>, BTreeMap<String, f64>), Error> {
    let mut commands = writes::claims(stage.model).into_iter();
    let reviews = wanted.contains(&indexes::claim().subject);
    if !reviews && !commands.any(|claim| wanted.contains(&claim.subject)) {
        return Ok((Vec::new(), BTreeMap::new()));
    }
    let copy = stage.server.clone_database(&sample.database).await?;
    let written = writes::measure(run, stage, (&copy, &sample.volume), wanted).await?;
    let costs = match reviews {
        true => index_cost::measure(stage, &copy).await?,
        false => BTreeMap::new(),
    };
    copy.drop().await?;
    Ok((written, costs))
}

/// What is said of the design as a whole.
#[derive(Default)]
struct Whole {
    findings: Vec<Finding>,
    judged: Vec<(Claim, Judged)>,
}

/// What came of the sample apart from queries that ran.
#[derive(Default)]
pub(super) struct Apart<'a> {
    findings: Vec<Finding>,
    failed: Vec<(&'a Query, Judged)>,
}

/// Runs every wanted query on the sample.
pub(super) async fn cases<'a>(
    stage: &Stage<'a>,
    sample: &Sample,
    wanted: &dyn Fn(&Query) -> bool,
) -> Result<(Vec<Case<'a>>, Apart<'a>), Error> {
    let mut apart = Apart::default();
    let mut session = stage.session(&sample.database).await?;
    if let Err((name, failure)) = sample::set_planner(stage, &mut session).await {
        let message = format!(
            "PostgreSQL refuses the setting `{name}`: {}",
            failure.message
        );
        let at = stage.model.database.at;
        let finding = Finding::error("setting-refused", "database", message, at);
        apart.findings.push(finding.of(stage.model.name.as_str()));
    }
    let mut cases = Vec::new();
    for query in stage.model.queries.iter().filter(|query| wanted(query)) {
        let since = Instant::now();
        let mut judge = Judge {
            stage,
            query,
            session: &mut session,
            relations: &sample.relations,
        };
        match judge.on_sample().await {
            Ok(case) => cases.push(Case {
                took: since.elapsed(),
                ..case
            }),
            Err(failure) => apart.failed.push((query, failed(&failure).took(since))),
        }
    }
    Ok((cases, apart))
}

/// What is said of each query, and which of its indexes were not missed.
async fn judge_all(
    run: &Run<'_>,
    stage: &Stage<'_>,
    sample: &Sample,
    cases: &[Case<'_>],
    (whole, costs): (&[Claim], &BTreeMap<String, f64>),
) -> Result<(Vec<(Judged, Survivors)>, Whole), Error> {
    let relations = &sample.relations;
    let mut judged = Vec::with_capacity(cases.len());
    if !run.server.is_ours() {
        // Somebody else's server: sizes and statistics are left alone.
        let mut session = stage.session(&sample.database).await?;
        let _ = sample::set_planner(stage, &mut session).await;
        for case in cases {
            let without = without_each_index(stage, &mut session, case, None, relations).await;
            judged.push(concluded(case, None, without, &sample.volume));
        }
        let why = "only on a server of pgproof's own can the planner be shown the declared volume";
        let unchecked = |claim: &Claim| (claim.clone(), Judged::unchecked(why));
        let said = Whole {
            findings: Vec::new(),
            judged: whole.iter().map(unchecked).collect(),
        };
        return Ok((judged, said));
    }
    let maker = Maker::new(stage.model, &stage.compiled.catalog);
    let mut scaled = Scaled::open(stage, &sample.database, &maker, relations).await?;
    let began = Instant::now();
    let planned = scaled.plan_all(cases).await?;
    let (names, mut session) = scaled.go_to(Point::at(0.0), Belief::Estimated).await?;
    let each = began.elapsed() / cases.len().max(1) as u32;
    for (case, planned) in cases.iter().zip(&planned) {
        let since = Instant::now();
        let without = without_each_index(stage, &mut session, case, Some(planned), &names).await;
        let volume = format!("{}; values from a {}", scaled.words(), sample.volume);
        let (mut found, survivors) = concluded(case, Some(planned), without, &volume);
        found.duration = each + since.elapsed();
        judged.push((found, survivors));
    }
    drop(session);
    let mut said = Whole::default();
    for claim in whole {
        let since = Instant::now();
        let judged = match *claim == capacity::claim() {
            true => capacity::capacity(&scaled),
            false => {
                let (judged, findings) =
                    indexes::review(&mut scaled, cases, &planned, costs).await?;
                said.findings.extend(findings);
                judged
            }
        };
        said.judged.push((claim.clone(), judged.took(since)));
    }
    let causes = causes(stage.model, cases, &planned, relations);
    said.findings.extend(causes);
    let advice = advise(&mut scaled, cases, &planned).await?;
    said.findings.extend(advice);
    if !whole.is_empty() {
        said.findings
            .extend(advise_commands(&mut scaled, cases).await?);
    }
    Ok((judged, said))
}

/// The verdict on a query, unless what it does without its indexes could not be seen.
fn concluded(
    case: &Case<'_>,
    planned: Option<&AtVolume>,
    without: Result<Survivors, SqlFailure>,
    volume: &str,
) -> (Judged, Survivors) {
    match without {
        Ok(survivors) => (conclude(case, planned, &survivors, volume), survivors),
        Err(failure) => (failed(&failure), Survivors::default()),
    }
}

fn failed(failure: &SqlFailure) -> Judged {
    Judged::unchecked(format!(
        "the query failed: {} ({})",
        failure.message,
        failure.sqlstate.code()
    ))
}

/// What is claimed of a design as a whole.
pub(crate) fn design_claims(model: &Model) -> Vec<Claim> {
    let has_indexes = model.tables.iter().any(|table| !table.indexes.is_empty());
    let mut claims = Vec::new();
    if has_indexes && !model.queries.is_empty() {
        claims.push(indexes::claim());
    }
    if model.tables.iter().any(|table| table.volume.is_some()) {
        claims.push(capacity::claim());
    }
    claims
}

/// Whether such a claim hangs on what the design runs, not only on its tables.
pub(crate) fn is_about_statements(claim: &Claim) -> bool {
    *claim == indexes::claim()
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

struct Judge<'a, 's, 'q> {
    stage: &'a Stage<'s>,
    query: &'q Query,
    session: &'a mut Session,
    relations: &'a Relations,
}

impl<'q> Judge<'_, '_, 'q> {
    /// Runs the query on the sample, with values from there.
    async fn on_sample(&mut self) -> Result<Case<'q>, SqlFailure> {
        let model = self.stage.model;
        let typical = self.values(Choice::Typical).await?;
        let common = self.values(Choice::MostCommon).await?;
        let before = self.tenant(&typical).await?;
        let sql = filled_in(model, self.query, &typical);
        let common = filled_in(model, self.query, &common);
        let others = plan(self.session, &common, false).await.ok();
        let others: Vec<_> = others
            .map(|plan| ("the most common values".to_owned(), plan))
            .into_iter()
            .collect();
        let asked = asked(self.query);
        let sampled = plan(self.session, &sql, true).await?;
        let subject = Subject {
            plan: &sampled,
            others: &others,
            relations: self.relations,
        };
        let outcomes: Vec<Outcome> = asked.iter().map(|asked| decide(asked, &subject)).collect();
        let mut could_hold = Vec::with_capacity(asked.len());
        for (asked, outcome) in asked.iter().zip(&outcomes) {
            could_hold.push(match outcome {
                Outcome::Broken { .. } => self.could_hold(&sql, asked).await?,
                _ => false,
            });
        }
        Ok(Case {
            query: self.query,
            asked,
            typical: sql,
            common,
            prepared: for_all_values(model, self.query, &typical),
            before,
            sampled,
            outcomes,
            could_hold,
            took: Duration::ZERO,
        })
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
    async fn tenant(&mut self, values: &Values) -> Result<Vec<SqlText>, SqlFailure> {
        let mut said = Vec::new();
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
            said.push(set);
        }
        Ok(said)
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

    /// Whether the expectation holds once the planner is told to avoid what is not wanted.
    async fn could_hold(&mut self, query: &SqlText, asked: &Asked) -> Result<bool, SqlFailure> {
        if asked.avoid.is_empty() {
            return Ok(false);
        }
        for switch in &asked.avoid {
            self.switch(switch, "off").await?;
        }
        let plan = plan(self.session, query, false).await;
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
}
