//! `pgproof migrate`.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use super::analysis::{Analysis, Design, analyse};
use super::apply::{self, ApplyArgs};
use super::found;
use super::output::Output;
use super::runtime::until_done_or_told;
use crate::design::Model;
use crate::design::load::DESIGN_FILE;
use crate::error::{Error, ExitCode};
use crate::finding::{Finding, Report, Severity};
use crate::migrate::format::{self, File, Form};
use crate::migrate::{Plan, Policy, Renames, plan};
use crate::report::{Format, render};
use crate::verify::migrate::rates;

/// What is measured is measured on the same rows each time.
const SEED: u64 = 1;

/// Write the migration from one design to another
///
/// Every change is made so that writers go on: nullable first, indexes CONCURRENTLY, constraints NOT VALID and validated afterwards, renames and changes of
/// type by a second column that a trigger keeps the same. Where PostgreSQL has no such way the plan says so, and the hazard must be accepted by name.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Where from: a design, its name in the workspace, one at a git revision (`main:designs/shop/design.yaml`, or `main` alone for the same file), a folder of
    /// SQL migrations, or the URL of a database
    ///
    /// Migrations are run on a throw-away server and read back; a database is only read.
    ///
    /// By default what the new design says in `migration.from`.
    #[arg(long, value_name = "OLD")]
    from: Option<String>,

    /// Where to: the new design
    #[arg(long, value_name = "NEW", default_value = ".")]
    to: PathBuf,

    /// What the tool of the migrations in `--from` fills in for `${NAME}`, `:NAME`, `@NAME@` or `{{ NAME }}`
    #[arg(long, value_name = "NAME=VALUE")]
    placeholder: Vec<String>,

    /// Form of the plan
    #[arg(long, value_enum, default_value_t)]
    format: FormName,

    /// Folder to write the files to; without it a form of one file goes to standard output
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,

    /// A hazard that is accepted, as the plan names it: `rewrite:orders`
    #[arg(long, value_name = "HAZARD")]
    accept: Vec<String>,

    /// Run the plan on a sample first, on a throw-away server, and say of durations and WAL what was measured there
    #[arg(long, conflicts_with_all = ["apply", "undo", "status"])]
    measure: bool,

    /// Number of the first migration, for tools that number them
    #[arg(long, value_name = "N", default_value_t = 1)]
    start: u64,

    #[command(flatten)]
    apply: ApplyArgs,
}

/// The forms of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FormName {
    /// The whole plan as one script for psql
    #[default]
    Sql,
    /// One SQL file for each step, the way back beside it
    Files,
    /// Flyway
    Flyway,
    /// Liquibase, formatted SQL
    Liquibase,
    /// sqlx
    Sqlx,
    /// dbmate
    Dbmate,
    /// golang-migrate
    GolangMigrate,
    /// Sqitch
    Sqitch,
    /// Alembic
    Alembic,
    /// A runbook for people, Markdown
    Runbook,
    /// For machines
    Json,
}

