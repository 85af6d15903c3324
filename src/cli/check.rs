//! `pgproof check`.

use std::path::PathBuf;
use std::time::Instant;

use super::analysis::{analyse, nothing};
use super::args::ReportArgs;
use super::migrations::{self, MigrationArgs};
use super::output::Output;
use crate::error::{Error, ExitCode};

/// Say what is wrong with designs, without a server
///
/// One run reports everything: what cannot be read, what dangles, what does not compile, and what the rules have against it.
/// A `.sql` file or a folder of SQL migrations (of any tool) is judged by what its statements lock, rewrite and lose.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Designs, folders of designs or a workspace, SQL migrations; `-` for a design on standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    migrations: MigrationArgs,

    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let (sql, designs) = migrations::split(&args.paths);
    let mut analysis = match (sql.first(), designs.is_empty()) {
        (Some(first), true) => nothing(first)?,
        _ => analyse(&designs)?,
    };
    for path in &sql {
        migrations::judge(path, &args.migrations, &mut analysis)?;
    }
    args.report
        .write(&analysis.report, &analysis.sources, began.elapsed(), output)?;
    Ok(analysis.code())
}
