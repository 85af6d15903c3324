//! Tables: keys, references, indexes, checks, partitions, retention.

use super::*;
use crate::catalog::OnDelete;
use crate::design::{PartitionRule, RetentionAction};

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
            "WHERE customer_id = :customer_id ORDER",
            "WHERE buyer = :customer_id ORDER",
        )
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
        &retention("{after: 1 year, do: delete}"),
        "retention-without-time",
        "1 year",
        "of:",
    );
    one(
        &retention("{after: 1 year, of: until, do: archive}"),
        "retention-without-target",
        "archive",
        "to:",
    );
    one(
        &retention("{after: 1 year, of: until, do: archive, to: custmer}"),
        "dangling-table",
        "custmer",
        "`customer`",
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

#[test]
fn statistics_are_over_columns_that_can_hang_together() {
    let declared = |said: &str| {
        format!(
            "indexes: {{ix_sale_customer: {{columns: [customer_id, sold_at desc], serves: [sales]}}}}\n    statistics: {{st_sale: {said}}}\n    volume: {{rows: 1M}}"
        )
    };
    let replaced =
        "indexes: {ix_sale_customer: {columns: [customer_id, sold_at desc], serves: [sales]}}";
    for (said, code, marked, help) in [
        ("{columns: []}", "statistics-impossible", "[]", "two to 8"),
        (
            "{columns: kind}",
            "statistics-impossible",
            "kind",
            "two to 8",
        ),
        (
            "{columns: [kind, nope]}",
            "dangling-column",
            "nope",
            "did you mean `note`?",
        ),
        (
            "{columns: [kind, state], distinct: 2M}",
            "statistics-impossible",
            "2M",
            "that rows have",
        ),
        (
            "{columns: [kind, state], distinct: 0}",
            "statistics-impossible",
            "0",
            "fraction",
        ),
    ] {
        fault(replaced, &declared(said), code, marked, help);
    }
}
