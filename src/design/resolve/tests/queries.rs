//! Queries and their plans, and every other section that names something.

use super::*;
use crate::design::{Expectation, ProjectionKind};

fn plan(plan: &str) -> Read {
    with("  sales:\n", &format!("  sales:\n    plan: {plan}\n"))
}

#[test]
fn plans_resolve() {
    let read = plan(
        "{uses: [ix_sale_customer, sale_pkey, uq_customer_tenant], never: [Seq Scan on sale, sort], reads: <= 2k rows, returns: <= 50 rows, \
         index_only: true, cost: <= 100, buffers: <= 20, estimates: within 10x, same_plan_for: [customer_id]}",
    );
    assert_eq!(read.said(), []);
    let found: Vec<&Expectation> = read.model.queries[0].plan.iter().map(|(e, _)| e).collect();
    assert_eq!(found.len(), 12);
    assert!(found.contains(&&Expectation::Reads(2000.0)));
    assert!(found.contains(&&Expectation::IndexOnly));
    assert!(found.contains(&&Expectation::Estimates(10.0)));
    assert!(
        matches!(found[3], Expectation::Never { node, on: Some(on) } if node == "seq scan" && on.as_str() == "sale")
    );
    assert_eq!(
        read.map.snippet(read.model.queries[0].plan[3].1),
        "Seq Scan on sale"
    );
}

#[test]
fn plans_name_what_is_there() {
    one(
        &plan("{uses: [ix_sale_custmer]}"),
        "dangling-index",
        "ix_sale_custmer",
        "`ix_sale_customer`",
    );
    one(
        &plan("{never: [seq scan on sal]}"),
        "dangling-table",
        "sal",
        "`sale`",
    );
    one(
        &plan("{partitions: <= 2 of sal}"),
        "dangling-table",
        "sal",
        "`sale`",
    );
    one(
        &plan("{partitions: <= 2 of sale}"),
        "table-not-partitioned",
        "sale",
        "no partitions",
    );
    one(
        &plan("{same_plan_for: [custmer_id]}"),
        "dangling-param",
        "custmer_id",
        "`customer_id`",
    );
    let derived = and("invariants: {one-a-day: {unique: {in: sale, columns: [note]}}}\n");
    assert_eq!(derived.said(), []);
    let named = read(
        &format!("{BASE}invariants: {{one-a-day: {{unique: {{in: sale, columns: [note]}}}}}}\n")
            .replace(
                "  sales:\n",
                "  sales:\n    plan: {uses: [sale_one_a_day_key]}\n",
            ),
    );
    assert_eq!(named.said(), []);
}

#[test]
fn queries_are_one_query_each() {
    let sql =
        "sql: SELECT sale_id FROM sale WHERE customer_id = :customer_id ORDER BY sold_at DESC";
    fault(
        sql,
        "sql: SELECT sale_id FRM sale WHERE customer_id = :customer_id",
        "sql-syntax",
        "sale",
        "",
    );
    fault(
        sql,
        "sql: 'SELECT :customer_id; SELECT 2'",
        "sql-two-statements",
        "SELECT 2",
        "one statement",
    );
    fault(
        sql,
        "sql: SELECT :customer_id + :other",
        "param-unbound",
        ":other",
        "declare",
    );
    fault(
        sql,
        "sql: SELECT sale_id FROM sale",
        "param-unused",
        "customer_id",
        "never used",
    );
}

