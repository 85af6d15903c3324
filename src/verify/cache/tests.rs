//! What changes which key, and what comes back from the cache.

use std::collections::BTreeSet;

use super::work::keys;
use super::{Asked, Cache};
use crate::assets::Assets;
use crate::compile::compile;
use crate::design::{Model, resolve};
use crate::finding::{Evidence, Method, Verdict};
use crate::source::{SourceMap, parse};
use crate::template::environment;
use crate::verify::race::RaceOptions;
use crate::verify::{Judged, Part, Told, Verified, VerifyOptions};

const DESIGN: &str = "pgproof: 1
design: lending
database: {version: 15, schema: lending}
problem: items are lent twice
tables:
  loan:
    grain: one lending of one item
    role: history
    columns:
      loan_id: uuid
      item_id: {type: uuid, means: what is lent}
      returned_at: {type: timestamptz, nullable: not returned yet}
    key: [loan_id]
    volume: {rows: 4000}
    indexes:
      ix_item: {columns: [item_id], serves: [of-item]}
invariants:
  lent-once:
    never: an item is lent twice at a time
    at_most_one: {in: loan, per: [item_id], where: returned_at is null}
    enforced: constraint
  lent-before-returned:
    never: a loan is returned in the year nought
    check: {in: loan, is: returned_at > '2000-01-01'}
    enforced: application
commands:
  lend:
    does: lends an item
    params: {loan_id: uuid, item_id: uuid}
    isolation: read committed
    steps:
      - sql: INSERT INTO loan (loan_id, item_id) VALUES (:loan_id, :item_id)
    outcomes: {unique_violation: lent_already}
queries:
  of-item:
    does: all loans of an item
    params: {item_id: uuid}
    sql: SELECT loan_id FROM loan WHERE item_id = :item_id
    plan: {uses: [ix_item]}
  open:
    sql: SELECT loan_id FROM loan WHERE returned_at IS NULL
";

