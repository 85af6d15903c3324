//! `pgproof compile`.

use std::path::PathBuf;
use std::time::Instant;

use super::analysis::analyse;
use super::output::Output;
use crate::compile::ddl;
use crate::error::{Error, ExitCode};
use crate::finding::Severity;
use crate::report::{Format, render};

/// Write the SQL that makes a design's schema
///
/// The same design gives the same bytes. A design with errors gives none: they are told on standard error.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Designs, folders of designs or a workspace; `-` for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    /// File to write to, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let mut analysis = analyse(&args.paths)?;
    if !analysis.is_whole {
        // What is only probably wrong is for `check` to tell.
        analysis
            .report
            .findings
            .retain(|f| f.severity == Severity::Error);
        let look = output.look_of_stderr(began.elapsed());
        let text = render(&analysis.report, &analysis.sources, Format::Human, &look)?;
        output.tell(&text);
        return Ok(analysis.code());
    }
    let mut sql = String::new();
    for design in &analysis.designs {
        let script = ddl(&design.compiled.catalog, &analysis.workspace.environment)?;
        if analysis.designs.len() > 1 {
            let gap = if sql.is_empty() { "" } else { "\n" };
            sql.push_str(&format!("{gap}-- {}\n\n", design.model.name.as_str()));
        }
        sql.push_str(&script.text());
    }
    output.write(args.output.as_deref(), &sql)?;
    Ok(ExitCode::Clean)
}
