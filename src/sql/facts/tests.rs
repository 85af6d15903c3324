use super::super::statement::StatementKind;
use super::*;

struct Shop;

impl Names for Shop {
    fn schema(&self) -> &str {
        "shop"
    }

    fn has_column(&self, table: &str, column: &str) -> Option<bool> {
        let columns: &[&str] = match table {
            "orders" => &[
                "id",
                "tenant_id",
                "customer_id",
                "state",
                "placed_at",
                "total",
            ],
            "item" => &["order_id", "tenant_id", "product_id", "quantity"],
            "product" => &["product_id", "name", "stock", "version"],
            _ => return None,
        };
        Some(columns.contains(&column))
    }
}

fn of(text: &str) -> QueryFacts {
    let faults =
        super::super::syntax::check_syntax(text, super::super::syntax::SyntaxKind::Statement);
    assert_eq!(faults, [], "{text}");
    facts_in(text, &Shop).expect("a short text is read")
}

fn words<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    items
        .into_iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

/// reads; writes; locks
fn touched(text: &str) -> String {
    let facts = of(text);
    let locks: Vec<String> = facts
        .locks
        .iter()
        .map(|(table, lock)| format!("{table}:{lock:?}"))
        .collect();
    format!(
        "{}; {}; {}",
        words(&facts.reads),
        words(&facts.writes),
        locks.join(" ")
    )
}

#[test]
fn tables_that_are_read_written_and_locked() {
    for (text, expected) in [
        (
            "SELECT 1 FROM orders o, shop.item, other.t",
            "item orders other.t; ; ",
        ),
        (
            "SELECT 1 FROM \"Orders\" JOIN ORDERS ON true",
            "Orders orders; ; ",
        ),
        ("TABLE orders", "orders; ; "),
        ("VALUES ((SELECT id FROM orders))", "orders; ; "),
        (
            "SELECT 1 FROM orders WHERE id IN (SELECT order_id FROM item) FOR UPDATE",
            "item orders; ; orders:Update",
        ),
        (
            "SELECT 1 FROM orders o JOIN item i ON true FOR NO KEY UPDATE OF o SKIP LOCKED",
            "item orders; ; orders:NoKeyUpdate",
        ),
        (
            "SELECT 1 FROM orders o JOIN item i ON true FOR KEY SHARE OF i FOR SHARE OF o",
            "item orders; ; item:KeyShare orders:Share",
        ),
        (
            "SELECT 1 FROM (SELECT * FROM orders) q FOR UPDATE",
            "orders; ; orders:Update",
        ),
        (
            "WITH q AS (SELECT * FROM orders FOR UPDATE) SELECT 1 FROM q, item",
            "item orders; ; orders:Update",
        ),
        (
            "WITH q AS (SELECT id FROM orders) SELECT 1 FROM q JOIN item ON true FOR SHARE",
            "item orders; ; item:Share",
        ),
        (
            "WITH RECURSIVE q AS (SELECT 1 FROM orders UNION SELECT 1 FROM q JOIN item ON true) TABLE q",
            "item orders; ; ",
        ),
        (
            "WITH gone AS (DELETE FROM item RETURNING *) INSERT INTO orders SELECT * FROM gone",
            "item; item orders; ",
        ),
        (
            "(SELECT 1 FROM orders) UNION ALL SELECT 2 FROM item ORDER BY 1",
            "item orders; ; ",
        ),
        (
            "INSERT INTO orders (id) VALUES (:id) ON CONFLICT (id) WHERE total > 0 DO UPDATE SET total = excluded.total + orders.total WHERE orders.state = 'x'",
            "; orders; ",
        ),
        (
            "INSERT INTO orders AS o OVERRIDING SYSTEM VALUE SELECT * FROM item ON CONFLICT ON CONSTRAINT pk DO NOTHING",
            "item; orders; ",
        ),
        (
            "UPDATE ONLY orders AS o SET total = (SELECT sum(quantity) FROM item) FROM product p WHERE o.id = p.product_id",
            "item orders product; orders; ",
        ),
        (
            "DELETE FROM orders USING item i WHERE i.order_id = orders.id",
            "item orders; orders; ",
        ),
        (
            "MERGE INTO product USING item ON product.product_id = item.product_id WHEN MATCHED AND stock > 0 THEN UPDATE SET stock = 1 WHEN NOT MATCHED THEN INSERT (name) VALUES ('x')",
            "item product; product; ",
        ),
        (
            "LOCK TABLE orders, shop.item IN SHARE MODE",
            "; ; item:Table orders:Table",
        ),
        ("TRUNCATE orders, item", "; item orders; "),
        (
            "SELECT 1 FROM generate_series(1, (SELECT count(*) FROM orders)) g, LATERAL (SELECT 1 FROM item WHERE order_id = g) l",
            "item orders; ; ",
        ),
        (
            "SELECT 1 FROM (orders CROSS JOIN item) JOIN product USING (product_id)",
            "item orders product; ; ",
        ),
        (
            "SELECT ':x' FROM orders -- FROM item\n WHERE state = $$FROM product$$",
            "orders; ; ",
        ),
        ("CREATE VIEW v AS SELECT id FROM orders", "orders; ; "),
        (
            "SELECT ARRAY(SELECT 1 FROM orders), EXISTS (SELECT 1 FROM item), CASE WHEN true THEN (SELECT 1 FROM product) END",
            "item orders product; ; ",
        ),
    ] {
        assert_eq!(touched(text), expected, "{text}");
    }
}

