//! An entry of `projections:`.

use super::super::shape::{COLUMNS, Key, Object, QUERY, STATEMENT, Shape, TEXTS, Word};
use super::column::COLUMN_ENTRY;

const KIND: &[Word] = &[
    ("table", "a table that events or commands update"),
    ("materialized view", "refreshed as a whole"),
    (
        "external",
        "outside this database: a search index, a cache, a warehouse",
    ),
];

/// A projection.
pub(super) static PROJECTION: Object = Object {
    name: "projection",
    doc: "A derived store. Whatever is in it can be made again from its sources.",
    keys: &[
        Key::new("source", TEXTS, "Tables it is made from.").example("[regulatory_case]"),
        Key::new("owner", Shape::Text, "The team that keeps it right.").example("casework"),
        Key::new(
            "kind",
            Shape::Choice(KIND),
            "What it is stored as. Where silent: a table if it has columns or a table of its name exists, else a materialized view if it has `rebuild`, else external.",
        )
        .example("table"),
        Key::new(
            "columns",
            Shape::Map("column", &Shape::Name("column"), &COLUMN_ENTRY),
            "Its columns, where it is a table that `tables:` does not have.",
        )
        .example("{case_id: uuid, title: text}"),
        Key::new("key", COLUMNS, "What identifies a row; a materialized view needs it to be refreshed without blocking readers.")
            .example("[case_id]"),
        Key::new(
            "freshness",
            Shape::Text,
            "How far behind it may be: a duration, or words such as `same transaction`.",
        )
        .example("2 s"),
        Key::new("updated_by", Shape::Object(&UPDATED_BY), "The event that changes it, and how.")
            .example("{event: CaseAssigned, sql: \"INSERT INTO case_search (case_id) VALUES (:case_id) ON CONFLICT DO NOTHING\"}"),
        Key::new("rebuild", QUERY, "The query that it must equal.")
            .example("SELECT case_id, case_number AS title FROM regulatory_case"),
        Key::new(
            "drift",
            Shape::Text,
            "How a difference is noticed: an invariant, or a query that returns the rows that differ.",
        )
        .example("search-equals-cases"),
        Key::new("consumers", TEXTS, "Who reads it.").example("[search-ui]"),
    ],
    rules: &[],
};

static UPDATED_BY: Object = Object {
    name: "updated_by",
    doc: "The event that changes a projection. Events come late, twice and out of order; the statement must not mind.",
    keys: &[
        Key::new("event", Shape::Label("event"), "The event.").example("CaseAssigned"),
        Key::new(
            "sql",
            STATEMENT,
            "The statement that applies it, with `:field` for the event's payload.",
        )
        .example("INSERT INTO case_search (case_id) VALUES (:case_id) ON CONFLICT DO NOTHING"),
    ],
    rules: &[],
};
