//! `pgproof migrate --apply`, `--undo`, `--status`: a plan and somebody's database.

use clap::ValueEnum;

use super::analysis::{Analysis, Design};
use super::output::Output;
use super::runtime::until_done_or_told;
use crate::error::{Error, ExitCode};
use crate::migrate::{Phase, Plan};
use crate::postgres::{Places, ServerOptions, Target};
use crate::report::printable;
use crate::verify::migrate::apply::{
    End, Entry, Migration, Outcome, Side, Teller, Wish, apply, status, undo,
};

/// What is done with the plan on a database.
#[derive(clap::Args)]
pub(super) struct ApplyArgs {
    /// Apply the plan to the database of --server, or go on with it
    ///
    /// One runner at a time. The table `pgproof_migration` says how far each step is, so a killed run goes on where it was. The database must be as the
    /// old design says before, and is compared with the new one after the last step.
    #[arg(long, requires = "server", conflicts_with_all = ["undo", "status", "output", "format"])]
    apply: bool,

    /// Take steps back, the last one first, until one that cannot be
    #[arg(long, requires = "server", conflicts_with_all = ["status", "output", "format"])]
    undo: bool,

    /// Say what is done, what comes next and when what is old may go
    #[arg(long, requires = "server", conflicts_with_all = ["output", "format"])]
    status: bool,

    /// The database, by its URL: postgres://user@host/database
    #[arg(
        long,
        value_name = "URL",
        env = "PGPROOF_SERVER",
        hide_env_values = true
    )]
    server: Option<String>,

    /// Allow the database to be changed (with --postgres URL: databases and roles of pgproof's own to be made there, and dropped)
    #[arg(long)]
    allow_server: bool,

    /// Last phase to apply
    #[arg(long, value_enum, value_name = "PHASE")]
    until: Option<PhaseName>,

    /// Let go what is old although `migration.contract_after` has not passed since the switch
    #[arg(long)]
    now: bool,

    /// Where designs and SQL migrations are built to be compared: auto, docker, local, or the URL of a server
    #[arg(
        long,
        value_name = "WHERE",
        env = "PGPROOF_POSTGRES",
        hide_env_values = true
    )]
    postgres: Option<String>,
}

/// The phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PhaseName {
    /// New objects beside the old ones
    Expand,
    /// Old rows get into new columns and tables
    Backfill,
    /// New rules are shown to hold
    Validate,
    /// New objects take the place of old ones
    Switch,
    /// Old objects go
    Contract,
}

impl PhaseName {
    fn phase(self) -> Phase {
        match self {
            PhaseName::Expand => Phase::Expand,
            PhaseName::Backfill => Phase::Backfill,
            PhaseName::Validate => Phase::Validate,
            PhaseName::Switch => Phase::Switch,
            PhaseName::Contract => Phase::Contract,
        }
    }
}

impl ApplyArgs {
    /// Whether anything is to be done on a database.
    pub(super) fn is_asked(&self) -> bool {
        self.apply || self.undo || self.status
    }

    /// Where a throw-away server comes from.
    pub(super) fn postgres(&self) -> Option<&str> {
        self.postgres.as_deref()
    }

    /// The server that is thrown away.
    pub(super) fn builder(
        &self,
        analysis: &Analysis,
        version: u16,
    ) -> Result<ServerOptions, Error> {
        let settled = analysis.workspace.settings.postgres.as_deref();
        let choice = self.postgres().or(settled).unwrap_or("auto");
        let places = Places::from_environment(|name| std::env::var_os(name));
        let mut builder = ServerOptions::new(choice.parse()?, version, places);
        builder.allow_server = self.allow_server;
        Ok(builder)
    }

    /// Whether hazards must have been accepted.
    pub(super) fn needs_acceptance(&self) -> bool {
        self.apply
    }
}

/// Lines on standard error, as they come: a log of a run must be whole.
struct Log<'a>(&'a Output);

