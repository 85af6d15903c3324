//! `pgproof schema`.

use super::output::Output;
use crate::design::language::json_schema;
use crate::error::{Error, ExitCode};
use crate::report;

/// Print the JSON Schema of the design language
///
/// For completion and hover in an editor: `pgproof schema > pgproof.schema.json`, then begin a design with
/// `# yaml-language-server: $schema=pgproof.schema.json`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Instead, the schema of the report that `--format json` writes
    #[arg(long)]
    report: bool,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    if args.report {
        output.print(report::SCHEMA)?;
        return Ok(ExitCode::Clean);
    }
    let text = serde_json::to_string_pretty(&json_schema())
        .map_err(|e| Error::Internal(format!("the schema cannot be written: {e}")))?;
    output.print(&format!("{text}\n"))?;
    Ok(ExitCode::Clean)
}
