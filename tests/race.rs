//! Classical races on a real PostgreSQL: broken designs are refuted, fixed ones proven.
#![expect(
    clippy::print_stdout,
    clippy::panic,
    reason = "a test says what it saw"
)]

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::collections::BTreeMap;

use pgproof::assets::Assets;
use pgproof::catalog::ObjectPath;
use pgproof::compile::{self, Compiled};
use pgproof::design::{Model, resolve};
use pgproof::finding::{Counterexample, Finding, MomentKind, Verdict};
use pgproof::postgres::{Database, Server};
use pgproof::source::SourceMap;
use pgproof::template::environment;
use pgproof::verify::race::{Ground, RaceOptions, RaceResult, Racer};
use support::Home;

struct Design {
    model: Model,
    compiled: Compiled,
}

fn design(text: &str) -> Design {
    let mut map = SourceMap::new();
    let id = map.add("design.yaml", text.to_owned());
    let node = pgproof::source::parse(&map, id).expect("the YAML of a test is sound");
    let (model, findings) = resolve(&node);
    let model = model.unwrap_or_else(|| panic!("{findings:?}"));
    let compiled = compile::compile(&model);
    Design { model, compiled }
}

async fn apply(server: &Server, design: &Design) -> Database {
    let script =
        compile::ddl(&design.compiled.catalog, &environment(&Assets::builtin())).expect("compiles");
    let database = server.create_database("race").await.expect("a database");
    for (role, made) in &design.compiled.catalog.roles {
        server
            .ensure_role(role, made.bypass_rls)
            .await
            .expect("a role");
    }
    let mut owner = database.session().await.expect("a session");
    let mut admin = database.admin().await.expect("a session");
    for statement in &script.statements {
        let run = match &statement.object {
            ObjectPath::Extension(_) => admin.batch(&statement.sql).await,
            ObjectPath::Role(_) if !statement.sql.as_str().starts_with("GRANT ") => Ok(()),
            _ => owner.batch(&statement.sql).await,
        };
        run.unwrap_or_else(|failure| panic!("{}: {failure:?}", statement.sql));
    }
    drop((owner, admin));
    database
}

async fn run(server: &Server, design: &Design) -> (BTreeMap<String, RaceResult>, Vec<Finding>) {
    let template = apply(server, design).await;
    let ground = Ground {
        model: &design.model,
        catalog: &design.compiled.catalog,
        server,
        template: &template,
    };
    let mut racer = Racer::open(ground, &RaceOptions::default())
        .await
        .expect("a racer");
    let mut results = BTreeMap::new();
    for invariant in &design.model.invariants {
        let result = racer.race(invariant).await.expect("a race");
        println!(
            "{}: {:?} {:?} {:?}",
            invariant.name.as_str(),
            result.verdict,
            result.reason,
            result.bounds
        );
        results.insert(invariant.name.as_str().to_owned(), result);
    }
    let findings = racer.findings();
    racer.close().await.expect("closes");
    (results, findings)
}

/// What PostgreSQL 15 needs around tables, invariants and commands.
fn whole(name: &str, body: &str) -> String {
    format!(
        "pgproof: 1\ndesign: {name}\ndatabase: {{engine: postgres, version: 15, schema: app}}\n{body}"
    )
}

fn show(counterexample: &Counterexample) {
    if let Counterexample::Timeline {
        sessions,
        start,
        moments,
        rows,
    } = counterexample
    {
        println!("{sessions:?}\n{start:#?}");
        for moment in moments {
            let indent = " ".repeat(moment.session * 40);
            println!(
                "{indent}{:?} {} -> {}",
                moment.kind, moment.text, moment.result
            );
        }
        println!("{rows:?}");
    }
}

async fn verdict(name: &str, body: &str, wanted: Verdict) -> RaceResult {
    let home = Home::new();
    let server = home.local().await;
    let (mut results, findings) = run(&server, &design(&whole(name, body))).await;
    server.stop().await.expect("stops");
    assert!(findings.is_empty(), "{findings:#?}");
    let (_, result) = results.pop_first().expect("an invariant");
    if let Some(counterexample) = &result.counterexample {
        show(counterexample);
    }
    assert_eq!(result.verdict, wanted, "{:?}", result.reason);
    result
}

const COUNTER: &str = "
tables:
  counter:
    grain: one counter
    columns: {counter_id: int, hits: int, counted: int}
    key: [counter_id]
invariants:
  every-hit-counts:
    never: a hit is lost
    holds: SELECT counter_id, hits, counted FROM counter WHERE hits <> counted
    enforced: ENFORCED
commands:
  hit:
    actor: someone
    does: counts a hit
    params: {counter_id: int}
    steps:
      - as: found
        sql: SELECT hits FROM counter WHERE counter_id = :counter_id LOCK
      - require: found.rows == 1
        otherwise: unknown
      - sql: UPDATE counter SET hits = CAST(:found.hits AS int) + 1, counted = counted + 1 WHERE counter_id = :counter_id
