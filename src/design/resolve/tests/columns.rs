//! Columns, types, data and names.

use super::*;

#[test]
fn columns_resolve_short_and_long() {
    let read = with(
        "      note: text?",
        "      note: {type: 'numeric(12,2)', nullable: not asked, default: 1, time: event, sensitivity: personal,\n             data: {distinct: 0.5, nulls: 5%, range: [1, 9]}, means: a note}",
    );
    assert_eq!(read.said(), []);
    let sale = read.model.table(&"sale".into()).expect("declared");
    let column = sale.column(&"note".into()).expect("declared");
    assert_eq!(column.data_type.as_str(), "numeric(12,2)");
    assert!(column.nullable);
    assert_eq!(
        column.nullable_because.as_ref().map(|t| t.as_str()),
        Some("not asked")
    );
    assert_eq!(column.data.nulls, Some(0.05));
    assert_eq!(column.data.distinct, Some(0.5));
    let until = sale.column(&"until".into()).expect("declared");
    assert!(until.nullable && until.nullable_because.is_none());
    assert_eq!(read.map.snippet(until.data_type.at()), "timestamptz");
    let kind = sale.column(&"kind".into()).expect("declared");
    assert_eq!(kind.one_of.len(), 2);
    assert!(!kind.nullable);
}

#[test]
fn types_are_known_or_near() {
    fault(
        "note: text?",
        "note: txt?",
        "type-unknown",
        "txt",
        "did you mean `text`?",
    );
    fault(
        "state: sale_state",
        "state: sale_stat",
        "type-unknown",
        "sale_stat",
        "did you mean `sale_state`?",
    );
    fault(
        "note: text?",
        "note: string",
        "type-unknown",
        "string",
        "PostgreSQL calls it `text`",
    );
    fault(
        "note: text?",
        "note: varchar(0)",
        "type-unknown",
        "varchar(0)",
        "out of range",
    );
    fault(
        "note: text?",
        "note: uuid(3)",
        "type-unknown",
        "uuid(3)",
        "nothing in parentheses",
    );
    fault(
        "note: text?",
        "note: citext",
        "type-unknown",
        "citext",
        "database.extensions",
    );
    fault(
        "  sale_state: {enum",
        "  money: {enum: [a]}\n  sale_state: {enum",
        "name-reserved",
        "money",
        "another name",
    );
    fault(
        "domain: bigint",
        "domain: bigin",
        "type-unknown",
        "bigin",
        "`bigint`",
    );
    fault(
        "domain: bigint",
        "domain: cents",
        "type-circle",
        "cents",
        "made of itself",
    );
    fault(
        "{tenant_id: uuid, customer_id: uuid}\n    steps",
        "{tenant_id: uuid, customer_id: uid}\n    steps",
        "type-unknown",
        "uid",
        "`uuid`",
    );
    for known in [
        "timestamp(3) with time zone",
        "double precision",
        "'numeric(12,2)'",
        "text[]",
        "'sale_state[]'",
        "interval",
        "pg_catalog.int4",
        "shop.sale_state",
        "INTEGER",
        "character varying(20)",
        "int4range",
        "other.thing",
    ] {
        assert_eq!(
            with("note: text?", &format!("note: {known}")).said(),
            [],
            "{known}"
        );
    }
    // Of an extension we do not know any type may come.
    assert_eq!(
        read(
            &BASE
                .replace("[btree_gist]", "[mystery]")
                .replace("note: text?", "note: enigma")
        )
        .said(),
        []
    );
}