#[test]
fn columns_that_are_set() {
    for (text, expected) in [
        (
            "INSERT INTO orders (id, \"State\") VALUES (1, 2)",
            "orders(State id)",
        ),
        ("INSERT INTO orders VALUES (1, 2)", "orders(*)"),
        ("INSERT INTO orders DEFAULT VALUES", ""),
        (
            "INSERT INTO product (name) VALUES (1) ON CONFLICT (name) DO UPDATE SET (stock, version) = (1, product.version + 1)",
            "product(name stock version)",
        ),
        (
            "UPDATE orders o SET total = 1, STATE = 'x'",
            "orders(state total)",
        ),
        (
            "MERGE INTO product p USING item i ON true WHEN MATCHED THEN UPDATE SET stock = 1 WHEN NOT MATCHED THEN INSERT (name) VALUES (1)",
            "product(name stock)",
        ),
    ] {
        let assigned: Vec<String> = of(text)
            .assigned
            .iter()
            .map(|(table, columns)| format!("{table}({})", words(columns)))
            .collect();
        assert_eq!(assigned.join(" "), expected, "{text}");
    }
}

fn shown(column: &ColumnRef) -> String {
    format!(
        "{}.{}",
        column.table.as_deref().unwrap_or("?"),
        column.column
    )
}

#[test]
fn conditions_joins_and_order() {
    let text = "SELECT o.id, i.quantity AS q FROM orders o JOIN item i USING (tenant_id) LEFT JOIN product p ON p.product_id = i.product_id\nWHERE o.tenant_id = :tenant AND state IN ('a') AND (placed_at, id) < (:at, :id) AND lower(p.name) = :n AND EXISTS (SELECT 1 FROM item x WHERE x.order_id = o.id AND x.quantity > 1)\nORDER BY placed_at DESC, o.id, q LIMIT :limit";
    let facts = of(text);
    let predicates: Vec<String> = facts
        .predicates
        .iter()
        .map(|p| {
            format!(
                "{}{}:{:?}@{}",
                if p.plain { "" } else { "~" },
                shown(&p.column),
                p.op,
                p.level
            )
        })
        .collect();
    assert_eq!(
        predicates.join(" "),
        "item.quantity:Range@1 orders.tenant_id:Equal@0 orders.state:In@0 orders.placed_at:Range@0 orders.id:Range@0 ~product.name:Equal@0"
    );
    for predicate in &facts.predicates {
        assert!(text[predicate.range.clone()].ends_with(&predicate.column.column));
    }
    let joins: Vec<String> = facts
        .joins
        .iter()
        .map(|(left, right)| format!("{}={}", shown(left), shown(right)))
        .collect();
    assert_eq!(
        joins,
        [
            "orders.tenant_id=item.tenant_id",
            "product.product_id=item.product_id",
            "item.order_id=orders.id"
        ]
    );
    let order: Vec<String> = facts
        .order_by
        .iter()
        .map(|key| {
            format!(
                "{}{}",
                key.column.as_ref().map_or("-".to_owned(), shown),
                if key.descending { " desc" } else { "" }
            )
        })
        .collect();
    assert_eq!(order, ["orders.placed_at desc", "orders.id", "-"]);
    assert!(facts.limit && !facts.group_by && !facts.distinct);
    assert_eq!(facts.offset, None);
    assert_eq!(words(&facts.functions), "exists lower");
    assert_eq!(facts.kind, StatementKind::Select);
}

