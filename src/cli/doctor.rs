//! `pgproof doctor`.

use anstyle::{AnsiColor, Style};

use super::output::Output;
use super::runtime::until_done_or_told;
use crate::error::{Error, ExitCode};
use crate::postgres::{DoctorLine, Places, doctor};
use crate::report::printable;

const FINE: Style = AnsiColor::Green.on_default();
const MISSING: Style = AnsiColor::Red.on_default().bold();

/// Say which PostgreSQL would be used, and what is missing
///
/// Ends with 3 where none can be had.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Major version that the designs target
    #[arg(long, value_name = "VERSION", default_value_t = 16, value_parser = clap::value_parser!(u16).range(14..=18))]
    major: u16,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let places = Places::from_environment(|name| std::env::var_os(name));
    let ended = until_done_or_told(async { Ok(doctor(&places, args.major).await) })?;
    let lines = match ended {
        Ok(lines) => lines,
        Err(code) => return Ok(code),
    };
    output.print_styled(&told(&lines))?;
    // The last line is the verdict: missing containers are no fault where local programs serve.
    let is_fit = lines.last().is_some_and(|line| line.ok);
    Ok(match is_fit {
        true => ExitCode::Clean,
        false => ExitCode::Environment,
    })
}

/// What is there, and below it what to do where it does not serve.
fn told(lines: &[DoctorLine]) -> String {
    let wide = lines.iter().map(|line| line.what.chars().count()).max();
    let wide = wide.unwrap_or_default();
    let mut text = String::new();
    for line in lines {
        let mark = match line.ok {
            true => format!("{FINE}✔{FINE:#}"),
            false => format!("{MISSING}✖{MISSING:#}"),
        };
        let found = printable(&line.found);
        text.push_str(&format!("{mark} {:wide$}  {found}\n", line.what));
        if let Some(advice) = &line.advice {
            text.push_str(&format!("  {:wide$}  {}\n", "", printable(advice)));
        }
    }
    text
}
