//! What is known of a design from earlier runs, and what is kept of this one.

use std::collections::{BTreeMap, BTreeSet};

use super::place::Places;
use super::sheet::{KeptClaim, KeptFinding, Sheet};
use super::store::Cache;
use super::work::{What, Work, works};
use crate::compile::Compiled;
use crate::design::Model;
use crate::error::Error;
use crate::finding::{Evidence, Finding, Method, Mutants, Verdict};
use crate::template::Environment;
use crate::verify::evidence::Judged;
use crate::verify::part::Part;
use crate::verify::plan::{claim as query_claim, design_claims, write_claims};
use crate::verify::run::Told;
use crate::verify::runner::{Verified, VerifyOptions, invariant_claim, not_tried, raced};

/// Methods whose evidence is kept, in the order in which they run.
const METHODS: [Method; 6] = [
    Method::Build,
    Method::Reject,
    Method::Race,
    Method::Plan,
    Method::Migrate,
    Method::Mutate,
];

/// What is asked about one design, and where.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The design.
    pub model: &'a Model,
    /// Its schema.
    pub compiled: &'a Compiled,
    /// What is asked for; its part says which shard.
    pub options: &'a VerifyOptions,
    /// Templates of the DDL.
    pub environment: &'a Environment,
    /// `15.18`, as the server says it.
    pub server_version: &'a str,
    /// Where the server comes from: another machine's may be set up otherwise.
    pub origin: &'a str,
}

/// What is known.
#[derive(Default)]
pub struct Recalled {
    /// What is left to try.
    pub part: Part,
    /// Whether nothing is.
    pub is_whole: bool,
    known: Verified,
    works: Vec<(Work, Option<Sheet>)>,
}

impl Cache {
    /// What earlier runs found out that still holds.
    pub fn recall(&self, asked: &Asked<'_>) -> Result<Recalled, Error> {
        let places = Places::of(asked.model, asked.compiled);
        let works = works(asked)?;
        let works: Vec<(Work, Option<Sheet>)> = works
            .into_iter()
            .map(|work| {
                let sheet = self.load(&work.key);
                (work, sheet)
            })
            .collect();
        let mut part = Part::of(asked.options.part.shard);
        let mut known = Verified::default();
        let mut open: BTreeSet<Method> = BTreeSet::new();
        for (work, sheet) in &works {
            let Some(sheet) = sheet else {
                open.insert(work.method);
                continue;
            };
            if !sheet.is_whole() {
                open.insert(work.method);
            }
            if work.what == What::Statements {
                part.statements_accepted = true;
            }
            let before = known.evidence.len();
            for claim in &sheet.claims {
                known
                    .evidence
                    .extend(evidence(asked, work.method, claim, &places));
                if claim.kept.is_some() {
                    part.known.insert((work.method, claim.subject.clone()));
                }
            }
            if known.evidence.len() > before || sheet.claims.is_empty() {
                let design = asked.model.name.as_str();
                let findings = sheet.findings.iter();
                let findings = findings.filter_map(|finding| finding.finding(design, &places));
                known.findings.extend(findings);
                known.told(work.method);
            }
        }
        let asks = |method: &Method| asked.options.asks(*method);
        let methods = METHODS.into_iter().filter(asks);
        part.done = methods.filter(|method| !open.contains(method)).collect();
        Ok(Recalled {
            part,
            is_whole: open.is_empty(),
            known,
            works,
        })
    }

    /// Everything about a design, from what was known and what came of the rest; what is new is kept. What could not be written is told in
    /// a sentence.
    pub fn complete(
        &self,
        asked: &Asked<'_>,
        recalled: Recalled,
        fresh: Option<Verified>,
    ) -> (Verified, Option<String>) {
        let Recalled {
            known,
            works,
            is_whole,
            ..
        } = recalled;
        let fresh = fresh.unwrap_or_else(|| untried(asked));
        let is_refused = fresh
            .evidence
            .iter()
            .any(|e| e.method == Method::Build && e.verdict == Verdict::Refuted);
        let all = joined(asked, known, fresh, &works);
        // Where the schema is refused nothing else was tried.
        if is_refused || is_whole {
            return (all, None);
        }
        let places = Places::of(asked.model, asked.compiled);
        let mut failed = None;
        for (work, sheet) in works {
            if sheet.is_some_and(|sheet| sheet.is_whole()) {
                continue;
            }
            if let Some(sheet) = sheet_of(&work, &all, &places, self.now())
                && let Err(error) = self.save(&work.key, sheet)
            {
                failed = Some(format!(
                    "evidence could not be kept for the next run: {error}"
                ));
            }
        }
        self.prune();
        (all, failed)
    }
}

fn told<'a>(asked: &Asked<'a>) -> Told<'a> {
    Told {
        server_version: asked.server_version,
        seed: asked.options.seed,
        command: &asked.options.command,
    }
}

/// What a claim came to earlier, as a claim of today.
fn evidence(
    asked: &Asked<'_>,
    method: Method,
    claim: &KeptClaim,
    places: &Places,
) -> Option<Evidence> {
    let kept = claim.kept.as_ref()?;
    let model = asked.model;
    // What a rule says in words is prose, and may have changed.
    let mut invariants = model.invariants.iter().map(invariant_claim);
    let today = invariants
        .find(|own| own.subject == claim.subject)
        .unwrap_or_else(|| claim.claim(places));
    let mut evidence = told(asked).evidence(model, method, today, kept.judged());
    evidence.cached = Some(kept.tried.clone());
    Some(evidence)
}

