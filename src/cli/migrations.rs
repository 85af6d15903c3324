//! Existing SQL migrations among the paths of `pgproof check`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::analysis::Analysis;
use crate::check::{self, Pack};
use crate::design::load::find;
use crate::error::Error;
use crate::finding::{Finding, Input};
use crate::migrate::files::{Migrations, Source, Tool, load, looks_like_migrations, read};
use crate::migrate::lint::{Linted, Options, lint};
use crate::source::{SourceId, Span};

/// Most findings of one folder; nobody reads more.
const FINDINGS: usize = 1_000;
/// How a reason begins for which a statement is not analysed because it is no SQL.
const UNREADABLE: &str = "it cannot be read: ";
/// So many reasons of that kind are told one by one.
const REASONS: usize = 8;
/// So many places of one kind are named in a note.
const PLACES: usize = 3;

/// What can be said about migrations on the command line.
#[derive(clap::Args)]
pub(super) struct MigrationArgs {
    /// Major version of the PostgreSQL that migrations run on
    #[arg(long, value_name = "MAJOR", default_value_t = 15, value_parser = clap::value_parser!(u16).range(14..=18))]
    on: u16,

    /// First migration to be judged; those before it have run already and are only followed
    #[arg(long, value_name = "VERSION")]
    since: Option<String>,

    /// Whose migrations they are; told by the files where it is not given
    #[arg(long, value_enum)]
    tool: Option<ToolName>,
}

/// Names of tools as one types them.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ToolName {
    Plain,
    Flyway,
    Liquibase,
    Sqlx,
    Dbmate,
    GolangMigrate,
    Sqitch,
    Goose,
    SqlMigrate,
    Diesel,
    Prisma,
}

impl From<ToolName> for Tool {
    fn from(name: ToolName) -> Tool {
        match name {
            ToolName::Plain => Tool::Plain,
            ToolName::Flyway => Tool::Flyway,
            ToolName::Liquibase => Tool::Liquibase,
            ToolName::Sqlx => Tool::Sqlx,
            ToolName::Dbmate => Tool::Dbmate,
            ToolName::GolangMigrate => Tool::GolangMigrate,
            ToolName::Sqitch => Tool::Sqitch,
            ToolName::Goose => Tool::Goose,
            ToolName::SqlMigrate => Tool::SqlMigrate,
            ToolName::Diesel => Tool::Diesel,
            ToolName::Prisma => Tool::Prisma,
        }
    }
}

/// Paths of migrations, and those of designs. A folder in which there are designs is one of designs.
pub(super) fn split(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let is_migrations = |path: &PathBuf| {
        path.as_path() != Path::new("-")
            && looks_like_migrations(path)
            && (path.is_file() || find(std::slice::from_ref(path)).is_err())
    };
    paths.iter().cloned().partition(is_migrations)
}

