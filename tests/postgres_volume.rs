//! Plans at the declared volume on a real PostgreSQL, by local programs and in a container: what is broken only there is refuted, what is
//! missing is proposed, what nobody uses is found, and what is absurd is survived.

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use pgproof::assets::Assets;
use pgproof::compile::compile;
use pgproof::finding::{Counterexample, Evidence, Finding, Verdict};
use pgproof::postgres::Server;
use pgproof::template::environment;
use pgproof::verify::plan::{Plans, plans};
use pgproof::verify::{Run, Stage, Staged};
use support::Home;

async fn judged(server: &Server, text: &str) -> Plans {
    let model = design::model(text);
    let environment = environment(&Assets::builtin());
    let run = Run {
        server,
        seed: 1,
        command: "pgproof verify",
    };
    let compiled = compile(&model);
    let staged = Stage::open(server, &model, &compiled, &environment).await;
    let Staged::Ready(stage) = staged.expect("works") else {
        unreachable!("the design applies");
    };
    let found = plans(&run, &stage).await.expect("works");
    stage.close().await.expect("dropped");
    found
}

fn of<'a>(found: &'a Plans, subject: &str) -> &'a Evidence {
    let mut all = found.evidence.iter();
    all.find(|evidence| evidence.claim.subject == subject)
        .expect("was tried")
}

fn finding<'a>(found: &'a Plans, code: &str) -> Vec<&'a Finding> {
    found
        .findings
        .iter()
        .filter(|finding| finding.code == code)
        .collect()
}

/// Orders of a shop; `indexes` is what the design has of them, `rows` how many there are.
fn orders(indexes: &str, rows: &str, data: &str) -> String {
    format!(
        "pgproof: 1\ndesign: orders\ndatabase: {{engine: postgres, version: 15, schema: shop}}\n\
         tables:\n  customer:\n    grain: one customer\n    columns: {{customer_id: bigint, name: text}}\n    key: [customer_id]\n    volume: {{rows: 200k}}\n  \
         orders:\n    grain: one order\n    columns:\n      order_id: bigint\n      customer_id: {{type: bigint{data}}}\n      \
         state: {{type: text, data: {{values: {{open: 0.01, done: 0.99}}}}}}\n      placed_at: {{type: timestamptz, data: {{range: [2024-01-01, 2026-01-01], correlation: 1}}}}\n    \
         key: [order_id]\n    references:\n      fk_order_customer: {{columns: [customer_id], to: customer}}\n    indexes:\n{indexes}    volume: {{rows: {rows}, grows: 1M/month, horizon: 2 years}}\n\
         queries:\n  of-customer:\n    does: lists the orders of a customer\n    kind: interactive\n    params: {{customer_id: bigint}}\n    \
         sql: SELECT order_id, placed_at FROM orders WHERE customer_id = :customer_id ORDER BY placed_at DESC LIMIT 20\n"
    )
}

const GOOD: &str =
    "      ix_order_customer: {columns: [customer_id, placed_at desc], serves: [of-customer]}\n";
const USELESS: &str = "      ix_order_state: {columns: [state], because: somebody thought so}\n";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_is_missing_is_proposed_and_what_is_useless_is_found() {
    let home = Home::new();
    let server = home.server().await;
    let found = judged(&server, &orders(GOOD, "30M", "")).await;
    assert_eq!(
        of(&found, "query of-customer").verdict,
        Verdict::Held,
        "{found:#?}"
    );
    assert_eq!(found.findings, []);
    let capacity = of(&found, "capacity");
    assert_eq!(capacity.verdict, Verdict::Held, "{capacity:#?}");
    let bounds = capacity.bounds.as_deref().unwrap_or_default();
    assert!(
        bounds.contains("in 2 years") && bounds.contains("GB"),
        "{bounds}"
    );

    let both = format!("{GOOD}{USELESS}");
    let found = judged(&server, &orders(&both, "30M", "")).await;
    let unused = finding(&found, "unused-index");
    assert_eq!(unused.len(), 1, "{found:#?}");
    assert!(
        unused[0].message.contains("ix_order_state"),
        "{:?}",
        unused[0]
    );

    let found = judged(&server, &orders(USELESS, "30M", "")).await;
    let broken = of(&found, "query of-customer");
    assert_eq!(broken.verdict, Verdict::Refuted, "{broken:#?}");
    let shown = matches!(&broken.counterexample, Some(Counterexample::Plan { at_fault, .. }) if !at_fault.is_empty());
    assert!(shown, "a plan shows it: {broken:#?}");
    let missing = finding(&found, "missing-index");
    assert_eq!(missing.len(), 1, "{found:#?}");
    let help = missing[0].help.clone().unwrap_or_default();
    assert!(
        help.contains("columns: [customer_id, placed_at desc]"),
        "{help}"
    );
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_absurd_is_survived() {
    let home = Home::new();
    let server = home.local().await;
    for (rows, data) in [
        ("0", ""),
        ("1000000000000000", ""),
        ("30M", ", data: {distinct: 1000000000000}"),
        ("1", ", data: {skew: 3}"),
    ] {
        let found = judged(&server, &orders(GOOD, rows, data)).await;
        assert!(found.evidence.len() >= 3, "{rows}: {found:#?}");
    }
    server.stop().await.expect("stops");
    home.assert_clean();
}
