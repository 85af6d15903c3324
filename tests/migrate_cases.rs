//! Every kind of change: planned as before, applied to a database with rows, read back equal to the new design, taken back, applied again.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::path::{Path, PathBuf};

use pgproof::assets::Assets;
use pgproof::catalog::{Catalog, differences};
use pgproof::compile::{Compiled, compile, ddl};
use pgproof::design::Model;
use pgproof::migrate::files::{Source, read as read_files};
use pgproof::migrate::{HazardKind, Plan, Policy, Renames, Reverse, format, plan};
use pgproof::postgres::{Database, Scope, Server, ServerChoice, Session, introspect};
use pgproof::sql::SqlText;
use pgproof::template::{Environment, environment};
use pgproof::verify::migrate::apply::Side as ApplySide;
use pgproof::verify::migrate::{Found, Hands, back, catalogs, forward, load, rows};
use pgproof::verify::seed::Maker;
use support::{Home, installed_major};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/migrate")
}

/// `CASE=rename-column` narrows a run while something is being looked at.
fn cases() -> Vec<String> {
    let only = std::env::var("CASE").ok();
    let read = std::fs::read_dir(root()).expect("the folder is there");
    let mut names: Vec<String> = read
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| only.as_deref().is_none_or(|only| only == name))
        .collect();
    names.sort();
    names
}

struct Side {
    model: Model,
    compiled: Compiled,
}

fn side(case: &str, file: &str, version: u16) -> Side {
    let text = std::fs::read_to_string(root().join(case).join(file)).expect("readable");
    let mut model = design::model(&text);
    model.database.version = version;
    let compiled = compile(&model);
    Side { model, compiled }
}

fn planned(from: &Side, to: &Side, environment: &Environment) -> Plan {
    let made = plan(
        &from.compiled.catalog,
        &to.compiled.catalog,
        &Renames::of(&to.model),
        &Policy::of(&to.model),
        environment,
    );
    made.expect("every case can be planned")
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

async fn apply(server: &Server, side: &Side, environment: &Environment) -> Database {
    let script = ddl(&side.compiled.catalog, environment).expect("a script");
    let database = support::database(server).await;
    for extension in &side.compiled.catalog.extensions {
        database
            .create_extension(extension)
            .await
            .expect("the extension is there");
    }
    let mut owner = support::session(&database).await;
    for statement in &script.statements {
        let text = statement.sql.as_str();
        if text.starts_with("CREATE ROLE") || text.starts_with("CREATE EXTENSION") {
            continue;
        }
        owner
            .batch(&statement.sql)
            .await
            .unwrap_or_else(|failure| unreachable!("{text}: {failure}"));
    }
    database
}

async fn prepare(server: &Server, side: &Side) {
    for (role, made) in &side.compiled.catalog.roles {
        server
            .ensure_role(role, made.bypass_rls)
            .await
            .expect("a role");
    }
}

async fn read(session: &mut Session, side: &Side) -> Catalog {
    let scope = Scope {
        schemas: vec![side.model.database.schema.clone()],
        roles: Vec::new(),
    };
    let mut catalog = introspect(session, &scope)
        .await
        .expect("the catalog can be read");
    // A column can only be added at the end, and where it stands means nothing.
    for table in catalog.tables.values_mut() {
        table
            .columns
            .sort_by(|one, other| one.name.cmp(&other.name));
    }
    catalog
}

fn assert_same(what: &str, expected: &Catalog, found: &Catalog) -> Result<(), String> {
    let found = differences(expected, found);
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(format!("{what}:\n    {}", lines.join("\n    ")))
}

async fn scalar(session: &mut Session, text: &str) -> String {
    let rows = session.query(&SqlText::authored(text)).await;
    let rows = rows.unwrap_or_else(|failure| unreachable!("{text}: {failure}"));
    rows.scalar().unwrap_or_default().to_owned()
}

/// Indexes that are invalid, and constraints that were never proven.
const HALF_DONE: &str = "SELECT coalesce(string_agg(what, ', '), '') FROM (
    SELECT indexrelid::regclass::text AS what FROM pg_index WHERE NOT indisvalid
    UNION ALL SELECT conname FROM pg_constraint WHERE NOT convalidated) AS half";