#[test]
fn names_inside_sql_are_looked_up() {
    let sql = |text: &str| {
        with(
            "sql: SELECT sale_id FROM sale WHERE customer_id = :customer_id ORDER BY sold_at DESC",
            &format!("sql: {text}"),
        )
    };
    let fails = |text: &str, code: &str, marked: &str, words: &str| {
        one(&sql(text), code, marked, words);
    };
    fails(
        "SELECT sal_id FROM sale WHERE customer_id = :customer_id",
        "dangling-column",
        "sal_id",
        "did you mean `sale_id`?",
    );
    fails(
        "SELECT s.sale_id FROM sale s WHERE s.custmer_id = :customer_id",
        "dangling-column",
        "s.custmer_id",
        "table `sale` has no column",
    );
    fails(
        "SELECT x.sale_id FROM sale s WHERE s.customer_id = :customer_id",
        "dangling-column",
        "x.sale_id",
        "called `x`",
    );
    fails(
        "SELECT 1 FROM custmer WHERE :customer_id IS NULL",
        "dangling-table",
        "custmer",
        "did you mean `customer`?",
    );
    // Other schemas, functions and the server's own tables are the server's to know.
    for free in [
        "SELECT a FROM elsewhere WHERE b = :customer_id",
        "SELECT sale_id, ctid FROM shop.sale WHERE customer_id = :customer_id",
        "SELECT g FROM generate_series(1, 2) g WHERE :customer_id IS NULL",
        "SELECT relname FROM pg_class WHERE :customer_id IS NULL",
        "WITH c AS (SELECT sale_id AS z FROM sale) SELECT z FROM c WHERE :customer_id IS NULL",
    ] {
        assert_eq!(sql(free).said(), [], "{free}");
    }
}

#[test]
fn columns_inside_expressions_are_those_of_the_table() {
    let table = |text: &str| {
        with(
            "    key: [sale_id]\n",
            &format!("    key: [sale_id]\n    {text}\n"),
        )
    };
    one(
        &table("checks: {ck: amout > 0 and kind <> ''}"),
        "dangling-column",
        "amout",
        "did you mean `amount`?",
    );
    fault(
        "serves: [sales]",
        "serves: [sales], where: nte is null",
        "dangling-column",
        "nte",
        "`note`",
    );
    more_fault(
        "invariants: {one: {check: {in: sale, is: amout > 0}}}\n",
        "dangling-column",
        "amout",
        "`amount`",
    );
    fault(
        "note: text?",
        "note: {type: text, default: kind}",
        "default-not-quoted",
        "kind",
        "names no column",
    );
    fault(
        "note: text?",
        "note: {type: text, generated: upper(knd)}",
        "dangling-column",
        "knd",
        "`kind`",
    );
    for default in [
        "now()",
        "current_date",
        "gen_random_uuid()",
        "'kind'",
        "1 + 1",
        "nextval('s')",
    ] {
        let read = with(
            "note: text?",
            &format!("note: {{type: text, default: \"{default}\"}}"),
        );
        assert_eq!(read.said(), [], "{default}");
    }
}

#[test]
fn the_rest_of_the_design_names_what_is_there() {
    fault(
        "writes: [sale]",
        "writes: [sal]",
        "dangling-table",
        "sal",
        "`sale`",
    );
    fault(
        "grants: {sale:",
        "grants: {sal:",
        "dangling-table",
        "sal",
        "`sale`",
    );
    more_fault(
        "authority: {sales: {store: sales_}}\n",
        "dangling-table",
        "sales_",
        "`sale`",
    );
    assert_eq!(
        and("authority: {sales: {store: redis}, people: {store: identity.person}}\n").said(),
        []
    );
    more_fault(
        "authority: {sales: {store: sale.stat}}\n",
        "dangling-column",
        "sale.stat",
        "`state`",
    );
    more_fault(
        "operations: {signals: {slow: {query: sals}}}\n",
        "dangling-query",
        "sals",
        "`sales`",
    );
    more_fault(
        "migration: {backfill: {sal: {by: sale_id, sql: SELECT 1}}}\n",
        "dangling-table",
        "sal",
        "`sale`",
    );
    more_fault(
        "migration: {backfill: {sale: {by: sal_id, sql: 'SELECT :after, :limit'}}}\n",
        "dangling-column",
        "sal_id",
        "`sale_id`",
    );
    more_fault(
        "migration: {backfill: {sale: {by: sale_id, sql: 'SELECT :aftr'}}}\n",
        "param-unbound",
        ":aftr",
        "`after`",
    );
    more_fault(
        "migration: {validate: {parity: SELECT FROM FROM}}\n",
        "sql-syntax",
        "FROM",
        "",
    );
    more_fault(
        "waivers: [{rule: r, at: sal.note, because: b}]\n",
        "dangling-object",
        "sal",
        "`sale`",
    );
    more_fault(
        "waivers: [{rule: r, at: sale.nte, because: b}]\n",
        "dangling-object",
        "nte",
        "`note`",
    );
    assert_eq!(and("waivers: [{rule: r, at: sale.ix_sale_customer, because: b}, {rule: r, at: sales, because: b}]\n").said(), []);
}

