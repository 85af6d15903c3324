//! How long it takes to judge a catalogue of queries at the volume that a design declares: 50 queries over 80 relations at 4 moments, with
//! the review of all indexes; how long until a table of a billion rows can be planned; and how large indexes are foretold to become,
//! beside how large PostgreSQL makes them and what HypoPG (Debian: `postgresql-15-hypopg`) says.
//!
//! Needs PostgreSQL's server programs, and a user that the server may run as.
#![expect(clippy::print_stdout, clippy::panic, reason = "a benchmark prints")]

use std::fmt::Write as _;
use std::time::Instant;

use pgproof::postgres::Session;
use pgproof::postgres::{Places, Server, ServerChoice, ServerOptions};
use pgproof::sql::{SqlText, fill, fixed, literal};
use pgproof::verify::Run;
use pgproof::verify::plan::{planned_queries, plans};

mod support;
use support::{design, stage};

const TABLES: usize = 20;
const QUERIES: usize = 50;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|e| panic!("no runtime: {e}"));
    runtime.block_on(bench());
}

async fn bench() {
    let places = Places::from_environment(|name| std::env::var_os(name));
    let options = ServerOptions::new(ServerChoice::Local, 15, places);
    let server = Server::start(&options)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    println!("PostgreSQL {}", server.version());

    let design = design(&catalogue());
    let stage = stage(&server, &design).await;
    let began = Instant::now();
    let planned = planned_queries(&stage, 1).await;
    let planned = planned.unwrap_or_else(|e| panic!("{e}"));
    let once = began.elapsed().as_secs_f64();
    let relations = planned.sizes.len();
    println!(
        "{QUERIES} queries on {relations} relations at 1 moment, the sample made for it: {once:.1} s"
    );
    let run = Run {
        server: &server,
        seed: 1,
        command: "pgproof verify",
        rows: None,
    };
    let began = Instant::now();
    let found = plans(&run, &stage).await.unwrap_or_else(|e| panic!("{e}"));
    let all = began.elapsed().as_secs_f64();
    println!(
        "the same at 4 moments, with flips, generic plans, {} mutants and the review of all indexes: {all:.1} s",
        found.mutants_made
    );
    let queries = found.evidence.iter();
    let queries = queries.filter(|e| e.claim.subject.starts_with("query "));
    let queries: f64 = queries.map(|e| e.duration.as_secs_f64()).sum();
    println!("of these the queries, run on the sample and planned: {queries:.1} s");
    let review = found.evidence.iter().find(|e| e.claim.subject == "indexes");
    let review = review.map_or(f64::NAN, |review| review.duration.as_secs_f64());
    println!(
        "of these the review of {} indexes: {review:.1} s",
        2 * TABLES
    );
    stage.close().await.unwrap_or_else(|e| panic!("{e}"));

    let large = support::design(
        "tables:\n  big:\n    grain: one row\n    columns: {id: bigint, n: int}\n    key: [id]\n    volume: {rows: 1B}\n\
         queries:\n  one:\n    does: finds one\n    params: {id: bigint}\n    sql: SELECT n FROM big WHERE id = :id\n",
    );
    let stage = support::stage(&server, &large).await;
    let began = Instant::now();
    let planned = planned_queries(&stage, 1).await;
    let planned = planned.unwrap_or_else(|e| panic!("{e}"));
    println!(
        "a table of 1,000,000,000 rows: {:.0} ms; with its sample of 30,000 made for it: {:.2} s",
        planned.enlarged.as_secs_f64() * 1000.0,
        began.elapsed().as_secs_f64()
    );
    stage.close().await.unwrap_or_else(|e| panic!("{e}"));
    sizes(&server).await;
    server.stop().await.unwrap_or_else(|e| panic!("{e}"));
}

/// Rows of the table whose indexes are really built.
const ROWS: &str = "1M";

const READINGS: &str = "\
CREATE TABLE reading (id bigint PRIMARY KEY, account_id int NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, device uuid NOT NULL);\n\
INSERT INTO reading SELECT n, hashint8(n) & 65535, timestamptz '2024-01-01' + n * interval '60 s', 'kind' || hashint8(n + 7) % 5, gen_random_uuid()\n\
FROM generate_series(1, 1000000) AS n;\n\
VACUUM ANALYZE reading";

/// Indexes by name, and what each is on.
const INDEXES: [(&str, &str); 4] = [
    ("ix_at", "at"),
    ("ix_kind_at", "kind, at"),
    ("ix_account_kind", "account_id, kind"),
    ("ix_device", "device"),
];