impl Teller for Log<'_> {
    fn tell(&mut self, line: &str) {
        self.0.tell(&printable(line));
    }
}

pub(super) fn run(
    args: &ApplyArgs,
    plan: &Plan,
    (old, new): (&Design, &Design),
    analysis: &Analysis,
    output: &mut Output,
) -> Result<ExitCode, Error> {
    let url = args.server.as_deref().unwrap_or_default();
    let target = Target::of(url)?;
    if args.status {
        return match until_done_or_told(status(&target, plan))? {
            Ok(entries) => {
                output.print(&table(&entries, plan))?;
                Ok(ExitCode::Clean)
            }
            Err(code) => Ok(code),
        };
    }
    if !args.allow_server {
        return Err(Error::Usage(format!(
            "{} is only changed with --allow-server",
            target.display()
        )));
    }
    let builder = args.builder(analysis, plan.version)?;
    let side = |design| side(design);
    let migration = Migration {
        target: &target,
        plan,
        old: side(old),
        new: side(new),
        environment: &analysis.workspace.environment,
        builder: &builder,
    };
    let wish = Wish {
        until: args.until.map(PhaseName::phase),
        now: args.now,
    };
    let mut log = Log(output);
    let work = async {
        if args.undo {
            undo(&migration, &mut log).await
        } else {
            apply(&migration, wish, &mut log).await
        }
    };
    match until_done_or_told(work)? {
        Ok(end) => told(&end, output),
        Err(code) => Ok(code),
    }
}

fn side(design: &Design) -> Side<'_> {
    Side {
        model: &design.model,
        compiled: &design.compiled,
    }
}

fn told(end: &End, output: &mut Output) -> Result<ExitCode, Error> {
    match end {
        End::Done(text) => {
            output.print(&format!("{}\n", printable(text)))?;
            Ok(ExitCode::Clean)
        }
        End::Refused(why, lines) => {
            output.tell(&format!("refused: {}", printable(why)));
            for line in lines {
                output.tell(&format!("  {}", printable(line)));
            }
            Ok(ExitCode::AtFault)
        }
    }
}

/// The journal for people.
fn table(entries: &[Entry], plan: &Plan) -> String {
    if entries.is_empty() {
        return "nothing was ever applied here\n".to_owned();
    }
    let mut text = String::new();
    for entry in entries {
        let when = entry.finished_at.as_deref().or(entry.started_at.as_deref());
        let line = format!(
            "{:>4}  {:8}  {:8}  {:22}  {}",
            entry.number,
            entry.outcome.word(),
            entry.phase,
            when.unwrap_or_default().get(..19).unwrap_or_default(),
            entry.title
        );
        text.push_str(printable(&line).trim_end());
        text.push('\n');
        if let Some(said) = &entry.said {
            text.push_str(&format!("      {}\n", printable(said)));
        }
    }
    text.push_str(&next(entries, plan));
    text
}

fn next(entries: &[Entry], plan: &Plan) -> String {
    let mut left = entries
        .iter()
        .filter(|entry| entry.outcome != Outcome::Done);
    let Some(next) = left.next() else {
        return "every step is done\n".to_owned();
    };
    let mut text = format!("next: step {}, {}\n", next.number, printable(&next.title));
    let is_old = |entry: &&Entry| entry.phase == Phase::Contract.word();
    if let (Some(seconds), Some(_)) = (plan.contract_after, entries.iter().find(is_old)) {
        let mut before = entries.iter().filter(|entry| !is_old(entry));
        let switched = before.all(|entry| entry.outcome == Outcome::Done);
        let last = entries.iter().filter(|entry| !is_old(entry));
        let last = last.filter_map(|entry| entry.finished_at.as_deref()).max();
        let days = seconds / 86_400.0;
        text.push_str(&match last.filter(|_| switched) {
            Some(at) => format!("what is old may go {days} days after {at}\n"),
            None => format!("what is old may go {days} days after the switch\n"),
        });
    }
    text
}