impl FormName {
    fn form(self) -> Option<Form> {
        Some(match self {
            FormName::Sql => return None,
            FormName::Files => Form::Files,
            FormName::Flyway => Form::Flyway,
            FormName::Liquibase => Form::Liquibase,
            FormName::Sqlx => Form::Sqlx,
            FormName::Dbmate => Form::Dbmate,
            FormName::GolangMigrate => Form::GolangMigrate,
            FormName::Sqitch => Form::Sqitch,
            FormName::Alembic => Form::Alembic,
            FormName::Runbook => Form::Runbook,
            FormName::Json => Form::Json,
        })
    }
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let new = match one(&args.to, "--to", output)? {
        Ok(new) => new,
        Err(code) => return Ok(code),
    };
    let Some(to) = new.designs.first() else {
        return Ok(ExitCode::AtFault);
    };
    let found = args.from.as_deref().filter(|from| found::is_found(from));
    let (catalogs, old) = match found {
        Some(from) => match found::both(
            from,
            to,
            &new,
            args.apply.postgres(),
            &args.placeholder,
            output,
        )? {
            Ok(both) => (both, None),
            Err(code) => return Ok(code),
        },
        None => match old(args, &new, output)? {
            Ok(mut old) => {
                let Some(from) = old.designs.pop() else {
                    return Ok(ExitCode::AtFault);
                };
                let catalogs = (from.compiled.catalog.clone(), to.compiled.catalog.clone());
                (catalogs, Some(from))
            }
            Err(code) => return Ok(code),
        },
    };
    let environment = &new.workspace.environment;
    let policy = Policy::of(&to.model);
    let renames = Renames::of(&to.model);
    let make = |policy: &Policy| plan(&catalogs.0, &catalogs.1, &renames, policy, environment);
    let mut plan = make(&policy)?;
    if args.measure {
        let Some(from) = &old else {
            return Err(Error::Usage(
                "--measure begins at a design, whose rows can be made up; leave it out here"
                    .to_owned(),
            ));
        };
        let options = args.apply.builder(&new, plan.version)?;
        let both = (&from.model, &to.model);
        match until_done_or_told(rates(&options, both, &plan, environment, SEED))? {
            Ok(Some(measured)) => {
                plan = make(&Policy { measured, ..policy })?;
            }
            Ok(None) => output.note("the old design cannot be built, so nothing was measured"),
            Err(code) => return Ok(code),
        }
    }
    // What is taken back, or looked at, has been accepted before.
    let is_judged = args.apply.needs_acceptance() || !args.apply.is_asked();
    let report = Report {
        findings: match is_judged {
            true => judge(&plan, to, &args.accept),
            false => Vec::new(),
        },
        ..Report::default()
    };
    let is_accepted = !report.is_at_fault();
    if !report.findings.is_empty() {
        let look = output.look_of_stderr(std::time::Duration::ZERO);
        output.tell(&render(&report, &new.sources, Format::Human, &look)?);
    }
    for note in &plan.notes {
        output.note(note);
    }
    if plan.steps.is_empty() {
        output.note("nothing differs: there is nothing to migrate");
    }
    if args.apply.is_asked() {
        return match (is_accepted, &old) {
            (true, Some(from)) => apply::run(&args.apply, &plan, (from, to), &new, output),
            (true, None) => Err(Error::Usage(
                "--apply begins at a design, so that the database can be compared with it; without one, take the files".to_owned(),
            )),
            (false, _) => Ok(ExitCode::AtFault),
        };
    }
    let files = match args.format.form() {
        Some(form) => format::files(&plan, form, args.start)?,
        None => vec![File {
            path: "migration.sql".to_owned(),
            text: format::whole(&plan),
        }],
    };
    match (&args.output, files.as_slice()) {
        // Nobody runs by mistake what has not been accepted.
        (Some(_), _) if !is_accepted => {}
        (Some(folder), files) => write(folder, files, output)?,
        (None, [file]) => output.print(&file.text)?,
        (None, files) => {
            return Err(Error::Usage(format!(
                "this form has {} files: say with --output which folder they go to",
                files.len()
            )));
        }
    }
    Ok(if is_accepted {
        ExitCode::Clean
    } else {
        ExitCode::AtFault
    })
}

/// Reads one design; what is wrong with it is told.
fn one(
    path: &Path,
    option: &str,
    output: &mut Output,
) -> Result<Result<Analysis, ExitCode>, Error> {
    let mut analysis = analyse(&[path.to_path_buf()])?;
    if !analysis.is_whole {
        analysis
            .report
            .findings
            .retain(|f| f.severity == Severity::Error);
        let look = output.look_of_stderr(std::time::Duration::ZERO);
        output.tell(&render(
            &analysis.report,
            &analysis.sources,
            Format::Human,
            &look,
        )?);
        return Ok(Err(analysis.code()));
    }
    match analysis.designs.len() {
        1 => Ok(Ok(analysis)),
        count => Err(Error::Usage(format!(
            "{option} {} holds {count} designs: name one of them",
            path.display()
        ))),
    }
}

/// The old design: a path, a name beside the new one, or a file at a git revision.
fn old(
    args: &Args,
    new: &Analysis,
    output: &mut Output,
) -> Result<Result<Analysis, ExitCode>, Error> {
    let design = new.designs.first();
    let declared = design
        .and_then(|design| design.model.section("migration"))
        .and_then(|section| section.data["from"].as_str().map(str::to_owned));
    let Some(from) = args.from.clone().or(declared) else {
        return Err(Error::Usage(
            "say with --from what to migrate from, or in the new design with `migration: {from: …}`".to_owned(),
        ));
    };
    for path in candidates(&from, design) {
        if path.exists() {
            return one(&path, "--from", output);
        }
    }
    let shown = design.map(|design| design.path.shown()).unwrap_or_default();
    let folder = tempfile::tempdir().map_err(|fault| Error::Io {
        path: "a temporary folder".to_owned(),
        source: fault,
    })?;
    let file = at_revision(&from, &shown, folder.path())?;
    one(&file, "--from", output)
}

