//! What statements lock, read, rewrite and lose: said without a server, and seen on one, must be the same on each major version.
//!
//! `tests/cases/locks/seen-15.txt` is what a server of 15 did; `UPDATE_GOLDEN=1` writes it anew from the server at hand
//! (`PGPROOF_PG_BIN` for other majors). The comparison itself needs no server.

#[path = "support/golden.rs"]
mod golden;
#[path = "support/locks.rs"]
mod locks;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use locks::{Case, base, cases, disagreements, is_caught, lines, read, recipes, said};
use pgproof::migrate::{LockMode, effects};
use pgproof::postgres::{Database, Server, Session, SqlFailure};
use pgproof::sql::ddl;
use pgproof::verify::observe::{Observed, observe};
use support::{Home, database, installed_major, sql};

/// Major versions that were looked at.
const VERSIONS: [u16; 5] = [14, 15, 16, 17, 18];

#[test]
fn what_is_said_of_a_statement_is_what_servers_do() {
    let all: Vec<String> = VERSIONS.into_iter().flat_map(disagreements).collect();
    assert!(all.is_empty(), "\n{}", all.join("\n"));
}

#[test]
fn every_hazard_is_found_and_nothing_harmless_is_called_one() {
    for version in VERSIONS {
        let base = base(version);
        let all = cases(version);
        let wrong: Vec<String> = all
            .iter()
            .filter(|case| case.severe || case.harmless)
            .filter(|case| {
                let effects = said(&base, case);
                let breaks = !effects.breaks.is_empty();
                match case.severe {
                    true => !is_caught(&effects),
                    false => is_caught(&effects) || breaks,
                }
            })
            .map(|case| case.name.clone())
            .collect();
        assert!(wrong.is_empty(), "{version}: {wrong:?}");
        let severe = all.iter().filter(|case| case.severe).count();
        let harmless = all.iter().filter(|case| case.harmless).count();
        assert!(
            all.len() >= 145 && severe >= 46 && harmless >= 34,
            "{severe}, {harmless}"
        );
    }
}

#[test]
fn what_cannot_be_read_or_is_not_known_says_so() {
    let schema = Default::default();
    for statement in [
        "ALTER TABLE",
        "DO $$ BEGIN DROP TABLE a; END $$",
        "CALL p()",
    ] {
        assert!(
            effects(statement, &schema, 15).unknown.is_some(),
            "{statement}"
        );
    }
    let unknown = effects("ALTER TABLE nowhere ALTER a TYPE text", &schema, 15);
    assert_eq!(unknown.assumed.len(), 1);
    assert!(unknown.is_hazard());
}

