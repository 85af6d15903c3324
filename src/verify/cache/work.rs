//! The pieces of work on a design, and what each of them depends on.

use std::collections::BTreeSet;

use super::meaning::{rules, structure, tenants, without_comments};
use super::recall::Asked;
use super::store::Cache;
use super::words::Words;
use crate::compile;
use crate::design::{Model, Rule};
use crate::error::Error;
use crate::finding::Method;
use crate::verify::build::claim as schema_claim;
use crate::verify::part::Shard;
use crate::verify::plan::{claim as query_claim, design_claims, is_about_statements, write_claims};
use crate::verify::race::RaceOptions;
use crate::verify::runner::{invariant_claim, raced};

/// A piece of work that is kept in a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Work {
    pub method: Method,
    pub what: What,
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// One claim.
    Claim(String),
    /// All claims of the method, which only a server can list.
    All,
    /// Every statement of the design is accepted.
    Statements,
}

/// All work on a design that is asked for, with what it depends on.
pub(super) fn works(asked: &Asked<'_>) -> Result<Vec<Work>, Error> {
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
        let queries = model.queries.iter().map(query_claim);
        let subjects = queries
            .chain(design_claims(model))
            .chain(write_claims(model))
            .map(|claim| claim.subject);
        let mine: BTreeSet<String> = share(Method::Plan, subjects.collect()).collect();
        for claim in design_claims(model) {
            if mine.contains(&claim.subject) {
                let mut words = keys.plan();
                if is_about_statements(&claim) {
                    words.word(&keys.statements().hex());
                }
                add(Method::Plan, What::Claim(claim.subject), words);
            }
        }
        for command in &model.commands {
            let subject = format!("command {}", command.name.as_str());
            if mine.contains(&subject) {
                let mut words = keys.plan();
                // What one command writes is what the next finds.
                words.add(&model.commands);
                words.add(command);
                // What it is to reach.
                words.add(&command.runs);
                for (percentile, seconds) in &command.within {
                    words.word(percentile);
                    words.add(seconds);
                }
                if let Some(batch) = &command.batch {
                    words.add(&batch.of);
                    words.add(&batch.reaches);
                }
                add(Method::Plan, What::Claim(subject), words);
            }
        }
        for query in &model.queries {
            let subject = query_claim(query).subject;
            if mine.contains(&subject) {
                let mut words = keys.plan();
                words.add(query);
                add(Method::Plan, What::Claim(subject), words);
            }
        }
    }
    if asked.options.asks(Method::Migrate)
        && let Some(before) = asked.options.predecessors.get(model.name.as_str())
    {
        // All of both designs: rows, programs and rules have a part in it.
        let mut words = keys.mutate();
        words.word(&format!("{before:?}"));
        add(Method::Migrate, What::All, words);
    }
    if asked.options.asks(Method::Mutate) {
        add(Method::Mutate, What::All, keys.mutate());
    }
    Ok(works)
}

/// The key of each piece of work, by method and subject.
#[cfg(test)]
pub(super) fn keys(asked: &Asked<'_>) -> std::collections::BTreeMap<String, String> {
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
    rows: Option<f64>,
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
        // How many work at it makes no difference to what comes of it.
        let race = RaceOptions {
            workers: 1,
            ..options.race.clone()
        };
        setting.word(&format!("{race:?}"));
        Ok(Keys {
            model,
            shard: options.part.shard,
            rows: options.rows,
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
        words.add(&self.rows.map(|rows| rows.to_string()));
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
