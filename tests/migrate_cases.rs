//! Every kind of change: planned as before, applied to a database with rows, read back equal to the new design, taken back, applied again.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/changes.rs"]
mod changes;
#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;
#[path = "support/way.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod way;

use changes::{cases, fill, root, side};
use pgproof::assets::Assets;
use pgproof::compile::ddl;
use pgproof::migrate::files::{Source, read as read_files};
use pgproof::migrate::{Phase, Plan, Policy, Renames, format, plan};
use pgproof::postgres::{Server, ServerChoice, Session};
use pgproof::sql::SqlText;
use pgproof::template::{Environment, environment};
use pgproof::verify::migrate::apply::Side as ApplySide;
use pgproof::verify::migrate::{Found, catalogs};
use support::{Home, installed_major};
use way::{Ended, Kept, Side, Way};

fn planned(from: &Side, to: &Side, environment: &Environment) -> Plan {
    way::planned(from, to, environment).expect("every case can be planned")
}

#[test]
fn every_plan_is_as_it_was() {
    let environment = environment(&Assets::builtin());
    let names = cases();
    assert!(names.len() >= 60 || std::env::var("CASE").is_ok());
    for case in names {
        let (from, to) = (side(&case, "from.yaml", 15), side(&case, "to.yaml", 15));
        let plan = planned(&from, &to, &environment);
        let file = format!("tests/cases/migrate/{case}/plan.sql");
        golden::check(&file, &format::whole(&plan));
        let again = planned(&to, &to, &environment);
        assert!(
            again.steps.is_empty(),
            "{case}: a design differs from itself"
        );
    }
}

/// What a case says of values: a query of the old schema, and behind `--` one of the new schema that returns the same.
fn kept(case: &str) -> Vec<Kept> {
    let Ok(text) = std::fs::read_to_string(root().join(case).join("kept.sql")) else {
        return Vec::new();
    };
    let (before, after) = text.split_once("\n--\n").expect("two queries");
    vec![Kept {
        table: case.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }]
}

async fn one(
    server: &Server,
    case: &str,
    (from, to): (&Side, &Side),
    environment: &Environment,
) -> Result<Ended, String> {
    let plan = planned(from, to, environment);
    let way = Way::new(server, (from, to), plan, environment).await?;
    fill(&mut way.admin().await, case).await;
    way.walk(&kept(case)).await
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_change_is_made_and_taken_back() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let mut wrong = Vec::new();
    let names = cases();
    for case in &names {
        let version = installed_major();
        let (from, to) = (
            side(case, "from.yaml", version),
            side(case, "to.yaml", version),
        );
        match one(&server, case, (&from, &to), &environment).await {
            Ok(Ended::Equal(steps)) => println!("{case}: {steps} steps"),
            Ok(Ended::Rows(why)) => wrong.push(format!("{case}: its rows stand in the way: {why}")),
            Err(why) => wrong.push(format!("{case}: {why}")),
        }
    }
    server.stop().await.expect("stopped");
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        names.len(),
        wrong.join("\n")
    );
}

/// Runs the steps of some phases as somebody who may do everything.
async fn phases(session: &mut Session, plan: &Plan, wanted: impl Fn(Phase) -> bool) {
    for step in plan.steps.iter().filter(|step| wanted(step.phase)) {
        for part in &step.parts {
            let done = session.batch(&part.sql).await;
            done.unwrap_or_else(|failure| unreachable!("{}: {failure}", step.title));
        }
    }
}

