//! Mutants of commands, and connections lost at COMMIT, on a real PostgreSQL: what matters is missed, what does not is said to be of no use.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::collections::BTreeSet;

use pgproof::assets::Assets;
use pgproof::finding::{Counterexample, Evidence, Method, Moment, MomentKind, Verdict};
use pgproof::template::environment;
use pgproof::verify::race::RaceOptions;
use pgproof::verify::{Part, Quiet, Verified, VerifyOptions, verify};
use support::Home;

/// Verifies designs by these methods, all on one server.
async fn verified(designs: &[String], methods: &[Method]) -> Vec<Verified> {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let options = VerifyOptions {
        seed: 1,
        only: methods.iter().copied().collect(),
        race: RaceOptions::default(),
        command: "pgproof verify".to_owned(),
        part: Part::default(),
        rows: None,
        predecessors: std::collections::BTreeMap::new(),
    };
    let mut all = Vec::new();
    for text in designs {
        let model = design::model(text);
        let found = verify(&[&model], &options, &server, &environment, &mut Quiet)
            .await
            .expect("works");
        for evidence in &found.evidence {
            println!(
                "{} {} {} {} {:?} {:?}",
                model.name.as_str(),
                evidence.method.word(),
                evidence.verdict.word(),
                evidence.claim.subject,
                evidence.reason,
                evidence.bounds
            );
        }
        for finding in &found.findings {
            println!("{} {}", finding.code, finding.message);
        }
        println!("{:?}", found.mutants);
        all.push(found);
    }
    server.stop().await.expect("stops");
    home.assert_clean();
    all
}

fn whole(name: &str, body: &str) -> String {
    format!(
        "pgproof: 1\ndesign: {name}\ndatabase: {{engine: postgres, version: 15, schema: app}}\n{body}"
    )
}

/// What was found of the invariant of a design.
fn of_invariant(verified: &Verified, method: Method) -> &Evidence {
    let of = |evidence: &&Evidence| {
        evidence.method == method && evidence.claim.subject.starts_with("invariant ")
    };
    verified
        .evidence
        .iter()
        .find(of)
        .expect("there is evidence")
}

/// Mutants made and killed of the invariant.
fn mutants(verified: &Verified) -> (f64, f64) {
    let evidence = of_invariant(verified, Method::Mutate);
    let figure = |name: &str| {
        let found = evidence.figures.iter().find(|(known, _)| known == name);
        found.map_or(0.0, |(_, value)| *value)
    };
    (figure("mutants_made"), figure("mutants_killed"))
}

