//! `pgproof doctor`.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};

use super::analysis::analyse;
use super::output::Output;
use super::runtime::until_done_or_told;
use crate::error::{Error, ExitCode};
use crate::postgres::{DoctorLine, Places, doctor};
use crate::report::printable;

/// The newest version that designs can target.
const NEWEST: u16 = 18;

const BOLD: Style = Style::new().bold();
const FINE: Style = AnsiColor::Green.on_default();
const MISSING: Style = AnsiColor::Red.on_default().bold();

/// Say which PostgreSQL would be used, and what is missing
///
/// Ends with 3 where none can be had.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Major version that is wanted, instead of those that the workspace's designs target
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u16).range(14..=18))]
    major: Option<u16>,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let places = Places::from_environment(|name| std::env::var_os(name));
    let majors = match args.major {
        Some(major) => BTreeSet::from([major]),
        None => targeted(),
    };
    let mut code = ExitCode::Clean;
    for (number, major) in majors.iter().enumerate() {
        let lines = match until_done_or_told(async { Ok(doctor(&places, *major).await) })? {
            Ok(lines) => lines,
            Err(signal) => return Ok(signal),
        };
        let gap = if number == 0 { "" } else { "\n" };
        output.print_styled(&format!(
            "{gap}{BOLD}PostgreSQL {major}{BOLD:#}\n{}",
            told(&lines)
        ))?;
        // The last line is the verdict: missing containers are no fault where local programs serve.
        if lines.last().is_none_or(|line| !line.ok) {
            code = ExitCode::Environment;
        }
    }
    Ok(code)
}

/// What the designs at hand target; the newest where there are none.
fn targeted() -> BTreeSet<u16> {
    let designs = analyse(&[])
        .map(|analysis| analysis.designs)
        .unwrap_or_default();
    let majors: BTreeSet<u16> = designs
        .iter()
        .map(|design| design.model.database.version)
        .collect();
    match majors.is_empty() {
        true => BTreeSet::from([NEWEST]),
        false => majors,
    }
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
