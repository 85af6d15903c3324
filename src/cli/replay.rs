//! `pgproof replay`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::analysis::{Analysis, Design, analyse};
use super::args::ReportArgs;
use super::output::Output;
use super::runtime::until_done_or_told;
use super::save::{self, FORMAT};
use crate::error::{Error, ExitCode};
use crate::finding::{Replay, Verdict};
use crate::postgres::{Places, Server, ServerChoice, ServerOptions};
use crate::report;
use crate::verify::{self, Again, Run};

/// Run a counterexample again: the same programs, from the same rows, in the same order
///
/// Reads what `verify --save` wrote, or a whole report of `verify --format json`. Where the invariant breaks again it is refuted (exit
/// code 1). Where it does not any more, that is said. Where the order does not fit the design any more, all orders of the same programs
/// are tried.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The counterexample
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Of a whole report: which evidence, such as `lending/race/invariant lent-once`
    #[arg(long, value_name = "ID")]
    evidence: Option<String>,

    /// The design, if it is not where it was
    #[arg(long, value_name = "PATH")]
    design: Option<PathBuf>,

    /// Where PostgreSQL comes from: auto, docker, local, or the URL of a server
    #[arg(
        long,
        value_name = "WHERE",
        env = "PGPROOF_POSTGRES",
        hide_env_values = true
    )]
    postgres: Option<String>,

    /// Allow a server by URL: pgproof makes databases and roles of its own there, and drops them
    #[arg(long)]
    allow_server: bool,

    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let wanted = read(&args.file, args.evidence.as_deref())?;
    let path = match &args.design {
        Some(path) => path.clone(),
        None => PathBuf::from(&wanted.design.path),
    };
    if args.design.is_none() && !path.exists() {
        return Err(Error::Usage(format!(
            "the design is not at `{}` any more; say where it is with `--design PATH`",
            wanted.design.path
        )));
    }
    let mut analysis = analyse(std::slice::from_ref(&path))?;
    let named = |design: &&Design| design.model.name.as_str() == wanted.design.name;
    let only = match analysis.designs.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let Some(design) = analysis.designs.iter().find(named).or(only) else {
        if analysis.designs.is_empty() {
            // What is wrong with the design is all there is to say.
            args.report
                .write(&analysis.report, &analysis.sources, began.elapsed(), output)?;
            return Ok(match analysis.code() {
                ExitCode::Clean => ExitCode::Usage,
                code => code,
            });
        }
        return Err(Error::Usage(format!(
            "none of the designs at `{}` is called `{}`",
            path.display(),
            wanted.design.name
        )));
    };
    let mut notes = Vec::new();
    let digest = save::digest(&analysis.report.inputs, &design.path);
    if digest != wanted.design.sha256 {
        notes.push(
            "the design has changed since the counterexample was written; it is replayed in the design as it is now"
                .to_owned(),
        );
    }
    let choice = choice(args, &analysis)?;
    let work = again(args, &choice, &analysis, design, &wanted);
    let (again, more) = match until_done_or_told(work)? {
        Ok(done) => done,
        Err(code) => return Ok(code),
    };
    notes.extend(more);
    let report = &mut analysis.report;
    // About a design `check` says more; here one thing was asked.
    report.findings.clear();
    let (code, said) = match again {
        Again::Ran(mut evidence, said) => {
            let code = match evidence.verdict {
                Verdict::Refuted => ExitCode::AtFault,
                _ => ExitCode::Clean,
            };
            if let Some(replay) = evidence
                .counterexample
                .as_mut()
                .and_then(|found| found.replay_mut())
            {
                replay.design.path = path.display().to_string();
                replay.design.sha256 = digest;
            }
            report.evidence.push(*evidence);
            (code, said)
        }
        Again::Refused(finding) => {
            report.findings.push(*finding);
            (ExitCode::AtFault, None)
        }
    };
    report.notes.extend(notes);
    args.report
        .write(report, &analysis.sources, began.elapsed(), output)?;
    if let Some(said) = said.filter(|_| code == ExitCode::Clean) {
        args.report.say(&said, output)?;
    }
    Ok(code)
}

/// The command line stands before the settings.
fn choice(args: &Args, analysis: &Analysis) -> Result<ServerChoice, Error> {
    let settled = analysis.workspace.settings.postgres.as_deref();
    args.postgres
        .as_deref()
        .or(settled)
        .unwrap_or("auto")
        .parse()
}

