//! What is known of a design from earlier runs, and what is kept of this one.

use std::collections::{BTreeMap, BTreeSet};

use super::meaning::{rules, structure, tenants, without_comments};
use super::place::Places;
use super::sheet::{KeptClaim, KeptFinding, Sheet};
use super::store::Cache;
use super::words::Words;
use crate::compile::{self, Compiled};
use crate::design::{Model, Rule};
use crate::error::Error;
use crate::finding::{Evidence, Finding, Method, Mutants, Verdict};
use crate::template::Environment;
use crate::verify::build::claim as schema_claim;
use crate::verify::evidence::Judged;
use crate::verify::part::{Part, Shard};
use crate::verify::plan::claim as query_claim;
use crate::verify::run::Told;
use crate::verify::runner::{Verified, VerifyOptions, invariant_claim, not_tried, raced};

/// Methods whose evidence is kept, in the order in which they run.
const METHODS: [Method; 5] = [
    Method::Build,
    Method::Reject,
    Method::Race,
    Method::Plan,
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

/// A piece of work that is kept in a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Work {
    method: Method,
    what: What,
    key: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// One claim.
    Claim(String),
    /// All claims of the method, which only a server can list.
    All,
    /// Every statement of the design is accepted.
    Statements,
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
    let queries = model.queries.iter().map(query_claim);
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

/// All work on a design that is asked for, with what it depends on.
fn works(asked: &Asked<'_>) -> Result<Vec<Work>, Error> {
    let (model, part) = (asked.model, &asked.options.part);
    let keys = Keys::new(asked)?;
    let mut works = Vec::new();
    let mut add = |method: Method, what: What, words: Words| {
        works.push(Work {
            method,
            what,
            key: words.hex(),
        });
    };
    let share = |method: Method, subjects: Vec<String>| {
        let mine = part.share(method, subjects.iter().map(String::as_str));
        subjects.into_iter().filter(move |s| mine.contains(s))
    };
    if asked.options.asks(Method::Build) {
        for subject in share(Method::Build, vec![schema_claim(model).subject]) {
            add(Method::Build, What::Claim(subject), keys.build());
        }
    }
    if asked.options.asks(Method::Reject) {
        add(Method::Reject, What::All, keys.reject());
    }
    if asked.options.asks(Method::Race) {
        let raced = raced(model);
        let subjects = raced.iter().map(|i| invariant_claim(i).subject).collect();
        let mine: BTreeSet<String> = share(Method::Race, subjects).collect();
        for invariant in raced {
            let subject = invariant_claim(invariant).subject;
            if mine.contains(&subject) {
                let mut words = keys.race();
                words.add(invariant);
                add(Method::Race, What::Claim(subject), words);
            }
        }
    }
    if asked.options.asks(Method::Plan) {
        if part.wants_statements() {
            add(Method::Plan, What::Statements, keys.statements());
        }
        let subjects = model.queries.iter().map(|query| query_claim(query).subject);
        let mine: BTreeSet<String> = share(Method::Plan, subjects.collect()).collect();
        for query in &model.queries {
            let subject = query_claim(query).subject;
            if mine.contains(&subject) {
                let mut words = keys.plan();
                words.add(query);
                add(Method::Plan, What::Claim(subject), words);
            }
        }
    }
    if asked.options.asks(Method::Mutate) {
        add(Method::Mutate, What::All, keys.mutate());
    }
    Ok(works)
}

/// The key of each piece of work, by method and subject.
#[cfg(test)]
pub(super) fn keys(asked: &Asked<'_>) -> BTreeMap<String, String> {
    let works = works(asked).expect("the schema can be written down");
    let name = |work: &Work| match &work.what {
        What::Claim(subject) => format!("{} {subject}", work.method.word()),
        What::All => work.method.word().to_owned(),
        What::Statements => "statements".to_owned(),
    };
    works
        .into_iter()
        .map(|work| (name(&work), work.key))
        .collect()
}

/// What the evidence of each method depends on.
struct Keys<'a> {
    model: &'a Model,
    shard: Option<Shard>,
    /// The DDL with its comments.
    whole: String,
    /// Program, server, seed, budget.
    setting: Words,
    /// And the schema.
    schema: Words,
}

impl<'a> Keys<'a> {
    fn new(asked: &Asked<'a>) -> Result<Keys<'a>, Error> {
        let Asked {
            model,
            compiled,
            options,
            environment,
            server_version,
            origin,
        } = *asked;
        let mut setting = Words::about("pgproof evidence");
        setting.word(&Cache::tool());
        setting.word(server_version);
        setting.word(origin);
        setting.word(&options.seed.to_string());
        let mut schema = setting.clone();
        let bare = without_comments(&compiled.catalog);
        schema.word(&compile::ddl(&bare, environment)?.text());
        structure(&mut schema, model);
        // How much is raced, in all that there is to say about it.
        setting.word(&format!("{:?}", options.race));
        Ok(Keys {
            model,
            shard: options.part.shard,
            whole: compile::ddl(&compiled.catalog, environment)?.text(),
            setting,
            schema,
        })
    }

    fn of(&self, method: &str) -> Words {
        let mut words = self.schema.clone();
        words.word(method);
        words
    }

    /// Comments are read back as well.
    fn build(&self) -> Words {
        let mut words = self.of("build");
        words.word(&self.whole);
        words
    }

    fn reject(&self) -> Words {
        let mut words = self.of("reject");
        self.add_shard(&mut words);
        words.add(&self.model.invariants);
        let is_idempotent = |rule: &Rule| matches!(rule, Rule::Idempotent { .. });
        // Which key keeps a command from doing its work twice is read from the command.
        if self.model.invariants.iter().any(|i| is_idempotent(&i.rule)) {
            words.add(&self.model.commands);
        }
        words
    }

    fn race(&self) -> Words {
        let mut words = self.of("race");
        self.add_races(&mut words);
        rules(&mut words, self.model);
        words
    }

    fn add_races(&self, words: &mut Words) {
        words.word(&self.setting.clone().hex());
        words.add(&self.model.states);
        words.add(&self.model.commands);
    }

    fn statements(&self) -> Words {
        let mut words = self.of("statements");
        words.add(&self.model.queries);
        words.add(&self.model.commands);
        rules(&mut words, self.model);
        words
    }

    fn plan(&self) -> Words {
        let mut words = self.of("plan");
        tenants(&mut words, self.model);
        words
    }

    fn mutate(&self) -> Words {
        let mut words = self.of("mutate");
        self.add_shard(&mut words);
        self.add_races(&mut words);
        words.add(&self.model.invariants);
        words
    }

    /// What only a server can list is kept as a whole, and a shard's whole is its share.
    fn add_shard(&self, words: &mut Words) {
        let shard = self.shard.map(|shard| shard.to_string());
        words.add(&shard);
    }
}
