//! Classical races on a real PostgreSQL: broken designs are refuted, fixed ones proven.
#![expect(
    clippy::print_stdout,
    clippy::panic,
    reason = "a test says what it saw"
)]

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use pgproof::assets::Assets;
use pgproof::catalog::ObjectPath;
use pgproof::compile::{self, Compiled};
use pgproof::design::{Model, resolve};
use pgproof::finding::{Counterexample, Finding, MomentKind, Verdict};
use pgproof::postgres::{Database, Server};
use pgproof::source::SourceMap;
use pgproof::template::environment;
use pgproof::verify::race::{Ground, RaceOptions, RaceResult, Racer};
use support::Home;

struct Design {
    model: Model,
    compiled: Compiled,
}

fn design(text: &str) -> Design {
    let mut map = SourceMap::new();
    let id = map.add("design.yaml", text.to_owned());
    let node = pgproof::source::parse(&map, id).expect("the YAML of a test is sound");
    let (model, findings) = resolve(&node);
    let model = model.unwrap_or_else(|| panic!("{findings:?}"));
    let compiled = compile::compile(&model);
    Design { model, compiled }
}

async fn apply(server: &Server, design: &Design) -> Database {
    let script =
        compile::ddl(&design.compiled.catalog, &environment(&Assets::builtin())).expect("compiles");
    let database = server.create_database("race").await.expect("a database");
    for (role, made) in &design.compiled.catalog.roles {
        server
            .ensure_role(role, made.bypass_rls)
            .await
            .expect("a role");
    }
    let mut owner = database.session().await.expect("a session");
    let mut admin = database.admin().await.expect("a session");
    for statement in &script.statements {
        let run = match &statement.object {
            ObjectPath::Extension(_) => admin.batch(&statement.sql).await,
            ObjectPath::Role(_) if !statement.sql.as_str().starts_with("GRANT ") => Ok(()),
            _ => owner.batch(&statement.sql).await,
        };
        run.unwrap_or_else(|failure| panic!("{}: {failure:?}", statement.sql));
    }
    drop((owner, admin));
    database
}

async fn run(server: &Server, design: &Design) -> (BTreeMap<String, RaceResult>, Vec<Finding>) {
    let template = apply(server, design).await;
    let ground = Ground {
        model: &design.model,
        catalog: &design.compiled.catalog,
        server,
        template: &template,
    };
    let mut racer = Racer::open(ground, &RaceOptions::default())
        .await
        .expect("a racer");
    let mut results = BTreeMap::new();
    for invariant in &design.model.invariants {
        let result = racer.race(invariant).await.expect("a race");
        println!(
            "{}: {:?} {:?} {:?}",
            invariant.name.as_str(),
            result.verdict,
            result.reason,
            result.bounds
        );
        results.insert(invariant.name.as_str().to_owned(), result);
    }
    let findings = racer.findings();
    racer.close().await.expect("closes");
    (results, findings)
}

/// What PostgreSQL 15 needs around tables, invariants and commands.
fn whole(name: &str, body: &str) -> String {
    format!(
        "pgproof: 1\ndesign: {name}\ndatabase: {{engine: postgres, version: 15, schema: app}}\n{body}"
    )
}

fn show(counterexample: &Counterexample) {
    if let Counterexample::Timeline {
        sessions,
        start,
        moments,
        rows,
        ..
    } = counterexample
    {
        println!("{sessions:?}\n{start:#?}");
        for moment in moments {
            let indent = " ".repeat(moment.session * 40);
            println!(
                "{indent}{:?} {} -> {}",
                moment.kind, moment.text, moment.result
            );
        }
        println!("{rows:?}");
    }
}

async fn verdict(name: &str, body: &str, wanted: Verdict) -> RaceResult {
    let home = Home::new();
    let server = home.local().await;
    let (mut results, findings) = run(&server, &design(&whole(name, body))).await;
    server.stop().await.expect("stops");
    assert!(findings.is_empty(), "{findings:#?}");
    let (_, result) = results.pop_first().expect("an invariant");
    if let Some(counterexample) = &result.counterexample {
        show(counterexample);
    }
    assert_eq!(result.verdict, wanted, "{:?}", result.reason);
    result
}