fn model(text: &str) -> Model {
    let mut sources = SourceMap::new();
    let id = sources.add("design.yaml", text.to_owned());
    let root = parse(&sources, id).expect("the design is YAML");
    let (model, findings) = resolve(&root);
    let errors: Vec<_> = findings
        .iter()
        .filter(|f| f.severity == crate::finding::Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    model.expect("a design")
}

fn options() -> VerifyOptions {
    VerifyOptions {
        seed: 1,
        only: BTreeSet::new(),
        race: RaceOptions::default(),
        command: "pgproof verify".to_owned(),
        part: Part::default(),
        rows: None,
        predecessors: std::collections::BTreeMap::new(),
    }
}

/// What changed between two sets of keys.
fn changed_by(text: &str, options: &VerifyOptions, server: (&str, &str)) -> Option<Vec<String>> {
    let environment = environment(&Assets::builtin());
    let own = |text: &str, options: &VerifyOptions, (server_version, origin): (&str, &str)| {
        let model = model(text);
        let compiled = compile(&model);
        keys(&Asked {
            model: &model,
            compiled: &compiled,
            options,
            environment: &environment,
            server_version,
            origin,
        })
    };
    let before = own(DESIGN, &self::options(), SERVER);
    let after = own(text, options, server);
    let names = before
        .iter()
        .filter(|(name, key)| after.get(*name) != Some(key));
    let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
    (!names.is_empty()).then_some(names)
}

const SERVER: (&str, &str) = ("15.18", "local programs 15.18");

/// What is tried again after an edit.
fn edited(from: &str, to: &str) -> Vec<String> {
    assert!(DESIGN.contains(from), "{from}");
    changed_by(&DESIGN.replacen(from, to, 1), &options(), SERVER).unwrap_or_default()
}

const EVERYTHING: [&str; 11] = [
    "build schema lending",
    "mutate",
    "plan capacity",
    "plan command lend",
    "plan indexes",
    "plan query of-item",
    "plan query open",
    "race invariant lent-before-returned",
    "race invariant lent-once",
    "reject",
    "statements",
];

#[test]
fn prose_comments_and_places_are_not_tried_again() {
    for (from, to) in [
        ("problem: items are lent twice", "problem: everything is"),
        ("tables:\n", "# a comment\n\ntables:\n"),
        (
            "never: an item is lent twice at a time",
            "never: two at once",
        ),
        ("does: lends an item", "does: something"),
        ("does: all loans of an item", "does: something"),
        ("nullable: not returned yet", "nullable: still out"),
        (
            "indexes:\n      ix_item: {columns: [item_id], serves: [of-item]}",
            "indexes: {ix_item: {columns: [item_id], because: it is looked for}}",
        ),
    ] {
        assert_eq!(edited(from, to), [""; 0], "{to}");
    }
}

#[test]
fn what_becomes_a_comment_is_read_back_again() {
    let comment = ["build schema lending"];
    assert_eq!(edited("one lending of one item", "a loan"), comment);
    assert_eq!(edited("what is lent", "the item"), comment);
}

#[test]
fn a_change_of_the_schema_is_a_change_of_everything() {
    for (from, to) in [
        ("item_id: {type: uuid,", "item_id: {type: bigint,"),
        (
            "key: [loan_id]",
            "key: [loan_id]\n    checks: {ck: loan_id <> item_id}",
        ),
        (
            "where: returned_at is null}",
            "where: returned_at is not null}",
        ),
        ("rows: 4000", "rows: 5000"),
        ("version: 15,", "version: 16,"),
        (
            "schema: lending}",
            "schema: lending, settings: {work_mem: 64MB}}",
        ),
    ] {
        assert_eq!(edited(from, to), EVERYTHING, "{to}");
    }
}

#[test]
fn a_command_is_raced_and_measured() {
    let races = [
        "mutate",
        "plan command lend",
        "plan indexes",
        "race invariant lent-before-returned",
        "race invariant lent-once",
        "statements",
    ];
    assert_eq!(
        edited("isolation: read committed", "isolation: serializable"),
        races[..5]
            .iter()
            .copied()
            .chain(["statements"])
            .collect::<Vec<_>>()
    );
    assert_eq!(edited("lent_already", "gone"), races);
}

#[test]
fn a_query_is_planned_alone() {
    assert_eq!(
        edited(
            "WHERE item_id = :item_id\n",
            "WHERE item_id = :item_id ORDER BY loan_id\n"
        ),
        ["plan indexes", "plan query of-item", "statements"]
    );
    assert_eq!(
        edited("plan: {uses: [ix_item]}", "plan: {never: [sort]}"),
        ["plan indexes", "plan query of-item", "statements"]
    );
}

#[test]
fn a_rule_that_is_not_in_the_schema_is_not_planned() {
    let changed = edited("> '2000-01-01'", "> '2001-01-01'");
    assert_eq!(
        changed,
        [
            "mutate",
            "plan indexes",
            "race invariant lent-before-returned",
            "race invariant lent-once",
            "reject",
            "statements"
        ]
    );
}

#[test]
fn another_server_or_seed_is_another_run() {
    let all = Some(EVERYTHING.map(str::to_owned).to_vec());
    let minor = ("15.19", "local programs 15.19");
    assert_eq!(changed_by(DESIGN, &options(), minor), all);
    let seed = VerifyOptions {
        seed: 2,
        ..options()
    };
    assert_eq!(changed_by(DESIGN, &seed, SERVER), all);
    let mut budget = options();
    budget.race.schedules = 7;
    let raced = changed_by(DESIGN, &budget, SERVER).expect("something changed");
    assert_eq!(
        raced,
        [
            "mutate",
            "race invariant lent-before-returned",
            "race invariant lent-once"
        ]
    );
}

/// Evidence of everything, with one claim left open.
fn tried(model: &Model, told: &Told<'_>) -> Verified {
    let claims: [(Method, &str, Verdict); 10] = [
        (Method::Build, "schema lending", Verdict::Proven),
        (Method::Reject, "columns of loan", Verdict::Proven),
        (Method::Reject, "invariant lent-once", Verdict::Unchecked),
        (Method::Race, "invariant lent-once", Verdict::Proven),
        (
            Method::Race,
            "invariant lent-before-returned",
            Verdict::Refuted,
        ),
        (Method::Plan, "query of-item", Verdict::Held),
        (Method::Plan, "query open", Verdict::Held),
        (Method::Plan, "indexes", Verdict::Held),
        (Method::Plan, "capacity", Verdict::Held),
        (Method::Plan, "command lend", Verdict::Held),
    ];
    let mut verified = Verified::default();
    for (method, subject, verdict) in claims {
        let claim = crate::finding::Claim {
            subject: subject.to_owned(),
            statement: "is so".to_owned(),
            at: Some(model.database.at),
        };
        let judged = Judged::new(verdict).figure("cases", 3);
        verified
            .evidence
            .push(told.evidence(model, method, claim, judged));
    }
    verified
}

#[test]
fn what_is_settled_comes_back_and_what_is_not_is_tried_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = Cache::new(folder.path(), "2026-11-27T18:40:03Z");
    let environment = environment(&Assets::builtin());
    let options = options();
    let run = |text: &str, look: &mut dyn FnMut(&Model, &Asked<'_>)| {
        let model = model(text);
        let compiled = compile(&model);
        let asked = Asked {
            model: &model,
            compiled: &compiled,
            options: &options,
            environment: &environment,
            server_version: "15.18",
            origin: "here",
        };
        look(&model, &asked);
    };
    let told = Told {
        server_version: "15.18",
        seed: 1,
        command: "pgproof verify",
    };
    run(DESIGN, &mut |model, asked| {
        let recalled = cache.recall(asked).expect("works");
        assert!(!recalled.is_whole);
        let (all, failed) = cache.complete(asked, recalled, Some(tried(model, &told)));
        assert_eq!(failed, None);
        assert_eq!(all.evidence.len(), 10);
        assert!(all.evidence.iter().all(|e| e.cached.is_none()));
    });
    // Lines move and words change.
    let later = DESIGN
        .replace("database:", "\n\ndatabase:")
        .replace("an item is lent twice at a time", "two at once");
    run(&later, &mut |model, asked| {
        let recalled = cache.recall(asked).expect("works");
        assert!(!recalled.is_whole);
        let wanted =
            |method: Method, subject: &str| !recalled.part.wanted(method, [subject]).is_empty();
        assert!(!wanted(Method::Build, "schema lending"));
        assert!(!wanted(Method::Reject, "columns of loan"));
        assert!(wanted(Method::Reject, "invariant lent-once"));
        assert!(!wanted(Method::Race, "invariant lent-once"));
        assert!(wanted(Method::Race, "invariant lent-before-returned"));
        assert!(recalled.part.is_done(Method::Plan));
        assert!(recalled.part.is_done(Method::Mutate));
        assert!(!recalled.part.is_done(Method::Race));
        let mut fresh = tried(model, &told);
        fresh
            .evidence
            .retain(|e| wanted(e.method, e.claim.subject.as_str()));
        let (all, _) = cache.complete(asked, recalled, Some(fresh));
        let ids: Vec<&str> = all.evidence.iter().map(|e| e.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "lending/build/schema lending",
                "lending/reject/columns of loan",
                "lending/reject/invariant lent-once",
                "lending/race/invariant lent-once",
                "lending/race/invariant lent-before-returned",
                "lending/plan/query of-item",
                "lending/plan/query open",
                "lending/plan/indexes",
                "lending/plan/capacity",
                "lending/plan/command lend",
            ]
        );
        let cached: Vec<&Evidence> = all.evidence.iter().filter(|e| e.cached.is_some()).collect();
        assert_eq!(cached.len(), 8);
        assert_eq!(cached[0].claim.at, Some(model.database.at));
        assert_eq!(cached[2].claim.statement, "never: two at once");
        assert_eq!(cached[0].figures, [("cases".to_owned(), 3.0)]);
    });
}