#[test]
fn views_and_routines_are_plain_sql() {
    let good = and(
        "views: {v: {sql: SELECT 1, after: [sale]}}\nroutines: {r: {sql: 'CREATE FUNCTION r() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$', after: [v]}}\n",
    );
    assert_eq!(good.said(), []);
    assert_eq!(good.model.views.len(), 2);
    assert!(good.model.views[0].security_invoker);
    more_fault(
        "views: {v: {sql: SELECT 1, after: [sal]}}\n",
        "dangling-object",
        "sal",
        "`sale`",
    );
    more_fault(
        "views: {sale: {sql: SELECT 1}}\n",
        "duplicate-name",
        "sale",
        "taken",
    );
    more_fault(
        "views: {v: {sql: DELETE FROM sale}}\n",
        "sql-syntax",
        "DELETE",
        "query",
    );
    more_fault(
        "routines: {r: {sql: 'CREATE FUNCTION'}}\n",
        "sql-syntax",
        "FUNCTION",
        "found the end",
    );
}

#[test]
fn projections_are_made_from_something() {
    let kind = |body: &str| {
        let read = and(&format!(
            "projections: {{seen: {{source: [sale], {body}}}}}\n"
        ));
        assert_eq!(read.said(), [], "{body}");
        read.model.projections[0].kind
    };
    assert_eq!(kind("columns: {a: int}, key: [a]"), ProjectionKind::Table);
    assert_eq!(
        kind("rebuild: SELECT 1 AS a"),
        ProjectionKind::MaterializedView
    );
    assert_eq!(kind("freshness: 2 s"), ProjectionKind::External);
    assert_eq!(
        kind("kind: materialized view, rebuild: SELECT 1 AS a"),
        ProjectionKind::MaterializedView
    );
    more_fault(
        "projections: {seen: {source: [sale], kind: table}}\n",
        "projection-without-columns",
        "table",
        "columns:",
    );
    more_fault(
        "projections: {seen: {source: [sal]}}\n",
        "dangling-table",
        "sal",
        "`sale`",
    );
    more_fault(
        "projections: {seen: {source: [sale], columns: {a: int}, key: [b]}}\n",
        "dangling-column",
        "b",
        "`a`",
    );
    more_fault(
        "projections: {seen: {source: [sale], updated_by: {event: Slod, sql: SELECT 1}}}\n",
        "dangling-event",
        "Slod",
        "`Sold`",
    );
    more_fault(
        "projections: {seen: {source: [sale], updated_by: {event: Sold, sql: 'SELECT :sal_id'}}}\n",
        "param-unbound",
        ":sal_id",
        "`sale_id`",
    );
    more_fault(
        "projections: {seen: {source: [sale], rebuild: SELECT FROM FROM}}\n",
        "sql-syntax",
        "FROM",
        "",
    );
}

#[test]
fn expectations_are_possible() {
    let sql = "    sql: SELECT sale_id FROM sale";
    for key in ["reads", "cost", "buffers"] {
        let plan = format!("    plan: {{{key}: <= 0}}\n{sql}");
        fault(sql, &plan, "expectation-impossible", "<= 0", "bearable");
    }
    let plan = format!("    plan: {{reads: <= 1, returns: <= 0 rows}}\n{sql}");
    assert_eq!(with(sql, &plan).said(), []);
}