async fn again(
    args: &Args,
    choice: &ServerChoice,
    analysis: &Analysis,
    design: &Design,
    wanted: &Replay,
) -> Result<(Again, Vec<String>), Error> {
    let places = Places::from_environment(|name| std::env::var_os(name));
    let major = design.model.database.version;
    let mut options = ServerOptions::new(choice.clone(), major, places);
    options.allow_server = args.allow_server;
    let server = Server::start(&options).await?;
    let mut notes = vec![format!(
        "PostgreSQL {} from {}",
        server.version(),
        server.origin()
    )];
    notes.extend(server.notes().iter().cloned());
    let seen = &server.version().text;
    if *seen != wanted.server_version {
        notes.push(format!(
            "the counterexample was found on PostgreSQL {}",
            wanted.server_version
        ));
    }
    let command = save::command(&args.file, args.evidence.as_deref());
    let run = Run {
        server: &server,
        seed: wanted.seed,
        command: &command,
        rows: None,
    };
    let environment = &analysis.workspace.environment;
    let again = verify::replay(&run, &design.model, &design.compiled, environment, wanted).await;
    server.stop().await?;
    Ok((again?, notes))
}

/// The counterexample in a file of its own, or in a report.
fn read(path: &Path, evidence: Option<&str>) -> Result<Replay, Error> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
        path: shown.to_string(),
        source,
    })?;
    let wrong = |why: String| Error::Usage(format!("{shown} is no counterexample: {why}"));
    let whole: Value = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    let is_report = whole.get("evidence").is_some();
    let known = match is_report {
        true => report::FORMAT,
        false => FORMAT,
    };
    match whole.get("format").and_then(Value::as_u64) {
        None => return Err(wrong("it has no `format`".to_owned())),
        Some(format) if format != u64::from(known) => {
            return Err(Error::Usage(format!(
                "{shown} is of format {format}; this pgproof reads format {known}"
            )));
        }
        Some(_) => {}
    }
    let found = match is_report {
        true => {
            of_report(&whole, evidence).map_err(|why| Error::Usage(format!("{shown}: {why}")))?
        }
        false => whole.pointer("/counterexample/replay"),
    };
    let found =
        found.ok_or_else(|| wrong("it holds no race that could be run again".to_owned()))?;
    serde_json::from_value(found.clone()).map_err(|e| wrong(e.to_string()))
}

/// The evidence that is asked for, else the only one there is.
fn of_report<'v>(report: &'v Value, id: Option<&str>) -> Result<Option<&'v Value>, String> {
    let all = report["evidence"].as_array().map_or(&[][..], Vec::as_slice);
    let id_of = |evidence: &Value| evidence["id"].as_str().unwrap_or_default().to_owned();
    if let Some(id) = id {
        let Some(one) = all.iter().find(|evidence| id_of(evidence) == id) else {
            return Err(format!("the report has no evidence `{id}`"));
        };
        return Ok(one.pointer("/counterexample/replay"));
    }
    let races: Vec<&Value> = all
        .iter()
        .filter(|evidence| evidence.pointer("/counterexample/replay").is_some())
        .collect();
    match races.as_slice() {
        [] => Ok(None),
        [one] => Ok(one.pointer("/counterexample/replay")),
        several => {
            let ids: Vec<String> = several.iter().map(|e| format!("`{}`", id_of(e))).collect();
            Err(format!(
                "the report has several counterexamples; say which with `--evidence ID`: {}",
                ids.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, evidence: Option<&str>) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("can be written");
        match read(file.path(), evidence) {
            Ok(found) => format!("{found:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert!(refused("no", None).contains("is no counterexample: expected"));
        assert!(refused("{}", None).contains("it has no `format`"));
        let newer = refused("{\"format\": 99, \"counterexample\": {}}", None);
        assert!(
            newer.contains("format 99; this pgproof reads format 1"),
            "{newer}"
        );
        let empty = refused("{\"format\": 1, \"counterexample\": {}}", None);
        assert!(empty.contains("it holds no race"), "{empty}");
        let part = "{\"format\": 1, \"counterexample\": {\"replay\": {\"seed\": 1}}}";
        assert!(refused(part, None).contains("missing field"));
    }

    #[test]
    fn of_a_report_one_evidence_is_meant() {
        let one =
            |id: &str| format!("{{\"id\": \"{id}\", \"counterexample\": {{\"replay\": {{}}}}}}");
        let report = format!(
            "{{\"format\": 1, \"evidence\": [{}, {}]}}",
            one("a"),
            one("b")
        );
        assert!(refused(&report, None).contains("`a`, `b`"));
        assert!(refused(&report, Some("c")).contains("no evidence `c`"));
        assert!(refused(&report, Some("b")).contains("missing field"));
        assert!(refused("{\"format\": 1, \"evidence\": []}", None).contains("no race"));
    }
}
