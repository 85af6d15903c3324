//! Designs on servers: what earlier runs have tried needs none, the rest is spread over those that are given.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};

use futures_util::future::try_join_all;

use super::analysis::{Analysis, Design};
use super::progress::Bar;
use super::verify::{Args, options_for};
use crate::error::Error;
use crate::postgres::{Foreseen, Places, Server, ServerChoice, ServerOptions, foresee};
use crate::verify::cache::{Asked, Cache, Recalled};
use crate::verify::{Verified, VerifyOptions, verify};

/// Tries all designs: those of one major version at a time, each on the next server that is free.
pub(super) async fn on_servers(
    args: &Args,
    choices: &[ServerChoice],
    analysis: &Analysis,
    bar: &Bar,
) -> Result<(Verified, Vec<String>), Error> {
    let places = Places::from_environment(|name| std::env::var_os(name));
    let cache = places.cache.as_deref().filter(|_| !args.no_cache);
    let trials = Trials {
        args,
        analysis,
        bar,
        cache: cache.map(|folder| Cache::new(folder, now())),
        places,
        done: RefCell::default(),
        notes: RefCell::default(),
    };
    let version = |design: &Design| design.model.database.version;
    let majors: BTreeSet<u16> = analysis.designs.iter().map(version).collect();
    for major in majors {
        trials.major(major, choices).await?;
    }
    let mut done = trials.done.into_inner();
    done.sort_by_key(|(at, _)| *at);
    let mut all = Verified::default();
    for (_, verified) in done {
        all.evidence.extend(verified.evidence);
        all.findings.extend(verified.findings);
        all.mutants.made += verified.mutants.made;
        all.mutants.killed += verified.mutants.killed;
    }
    Ok((all, trials.notes.into_inner()))
}

/// The time, as it is written down.
fn now() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

struct Trials<'a> {
    args: &'a Args,
    analysis: &'a Analysis,
    bar: &'a Bar,
    cache: Option<Cache>,
    places: Places,
    /// What came of each design, by its number.
    done: RefCell<Vec<(usize, Verified)>>,
    notes: RefCell<Vec<String>>,
}

/// Designs of one major version that wait for a server.
struct Queue<'a> {
    major: u16,
    waiting: RefCell<VecDeque<(usize, &'a Design)>>,
    /// The first server that was started: its major version, and what it is called.
    first: Cell<Option<(u16, String)>>,
}

impl<'a> Trials<'a> {
    async fn major(&self, major: u16, choices: &[ServerChoice]) -> Result<(), Error> {
        let designs = self.analysis.designs.iter().enumerate();
        let designs = designs.filter(|(_, design)| design.model.database.version == major);
        let queue = Queue {
            major,
            waiting: RefCell::new(designs.collect()),
            first: Cell::new(None),
        };
        self.take_known(&queue, choices)?;
        try_join_all(choices.iter().map(|choice| self.lane(choice, &queue))).await?;
        Ok(())
    }

    /// Takes the designs out of which everything is known, where it is known which server they would be tried on.
    fn take_known(&self, queue: &Queue<'a>, choices: &[ServerChoice]) -> Result<(), Error> {
        let (Some(cache), [choice]) = (&self.cache, choices) else {
            return Ok(());
        };
        let Some(server) = foresee(&self.options(choice, queue.major)) else {
            return Ok(());
        };
        let mut left = VecDeque::new();
        let waiting = queue.waiting.take();
        let mut any = false;
        for (at, design) in waiting {
            let options = options_for(self.args, design);
            let asked = self.asked(design, &options, &server);
            let recalled = cache.recall(&asked)?;
            match recalled.is_whole {
                true => {
                    any = true;
                    self.complete(at, &asked, recalled, None);
                }
                false => left.push_back((at, design)),
            }
        }
        if any && left.is_empty() {
            self.notes.borrow_mut().push(format!(
                "no PostgreSQL was started: nothing has changed that was tried on {} from {}",
                server.version, server.origin
            ));
        }
        queue.waiting.replace(left);
        Ok(())
    }

