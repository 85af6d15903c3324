//! Designs come with pull requests. Whatever one brings along runs with no more rights than an owner of tables has: nothing of it gets at
#![expect(clippy::print_stdout, reason = "a test says what it saw")]
//! the machine.

#[path = "support/design.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pgproof::assets::Assets;
use pgproof::finding::Verdict;
use pgproof::template::environment;
use pgproof::verify::race::RaceOptions;
use pgproof::verify::{Part, Quiet, VerifyOptions, verify};
use support::Home;

/// Leaves a file where a design says `FOLDER`, if the session, or whoever it logged in as, may run programs. What it tries leaves no trace
/// in the database, and no error.
const REACH: &str = "\
CREATE FUNCTION hostile.reach(way text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'touch FOLDER/' || way);
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  BEGIN
    PERFORM set_config('role', 'none', true);
    EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'touch FOLDER/' || way);
    RAISE EXCEPTION 'back to the role that it was';
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN 1;
END $$";

/// One table with each way in which a design's SQL comes to run without a command that calls it.
const HOSTILE: &str = r#"pgproof: 1
design: hostile
title: A design that wants out
database: {engine: postgres, version: 15, schema: hostile, settings: {search_path: "hostile, pg_catalog"}}
types:
  handle: {domain: text}
tables:
  item:
    grain: one item
    role: truth
    owner: shop
    columns:
      item_id: bigint
      shelf: {type: integer, check: "hostile.sly('check') > 0"}
      name: handle
      kind: {type: text, default: "hostile.reach('default')::text"}
      twice: {type: integer, generated: "shelf + hostile.sly('generated')"}
      state: {type: text, default: "'new'"}
      version: {type: integer, default: "1"}
    key: [item_id]
    indexes:
      ix_item_sly: {columns: ["(shelf + hostile.sly('index'))"], where: "hostile.sly('predicate') > 0", because: it wants out}
    volume: {rows: 2M}
  part:
    grain: one part of an item
    role: truth
    owner: shop
    columns:
      part_id: bigint
      item_id: bigint
      label: {type: text, default: "hostile.reach('insert')::text"}
    key: [part_id]
    references:
      fk_part_item: {columns: [item_id], to: item, on_delete: cascade}
    indexes:
      ix_part_item: {columns: [item_id], because: deleting items}
views:
  seen: {security_invoker: false, sql: "SELECT item_id, hostile.reach('view') AS one FROM item"}
