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
use pgproof::finding::{Counterexample, Evidence, Finding, Severity, Verdict};
use pgproof::postgres::Server;
use pgproof::template::environment;
use pgproof::verify::plan::{Plans, planned_queries, plans};
use pgproof::verify::{Run, Stage, Staged};
use support::Home;

async fn judged(server: &Server, text: &str) -> Plans {
    judged_as_it_is(server, design::model(text)).await
}

async fn judged_as_it_is(server: &Server, model: pgproof::design::Model) -> Plans {
    let environment = environment(&Assets::builtin());
    let run = Run {
        server,
        seed: 1,
        command: "pgproof verify",
        rows: None,
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

/// A design from its text, with how many faults it has.
fn with_faults(text: &str) -> (pgproof::design::Model, Vec<String>) {
    let mut sources = pgproof::source::SourceMap::new();
    let id = sources.add("design.yaml", text.to_owned());
    let root = pgproof::source::parse(&sources, id).expect("the design is YAML");
    let (model, findings) = pgproof::design::resolve(&root);
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let codes = errors.map(|finding| finding.code.clone()).collect();
    (model.expect("the design is a mapping"), codes)
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
/// A longer one finds the same.
const PREFIX: &str = "      ix_order_alone: {columns: [customer_id], because: habit}\n";
const COUNTED: &str = "  of-one:\n    does: finds the states of a customer's orders\n    params: {customer_id: bigint}\n    \
     sql: SELECT order_id, state FROM orders WHERE customer_id = :customer_id\n    plan: {uses: [ix_order_alone]}\n";
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

    let both = format!("{GOOD}{USELESS}{PREFIX}");
    let counted = format!("{}{COUNTED}", orders(&both, "30M", ""));
    let found = judged(&server, &counted).await;
    let useless = finding(&found, "useless-index");
    assert_eq!(useless.len(), 1, "{found:#?}");
    assert!(
        useless[0].message.contains("ix_order_alone"),
        "{:?}",
        useless[0]
    );
    let close = of(&found, "query of-one");
    let mut figures = close.figures.iter();
    let margin = figures.find(|(name, _)| name == "margin");
    let (_, margin) = margin.expect("the index was taken out");
    assert!((1.0..1.1).contains(margin), "{close:#?}");
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

/// Orders with commands that write them: `index` is one more index, `asked` what placing an order is to reach.
fn written(index: &str, asked: &str) -> String {
    let orders = orders(&format!("{GOOD}{index}"), "30M", "").replacen(
        "    volume: {rows: 30M",
        "    fillfactor: 70\n    volume: {rows: 30M",
        1,
    );
    format!(
        "{orders}commands:\n  place:\n    actor: shop\n    does: places an order\n    params: {{order_id: bigint, customer_id: bigint, placed_at: timestamptz}}\n{asked}    \
         steps:\n      - sql: INSERT INTO orders (order_id, customer_id, state, placed_at) VALUES (:order_id, :customer_id, 'open', :placed_at)\n  \
         finish:\n    actor: shop\n    does: finishes an order\n    params: {{order_id: bigint}}\n    steps:\n      \
         - {{as: found, sql: SELECT state FROM orders WHERE order_id = :order_id FOR UPDATE}}\n      - {{require: found.rows == 1, otherwise: unknown}}\n      \
         - sql: UPDATE orders SET state = 'gone' WHERE order_id = :order_id\n"
    )
}

fn figure(evidence: &Evidence, name: &str) -> f64 {
    let found = evidence.figures.iter().find(|(own, _)| own == name);
    found.map_or(f64::NAN, |(_, value)| *value)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_commands_cost_is_measured() {
    let home = Home::new();
    let server = home.server().await;
    let found = judged(
        &server,
        &written(
            "",
            "    runs: 10/s\n    within: {p95: 10 s}\n    batch: {of: 20, reaches: 10/s}\n",
        ),
    )
    .await;
    let place = of(&found, "command place");
    assert_eq!(place.verdict, Verdict::Held, "{place:#?}");
    assert!(
        place
            .claim
            .statement
            .contains("10 a second in transactions of 20"),
        "{place:#?}"
    );
    assert_eq!(figure(place, "together_of"), 20.0, "{place:#?}");
    for name in ["calls", "a_second", "a_second_together", "wal_bytes"] {
        assert!(figure(place, name) >= 1.0, "{name}: {place:#?}");
    }
    let finish = of(&found, "command finish");
    assert_eq!(finish.verdict, Verdict::Held, "{finish:#?}");
    let updates = figure(finish, "updates");
    assert!(
        updates >= 4.0 && figure(finish, "hot_updates") > 0.9 * updates,
        "{finish:#?}"
    );
    let reviewed = of(&found, "indexes")
        .measured
        .clone()
        .expect("a line for each index");
    let cost = reviewed.rows[0]
        .last()
        .cloned()
        .flatten()
        .unwrap_or_default();
    assert!(
        cost.ends_with(" bytes") && !cost.starts_with("0 "),
        "{reviewed:?}"
    );
    let capacity = of(&found, "capacity")
        .measured
        .clone()
        .expect("a line for each table and index");
    let lines: Vec<_> = capacity
        .rows
        .iter()
        .filter_map(|row| row[0].clone())
        .collect();
    assert_eq!(
        lines,
        [
            "customer",
            "└ customer_pkey",
            "orders",
            "└ orders_pkey",
            "└ ix_order_customer"
        ]
    );

    // One index on what is updated, and no update is HOT; and nobody writes a billion orders a second.
    let found = judged(&server, &written(USELESS, "    runs: 1B/s\n")).await;
    let finish = of(&found, "command finish");
    assert_eq!(figure(finish, "hot_updates"), 0.0, "{finish:#?}");
    assert!(figure(finish, "updates") >= 4.0, "{finish:#?}");
    let refuted = of(&found, "command place");
    assert_eq!(refuted.verdict, Verdict::Refuted, "{refuted:#?}");
    let dearer = figure(refuted, "wal_bytes");
    assert!(dearer > figure(place, "wal_bytes"), "{dearer}: {place:#?}");
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_absurd_is_survived() {
    let home = Home::new();
    let server = home.local().await;
    // What `check` calls impossible is not verified by the command; who calls the library anyway gets an answer.
    for (rows, data, faults) in [
        ("0", "", 0),
        ("1000000000000000", "", 1),
        ("30M", ", data: {distinct: 1000000000000}", 1),
        ("1", ", data: {skew: 3}", 0),
    ] {
        let (model, said) = with_faults(&orders(GOOD, rows, data));
        assert_eq!(said.len(), faults, "{said:?}");
        let found = judged_as_it_is(&server, model).await;
        assert!(found.evidence.len() >= 3, "{rows}: {found:#?}");
    }
    server.stop().await.expect("stops");
    home.assert_clean();
}

/// The declared spread is what the planner sees of it, and a design that nobody tuned for is not put down to what its sample happens to be.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn intervals_trees_and_ranges_are_planned_as_declared_and_causes_are_named() {
    let home = Home::new();
    let server = home.server().await;
    let text = include_str!("cases/plan/halls.yaml");
    let found = judged(&server, text).await;
    let verdict = |subject: &str| of(&found, subject).verdict;
    // A sample in which topics stand above each other in a circle is never done.
    assert_eq!(verdict("query way-up"), Verdict::Held, "{found:#?}");
    assert_eq!(verdict("query below"), Verdict::Held);
    assert_eq!(verdict("capacity"), Verdict::Held);
    assert_eq!(verdict("query of-topic"), Verdict::Refuted);
    let causes = finding(&found, "index-out-of-reach");
    assert_eq!(causes.len(), 1, "{causes:#?}");
    assert!(causes[0].message.contains("`topic_id`") && causes[0].message.contains("numeric"));
    // What an index over all of the table finds is no better found than by reading the table, though it is no sequential scan.
    assert_eq!(verdict("query by-number"), Verdict::Held);
    let missing = finding(&found, "missing-index");
    let cures: Vec<(&str, Severity, bool)> = missing
        .iter()
        .map(|finding| {
            let help = finding.help.as_deref().unwrap_or_default();
            let cured = help.contains("columns: [booking_id]") || help.contains("columns: [code]");
            (finding.subject.as_str(), finding.severity, cured)
        })
        .collect();
    let expected = [
        ("query by-number", Severity::Advice, true),
        ("command drop-held", Severity::Warning, true),
    ];
    assert_eq!(cures, expected, "{missing:#?}");

    let model = design::model(text);
    let compiled = compile(&model);
    let templates = environment(&Assets::builtin());
    let staged = Stage::open(&server, &model, &compiled, &templates).await;
    let Staged::Ready(stage) = staged.expect("a server") else {
        unreachable!("the design applies");
    };
    let declared = planned_queries(&stage, 1).await.expect("plans");
    let rows = |name: &str| {
        let mut queries = declared.queries.iter();
        let query = queries.find(|query| query.name == name);
        let plan = query.and_then(|query| query.plan.as_ref());
        let nodes = plan.into_iter().flat_map(|plan| plan.nodes());
        // Each of several workers has a part of them.
        nodes.map(|node| node.rows).fold(0.0, f64::max)
    };
    // 5 of 401 values, and 365 of 1,127 days.
    let near = |rows: f64, truth: f64| (0.8..1.25).contains(&(rows / truth));
    assert!(near(rows("few-guests"), 6_230.0), "{}", rows("few-guests"));
    assert!(near(rows("by-year"), 162_000.0), "{}", rows("by-year"));
    let sizes = |name: &str| {
        let mut sizes = declared.sizes.iter();
        sizes
            .find(|size| size.relation == name)
            .map_or((0.0, 0.0), |size| (size.tuples, size.pages))
    };
    // A row of a hall takes about 300 bytes; seven bookings of ten are held or sure.
    let (halls, pages) = sizes("hall");
    assert!(near(pages * 8192.0 / halls, 300.0), "{pages} pages");
    let (entries, _) = sizes("booking_one_at_a_time_excl");
    assert!(near(entries, 350_000.0), "{entries}");
    stage.close().await.expect("dropped");

    let unknown = text.replace(
        "type: ltree, data: {distinct: 2000}",
        "type: ltree, data: {values: {'no tree': 1}}",
    );
    let found = judged(&server, &unknown).await;
    assert!(found.evidence.len() > 6, "{found:#?}");
    let said = |evidence: &Evidence| {
        let reason = evidence.reason.as_deref().unwrap_or_default();
        evidence.verdict == Verdict::Unchecked && reason.contains("table `hall`")
    };
    assert!(found.evidence.iter().all(said), "{found:#?}");
    server.stop().await.expect("stops");
}