const ROWS: &str = "SELECT coalesce(string_agg(line, ' ' ORDER BY line), '') FROM (
    SELECT relname || '=' || (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || c.oid::regclass, false, true, '')))[1]::text AS line
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = 'shop' AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'pgproof%') AS lines";

async fn fill(session: &mut Session, case: &str) {
    session
        .batch(&SqlText::authored("SET search_path = shop, public"))
        .await
        .expect("set");
    for file in [root().join("rows.sql"), root().join(case).join("rows.sql")] {
        if let Ok(text) = std::fs::read_to_string(&file) {
            let done = session.batch(&SqlText::authored(text)).await;
            done.unwrap_or_else(|failure| unreachable!("{case}: {}: {failure}", file.display()));
        }
    }
}

/// How a migration ended.
enum Ended {
    /// Equal to the new design, after this many steps.
    Equal(usize),
    /// Rows that exist stand in the way, as the step's own check shows.
    Rows,
}

/// The rows of a case where it is named, else generated ones.
async fn one(
    server: &Server,
    (case, from, to): (Option<&str>, &Side, &Side),
    environment: &Environment,
) -> Result<Ended, String> {
    let plan = planned(from, to, environment);
    prepare(server, from).await;
    prepare(server, to).await;
    let target = apply(server, to, environment).await;
    let wanted = read(&mut support::session(&target).await, to).await;
    target.drop().await.expect("dropped");
    let database = apply(server, from, environment).await;
    let mut owner = support::session(&database).await;
    // Rows are written and counted past row-level security.
    let mut admin = database.admin().await.expect("an administrator");
    match case {
        Some(case) => fill(&mut admin, case).await,
        None => {
            let catalog = &from.compiled.catalog;
            let maker = Maker::new(&from.model, catalog);
            let rows = rows(&from.model, &maker, 40, 7);
            let loaded = load(&mut admin, &from.model, catalog, &maker, &rows).await;
            loaded.map_err(|error| format!("rows: {error}"))?;
        }
    }
    let start = read(&mut owner, from).await;
    let counted = scalar(&mut admin, ROWS).await;
    let mut watcher = database.admin().await.expect("an administrator");
    let mut hands = Hands {
        owner,
        mover: Some(admin),
    };
    // As far as one can go back, there and back again.
    let reversible = plan
        .steps
        .iter()
        .take_while(|step| matches!(step.reverse, Reverse::Parts(_)))
        .count();
    for round in 0..2 {
        let steps = if round == 0 {
            &plan.steps[..reversible]
        } else {
            &plan.steps[..]
        };
        for step in steps {
            let title = format!("{}. {}", step.number, step.title);
            if let Err(failure) = forward(&mut hands, &plan, step).await {
                let stands_in_the_way = match &step.check {
                    Some(check) => watcher
                        .query(check)
                        .await
                        .is_ok_and(|rows| rows.scalar().is_some()),
                    None => false,
                };
                // A value that the new type does not have.
                let has_no_place = failure.sqlstate.code().starts_with("22");
                // The conditions of a domain have no query of their own.
                let breaks_domain =
                    step.title.contains(" of domain ") && failure.sqlstate.code() == "23514";
                // Rows for which the new table has no partition.
                let has_no_partition = failure.message.contains("no partition of relation");
                if stands_in_the_way
                    || has_no_place
                    || has_no_partition
                    || breaks_domain
                    || plan.hazards().any(|h| h.kind == HazardKind::NoValue)
                {
                    drop((hands, watcher));
                    database.drop().await.map_err(|error| error.to_string())?;
                    return Ok(Ended::Rows);
                }
                return Err(format!("round {round}: {title}: {failure}"));
            }
            if let Some(check) = &step.check {
                let rows = watcher.query(check).await;
                let rows = rows.map_err(|failure| format!("check of {title}: {failure}"))?;
                if rows.scalar().is_some() {
                    return Err(format!("check of {title} returns rows"));
                }
            }
        }
        if round == 0 {
            for step in steps.iter().rev() {
                back(&mut hands, &plan, step).await.map_err(|failure| {
                    format!("back: {}. {}: {failure}", step.number, step.title)
                })?;
            }
            let found = read(&mut hands.owner, from).await;
            assert_same("taken back", &start, &found)?;
            let half = scalar(&mut hands.owner, HALF_DONE).await;
            if !half.is_empty() {
                return Err(format!("taken back, and half done: {half}"));
            }
        }
    }
    let found = read(&mut hands.owner, to).await;
    assert_same("at the end", &wanted, &found)?;
    let half = scalar(&mut hands.owner, HALF_DONE).await;
    if !half.is_empty() {
        return Err(format!("half done: {half}"));
    }
    let now = scalar(&mut watcher, ROWS).await;
    if !from
        .compiled
        .catalog
        .tables
        .keys()
        .eq(to.compiled.catalog.tables.keys())
    {
        // Tables came or went.
    } else if plan
        .hazards()
        .any(|hazard| hazard.kind == HazardKind::DataLoss)
    {
        // Partitions went with their rows, as was said.
    } else if counted != now {
        return Err(format!("rows before {counted}, after {now}"));
    }
    drop((hands, watcher));
    database.drop().await.map_err(|error| error.to_string())?;
    Ok(Ended::Equal(plan.steps.len()))
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
        match one(&server, (Some(case), &from, &to), &environment).await {
            Ok(Ended::Equal(steps)) => println!("{case}: {steps} steps"),
            Ok(Ended::Rows) => wrong.push(format!("{case}: its rows stand in the way")),
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
        let files = read_files(
            &[
                source("V1__types.sql", first),
                source("V2__tables.sql", rest),
            ],
            None,
        );
        let new = ApplySide {
            model: &to.model,
            compiled: &to.compiled,
        };
        let both = catalogs(&options, &Found::Files(&files), &new, &environment).await;
        let (old, new) = both.expect("both can be read");
        let found = plan(
            &old,
            &new,
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
    let hostile = Source {
        path: "V1__hostile.sql".to_owned(),
        text: "COPY (SELECT 1) TO PROGRAM 'true';".to_owned(),
    };
    let files = read_files(&[hostile], None);
    let both = catalogs(&options, &Found::Files(&files), &new, &environment).await;
    let said = both.expect_err("refused").to_string();
    assert!(said.contains("must be superuser"), "{said}");
    home.assert_clean();
}

/// Numbers that look random and are the same each time.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as usize
}

/// Designs that differ in several ways at once. `PAIRS=1000` makes more of them than CI has time for, `SEED` others.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn pairs_of_designs_are_made_and_taken_back() {
    let number = |name: &str, otherwise: u64| {
        let given = std::env::var(name).ok();
        given
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    let mut state = number("SEED", 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let (names, version) = (cases(), installed_major());
    let (mut equal, mut refused, mut stopped, mut wrong) = (0, 0, 0, Vec::new());
    let pairs = number("PAIRS", 10);
    for _ in 0..pairs {
        let mut pick = || {
            let case = &names[random(&mut state) % names.len()];
            (case.clone(), side(case, "to.yaml", version))
        };
        let ((old, from), (new, to)) = (pick(), pick());
        let named = format!("{old} to {new}");
        let planned = plan(
            &from.compiled.catalog,
            &to.compiled.catalog,
            &Renames::of(&to.model),
            &Policy::of(&to.model),
            &environment,
        );
        if planned.is_err() {
            // What cannot be done is refused by name.
            refused += 1;
            continue;
        }
        match one(&server, (None, &from, &to), &environment).await {
            Ok(Ended::Equal(_)) => equal += 1,
            Ok(Ended::Rows) => stopped += 1,
            Err(why) => wrong.push(format!("{named}: {why}")),
        }
    }
    println!("{pairs} pairs: {equal} equal, {stopped} stopped by rows, {refused} refused by name");
    server.stop().await.expect("stopped");
    assert!(
        wrong.is_empty(),
        "{} of {pairs}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(equal * 2 > pairs, "too few pairs came to an end");
}