    /// One server, started when there is something for it to do.
    async fn lane(&self, choice: &ServerChoice, queue: &Queue<'a>) -> Result<(), Error> {
        let Some(mut next) = queue.next() else {
            return Ok(());
        };
        self.bar.starts(queue.major);
        let server = Server::start(&self.options(choice, queue.major)).await?;
        let told = format!("PostgreSQL {} from {}", server.version(), server.origin());
        queue.agree(server.version().major, &told)?;
        {
            let mut notes = self.notes.borrow_mut();
            notes.push(told);
            for note in server.notes() {
                if !notes.contains(note) {
                    notes.push(note.clone());
                }
            }
        }
        loop {
            self.design(next, &server).await?;
            match queue.next() {
                Some(design) => next = design,
                None => break,
            }
        }
        server.stop().await
    }

    async fn design(&self, (at, design): (usize, &Design), server: &Server) -> Result<(), Error> {
        let known = Foreseen {
            version: server.version().text.clone(),
            origin: server.origin().to_owned(),
        };
        let mut options = options_for(self.args, design);
        let before = options.clone();
        let asked = self.asked(design, &before, &known);
        let recalled = match &self.cache {
            Some(cache) => Some(cache.recall(&asked)?),
            None => None,
        };
        let is_whole = recalled.as_ref().is_some_and(|recalled| recalled.is_whole);
        if let Some(recalled) = &recalled {
            options.part = recalled.part.clone();
        }
        let fresh = match is_whole {
            true => None,
            false => {
                let environment = &self.analysis.workspace.environment;
                let mut bar = self.bar.clone();
                let models = [&design.model];
                Some(verify(&models, &options, server, environment, &mut bar).await?)
            }
        };
        match (recalled, fresh) {
            (None, Some(fresh)) => self.done.borrow_mut().push((at, fresh)),
            (recalled, fresh) => {
                self.complete(at, &asked, recalled.unwrap_or_default(), fresh);
            }
        }
        Ok(())
    }

    fn complete(&self, at: usize, asked: &Asked<'_>, recalled: Recalled, fresh: Option<Verified>) {
        let Some(cache) = &self.cache else { return };
        let (verified, failed) = cache.complete(asked, recalled, fresh);
        self.done.borrow_mut().push((at, verified));
        let mut notes = self.notes.borrow_mut();
        let new = failed.filter(|note| !notes.contains(note));
        notes.extend(new);
    }

    fn options(&self, choice: &ServerChoice, major: u16) -> ServerOptions {
        let mut options = ServerOptions::new(choice.clone(), major, self.places.clone());
        options.allow_server = self.args.allow_server;
        options
    }

    fn asked<'b>(
        &'b self,
        design: &'b Design,
        options: &'b VerifyOptions,
        server: &'b Foreseen,
    ) -> Asked<'b> {
        Asked {
            model: &design.model,
            compiled: &design.compiled,
            options,
            environment: &self.analysis.workspace.environment,
            server_version: &server.version,
            origin: &server.origin,
        }
    }
}

impl<'a> Queue<'a> {
    fn next(&self) -> Option<(usize, &'a Design)> {
        self.waiting.borrow_mut().pop_front()
    }

    /// Evidence of one report is of one major version.
    fn agree(&self, major: u16, told: &str) -> Result<(), Error> {
        let first = self.first.take();
        let disagrees = first.as_ref().filter(|(known, _)| *known != major);
        if let Some((_, other)) = disagrees {
            return Err(Error::Usage(format!(
                "the servers are not of one major version: {other}, and {told}; give servers of one version, or verify in two runs"
            )));
        }
        self.first
            .set(first.or_else(|| Some((major, told.to_owned()))));
        Ok(())
    }
}
