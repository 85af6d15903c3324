//! Invariants of every kind.

use super::*;
use crate::design::{Enforcement, Limit, Rule};

fn claim(clause: &str) -> Read {
    and(&format!("invariants:\n  rule-one:\n    {clause}\n"))
}

fn fails(clause: &str, code: &str, marked: &str, words: &str) {
    one(&claim(clause), code, marked, words);
}

#[test]
fn every_kind_resolves() {
    for clause in [
        "required: {in: sale, columns: [note]}",
        "required: {in: customer, child: sale}",
        "unique: {in: sale, columns: [note], where: note is not null}",
        "at_most_one: {in: sale, per: [customer_id], where: until is null}",
        "exactly_one: {in: sale, per: [customer_id]}",
        "at_most: {in: sale, per: [customer_id], count: true, limit: 10}",
        "at_most: {in: sale, per: [customer_id], sum: amount, limit: customer.credit}",
        "check: {in: sale, is: amount > 0}",
        "no_overlap: {in: sale, per: [customer_id], from: sold_at, to: until}",
        "references: {in: sale, columns: [customer_id], to: customer}",
        "balanced: {in: sale, per: [customer_id], sum: amount, equals: 0}",
        "append_only: {in: sale}",
        "append_only: sale",
        "immutable: {in: sale, columns: [note], once: until is not null}",
        "transitions: {in: sale, column: state, initial: [open], allow: {open: [paid], paid: [gone]}, terminal: [gone]}",
        "monotonic: {in: sale, column: amount, strictly: true}",
        "isolated: {tables: [sale, customer], by: tenant_id, setting: app.tenant, role: app}",
        "idempotent: {command: sell, key: customer_id, request: [tenant_id]}",
        "holds: SELECT 1 FROM sale WHERE amount < 0",
    ] {
        let read = claim(clause);
        assert_eq!(read.said(), [], "{clause}");
        let invariant = &read.model.invariants[0];
        assert!(clause.starts_with(invariant.rule.kind().word()), "{clause}");
        assert_eq!(invariant.enforced, invariant.rule.kind().preferred());
        assert_eq!(
            read.map.snippet(invariant.rule_at),
            invariant.rule.kind().word()
        );
    }
}

