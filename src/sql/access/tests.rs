use super::super::facts::Names;
use super::*;

struct World;

impl Names for World {
    fn schema(&self) -> &str {
        "app"
    }

    fn has_column(&self, table: &str, column: &str) -> Option<bool> {
        matches!(table, "t" | "u").then(|| self.type_of(table, column).is_some())
    }
}

impl TypedNames for World {
    fn type_of(&self, _: &str, column: &str) -> Option<String> {
        let known = match column {
            "id" | "b" => "uuid",
            "s" => "text",
            "n" => "integer",
            "at" => "timestamptz",
            "ts" => "timestamp without time zone",
            "day" => "date",
            "state" => "app.state",
            "j" => "jsonb",
            "flag" => "boolean",
            "span" => "tstzrange",
            _ => return None,
        };
        Some(known.to_owned())
    }
}

fn shown(access: &Access) -> String {
    let conditions: Vec<String> = access
        .conditions
        .iter()
        .map(|condition| {
            let keys: Vec<&str> = condition
                .keys
                .iter()
                .map(|key| key.expression.as_str())
                .collect();
            let constant = condition.constant.as_ref();
            let constant = constant.map_or(String::new(), |text| format!(" [{text}]"));
            let against = match &condition.against {
                Against::Constant => String::new(),
                Against::Value => " ?".to_owned(),
                Against::Rows(alias) => format!(" {alias}"),
            };
            format!("{:?} {}{against}{constant}", condition.test, keys.join(","))
        })
        .collect();
    let order: Vec<&str> = access
        .order
        .iter()
        .map(|sort| sort.key.expression.as_str())
        .collect();
    let columns = match &access.columns {
        None => "*".to_owned(),
        Some(columns) => columns
            .iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(","),
    };
    format!(
        "{}: {} | {} | {columns}",
        access.table,
        conditions.join("; "),
        order.join(",")
    )
}

fn read(text: &str) -> Vec<String> {
    accesses(text, &World).iter().map(shown).collect()
}

#[test]
fn each_use_of_a_table_has_its_own_conditions() {
    assert_eq!(
        read(
            "SELECT x.n FROM t x JOIN app.u y ON y.id = x.b AND y.flag WHERE x.id = :id AND x.at IS NULL ORDER BY x.n DESC"
        ),
        [
            "t: Equal b y; Equal id ?; IsNull at [at IS NULL] | n | b,id,n",
            "u: Equal id x; Equal flag [flag] |  | id",
        ]
    );
    assert_eq!(
        read(
            "SELECT n FROM t WHERE id = :id UNION ALL (SELECT n FROM t WHERE b = :b ORDER BY 1 LIMIT 1)"
        ),
        ["t: Equal id ? |  | id,n", "t: Equal b ? | n | b,n"]
    );
    // A query further out is known before: its column is like a parameter.
    assert_eq!(
        read("SELECT id FROM t WHERE EXISTS (SELECT FROM u WHERE u.b = t.id AND u.n > 3)"),
        ["t:  |  | id", "u: Equal b ?; Range n [n > 3] |  | b"]
    );
    assert_eq!(
        read("WITH t AS (SELECT * FROM u WHERE n = 1) SELECT id FROM t WHERE s = :s"),
        ["u: Equal n [n = 1] |  | *"]
    );
    assert_eq!(
        read("SELECT n FROM t JOIN u USING (id) WHERE t.s = :s"),
        [
            "t: Equal id u; Equal s ? |  | id,n,s",
            "u: Equal id t |  | id"
        ]
    );
    assert_eq!(
        read("UPDATE t SET n = n + 1 WHERE id = :id AND flag"),
        ["t: Equal id ?; Equal flag [flag] |  | *"]
    );
}

#[test]
fn what_a_join_fills_with_nulls_is_no_condition_of_the_table() {
    assert_eq!(
        read(
            "SELECT t.id FROM t LEFT JOIN u ON u.id = t.b AND t.n = 1 WHERE u.id IS NULL AND u.n = 2"
        ),
        ["t:  |  | b,id,n", "u: Equal id t; Equal n [n = 2] |  | id",]
    );
}

