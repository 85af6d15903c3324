//! Everything that is tried, design by design.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::build::{build, claim as schema_claim, refused};
use super::evidence::Judged;
use super::migrate::{claim as migration_claim, rehearse};
use super::mutate::{count, survey};
use super::part::Part;
use super::plan::{
    claim as query_claim, design_claims, plans_of, refused_statements, write_claims,
};
use super::race::{Ground, RaceOptions, Racer};
use super::reject::{Bench, Claimed, Settled, claims, settle};
use super::run::Run;
use super::seed::Maker;
use super::stage::{Stage, Staged};
use super::unchecked;
use crate::compile::{Compiled, compile};
use crate::design::{Invariant, InvariantKind, Model};
use crate::error::Error;
use crate::finding::{Claim, Evidence, Finding, Method, Mutants};
use crate::postgres::Server;
use crate::template::Environment;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Reproduces states, arguments and samples.
    pub seed: u64,
    /// Only these; empty for all there are.
    pub only: BTreeSet<Method>,
    /// Rows that queries are run on, of all tables together; `None` for a sample that is there in seconds.
    pub rows: Option<f64>,
    /// How much the races may cost.
    pub race: RaceOptions,
    /// The command line that does it again, without the seed.
    pub command: String,
    /// Which claims are left to try.
    pub part: Part,
    /// For designs that say what they migrate from: the design before, or why it is not to be had.
    pub predecessors: BTreeMap<String, Result<Model, String>>,
}

impl VerifyOptions {
    /// Whether a method is asked for.
    pub fn asks(&self, method: Method) -> bool {
        self.only.is_empty() || self.only.contains(&method)
    }

    /// Whether a method is asked for, and there is something left for it to try.
    pub fn wants(&self, method: Method) -> bool {
        self.asks(method) && !self.part.is_done(method)
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// One for each claim and method.
    pub evidence: Vec<Evidence>,
    /// What was found to be wrong on the way.
    pub findings: Vec<Finding>,
    /// Enforcements taken out, and noticed.
    pub mutants: Mutants,
    /// Findings up to each number are the method's.
    upto: Vec<(Method, usize)>,
}

impl Verified {
    /// The findings that are there and nobody's yet are this method's.
    pub(super) fn told(&mut self, method: Method) {
        self.upto.push((method, self.findings.len()));
    }

    /// The findings, each with the method that came to it.
    pub(super) fn findings_by_method(&self) -> impl Iterator<Item = (Method, Finding)> + '_ {
        let mut begin = 0;
        self.upto.iter().flat_map(move |(method, end)| {
            let own = &self.findings[begin.min(*end)..*end];
            begin = *end;
            own.iter().map(|finding| (*method, finding.clone()))
        })
    }
}

/// Who is told how far things are.
pub trait Progress {
    /// A method begins on a design, with so many claims.
    fn begin(&mut self, design: &str, method: Method, claims: usize);
    /// One claim is about to be tried.
    fn claim(&mut self, subject: &str);
}

/// Tells nobody.
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&mut self, _: &str, _: Method, _: usize) {}
    fn claim(&mut self, _: &str) {}
}

/// Tries every claim of every design.
pub async fn verify(
    models: &[&Model],
    options: &VerifyOptions,
    server: &Server,
    environment: &Environment,
    progress: &mut dyn Progress,
) -> Result<Verified, Error> {
    let mut verified = Verified::default();
    for model in models {
        let compiled = compile(model);
        let mut design = Design {
            run: Run {
                server,
                seed: options.seed,
                command: &options.command,
                rows: options.rows,
            },
            options,
            model,
            compiled: &compiled,
            environment,
            verified: &mut verified,
            progress: &mut *progress,
        };
        design.verify().await?;
    }
    Ok(verified)
}

/// One design on its way through the methods.
pub(super) struct Design<'a> {
    pub run: Run<'a>,
    pub options: &'a VerifyOptions,
    pub model: &'a Model,
    pub compiled: &'a Compiled,
    pub environment: &'a Environment,
    pub verified: &'a mut Verified,
    pub progress: &'a mut dyn Progress,
}