#[test]
fn names_of_every_kind_are_looked_up() {
    fails(
        "unique: {in: sal, columns: [x]}",
        "dangling-table",
        "sal",
        "`sale`",
    );
    fails(
        "unique: {in: sale, columns: [nte]}",
        "dangling-column",
        "nte",
        "`note`",
    );
    fails(
        "at_most_one: {in: sale, per: [nte]}",
        "dangling-column",
        "nte",
        "`note`",
    );
    fails(
        "exactly_one: {in: sale, per: [nte]}",
        "dangling-column",
        "nte",
        "`note`",
    );
    fails(
        "required: {in: sale, columns: [nte]}",
        "dangling-column",
        "nte",
        "`note`",
    );
    fails(
        "required: {in: sale, child: custmer}",
        "dangling-table",
        "custmer",
        "`customer`",
    );
    fails(
        "required: {in: sale, child: customer}",
        "no-reference-between",
        "customer",
        "references",
    );
    fails(
        "at_most: {in: sale, per: [customer_id], count: true, limit: customer.credt}",
        "dangling-column",
        "credt",
        "`credit`",
    );
    fails(
        "at_most: {in: sale, per: [customer_id], count: true, limit: custmer.credit}",
        "dangling-table",
        "custmer",
        "`customer`",
    );
    fails(
        "at_most: {in: sale, per: [customer_id], count: true, limit: credit}",
        "bad-limit",
        "credit",
        "table.column",
    );
    fails("check: {in: sale, is: amount >}", "sql-syntax", ">", "");
    fails(
        "no_overlap: {in: sale, per: [customer_id], from: sold_at, to: untl}",
        "dangling-column",
        "untl",
        "`until`",
    );
    fails(
        "no_overlap: {in: sale, per: [customer_id], from: sold_at, to: note}",
        "type-mismatch",
        "note",
        "interval",
    );
    fails(
        "references: {in: sale, columns: [customer_id], to: custmer}",
        "dangling-table",
        "custmer",
        "`customer`",
    );
    fails(
        "references: {in: sale, columns: [sale_id], to: customer, key: [customer_id]}",
        "type-mismatch",
        "sale_id",
        "uuid",
    );
    fails(
        "balanced: {in: sale, per: [nte], sum: amount}",
        "dangling-column",
        "nte",
        "`note`",
    );
    fails("append_only: sal", "dangling-table", "sal", "`sale`");
    fails(
        "immutable: {in: sale, columns: [nte]}",
        "dangling-column",
        "nte",
        "`note`",
    );
    fails(
        "monotonic: {in: sale, column: amout}",
        "dangling-column",
        "amout",
        "`amount`",
    );
    fails(
        "isolated: {tables: [sale, custmer], by: tenant_id, setting: app.tenant, role: app}",
        "dangling-table",
        "custmer",
        "`customer`",
    );
    fails(
        "isolated: {tables: [sale], by: tenant, setting: app.tenant, role: app}",
        "dangling-column",
        "sale",
        "isolate by",
    );
    fails(
        "isolated: {tables: [sale], by: tenant_id, setting: app.tenant, role: ap}",
        "dangling-role",
        "ap",
        "`app`",
    );
    fails(
        "isolated: {tables: [sale], by: tenant_id, setting: tenant, role: app}",
        "setting-invalid",
        "tenant",
        "app.tenant_id",
    );
    fails(
        "idempotent: {command: sel, key: customer_id}",
        "dangling-command",
        "sel",
        "`sell`",
    );
    fails(
        "idempotent: {command: sell, key: custmer_id}",
        "dangling-param",
        "custmer_id",
        "`customer_id`",
    );
    fails(
        "mirrors: seen",
        "dangling-projection",
        "seen",
        "projections",
    );
    fails(
        "retained: {in: sale}",
        "retained-without-retention",
        "sale",
        "retention",
    );
    fails("holds: SELECT FROM WHERE x", "sql-syntax", "WHERE", "");
    fails(
        "holds: SELECT 1; SELECT 2",
        "sql-two-statements",
        "SELECT 2",
        "one statement",
    );
    fails("holds: DELETE FROM sale", "sql-syntax", "DELETE", "query");
    fails(
        "append_only: sale\n    raced_by: [sel]",
        "dangling-command",
        "sel",
        "`sell`",
    );
}

#[test]
fn what_races_is_added_to_or_narrowed() {
    let names = |claim: &Read| -> Vec<String> {
        let by = claim.model.invariants[0].raced_by.iter();
        by.map(|name| name.as_str().to_owned()).collect()
    };
    let added = claim("append_only: sale\n    raced_by: [sell]");
    assert_eq!(
        (names(&added), added.model.invariants[0].raced_only),
        (vec!["sell".to_owned()], false)
    );
    let narrowed = claim("append_only: sale\n    raced_by: {only: sell}");
    assert_eq!(
        (names(&narrowed), narrowed.model.invariants[0].raced_only),
        (vec!["sell".to_owned()], true)
    );
    fails(
        "append_only: sale\n    raced_by: {only: [sel]}",
        "dangling-command",
        "sel",
        "`sell`",
    );
}

#[test]
fn a_where_is_kept_or_refused() {
    let both =
        claim("immutable: {in: sale, columns: [note], where: amount > 0, once: until is not null}");
    assert_eq!(both.said(), []);
    let Rule::Immutable {
        once: Some(once), ..
    } = &both.model.invariants[0].rule
    else {
        unreachable!("{:?}", both.model.invariants[0].rule);
    };
    assert_eq!(once.as_str(), "(amount > 0) and (until is not null)");
    fails(
        "monotonic: {in: sale, column: amount, where: amount >}",
        "sql-syntax",
        ">",
        "",
    );
    fails(
        "idempotent: {command: sell, key: customer_id, where: true}",
        "where-not-possible",
        "where",
        "all rows",
    );
}

