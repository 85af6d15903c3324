//! Designs at random and what somebody made of them: the plan leads to the new design, back to the old one and there again, and rows are kept.
//!
//! `PAIRS=1000` makes more of them than CI has time for, `SEED` others; `PAIR=17` is one of them, with all that is known of it, or the first of
//! `PAIRS`.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/pair/mod.rs"]
mod pair;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;
#[path = "support/way.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod way;

use std::collections::BTreeMap;

use pair::Pair;
use pair::kept::kept;
use pair::rows::{both, settled};
use pair::write::text;
use pgproof::assets::Assets;
use pgproof::finding::Severity;
use pgproof::invariant::drift;
use pgproof::postgres::{Server, Session};
use pgproof::sql::{SqlText, fixed, idents, quote_ident, quote_qualified};
use pgproof::template::{Environment, environment};
use pgproof::verify::migrate::{load, rows};
use pgproof::verify::seed::Maker;
use support::{Home, installed_major};
use way::{Ended, Side, Way};

/// Rows of a table.
const ROWS: usize = 30;

/// How a pair ended.
enum Outcome {
    /// After so many steps.
    Equal(usize),
    /// Rows that exist stand in the way, and the plan said so.
    Stopped(String),
    /// There is no plan, by name.
    Refused(String),
    Wrong(String),
}

/// A side that means something; else what is wrong with it.
fn side(text: &str) -> Result<Side, String> {
    let model = design::try_model(text).map_err(|errors| errors.join("; "))?;
    let side = Side::new(model);
    let errors = side.compiled.findings.iter();
    let errors = errors.filter(|finding| finding.severity == Severity::Error);
    let errors: Vec<String> = errors
        .map(|finding| format!("{}: {}", finding.code, finding.message))
        .collect();
    match errors.is_empty() {
        true => Ok(side),
        false => Err(errors.join("; ")),
    }
}

/// Rows that both designs take, as far as they can be made.
async fn fill(
    admin: &mut Session,
    from: &Side,
    wish: Option<&Side>,
    seed: u64,
) -> Result<(), String> {
    for side in wish.into_iter().chain([from]) {
        let maker = Maker::new(&side.model, &side.compiled.catalog);
        let made = rows(&side.model, &maker, ROWS, seed);
        admin
            .batch(&fixed(
                "BEGIN; SET LOCAL session_replication_role = replica",
            ))
            .await
            .map_err(|failure| failure.to_string())?;
        let loaded = load(admin, &from.model, &from.compiled.catalog, &maker, &made).await;
        let last = if loaded.is_ok() { "COMMIT" } else { "ROLLBACK" };
        admin
            .batch(&fixed(last))
            .await
            .map_err(|failure| failure.to_string())?;
        if loaded.is_ok() {
            return Ok(());
        }
    }
    // Row by row, what is refused is left out, with the rows that refer to it.
    let maker = Maker::new(&from.model, &from.compiled.catalog);
    for bulk in rows(&from.model, &maker, ROWS, seed) {
        for row in bulk.rows.chunks(1) {
            let one = pgproof::verify::seed::Bulk {
                rows: row.to_vec(),
                ..bulk.clone()
            };
            for statement in maker.bulk_statements(&one) {
                let _ = admin.batch(&statement).await;
            }
        }
    }
    load(admin, &from.model, &from.compiled.catalog, &maker, &[])
        .await
        .map_err(|error| error.to_string())
}

/// Guard tables know the rows, which were written past all triggers; and the rows are such as the old design allows.
async fn obeyed(admin: &mut Session, from: &Side) -> Result<(), String> {
    for tally in &from.compiled.tallies {
        let guard = quote_qualified(&tally.guard);
        let mut columns = tally.per.clone();
        if columns.is_empty() {
            columns.push("only".into());
        }
        columns.extend(tally.totals.iter().map(|(counter, _)| counter.clone()));
        if !tally.totals.is_empty() {
            let counted = format!(
                "TRUNCATE {guard}; INSERT INTO {guard} ({}) {}",
                idents(&columns),
                way::counts(tally)
            );
            let counted = SqlText::authored(counted);
            let done = admin.batch(&counted).await;
            done.map_err(|failure| failure.to_string())?;
        }
    }
    // What a design says of itself it says without its schema.
    let path = SqlText::authored("SET search_path = shop, public");
    let done = admin.batch(&path).await;
    done.map_err(|failure| failure.to_string())?;
    let kept = from.model.invariants.iter();
    for own in kept.filter(|own| own.enforced.is_databases()) {
        let Some(drift) = drift(&from.model, own) else {
            continue;
        };
        let found = admin.query(&drift).await;
        let found = found.map_err(|failure| format!("{}: {failure}", own.name.as_str()))?;
        if !found.rows.is_empty() {
            return Err(format!("{} does not hold", own.name.as_str()));
        }
    }
    for (name, table) in &from.compiled.catalog.tables {
        for key in table.foreign_keys.values() {
            let pairs = key.columns.iter().zip(&key.key);
            let pairs: Vec<String> = pairs
                .map(|(one, other)| format!("p.{} = c.{}", quote_ident(other), quote_ident(one)))
                .collect();
            let given = key
                .columns
                .iter()
                .map(|one| format!("c.{} IS NOT NULL", quote_ident(one)));
            let given: Vec<String> = given.collect();
            let orphans = format!(
                "SELECT count(*) FROM {} c WHERE {} AND NOT EXISTS (SELECT FROM {} p WHERE {})",
                quote_qualified(name),
                given.join(" AND "),
                quote_qualified(&key.table),
                pairs.join(" AND ")
            );
            let orphans = way::scalar(admin, &orphans).await?;
            if orphans != "0" {
                let name = name.name.as_str();
                return Err(format!("{orphans} rows of {name} refer to nothing"));
            }
        }
    }
    Ok(())
}