#[test]
fn misspelt_columns_are_told_and_nothing_else_is() {
    for (text, expected) in [
        (
            "SELECT o.totl, bogus, id, o.ctid, x.id FROM orders o WHERE o.stat = current_date",
            "o.totl bogus x.id o.stat",
        ),
        (
            "SELECT id AS n, count(*), o FROM orders o GROUP BY n, id HAVING count(o) > 1 ORDER BY n",
            "",
        ),
        ("SELECT q.anything, other FROM (SELECT 1 AS other) q", ""),
        ("SELECT anything FROM orders, t", ""),
        (
            "SELECT 1 FROM orders WHERE EXISTS (SELECT 1 FROM item WHERE order_id = id AND quantty > 1)",
            "quantty",
        ),
        (
            "INSERT INTO orders (id, totl) VALUES (:id, 1) ON CONFLICT (idd) DO UPDATE SET state = excluded.stat, totale = 1 RETURNING idx",
            "totl idd excluded.stat totale idx",
        ),
        (
            "UPDATE orders o SET total = total + i.quantity FROM item i WHERE i.order_id = o.id RETURNING old.total, new.total, o.*",
            "",
        ),
        (
            "SELECT extract(year FROM placed_at), placed_at::date, placed_at AT TIME ZONE 'UTC', interval '1 day', make_interval(days => 1) FROM orders",
            "",
        ),
        ("SELECT r.a FROM orders AS r(a, b)", ""),
        (
            "SELECT g, g.g, e.value, k FROM generate_series(1, 2) g, jsonb_array_elements('[]') e, unnest(ARRAY[1]) WITH ORDINALITY AS u(k, n)",
            "",
        ),
        (
            "SELECT sum(total) OVER w, (o).total, (o.total).x FROM orders o WINDOW w AS (PARTITION BY customer_id ORDER BY placed_at)",
            "",
        ),
        (
            "WITH m(a) AS (SELECT 1) SELECT a, m.a FROM m JOIN orders USING (id)",
            "",
        ),
        (
            "SELECT shop.orders.total, orders.nope FROM shop.orders",
            "orders.nope",
        ),
        (
            "SELECT user, current_user, localtimestamp, \"user\" FROM orders",
            "\"user\"",
        ),
        (
            "MERGE INTO product p USING (SELECT product_id, quantity FROM item) s ON p.product_id = s.product_id WHEN MATCHED AND p.stock >= s.quantity THEN UPDATE SET stock = stock - s.quantity, versn = 1",
            "versn",
        ),
        (
            "SELECT 1 FROM orders o JOIN LATERAL (SELECT quantity FROM item WHERE order_id = o.id AND o.nope = 1) l ON true",
            "o.nope",
        ),
        (
            "DELETE FROM orders WHERE id = :id AND version = :version",
            "version",
        ),
    ] {
        let facts = of(text);
        let missing: Vec<&str> = facts
            .columns
            .iter()
            .filter(|used| used.missing)
            .map(|used| &text[used.range.clone()])
            .collect();
        assert_eq!(missing.join(" "), expected, "{text}");
    }
}