#[test]
fn order_is_kept_only_where_it_is_over_one_table() {
    for (order, expected) in [
        ("t.n, u.n", ["", ""]),
        ("u.n DESC, u.id", ["", "n,id"]),
        ("2", ["n", ""]),
        ("random()", ["", ""]),
    ] {
        let sql = format!("SELECT t.id, t.n FROM t, u WHERE t.id = u.id ORDER BY {order}");
        let found = accesses(&sql, &World);
        let keys = |access: &Access| {
            let keys = access
                .order
                .iter()
                .map(|sort| sort.key.expression.as_str().to_owned());
            keys.collect::<Vec<_>>().join(",")
        };
        assert_eq!(
            found.iter().map(keys).collect::<Vec<_>>(),
            expected,
            "{order}"
        );
    }
}

#[test]
fn only_what_lasts_is_a_key_or_a_predicate() {
    for (condition, expected) in [
        ("lower(s) = :s", "Equal lower(s) ?"),
        (
            "upper(x.s) LIKE 'A%'",
            "Like(Some(\"A%\")) upper(s) [upper(s) LIKE 'A%']",
        ),
        ("j ->> 'k' = 'v'", "Equal (j ->> 'k') [j ->> 'k' = 'v']"),
        ("(n, id) > (:n, :id)", "Range n,id ?"),
        ("n BETWEEN 1 AND 5", "Range n [n BETWEEN 1 AND 5]"),
        (
            "date_trunc('day', ts) = :d",
            "Equal date_trunc('day', ts) ?",
        ),
        ("state IN ('a', 'b')", "In state [state IN ('a', 'b')]"),
        ("state <> 'a'", "Other  [state <> 'a']"),
        ("n = 1 OR flag", "Other  [(n = 1 OR flag)]"),
        ("n = ANY(:ns)", "In n ?"),
        ("at > now() - interval '1 day'", "Range at ?"),
        ("span @> :at::timestamptz", "Contains span ?"),
        (":at::timestamptz <@ span", "Contains span ?"),
        ("j ? 'k'", "HasKey j [j ? 'k']"),
        ("j ?| :ks", "HasKey j ?"),
        ("s % :s", "Similar s ?"),
        // These change with the clock, with a setting, or from call to call.
        ("date_trunc('day', at) = :d", ""),
        ("at::date = :d", ""),
        ("at::text = :d", ""),
        ("s::timestamptz > :d", ""),
        ("state::text = :s", ""),
        ("at > 'now'", "Range at"),
        ("day < current_date", "Range day ?"),
        ("s = current_user", "Equal s ?"),
        ("random() < 0.5", ""),
        ("own_function(s) = 1", ""),
        ("to_tsvector(s) @@ to_tsquery(:q)", ""),
        (
            "to_tsvector('english', s) @@ to_tsquery(:q)",
            "Search to_tsvector('english', s) ?",
        ),
        ("concat(s, 'x') = :s", ""),
        ("n = :a OR flag", ""),
        ("NOT (n = :a)", ""),
        ("day = at", ""),
    ] {
        let found = read(&format!("SELECT 1 FROM t x WHERE {condition}"));
        assert_eq!(found.len(), 1, "{condition}");
        let conditions = found[0].split(" |").next().unwrap_or_default();
        assert_eq!(
            conditions.trim_start_matches("t:").trim(),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn what_cannot_be_read_has_no_uses() {
    for text in [
        "",
        "not sql",
        "SELECT",
        "SELECT 1 FROM t WHERE id =",
        "DROP TABLE t",
        "SELECT (((",
        "';--",
    ] {
        assert_eq!(read(text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(
        read("SELECT * FROM unnest(:a) AS x(n), unknown y WHERE x.n = 1 AND y.z = 2"),
        ["unknown:  |  | *"]
    );
}

proptest::proptest! {
    // Nothing is written beside the sources: a case that fails is made a test by hand.
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_makes_it_fall_over(words in proptest::collection::vec(proptest::sample::select(vec![
        "select", "from", "t", "u x", "where", "and", "or", "=", "(", ")", ",", "n", "x.s", ":p", "join", "left join", "on",
        "using (id)", "order by", "1", "in", "exists", "with t as", "union all", "lower(s)", "*", "limit 1", "is null", "'a'",
    ]), 0..40)) {
        accesses(&words.join(" "), &World);
    }
}
