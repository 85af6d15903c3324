//! `pgproof explain`.

use std::path::PathBuf;
use std::time::Instant;

use super::analysis::analyse;
use super::args::ReportArgs;
use super::output::Output;
use super::runtime::until_done_or_told;
use super::save::quoted;
use crate::design::load::DesignPath;
use crate::error::{Error, ExitCode};
use crate::postgres::Target;
use crate::verify::plan::attached;

/// Judge the plans of a database that is there
///
/// Every catalogued query is planned by the database's own statistics and settings, with values that these remember, and judged by what the design
/// expects. Nothing is run and nothing is written: EXPLAIN without ANALYZE, in a transaction that may only read, with a limit on its time. What the
/// database does not have is `unchecked`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Designs, folders of designs or a workspace; `-` for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    /// The database, by its URL: postgres://user@host/database
    #[arg(
        long,
        value_name = "URL",
        env = "PGPROOF_SERVER",
        hide_env_values = true
    )]
    server: String,

    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let target = Target::of(&args.server)?;
    let mut analysis = analyse(&args.paths)?;
    let work = async {
        let mut all = Vec::new();
        for design in &analysis.designs {
            let path = match &design.path {
                DesignPath::Stdin => "-".to_owned(),
                path @ (DesignPath::File(_) | DesignPath::Folder(_)) => quoted(&path.shown()),
            };
            // The URL may hold a password, and is not for a report.
            let command = format!("PGPROOF_SERVER=URL pgproof explain {path}");
            all.extend(attached(&target, &design.model, &command).await?);
        }
        Ok(all)
    };
    analysis.report.evidence = match until_done_or_told(work)? {
        Ok(evidence) => evidence,
        Err(code) => return Ok(code),
    };
    args.report
        .write(&analysis.report, &analysis.sources, began.elapsed(), output)?;
    Ok(analysis.code())
}
