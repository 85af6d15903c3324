//! `pgproof verify`.

use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;
use sha2::{Digest, Sha256};

use super::analysis::{Analysis, Design, analyse};
use super::args::ReportArgs;
use super::budget::Budget;
use super::majors::Majors;
use super::output::Output;
use super::progress::Bar;
use super::runtime::until_done_or_told;
use super::save::{locate, quoted, save};
use super::trials::on_servers;
use crate::design::language::values::parse_count;
use crate::design::load::DesignPath;
use crate::error::{Error, ExitCode};
use crate::finding::{Method, ShardOf};
use crate::postgres::ServerChoice;
use crate::verify::race::RaceOptions;
use crate::verify::{METHODS_OF_FURTHER_VERSIONS, Part, Shard, VerifyOptions};

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
    /// `auto` takes a container of the official image in the design's version, else server programs of this machine. Given several times,
    /// the designs are spread over these servers, which must be of one major version.
    #[arg(
        long,
        value_name = "WHERE",
        env = "PGPROOF_POSTGRES",
        hide_env_values = true
    )]
    pub(super) postgres: Vec<String>,

    /// Try the schema and the plans on these major versions too: a list (`14,16`), a range (`16..18`), or both
    ///
    /// Every design is tried on its own version as always. Where a query is planned otherwise on another, the evidence of both says so. A
    /// version that cannot be had is `unchecked`. Local programs are looked for in PGPROOF_PG_BIN, which takes several folders parted as in
    /// PATH, in PATH, and where distributions put them.
    #[arg(long, value_name = "VERSIONS")]
    pub(super) postgres_versions: Option<Majors>,

    /// Allow a server by URL: pgproof makes databases and roles of its own there, and drops them
    #[arg(long)]
    pub(super) allow_server: bool,

    /// Reproduces states, arguments and samples: the same seed, design and server give the same verdicts
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Only these ways of trying
    #[arg(long, value_enum, value_name = "METHOD", value_delimiter = ',')]
    only: Vec<MethodName>,

    /// Commands that run at the same time, at most
    ///
    /// Two are tried in every way; of more, as many as the budget allows, those that touch the same rows first.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=4))]
    sessions: u8,

    /// Rows that a table has at most in a generated state
    #[arg(long, value_name = "ROWS", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    scope: u8,

    /// What races may cost: a time for each design (`60s`, `5min`), or orders of steps for each invariant (`20000`)
    ///
    /// Where that is too little for all orders of two sessions, the verdict is `held`, not `proven`. With a time, what is reached
    /// depends on the machine.
    #[arg(long, value_name = "BUDGET")]
    budget: Option<Budget>,

    /// Rows that queries are run on, of all tables together (`200k`, `1M`)
    ///
    /// Without it a sample of up to 100,000, from which the declared volume is foretold. Where it covers what the design declares, that is what
    /// is loaded. A million rows take about half a minute.
    #[arg(long, value_name = "ROWS", value_parser = rows)]
    rows: Option<f64>,

    /// Try orders that cannot differ from ones tried before as well
    #[arg(long)]
    no_reduction: bool,

    /// Try everything, also what an earlier run has tried and nothing has changed since
    ///
    /// Evidence is kept in the user's cache folder, by what it depends on: program, server version, seed and the parts of the design. What
    /// is refuted or could not be tried is tried again each time.
    #[arg(long)]
    pub(super) no_cache: bool,

    /// Only the K-th of N shares of the claims, for jobs that run side by side
    ///
    /// `pgproof merge` makes one report of theirs.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,

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
    /// The migration from the design before is rehearsed under load
    Migrate,
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
            MethodName::Migrate => Method::Migrate,
            MethodName::Mutate => Method::Mutate,
        }
    }
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let began = Instant::now();
    if args.postgres_versions.is_some() && !asks_further(args) {
        return Err(Error::Usage(
            "--postgres-versions tries the schema and the plans, and --only leaves both out; add build or plan to it".to_owned(),
        ));
    }
    let mut analysis = analyse(&args.paths)?;
    if !analysis.designs.is_empty() {
        let choices = choices(args, &analysis)?;
        let bar = Bar::new();
        let work = on_servers(args, &choices, &analysis, &bar);
        let ended = until_done_or_told(work);
        bar.clear();
        let (verified, notes) = match ended? {
            Ok(done) => done,
            Err(code) => return Ok(code),
        };
        let report = &mut analysis.report;
        report.evidence = verified.evidence;
        report.mutants = verified.mutants;
        report.notes.extend(notes);
        // Another job may find what this one has no share in.
        let complete = |method: Method| {
            let asked = args.only.iter().any(|name| Method::from(*name) == method);
            args.shard.is_none() && (args.only.is_empty() || asked)
        };
        analysis.add_tried(verified.findings, &complete)?;
        let report = &mut analysis.report;
        locate(&mut report.evidence, &report.inputs, &analysis.designs);
        if let Some(folder) = &args.save {
            save(folder, &mut analysis)?;
        }
    }
    analysis.report.shard = args.shard.map(|shard| ShardOf {
        number: shard.number(),
        of: shard.of(),
        run: run_digest(args, &analysis),
    });
    args.report
        .write(&analysis.report, &analysis.sources, began.elapsed(), output)?;
    Ok(analysis.code())
}

