//! `pgproof merge`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::args::ReportArgs;
use super::output::Output;
use crate::error::{Error, ExitCode};
use crate::finding::{Input, Report, ShardOf};
use crate::report::{Written, restore};

/// Make one report of those of the shards of a run
///
/// Reads what `pgproof verify --shard K/N --format json --output FILE` wrote in each of N jobs. They must be of the same files, program, seed
/// and server version, and all there; the exit code is that of the whole run.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Reports of all shards of one run, as JSON
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let written: Vec<Written> = args
        .files
        .iter()
        .map(|file| read(file))
        .collect::<Result<_, _>>()?;
    let mut wrong = one_version(args, &written);
    let inputs: Vec<Vec<Input>> = written.iter().map(|own| own.inputs().to_vec()).collect();
    let (reports, sources) = restore(written, &as_it_was);
    let shards: Vec<Option<&ShardOf>> = reports.iter().map(|own| own.shard.as_ref()).collect();
    wrong.extend(same_inputs(args, &inputs));
    wrong.extend(all_shards(args, &shards));
    wrong.extend(same_servers(args, &reports));
    wrong.extend(no_doubles(args, &reports));
    if !wrong.is_empty() {
        return Err(Error::Usage(format!(
            "these reports do not make one: {}",
            wrong.join("; ")
        )));
    }
    let count = reports.len();
    let mut report = Report::merged(reports);
    report.notes.push(format!("merged from {count} shards"));
    args.report.write(&report, &sources, None, output)?;
    Ok(match report.is_at_fault() {
        true => ExitCode::AtFault,
        false => ExitCode::Clean,
    })
}

fn read(path: &Path) -> Result<Written, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
        path: path.display().to_string(),
        source,
    })?;
    Written::parse(&text)
        .map_err(|reason| Error::Usage(format!("{} cannot be merged: {reason}", path.display())))
}

/// A file of the design, if it is still what was verified.
fn as_it_was(input: &Input) -> Option<String> {
    let bytes = std::fs::read(&input.path).ok()?;
    let digest: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    String::from_utf8(bytes)
        .ok()
        .filter(|_| digest == input.sha256)
}

fn one_version(args: &Args, written: &[Written]) -> Vec<String> {
    let own = env!("CARGO_PKG_VERSION");
    let others = args.files.iter().zip(written);
    others
        .filter(|(_, report)| report.version() != own)
        .map(|(file, report)| {
            format!(
                "{} was written by pgproof {}, and this is {own}",
                file.display(),
                report.version()
            )
        })
        .collect()
}

fn same_inputs(args: &Args, inputs: &[Vec<Input>]) -> Vec<String> {
    let Some(first) = inputs.first() else {
        return Vec::new();
    };
    let others = args.files.iter().zip(inputs).skip(1);
    others
        .filter(|(_, own)| *own != first)
        .map(|(file, own)| {
            let changed = own.iter().chain(first).find(|input| {
                let is_in = |all: &[Input]| all.contains(input);
                !(is_in(own) && is_in(first))
            });
            let about = changed.map_or("their order", |input| input.path.as_str());
            format!(
                "{} is about other files than {}: {about}",
                file.display(),
                args.files[0].display()
            )
        })
        .collect()
}

/// Each shard once.
fn all_shards(args: &Args, shards: &[Option<&ShardOf>]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<u32, &Path> = BTreeMap::new();
    let mut first: Option<(&ShardOf, &Path)> = None;
    for (file, shard) in args.files.iter().zip(shards) {
        let Some(shard) = shard else {
            wrong.push(format!(
                "{} is no shard; write it with `verify --shard K/N`",
                file.display()
            ));
            continue;
        };
        let (known, of_known) = *first.get_or_insert((shard, file));
        if shard.of != known.of {
            wrong.push(format!(
                "{} is one of {} shards, {} one of {}",
                file.display(),
                shard.of,
                of_known.display(),
                known.of
            ));
        } else if shard.run != known.run {
            wrong.push(format!(
                "{} was asked for something else than {}: the seed, the budget, the methods or the designs differ",
                file.display(),
                of_known.display()
            ));
        } else if let Some(other) = seen.insert(shard.number, file) {
            wrong.push(format!(
                "{} and {} are both shard {}/{}",
                other.display(),
                file.display(),
                shard.number,
                shard.of
            ));
        }
    }
    if let Some((known, _)) = first.filter(|_| wrong.is_empty()) {
        let missing: Vec<String> = (1..=known.of)
            .filter(|number| !seen.contains_key(number))
            .map(|number| format!("{number}/{}", known.of))
            .collect();
        match missing.as_slice() {
            [] => {}
            [one] => wrong.push(format!("shard {one} is missing")),
            several => wrong.push(format!("shards {} are missing", several.join(", "))),
        }
    }
    wrong
}

/// One server version a design.
fn same_servers(args: &Args, reports: &[Report]) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    let mut versions: BTreeMap<&str, (&str, &Path)> = BTreeMap::new();
    for (file, report) in args.files.iter().zip(reports) {
        for evidence in &report.evidence {
            let Some(version) = evidence.setting.server_version.as_deref() else {
                continue;
            };
            let (known, other) = *versions.entry(&evidence.design).or_insert((version, file));
            if known != version {
                wrong.insert(format!(
                    "{} was tried on PostgreSQL {known} in {} and on {version} in {}",
                    evidence.design,
                    other.display(),
                    file.display()
                ));
            }
        }
    }
    wrong.into_iter().collect()
}

/// Each piece of evidence in one report.
fn no_doubles(args: &Args, reports: &[Report]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<&str, &Path> = BTreeMap::new();
    for (file, report) in args.files.iter().zip(reports) {
        for evidence in &report.evidence {
            let other = *seen.entry(&evidence.id).or_insert(file);
            // Where a schema is refused every shard says so.
            let is_refusal = evidence.method == crate::finding::Method::Build;
            if other != file.as_path() && !is_refusal && wrong.is_empty() {
                wrong.push(format!(
                    "`{}` is in {} and in {}",
                    evidence.id,
                    other.display(),
                    file.display()
                ));
            }
        }
    }
    wrong
}