impl Design<'_> {
    async fn verify(&mut self) -> Result<(), Error> {
        let (run, model, compiled) = (self.run, self.model, self.compiled);
        self.begin(Method::Build, 1);
        let stage = match Stage::open(run.server, model, compiled, self.environment).await? {
            Staged::Ready(stage) => stage,
            Staged::Refused(finding) => {
                self.verified.evidence.push(refused(&run, model, &finding));
                self.verified.findings.push(finding);
                self.verified.told(Method::Build);
                return Ok(());
            }
        };
        if self.options.wants(Method::Build)
            && !self
                .wanted(Method::Build, &[schema_claim(model)])
                .is_empty()
        {
            let (evidence, findings) = build(&run, &stage, self.environment).await?;
            self.verified.evidence.push(evidence);
            self.verified.findings.extend(findings);
        }
        self.verified.told(Method::Build);
        let maker = Maker::new(model, &compiled.catalog);
        let claims = self.claims(&stage, &maker).await?;
        let settled = self.reject(&stage, &maker, &claims).await?;
        self.verified.told(Method::Reject);
        let mut racer = None;
        if self.options.wants(Method::Race) {
            racer = self.race(&stage).await?;
        }
        self.verified.told(Method::Race);
        if self.options.wants(Method::Plan) {
            self.plan(&stage).await?;
        }
        self.verified.told(Method::Plan);
        if self.options.wants(Method::Migrate) {
            self.migrate().await?;
        }
        self.verified.told(Method::Migrate);
        if self.options.wants(Method::Mutate) {
            racer = self
                .mutate(&stage, &maker, (&claims, &settled), racer)
                .await?;
        }
        self.verified.told(Method::Mutate);
        if let Some(racer) = racer {
            racer.close().await?;
        }
        self.not_tried();
        stage.close().await
    }

    /// What single writes can try; needed to reject and to mutate.
    async fn claims(&mut self, stage: &Stage<'_>, maker: &Maker) -> Result<Vec<Claimed>, Error> {
        if !self.options.wants(Method::Reject) && !self.options.wants(Method::Mutate) {
            return Ok(Vec::new());
        }
        let mut session = stage.session(&stage.template).await?;
        claims(stage, &mut session, maker).await
    }

    /// The way here from the design before, where there is one.
    async fn migrate(&mut self) -> Result<(), Error> {
        let (run, model) = (self.run, self.model);
        let Some(before) = self.options.predecessors.get(model.name.as_str()) else {
            return Ok(());
        };
        let named = before
            .as_ref()
            .map_or("the design before", |old| old.name.as_str());
        let claim = migration_claim(model, named);
        if self
            .wanted(Method::Migrate, std::slice::from_ref(&claim))
            .is_empty()
        {
            return Ok(());
        }
        self.begin(Method::Migrate, 1);
        let old = match before {
            Ok(old) => old,
            Err(reason) => {
                let judged = Judged::unchecked(reason.clone());
                let evidence = run.evidence(model, Method::Migrate, claim, judged);
                self.verified.evidence.push(evidence);
                return Ok(());
            }
        };
        self.progress.claim(&claim.subject);
        let (evidence, mutants, findings) = rehearse(&run, old, model, self.environment).await?;
        self.verified.findings.extend(findings);
        self.verified.evidence.push(evidence);
        self.verified.mutants.made += mutants.made;
        self.verified.mutants.killed += mutants.killed;
        Ok(())
    }

    async fn reject(
        &mut self,
        stage: &Stage<'_>,
        maker: &Maker,
        claims: &[Claimed],
    ) -> Result<Vec<Settled>, Error> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = self.wanted(Method::Reject, claims.iter().map(|claimed| &claimed.claim));
        // What notices mutants is what comes out as claimed, of all claims.
        let for_mutants = self.options.wants(Method::Mutate);
        let number = if for_mutants {
            claims.len()
        } else {
            wanted.len()
        };
        self.begin(Method::Reject, number);
        let mut bench = Bench::open(stage, maker).await?;
        let mut all = Vec::with_capacity(claims.len());
        for claimed in claims {
            let is_wanted = wanted.contains(&claimed.claim.subject);
            if !is_wanted && !for_mutants {
                continue;
            }
            self.progress.claim(&claimed.claim.subject);
            let settled = settle(&mut bench, claimed).await?;
            if is_wanted && self.options.wants(Method::Reject) {
                self.conclude(
                    Method::Reject,
                    claimed.claim.clone(),
                    settled.judged.clone(),
                );
            }
            all.push(settled);
        }
        bench.close().await?;
        Ok(all)
    }

    /// Races every invariant; gives the racer back, for its mutants.
    async fn race<'s>(&mut self, stage: &'s Stage<'_>) -> Result<Option<Racer<'s>>, Error> {
        let model = self.model;
        let mut raced = raced(model);
        let claims: Vec<Claim> = raced.iter().map(|i| invariant_claim(i)).collect();
        let wanted = self.wanted(Method::Race, &claims);
        raced.retain(|invariant| wanted.contains(&invariant_claim(invariant).subject));
        self.begin(Method::Race, raced.len());
        if raced.is_empty() {
            return Ok(None);
        }
        let mut racer = Racer::open(ground(stage), &self.race_options()).await?;
        for invariant in raced {
            self.progress.claim(invariant.name.as_str());
            let start = Instant::now();
            let result = racer.race(invariant).await?;
            let judged = Judged {
                reason: result.reason,
                bounds: result.bounds,
                figures: result.figures,
                counterexample: result.counterexample,
                duration: start.elapsed(),
                ..Judged::new(result.verdict)
            };
            self.conclude(Method::Race, invariant_claim(invariant), judged);
        }
        self.verified.findings.extend(racer.findings());
        Ok(Some(racer))
    }

    fn race_options(&self) -> RaceOptions {
        RaceOptions {
            seed: self.options.seed,
            ..self.options.race.clone()
        }
    }

    async fn mutate<'s>(
        &mut self,
        stage: &'s Stage<'_>,
        maker: &Maker,
        (claims, settled): (&[Claimed], &[Settled]),
        racer: Option<Racer<'s>>,
    ) -> Result<Option<Racer<'s>>, Error> {
        self.begin(Method::Mutate, count(stage));
        let mut racer = match racer {
            None if self.model.invariants.iter().any(is_raced) => {
                Some(Racer::open(ground(stage), &self.race_options()).await?)
            }
            racer => racer,
        };
        let mut bench = Bench::open(stage, maker).await?;
        let found = survey(
            &mut bench,
            claims,
            settled,
            racer.as_mut(),
            (&self.options.part, &mut *self.progress),
        )
        .await?;
        bench.close().await?;
        for (claim, judged) in found.judged {
            self.conclude(Method::Mutate, claim, judged);
        }
        self.verified.findings.extend(found.findings);
        self.verified.mutants.made += found.made as u64;
        self.verified.mutants.killed += found.killed as u64;
        Ok(racer)
    }

    async fn plan(&mut self, stage: &Stage<'_>) -> Result<(), Error> {
        let queries = self.model.queries.iter().map(query_claim);
        let whole = design_claims(self.model);
        let claims = queries.chain(whole).chain(write_claims(self.model));
        let claims: Vec<Claim> = claims.collect();
        let wanted = self.wanted(Method::Plan, &claims);
        self.begin(Method::Plan, wanted.len());
        let refused = match self.options.part.wants_statements() {
            true => refused_statements(stage).await?,
            false => Vec::new(),
        };
        let plans = plans_of(&self.run, stage, &wanted).await?;
        self.verified.evidence.extend(plans.evidence);
        self.verified
            .findings
            .extend(refused.into_iter().chain(plans.findings));
        self.verified.mutants.made += plans.mutants_made;
        self.verified.mutants.killed += plans.mutants_killed;
        Ok(())
    }

    /// Claims that no method of this version tries are said to be so.
    fn not_tried(&mut self) {
        for (method, claim, reason) in not_tried(self.model, self.options) {
            self.conclude(method, claim, Judged::unchecked(reason));
        }
    }

    /// Those of a method's claims that are left to try here.
    fn wanted<'c>(
        &self,
        method: Method,
        claims: impl IntoIterator<Item = &'c Claim>,
    ) -> BTreeSet<String> {
        let subjects = claims.into_iter().map(|claim| claim.subject.as_str());
        self.options.part.wanted(method, subjects)
    }

    pub(super) fn begin(&mut self, method: Method, claims: usize) {
        self.progress
            .begin(self.model.name.as_str(), method, claims);
    }

    pub(super) fn conclude(&mut self, method: Method, claim: Claim, judged: Judged) {
        let evidence = self.run.evidence(self.model, method, claim, judged);
        self.verified.evidence.push(evidence);
    }
}

