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
    for (column, given, marked) in [
        (
            "amount: cents",
            "range: [1, 99999999999999999999]",
            "99999999999999999999",
        ),
        ("amount: cents", "range: [1, 2.5]", "2.5"),
        ("amount: cents", "range: [NaN, 5]", "NaN"),
        ("amount: cents", "values: {much: 0.5}", "much"),
        (
            "sold_at: timestamptz",
            "range: [2026-02-01, tomorrow]",
            "tomorrow",
        ),
        (
            "sold_at: timestamptz",
            "range: [2026-02-30, 2026-04-01]",
            "2026-02-30",
        ),
        ("sold_at: timestamptz", "range: [1, 2026-04-01]", "1"),
        (
            "sold_at: timestamptz",
            "values: {2026-13-45: 0.5}",
            "2026-13-45",
        ),
    ] {
        let (name, data_type) = column.split_once(": ").expect("a column");
        let given = format!("{name}: {{type: {data_type}, data: {{{given}}}}}");
        fault(column, &given, "type-mismatch", marked, "write a");
    }
    fails(
        "values: {open: 0}",
        "data-impossible",
        "{open: 0}",
        "above 0",
    );
    fault(
        "sold_at: timestamptz",
        "sold_at: {type: timestamptz, data: {range: [2026-02-01, 2026-01-01]}}",
        "data-impossible",
        "[2026-02-01, 2026-01-01]",
        "lowest",
    );
    fails(
        "values: {open: 0.3, paid: 0.3, gone: 0.4}, distinct: 2",
        "data-impossible",
        "2",
        "3 are listed",
    );
    fails("width: 5", "data-impossible", "5", "takes 4 bytes at most");
    for (range, is_backwards) in [
        ("[2026-02-01 10:00:00, 2026-02-01 09:00:00]", true),
        ("['2026-02-01 10:00:00+00', '2026-01-31 11:00:00+02']", true),
        (
            "['2026-02-01 10:00:00+00', '2026-02-01 09:00:00-02']",
            false,
        ),
        ("[2026-02-01 09:00:00, 2026-02-01 10:00:00]", false),
    ] {
        let read = with(
            "sold_at: timestamptz",
            &format!("sold_at: {{type: timestamptz, data: {{range: {range}}}}}"),
        );
        assert_eq!(!read.said().is_empty(), is_backwards, "{range}");
    }
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
fn volumes_are_possible() {
    let key = "    key: [sale_id]\n    references";
    let with_volume = |volume: &str| format!("    volume: {{{volume}}}\n{key}");
    let fails = |volume: &str, marked: &str, words: &str| {
        fault(
            key,
            &with_volume(volume),
            "volume-impossible",
            marked,
            words,
        );
    };
    fails("rows: 1M, horizon: 0 s", "0 s", "no time ahead");
    fails("rows: 1000000000000000", "1000000000000000", "partitions");
    fails(
        "rows: 1M, grows: 1B/s, horizon: 100 years",
        "1M",
        "3.2e18 rows",
    );
    fails("rows: 1e300, grows: 1e300/s", "1e300", "32 TB");
    for volume in [
        "rows: 0, grows: 1M/month",
        "rows: 100B, horizon: 5 years",
        "rows: 1M, grows: 0",
    ] {
        assert_eq!(with(key, &with_volume(volume)).said(), [], "{volume}");
    }
    let parts = "    partition: {by: sale_id, hash: 4000}\n    volume: {rows: 1000000000000000}\n";
    assert_eq!(with(key, &format!("{parts}{key}")).said(), []);
    let column = |distinct: &str, volume: &str| {
        let text = with(
            "note: text?",
            &format!(
                "note: {{type: text, data: {{distinct: {distinct}}}}}\n{volume}\n    grain: one"
            ),
        );
        text.said()
            .iter()
            .map(|(code, at)| ((*code).to_owned(), (*at).to_owned()))
            .collect::<Vec<_>>()
    };
    let impossible = [("data-impossible".to_owned(), "2M".to_owned())];
    assert_eq!(column("2M", "    volume: {rows: 1M}"), impossible);
    assert_eq!(column("2M", "    volume: {rows: 1M, grows: 1M/month}"), []);
    assert_eq!(column("0.9", "    volume: {rows: 1M}"), []);
    assert_eq!(column("2M", ""), []);
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
