//! Rehearsals of migrations: the worked ones pass, and each way of being wrong is found.
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pgproof::assets::Assets;
use pgproof::design::Model;
use pgproof::finding::{Evidence, Method, Verdict};
use pgproof::postgres::Server;
use pgproof::template::environment;
use pgproof::verify::race::RaceOptions;
use pgproof::verify::{Part, Quiet, Verified, VerifyOptions, verify};
use support::Home;

fn text(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("designs")
        .join(path);
    std::fs::read_to_string(file).expect("the design is there")
}

async fn rehearsed(server: &Server, old: Model, new: &Model) -> Evidence {
    let evidence = verified(server, old, new).await.evidence;
    let mut found = evidence.into_iter().filter(|e| e.method == Method::Migrate);
    found.next().expect("there is evidence of the migration")
}

async fn verified(server: &Server, old: Model, new: &Model) -> Verified {
    let options = VerifyOptions {
        seed: 1,
        only: BTreeSet::from([Method::Migrate]),
        race: RaceOptions::default(),
        command: "pgproof verify".to_owned(),
        part: Part::default(),
        rows: None,
        predecessors: BTreeMap::from([(new.name.as_str().to_owned(), Ok(old))]),
    };
    let environment = environment(&Assets::builtin());
    let verified = verify(&[new], &options, server, &environment, &mut Quiet).await;
    verified.expect("verified")
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn worked_migrations_are_rehearsed() {
    let home = Home::new();
    let server = home.server().await;
    for (old, new) in [
        ("case-owner", "case-assignment"),
        ("commerce/before", "commerce"),
        ("review-operations/before", "review-operations"),
    ] {
        let old = design::model(&text(&format!("{old}/design.yaml")));
        let new_model = design::model(&text(&format!("{new}/design.yaml")));
        let evidence = rehearsed(&server, old, &new_model).await;
        println!("{new}: {:?} {:?}", evidence.bounds, evidence.reason);
        assert_eq!(
            evidence.verdict,
            Verdict::Held,
            "{new}: {:?}",
            evidence.reason
        );
    }
    server.stop().await.expect("stopped");
}

/// A small pair; what is put in place of what makes it wrong.
const OLD: &str = "
pgproof: 1
design: shop
database: {version: 15, schema: shop}
tables:
  item:
    grain: one item
    owner: sales
    columns:
      item_id: {type: bigint, means: identity}
      title: {type: text, nullable: not named yet, means: its name}
      price: {type: integer, default: 0, means: what it costs}
    key: [item_id]
commands:
  add-item:
    actor: clerk
    does: adds an item
    params: {item_id: bigint, title: text}
    steps:
      - sql: INSERT INTO item (item_id, title) VALUES (:item_id, :title)
  rename-item:
    actor: clerk
    does: names an item
    params: {item_id: bigint, title: text}
    steps:
      - sql: UPDATE item SET title = :title WHERE item_id = :item_id
  price-item:
    actor: clerk
    does: prices an item
    params: {item_id: bigint, price: integer}
    steps:
      - sql: UPDATE item SET price = :price WHERE item_id = :item_id
";

fn new(edits: &[(&str, &str)], migration: &str) -> Model {
    let mut text = OLD.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    design::model(&format!("{text}{migration}"))
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_is_wrong_with_a_migration_is_found() {
    let home = Home::new();
    let server = home.server().await;
    let rename = [
        ("title: {type", "name: {was: title, type"),
        ("SET title", "SET name"),
        ("(item_id, title)", "(item_id, name)"),
    ];
    let counted = (
        "    key: [item_id]\n",
        "      words: {type: integer, nullable: not counted yet, means: how long it is}\n    key: [item_id]\n",
    );
    let fill = "UPDATE item SET words = length(title) WHERE words IS NULL AND item_id IN (SELECT item_id FROM item WHERE item_id > :after ORDER BY item_id LIMIT :chunk)";
    let counting = |given: &str| {
        format!(
            "migration:\n  backfill: {{item: {{by: item_id, sql: '{fill}'}}}}\n  dual_write: {{item: 'NEW.words := {given}'}}\n  validate: {{all: SELECT item_id FROM item WHERE words IS DISTINCT FROM length(title)}}\n"
        )
    };
    let cases: Vec<(&str, Model, Option<&str>)> = vec![
        (
            "a rename by two columns, and a wider number beside it",
            new(
                &[
                    rename[0],
                    rename[1],
                    rename[2],
                    ("price: {type: integer", "price: {type: bigint"),
                ],
                "",
            ),
            None,
        ),
        (
            "new programs are said to work before the switch",
            new(
                &[(
                    "      - sql: UPDATE item SET price",
                    "      - sql: UPDATE open_item SET price",
                )],
                "views:\n  open_item: {sql: 'SELECT item_id, price FROM item', means: what can be priced}\nmigration: {compatibility: {v1: [old, switched], v2: [expanded, contracted]}}\n",
            ),
            Some("price-item of the new programs no longer runs"),
        ),
        (
            "rows that exist break a new check",
            new(
                &[(
                    "    key: [item_id]\n",
                    "    key: [item_id]\n    checks:\n      ck_item_price: price > 1000000\n",
                )],
                "",
            ),
            Some("validate check ck_item_price"),
        ),
        (
            "rows that exist have no value",
            new(
                &[(
                    "title: {type: text, nullable: not named yet,",
                    "title: {type: text,",
                )],
                "",
            ),
            Some("title"),
        ),
        (
            "old programs are said to work when what they need is gone",
            new(
                &[
                    (
                        "      price: {type: integer, default: 0, means: what it costs}\n",
                        "",
                    ),
                    (
                        "  price-item:\n    actor: clerk\n    does: prices an item\n    params: {item_id: bigint, price: integer}\n    steps:\n      - sql: UPDATE item SET price = :price WHERE item_id = :item_id\n",
                        "",
                    ),
                ],
                "migration: {compatibility: {v1: [old, contracted], v2: [switched, contracted]}}\n",
            ),
            Some("price-item of the old programs no longer runs"),
        ),
        (
            "old programs leave a new column empty",
            new(
                &[
                    (
                        "    key: [item_id]\n",
                        "      size: {type: integer, means: how long its name is}\n    key: [item_id]\n",
                    ),
                    (
                        "  rename-item:",
                        "  sell-item:\n    actor: clerk\n    does: adds an item\n    params: {item_id: bigint}\n    steps:\n      - sql: INSERT INTO item (item_id, size) VALUES (:item_id, 0)\n  rename-item:",
                    ),
                ],
                "migration:\n  backfill:\n    item: {by: item_id, sql: 'UPDATE item SET size = coalesce(length(title), 0) WHERE item_id IN (SELECT item_id FROM item WHERE item_id > :after ORDER BY item_id LIMIT :chunk)'}\n",
            ),
            Some("of the old programs no longer runs after step"),
        ),
        (
            "a rule counts rows that were there before it",
            new(
                &[(
                    "commands:",
                    "invariants:\n  few-of-a-price:\n    never: too many items cost the same\n    at_most: {in: item, per: [price], count: true, limit: 1000}\ncommands:",
                )],
                "",
            ),
            None,
        ),
        (
            "a rule counts rows that break it",
            new(
                &[(
                    "commands:",
                    "invariants:\n  few-of-a-price:\n    never: two items cost the same\n    at_most: {in: item, per: [price], count: true, limit: 1}\ncommands:",
                )],
                "",
            ),
            Some("count item into few_of_a_price_guard"),
        ),
        (
            "a query that shows what differs",
            new(
                &[],
                "migration: {validate: {nothing: SELECT item_id FROM item}}\n",
            ),
            Some("nothing of `migration.validate` returns"),
        ),
        (
            "the design's own way counts on when it is begun again",
            new(
                &[(
                    "    key: [item_id]\n",
                    "      words: {type: integer, default: 0, means: how long it is}\n    key: [item_id]\n",
                )],
                "migration:\n  backfill:\n    item: {by: item_id, sql: 'UPDATE item SET words = words + length(coalesce(title, $$x$$)) WHERE item_id IN (SELECT item_id FROM item WHERE item_id > :after ORDER BY item_id LIMIT :chunk)'}\n",
            ),
            Some("writes other values when it is begun again"),
        ),
        (
            "the design's own way asks for what only a superuser may",
            new(
                &[(
                    "    key: [item_id]\n",
                    "    key: [item_id]\n  named:\n    grain: the name of one item\n    owner: sales\n    columns:\n      item_id: {type: bigint, means: which}\n    key: [item_id]\n",
                )],
                "migration: {backfill: {named: {by: item_id, sql: \"COPY (SELECT 1 FROM item WHERE item_id > :after LIMIT :chunk) TO PROGRAM 'true'\"}}}\n",
            ),
            Some("must be superuser"),
        ),
        (
            "the design's own way begins anew at each chunk",
            new(
                &[counted],
                "migration: {backfill: {item: {by: item_id, sql: 'UPDATE item SET words = length(title) WHERE words IS NULL'}}}\n",
            ),
            Some("names neither :after nor :chunk"),
        ),
        (
            "what follows old programs leaves out that a value goes",
            new(
                &[counted],
                &counting("coalesce(length(NEW.title), NEW.words)"),
            ),
            Some("when they write item.title"),
        ),
        (
            "what follows old programs fails for some rows",
            new(
                &[counted],
                &counting(
                    "length(NEW.title) + 0 / (CASE WHEN NEW.title IS NULL THEN 0 ELSE 1 END)",
                ),
            ),
            Some("what they write to item.title fails: division by zero"),
        ),
        (
            "the way back of a value is not the way there",
            new(
                &[
                    ("price: {type", "cents: {was: price, type"),
                    ("SET price", "SET cents"),
                ],
                "migration: {convert: {item.cents: {as: price * 100, back: cents / 10}}}\n",
            ),
            Some("does not undo what it says in `as`"),
        ),
        (
            "the design's own way folds letters",
            new(
                &[(
                    "    key: [item_id]\n",
                    "      sign: {type: text, nullable: not named yet, means: its name}\n    key: [item_id]\n",
                )],
                "migration:\n  backfill:\n    item: {by: item_id, sql: 'UPDATE item SET sign = lower(title) WHERE item_id > :after AND item_id IN (SELECT item_id FROM item WHERE item_id > :after ORDER BY item_id LIMIT :chunk)'}\n  dual_write: {item: 'NEW.sign := NEW.title'}\n  validate: {all: SELECT item_id FROM item WHERE sign IS DISTINCT FROM title}\n",
            ),
            Some("all of `migration.validate` returns"),
        ),
        (
            "the design's own way leaves rows behind",
            new(
                &[(
                    "    key: [item_id]\n",
                    "    key: [item_id]\n  named:\n    grain: the name of one item\n    owner: sales\n    columns:\n      item_id: {type: bigint, means: which}\n      name: {type: text, nullable: none, means: its name}\n    key: [item_id]\n",
                )],
                "migration:\n  backfill:\n    named: {by: item_id, sql: 'INSERT INTO named SELECT item_id, title FROM item WHERE item_id > :after AND item_id % 2 = 0 ORDER BY item_id LIMIT :chunk ON CONFLICT DO NOTHING'}\n  validate:\n    all: SELECT item_id FROM item EXCEPT SELECT item_id FROM named\n",
            ),
            Some("all of `migration.validate` returns"),
        ),
    ];
    for (what, new, refuted) in cases {
        let evidence = rehearsed(&server, design::model(OLD), &new).await;
        println!("{what}: {:?} {:?}", evidence.verdict, evidence.reason);
        match refuted {
            None => assert_eq!(
                evidence.verdict,
                Verdict::Held,
                "{what}: {:?}",
                evidence.reason
            ),
            Some(why) => {
                assert_eq!(evidence.verdict, Verdict::Refuted, "{what}");
                let reason = evidence.reason.unwrap_or_default();
                assert!(reason.contains(why), "{what}: {reason}");
            }
        }
    }
    // A fill that could be left out, and the query that should see it sees nothing.
    let seen = counting("length(NEW.title)");
    let (made, _) = seen.split_once("  validate").expect("it has one");
    let unseen = new(
        &[counted],
        &format!(
            "{made}  validate: {{all: SELECT item_id FROM item WHERE words <> length(title)}}\n"
        ),
    );
    let evidence = rehearsed(&server, design::model(OLD), &unseen).await;
    assert_eq!(evidence.verdict, Verdict::Vacuous, "{:?}", evidence.reason);
    let reason = evidence.reason.unwrap_or_default();
    assert!(reason.contains("fill item"), "{reason}");
    assert!(reason.contains("without what it writes"), "{reason}");
    // Values that are filled, and nobody asks which.
    let unread = new(
        &[counted],
        &format!(
            "{made}  validate: {{all: SELECT item_id FROM item WHERE words IS NULL AND title IS NOT NULL}}\n"
        ),
    );
    let evidence = rehearsed(&server, design::model(OLD), &unread).await;
    assert_eq!(evidence.verdict, Verdict::Vacuous, "{:?}", evidence.reason);
    let reason = evidence.reason.unwrap_or_default();
    assert!(reason.contains("without its values"), "{reason}");
    // The worked migration without what follows the writers of the old version.
    let whole = text("case-assignment/design.yaml");
    let (before, rest) = whole.split_once("  dual_write:\n").expect("it has one");
    let (_, after) = rest.split_once("  validate:\n").expect("and queries");
    let forgotten = design::model(&format!("{before}  validate:\n{after}"));
    let old = design::model(&text("case-owner/design.yaml"));
    let evidence = rehearsed(&server, old, &forgotten).await;
    assert_eq!(evidence.verdict, Verdict::Refuted);
    let reason = evidence.reason.unwrap_or_default();
    assert!(reason.contains("parity"), "{reason}");
    server.stop().await.expect("stopped");
}

/// An index that a query needs goes with the migration.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_query_that_becomes_dearer_is_told() {
    let home = Home::new();
    let server = home.server().await;
    let served = [
        (
            "    key: [item_id]\n",
            "    key: [item_id]\n    indexes:\n      ix_item_price: {columns: [price]}\n    volume: {rows: 2M}\n",
        ),
        (
            "means: what it costs}",
            "means: what it costs, data: {distinct: 100000}}",
        ),
    ];
    let query = "queries:\n  by-price:\n    does: finds items of a price\n    kind: interactive\n    params: {price: integer}\n    sql: SELECT item_id FROM item WHERE price = :price\n";
    let old = || new(&served, query);
    let unserved = [
        served[0],
        served[1],
        (
            "    indexes:\n      ix_item_price: {columns: [price]}\n",
            "",
        ),
    ];
    let renamed = [served[0], served[1], ("ix_item_price", "ix_item_by_price")];
    for (what, edits, dearer) in [
        ("without its index", unserved, true),
        ("with its index under another name", renamed, false),
    ] {
        let found = verified(&server, old(), &new(&edits, query)).await;
        let told: Vec<String> = found
            .findings
            .iter()
            .filter(|finding| finding.code == "plan-regressed")
            .map(|finding| format!("{}: {}", finding.subject, finding.message))
            .collect();
        println!("{what}: {told:?} {:?}", found.evidence[0].bounds);
        assert_eq!(told.len(), usize::from(dearer), "{what}");
        if dearer {
            assert!(
                told[0].contains("instead of Bitmap Heap Scan on item"),
                "{told:?}"
            );
        }
    }
    server.stop().await.expect("stopped");
}