/// The command line stands before the settings.
fn choices(args: &Args, analysis: &Analysis) -> Result<Vec<ServerChoice>, Error> {
    let settled = analysis.workspace.settings.postgres.as_deref();
    let mut wanted: Vec<&str> = args.postgres.iter().map(String::as_str).collect();
    if wanted.is_empty() {
        wanted.push(settled.unwrap_or("auto"));
    }
    wanted.into_iter().map(str::parse).collect()
}

pub(super) fn options_for(args: &Args, design: &Design) -> VerifyOptions {
    let mut race = RaceOptions {
        sessions: usize::from(args.sessions),
        rows: usize::from(args.scope),
        reduce: !args.no_reduction,
        workers: std::thread::available_parallelism().map_or(1, usize::from),
        ..RaceOptions::default()
    };
    match args.budget {
        Some(Budget::Orders(orders)) => {
            race.schedules = orders;
            race.wide_schedules = orders;
            race.schedules_of_trial = race.schedules_of_trial.min(orders);
            race.schedules_of_wide_trial = race.schedules_of_wide_trial.min(orders);
        }
        Some(Budget::Time(time)) => race.time = Some(time),
        None => {}
    }
    VerifyOptions {
        seed: args.seed,
        rows: args.rows,
        only: args.only.iter().map(|name| Method::from(*name)).collect(),
        race,
        command: command(args, &design.path),
        part: Part::of(args.shard),
        predecessors: super::migrate::predecessor(design)
            .map(|before| (design.model.name.as_str().to_owned(), before))
            .into_iter()
            .collect(),
    }
}

/// What is asked of a design on another major version than its own.
pub(super) fn further_options_for(args: &Args, design: &Design, major: u16) -> VerifyOptions {
    let options = options_for(args, design);
    let asked = METHODS_OF_FURTHER_VERSIONS.into_iter();
    VerifyOptions {
        only: asked.filter(|method| options.asks(*method)).collect(),
        command: format!("{} --postgres-versions {major}", options.command),
        ..options
    }
}

fn asks_further(args: &Args) -> bool {
    let methods = || args.only.iter().map(|name| Method::from(*name));
    args.only.is_empty() || methods().any(|method| METHODS_OF_FURTHER_VERSIONS.contains(&method))
}

/// What shards of one run have in common.
fn run_digest(args: &Args, analysis: &Analysis) -> String {
    let mut digest = Sha256::new();
    let mut word = |word: &str| {
        digest.update((word.len() as u64).to_le_bytes());
        digest.update(word);
    };
    word(env!("CARGO_PKG_VERSION"));
    for input in &analysis.report.inputs {
        word(&input.path);
        word(&input.sha256);
    }
    for major in args.postgres_versions.iter().flat_map(Majors::iter) {
        word(&major.to_string());
    }
    for design in &analysis.designs {
        let options = options_for(args, design);
        word(design.model.name.as_str());
        word(&format!(
            "{} {:?} {:?} {:?}",
            options.seed, options.only, options.race, options.rows
        ));
    }
    digest.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
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
    for place in args.postgres.iter().filter(|place| !place.contains(':')) {
        command.push_str(&format!(" --postgres {place}"));
    }
    let defaults = RaceOptions::default();
    if usize::from(args.sessions) != defaults.sessions {
        command.push_str(&format!(" --sessions {}", args.sessions));
    }
    if usize::from(args.scope) != defaults.rows {
        command.push_str(&format!(" --scope {}", args.scope));
    }
    if let Some(budget) = args.budget {
        command.push_str(&format!(" --budget {budget}"));
    }
    if let Some(rows) = args.rows {
        command.push_str(&format!(" --rows {rows}"));
    }
    if args.no_reduction {
        command.push_str(" --no-reduction");
    }
    command
}

fn rows(text: &str) -> Result<f64, String> {
    match parse_count(text)? {
        rows if rows < 1.0 => Err("nothing can be run on nothing".to_owned()),
        rows => Ok(rows.floor()),
    }
}
