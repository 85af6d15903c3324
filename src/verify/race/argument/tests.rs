//! Which arguments are tried, in states that are given.

use super::*;
use crate::compile::compile;
use crate::design::resolve;
use crate::source::{SourceMap, parse};
use crate::sql::QualifiedName;

const LEDGER: &str = "
pgproof: 1
design: ledger
database: {engine: postgres, version: 15, schema: app}
tables:
  entry:
    grain: one entry
    columns: {entry_id: uuid, posting_id: uuid, number: bigint, cents: bigint}
    key: [entry_id]
commands:
  post:
    actor: someone
    does: posts
    params: {debit_id: uuid, credit_id: uuid, posting_id: uuid, number: bigint}
    steps:
      - sql: INSERT INTO entry (entry_id, posting_id, number, cents) VALUES (:debit_id, :posting_id, :number, 1)
      - sql: INSERT INTO entry (entry_id, posting_id, number, cents) VALUES (:credit_id, :posting_id, :number, -1)
";

fn chosen(rows: Vec<Vec<Option<String>>>) -> Choices {
    let mut map = SourceMap::new();
    let id = map.add("design.yaml", LEDGER.to_owned());
    let node = parse(&map, id).expect("YAML");
    let model = resolve(&node).0.expect("a design");
    let catalog = compile(&model).catalog;
    let maker = Maker::new(&model, &catalog);
    let columns = ["entry_id", "posting_id", "number", "cents"];
    let mut snapshot = Snapshot::default();
    snapshot.tables.push(Stored {
        name: QualifiedName::new("app".into(), "entry".into()),
        columns: columns.map(Ident::from).to_vec(),
        rows,
    });
    arguments(&model.commands[0], &maker, &catalog, &snapshot, 1)
}

fn value(set: &Arguments, name: &str) -> String {
    set.get(&Ident::from(name))
        .cloned()
        .flatten()
        .unwrap_or_default()
}

#[test]
fn two_rows_of_one_call_have_keys_of_their_own() {
    let choices = chosen(Vec::new());
    let set = &choices.sets[0];
    assert_ne!(value(set, "debit_id"), value(set, "credit_id"));
    let other = choices.apart(set).swap_remove(0);
    let keys: BTreeSet<String> = [set, &other]
        .iter()
        .flat_map(|set| [value(set, "debit_id"), value(set, "credit_id")])
        .collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
}

#[test]
fn keys_of_new_rows_are_in_no_row() {
    let first = chosen(Vec::new()).sets.swap_remove(0);
    let there = |name| Some(value(&first, name));
    let row = vec![there("debit_id"), there("posting_id"), None, None];
    let again = chosen(vec![row]);
    let set = again.sets.first().expect("there are some");
    assert_ne!(value(set, "debit_id"), value(&first, "debit_id"));
    let repeats = |set: &Arguments| value(set, "debit_id") == value(&first, "debit_id");
    assert!(
        again.sets.iter().any(repeats),
        "a row that is there is tried, too"
    );
}

const PAYMENT: &str = "
pgproof: 1
design: payment
database: {engine: postgres, version: 15, schema: app}
tables:
  payment:
    grain: one payment
    columns: {payment_id: bigint, authorized: 'numeric(12,2)', captured: 'numeric(12,2)'}
    key: [payment_id]
    checks: {ck_captured: captured <= authorized}
  refund:
    grain: one refund
    columns: {refund_id: bigint, payment_id: bigint, cents: bigint}
    key: [refund_id]
    references: {fk_refund: {columns: [payment_id], to: payment, on_delete: restrict}}
invariants:
  within-100:
    never: more than 100 cents are given back
    at_most: {in: refund, per: [payment_id], sum: cents, limit: 100}
    enforced: application
commands:
  required:
    actor: someone
    does: captures what a condition of its own allows
    params: {payment_id: bigint, amount: 'numeric(12,2)'}
    steps:
      - {as: found, sql: 'SELECT captured AS so_far, authorized FROM payment WHERE payment_id = :payment_id'}
      - {require: found.so_far + amount <= found.authorized, otherwise: too_much}
      - sql: UPDATE payment SET captured = :amount WHERE payment_id = :payment_id
  stated:
    actor: someone
    does: captures what a statement allows
    params: {payment_id: bigint, amount: 'numeric(12,2)'}
    steps:
      - sql: UPDATE payment SET captured = captured + 0 WHERE payment_id = :payment_id AND captured + :amount <= authorized
  checked:
    actor: someone
    does: captures what a CHECK allows
    params: {payment_id: bigint, amount: 'numeric(12,2)'}
    steps:
      - sql: UPDATE payment SET captured = captured + :amount WHERE payment_id = :payment_id
  summed:
    actor: someone
    does: gives back what a limit on a sum allows
    params: {refund_id: bigint, payment_id: bigint, cents: bigint}
    steps:
      - sql: INSERT INTO refund (refund_id, payment_id, cents) VALUES (:refund_id, :payment_id, :cents)
";

#[test]
fn arguments_stand_at_the_edge_of_every_kind_of_condition() {
    let mut map = SourceMap::new();
    let id = map.add("design.yaml", PAYMENT.to_owned());
    let model = resolve(&parse(&map, id).expect("YAML"))
        .0
        .expect("a design");
    let catalog = compile(&model).catalog;
    let maker = Maker::new(&model, &catalog);
    let row = |values: &[&str]| {
        values
            .iter()
            .map(|value| Some((*value).to_owned()))
            .collect()
    };
    let stored = |table: &str, columns: &[&str], rows: Vec<Vec<Option<String>>>| Stored {
        name: QualifiedName::new("app".into(), table.into()),
        columns: columns.iter().map(|name| Ident::from(*name)).collect(),
        rows,
    };
    let mut snapshot = Snapshot::default();
    let payments = vec![row(&["8", "50.00", "0.00"]), row(&["9", "70.50", "20.25"])];
    snapshot.tables = vec![
        stored(
            "payment",
            &["payment_id", "authorized", "captured"],
            payments,
        ),
        stored(
            "refund",
            &["refund_id", "payment_id", "cents"],
            vec![row(&["4", "8", "30"])],
        ),
    ];
    let money = ["49.99", "50.00", "50.01"];
    for (command, name, wanted) in [
        ("required", "amount", money),
        ("stated", "amount", money),
        ("checked", "amount", money),
        ("summed", "cents", ["69", "70", "71"]),
    ] {
        let command = model
            .commands
            .iter()
            .find(|known| known.name.as_str() == command);
        let command = command.expect("it is there");
        let sets = arguments(command, &maker, &catalog, &snapshot, 1).sets;
        let sets = [
            near(command, &model, &maker, &catalog, &snapshot, &sets),
            sets,
        ]
        .concat();
        let tried: BTreeSet<String> = sets.iter().map(|set| value(set, name)).collect();
        for wanted in wanted {
            assert!(
                tried.contains(wanted),
                "{wanted} of {}: {tried:?}",
                command.name.as_str()
            );
        }
    }
}

#[test]
fn numbers_that_are_no_keys_have_neighbours() {
    let uuid = |n: u32| Some(format!("00000000-0000-0000-0000-{n:012}"));
    let row = vec![uuid(1), uuid(2), Some("5".to_owned()), Some("1".to_owned())];
    let choices = chosen(vec![row]);
    let numbers: BTreeSet<String> = choices
        .sets
        .iter()
        .map(|set| value(set, "number"))
        .collect();
    for number in ["4", "5", "6"] {
        assert!(numbers.contains(number), "{numbers:?}");
    }
}