#[test]
fn enforcement_fits_the_kind() {
    fails(
        "append_only: sale\n    enforced: constraint",
        "enforcement-not-possible",
        "constraint",
        "`trigger`",
    );
    let read = claim("append_only: sale\n    enforced: application");
    assert_eq!(read.said(), []);
    assert_eq!(read.model.invariants[0].enforced, Enforcement::Application);
    let silent = claim("holds: SELECT 1");
    assert_eq!(
        silent.model.invariants[0].enforced,
        Enforcement::Transaction
    );
}

#[test]
fn limits_are_numbers_or_columns() {
    let read = claim("at_most: {in: sale, per: [customer_id], count: true, limit: 10k}");
    let Rule::AtMost {
        limit: Limit::Number(number),
        ..
    } = &read.model.invariants[0].rule
    else {
        unreachable!("{:?}", read.model.invariants[0].rule);
    };
    assert_eq!(number.as_str(), "10000");
}

#[test]
fn transitions_speak_of_states_that_are_there() {
    let of = |rest: &str| claim(&format!("transitions: {{in: sale, column: state, {rest}}}"));
    let said = |rest: &str| -> Vec<(String, String)> {
        let read = of(rest);
        let all = read.said().into_iter();
        all.map(|(code, marked)| (code.to_owned(), marked.to_owned()))
            .collect()
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    };
    let typo = said("initial: [opn], allow: {open: [paid], paid: [gone, open]}, terminal: [gone]");
    assert!(
        typo.contains(&("state-unknown".to_owned(), "opn".to_owned())),
        "{typo:?}"
    );
    // `paid` is a dead end, and `gone` cannot be reached.
    let advice = of("initial: [open], allow: {open: [paid]}, terminal: [gone]");
    assert_eq!(
        advice.said(),
        [
            ("state-without-exit", "paid"),
            ("state-unreachable", "gone")
        ]
    );
    assert!(
        advice
            .findings
            .iter()
            .all(|f| f.severity == Severity::Advice)
    );
    // A label that the clause never mentions is shown at the clause.
    assert_eq!(
        said("initial: [open], allow: {open: [paid], paid: [open]}"),
        pairs(&[("state-unreachable", "transitions")])
    );
    assert_eq!(
        said("initial: [open], allow: {open: [paid], paid: [open, gone]}, terminal: [paid, gone]"),
        pairs(&[("state-terminal-left", "paid")])
    );
    // Without a list of values any word is a state.
    let free = claim(
        "transitions: {in: sale, column: note, initial: [a], allow: {a: [b]}, terminal: [b]}",
    );
    assert_eq!(free.said(), []);
}

#[test]
fn derived_names_are_given_once() {
    let two = |first: &str, second: &str| {
        and(&format!(
            "invariants:\n  one: {{{first}}}\n  two: {{{second}}}\n"
        ))
    };
    let clash = two(
        "unique: {in: sale, columns: [note]}, as: uq_x",
        "at_most_one: {in: sale, per: [kind]}, as: uq_x",
    );
    one(&clash, "duplicate-name", "uq_x", "taken");
    // One key may carry two rules.
    assert_eq!(
        two(
            "idempotent: {command: sell, key: customer_id}, as: uq_x",
            "unique: {in: sale, columns: [note]}, as: uq_x"
        )
        .said(),
        []
    );
    one(
        &claim("unique: {in: sale, columns: [note]}\n    as: uq_customer_tenant"),
        "duplicate-name",
        "uq_customer_tenant",
        "taken",
    );
    assert_eq!(
        claim(
            "unique: {in: customer, columns: [tenant_id, customer_id]}\n    as: uq_customer_tenant"
        )
        .said(),
        []
    );
}