/// The design that another one says it is migrated from; none where it says nothing.
pub(super) fn predecessor(design: &Design) -> Option<Result<Model, String>> {
    let section = design.model.section("migration")?;
    let from = section.data["from"].as_str()?;
    Some(read_predecessor(from, design).map_err(|error| error.to_string()))
}

fn read_predecessor(from: &str, design: &Design) -> Result<Model, Error> {
    let folder = tempfile::tempdir().map_err(|source| Error::Io {
        path: "a temporary folder".to_owned(),
        source,
    })?;
    let found = candidates(from, Some(design))
        .into_iter()
        .find(|path| path.exists());
    let path = match found {
        Some(path) => path,
        None => at_revision(from, &design.path.shown(), folder.path())?,
    };
    let mut analysis = analyse(&[path])?;
    match (analysis.is_whole, analysis.designs.len()) {
        (true, 1) => Ok(analysis.designs.remove(0).model),
        _ => Err(Error::Usage(format!(
            "{from}, from which {} is migrated, is no single design without errors",
            design.model.name.as_str()
        ))),
    }
}

/// Where a design of this name may be.
fn candidates(name: &str, new: Option<&Design>) -> Vec<PathBuf> {
    let mut out = vec![PathBuf::from(name)];
    let shown = new.map(|design| design.path.shown()).unwrap_or_default();
    let home = Path::new(&shown);
    // A design that is a folder may hold the one before it in a folder of its own.
    for folder in home.ancestors().skip(usize::from(!home.is_dir())).take(3) {
        out.push(folder.join(name));
        out.push(folder.join(format!("{name}.yaml")));
    }
    out
}

/// Takes a file out of git: `rev:path`, or `rev` for the file that the new design is in.
fn at_revision(from: &str, new: &str, folder: &Path) -> Result<PathBuf, Error> {
    let file = Path::new(new).join(DESIGN_FILE);
    let place = if file.exists() { &file } else { Path::new(new) };
    let root = place.parent().filter(|p| !p.as_os_str().is_empty());
    let root = root.unwrap_or(Path::new("."));
    let object = match from.split_once(':') {
        // Git reads `./` from the folder that it is asked in.
        Some((rev, path)) => format!("{rev}:{path}"),
        None => {
            let name = place.file_name().and_then(|name| name.to_str());
            format!("{from}:./{}", name.unwrap_or_default())
        }
    };
    let unknown = |said: &str| {
        Error::Usage(format!(
            "--from {from} is no design here: there is no such file or folder, no design of this name beside {new}, and git has no {object}{said}"
        ))
    };
    let shown = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["show", &object])
        .output();
    let shown = shown.map_err(|fault| unknown(&format!(" ({fault})")))?;
    if !shown.status.success() {
        let said = String::from_utf8_lossy(&shown.stderr);
        let said = said.lines().next().unwrap_or_default();
        return Err(unknown(&format!(" ({said})")));
    }
    let file = folder.join("design.yaml");
    std::fs::write(&file, shown.stdout).map_err(|source| Error::Io {
        path: file.display().to_string(),
        source,
    })?;
    Ok(file)
}

/// Hazards that nobody has accepted, and accepted ones that do not occur.
fn judge(plan: &Plan, design: &Design, accepted: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in &plan.steps {
        for hazard in &step.hazards {
            let name = hazard.name();
            if accepted.contains(&name) {
                continue;
            }
            let place = step
                .causes
                .iter()
                .find_map(|cause| design.compiled.provenance.get(cause));
            let at = place.copied().unwrap_or(design.model.name.at);
            let finding = Finding::error(
                "hazard-not-accepted",
                format!("step {}", step.title),
                hazard.text.clone(),
                at,
            );
            findings.push(
                finding
                    .help(format!("where that can be borne: --accept {name}"))
                    .of(design.model.name.as_str()),
            );
        }
    }
    for name in accepted {
        if !plan.hazards().any(|hazard| hazard.name() == *name) {
            let finding = Finding::error(
                "accepted-hazard-gone",
                format!("hazard {name}"),
                format!("{name} is accepted, and no step brings it"),
                design.model.name.at,
            );
            findings.push(
                finding
                    .help(format!("leave out --accept {name}"))
                    .of(design.model.name.as_str()),
            );
        }
    }
    findings
}

fn write(folder: &Path, files: &[File], output: &mut Output) -> Result<(), Error> {
    for file in files {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|source| Error::Io {
            path: parent.display().to_string(),
            source,
        })?;
        output.write(Some(&path), &file.text)?;
    }
    output.note(&format!("{} files in {}", files.len(), folder.display()));
    Ok(())
}
