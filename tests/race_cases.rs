//! The classical races as designs: what is broken is refuted, what is fixed is proven and brings no finding.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;
#[path = "support/tester.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod tester;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pgproof::assets::Assets;
use pgproof::compile::compile;
use pgproof::design::Model;
use pgproof::finding::{Counterexample, Method, Verdict};
use pgproof::template::{Environment, environment};
use pgproof::verify::race::{RaceOptions, export};
use pgproof::verify::{Part, Quiet, Verified, VerifyOptions, verify};
use support::Home;
use tester::{Cluster, violations};

/// What the name of a file promises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// The invariant that is named first is refuted.
    Broken,
    /// Every invariant is proven, and there is nothing to say.
    Fixed,
    /// Every invariant is proven, and a command keeps an error to itself.
    Undeclared,
}

impl Promise {
    fn of(file: &Path) -> Option<Promise> {
        let name = file.file_stem()?.to_str()?;
        match name.split('-').next()? {
            "broken" => Some(Promise::Broken),
            "fixed" => Some(Promise::Fixed),
            "undeclared" => Some(Promise::Undeclared),
            _ => None,
        }
    }
}

/// Every file, by folder; `CASE=overbooking` narrows a run while something is being looked at.
fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/race");
    let only = std::env::var("CASE").ok();
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let read = std::fs::read_dir(folder).expect("the folder is there");
        read.flatten().map(|entry| entry.path()).collect()
    };
    let mut files: Vec<PathBuf> = entries(&root)
        .iter()
        .filter(|folder| only.as_deref().is_none_or(|only| folder.ends_with(only)))
        .flat_map(|folder| entries(folder))
        .collect();
    files.sort();
    files
}

fn name(file: &Path) -> String {
    let parts: Vec<String> = file
        .iter()
        .rev()
        .take(2)
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

fn read(file: &Path) -> Model {
    design::model(&std::fs::read_to_string(file).expect("readable"))
}

/// Where only three sessions break what is broken; that is raced with all that `pgproof verify` would spend, and what is fixed with some of it.
/// The others are raced with two, so that the test ends in time.
const THREE: &[&str] = &[
    "aba/broken.yaml",
    "batch-report",
    "outbox-gap",
    "read-only-anomaly",
    "reserve-for-two",
    "three-sites",
];

/// Orders of three sessions' steps where nothing is to be found.
const FEW: usize = 60;

fn options(name: &str, promise: Promise) -> VerifyOptions {
    let mut race = RaceOptions::default();
    if !THREE.iter().any(|folder| name.starts_with(folder)) {
        race.sessions = 2;
    } else if promise != Promise::Broken {
        race.wide_schedules = FEW;
        race.schedules_of_wide_trial = FEW;
    }
    VerifyOptions {
        seed: 1,
        only: BTreeSet::from([Method::Race]),
        race,
        command: "pgproof verify".to_owned(),
        part: Part::default(),
        rows: None,
        predecessors: std::collections::BTreeMap::new(),
    }
}

/// What is not as promised.
fn faults(promise: Promise, model: &Model, verified: &Verified) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, invariant) in model.invariants.iter().enumerate() {
        let subject = format!("invariant {}", invariant.name.as_str());
        let found = verified
            .evidence
            .iter()
            .find(|e| e.claim.subject == subject);
        let wanted = match (promise, at) {
            (Promise::Broken, 0) => Verdict::Refuted,
            (Promise::Broken, _) => continue,
            _ => Verdict::Proven,
        };
        match found {
            Some(evidence) if evidence.verdict == wanted => {}
            Some(evidence) => faults.push(format!(
                "{subject} is {}, not {}: {} {}",
                evidence.verdict.word(),
                wanted.word(),
                evidence.reason.as_deref().unwrap_or_default(),
                evidence.bounds.as_deref().unwrap_or_default()
            )),
            None => faults.push(format!("{subject} was not tried")),
        }
    }
    let findings = verified.findings.iter();
    match promise {
        Promise::Broken => {}
        Promise::Fixed => faults.extend(findings.map(|f| format!("{}: {}", f.code, f.message))),
        Promise::Undeclared => {
            if !verified
                .findings
                .iter()
                .any(|f| f.code == "undeclared-outcome")
            {
                faults.push("nothing is said about the error that it does not declare".to_owned());
            }
        }
    }
    faults
}

fn show(name: &str, verified: &Verified) {
    for evidence in &verified.evidence {
        let figure = |name: &str| {
            let found = evidence.figures.iter().find(|(known, _)| known == name);
            found.map_or(0.0, |(_, value)| *value)
        };
        let sessions = match &evidence.counterexample {
            Some(Counterexample::Timeline { sessions, .. }) => sessions.join(", "),
            _ => String::new(),
        };
        println!(
            "{name:52} {:34} {:9} {:>6} schedules {:>8.1?} {sessions}",
            evidence.claim.subject.trim_start_matches("invariant "),
            evidence.verdict.word(),
            figure("schedules"),
            evidence.duration
        );
    }
    for finding in &verified.findings {
        println!("{name:52} {} {}", finding.code, finding.message);
    }
}

