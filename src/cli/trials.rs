//! Designs on servers: what earlier runs have tried needs none, the rest is spread over those that are given.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::future::try_join_all;

use super::analysis::{Analysis, Design};
use super::majors::Majors;
use super::progress::Bar;
use super::verify::{Args, further_options_for, options_for};
use crate::error::Error;
use crate::postgres::{Foreseen, Places, Server, ServerChoice, ServerOptions, foresee};
use crate::verify::cache::{Asked, Cache, Recalled};
use crate::verify::{Further, Verified, VerifyOptions, beside, verify};

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
        further: RefCell::default(),
        notes: RefCell::default(),
    };
    let version = |design: &Design| design.model.database.version;
    let majors: BTreeSet<u16> = analysis.designs.iter().map(version).collect();
    for major in majors {
        trials.major(major, choices).await?;
    }
    for major in args.postgres_versions.iter().flat_map(Majors::iter) {
        trials.further(major, choices).await?;
    }
    let mut done = trials.done.into_inner();
    done.sort_by_key(|(at, _)| *at);
    let mut further = trials.further.into_inner();
    for (at, verified) in &mut done {
        let design = &analysis.designs[*at];
        let of_it = further.remove(at).unwrap_or_default();
        beside(&design.model, &options_for(args, design), verified, of_it);
    }
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
    /// And on further major versions.
    further: RefCell<BTreeMap<usize, Vec<Further>>>,
    notes: RefCell<Vec<String>>,
}

/// Designs of one major version that wait for a server.
struct Queue<'a> {
    major: u16,
    /// Whether it is another version than theirs.
    is_further: bool,
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
            is_further: false,
            waiting: RefCell::new(designs.collect()),
            first: Cell::new(None),
        };
        self.take_known(&queue, choices)?;
        try_join_all(choices.iter().map(|choice| self.lane(choice, &queue))).await?;
        Ok(())
    }

    /// Tries designs of other versions on this one, on the first server that is of it.
    async fn further(&self, major: u16, choices: &[ServerChoice]) -> Result<(), Error> {
        let designs = self.analysis.designs.iter().enumerate();
        let designs = designs.filter(|(_, design)| design.model.database.version != major);
        let queue = Queue {
            major,
            is_further: true,
            waiting: RefCell::new(designs.collect()),
            first: Cell::new(None),
        };
        self.take_known(&queue, choices)?;
        let mut why = Vec::new();
        for choice in choices {
            if queue.waiting.borrow().is_empty() {
                return Ok(());
            }
            self.bar.starts(major);
            match Server::start(&self.options(choice, &queue)).await {
                Ok(server) if server.version().major == major => {
                    let Some(next) = queue.next() else { break };
                    self.work(next, server, &queue).await?;
                }
                Ok(server) => {
                    why.push(format!(
                        "{} is of version {}",
                        server.origin(),
                        server.version()
                    ));
                    server.stop().await?;
                }
                Err(error @ (Error::Environment { .. } | Error::Usage(_))) => {
                    why.push(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        let why = format!("no PostgreSQL {major} to be had: {}", why.join("; "));
        while let Some((at, _)) = queue.next() {
            self.put(at, &queue, Err(why.clone()));
        }
        Ok(())
    }

    /// Takes the designs out of which everything is known, where it is known which server they would be tried on.
    fn take_known(&self, queue: &Queue<'a>, choices: &[ServerChoice]) -> Result<(), Error> {
        let (Some(cache), [choice]) = (&self.cache, choices) else {
            return Ok(());
        };
        let Some(server) = foresee(&self.options(choice, queue)) else {
            return Ok(());
        };
        let mut left = VecDeque::new();
        let waiting = queue.waiting.take();
        let mut any = false;
        for (at, design) in waiting {
            let options = self.options_for(design, queue);
            let asked = self.asked(design, &options, &server);
            let recalled = cache.recall(&asked)?;
            match recalled.is_whole {
                true => {
                    any = true;
                    self.complete(at, queue, &asked, recalled, None);
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
        let Some(next) = queue.next() else {
            return Ok(());
        };
        self.bar.starts(queue.major);
        let server = Server::start(&self.options(choice, queue)).await?;
        self.work(next, server, queue).await
    }

    /// Tries designs on a server until none is left.
    async fn work(
        &self,
        mut next: (usize, &'a Design),
        server: Server,
        queue: &Queue<'a>,
    ) -> Result<(), Error> {
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
            self.design(next, &server, queue).await?;
            match queue.next() {
                Some(design) => next = design,
                None => break,
            }
        }
        server.stop().await
    }

    async fn design(
        &self,
        (at, design): (usize, &Design),
        server: &Server,
        queue: &Queue<'a>,
    ) -> Result<(), Error> {
        let known = Foreseen {
            version: server.version().text.clone(),
            origin: server.origin().to_owned(),
        };
        let mut options = self.options_for(design, queue);
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
            (None, Some(fresh)) => self.put(at, queue, Ok(fresh)),
            (recalled, fresh) => {
                self.complete(at, queue, &asked, recalled.unwrap_or_default(), fresh);
            }
        }
        Ok(())
    }

    fn complete(
        &self,
        at: usize,
        queue: &Queue<'a>,
        asked: &Asked<'_>,
        recalled: Recalled,
        fresh: Option<Verified>,
    ) {
        let Some(cache) = &self.cache else { return };
        let (verified, failed) = cache.complete(asked, recalled, fresh);
        self.put(at, queue, Ok(verified));
        let mut notes = self.notes.borrow_mut();
        let new = failed.filter(|note| !notes.contains(note));
        notes.extend(new);
    }

    /// Writes down what came of a design.
    fn put(&self, at: usize, queue: &Queue<'a>, tried: Result<Verified, String>) {
        let major = queue.major;
        match tried {
            Ok(verified) if !queue.is_further => self.done.borrow_mut().push((at, verified)),
            tried => {
                let mut further = self.further.borrow_mut();
                further
                    .entry(at)
                    .or_default()
                    .push(Further { major, tried });
            }
        }
    }

    fn options_for(&self, design: &Design, queue: &Queue<'a>) -> VerifyOptions {
        match queue.is_further {
            true => further_options_for(self.args, design, queue.major),
            false => options_for(self.args, design),
        }
    }

    fn options(&self, choice: &ServerChoice, queue: &Queue<'a>) -> ServerOptions {
        let mut options = ServerOptions::new(choice.clone(), queue.major, self.places.clone());
        options.exactly = queue.is_further;
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
