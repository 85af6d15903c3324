//! Plans of a database that is there: judged by its own statistics, without writing to it, and without a word about what it does not have.

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/program.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod program;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use pgproof::assets::Assets;
use pgproof::compile::compile;
use pgproof::finding::{Evidence, Verdict};
use pgproof::postgres::Target;
use pgproof::template::environment;
use pgproof::verify::plan::attached;
use pgproof::verify::{Stage, Staged};
use support::{Home, sql};

const DESIGN: &str = "\
pgproof: 1
design: shop
database: {engine: postgres, version: 15, schema: shop}
tables:
  customer:
    grain: one customer
    columns: {customer_id: bigint, name: text}
    key: [customer_id]
    volume: {rows: 2k}
  orders:
    grain: one order
    columns: {order_id: bigint, customer_id: bigint, state: text, placed_at: timestamptz}
    key: [order_id, placed_at]
    references:
      fk_order_customer: {columns: [customer_id], to: customer}
    partition: {by: placed_at, ranges: {orders_old: [2024-01-01, 2024-12-01], orders_new: [2024-12-01, 2026-01-01]}}
    indexes:
      ix_order_customer: {columns: [customer_id, placed_at desc], serves: [of-customer]}
      ix_order_state: {columns: [state], because: lists}
    volume: {rows: 60k, grows: 1k/month, horizon: 1 year}
  log:
    grain: one line
    columns: {log_id: bigint, line: text}
    key: [log_id]
    volume: {rows: 1M}
queries:
  of-customer:
    does: lists the orders of a customer
    params: {customer_id: bigint}
    sql: SELECT order_id FROM orders WHERE customer_id = :customer_id ORDER BY placed_at DESC LIMIT 20
    plan: {uses: [ix_order_customer]}
  of-a-time:
    does: counts the orders between two moments
    params: {low: timestamptz, high: timestamptz}
    sql: SELECT count(*) FROM orders WHERE placed_at >= :low AND placed_at < :high AND customer_id = 7
    plan: {partitions: <= 1 of orders, never: [seq scan]}
  in-state:
    does: lists the orders of a state
    params: {state: text}
    sql: SELECT order_id FROM orders WHERE state = :state
    plan: {uses: [ix_order_state]}
  by-name:
    does: finds a customer
    params: {name: text}
    sql: SELECT customer_id FROM customer WHERE name = :name
    plan: {never: [seq scan on customer]}
  of-log:
    does: reads a line
    params: {log_id: bigint}
    sql: SELECT line FROM log WHERE log_id = :log_id
  measured:
    does: is run
    sql: SELECT count(*) FROM customer
    plan: {estimates: within 10x}
";

const LOAD: &str = "\
INSERT INTO shop.customer SELECT g, 'customer ' || g FROM generate_series(1, 2000) AS g;
INSERT INTO shop.orders SELECT g, 1 + g % 2000, (ARRAY['open', 'done'])[1 + g % 2], timestamptz '2024-01-01' + g * interval '17 min' FROM generate_series(1, 60000) AS g;
DROP INDEX shop.ix_order_state; ANALYZE shop.customer, shop.orders; ALTER TABLE shop.log RENAME TO journal";

fn of<'a>(evidence: &'a [Evidence], subject: &str) -> &'a Evidence {
    let mut all = evidence.iter();
    let found = all.find(|evidence| evidence.claim.subject == subject);
    found.expect("was judged")
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_database_is_judged_by_its_own_statistics_and_left_alone() {
    let home = Home::new();
    let server = home.local().await;
    let model = design::model(DESIGN);
    let compiled = compile(&model);
    let templates = environment(&Assets::builtin());
    let staged = Stage::open(&server, &model, &compiled, &templates).await;
    let Staged::Ready(stage) = staged.expect("a server") else {
        unreachable!("the design applies");
    };
    let mut admin = stage.template.admin().await.expect("a session");
    admin.batch(&sql(LOAD)).await.expect("loaded");
    let socket = home.runs().pop().expect("one run").join("s");
    let host = socket.to_string_lossy().replace('/', "%2F");
    let database = stage.template.name().as_str();
    let url = format!("postgres://postgres@{host}/{database}");
    let target = Target::of(&url).expect("a URL");
    let found = attached(&target, &model, "pgproof explain").await;
    let found = found.expect("reached");

    let good = of(&found, "query of-customer");
    assert_eq!(good.verdict, Verdict::Held, "{good:#?}");
    let volume = good.setting.volume.as_deref().unwrap_or_default();
    assert!(
        volume.contains("attached to") && volume.contains("60,000 rows"),
        "{volume}"
    );
    let pruned = of(&found, "query of-a-time");
    assert_eq!(pruned.verdict, Verdict::Held, "{pruned:#?}");

    let said = |subject: &str| of(&found, subject).reason.clone().unwrap_or_default();
    let unchecked = |subject: &str| of(&found, subject).verdict == Verdict::Unchecked;
    assert!(
        unchecked("query in-state")
            && said("query in-state").contains("no index ix_order_state there")
    );
    assert!(unchecked("query of-log") && said("query of-log").contains("\"log\" does not exist"));
    assert!(
        unchecked("query measured") && said("query measured").contains("planned, not executed")
    );
    assert!(unchecked("volumes"), "{found:#?}");
    let broken = of(&found, "query by-name");
    assert_eq!(broken.verdict, Verdict::Refuted, "{broken:#?}");

    let mut reader = target.reader().await.expect("a session");
    let refused = reader.batch(&sql("DELETE FROM shop.customer")).await;
    assert_eq!(refused.expect_err("only reads").sqlstate.code(), "25006");
    drop(reader);

    std::fs::write(home.path().join("design.yaml"), DESIGN).expect("written");
    let told = program::pgproof(&[
        "explain",
        "design.yaml",
        "--server",
        &url,
        "--format",
        "json",
    ])
    .current_dir(home.path())
    .assert()
    .code(1);
    let report: serde_json::Value = serde_json::from_str(&program::stdout(&told)).expect("JSON");
    assert_eq!(
        report["summary"]["claims"]["refuted"], 1,
        "{:#}",
        report["summary"]
    );
    drop(admin);
    stage.close().await.expect("closes");
    server.stop().await.expect("stops");
}