/// From the switch on programs of both versions write: those of the old one are followed, those of the new one are not overwritten, and sessions
/// that were open go on.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn programs_of_both_versions_keep_what_they_write() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let run = |text: &'static str| SqlText::authored(text);
    let version = installed_major();
    let (from, to) = (
        side("many-to-many", "from.yaml", version),
        side("many-to-many", "to.yaml", version),
    );
    let plan = planned(&from, &to, &environment);
    let way = Way::new(&server, (&from, &to), plan.clone(), &environment).await;
    let way = way.expect("made");
    let mut admin = way.admin().await;
    fill(&mut admin, "many-to-many").await;
    phases(&mut admin, &plan, |phase| phase <= Phase::Switch).await;
    for text in [
        // The new version.
        "INSERT INTO shop.orders (order_id, total, placed_at) VALUES (1000, 5, now())",
        "INSERT INTO shop.buyer VALUES (1000, 7)",
        "UPDATE shop.buyer SET customer_id = 9 WHERE order_id IN (1, 1000)",
        "UPDATE shop.orders SET note = 'x' WHERE order_id IN (1, 1000)",
        // The old version.
        "INSERT INTO shop.orders (order_id, customer_id, total, placed_at) VALUES (1001, 3, 5, now())",
        "UPDATE shop.orders SET customer_id = 4 WHERE order_id = 2",
    ] {
        let done = admin.batch(&run(text)).await;
        done.unwrap_or_else(|failure| unreachable!("{text}: {failure}"));
    }
    let buyers = "SELECT string_agg(order_id || ' ' || customer_id, ', ' ORDER BY order_id) FROM shop.buyer WHERE order_id IN (1, 2, 1000, 1001)";
    let found = way::scalar(&mut admin, buyers).await.expect("read");
    assert_eq!(found, "1 9, 2 4, 1000 9, 1001 3");
    let gone = admin
        .batch(&run("DELETE FROM shop.orders WHERE order_id = 2"))
        .await;
    gone.expect("deleted by the old version");
    let found = way::scalar(&mut admin, buyers).await.expect("read");
    assert_eq!(found, "1 9, 1000 9, 1001 3");
    drop((admin, way));

    // A number of another type, with a trigger that has seen rows of the old one.
    let text = std::fs::read_to_string(root().join("many-to-many/from.yaml")).expect("readable");
    let followed = "migration:\n  dual_write:\n    orders: UPDATE customer SET nick = NEW.total::text WHERE customer_id = NEW.customer_id\nsecurity:\n";
    let text = text.replace("numeric(10,2)", "double precision");
    let mut model = design::model(&text.replace("security:\n", followed));
    model.database.version = version;
    let to = Side::new(model);
    let plan = planned(&from, &to, &environment);
    let way = Way::new(&server, (&from, &to), plan.clone(), &environment).await;
    let way = way.expect("made");
    let (mut admin, mut program) = (way.admin().await, way.admin().await);
    fill(&mut admin, "many-to-many").await;
    phases(&mut admin, &plan, |phase| phase < Phase::Switch).await;
    let write = run("UPDATE shop.orders SET total = total + 1 WHERE order_id = 1");
    program.batch(&write).await.expect("written before");
    phases(&mut admin, &plan, |phase| phase == Phase::Switch).await;
    program.batch(&write).await.expect("written after");
    drop((admin, program, way));
    server.stop().await.expect("stopped");
}

/// A plan that begins at somebody's migration files is the one that begins at the design that they make.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn migration_files_are_a_place_to_begin() {
    let home = Home::new();
    let environment = environment(&Assets::builtin());
    let version = installed_major();
    let options = home.options(ServerChoice::Local);
    for case in [
        "add-index",
        "rename-column",
        "enum-remove-value",
        "drop-column-nullable",
        "nothing",
    ] {
        let (from, to) = (
            side(case, "from.yaml", version),
            side(case, "to.yaml", version),
        );
        let script = ddl(&from.compiled.catalog, &environment).expect("a script");
        let (first, rest) = script.text().split_once("CREATE TABLE").map_or_else(
            || (script.text(), String::new()),
            |(first, rest)| {
                (
                    first.to_owned(),
                    format!("SET search_path = shop, public;\nCREATE TABLE{rest}"),
                )
            },
        );
        let source = |path: &str, text: String| Source {
            path: path.to_owned(),
            text,
        };
        let sources = [
            source("V1__types.sql", first),
            source("V2__tables.sql", rest),
        ];
        let files = read_files(&sources, None);
        let new = ApplySide {
            model: &to.model,
            compiled: &to.compiled,
        };
        let both = catalogs(
            &options,
            &Found::Files(&files, &sources),
            &new,
            &environment,
        )
        .await;
        let both = both.expect("both can be read");
        let found = plan(
            &both.from,
            &both.to,
            &Renames::of(&to.model),
            &Policy::of(&to.model),
            &environment,
        );
        let titles = |plan: &Plan| -> Vec<String> {
            plan.steps.iter().map(|step| step.title.clone()).collect()
        };
        let found = titles(&found.expect("a plan"));
        assert_eq!(found, titles(&planned(&from, &to, &environment)), "{case}");
    }
    // Files may be anybody's: they run without rights over the server.
    let to = side("nothing", "to.yaml", version);
    let new = ApplySide {
        model: &to.model,
        compiled: &to.compiled,
    };
    // The superuser of a local server is called so: who may do things to the machine is not handed out by its name.
    for text in [
        "COPY (SELECT 1) TO PROGRAM 'true';",
        "CREATE ROLE postgres;\nSET ROLE postgres;\nCOPY (SELECT 1) TO PROGRAM 'true';",
    ] {
        let hostile = [Source {
            path: "V1__hostile.sql".to_owned(),
            text: text.to_owned(),
        }];
        let files = read_files(&hostile, None);
        let both = catalogs(
            &options,
            &Found::Files(&files, &hostile),
            &new,
            &environment,
        )
        .await;
        let said = both.expect_err("refused").to_string();
        assert!(said.contains("42501 insufficient_privilege"), "{said}");
    }
    home.assert_clean();
}