/// Bytes of indexes: from the declaration, built, and as HypoPG has them.
async fn sizes(server: &Server) {
    let mut indexes = String::new();
    for (name, columns) in INDEXES {
        let _ = writeln!(
            indexes,
            "      {name}: {{columns: [{columns}], because: measured}}"
        );
    }
    let declared = support::design(&format!(
        "tables:\n  reading:\n    grain: one reading\n    columns:\n      id: bigint\n      account_id: {{type: int, data: {{distinct: 65536}}}}\n      \
         at: {{type: timestamptz, data: {{distinct: 1M, range: [2024-01-01, 2025-11-25], correlation: 1}}}}\n      \
         kind: {{type: text, data: {{distinct: 9, width: 6}}}}\n      device: {{type: uuid, data: {{distinct: 1M}}}}\n    key: [id]\n    indexes:\n{indexes}    volume: {{rows: {ROWS}}}\n\
         queries:\n  one:\n    does: finds one\n    params: {{id: bigint}}\n    sql: SELECT kind FROM reading WHERE id = :id\n"
    ));
    let stage = support::stage(server, &declared).await;
    let planned = planned_queries(&stage, 1)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    stage.close().await.unwrap_or_else(|e| panic!("{e}"));

    let database = server
        .create_database("sizes")
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let mut admin = database.admin().await.unwrap_or_else(|e| panic!("{e}"));
    for statement in READINGS.split(";\n") {
        run(&mut admin, &SqlText::authored(statement)).await;
    }
    let hypopg = admin.batch(&fixed("CREATE EXTENSION hypopg")).await.is_ok();
    if !hypopg {
        println!("HypoPG is not there: install postgresql-15-hypopg to see its figures");
    }
    println!("index, of {ROWS} rows       foretold      built    off     HypoPG    off");
    for (name, columns) in INDEXES {
        let create = format!("CREATE INDEX {name} ON reading ({columns})");
        let assumed = match hypopg {
            true => {
                number(
                    &mut admin,
                    "SELECT hypopg_relation_size(indexrelid) FROM hypopg_create_index({of})",
                    &create,
                )
                .await
            }
            false => f64::NAN,
        };
        run(&mut admin, &SqlText::authored(create)).await;
        let built = number(
            &mut admin,
            "SELECT pg_relation_size(CAST({of} AS regclass))",
            name,
        )
        .await;
        let foretold = planned.sizes.iter().find(|size| size.relation == name);
        let foretold = foretold.map_or(f64::NAN, |size| size.pages * 8192.0);
        let off = |bytes: f64| 100.0 * (bytes / built - 1.0);
        println!(
            "{name:22} {:10.1} MB {:7.1} MB {:+5.1} % {:7.1} MB {:+5.1} %",
            foretold / 1e6,
            built / 1e6,
            off(foretold),
            assumed / 1e6,
            off(assumed)
        );
    }
    drop(admin);
    database.drop().await.unwrap_or_else(|e| panic!("{e}"));
}

async fn run(session: &mut Session, sql: &SqlText) {
    session
        .batch(sql)
        .await
        .unwrap_or_else(|e| panic!("{}", e.message));
}

async fn number(session: &mut Session, template: &'static str, of: &str) -> f64 {
    let sql = fill(template, &[("of", &literal(of))]);
    let rows = session
        .query(&sql)
        .await
        .unwrap_or_else(|e| panic!("{}", e.message));
    rows.scalar()
        .and_then(|cell| cell.parse().ok())
        .unwrap_or(f64::NAN)
}

/// Tables in a row, each refers to the one before; queries of five kinds.
fn catalogue() -> String {
    let mut text = String::from("tables:\n");
    for n in 0..TABLES {
        let _ = write!(
            text,
            "  t{n}:\n    grain: one row\n    columns:\n      id: bigint\n      parent_id: bigint\n      kind: {{type: text, data: {{values: {{a: 0.9, b: 0.1}}}}}}\n      \
             at: {{type: timestamptz, data: {{range: [2024-01-01, 2026-01-01], correlation: 1}}}}\n    key: [id]\n"
        );
        if n > 0 {
            let _ = writeln!(
                text,
                "    references:\n      fk_t{n}: {{columns: [parent_id], to: t{}, key: [id]}}",
                n - 1
            );
        }
        let _ = write!(
            text,
            "    indexes:\n      ix_t{n}_parent: {{columns: [parent_id, at desc], because: lists}}\n      ix_t{n}_at: {{columns: [at], because: ranges}}\n    \
             volume: {{rows: 10M, grows: 500k/month, horizon: 3 years}}\n"
        );
    }
    text.push_str("queries:\n");
    for n in 0..QUERIES {
        let t = n % TABLES;
        let (params, sql) = match n % 5 {
            0 => (
                "id: bigint",
                format!("SELECT kind FROM t{t} WHERE id = :id"),
            ),
            1 => (
                "parent_id: bigint",
                format!(
                    "SELECT id FROM t{t} WHERE parent_id = :parent_id ORDER BY at DESC LIMIT 20"
                ),
            ),
            2 => (
                "",
                format!("SELECT count(*) FROM t{t} WHERE at > '2025-12-31'"),
            ),
            3 => ("", format!("SELECT kind, count(*) FROM t{t} GROUP BY kind")),
            _ => (
                "id: bigint",
                format!(
                    "SELECT c.id FROM t{t} p JOIN t{} c ON c.parent_id = p.id WHERE p.id = :id",
                    (t + 1) % TABLES
                ),
            ),
        };
        let _ = write!(text, "  q{n}:\n    does: asks\n    kind: batch\n");
        if !params.is_empty() {
            let _ = writeln!(text, "    params: {{{params}}}");
        }
        let _ = writeln!(text, "    sql: |\n      {sql}");
    }
    text
}
