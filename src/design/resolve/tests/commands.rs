//! Commands, conditions, events and states.

use super::*;
use crate::design::{Isolation, StepKind};

/// The base with other steps in its command, whose parameters are `tenant_id` and `customer_id`.
fn steps(steps: &str) -> Read {
    let start = BASE.find("    steps:\n").expect("the base has steps");
    let end = BASE.find("queries:").expect("the base has queries");
    read(&format!(
        "{}    steps:\n{steps}{}",
        &BASE[..start],
        &BASE[end..]
    ))
}

fn fails(text: &str, code: &str, marked: &str, words: &str) {
    one(&steps(text), code, marked, words);
}

/// A step that uses both parameters and captures a row.
const FOUND: &str = "      - {as: found, sql: 'SELECT credit FROM customer WHERE customer_id = :customer_id AND tenant_id = :tenant_id'}\n";

fn require(condition: &str) -> Read {
    steps(&format!("{FOUND}      - require: {condition}\n"))
}

#[test]
fn steps_resolve_in_order() {
    let read = read(BASE);
    let command = &read.model.commands[0];
    assert_eq!(command.isolation, Isolation::ReadCommitted);
    assert_eq!(command.params.len(), 2);
    let StepKind::Sql { capture, .. } = &command.steps[0].kind else {
        unreachable!("the first step is SQL");
    };
    assert_eq!(capture.as_ref().map(|c| c.as_str()), Some("found"));
    let StepKind::Require { otherwise, .. } = &command.steps[1].kind else {
        unreachable!("the second step is a condition");
    };
    assert_eq!(otherwise.as_ref().map(|o| o.as_str()), Some("no_credit"));
}

#[test]
fn parameters_are_bound_and_used() {
    let select = "      - {sql: 'SELECT 1 FROM sale WHERE customer_id = :custmer_id AND tenant_id = :tenant_id AND :customer_id IS NULL'}\n";
    fails(
        select,
        "param-unbound",
        ":custmer_id",
        "did you mean `customer_id`?",
    );
    let unused = steps("      - {sql: 'SELECT 1 FROM sale WHERE customer_id = :customer_id'}\n");
    one(&unused, "param-unused", "tenant_id", "never used");
    assert_eq!(unused.findings[0].severity, Severity::Warning);
    // Names in strings, casts, slices and comments are no parameters.
    let quiet = "      - sql: |\n          SELECT ':x', credit::text, 'a' /* :y */ -- :z\n          FROM customer WHERE customer_id = :customer_id AND tenant_id = :tenant_id\n";
    assert_eq!(steps(quiet).said(), []);
    fails(
        "      - {sql: 'SELECT $1, :customer_id, :tenant_id'}\n",
        "param-unbound",
        "$1",
        ":name",
    );
}

#[test]
fn captures_come_before_their_use() {
    let use_it = "      - {sql: 'UPDATE sale SET amount = :found.credit'}\n";
    assert_eq!(steps(&format!("{FOUND}{use_it}")).said(), []);
    fails(
        &format!("{use_it}{FOUND}"),
        "capture-unknown",
        ":found.credit",
        "later step",
    );
    fails(
        &format!("{FOUND}      - {{sql: 'SELECT :fond.credit'}}\n"),
        "capture-unknown",
        ":fond.credit",
        "did you mean `found`?",
    );
    fails(
        &format!("{FOUND}      - {{sql: 'SELECT :found'}}\n"),
        "param-unbound",
        ":found",
        ":found.column",
    );
    fails(
        &format!("{FOUND}      - {{as: found, sql: SELECT 1}}\n"),
        "duplicate-name",
        "found",
        "already",
    );
    fails(
        &format!("{FOUND}      - {{as: to-do, sql: SELECT 1}}\n"),
        "name-invalid",
        "to-do",
        "letters",
    );
    fails(
        &format!("{FOUND}      - {{sql: 'SELECT :found.credt'}}\n"),
        "capture-unknown",
        ":found.credt",
        "did you mean `found.credit`?",
    );
    fails(
        &format!("{FOUND}      - {{sql: 'SELECT :found.rows'}}\n"),
        "capture-unknown",
        ":found.rows",
        "condition only",
    );
    fails(
        &format!("{FOUND}      - {{require: found.state == 'open'}}\n"),
        "capture-unknown",
        "found.state",
        "it returns `credit`",
    );
    fails(
        &format!(
            "{FOUND}      - {{as: done, sql: DELETE FROM sale}}\n      - {{require: done.sale_id != null}}\n"
        ),
        "capture-unknown",
        "done.sale_id",
        "RETURNING",
    );
    // What a `*` returns only the server knows.
    let star = "      - {as: all, sql: 'SELECT * FROM sale WHERE customer_id = :customer_id AND tenant_id = :tenant_id'}\n      - {require: all.anything == 1}\n";
    assert_eq!(steps(star).said(), []);
}

#[test]
fn sql_is_one_statement_of_sound_syntax() {
    fails(
        &format!("{FOUND}      - {{sql: 'SELECT 1; SELECT 2'}}\n"),
        "sql-two-statements",
        "SELECT 2",
        "one statement",
    );
    fails(
        &format!("{FOUND}      - {{sql: COMMIT}}\n"),
        "transaction-in-step",
        "COMMIT",
        "isolation",
    );
    let inside = steps(&format!(
        "{FOUND}      - sql: |\n          UPDATE sale\n          SET amount = = 1\n"
    ));
    assert_eq!(inside.said().len(), 1, "{:?}", inside.findings);
    let (at, _) = place(&inside.map, &inside.findings[0]);
    let line = 1
        + BASE[..BASE.find("    steps:\n").unwrap_or(0)]
            .lines()
            .count()
        + 4;
    assert!(at.starts_with(&format!("{line}:")), "{at}, not {line}");
    let placeholder = steps(&format!("{FOUND}      - sql: INSERT INTO ... SELECT ...\n"));
    one(
        &placeholder,
        "sql-placeholder",
        "...",
        "still to be written",
    );
    assert_eq!(placeholder.findings[0].severity, Severity::Advice);
}

