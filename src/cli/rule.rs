//! `pgproof rule`.

use std::path::Path;

use anstyle::Style;

use super::output::Output;
use super::workspace::Workspace;
use crate::check::{self, Pack, Rule};
use crate::design::FAULTS;
use crate::design::language::CODES;
use crate::error::{Error, ExitCode};
use crate::explain::ASSERTIONS;
use crate::finding::{About, TRIED};
use crate::invariant::{self, KINDS};
use crate::source::SourceMap;

const BOLD: Style = Style::new().bold();

/// Explain a rule, an invariant kind or a plan expectation
///
/// The code is what stands in front of a finding. Rules of the team's own `checks/` are explained like those of the program.
#[derive(clap::Args)]
pub(super) struct Args {
    /// What to explain, such as `grain-missing` or `at_most_one`
    #[arg(required_unless_present = "all")]
    code: Option<String>,

    /// List everything that can be explained
    #[arg(long, conflicts_with = "code")]
    all: bool,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let (workspace, _) = Workspace::around(Path::new("."), &mut SourceMap::new())?;
    let pack = check::load(&workspace.assets, &workspace.environment)?;
    let text = match &args.code {
        Some(code) => page(&pack, code)?,
        None => list(&pack),
    };
    output.print_styled(&text)?;
    Ok(ExitCode::Clean)
}

/// Families of what has a page beside the rules.
fn families() -> [(&'static str, Vec<&'static About>); 5] {
    [
        (
            "Invariant kinds",
            KINDS.iter().map(|kind| &kind.about).collect(),
        ),
        (
            "Plan expectations",
            ASSERTIONS.iter().map(|a| a.about).collect(),
        ),
        ("Faults of a file", CODES.iter().collect()),
        (
            "Faults of a design",
            FAULTS.iter().chain(invariant::FAULTS).collect(),
        ),
        (
            "Found on a server",
            TRIED.iter().map(|tried| &tried.about).collect(),
        ),
    ]
}

fn list(pack: &Pack) -> String {
    let mut text = format!("{BOLD}Rules{BOLD:#}\n");
    for check in pack.checks() {
        let rule = &check.rule;
        text.push_str(&format!(
            "  {:32} {:8} {}\n",
            rule.code,
            rule.level.word(),
            rule.title
        ));
    }
    for (title, abouts) in families() {
        text.push_str(&format!("\n{BOLD}{title}{BOLD:#}\n"));
        for about in abouts {
            text.push_str(&format!("  {:32} {:8} {}\n", about.name, "", about.title));
        }
    }
    text
}

fn page(pack: &Pack, code: &str) -> Result<String, Error> {
    if let Some(rule) = check::about(pack, code) {
        return Ok(of_rule(rule));
    }
    let known = families().into_iter().flat_map(|(_, abouts)| abouts);
    match known.into_iter().find(|about| about.name == code) {
        Some(about) => Ok(of_about(about)),
        None => Err(Error::Usage(format!(
            "nothing is written about `{code}`; `pgproof rule --all` lists what there is"
        ))),
    }
}

fn of_rule(rule: &Rule) -> String {
    let mut text = heading(
        &rule.code,
        &format!("{}, since {}", rule.level.word(), rule.since),
        &rule.title,
    );
    text.push_str(&format!("\n{}\n", rule.why.trim()));
    text.push_str(&format!(
        "\n{BOLD}Prevents{BOLD:#}\n{}\n",
        rule.prevents.trim()
    ));
    for example in &rule.examples {
        let found = match example.finds {
            0 => "No finding".to_owned(),
            1 => "1 finding".to_owned(),
            many => format!("{many} findings"),
        };
        let shows = match example.shows.as_str() {
            "" => String::new(),
            shows => format!(": {shows}"),
        };
        text.push_str(&format!("\n{BOLD}{found}{BOLD:#}{shows}\n"));
        let earlier = example.earlier.trim_end();
        if !earlier.is_empty() {
            text.push_str("  -- an earlier migration\n");
        }
        let own = match example.migration.as_str() {
            "" => vec![example.design.trim_end()],
            migration if earlier.is_empty() => vec![migration.trim_end()],
            migration => vec![earlier, "-- the migration", migration.trim_end()],
        };
        for line in own.into_iter().flat_map(str::lines) {
            text.push_str(format!("  {line}").trim_end());
            text.push('\n');
        }
    }
    text
}

fn of_about(about: &About) -> String {
    let heading = heading(about.name, &format!("since {}", about.since), about.title);
    format!("{heading}\n{}\n", about.docs.trim())
}

fn heading(code: &str, note: &str, title: &str) -> String {
    format!("{BOLD}{code}{BOLD:#} ({note})\n{title}\n")
}