/// Counterexamples that no spec can show, and why.
const NO_SPEC: &[(&str, &str)] = &[
    (
        "idempotency-key/broken-other-request.yaml",
        "the second caller ought to have been refused: its rows are right, and the spec says so",
    ),
    ("tenant-policy/broken-command-definer.yaml", ATTACKED),
    ("tenant-policy/broken-command.yaml", ATTACKED),
    ("tenant-policy/broken-definer.yaml", ATTACKED),
    ("tenant-policy/broken-key.yaml", ATTACKED),
    ("tenant-policy/broken-materialized-view.yaml", ATTACKED),
    ("tenant-policy/broken-reference.yaml", ATTACKED),
    ("tenant-policy/broken.yaml", ATTACKED),
];
const ATTACKED: &str = "statements of pgproof as a role of the design, which the report shows whole: no commands, and nothing that is saved";

/// The counterexample of what is broken, as a spec, shows its rows to PostgreSQL's own isolation tester; why not, where it does not.
fn shown_by_tester(
    cluster: &Cluster,
    environment: &Environment,
    name: &str,
    model: &Model,
    verified: &Verified,
) -> Option<String> {
    let first = format!("invariant {}", model.invariants.first()?.name.as_str());
    let mut evidence = verified.evidence.iter();
    let evidence = evidence.find(|e| e.claim.subject == first)?;
    let replay = match &evidence.counterexample {
        Some(Counterexample::Timeline {
            replay: Some(replay),
            ..
        }) => replay,
        _ => return Some("it has no counterexample that could be run again".to_owned()),
    };
    let stem = name.replace(['/', '.'], "-");
    let files = export(model, &compile(model).catalog, environment, replay, &stem);
    let files = files.expect("it can be exported");
    let (_, text) = files.first().expect("a spec is the first");
    let path = cluster.path().join(format!("{stem}.spec"));
    std::fs::write(&path, text).expect("a file can be written");
    let (said, wrong) = cluster.try_isolationtester(&path);
    if !wrong.is_empty() {
        return Some(format!("the isolation tester complains: {wrong}"));
    }
    let rows = violations(&said);
    let shown = match &replay.effects {
        // Lasting changes are counted, and no order in which they would be right has so many.
        Some(effects) => {
            let rows = rows.lines().filter(|line| line.matches('|').count() == 2);
            let row = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
            let seen: BTreeSet<Vec<String>> = rows.skip(1).map(row).collect();
            let right = effects.expected.iter().map(|table| {
                let rows = table.rows.iter();
                rows.map(|row| row.iter().flatten().cloned().collect())
                    .collect::<BTreeSet<Vec<String>>>()
            });
            !seen.is_empty() && !right.into_iter().any(|right| right == seen)
        }
        None => said.split("step violations").skip(1).any(|part| {
            part.lines()
                .any(|line| line.starts_with('(') && line.ends_with(')') && line != "(0 rows)")
        }),
    };
    (!shown).then(|| format!("the isolation tester shows no row that breaks it: {rows}"))
}

#[test]
fn every_case_says_what_it_promises() {
    let files = cases();
    assert!(!files.is_empty());
    let mut wrong = Vec::new();
    for file in &files {
        if Promise::of(file).is_none() {
            wrong.push(format!("{}: what is it?", name(file)));
        }
        let model = read(file);
        if model.invariants.is_empty() || model.commands.is_empty() {
            wrong.push(format!("{}: nothing can be raced", name(file)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_is_broken_is_refuted_and_what_is_fixed_is_proven() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let cluster = Cluster::start();
    let mut wrong = Vec::new();
    for file in cases() {
        let name = name(&file);
        let Some(promise) = Promise::of(&file) else {
            continue;
        };
        let model = read(&file);
        match verify(
            &[&model],
            &options(&name, promise),
            &server,
            &environment,
            &mut Quiet,
        )
        .await
        {
            Ok(verified) => {
                show(&name, &verified);
                let faults = faults(promise, &model, &verified);
                wrong.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
                if promise == Promise::Broken {
                    let fault = shown_by_tester(&cluster, &environment, &name, &model, &verified);
                    let excused = NO_SPEC.iter().find(|(known, _)| *known == name);
                    match (fault, excused) {
                        (Some(fault), None) => wrong.push(format!("{name}: {fault}")),
                        (None, Some(_)) => wrong.push(format!("{name}: a spec shows it after all")),
                        (Some(_), Some((_, why))) => println!("{name}: no spec shows it: {why}"),
                        (None, None) => {}
                    }
                }
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    server.stop().await.expect("stops");
    home.assert_clean();
}