/// Claims that need no server to be said not to be tried.
fn untried(asked: &Asked<'_>) -> Verified {
    let claims = not_tried(asked.model, asked.options).into_iter();
    let evidence = claims.map(|(method, claim, reason)| {
        told(asked).evidence(asked.model, method, claim, Judged::unchecked(reason))
    });
    let mut verified = Verified::default();
    verified.evidence.extend(evidence);
    verified
}

/// Known and new, in the order in which a run without a cache has them.
fn joined(
    asked: &Asked<'_>,
    known: Verified,
    fresh: Verified,
    works: &[(Work, Option<Sheet>)],
) -> Verified {
    let order = order(asked.model, works);
    let rank = |method: Method| METHODS.iter().position(|own| *own == method);
    let mut all = Verified::default();
    let mut findings: Vec<(Method, Finding)> = Vec::new();
    for verified in [known, fresh] {
        for (method, finding) in verified.findings_by_method() {
            let same = |own: &Finding| {
                (&own.code, &own.subject, &own.message)
                    == (&finding.code, &finding.subject, &finding.message)
            };
            if !findings
                .iter()
                .any(|(own, known)| *own == method && same(known))
            {
                findings.push((method, finding));
            }
        }
        all.evidence.extend(verified.evidence);
        all.mutants.made += verified.mutants.made;
        all.mutants.killed += verified.mutants.killed;
    }
    findings.sort_by_key(|(method, _)| rank(*method).unwrap_or(METHODS.len()));
    for (method, finding) in findings {
        all.findings.push(finding);
        all.told(method);
    }
    all.evidence.sort_by_cached_key(|evidence| {
        let method = evidence.method;
        let subject = (method, evidence.claim.subject.clone());
        (
            rank(method).unwrap_or(METHODS.len()),
            order.get(&subject).copied().unwrap_or(usize::MAX),
        )
    });
    let cached = all.evidence.iter().filter(|e| e.cached.is_some());
    let more = cached
        .map(mutants)
        .fold(Mutants::default(), |sum, more| Mutants {
            made: sum.made + more.made,
            killed: sum.killed + more.killed,
        });
    all.mutants.made += more.made;
    all.mutants.killed += more.killed;
    all
}

/// The place of each claim within its method, where that is known without a server.
fn order(model: &Model, works: &[(Work, Option<Sheet>)]) -> BTreeMap<(Method, String), usize> {
    let raced = raced(model).into_iter().map(invariant_claim);
    let raced = raced.map(|claim| (Method::Race, claim.subject));
    let queries = model
        .queries
        .iter()
        .map(query_claim)
        .chain(design_claims(model))
        .chain(write_claims(model));
    let queries = queries.map(|claim| (Method::Plan, claim.subject));
    let listed = works
        .iter()
        .filter(|(work, _)| work.what == What::All)
        .flat_map(|(work, sheet)| {
            let claims = sheet.iter().flat_map(|sheet| &sheet.claims);
            claims.map(|claim| (work.method, claim.subject.clone()))
        });
    let mut order = BTreeMap::new();
    for (at, claim) in raced.chain(queries).chain(listed).enumerate() {
        order.entry(claim).or_insert(at);
    }
    order
}

/// Mutants that a piece of evidence counts.
fn mutants(evidence: &Evidence) -> Mutants {
    let figure = |name: &str| {
        let found = evidence.figures.iter().find(|(own, _)| own == name);
        // Counts travel as f64 with all other figures; they are small and whole.
        found.map_or(0, |(_, value)| *value as u64)
    };
    Mutants {
        made: figure("mutants_made"),
        killed: figure("mutants_killed"),
    }
}

/// What is kept of a piece of work; `None` where nothing may be.
fn sheet_of(work: &Work, all: &Verified, places: &Places, now: &str) -> Option<Sheet> {
    let own = all.findings_by_method();
    let own = own.filter(|(method, _)| *method == work.method);
    let findings: Option<Vec<KeptFinding>> = own
        .map(|(_, finding)| KeptFinding::of(&finding, places))
        .collect();
    let findings = findings?;
    // A statement that is refused, or a setting, may be what the plans are about.
    if work.method == Method::Plan && !findings.is_empty() {
        return None;
    }
    let evidence = all.evidence.iter().filter(|e| e.method == work.method);
    let evidence: Vec<&Evidence> = match &work.what {
        What::Claim(subject) => evidence.filter(|e| e.claim.subject == *subject).collect(),
        What::All => evidence.collect(),
        What::Statements => Vec::new(),
    };
    let claims: Vec<KeptClaim> = evidence
        .into_iter()
        .map(|evidence| KeptClaim::of(evidence, places, now))
        .collect();
    // A claim without evidence, or with none that may be used again, needs no file.
    if matches!(work.what, What::Claim(_)) && claims.iter().all(|claim| claim.kept.is_none()) {
        return None;
    }
    Some(Sheet { claims, findings })
}