#[test]
fn conditions_name_what_is_there() {
    assert_eq!(require("found.rows == 1").said(), []);
    assert_eq!(
        require("tenant_id != customer_id and found.credit == null").said(),
        []
    );
    one(
        &require("fond.rows == 1"),
        "capture-unknown",
        "fond.rows",
        "did you mean `found`?",
    );
    one(
        &require("found.rows == 1 and tenat_id == null"),
        "param-unbound",
        "tenat_id",
        "`tenant_id`",
    );
    one(
        &require("found == 1"),
        "bad-condition",
        "found",
        "found.rows",
    );
    one(&require("found.rows = 1"), "bad-condition", "=", "`==`");
    one(
        &require("found.rows == '1'"),
        "bad-condition",
        "found.rows == '1'",
        "no number",
    );
    one(&require("1 == 1"), "bad-condition", "1 == 1", "every call");
    one(
        &require("found.rows"),
        "bad-condition",
        "found.rows",
        "compare it",
    );
    one(
        &require("found.credit in ['a', \"b\"]"),
        "bad-condition",
        "\"",
        "single quotes",
    );
    // What no row can have is never true.
    let paid = "      - {as: paid, sql: 'SELECT state FROM sale WHERE customer_id = :customer_id AND tenant_id = :tenant_id'}\n";
    let asked = |condition: &str| steps(&format!("{paid}      - require: {condition}\n"));
    assert_eq!(asked("paid.state in ['open', 'paid']").said(), []);
    one(
        &asked("paid.state in ['open', 'payed']"),
        "state-unknown",
        "'payed'",
        "it takes `open`",
    );
    // In a block the place is inside the block.
    let block = require("|\n          found.rows == 1\n          and found.credit >\n");
    assert_eq!(block.said().len(), 1);
    assert!(block.said()[0].0 == "bad-condition", "{:?}", block.said());
}

#[test]
fn errors_are_called_by_their_names() {
    let more = |text: &str| {
        with(
            "    actor: clerk\n",
            &format!("    actor: clerk\n    {text}\n"),
        )
    };
    assert_eq!(
        more("outcomes: {unique_violation: taken, 23P01: taken}").said(),
        []
    );
    assert_eq!(
        more("retry: [serialization_failure, deadlock_detected]").said(),
        []
    );
    one(
        &more("outcomes: {unique_violaton: taken}"),
        "condition-unknown",
        "unique_violaton",
        "`unique_violation`",
    );
    one(
        &more("retry: [deadlock]"),
        "condition-unknown",
        "deadlock",
        "`deadlock_detected`",
    );
}

#[test]
fn commands_name_what_is_there() {
    fault(
        "actor: clerk",
        "actor: clrk",
        "dangling-actor",
        "clrk",
        "`clerk`",
    );
    let more = |text: &str| {
        with(
            "    actor: clerk\n",
            &format!("    actor: clerk\n    {text}\n"),
        )
    };
    assert_eq!(more("emits: [Sold]").said(), []);
    one(&more("emits: [Slod]"), "dangling-event", "Slod", "`Sold`");
    one(
        &more("idempotent_by: custmer_id"),
        "dangling-param",
        "custmer_id",
        "`customer_id`",
    );
    assert_eq!(more("idempotent_by: null").said(), []);
    assert!(
        more("idempotent_by: null").model.commands[0]
            .idempotent_by
            .is_none()
    );
    // Without the sections names of actors and events are free.
    let free =
        "design: x\ncommands: {go: {actor: anybody, emits: [Gone], steps: [{sql: SELECT 1}]}}\n";
    assert_eq!(read(free).said(), []);
}

#[test]
fn events_name_commands_and_fields() {
    fault("by: sell", "by: sel", "dangling-command", "sel", "`sell`");
    fault(
        "key: [sale_id]}}",
        "key: [sal_id]}}",
        "dangling-field",
        "sal_id",
        "`sale_id`",
    );
    fault(
        "payload: {sale_id: bigint}",
        "payload: {sale_id: bigit}",
        "type-unknown",
        "bigit",
        "`bigint`",
    );
}

#[test]
fn states_hold_rows_of_tables() {
    let good = and("states: {one: {sale: [{sale_id: 1, state: open, note: null}]}}\n");
    assert_eq!(good.said(), []);
    let row = &good.model.states[0].tables[0].1[0];
    assert_eq!(row.len(), 3);
    assert!(row[2].1.is_none());
    more_fault(
        "states: {one: {sal: [{sale_id: 1}]}}\n",
        "dangling-table",
        "sal",
        "`sale`",
    );
    more_fault(
        "states: {one: {sale: [{sal_id: 1}]}}\n",
        "dangling-column",
        "sal_id",
        "`sale_id`",
    );
    more_fault(
        "states: {one: {sale: [{amount: much}]}}\n",
        "type-mismatch",
        "much",
        "write a number",
    );
    more_fault(
        "states: {one: {sale: [{state: opn}]}}\n",
        "state-unknown",
        "opn",
        "`open`",
    );
    more_fault(
        "states: {one: {sale: [{kind: retial}]}}\n",
        "state-unknown",
        "retial",
        "`retail`",
    );
}