/// A dump names owners, roles and extensions that are not its own, holds rows, and things that no design can say.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_dump_is_a_place_to_begin() {
    let home = Home::new();
    let environment = environment(&Assets::builtin());
    let version = installed_major();
    let options = home.options(ServerChoice::Local);
    let to = side("nothing", "to.yaml", version);
    let new = ApplySide {
        model: &to.model,
        compiled: &to.compiled,
    };
    let own = ddl(&to.compiled.catalog, &environment).expect("a script");
    let dump = [
        Source {
            path: "1_dump.sql".to_owned(),
            text: format!(
                "{}\nCREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;\nCOMMENT ON EXTENSION citext IS 'text';\n\
                 ALTER TABLE shop.customer OWNER TO postgres;\nCOPY shop.customer (email) FROM stdin;\na@b\n\\.\n\
                 GRANT SELECT ON shop.log TO \"An Auditor\" WITH GRANT OPTION;\nSET search_path = '';\n",
                own.text()
            ),
        },
        Source {
            path: "2_more.sql".to_owned(),
            text: "CREATE TABLE notes (a public.citext);\nLOCK TABLE notes;\nCREATE RULE keep AS ON DELETE TO shop.orders DO INSTEAD NOTHING;\n\
                   CREATE SEQUENCE shop.numbers;\nCREATE AGGREGATE shop.total(integer) (SFUNC = int4pl, STYPE = integer);\n"
                .to_owned(),
        },
    ];
    let files = read_files(&dump, None);
    let both = catalogs(&options, &Found::Files(&files, &dump), &new, &environment).await;
    let both = both.expect("both can be read");
    let notes = both.notes.join("\n");
    for part in [
        "2 statements about owners are passed over",
        "rows of a COPY are passed over",
        "aggregate total, rule keep on orders, sequence numbers",
    ] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let broken = [Source {
        path: "1_broken.sql".to_owned(),
        text: "CREATE TABLE a (b int);\n\n-- why\nALTER TABLE a\n  ADD b int;\n".to_owned(),
    }];
    let files = read_files(&broken, None);
    let both = catalogs(&options, &Found::Files(&files, &broken), &new, &environment).await;
    let said = both.expect_err("refused").to_string();
    assert!(
        said.contains("1_broken.sql:4: the statement `ALTER TABLE a` fails"),
        "{said}"
    );
    home.assert_clean();
}

/// `TABLES=1000 cargo test --release --test migrate_cases a_wide_schema -- --ignored --nocapture` says how long a wide schema takes.
#[test]
#[ignore = "measures"]
fn a_wide_schema_is_planned() {
    let tables: usize = std::env::var("TABLES").map_or(100, |text| text.parse().expect("a number"));
    let text = |changed: bool| {
        let of = |n: usize| {
            let more = if changed && n.is_multiple_of(10) {
                "\n      z: {type: text, default: \"'x'\"}"
            } else {
                ""
            };
            format!(
                "  t{n}:\n    columns:\n      id: bigint\n      up: bigint\n      a: text\n      b: {}{more}\n    key: [id]\n    \
                 references:\n      fk_{n}: {{columns: [up], to: t{}, key: [id]}}\n    indexes:\n      ix_{n}: {{columns: [a, b]}}\n",
                if changed && n.is_multiple_of(20) {
                    "bigint"
                } else {
                    "integer"
                },
                n.saturating_sub(1)
            )
        };
        let all: String = (0..tables).map(of).collect();
        format!("pgproof: 1\ndesign: shop\ndatabase: {{version: 15}}\ntables:\n{all}")
    };
    let side = |changed: bool| Side::new(design::model(&text(changed)));
    let environment = environment(&Assets::builtin());
    let (from, to) = (side(false), side(true));
    let began = std::time::Instant::now();
    let plan = planned(&from, &to, &environment);
    println!(
        "{tables} tables, {} steps, {:.3} s",
        plan.steps.len(),
        began.elapsed().as_secs_f64()
    );
    assert!(plan.steps.len() > tables / 10);
}