#[test]
fn stars_that_change_with_a_table() {
    for (text, expected) in [
        ("SELECT * FROM orders", Some("*")),
        ("SELECT o.*, i.quantity FROM orders o, item i", Some("o.*")),
        (
            "SELECT i.* FROM orders o, (SELECT quantity FROM item) i",
            None,
        ),
        ("SELECT count(*) FROM orders", None),
        ("SELECT 1 WHERE EXISTS (SELECT * FROM orders)", None),
        ("WITH q AS (SELECT id FROM orders) SELECT * FROM q", None),
        (
            "WITH q AS (SELECT * FROM orders) SELECT * FROM q",
            Some("*"),
        ),
        ("WITH q AS (SELECT * FROM orders) SELECT id FROM q", None),
        ("SELECT id FROM orders UNION SELECT * FROM item", Some("*")),
        ("INSERT INTO orders SELECT * FROM item", Some("*")),
        ("UPDATE orders SET total = 1 RETURNING *", None),
        (
            "WITH q AS (UPDATE orders SET total = 1 RETURNING *) SELECT q.* FROM q",
            Some("q.*"),
        ),
        ("SELECT * FROM generate_series(1, 2)", None),
        ("TABLE orders", Some("TABLE orders")),
    ] {
        let star = of(text).select_star.map(|range| &text[range]);
        assert_eq!(star, expected, "{text}");
    }
}

#[test]
fn the_condition_of_a_trigger_speaks_of_rows() {
    let text = "CREATE TRIGGER t AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.nothing) EXECUTE FUNCTION f()";
    let columns = of(text).columns;
    let told: Vec<(&str, bool)> = columns
        .iter()
        .map(|found| (found.column.column.as_str(), found.missing))
        .collect();
    assert_eq!(told, [("state", false), ("nothing", true)]);
}

#[test]
fn returning_everything_is_told_apart() {
    let text = "INSERT INTO orders (id) VALUES (1) RETURNING orders.*";
    let star = of(text).returning_star;
    assert_eq!(star.map(|range| &text[range]), Some("orders.*"));
}

#[test]
fn offsets_and_limits() {
    assert_eq!(of("SELECT id FROM orders LIMIT 5 OFFSET 0").offset, None);
    let text = "SELECT id FROM orders LIMIT :n OFFSET :skip";
    assert_eq!(
        of(text).offset.map(|range| &text[range]),
        Some("OFFSET :skip")
    );
    assert!(of("SELECT id FROM orders FETCH FIRST 3 ROWS ONLY").limit);
    assert!(!of("SELECT id FROM (SELECT id FROM orders LIMIT 1) q").limit);
}

#[test]
fn long_texts_end_in_an_answer() {
    let union = "SELECT 1 FROM orders UNION ".repeat(400) + "SELECT 1 FROM item";
    assert_eq!(words(&of(&union).reads), "item orders");
    assert!(facts(&"SELECT 1 + ".repeat(9_000)).is_none());
    let text = format!(
        "SELECT 1 FROM orders WHERE {}true",
        "id = 1 AND ".repeat(1_000)
    );
    assert_eq!(of(&text).predicates.len(), 1_000);
}

proptest::proptest! {
    // Nothing is written beside the sources: a case that fails is made a test by hand.
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

       #[test]
    fn no_text_brings_the_reader_down(words in proptest::collection::vec("(select|from|where|insert into|update|set|merge into|using|on|with|as|returning|for update of|orders|item|o|\\(|\\)|,|\\*|=|\\.|:a|and|é|1)", 0..30)) {
        let text = words.join(" ");
        if let Some(facts) = facts_in(&text, &Shop) {
            for used in &facts.columns {
                proptest::prop_assert!(text.get(used.range.clone()).is_some());
            }
        }
    }
}
