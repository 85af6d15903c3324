//! Plans on a real PostgreSQL: the worked designs' expectations hold on a sample; broken ones are noticed; refused SQL points into its block.

#[path = "support/design.rs"]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use pgproof::assets::Assets;
use pgproof::compile::compile;
use pgproof::design::Model;
use pgproof::finding::{Counterexample, Evidence, Finding, Verdict};
use pgproof::postgres::Server;
use pgproof::template::environment;
use pgproof::verify::plan::{plans, refused_statements};
use pgproof::verify::{Run, Stage, Staged};
use support::Home;

async fn judged(server: &Server, model: &Model) -> (Vec<Evidence>, Vec<Finding>, u64, u64) {
    let environment = environment(&Assets::builtin());
    let run = Run {
        server,
        seed: 1,
        command: "pgproof verify",
        rows: None,
    };
    let compiled = compile(model);
    let Staged::Ready(stage) = Stage::open(server, model, &compiled, &environment)
        .await
        .expect("works")
    else {
        unreachable!("the design applies");
    };
    let mut found = plans(&run, &stage).await.expect("works");
    found
        .findings
        .extend(refused_statements(&stage).await.expect("works"));
    stage.close().await.expect("dropped");
    (
        found.evidence,
        found.findings,
        found.mutants_made,
        found.mutants_killed,
    )
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn worked_designs_keep_their_plans() {
    let home = Home::new();
    let server = home.local().await;
    let mut wrong = Vec::new();
    for name in design::WORKED {
        let (evidence, findings, made, killed) = judged(&server, &design::worked(name)).await;
        for one in &evidence {
            if one.verdict < Verdict::Unchecked {
                wrong.push(format!(
                    "{name} {}: {:?} {:#?}",
                    one.claim.subject, one.reason, one.counterexample
                ));
            }
        }
        wrong.extend(
            findings
                .iter()
                .map(|f| format!("{name} {}: {}", f.subject, f.message)),
        );
        assert_eq!(made, killed, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.stop().await.expect("stops");
    home.assert_clean();
}

const BROKEN: &str = r#"
pgproof: 1
design: shop
title: Shop
database: {engine: postgres, version: 15, schema: shop}
tables:
  article:
    grain: one article
    role: truth
    owner: shop
    columns:
      id: bigint
      name: {type: text, data: {distinct: 20000}}
    key: [id]
    indexes:
      ix_article_name: {columns: [name], serves: [by-lower-name]}
    volume: {rows: 20k, grows: 1/month, horizon: 1 year}
queries:
  by-lower-name:
    does: finds by name, in a way that the index cannot serve
    kind: interactive
    pages_by: none
    params: {name: text}
    sql: |
      SELECT id, name FROM article
      WHERE lower(name) = :name
    plan: {uses: [ix_article_name]}
  by-name:
    does: finds by name
    kind: interactive
    pages_by: none
    params: {name: text}
    sql: SELECT id, name FROM article WHERE name = :name
    plan: {uses: [ix_article_name], never: [seq scan], returns: <= 5 rows}
  misspelt:
    does: calls a function that is not there
    kind: batch
    pages_by: none
    sql: |
      SELECT id,
             lenght(name) FROM article
"#;

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_broken_expectation_is_refuted_and_refused_sql_is_placed() {
    let home = Home::new();
    let server = home.local().await;
    let (evidence, findings, made, killed) = judged(&server, &design::model(BROKEN)).await;
    let of = |name: &str| {
        evidence
            .iter()
            .find(|e| e.claim.subject == format!("query {name}"))
            .expect("judged")
    };
    assert_eq!(of("by-lower-name").verdict, Verdict::Refuted);
    assert!(matches!(
        of("by-lower-name").counterexample,
        Some(Counterexample::Plan { .. })
    ));
    assert_eq!(of("by-name").verdict, Verdict::Held, "{:#?}", of("by-name"));
    assert_eq!((made, killed), (1, 1));
    let refused = findings
        .iter()
        .find(|f| f.code == "sql-refused")
        .expect("found");
    let place = refused.labels[0].at;
    let text = &BROKEN[place.start as usize..place.end as usize];
    assert_eq!(text, "lenght");
    server.stop().await.expect("stops");
    home.assert_clean();
}
