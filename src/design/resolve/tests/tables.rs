//! Tables, columns, types, keys, references, indexes, partitions, retention.

use super::*;
use crate::catalog::OnDelete;
use crate::design::{PartitionRule, RetentionAction};

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
    fails("range: [9, 1]", "data-impossible", "[9, 1]", "empty");
    fails(
        "range: [2026-02-01, 2026-01-01]",
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

#[test]
fn keys_name_columns_that_are_never_null() {
    fault(
        "key: [sale_id]\n    ref",
        "key: [sale_idd]\n    ref",
        "dangling-column",
        "sale_idd",
        "did you mean `sale_id`?",
    );
    fault(
        "key: [sale_id]\n    ref",
        "key: [note]\n    ref",
        "key-nullable",
        "note",
        "never null",
    );
    fault(
        "key: [sale_id]\n    ref",
        "key: [sale_id, sale_id]\n    ref",
        "duplicate-name",
        "sale_id",
        "twice",
    );
    fault(
        "[tenant_id, customer_id]}\n  sale",
        "[tenant, customer_id]}\n  sale",
        "dangling-column",
        "tenant",
        "`tenant_id`",
    );
}

#[test]
fn references_settle_their_key() {
    let key = |read: &Read| -> Vec<String> {
        let sale = read.model.table(&"sale".into()).expect("declared");
        sale.references[0]
            .key
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect()
    };
    assert_eq!(key(&read(BASE)), ["tenant_id", "customer_id"]);
    let renamed = BASE
        .replace("      customer_id: uuid\n", "      buyer: uuid?\n")
        .replace(
            "[tenant_id, customer_id], to: customer",
            "[buyer], to: customer, on_delete: set null",
        )
        .replace("[customer_id, sold_at desc]", "[buyer]");
    let renamed = read(&renamed);
    assert_eq!(renamed.said(), []);
    assert_eq!(key(&renamed), ["customer_id"]);
    assert_eq!(
        renamed.model.tables[1].references[0].on_delete,
        Some(OnDelete::SetNull)
    );
    // The same names in the same table say nothing: a reference to itself means the key.
    let own = with(
        "    unique: {uq_customer_tenant",
        "    references: {fk_parent: {columns: [parent_id], to: customer}}\n    unique: {uq_customer_tenant",
    );
    assert_eq!(own.said(), []);
    assert_eq!(
        own.model.tables[0].references[0].key[0].as_str(),
        "customer_id"
    );
}

#[test]
fn references_pair_columns_that_fit() {
    let to = "columns: [tenant_id, customer_id], to: customer}";
    fault(
        to,
        "columns: [tenant_id, customer_id], to: custmer}",
        "dangling-table",
        "custmer",
        "did you mean `customer`?",
    );
    fault(
        to,
        "columns: [tenant_id, custmer_id], to: customer, key: [tenant_id, customer_id]}",
        "dangling-column",
        "custmer_id",
        "customer_id",
    );
    fault(
        to,
        "columns: [customer_id], to: customer, key: [id]}",
        "dangling-column",
        "id",
        "there are",
    );
    fault(
        to,
        "columns: [sale_id, amount], to: customer}",
        "reference-count",
        "customer",
        "pair up",
    );
    fault(
        to,
        "columns: [customer_id], to: customer, key: [tenant_id, customer_id]}",
        "reference-count",
        "tenant_id",
        "as many",
    );
    fault(
        to,
        "columns: [sale_id], to: customer, key: [customer_id]}",
        "type-mismatch",
        "sale_id",
        "`customer.customer_id` is `uuid`",
    );
    fault(
        to,
        "columns: [customer_id], to: customer, on_delete: set_null}",
        "set-null-required",
        "set_null",
        "nullable",
    );
    let keyless = BASE.replace("    key: [customer_id]\n", "").replace(
        "columns: [tenant_id, customer_id], to: customer",
        "columns: [sale_id], to: customer",
    );
    one(
        &read(&keyless),
        "reference-without-key",
        "customer",
        "`key:`",
    );
}

#[test]
fn wider_and_narrower_numbers_are_a_warning() {
    let read = read_with_reference("n: int", "columns: [n], to: customer, key: [no]");
    assert_eq!(read.said(), [("type-mismatch", "n")]);
    assert_eq!(read.findings[0].severity, Severity::Warning);
    assert_eq!(
        read_with_reference("n: bigint", "columns: [n], to: customer, key: [no]").said(),
        []
    );
}

fn read_with_reference(column: &str, reference: &str) -> Read {
    read(
        &BASE
            .replace("parent_id: uuid?", "no: bigint")
            .replace("      note: text?", &format!("      {column}"))
            .replace("columns: [tenant_id, customer_id], to: customer", reference),
    )
}

#[test]
fn indexes_take_columns_and_expressions() {
    let index = |entries: &str| BASE.replace("[customer_id, sold_at desc]", entries);
    let read_index = |entries: &str| read(&index(entries));
    let good = read_index(
        "[\"lower(note) text_pattern_ops\", 'sold_at desc nulls last', '(amount + 1)', 'note collate \"C\"']",
    );
    assert_eq!(good.said(), []);
    let keys = &good.model.tables[1].indexes[0].keys;
    assert_eq!(keys[0].expression.as_str(), "lower(note)");
    assert_eq!(keys[0].opclass.as_deref(), Some("text_pattern_ops"));
    assert!(keys[0].column.is_none());
    assert_eq!(keys[1].column.as_ref().map(|c| c.as_str()), Some("sold_at"));
    assert!(keys[1].descending && keys[1].nulls_first == Some(false));
    assert_eq!(keys[3].collation.as_deref(), Some("\"C\""));
    one(
        &read_index("[custmer_id desc]"),
        "dangling-column",
        "custmer_id",
        "customer_id",
    );
    one(
        &read_index("[lower(note]"),
        "sql-syntax",
        "note",
        "found the end",
    );
}

#[test]
fn indexes_name_what_is_there() {
    fault(
        "serves: [sales]",
        "serves: [sale]",
        "dangling-query",
        "sale",
        "did you mean `sales`?",
    );
    fault(
        "serves: [sales]",
        "serves: [sales], include: [nte]",
        "dangling-column",
        "nte",
        "`note`",
    );
    fault(
        "serves: [sales]",
        "serves: [sales], where: note is is null",
        "sql-syntax",
        "is",
        "",
    );
    fault(
        "serves: [sales]",
        "serves: [sales], where: 'note = :x'",
        "param-unbound",
        ":x",
        "no meaning",
    );
    fault(
        "ix_sale_customer:",
        "uq_customer_tenant:",
        "duplicate-name",
        "uq_customer_tenant",
        "taken",
    );
    fault(
        "ix_sale_customer:",
        "customer:",
        "duplicate-name",
        "customer",
        "a table",
    );
}

#[test]
fn checks_are_expressions() {
    let check = |text: &str| {
        with(
            "    key: [sale_id]\n",
            &format!("    key: [sale_id]\n    checks: {{ck_sale: {text}}}\n"),
        )
    };
    assert_eq!(check("amount > 0 and note is not null").said(), []);
    one(&check("amount > > 0"), "sql-syntax", ">", "");
    one(&check("'SELECT 1'"), "sql-syntax", "SELECT", "");
    let two = with(
        "    key: [sale_id]\n",
        "    key: [sale_id]\n    checks: {fk_sale_customer: amount > 0}\n",
    );
    one(&two, "duplicate-name", "fk_sale_customer", "taken");
}

#[test]
fn partitions_are_cut_by_a_column() {
    let partition = |text: &str| {
        with(
            "    key: [sale_id]\n",
            &format!("    key: [sale_id]\n    partition: {text}\n"),
        )
    };
    let read = partition("{by: sold_at, every: 1 month, from: 2026-01-01, ahead: 3}");
    assert_eq!(read.said(), []);
    let rule = read.model.tables[1]
        .partition
        .as_ref()
        .map(|p| p.rule.clone());
    assert_eq!(
        rule,
        Some(PartitionRule::Every {
            count: 1,
            unit: "month".into(),
            from: "2026-01-01".into(),
            ahead: 3
        })
    );
    assert_eq!(partition("{by: sale_id, hash: 16}").said(), []);
    assert_eq!(
        partition("{by: kind, list: {a: [retail], b: [trade]}, default: true}").said(),
        []
    );
    one(
        &partition("{by: sold, hash: 16}"),
        "dangling-column",
        "sold",
        "sold_at",
    );
    one(
        &partition("{by: kind, every: 1 month, from: 2026-01-01}"),
        "type-mismatch",
        "kind",
        "cuts time",
    );
    one(
        &partition("{by: sold_at, every: 1 month, from: 2026-01-15}"),
        "partition-invalid",
        "2026-01-15",
        "first",
    );
    one(
        &partition("{by: kind, list: {a: [retail], b: [retail]}}"),
        "partition-invalid",
        "retail",
        "two partitions",
    );
}

#[test]
fn retention_counts_from_a_time() {
    let retention = |text: &str| {
        with(
            "    key: [sale_id]\n",
            &format!("    key: [sale_id]\n    retention: [{text}]\n"),
        )
    };
    let read =
        retention("{after: 7 years, of: until, do: archive, to: cold}, {hold: note is not null}");
    assert_eq!(read.said(), []);
    let rules = &read.model.tables[1].retention;
    assert_eq!(rules[0].action, Some(RetentionAction::Archive));
    assert_eq!(rules[0].after, Some(7.0 * 31_557_600.0));
    assert_eq!(
        rules[1].hold.as_ref().map(|t| t.as_str()),
        Some("note is not null")
    );
    one(
        &retention("{after: 1 year, of: untl, do: delete}"),
        "dangling-column",
        "untl",
        "`until`",
    );
    one(
        &retention("{after: 1 year, of: note, do: delete}"),
        "type-mismatch",
        "note",
        "timestamptz",
    );
    one(
        &retention("{after: 1 year, of: until, do: drop_partition}"),
        "retention-without-partition",
        "drop_partition",
        "partition",
    );
    one(&retention("{hold: note is}"), "sql-syntax", "is", "");
}

#[test]
fn earlier_names_are_gone() {
    fault(
        "note: text?",
        "note: {type: text, was: kind}",
        "was-present",
        "kind",
        "still there",
    );
    assert_eq!(
        with("note: text?", "note: {type: text, was: remark}").said(),
        []
    );
}