states:
  one: {counter: [{counter_id: 1, hits: 0, counted: 0}]}
";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_lost_update_is_found() {
    let body = COUNTER
        .replace("ENFORCED", "application")
        .replace("LOCK", "");
    let result = verdict("lost-update", &body, Verdict::Refuted).await;
    let Some(Counterexample::Timeline {
        sessions,
        moments,
        rows,
        ..
    }) = result.counterexample
    else {
        panic!("a timeline");
    };
    assert_eq!(sessions, ["A: hit", "B: hit"]);
    assert_eq!(rows.columns, ["counter_id", "hits", "counted"]);
    assert_eq!(rows.rows.len(), 1);
    assert!(
        moments
            .iter()
            .any(|moment| moment.kind == MomentKind::Committed)
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn no_update_is_lost_behind_a_lock() {
    let body = COUNTER
        .replace("ENFORCED", "transaction")
        .replace("LOCK", "FOR UPDATE");
    verdict("locked-update", &body, Verdict::Proven).await;
}

fn worked(name: &str) -> Design {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("designs")
        .join(name)
        .join("design.yaml");
    design(&std::fs::read_to_string(path).expect("a worked design"))
}

/// Every invariant of a worked design, and every mutant of it.
async fn verify_worked(name: &str) {
    let home = Home::new();
    let server = home.local().await;
    let design = worked(name);
    let started = std::time::Instant::now();
    let template = apply(&server, &design).await;
    let ground = Ground {
        model: &design.model,
        catalog: &design.compiled.catalog,
        server: &server,
        template: &template,
    };
    let mut racer = Racer::open(ground, &RaceOptions::default())
        .await
        .expect("a racer");
    println!("{name}: rehearsed in {:?}", started.elapsed());
    for invariant in &design.model.invariants {
        let from = std::time::Instant::now();
        let result = racer.race(invariant).await.expect("a race");
        let figure = |wanted: &str| {
            result
                .figures
                .iter()
                .find(|(name, _)| name == wanted)
                .map_or(0.0, |(_, n)| *n)
        };
        println!(
            "  {}: {} in {:?}; {} trials {} schedules +{} cut, {} waits, {} deadlocks; {:?}",
            invariant.name.as_str(),
            result.verdict.word(),
            from.elapsed(),
            figure("trials"),
            figure("schedules"),
            figure("schedules_cut_off"),
            figure("waits"),
            figure("deadlocks"),
            result.reason
        );
        if let Some(counterexample) = &result.counterexample {
            show(counterexample);
        }
    }
    for finding in racer.findings() {
        println!(
            "  finding {}: {} ({:?})",
            finding.code, finding.message, finding.labels[0].text
        );
    }
    let mutable = racer.mutable();
    racer.close().await.expect("closes");
    let only = std::env::var("ONLY").unwrap_or_default();
    for mechanism in design
        .compiled
        .mechanisms
        .iter()
        .filter(|mechanism| mechanism.title.contains(&only))
    {
        let Some(invariant) = mechanism.invariant.as_ref().and_then(|name| {
            design
                .model
                .invariants
                .iter()
                .find(|invariant| invariant.name.as_str() == name.as_str())
        }) else {
            continue;
        };
        let from = std::time::Instant::now();
        let mut mutant = Design {
            model: design.model.clone(),
            compiled: design.compiled.clone(),
        };
        for object in &mechanism.objects {
            mutant.compiled.catalog.remove(object);
        }
        let template = apply(&server, &mutant).await;
        let applied = from.elapsed();
        let ground = Ground {
            model: &mutant.model,
            catalog: &mutant.compiled.catalog,
            server: &server,
            template: &template,
        };
        let mut racer = Racer::open_mutant(ground, invariant, &mutable)
            .await
            .expect("a racer");
        let opened = from.elapsed();
        let result = racer.race(invariant).await.expect("a race");
        println!(
            "  without {}: {} is {} after {applied:?} + {:?} + {:?} {:?}",
            mechanism.title,
            invariant.name.as_str(),
            if result.is_noticed() {
                "noticed"
            } else {
                "NOT NOTICED"
            },
            opened - applied,
            from.elapsed() - opened,
            result.refused_by
        );
        racer.close().await.expect("closes");
    }
    println!("{name}: {:?}", started.elapsed());
    server.stop().await.expect("stops");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn case_assignment_holds() {
    verify_worked("case-assignment").await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn ledger_holds() {
    verify_worked("ledger").await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn commerce_holds() {
    verify_worked("commerce").await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn review_operations_holds() {
    verify_worked("review-operations").await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn notifications_holds() {
    verify_worked("notifications").await;
}