routines:
  reach: {sql: "REACH"}
  sly:
    sql: CREATE FUNCTION hostile.sly(way text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN hostile.reach(way); END $$
  narrower: {sql: "ALTER DOMAIN hostile.handle ADD CHECK (hostile.sly('domain') > 0)", after: [sly]}
  definer:
    sql: CREATE FUNCTION hostile.definer() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN hostile.reach('definer'); END $$
  overload:
    sql: CREATE FUNCTION public.to_jsonb(given hostile.item) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.reach('overload'); RETURN pg_catalog.row_to_json(given)::jsonb; END $$
  to_json:
    sql: CREATE FUNCTION hostile.to_json(given hostile.item) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.reach('cast'); RETURN pg_catalog.json_build_object('item_id', given.item_id); END $$
  to_json_cast:
    sql: CREATE CAST (hostile.item AS json) WITH FUNCTION hostile.to_json(hostile.item)
    after: [to_json]
  on_write:
    sql: |
      CREATE FUNCTION hostile.on_write() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM hostile.reach(TG_ARGV[0]); RETURN coalesce(NEW, OLD); END $$
  trigger_plain: {sql: CREATE TRIGGER plain BEFORE INSERT OR UPDATE OR DELETE ON hostile.item FOR EACH ROW EXECUTE FUNCTION hostile.on_write('trigger'), after: [on_write]}
  trigger_late: {sql: CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON hostile.item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hostile.on_write('deferred'), after: [on_write]}
  trigger_always:
    sql: |
      DO $$ BEGIN
        CREATE TRIGGER always BEFORE INSERT OR UPDATE OR DELETE ON hostile.item FOR EACH ROW EXECUTE FUNCTION hostile.on_write('always');
        CREATE TRIGGER emptied BEFORE TRUNCATE ON hostile.item EXECUTE FUNCTION hostile.on_write('truncate');
        ALTER TABLE hostile.item ENABLE ALWAYS TRIGGER always, ENABLE ALWAYS TRIGGER emptied;
      END $$
    after: [on_write]
invariants:
  holds-nothing:
    never: nothing
    because: its query is what runs
    holds: SELECT item_id FROM item WHERE hostile.reach('holds') < 0
    enforced: application
    monitor: {every: 1 hour, alert: page}
    repair: none
  one-name:
    never: two items have one name on a shelf
    because: one could not tell them apart
    at_most_one: {in: item, per: [shelf], where: "hostile.sly('where') > 0 and state = 'new'"}
  shelf-positive:
    never: a shelf is below zero
    because: there is none
    check: {in: item, is: "shelf > -1 and hostile.sly('is') > 0"}
  version-grows:
    never: a version shrinks
    because: readers compare it
    monotonic: {in: item, column: version, where: "hostile.sly('history') > 0"}
    enforced: application
    monitor: {every: 1 hour, alert: page}
    repair: none
commands:
  put:
    actor: clerk
    does: puts an item on a shelf
    params: {item_id: bigint, shelf: {type: integer, value: 3}, name: {type: text, value: box}}
    isolation: read committed
    steps:
      - sql: INSERT INTO item (item_id, shelf, name) VALUES (:item_id, :shelf, :name)
      - sql: SELECT hostile.reach('command'), hostile.definer(), (SELECT count(one) FROM seen)
    outcomes: {unique_violation: there_already, foreign_key_violation: gone}
  label:
    actor: clerk
    does: puts a part into an item
    params: {part_id: bigint, item_id: bigint}
    isolation: read committed
    steps:
      - sql: INSERT INTO part (part_id, item_id) VALUES (:part_id, :item_id)
      - sql: UPDATE item SET version = version + 1 WHERE item_id = :item_id
    outcomes: {unique_violation: there_already, foreign_key_violation: gone}
states:
  one-item:
    item: [{item_id: 1, shelf: 1, name: box}]
queries:
  on-shelf:
    does: lists a shelf
    kind: interactive
    runs: 50/s
    within: {p95: 50 ms}
    params: {shelf: {type: integer, value: 3}}
    sql: SELECT item_id, kind FROM item WHERE shelf = :shelf AND hostile.sly('query') > 0 ORDER BY state LIMIT 20
  of-item:
    does: lists the parts of an item
    kind: interactive
    runs: 50/s
    within: {p95: 50 ms}
    params: {label: {type: text, value: x}}
    sql: SELECT part_id FROM part WHERE label = :label AND hostile.sly('advice') > 0 LIMIT 20
"#;

fn design(folder: &Path) -> String {
    let reach = REACH.replace("FOLDER", &folder.to_string_lossy());
    let quoted = reach
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    HOSTILE.replace("\"REACH\"", &format!("\"{quoted}\""))
}

fn left(folder: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).expect("the folder is there");
    files
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn nothing_of_a_design_gets_at_the_machine() {
    let home = Home::new();
    let server = home.local().await;
    let folder = home.path().join("reached");
    std::fs::create_dir(&folder).expect("made");
    std::fs::set_permissions(&folder, Permissions::from_mode(0o777)).expect("ours");
    // The way out is one, for who may take it.
    let database = support::database(&server).await;
    let mut admin = database.admin().await.expect("a superuser");
    let reach = REACH.replace("FOLDER", &folder.to_string_lossy());
    for statement in [
        "CREATE SCHEMA hostile",
        reach.as_str(),
        "SELECT hostile.reach('control')",
    ] {
        admin.batch(&support::sql(statement)).await.expect("taken");
    }
    drop(admin);
    assert!(folder.join("control").exists());
    std::fs::remove_file(folder.join("control")).expect("removed");

    let model = design::model(&design(&folder));
    let options = VerifyOptions {
        seed: 1,
        only: BTreeSet::new(),
        race: RaceOptions {
            sessions: 2,
            schedules: 40,
            schedules_of_trial: 20,
            ..RaceOptions::default()
        },
        command: "pgproof verify".to_owned(),
        part: Part::default(),
        rows: None,
        predecessors: BTreeMap::new(),
    };
    let environment = environment(&Assets::builtin());
    let verified = verify(&[&model], &options, &server, &environment, &mut Quiet).await;
    let verified = verified.expect("it can be verified");
    for evidence in &verified.evidence {
        println!(
            "{} {:?} {:?}",
            evidence.claim.subject, evidence.verdict, evidence.reason
        );
    }
    for finding in &verified.findings {
        println!("{}: {}", finding.code, finding.message);
    }
    assert_eq!(left(&folder), BTreeSet::new(), "ways that lead out");
    // All of it did run.
    let raced = verified
        .evidence
        .iter()
        .filter(|e| e.verdict == Verdict::Proven || e.verdict == Verdict::Refuted);
    assert!(raced.count() > 4);
    server.stop().await.expect("stops");
    home.assert_clean();
}