#[test]
fn no_safe_way_is_a_hazard_itself() {
    let mut faults = Vec::new();
    let mut tried = 0;
    for version in [15, 18] {
        let base = base(version);
        // What is another way on 18.
        let other = ["null", "key", "stored", "identity"];
        for case in cases(version) {
            if version == 18 && case.from < 18 && !other.iter().any(|own| case.name.contains(own)) {
                continue;
            }
            for (code, statements) in recipes(version, &case) {
                tried += 1;
                let mut chain = base.clone();
                for setup in &case.setup {
                    chain.apply(&ddl(setup.trim_end_matches(';')).expect(setup));
                }
                for statement in statements {
                    chain.end_transaction();
                    let form = match ddl(&statement) {
                        Ok(form) => form,
                        Err(fault) => {
                            faults.push(format!(
                                "{version} {} {code}: {fault:?}: {statement}",
                                case.name
                            ));
                            continue;
                        }
                    };
                    let effects = chain.effects(&form);
                    if effects.is_hazard() || effects.refused.is_some() || effects.unknown.is_some()
                    {
                        faults.push(format!(
                            "{version} {} {code}: {statement}\n    {effects:?}",
                            case.name
                        ));
                    }
                    chain.apply(&form);
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(tried > 80, "{tried}");
}

/// What a server did, in the spelling of the golden file.
fn seen(observed: &Observed) -> Vec<String> {
    match &observed.failure {
        // Integrity, and data that does not fit.
        Some(failure) if ["23", "22"].contains(&failure.sqlstate.class()) => {
            vec!["refused by rows".to_owned()]
        }
        _ => lines(&observed.effects),
    }
}

async fn look(server: &Server, plain: &Database, template: &Database, case: &Case) -> Vec<String> {
    let outside = ["CONCURRENTLY", "VACUUM", "REINDEX TABLE events"]
        .iter()
        .any(|word| case.statement.contains(word));
    let statement = sql(&case.statement);
    if case.setup.is_empty() && !outside {
        return seen(&observe(plain, &statement).await.expect(&case.name));
    }
    let clone = server.clone_database(template).await.expect("a clone");
    let mut session = clone.admin().await.expect("a session");
    for setup in &case.setup {
        session.batch(&sql(setup)).await.expect(&case.name);
    }
    drop(session);
    let observed = observe(&clone, &statement).await.expect(&case.name);
    clone.drop().await.expect("the clone goes");
    seen(&observed)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_server_does_what_was_seen() {
    let home = Home::new();
    let server = home.local().await;
    let version = installed_major();
    let template = filled(&server).await;
    let plain = server.clone_database(&template).await.expect("a clone");
    let mut text = String::new();
    let base = base(version);
    for case in cases(version) {
        text.push_str(&format!("# {}\n", case.name));
        let mut lines = look(&server, &plain, &template, &case).await;
        if case.sampled {
            let known = crate::lines(&said(&base, &case));
            let strange: Vec<_> = lines
                .iter()
                .filter(|line| !known.contains(line) && !line.starts_with("lock index"))
                .collect();
            assert!(strange.is_empty(), "{}: {strange:?}", case.name);
            lines = vec!["sampled".to_owned()];
        }
        for line in lines {
            text.push_str(&format!("{line}\n"));
        }
    }
    golden::check(&format!("tests/cases/locks/seen-{version}.txt"), &text);
    server.stop().await.expect("stops");
    home.assert_clean();
}

/// Where there are rows, each statement of a safe way has to come through.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn safe_ways_run_on_a_server() {
    let home = Home::new();
    let server = home.local().await;
    let template = filled(&server).await;
    let version = installed_major();
    let rest = server.clone_database(&template).await.expect("a clone");
    let mut plain = rest.admin().await.expect("a session");
    let mut known = std::collections::BTreeSet::new();
    let mut faults = Vec::new();
    for case in cases(version) {
        for (code, statements) in recipes(version, &case) {
            if !known.insert((case.setup.clone(), statements.clone())) {
                continue;
            }
            // A clone only where it cannot be rolled back.
            let outside = statements.iter().any(|own| own.contains("CONCURRENTLY"));
            let all: Vec<&String> = case.setup.iter().chain(&statements).collect();
            let failed = if outside {
                let clone = server.clone_database(&template).await.expect("a clone");
                let mut session = clone.admin().await.expect("a session");
                let failed = run_all(&mut session, &all).await;
                drop(session);
                clone.drop().await.expect("the clone goes");
                failed
            } else {
                plain.batch(&sql("BEGIN")).await.expect("begun");
                let failed = run_all(&mut plain, &all).await;
                plain.batch(&sql("ROLLBACK")).await.expect("rolled back");
                failed
            };
            // What is to be filled in there only its author knows.
            let is_open = code == "not-null-without-default";
            if let Some((failure, statement)) =
                failed.filter(|(failure, _)| !(is_open && failure.sqlstate.class() == "23"))
            {
                faults.push(format!("{} {code}: {failure}: {statement}", case.name));
            }
        }
    }
    drop(plain);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    server.stop().await.expect("stops");
    home.assert_clean();
}

/// The first statement that fails. A batch is run until there is nothing left to do.
async fn run_all(session: &mut Session, statements: &[&String]) -> Option<(SqlFailure, String)> {
    for statement in statements {
        let again = statement.contains("LIMIT 1000");
        loop {
            match session.query(&sql(statement)).await {
                Ok(rows) if again && rows.affected > 0 => {}
                Ok(_) => break,
                Err(failure) => return Some((failure, (*statement).clone())),
            }
        }
    }
    None
}

/// The base schema with its rows.
async fn filled(server: &Server) -> Database {
    let template = database(server).await;
    let mut session = template.admin().await.expect("a session");
    for name in ["base.sql", "rows.sql"] {
        session.batch(&sql(&read(name))).await.expect(name);
    }
    session.batch(&sql("ANALYZE")).await.expect("analyzed");
    template
}

#[test]
fn locks_are_told_in_words() {
    for mode in LockMode::ALL {
        assert!(!mode.plainly().is_empty());
    }
}
