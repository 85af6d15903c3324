//! How a run begins and ends.

use std::ffi::OsString;
use std::process::ExitCode as Code;

use clap::Parser;
use clap::error::ErrorKind;

use super::args::{Cli, Command};
use super::output::Output;
use super::{
    check, compile, completions, crash, doctor, explain, merge, migrate, new, replay, rule, schema,
    verify,
};
use crate::error::{Error, ExitCode};
use crate::postgres::stop_all;

/// A design may be nested deeply, and so is the work on it.
const STACK: usize = 64 * 1024 * 1024;

/// The whole program.
pub fn main() -> Code {
    crash::record_panics();
    let run = std::thread::Builder::new()
        .name("pgproof".to_owned())
        .stack_size(STACK)
        .spawn(|| run(std::env::args_os().collect()));
    let ended = match run {
        Ok(thread) => thread.join(),
        Err(source) => {
            Output::new().error(&Error::Io {
                path: "a thread".to_owned(),
                source,
            });
            return Code::from(ExitCode::Environment as u8);
        }
    };
    ended.unwrap_or_else(|_| {
        stop_all();
        Output::new().error(&Error::Internal(format!(
            "{}; please report it, with the command line and, if you can, the design",
            crash::last_words()
        )));
        Code::from(ExitCode::Internal as u8)
    })
}

fn run(args: Vec<OsString>) -> Code {
    let mut output = Output::new();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(asked) => return Code::from(told(&asked, &mut output) as u8),
    };
    let ended = match &cli.command {
        Command::New(args) => new::run(args, &mut output),
        Command::Check(args) => check::run(args, &mut output),
        Command::Compile(args) => compile::run(args, &mut output),
        Command::Migrate(args) => migrate::run(args, &mut output),
        Command::Verify(args) => verify::run(args, &mut output),
        Command::Explain(args) => explain::run(args, &mut output),
        Command::Merge(args) => merge::run(args, &mut output),
        Command::Replay(args) => replay::run(args, &mut output),
        Command::Rule(args) => rule::run(args, &mut output),
        Command::Schema(args) => schema::run(args, &mut output),
        Command::Doctor(args) => doctor::run(args, &mut output),
        Command::Completions(args) => completions::run(args, &mut output),
    };
    let code = ended.unwrap_or_else(|error| {
        output.error(&error);
        error.exit_code()
    });
    Code::from(code as u8)
}

/// Help and version are results; anything else is wrong use.
fn told(asked: &clap::Error, output: &mut Output) -> ExitCode {
    let wrong = !matches!(
        asked.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if output.print_clap(asked, wrong).is_err() || wrong {
        return ExitCode::Usage;
    }
    ExitCode::Clean
}