/// What is raced.
pub(super) fn ground<'a>(stage: &'a Stage<'_>) -> Ground<'a> {
    Ground {
        model: stage.model,
        catalog: &stage.compiled.catalog,
        server: stage.server,
        template: &stage.template,
    }
}

/// Invariants that are raced.
pub(super) fn raced(model: &Model) -> Vec<&Invariant> {
    model.invariants.iter().filter(|i| is_raced(i)).collect()
}

/// Claims that no method of this version tries, those of this part.
pub(super) fn not_tried(
    model: &Model,
    options: &VerifyOptions,
) -> Vec<(Method, Claim, &'static str)> {
    let mut claims = unchecked::claims(model);
    claims.retain(|(method, ..)| options.asks(*method));
    let of = |method: Method| {
        let own = claims.iter().filter(move |(other, ..)| *other == method);
        options
            .part
            .share(method, own.map(|(_, claim, _)| claim.subject.as_str()))
    };
    let methods: BTreeSet<Method> = claims.iter().map(|(method, ..)| *method).collect();
    let shares: BTreeMap<Method, BTreeSet<String>> = methods
        .into_iter()
        .map(|method| (method, of(method)))
        .collect();
    claims.retain(|(method, claim, _)| shares[method].contains(&claim.subject));
    claims
}

fn is_raced(invariant: &Invariant) -> bool {
    !matches!(
        invariant.rule.kind(),
        InvariantKind::Mirrors | InvariantKind::Retained
    )
}

/// What an invariant claims.
pub(super) fn invariant_claim(invariant: &Invariant) -> Claim {
    let statement = match &invariant.never {
        Some(never) => format!("never: {}", never.as_str().trim()),
        None => invariant.rule.kind().word().replace('_', " "),
    };
    Claim {
        subject: format!("invariant {}", invariant.name.as_str()),
        statement,
        at: Some(invariant.name.at),
    }
}
