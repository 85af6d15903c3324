//! `pgproof check`.

use std::path::PathBuf;
use std::time::Instant;

use super::analysis::analyse;
use super::args::ReportArgs;
use super::output::Output;
use crate::error::{Error, ExitCode};

/// Say what is wrong with designs, without a server
///
/// One run reports everything: what cannot be read, what dangles, what does not compile, and what the rules have against it.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Designs, folders of designs or a workspace; `-` for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let analysis = analyse(&args.paths)?;
    args.report
        .write(&analysis.report, &analysis.sources, began.elapsed(), output)?;
    Ok(analysis.code())
}
