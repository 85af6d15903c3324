//! `pgproof completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;
use super::output::Output;
use crate::error::{Error, ExitCode};

/// Print completions for a shell.
///
/// For bash: `pgproof completions bash > ~/.local/share/bash-completion/completions/pgproof`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pgproof", &mut text);
    output.print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Clean)
}
