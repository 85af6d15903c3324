//! `pgproof verify`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;

use super::analysis::{Analysis, Design, analyse};
use super::args::ReportArgs;
use super::output::Output;
use super::progress::Bar;
use super::runtime::until_done_or_told;
use super::save::{locate, quoted, save};
use crate::design::load::DesignPath;
use crate::error::{Error, ExitCode};
use crate::finding::Method;
use crate::postgres::{Places, Server, ServerChoice, ServerOptions};
use crate::verify::race::RaceOptions;
use crate::verify::{Verified, VerifyOptions, verify};

/// Try to break every claim of designs, on a real PostgreSQL
///
/// Everything `check` says is said as well. Nothing of a run is left behind, also when it is interrupted.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Designs, folders of designs or a workspace; `-` for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    /// Where PostgreSQL comes from: auto, docker, local, or the URL of a server
    ///
    /// `auto` takes a container of the official image in the design's version, else server programs of this machine.
    #[arg(
        long,
        value_name = "WHERE",
        env = "PGPROOF_POSTGRES",
        hide_env_values = true
    )]
    postgres: Option<String>,

    /// Allow a server by URL: pgproof makes databases and roles of its own there, and drops them
    #[arg(long)]
    allow_server: bool,

    /// Reproduces states, arguments and samples: the same seed, design and server give the same verdicts
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Only these ways of trying
    #[arg(long, value_enum, value_name = "METHOD", value_delimiter = ',')]
    only: Vec<MethodName>,

    /// Orders of two sessions' steps that are tried for one invariant, at most
    ///
    /// Where that is too few for all there are, the verdict is `held`, not `proven`.
    #[arg(long, value_name = "ORDERS", value_parser = clap::value_parser!(u32).range(1..))]
    budget: Option<u32>,

    /// Folder for every race that refutes a claim: as a file for `replay`, as a spec for isolationtester, and as scripts for psql
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,

    #[command(flatten)]
    report: ReportArgs,
}

/// Ways of trying a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// The schema applies, and reads back as it was meant
    Build,
    /// What is illegal is refused, its nearest legal neighbour accepted
    Reject,
    /// Commands run against each other in every order
    Race,
    /// Queries are planned as the design expects
    Plan,
    /// Each enforcement is taken out, and must be missed
    Mutate,
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Method {
        match name {
            MethodName::Build => Method::Build,
            MethodName::Reject => Method::Reject,
            MethodName::Race => Method::Race,
            MethodName::Plan => Method::Plan,
            MethodName::Mutate => Method::Mutate,
        }
    }
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let mut analysis = analyse(&args.paths)?;
    if !analysis.designs.is_empty() {
        let choice = choice(args, &analysis)?;
        let mut bar = Bar::new();
        let work = servers(args, &choice, &analysis, &mut bar);
        let ended = until_done_or_told(work);
        bar.clear();
        let (verified, notes) = match ended? {
            Ok(done) => done,
            Err(code) => return Ok(code),
        };
        let report = &mut analysis.report;
        report.evidence = verified.evidence;
        report.findings.extend(verified.findings);
        report.mutants = verified.mutants;
        report.notes.extend(notes);
        locate(&mut report.evidence, &report.inputs, &analysis.designs);
        if let Some(folder) = &args.save {
            save(folder, &mut analysis)?;
        }
    }
    args.report
        .write(&analysis.report, &analysis.sources, began.elapsed(), output)?;
    Ok(analysis.code())
}

/// The command line stands before the settings.
fn choice(args: &Args, analysis: &Analysis) -> Result<ServerChoice, Error> {
    let settled = analysis.workspace.settings.postgres.as_deref();
    let wanted = args.postgres.as_deref().or(settled);
    wanted.unwrap_or("auto").parse()
}

/// One server for all designs of a major version, one after the other.
async fn servers(
    args: &Args,
    choice: &ServerChoice,
    analysis: &Analysis,
    bar: &mut Bar,
) -> Result<(Verified, Vec<String>), Error> {
    let version = |design: &Design| design.model.database.version;
    let majors: BTreeSet<u16> = analysis.designs.iter().map(version).collect();
    let places = Places::from_environment(|name| std::env::var_os(name));
    let mut all = Verified::default();
    let mut notes = Vec::new();
    for major in majors {
        bar.starts(major);
        let mut options = ServerOptions::new(choice.clone(), major, places.clone());
        options.allow_server = args.allow_server;
        let server = Server::start(&options).await?;
        notes.push(format!(
            "PostgreSQL {} from {}",
            server.version(),
            server.origin()
        ));
        notes.extend(server.notes().iter().cloned());
        for design in analysis.designs.iter().filter(|d| version(d) == major) {
            let options = options_for(args, design);
            let environment = &analysis.workspace.environment;
            let verified = verify(&[&design.model], &options, &server, environment, bar).await?;
            all.evidence.extend(verified.evidence);
            all.findings.extend(verified.findings);
            all.mutants.made += verified.mutants.made;
            all.mutants.killed += verified.mutants.killed;
        }
        server.stop().await?;
    }
    Ok((all, notes))
}

fn options_for(args: &Args, design: &Design) -> VerifyOptions {
    let mut race = RaceOptions::default();
    if let Some(budget) = args.budget {
        race.schedules = budget as usize;
        race.schedules_of_trial = race.schedules_of_trial.min(budget as usize);
    }
    VerifyOptions {
        seed: args.seed,
        only: args.only.iter().map(|name| Method::from(*name)).collect(),
        race,
        command: command(args, &design.path),
    }
}

/// What does it again for one design, but for the seed.
fn command(args: &Args, path: &DesignPath) -> String {
    let mut command = match path {
        DesignPath::Stdin => "pgproof verify -".to_owned(),
        DesignPath::File(_) | DesignPath::Folder(_) => {
            format!("pgproof verify {}", quoted(&path.shown()))
        }
    };
    // A URL may hold a password, and is not for a report.
    if let Some(place) = args
        .postgres
        .as_deref()
        .filter(|place| !place.contains(':'))
    {
        command.push_str(&format!(" --postgres {place}"));
    }
    if let Some(budget) = args.budget {
        command.push_str(&format!(" --budget {budget}"));
    }
    command
}
