//! `pgproof new`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::output::Output;
use super::workspace::{from_here, root};
use crate::assets::Assets;
use crate::design::load::{DESIGN_FILE, DESIGNS};
use crate::error::{Error, ExitCode};

/// Begin a design, in `designs/NAME/`.
///
/// Nothing that is there is ever overwritten.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the design: small letters, digits and hyphens
    name: String,

    /// Only what no design can be without
    #[arg(long, conflicts_with = "from")]
    compact: bool,

    /// A copy of one of the worked designs
    #[arg(long, value_name = "EXAMPLE")]
    from: Option<String>,
}

/// A file to be written: its path below the design's folder, and its text.
type File = (String, String);

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let name = checked(&args.name)?;
    let files = match &args.from {
        Some(example) => copied(example, name)?,
        None => scaffold(name, args.compact, jiff::Zoned::now().date()),
    };
    let root = root(Path::new("."))?.unwrap_or_default();
    let designs = from_here(&root).join(DESIGNS);
    let folder = designs.join(name);
    for taken in [folder.clone(), designs.join(format!("{name}.yaml"))] {
        if taken.exists() {
            return Err(Error::Usage(format!(
                "{} is already there; give the new design another name, or remove it first",
                taken.display()
            )));
        }
    }
    for (below, text) in &files {
        let path = folder.join(below);
        write(&path, text)?;
        output.print(&format!("wrote {}\n", path.display()))?;
    }
    output.print(&format!("next: pgproof check {}\n", folder.display()))?;
    Ok(ExitCode::Clean)
}

fn checked(name: &str) -> Result<&str, Error> {
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|c| c.is_ascii_lowercase());
    if begins && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Ok(name);
    }
    Err(Error::Usage(format!(
        "`{name}` is no name for a design; use small letters, digits and hyphens, and begin with a letter, as in `order-intake`"
    )))
}

/// A first design. Who the team is remains a question, and the design asks it, within a fortnight.
fn scaffold(name: &str, compact: bool, today: jiff::civil::Date) -> Vec<File> {
    let text = match compact {
        true => include_str!("scaffold/compact.yaml"),
        false => include_str!("scaffold/full.yaml"),
    };
    let text = text
        .replace("SCHEMA", &name.replace('-', "_"))
        .replace("NAME", name)
        .replace("TEAM", "your-team")
        .replace(
            "DAY",
            &today.saturating_add(jiff::Span::new().days(14)).to_string(),
        );
    vec![(DESIGN_FILE.to_owned(), text)]
}

/// The files of a worked design, under another name.
fn copied(example: &str, name: &str) -> Result<Vec<File>, Error> {
    let assets = Assets::builtin();
    let designs = assets.designs();
    if !designs.iter().any(|known| known == example) {
        return Err(Error::Usage(format!(
            "there is no worked design `{example}`; there are {}",
            designs.join(", ")
        )));
    }
    let folder = format!("designs/{example}/");
    let mut files = Vec::new();
    for path in assets.list(&folder) {
        let below = path.trim_start_matches(&folder);
        // What a worked design is expected to come to is no part of a new one.
        let is_design = below.ends_with(".yaml") && !below.contains('/');
        let Some(asset) = assets.get(&path).filter(|_| is_design) else {
            continue;
        };
        let line = format!("design: {example}");
        let text = asset.text.replacen(&line, &format!("design: {name}"), 1);
        files.push((below.to_owned(), text));
    }
    Ok(files)
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Io {
        path: path.display().to_string(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(failed),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(Error::Usage(format!(
            "{} is already there and is not overwritten",
            path.display()
        ))),
        Err(source) => Err(failed(source)),
    }
}
