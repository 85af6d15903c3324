//! Queries and their plan expectations.

use super::super::shape::{Key, Object, QUERY, Shape, Word};
use super::command::{PARAMS, RUNS, WITHIN};

const KIND: &[Word] = &[
    ("interactive", "somebody waits; the default"),
    ("batch", "a program works through many rows"),
    ("report", "reads much, seldom"),
];

const PAGES_BY: &[Word] = &[
    ("keyset", "continues after the last row seen"),
    (
        "offset",
        "counts over rows it has already shown; slower with every page",
    ),
    ("none", "all rows at once"),
];

/// A query of the catalog.
pub(super) static QUERY_ENTRY: Object = Object {
    name: "query",
    doc: "A query with its volume, its latency and the plan expected at production size.",
    keys: &[
        Key::new("does", Shape::Text, "What it is for, in a few words.")
            .example("lists an investigator's active assignments, newest first"),
        Key::new(
            "kind",
            Shape::Choice(KIND),
            "Kind of workload. An interactive query without `plan` still gets sensible defaults: no sequential scan on a table above 10,000 rows, no sort of more than 10,000 rows, no offset paging.",
        )
        .example("interactive"),
        RUNS,
        WITHIN,
        Key::new("stale", Shape::Duration, "Replica lag it tolerates; where silent it reads the primary only.")
            .example("5 s"),
        Key::new("pages_by", Shape::Choice(PAGES_BY), "How it pages.").example("keyset"),
        Key::new("params", PARAMS, "Parameters with their types; `:name` in the SQL.")
            .example("{actor_id: uuid, limit: {type: int, value: 50}}"),
        Key::new("sql", QUERY, "One statement.")
            .required()
            .example("SELECT case_id FROM case_assignment WHERE actor_id = :actor_id LIMIT :limit"),
        Key::new("plan", Shape::Object(&PLAN), "What the plan must and must not be at the declared volume.")
            .example("{uses: [ix_assignment_actor_active], never: [seq scan, sort], reads: <= 200 rows}"),
        Key::new("owner", Shape::Text, "The team that runs it.").example("casework"),
    ],
    rules: &[],
};

static PLAN: Object = Object {
    name: "plan",
    doc: "Expectations of a query's plan at the declared volume.",
    keys: &[
        Key::new(
            "uses",
            Shape::OneOrMore(&Shape::Name("index")),
            "Each of these indexes appears in the chosen plan.",
        )
        .example("[ix_assignment_actor_active]"),
        Key::new(
            "never",
            Shape::OneOrMore(&Shape::PlanNode),
            "None of these nodes: `seq scan`, `sort`, `hash join`, `nested loop`, `bitmap`, `parallel`, `temp`, `filter-heavy` …; `on TABLE` after it narrows it to one table.",
        )
        .example("[seq scan, sort, nested loop on case_assignment]"),
        Key::new("reads", Shape::AtMost, "At most so many rows come out of scan nodes before filters, in the whole plan.")
            .example("<= 200 rows"),
        Key::new("returns", Shape::AtMost, "At most so many rows come out at the root.").example("<= 50 rows"),
        Key::new(
            "partitions",
            Shape::Partitions,
            "At most so many partitions of a table are left after pruning; plan time and run time are told apart.",
        )
        .example("<= 2 of operation_log"),
        Key::new("index_only", Shape::Bool, "Answered without visiting the table.").example("true"),
        Key::new("cost", Shape::AtMost, "The planner's cost.").example("<= 500"),
        Key::new("buffers", Shape::AtMost, "Shared blocks hit and read.").example("<= 300"),
        Key::new(
            "estimates",
            Shape::Within,
            "Estimated and actual rows are at most this factor apart at every node, on loaded data.",
        )
        .example("within 10x"),
        Key::new(
            "same_plan_for",
            Shape::OneOrMore(&Shape::Name("parameter")),
            "The plan is the same for typical and for the most common values of these parameters.",
        )
        .example("[tenant_id]"),
    ],
    rules: &[],
};
