//! Plans from a declaration alone against plans of a database that is really loaded: 2.7 million rows, skewed, partitioned, with partial,
//! covering and BRIN indexes.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::time::Instant;

use pgproof::assets::Assets;
use pgproof::compile::compile;
use pgproof::explain::{PlanTree, parse};
use pgproof::postgres::{Server, Session};
use pgproof::sql::SqlText;
use pgproof::template::environment;
use pgproof::verify::plan::planned_queries;
use pgproof::verify::{Stage, Staged};
use support::Home;

/// What the design declares, made by the server itself: nothing of pgproof's generator is in it. A rank by Zipf's law is found among the
/// cumulated shares of all ranks.
const LOAD: &[&str] = &[
    "SELECT setseed(0.5)",
    "CREATE FUNCTION pg_temp.shares(ranks int, exponent float8) RETURNS float8[] LANGUAGE sql AS $$ \
     SELECT array_agg(least(upto / total, 1) ORDER BY k) FROM (SELECT k, sum(power(k, -exponent)) OVER (ORDER BY k) AS upto, \
     sum(power(k, -exponent)) OVER () AS total FROM generate_series(1, ranks) AS k) AS ranked $$",
    "INSERT INTO shop.account SELECT g, rpad('account-' || g, 22, '.'), \
     CASE WHEN r < 0.9 THEN 'free' WHEN r < 0.99 THEN 'pro' ELSE 'enterprise' END, 1 + floor(random() * 40), \
     timestamptz '2020-01-01' + g / 200000.0 * interval '2192 days', \
     CASE WHEN random() >= 0.95 THEN timestamptz '2024-01-01' + random() * interval '731 days' END \
     FROM (SELECT g, random() AS r FROM generate_series(1, 200000) AS g) AS x",
    "INSERT INTO shop.event SELECT g, least(200000, 1 + width_bucket(random(), accounts.shares)), \
     CASE WHEN r < 0.7 THEN 'view' WHEN r < 0.9 THEN 'click' WHEN r < 0.99 THEN 'buy' ELSE 'refund' END, \
     least(5000, 1 + width_bucket(random(), devices.shares)), \
     CASE WHEN random() >= 0.8 THEN 1 + random() * 999 END, \
     timestamptz '2025-01-01' + g / 1000000.0 * interval '365 days', 1 + floor(random() * 100000) \
     FROM (SELECT pg_temp.shares(200000, 0.8) AS shares OFFSET 0) AS accounts, (SELECT pg_temp.shares(5000, 1.1) AS shares OFFSET 0) AS devices, \
     (SELECT g, random() AS r FROM generate_series(1, 1000000) AS g) AS x",
    "INSERT INTO shop.measurement SELECT 1 + floor(random() * 2000), timestamptz '2025-01-01' + g / 1000000.0 * interval '364 days', g, random() * 100 \
     FROM generate_series(1, 1000000) AS g",
    "INSERT INTO shop.tag SELECT DISTINCT ON (1, 2) 1 + floor(random() * 1000000), \
     CASE WHEN r < 0.5 THEN 'hot' WHEN r < 0.8 THEN 'cold' WHEN r < 0.95 THEN 'big' ELSE 'odd' END \
     FROM (SELECT g, random() AS r FROM generate_series(1, 550000) AS g) AS x ORDER BY 1, 2",
];