#[test]
fn columns_say_nothing_impossible() {
    fault(
        "note: text?",
        "note: {type: text, identity: always}",
        "type-mismatch",
        "always",
        "bigint",
    );
    fault(
        "note: text?",
        "note: {type: bigint, identity: always, default: 1}",
        "column-two-sources",
        "identity",
        "both",
    );
    fault(
        "note: text?",
        "note: {type: int, one_of: [1, two]}",
        "type-mismatch",
        "two",
        "no value of type",
    );
    fault(
        "note: text?",
        "note: {type: int, collate: C}",
        "type-mismatch",
        "C",
        "collation",
    );
    fault(
        "note: text?",
        "note: {type: text, one_of: [a, b, a]}",
        "duplicate-name",
        "a",
        "twice",
    );
    fault(
        "note: text?",
        "note: {type: text, one_of: []}",
        "values-empty",
        "[]",
        "no value",
    );
    fault(
        "state: sale_state",
        "state: {type: sale_state, default: open}",
        "default-not-quoted",
        "open",
        "\"'open'\"",
    );
    fault(
        "state: sale_state",
        "state: {type: sale_state, default: \"'opne'\"}",
        "state-unknown",
        "\"'opne'\"",
        "did you mean `open`?",
    );
    assert_eq!(
        with(
            "state: sale_state",
            "state: {type: sale_state, default: \"'open'::sale_state\"}"
        )
        .said(),
        []
    );
    fault(
        "note: text?",
        "note: {type: text, default: now(}",
        "sql-syntax",
        "(",
        "",
    );
    fault(
        "note: text?",
        "ctid: text?",
        "name-reserved",
        "ctid",
        "system column",
    );
}

#[test]
fn data_is_possible() {
    let data = |data: &str| format!("state: {{type: sale_state, data: {{{data}}}}}");
    let fails = |text: &str, code: &str, marked: &str, words: &str| {
        fault("state: sale_state", &data(text), code, marked, words);
    };
    fails(
        "values: {open: 0.7, paid: 0.7}",
        "data-impossible",
        "{open: 0.7, paid: 0.7}",
        "sum up to 1.4",
    );
    fails(
        "values: {opn: 0.5}",
        "state-unknown",
        "opn",
        "did you mean `open`?",
    );
    fails("distinct: 0", "data-impossible", "0", "at least one value");
    fails("nulls: 0.5", "data-impossible", "0.5", "nullable");
    fault(
        "amount: cents",
        "amount: {type: cents, data: {range: [9, 1]}}",
        "data-impossible",
        "[9, 1]",
        "empty",
    );
    fault(
        "amount: cents",
        "amount: {type: cents, data: {range: [1, much]}}",
        "type-mismatch",
        "much",
        "write a number",
    );
    fault(
        "sold_at: timestamptz",
        "sold_at: {type: timestamptz, data: {range: [2026-02-01, 2026-01-01]}}",
        "data-impossible",
        "[2026-02-01, 2026-01-01]",
        "lowest",
    );
    assert_eq!(
        with(
            "state: sale_state",
            &data("values: {open: 0.3, paid: 0.3, gone: 0.4}, correlation: -1")
        )
        .said(),
        []
    );
}

#[test]
fn names_are_what_postgresql_keeps() {
    let long = "n".repeat(64);
    fault(
        "note: text?",
        &format!("{long}: text?"),
        "name-too-long",
        &long,
        "64 bytes",
    );
    fault(
        "note: text?",
        "Note: text?\n      note: text?",
        "name-case",
        "note",
        "case",
    );
    fault(
        "note: text?",
        "\"\": text?",
        "name-invalid",
        "\"\"",
        "empty",
    );
    fault(
        "note: text?",
        "\"a\\u0007\": text?",
        "name-invalid",
        "\"a\\u0007\"",
        "control",
    );
    fault(
        "schema: shop",
        "schema: pg_shop",
        "name-reserved",
        "pg_shop",
        "itself",
    );
    fault(
        "roles: {app:",
        "roles: {public:",
        "name-reserved",
        "public",
        "itself",
    );
    for odd in ["select", "\"a\\\"b\"", "Größe", "with space"] {
        assert_eq!(
            with("note: text?", &format!("{odd}: text?")).said(),
            [],
            "{odd}"
        );
    }
}