/// Judges the migrations at a path, and adds what is found to the report.
pub(super) fn judge(
    path: &Path,
    args: &MigrationArgs,
    analysis: &mut Analysis,
) -> Result<(), Error> {
    let sources = load(path)?;
    let migrations = read(&sources, args.tool.map(Tool::from));
    if let Some(since) = &args.since
        && !migrations.files.iter().any(|file| file.version == *since)
    {
        let known: Vec<&str> = migrations
            .files
            .iter()
            .rev()
            .take(3)
            .map(|file| file.version.as_str())
            .collect();
        return Err(Error::Usage(format!(
            "there is no migration {since} in {}; the last ones are {}",
            path.display(),
            known.join(", ")
        )));
    }
    let by_path: BTreeMap<&str, &Source> = sources
        .iter()
        .map(|source| (source.path.as_str(), source))
        .collect();
    let texts: Vec<&str> = migrations
        .files
        .iter()
        .map(|file| {
            by_path
                .get(file.path.as_str())
                .map_or("", |source| source.text.as_str())
        })
        .collect();
    let options = Options {
        version: args.on,
        is_whole: path.is_dir(),
        since: args.since.clone(),
    };
    let linted = lint(&migrations, &texts, &options);
    let mut ids = Vec::new();
    for (file, text) in migrations.files.iter().zip(&texts) {
        analysis.report.inputs.push(Input {
            path: file.path.clone(),
            sha256: hexadecimal(&Sha256::digest(text.as_bytes())),
        });
        ids.push(analysis.sources.add(file.path.clone(), (*text).to_owned()));
    }
    say(path, analysis, &migrations, &linted, &ids)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn say(
    path: &Path,
    analysis: &mut Analysis,
    migrations: &Migrations,
    linted: &Linted,
    ids: &[SourceId],
) -> Result<(), Error> {
    let pack: Pack = check::load(&analysis.workspace.assets, &analysis.workspace.environment)?;
    let judged = check::judge_migrations(&pack, migrations, linted, ids)?;
    let mut findings = analysis.workspace.settings.levels.apply(judged.findings);
    let many = findings.len();
    findings.truncate(FINDINGS);
    let mut notes = vec![summary(path, migrations, linted)];
    if many > FINDINGS {
        notes.push(format!("{} more findings are not shown", many - FINDINGS));
    }
    notes.extend(unknown(analysis, linted, ids));
    notes.extend(unread(migrations));
    notes.extend(migrations.notes.iter().cloned());
    for (finding, because) in &judged.allowed {
        notes.push(format!(
            "`{}` is allowed at {}: {because}",
            finding.code,
            place_of(analysis, finding)
        ));
    }
    analysis.report.findings.extend(findings);
    analysis.report.notes.extend(notes);
    Ok(())
}

fn summary(path: &Path, migrations: &Migrations, linted: &Linted) -> String {
    let files = migrations.files.len();
    let down: usize = migrations.files.iter().map(|file| file.down.len()).sum();
    let mut text = format!(
        "{}: {}, {} in {}",
        path.display(),
        migrations.tool.name(),
        counted(linted.statements, "statement"),
        counted(files, "file")
    );
    if down > 0 {
        text.push_str(&format!(
            "; {} to take back, not judged",
            counted(down, "statement")
        ));
    }
    text
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// What was not analysed, by reason.
fn unknown(analysis: &Analysis, linted: &Linted, ids: &[SourceId]) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let unreadable = linted.unknown.iter().map(|(_, _, why)| why);
    let unreadable: BTreeSet<&String> = unreadable
        .filter(|why| why.starts_with(UNREADABLE))
        .collect();
    for (file, at, why) in &linted.unknown {
        // Many reasons of one kind say no more than the first of them.
        let why = match why.starts_with(UNREADABLE) && unreadable.len() > REASONS {
            true => "they cannot be read as PostgreSQL's SQL",
            false => why.as_str(),
        };
        let Some(id) = ids.get(*file) else { continue };
        let places = by_reason.entry(why).or_default();
        let span = Span::new(*id, at.start as u32, at.end as u32);
        if places.len() < PLACES {
            places.push(place(analysis, span));
        } else {
            places.push(String::new());
        }
    }
    let notes = by_reason.into_iter().map(|(why, places)| {
        let named: Vec<&str> = places
            .iter()
            .map(String::as_str)
            .filter(|place| !place.is_empty())
            .collect();
        let more = match places.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "{} not analysed: {why} ({}{more})",
            counted(places.len(), "statement"),
            named.join(", ")
        )
    });
    notes.collect()
}

fn unread(migrations: &Migrations) -> Vec<String> {
    let lines = migrations.files.iter().flat_map(|file| &file.unread);
    let (included, other): (Vec<_>, Vec<_>) =
        lines.partition(|line| line.text.starts_with("\\i") && !line.text.starts_with("\\if"));
    let mut notes = Vec::new();
    if let Some(first) = included.first() {
        notes.push(format!(
            "{} of psql's include other files, which are not looked at, such as {}",
            counted(included.len(), "line"),
            first.text
        ));
    }
    if let Some(first) = other.first() {
        notes.push(format!(
            "{} passed over, such as {}",
            match other.len() {
                1 => "1 line that is no SQL is".to_owned(),
                many => format!("{many} lines that are no SQL are"),
            },
            first.text
        ));
    }
    notes
}

fn place_of(analysis: &Analysis, finding: &Finding) -> String {
    finding
        .labels
        .first()
        .map_or(String::new(), |label| place(analysis, label.at))
}

fn place(analysis: &Analysis, at: Span) -> String {
    let (start, _) = analysis.sources.line_column(at);
    format!("{}:{}", analysis.sources.path(at.source), start.line)
}