async fn of(server: &Server, seed: u64, environment: &Environment) -> Outcome {
    let pair = Pair::of(seed);
    let version = installed_major();
    let old = text(&pair.old, None, version);
    let new = text(&pair.new, Some(&pair.old), version);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    if std::env::var("PAIR").is_ok() {
        std::fs::write(folder.join("from.yaml"), &old).expect("written");
        std::fs::write(folder.join("to.yaml"), &new).expect("written");
    }
    let (from, to) = match (side(&old), side(&new)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(why), _) | (_, Err(why)) => return Outcome::Wrong(format!("no design: {why}")),
    };
    // Roles are the server's.
    let (mut from, mut to) = (from, to);
    let roles = to.compiled.catalog.roles.clone();
    from.compiled.catalog.roles.extend(roles);
    to.compiled
        .catalog
        .roles
        .clone_from(&from.compiled.catalog.roles);
    let plan = match way::planned(&from, &to, environment) {
        Ok(plan) => plan,
        Err(why) => return Outcome::Refused(why),
    };
    if std::env::var("PAIR").is_ok() {
        let whole = pgproof::migrate::format::whole(&plan);
        std::fs::write(folder.join("plan.sql"), whole).expect("written");
    }
    let way = match Way::new(server, (&from, &to), plan, environment).await {
        Ok(way) => way,
        Err(why) => return Outcome::Wrong(why),
    };
    let wished = both(&pair.old, &pair.new);
    let wish = side(&text(&wished, None, version)).ok();
    let mut admin = way.admin().await;
    if let Err(why) = fill(&mut admin, &from, wish.as_ref(), seed).await {
        return Outcome::Wrong(format!("rows: {why}"));
    }
    for statement in [&wished, &pair.old].into_iter().flat_map(settled) {
        // What another rule forbids stays as it is, and may stop the migration.
        let _ = admin.batch(&SqlText::authored(statement)).await;
    }
    if let Err(why) = obeyed(&mut admin, &from).await {
        return Outcome::Wrong(format!("rows: {why}"));
    }
    drop(admin);
    match way.walk(&kept(&pair.old, &pair.new)).await {
        Ok(Ended::Equal(steps)) => Outcome::Equal(steps),
        Ok(Ended::Rows(why)) => Outcome::Stopped(why),
        Err(why) => Outcome::Wrong(why),
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn pairs_of_designs_are_made_and_taken_back() {
    let number = |name: &str, otherwise: u64| {
        let given = std::env::var(name).ok();
        given
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    let (first, pairs) = match std::env::var("PAIR") {
        Ok(one) => (one.parse().expect("a number"), number("PAIRS", 1)),
        Err(_) => (number("SEED", 1) * 1_000_000, number("PAIRS", 12)),
    };
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let (mut equal, mut steps, mut stopped, mut refused, mut wrong) =
        (0, 0, Vec::new(), BTreeMap::new(), Vec::new());
    for seed in first..first + pairs {
        if (seed - first) % 100 == 99 {
            println!("{} pairs", seed - first);
        }
        let named = || format!("{seed} ({})", Pair::of(seed).edits.join(", "));
        match of(&server, seed, &environment).await {
            Outcome::Equal(count) => {
                equal += 1;
                steps += count;
            }
            Outcome::Stopped(why) => stopped.push(format!("{}: {why}", named())),
            Outcome::Refused(why) => *refused.entry(why).or_insert(0) += 1,
            Outcome::Wrong(why) => {
                let said = format!("{}: {why}", named());
                println!("WRONG {said}");
                wrong.push(said);
            }
        }
    }
    for why in &stopped {
        println!("stopped by rows: {why}");
    }
    for (why, count) in &refused {
        println!("refused, {count}: {why}");
    }
    let refused: i32 = refused.values().sum();
    println!(
        "{pairs} pairs: {equal} equal after {steps} steps, {} stopped by rows, {refused} refused by name, {} wrong",
        stopped.len(),
        wrong.len()
    );
    server.stop().await.expect("stopped");
    assert!(wrong.is_empty(), "{} of {pairs}", wrong.len());
    assert!(equal * 3 >= pairs * 2, "too few pairs came to an end");
}
