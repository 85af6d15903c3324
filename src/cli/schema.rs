//! `pgproof schema`.

use super::output::Output;
use crate::error::{Error, ExitCode};
use crate::report;

/// Print the JSON Schema of the report.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The schema of the report that `--format json` writes
    #[arg(long)]
    report: bool,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let _ = args.report;
    output.print(report::SCHEMA)?;
    Ok(ExitCode::Clean)
}