/// Codes of the advice that mutants gave, each with the message.
fn advice(verified: &Verified) -> Vec<(&str, &str)> {
    let ours = ["unneeded-lock", "redundant-mechanism"];
    let found = verified.findings.iter();
    let found = found.map(|finding| (finding.code.as_str(), finding.message.as_str()));
    found.filter(|(code, _)| ours.contains(code)).collect()
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
    enforced: transaction
commands:
  hit:
    actor: someone
    does: counts a hit
    params: {counter_id: int}
    isolation: LEVEL
    steps:
      FIRST
      - as: found
        sql: SELECT hits FROM counter WHERE counter_id = :counter_id HOLDING
      - require: found.rows == 1
        otherwise: unknown
      - sql: UPDATE counter SET hits = CAST(:found.hits AS int) + 1, counted = counted + 1 WHERE counter_id = :counter_id
    retry: [serialization_failure, deadlock_detected]
states:
  one: {counter: [{counter_id: 1, hits: 0, counted: 0}]}
";

fn counter(name: &str, first: &str, lock: &str, level: &str) -> String {
    let body = COUNTER.replace("      FIRST\n", first);
    whole(name, &body.replace("HOLDING", lock).replace("LEVEL", level))
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_a_command_needs_is_missed() {
    let advisory = "      - sql: SELECT pg_advisory_xact_lock(:counter_id)\n";
    let table = "      - sql: LOCK TABLE counter IN EXCLUSIVE MODE\n";
    let designs = [
        counter("row-lock", "", "FOR UPDATE", "read committed"),
        counter("advisory-lock", advisory, "", "read committed"),
        counter("table-lock", table, "", "read committed"),
        counter("level", "", "", "repeatable read"),
    ];
    for (verified, name) in verified(&designs, &[Method::Race, Method::Mutate])
        .await
        .iter()
        .zip(["row lock", "advisory lock", "table lock", "level"])
    {
        let race = of_invariant(verified, Method::Race);
        assert_eq!(race.verdict, Verdict::Proven, "{name}: {:?}", race.reason);
        assert_eq!(mutants(verified), (1.0, 1.0), "{name}");
        let mutate = of_invariant(verified, Method::Mutate);
        assert_eq!(mutate.verdict, Verdict::Proven, "{name}");
        assert_eq!(advice(verified), [], "{name}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn two_locks_that_do_the_same_are_said_to() {
    let advisory = "      - sql: SELECT pg_advisory_xact_lock(:counter_id)\n";
    let design = counter("both", advisory, "FOR UPDATE", "read committed");
    let verified = verified(&[design], &[Method::Race, Method::Mutate]).await;
    assert_eq!(mutants(&verified[0]), (2.0, 2.0));
    let advice = advice(&verified[0]);
    assert_eq!(advice.len(), 1, "{advice:?}");
    assert_eq!(advice[0].0, "redundant-mechanism");
    assert!(
        advice[0]
            .1
            .contains("pg_advisory_xact_lock in step 1 of hit")
            && advice[0].1.contains("FOR UPDATE in step 2 of hit"),
        "{advice:?}"
    );
}

/// Sums in one statement: the lock before it is of no use, the one of the other command is.
const USELESS: &str = "
tables:
  counter:
    grain: one counter
    columns: {counter_id: int, hits: int, counted: int}
    key: [counter_id]
invariants:
  every-hit-counts:
    never: a hit is lost
    holds: SELECT counter_id, hits, counted FROM counter WHERE hits <> counted
    enforced: transaction
commands:
  hit:
    actor: someone
    does: counts a hit
    params: {counter_id: int}
    steps:
      - sql: SELECT hits FROM counter WHERE counter_id = :counter_id FOR UPDATE
      - as: done
        sql: UPDATE counter SET hits = hits + 1, counted = counted + 1 WHERE counter_id = :counter_id RETURNING hits
      - require: done.rows == 1
        otherwise: unknown
OTHER
states:
  one: {counter: [{counter_id: 1, hits: 0, counted: 0}]}
";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_lock_that_nobody_needs_is_advice() {
    let other = "  double:
    actor: someone
    does: counts every hit twice
    params: {counter_id: int}
    steps:
      - as: found
        sql: SELECT hits FROM counter WHERE counter_id = :counter_id FOR UPDATE
      - require: found.rows == 1
        otherwise: unknown
      - sql: UPDATE counter SET hits = CAST(:found.hits AS int) + 1, counted = counted + 1 WHERE counter_id = :counter_id
";
    let designs = [
        whole("useless", &USELESS.replace("OTHER\n", other)),
        whole("alone", &USELESS.replace("OTHER\n", "")),
    ];
    let verified = verified(&designs, &[Method::Race, Method::Mutate]).await;
    // Something else protects the invariant: the useless lock is advice, and nothing is vacuous.
    assert_eq!(mutants(&verified[0]), (2.0, 1.0));
    let mutate = of_invariant(&verified[0], Method::Mutate);
    assert_eq!(mutate.verdict, Verdict::Proven);
    let found = advice(&verified[0]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "unneeded-lock");
    assert!(
        found[0].1.contains("FOR UPDATE in step 1 of hit"),
        "{found:?}"
    );
    // Nothing that is credited to it is missed.
    let mutate = of_invariant(&verified[1], Method::Mutate);
    assert_eq!(mutate.verdict, Verdict::Vacuous);
    assert_eq!(advice(&verified[1]).len(), 1);
}

const DOCTORS: &str = "
tables:
  shift:
    grain: one doctor in one shift
    columns: {shift_id: int, doctor_id: int, on_call: boolean}
    key: [shift_id, doctor_id]
invariants:
  somebody-is-on-call:
    never: nobody is on call
    holds: SELECT shift_id FROM shift GROUP BY shift_id HAVING count(*) FILTER (WHERE on_call) = 0
    enforced: transaction
commands:
  leave:
    actor: doctor
    does: goes off call if somebody else stays
    params: {shift_id: int, doctor_id: int}
    isolation: LEVEL
    steps:
      - as: others
        sql: SELECT count(*) AS n FROM shift WHERE shift_id = :shift_id AND on_call AND doctor_id <> :doctor_id
      - require: others.n > 0
        otherwise: last_one
      - sql: UPDATE shift SET on_call = false WHERE shift_id = :shift_id AND doctor_id = :doctor_id
    retry: [serialization_failure, deadlock_detected]
states:
  two: {shift: [{shift_id: 1, doctor_id: 1, on_call: true}, {shift_id: 1, doctor_id: 2, on_call: true}]}
";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn write_skew_needs_serializable() {
    let design = whole("doctors", &DOCTORS.replace("LEVEL", "serializable"));
    let verified = verified(&[design], &[Method::Race, Method::Mutate]).await;
    assert_eq!(
        of_invariant(&verified[0], Method::Race).verdict,
        Verdict::Proven
    );
    assert_eq!(mutants(&verified[0]), (1.0, 1.0));
    assert_eq!(advice(&verified[0]), []);
}

/// A version check, and the level above the one that is needed.
const VERSIONS: &str = "
tables:
  page:
    grain: one page
    columns: {page_id: int, version: int, edits: int}
    key: [page_id]
invariants:
  edits-are-versions:
    never: an edit is lost
    holds: SELECT page_id FROM page WHERE edits <> version
    enforced: transaction
commands:
  edit:
    actor: someone
    does: edits a page as it was seen
    params: {page_id: int}
    steps:
      - as: seen
        sql: SELECT version, edits FROM page WHERE page_id = :page_id
      - require: seen.rows == 1
        otherwise: unknown
      - as: saved
        sql: |
          UPDATE page SET version = version + 1, edits = CAST(:seen.edits AS int) + 1
          WHERE page_id = :page_id
            AND version = CAST(:seen.version AS int)  -- as it was seen
      - require: saved.rows == 1
        otherwise: stale
states:
  one: {page: [{page_id: 1, version: 0, edits: 0}]}
";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_version_check_is_missed() {
    let verified = verified(
        &[whole("versions", VERSIONS)],
        &[Method::Race, Method::Mutate],
    )
    .await;
    assert_eq!(
        of_invariant(&verified[0], Method::Race).verdict,
        Verdict::Proven
    );
    assert_eq!(mutants(&verified[0]), (1.0, 1.0));
}

fn payments(unique: &str, check: &str) -> String {
    let body = "
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
CHECK
      - sql: INSERT INTO payment (payment_id, request_key, cents) VALUES (gen_random_uuid(), :request_key, :cents)
    outcomes: {unique_violation: paid_already}
    idempotent_by: request_key
";
    let enforced = match unique {
        "" => "application",
        _ => "constraint",
    };
    let body = body
        .replace("    UNIQUE\n", unique)
        .replace("CHECK\n", check);
    body.replace("ENFORCED", enforced)
}

const UNIQUE: &str = "    unique: {uq_payment_key: [request_key]}\n";

const EARLIER: &str = "      - as: earlier
        sql: SELECT payment_id, cents FROM payment WHERE request_key = :request_key
      - require: earlier.rows == 0
        otherwise: paid_already
";

fn moments(evidence: &Evidence) -> &[Moment] {
    match &evidence.counterexample {
        Some(Counterexample::Timeline { moments, .. }) => moments,
        _ => &[],
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_lost_connection_pays_twice_where_no_key_is_kept() {
    let designs = [
        whole("no-key", &payments("", "")),
        whole("key-looked-up", &payments("", EARLIER)),
        whole("key-kept", &payments(UNIQUE, EARLIER)),
    ];
    let verified = verified(&designs, &[Method::Race]).await;
    let [no_key, looked_up, kept] = verified.as_slice() else {
        unreachable!("three designs");
    };
    let refuted = of_invariant(no_key, Method::Race);
    assert_eq!(refuted.verdict, Verdict::Refuted);
    let kinds: Vec<MomentKind> = moments(refuted).iter().map(|m| m.kind).collect();
    use MomentKind::{Committed, Lost, Ran};
    assert_eq!(
        kinds,
        [Ran, Lost, Ran, Committed],
        "{:#?}",
        moments(refuted)
    );
    let lost = &moments(refuted)[1].result;
    assert!(
        lost.contains("connection lost before COMMIT was acknowledged"),
        "{lost}"
    );
    // One client at a time is right; two at once are not.
    assert_eq!(
        of_invariant(looked_up, Method::Race).verdict,
        Verdict::Refuted
    );
    let proven = of_invariant(kept, Method::Race);
    assert_eq!(proven.verdict, Verdict::Proven, "{:?}", proven.reason);
    let bounds = proven.bounds.as_deref().unwrap_or_default();
    assert!(
        bounds.contains("a session killed before and after its commit is acknowledged"),
        "{bounds}"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_claim_is_tried_once_by_each_method() {
    let design = counter("row-lock", "", "FOR UPDATE", "read committed");
    let verified = verified(&[design], &[]).await;
    let ids: BTreeSet<&str> = verified[0].evidence.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids.len(), verified[0].evidence.len());
    let sum = |name: &str| -> f64 {
        let all = verified[0].evidence.iter().flat_map(|e| &e.figures);
        all.filter(|(known, _)| known == name)
            .map(|(_, value)| value)
            .sum()
    };
    assert_eq!(sum("mutants_made"), verified[0].mutants.made as f64);
    assert_eq!(sum("mutants_killed"), verified[0].mutants.killed as f64);
}

const SEATS: &str = "
tables:
  seat:
    grain: one seat
    columns: {seat_id: int}
    key: [seat_id]
  booking:
    grain: one booking
    columns: {booking_id: uuid, seat_id: int}
    key: [booking_id]
    references:
      fk_booking_seat: {columns: [seat_id], to: seat}
invariants:
  one-booking-per-seat:
    never: a seat is booked twice
    at_most_one: {in: booking, per: [seat_id]}
    enforced: constraint
    as: uq_booking_seat
commands:
  book:
    actor: someone
    does: books a free seat
    params: {booking_id: uuid, seat_id: int}
    steps:
      - as: seat
        sql: SELECT seat_id FROM seat WHERE seat_id = :seat_id FOR UPDATE
      - require: seat.rows == 1
        otherwise: unknown
      - as: earlier
        sql: SELECT booking_id FROM booking WHERE seat_id = :seat_id
      - require: earlier.rows == 0
        otherwise: taken
      - sql: INSERT INTO booking (booking_id, seat_id) VALUES (:booking_id, :seat_id)
    outcomes: {unique_violation: taken}
states:
  one: {seat: [{seat_id: 1}]}
";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_lock_beside_a_constraint_is_said_to_do_the_same() {
    let verified = verified(&[whole("seats", SEATS)], &[Method::Race, Method::Mutate]).await;
    let race = of_invariant(&verified[0], Method::Race);
    assert_eq!(race.verdict, Verdict::Proven, "{:?}", race.reason);
    assert_eq!(mutants(&verified[0]), (2.0, 2.0));
    let advice = advice(&verified[0]);
    assert_eq!(advice.len(), 1, "{advice:?}");
    assert_eq!(advice[0].0, "redundant-mechanism");
    assert!(
        advice[0].1.contains("FOR UPDATE in step 1 of book")
            && advice[0].1.contains("uq_booking_seat"),
        "{advice:?}"
    );
}
