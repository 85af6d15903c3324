//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use super::output::Output;
use super::{
    check, compile, completions, doctor, explain, merge, migrate, new, replay, rule, schema, verify,
};
use crate::error::Error;
use crate::finding::Report;
use crate::report::{Format, printable, render};
use crate::source::SourceMap;

/// Proves database designs: compiles a YAML design to PostgreSQL and tries to break every claim in it on a real server.
///
/// A design says what one row means, what must never be false and which queries it serves. `pgproof check` says what is wrong
/// with it, `pgproof verify` tries to break it.
#[derive(Parser)]
#[command(name = "pgproof", version, about, long_about, max_term_width = 100)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 clean, 1 findings or refuted claims, 2 wrong use or a design that cannot be read,
3 no PostgreSQL to be had, 70 a bug in pgproof.";

/// The commands, in the order in which one meets them.
#[derive(Subcommand)]
pub(super) enum Command {
    New(new::Args),
    Check(check::Args),
    Compile(compile::Args),
    Migrate(migrate::Args),
    Verify(verify::Args),
    Explain(explain::Args),
    Replay(replay::Args),
    Merge(merge::Args),
    Rule(rule::Args),
    Schema(schema::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
}

/// The forms a report can take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatName {
    /// For a person at a terminal
    #[default]
    Human,
    /// For machines; `pgproof schema --report` prints its schema
    Json,
    /// For a pull request
    Markdown,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Format {
        match name {
            FormatName::Human => Format::Human,
            FormatName::Json => Format::Json,
            FormatName::Markdown => Format::Markdown,
        }
    }
}

/// Where a report goes, and in which form.
#[derive(clap::Args)]
pub(super) struct ReportArgs {
    /// Form of the report
    #[arg(long, value_enum, default_value_t)]
    format: FormatName,

    /// File to write the report to, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ReportArgs {
    /// A sentence beside the report, where people read it.
    pub(super) fn say(&self, text: &str, output: &mut Output) -> Result<(), Error> {
        match (self.format, &self.output) {
            (FormatName::Human, None) => output.print(&format!("{}\n", printable(text))),
            _ => {
                output.tell(&printable(text));
                Ok(())
            }
        }
    }

    /// Writes a report; its notes go to standard error as well, where a form for people has no place for them.
    pub(super) fn write(
        &self,
        report: &Report,
        sources: &SourceMap,
        elapsed: impl Into<Option<Duration>>,
        output: &mut Output,
    ) -> Result<(), Error> {
        let elapsed = elapsed.into();
        let look = match self.output {
            Some(_) => output.look_of_file(elapsed),
            None => output.look(elapsed),
        };
        let text = render(report, sources, self.format.into(), &look)?;
        output.write(self.output.as_deref(), &text)?;
        if self.format == FormatName::Human {
            for note in &report.notes {
                output.note(note);
            }
        }
        Ok(())
    }
}