async fn planned(session: &mut Session, sql: &str) -> PlanTree {
    let explain = SqlText::authored(format!("EXPLAIN (FORMAT JSON) {sql}"));
    let rows = session.query(&explain).await.expect("a plan").rows;
    let lines: Vec<&str> = rows.iter().filter_map(|row| row[0].as_deref()).collect();
    parse(&serde_json::from_str(&lines.join("\n")).expect("JSON")).expect("a plan")
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_declaration_plans_as_the_loaded_database_does() {
    let home = Home::new();
    let server = home.local().await;
    let model = design::model(include_str!("cases/plan/shop.yaml"));
    let compiled = compile(&model);
    let templates = environment(&Assets::builtin());
    let staged = Stage::open(&server, &model, &compiled, &templates).await;
    let Staged::Ready(stage) = staged.expect("a server") else {
        unreachable!("the design applies");
    };
    let began = Instant::now();
    let declared = planned_queries(&stage, 1).await.expect("plans");
    println!("from the declaration: {:.1?}", began.elapsed());

    let began = Instant::now();
    let loaded = stage.copy().await.expect("a copy");
    let mut admin = loaded.admin().await.expect("a session");
    let indexes = "SELECT replace(indexdef, ' ON ONLY ', ' ON ') FROM pg_indexes WHERE schemaname = 'shop' AND indexname LIKE 'ix%'";
    let indexes = admin
        .query(&SqlText::authored(indexes))
        .await
        .expect("indexes")
        .rows;
    for name in [
        "ix_account_region",
        "ix_event_account",
        "ix_event_created",
        "ix_event_device",
        "ix_event_refund",
        "ix_event_score",
        "ix_measurement_sensor",
    ] {
        let drop = SqlText::authored(format!("DROP INDEX shop.{name}"));
        admin.batch(&drop).await.expect("dropped");
    }
    // VACUUM takes a row for visible to all only once the commit that wrote it is on disk.
    let quiet = "SET session_replication_role = replica; SET synchronous_commit = on";
    let quiet = SqlText::authored(quiet);
    admin.batch(&quiet).await.expect("quiet");
    for statement in LOAD {
        admin
            .batch(&SqlText::authored(*statement))
            .await
            .expect("loaded");
    }
    for index in indexes {
        let create = SqlText::authored(index[0].clone().unwrap_or_default());
        admin.batch(&create).await.expect("indexed");
    }
    admin
        .batch(&SqlText::authored("VACUUM (ANALYZE)"))
        .await
        .expect("analysed");
    println!("loaded: {:.1?}", began.elapsed());

    let sizes = "SELECT relname, relpages, reltuples FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'i') AND relpages > 100 ORDER BY 1";
    let sizes = admin
        .query(&SqlText::authored(sizes))
        .await
        .expect("sizes")
        .rows;
    for row in sizes {
        let name = row[0].clone().unwrap_or_default();
        let number = |at: usize| {
            row[at]
                .as_deref()
                .and_then(|text| text.parse::<f64>().ok())
                .unwrap_or(0.0)
        };
        if let Some(planned) = declared.sizes.iter().find(|size| size.relation == name) {
            println!(
                "{name:45} pages {:>7} of {:>7}: x{:.3}, rows {:>8.0} of {:>8}",
                planned.pages,
                number(1),
                planned.pages / number(1),
                planned.tuples,
                number(2)
            );
        }
    }
    let declared = declared.queries;
    let mut session = stage.session(&loaded).await.expect("a session");
    let set = SqlText::authored("SET random_page_cost = 1.1");
    session.batch(&set).await.expect("set");
    let (mut same, mut costs) = (0, Vec::new());
    for query in &declared {
        let real = planned(&mut session, &query.sql).await;
        let Some(plan) = &query.plan else {
            println!("{:28} not planned", query.name);
            continue;
        };
        let cost = |plan: &PlanTree| plan.root().map_or(0.0, |root| root.total_cost.max(0.01));
        let ratio = cost(plan) / cost(&real);
        costs.push(ratio.max(1.0 / ratio));
        let agrees = plan.shape() == real.shape();
        same += usize::from(agrees);
        println!(
            "{:28} {} cost x{ratio:.2}",
            query.name,
            if agrees { "same " } else { "OTHER" }
        );
        if !agrees {
            session
                .batch(&SqlText::authored("SET enable_seqscan = off"))
                .await
                .expect("set");
            let forced = planned(&mut session, &query.sql).await;
            session
                .batch(&SqlText::authored("RESET enable_seqscan"))
                .await
                .expect("set");
            println!(
                "  without sequential scans:\n    {}",
                forced.lines().join("\n    ")
            );
        }
        if !agrees || ratio.max(1.0 / ratio) > 2.0 {
            println!(
                "  declared:\n    {}\n  loaded:\n    {}",
                plan.lines().join("\n    "),
                real.lines().join("\n    ")
            );
        }
    }
    costs.sort_by(f64::total_cmp);
    println!(
        "{same} of {} plans are the same, costs differ by x{:.2} (median)",
        declared.len(),
        costs[costs.len() / 2]
    );
    assert!(declared.len() >= 40);
    assert!(
        same * 100 >= declared.len() * 93,
        "{same} of {}",
        declared.len()
    );
    drop((admin, session));
    stage.close().await.expect("closes");
    server.stop().await.expect("stops");
}

/// Every city lies in one country, every street in one city.
const PLACES: &[&str] = &[
    "SELECT setseed(0.5)",
    "CREATE FUNCTION pg_temp.shares(ranks int, exponent float8) RETURNS float8[] LANGUAGE sql AS $$ \
     SELECT array_agg(least(upto / total, 1) ORDER BY k) FROM (SELECT k, sum(power(k, -exponent)) OVER (ORDER BY k) AS upto, \
     sum(power(k, -exponent)) OVER () AS total FROM generate_series(1, ranks) AS k) AS ranked $$",
    "CREATE TEMP TABLE place AS SELECT g AS city, least(200, 1 + width_bucket(random(), shares)) AS country \
     FROM (SELECT pg_temp.shares(200, 0.8) AS shares OFFSET 0) AS s, generate_series(1, 12000) AS g",
    "INSERT INTO app.address SELECT g, country, city, city * 10 + floor(random() * 10) \
     FROM (SELECT g, 1 + floor(random() * 12000)::int AS at FROM generate_series(1, 400000) AS g) AS x JOIN place ON city = at",
    "VACUUM (ANALYZE)",
    "SET search_path = app",
];

/// Rows that are expected of each query: from the declaration, and in the loaded database.
async fn expected_rows(server: &Server, text: &str) -> Vec<(String, f64, f64)> {
    let model = design::model(text);
    let compiled = compile(&model);
    let templates = environment(&Assets::builtin());
    let staged = Stage::open(server, &model, &compiled, &templates).await;
    let Staged::Ready(stage) = staged.expect("a server") else {
        unreachable!("the design applies");
    };
    let declared = planned_queries(&stage, 1).await.expect("plans").queries;
    let loaded = stage.copy().await.expect("a copy");
    let mut admin = loaded.admin().await.expect("a session");
    for statement in PLACES {
        let statement = SqlText::authored(*statement);
        admin.batch(&statement).await.expect("loaded");
    }
    let rows = |plan: &PlanTree| plan.root().map_or(0.0, |root| root.rows);
    let mut found = Vec::new();
    for query in &declared {
        // Values that go together here: those of the sample are others.
        let sql = match query.name.as_str() {
            "in-city" => {
                let place = SqlText::authored("SELECT city, country FROM place WHERE city = 4711");
                let place = admin.query(&place).await.expect("a place").rows.remove(0);
                let value = |at: usize| place[at].clone().unwrap_or_default();
                format!(
                    "SELECT address_id FROM address WHERE city = {} AND country = {}",
                    value(0),
                    value(1)
                )
            }
            _ => query.sql.clone(),
        };
        let real = planned(&mut admin, &sql).await;
        let plan = query.plan.as_ref().expect("planned");
        println!(
            "{:12} {:>9} rows declared, {:>9} loaded",
            query.name,
            rows(plan),
            rows(&real)
        );
        found.push((query.name.clone(), rows(plan), rows(&real)));
    }
    drop(admin);
    stage.close().await.expect("closes");
    found
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn columns_that_hang_together_are_estimated_as_in_the_loaded_database() {
    let home = Home::new();
    let server = home.local().await;
    let text = include_str!("cases/plan/address.yaml");
    for (name, declared, loaded) in expected_rows(&server, text).await {
        let ratio = declared / loaded;
        assert!((0.66..1.5).contains(&ratio), "{name}: {declared} {loaded}");
    }
    // Without them columns are taken for independent.
    let (before, rest) = text.split_once("    statistics:\n").expect("statistics");
    let (_, after) = rest.split_once("    volume").expect("a volume");
    let model = design::model(&format!("{before}    volume{after}"));
    let compiled = compile(&model);
    let templates = environment(&Assets::builtin());
    let staged = Stage::open(&server, &model, &compiled, &templates).await;
    let Staged::Ready(stage) = staged.expect("a server") else {
        unreachable!("the design applies");
    };
    let apart = planned_queries(&stage, 1).await.expect("plans").queries;
    let cities = apart.iter().find(|query| query.name == "cities");
    let root = cities.and_then(|query| query.plan.as_ref()?.root());
    assert!(root.is_some_and(|root| root.rows > 24_000.0), "{apart:?}");
    stage.close().await.expect("closes");
    server.stop().await.expect("stops");
}