const COUNTER: &str = "
tables:
  counter:
    grain: one counter
    columns: {counter_id: int, hits: int, counted: int}
    key: [counter_id]
invariants:
  every-hit-counts:
    never: a hit is lost
    holds: SELECT counter_id, hits, counted FROM counter WHERE hits <> counted
    enforced: ENFORCED
commands:
  hit:
    actor: someone
    does: counts a hit
    params: {counter_id: int}
    steps:
      - as: found
        sql: SELECT hits FROM counter WHERE counter_id = :counter_id LOCK
      - require: found.rows == 1
        otherwise: unknown
      - sql: UPDATE counter SET hits = CAST(:found.hits AS int) + 1, counted = counted + 1 WHERE counter_id = :counter_id
states:
  one: {counter: [{counter_id: 1, hits: 0, counted: 0}]}
";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_lost_update_is_found() {
    let body = COUNTER
        .replace("ENFORCED", "application")
        .replace("LOCK", "");
    let result = verdict("lost-update", &body, Verdict::Refuted).await;
    let Some(Counterexample::Timeline {
        sessions,
        moments,
        rows,
        ..
    }) = result.counterexample
    else {
        panic!("a timeline");
    };
    assert_eq!(sessions, ["A: hit", "B: hit"]);
    assert_eq!(rows.columns, ["counter_id", "hits", "counted"]);
    assert_eq!(rows.rows.len(), 1);
    assert!(
        moments
            .iter()
            .any(|moment| moment.kind == MomentKind::Committed)
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn no_update_is_lost_behind_a_lock() {
    let body = COUNTER
        .replace("ENFORCED", "transaction")
        .replace("LOCK", "FOR UPDATE");
    verdict("locked-update", &body, Verdict::Proven).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_race_is_narrowed_to_what_the_design_names_and_says_so() {
    let narrowed = "application\n    raced_by: {only: [count-on]}";
    let other = "commands:
  count-on:
    actor: someone
    does: counts at once
    params: {counter_id: int}
    steps:
      - as: counted
        sql: UPDATE counter SET hits = hits + 1, counted = counted + 1 WHERE counter_id = :counter_id
      - require: counted.rows == 1
        otherwise: unknown
";
    let body = COUNTER.replace("LOCK", "").replace("commands:\n", other);
    // What `hit` would break, `count-on` does not.
    let body = body.replace("ENFORCED", narrowed);
    let result = verdict("narrowed", &body, Verdict::Proven).await;
    let bounds = result.bounds.unwrap_or_default();
    assert!(
        bounds.contains("narrowed by the design to `count-on`"),
        "{bounds}"
    );
}

/// A rule that a command checks before it writes, as `enforced`, with what stands behind SELECT.
fn seats(enforced: &str, lock: &str, isolation: &str, retry: &str) -> String {
    let design = "
tables:
  flight:
    grain: one flight
    columns: {flight_id: int, seats: int}
    key: [flight_id]
  booking:
    grain: one seat that somebody has
    columns: {booking_id: int, flight_id: int}
    key: [booking_id]
    references: {fk_booking_flight: {columns: [flight_id], to: flight, on_delete: restrict}}
invariants:
  no-more-than-seats:
    never: more seats are booked than there are
    at_most: {in: booking, per: [flight_id], count: true, limit: flight.seats}
    enforced: ENFORCED
commands:
  book:
    actor: someone
    does: books a seat
    params: {booking_id: int, flight_id: int}
    isolation: ISOLATION
    steps:
      - as: flight
        sql: SELECT seats FROM flight WHERE flight_id = :flight_id LOCK
      - as: booked
        sql: SELECT count(*) AS n FROM booking WHERE flight_id = :flight_id
      - require: flight.rows == 1 and booked.n < flight.seats
        otherwise: full
      - sql: INSERT INTO booking (booking_id, flight_id) VALUES (:booking_id, :flight_id)
    outcomes: {unique_violation: booked_already, check_violation: full}
    RETRY
states:
  last-seat: {flight: [{flight_id: 1, seats: 1}]}
";
    design
        .replace("ENFORCED", enforced)
        .replace("LOCK", lock)
        .replace("ISOLATION", isolation)
        .replace("RETRY", retry)
}

const RETRY: &str = "retry: [serialization_failure, deadlock_detected]";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn overbooking_is_found() {
    let body = seats("application", "", "read committed", "");
    let result = verdict("overbooking", &body, Verdict::Refuted).await;
    let Some(Counterexample::Timeline { start, .. }) = result.counterexample else {
        panic!("a timeline");
    };
    assert_eq!(
        start,
        ["flight(flight_id=1, seats=1)"],
        "nothing is there that need not be"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn nothing_is_overbooked_behind_a_lock_on_the_flight() {
    let body = seats("transaction", "FOR UPDATE", "read committed", RETRY);
    verdict("locked-booking", &body, Verdict::Proven).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn repeatable_read_does_not_keep_phantoms_out_and_serializable_does() {
    let body = seats("transaction", "", "repeatable read", RETRY);
    verdict("snapshot-booking", &body, Verdict::Refuted).await;
    let body = seats("transaction", "", "serializable", RETRY);
    let result = verdict("serial-booking", &body, Verdict::Proven).await;
    assert!(figure(&result, "retries") > 0.0);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_database_keeps_nothing_overbooked_by_itself() {
    verdict(
        "guarded-booking",
        &seats("trigger", "", "read committed", RETRY),
        Verdict::Proven,
    )
    .await;
}

fn figure(result: &RaceResult, name: &str) -> f64 {
    result
        .figures
        .iter()
        .find(|(known, _)| known == name)
        .map_or(0.0, |(_, value)| *value)
}

fn names(enforced: &str) -> String {
    let design = "
tables:
  member:
    grain: one member
    columns: {member_id: int, email: text}
    key: [member_id]
invariants:
  one-member-per-address:
    never: two members share an address
    unique: {in: member, columns: [email]}
    enforced: ENFORCED
commands:
  join:
    actor: someone
    does: joins
    params: {member_id: int, email: text}
    steps:
      - as: known
        sql: SELECT member_id FROM member WHERE email = :email
      - require: known.rows == 0
        otherwise: known_already
      - sql: INSERT INTO member (member_id, email) VALUES (:member_id, :email)
    outcomes: {unique_violation: known_already}
";
    design.replace("ENFORCED", enforced)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn check_then_insert_is_found_and_a_unique_constraint_holds() {
    verdict("joining", &names("application"), Verdict::Refuted).await;
    verdict("joining-once", &names("constraint"), Verdict::Proven).await;
}

fn doctors(isolation: &str, retry: &str) -> String {
    let design = "
tables:
  shift:
    grain: one doctor of one shift
    columns: {shift_id: int, doctor_id: int, on_call: boolean}
    key: [shift_id, doctor_id]
invariants:
  somebody-is-on-call:
    never: a shift has nobody on call
    holds: SELECT shift_id FROM shift GROUP BY shift_id HAVING NOT bool_or(on_call)
    enforced: transaction
commands:
  leave:
    actor: doctor
    does: goes off call if somebody else stays
    params: {shift_id: int, doctor_id: int}
    isolation: ISOLATION
    steps:
      - as: others
        sql: SELECT count(*) AS n FROM shift WHERE shift_id = :shift_id AND doctor_id <> :doctor_id AND on_call
      - require: others.n > 0
        otherwise: nobody_else
      - sql: UPDATE shift SET on_call = false WHERE shift_id = :shift_id AND doctor_id = :doctor_id
    RETRY
states:
  two: {shift: [{shift_id: 1, doctor_id: 1, on_call: true}, {shift_id: 1, doctor_id: 2, on_call: true}]}
";
    design
        .replace("ISOLATION", isolation)
        .replace("RETRY", retry)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn write_skew_is_found_below_serializable() {
    verdict(
        "doctors",
        &doctors("repeatable read", RETRY),
        Verdict::Refuted,
    )
    .await;
    verdict(
        "serial-doctors",
        &doctors("serializable", RETRY),
        Verdict::Proven,
    )
    .await;
}

fn transfers(retry: &str) -> String {
    let design = "
tables:
  account:
    grain: one account
    columns: {account_id: int, cents: int}
    key: [account_id]
invariants:
  money-stays:
    never: money is made or lost
    holds: SELECT sum(cents) FROM account HAVING sum(cents) <> 200
    enforced: transaction
commands:
  transfer:
    actor: someone
    does: moves money
    params: {source: int, target: int, cents: {type: int, value: 10}}
    steps:
      - require: source != target
        otherwise: nowhere_to_go
      - as: taken
        sql: UPDATE account SET cents = cents - CAST(:cents AS int) WHERE account_id = :source
      - as: given
        sql: UPDATE account SET cents = cents + CAST(:cents AS int) WHERE account_id = :target
      - require: taken.rows == 1 and given.rows == 1
        otherwise: unknown
    RETRY
states:
  two: {account: [{account_id: 1, cents: 100}, {account_id: 2, cents: 100}]}
";
    design.replace("RETRY", retry)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_deadlock_is_recognised_and_retried() {
    let result = verdict("transfers", &transfers(RETRY), Verdict::Proven).await;
    assert!(figure(&result, "deadlocks") > 0.0);
    assert_eq!(
        figure(&result, "conditions_seen_both_ways"),
        1.0,
        "{:?}",
        result.figures
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_deadlock_that_nobody_declares_is_a_finding() {
    let home = Home::new();
    let server = home.local().await;
    let (_, findings) = run(&server, &design(&whole("transfers", &transfers("")))).await;
    server.stop().await.expect("stops");
    let codes: Vec<&str> = findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(codes, ["undeclared-outcome"], "{findings:#?}");
    assert!(
        findings[0].message.contains("deadlock_detected"),
        "{}",
        findings[0].message
    );
}

fn payments(enforced: &str) -> String {
    let design = "
tables:
  payment:
    grain: one payment
    columns: {payment_id: uuid, request_key: uuid, cents: int}
    key: [payment_id]
    UNIQUE
invariants:
  one-key-one-payment:
    never: one key pays twice
    idempotent: {command: pay, key: request_key, request: [cents]}
    enforced: ENFORCED
commands:
  pay:
    actor: someone
    does: pays once a key
    params: {request_key: uuid, cents: {type: int, value: 10}}
    steps:
      - as: earlier
        sql: SELECT payment_id, cents FROM payment WHERE request_key = :request_key
      - require: earlier.rows == 0
        otherwise: paid_already
      - sql: INSERT INTO payment (payment_id, request_key, cents) VALUES (gen_random_uuid(), :request_key, :cents)
    retry: [unique_violation]
    idempotent_by: request_key
";
    let unique = if enforced == "constraint" {
        "unique: {uq_payment_key: [request_key]}"
    } else {
        ""
    };
    design
        .replace("ENFORCED", enforced)
        .replace("UNIQUE", unique)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_key_has_one_effect_only_where_it_is_unique() {
    verdict("paying-twice", &payments("application"), Verdict::Refuted).await;
    verdict("paying-once", &payments("constraint"), Verdict::Proven).await;
}

/// Every outcome of every race of a design, with and without reduction, and how many orders each took.
async fn outcomes(
    server: &Server,
    design: &Design,
    sessions: usize,
    reduce: bool,
    workers: usize,
) -> BTreeMap<String, BTreeSet<String>> {
    let template = apply(server, design).await;
    let ground = Ground {
        model: &design.model,
        catalog: &design.compiled.catalog,
        server,
        template: &template,
    };
    let options = RaceOptions {
        reduce,
        generated_states: 2,
        schedules_of_wide_trial: 8000,
        walks: 0,
        workers,
        ..RaceOptions::default()
    };
    let mut racer = Racer::open(ground, &options).await.expect("a racer");
    let outcomes = racer.outcomes(sessions).await.expect("outcomes");
    racer.close().await.expect("closes");
    outcomes
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn reduction_loses_no_outcome() {
    let home = Home::new();
    let server = home.local().await;
    let state = |sql: &str| {
        format!(
            "invariants:\n  state:\n    never: x\n    holds: {sql}\n    enforced: application\n"
        )
    };
    let bookings = state("SELECT flight_id, booking_id FROM booking ORDER BY 1, 2");
    let accounts = state("SELECT * FROM account WHERE cents <> 100 ORDER BY 1");
    let cases = [
        (
            seats("application", "", "read committed", RETRY),
            bookings.clone(),
        ),
        (
            seats("transaction", "FOR UPDATE", "read committed", RETRY),
            bookings.clone(),
        ),
        (
            seats("transaction", "FOR SHARE", "read committed", RETRY),
            bookings.clone(),
        ),
        (
            seats("transaction", "", "repeatable read", RETRY),
            bookings.clone(),
        ),
        (
            seats("transaction", "", "serializable", RETRY),
            bookings.clone(),
        ),
        (seats("trigger", "", "read committed", RETRY), bookings),
        (
            names("constraint"),
            state("SELECT * FROM member ORDER BY 1"),
        ),
        (
            doctors("repeatable read", RETRY),
            state("SELECT * FROM shift WHERE NOT on_call ORDER BY 1, 2"),
        ),
        (transfers(RETRY), accounts.clone()),
        (transfers(""), accounts),
        (
            COUNTER
                .replace("ENFORCED", "application")
                .replace("LOCK", ""),
            state("SELECT * FROM counter WHERE counted > 0 ORDER BY 1"),
        ),
    ];
    for (number, (body, state)) in cases.iter().enumerate() {
        let design = design(&whole("reduced", &body.replacen("invariants:\n", state, 1)));
        // Of three sessions those that end without reduction as well.
        let sizes = if [6, 7, 10].contains(&number) {
            2..=3
        } else {
            2..=2
        };
        for sessions in sizes {
            let mut reduced = outcomes(&server, &design, sessions, true, 2).await;
            let full = outcomes(&server, &design, sessions, false, 2).await;
            println!(
                "case {number}, {sessions} sessions: {} trials in full",
                full.len()
            );
            // Without reduction some have more orders than there is time for.
            reduced.retain(|trial, _| full.contains_key(trial));
            assert_eq!(full, reduced, "case {number}, {sessions} sessions");
            let different = full.values().map(BTreeSet::len).sum::<usize>();
            assert!(different > 1, "case {number}, {sessions} sessions");
        }
    }
    server.stop().await.expect("stops");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn how_many_threads_work_at_it_makes_no_difference() {
    let home = Home::new();
    let server = home.local().await;
    for body in [names("constraint"), transfers(RETRY)] {
        let design = design(&whole("threads", &body));
        let alone = outcomes(&server, &design, 2, true, 1).await;
        let together = outcomes(&server, &design, 2, true, 3).await;
        assert!(alone.len() > 1, "{alone:#?}");
        assert_eq!(alone, together);
    }
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_trial_sees_nothing_of_the_one_before() {
    let home = Home::new();
    let server = home.local().await;
    // `a-fill` is raced first and leaves rows in a table that `b-count` only reads.
    let design = design(&whole(
        "afterwards",
        "tables:\n  filled:\n    grain: one row\n    columns: {id: int}\n    key: [id]\n  total:\n    grain: one row\n    columns: {id: int, n: int}\n    key: [id]\n\
         invariants:\n  state:\n    never: x\n    holds: SELECT n FROM total WHERE n > 0\n    enforced: application\n\
         commands:\n  a-fill:\n    actor: a\n    does: b\n    params: {id: int}\n    steps:\n      - sql: INSERT INTO filled VALUES (:id)\n    outcomes: {unique_violation: there}\n  \
         b-count:\n    actor: a\n    does: b\n    steps:\n      - sql: UPDATE total SET n = (SELECT count(*) FROM filled) WHERE id = 1\n\
         states:\n  one:\n    total: [{id: 1, n: 0}]\n",
    ));
    let found = outcomes(&server, &design, 3, true, 1).await;
    let only_counted = |trial: &str| {
        trial.contains("b-count") && !trial.contains("a-fill") && trial.starts_with("0 ")
    };
    let counted: Vec<_> = found
        .iter()
        .filter(|(trial, _)| only_counted(trial))
        .collect();
    assert!(!counted.is_empty(), "{found:#?}");
    for (trial, outcomes) in counted {
        // Nobody fills, so nobody counts anything.
        assert_eq!(outcomes.len(), 1, "{trial}: {outcomes:?}");
        assert!(
            outcomes.iter().all(|outcome| !outcome.contains("Some")),
            "{trial}: {outcomes:?}"
        );
    }
    server.stop().await.expect("stops");
}
