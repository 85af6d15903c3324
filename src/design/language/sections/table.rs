//! An entry of `tables:`.

use super::super::shape::{COLUMNS, EXPRESSION, Key, Object, Rule, Shape, Word};
use super::column::COLUMN_ENTRY;
use super::index::{EXCLUSION, INDEX, PARTITION, REFERENCE, STATISTICS, UNIQUE, WHERE};

const ROLE: &[Word] = &[
    ("truth", "the present state, changed by commands"),
    ("history", "what was, one row per period or step"),
    ("log", "what happened; rows are only added"),
    ("projection", "made from other tables, can be rebuilt"),
    ("reference", "small, nearly constant, looked up"),
    ("queue", "work to be done; rows come and go"),
];

/// A table.
pub(super) static TABLE: Object = Object {
    name: "table",
    doc: "A table: what one row is, its columns, what holds for them, how they are found, how many there are and how long they are kept.",
    keys: &[
        Key::new(
            "grain",
            Shape::Text,
            "What one row is, as one thing: a sentence with `and` or `or` is usually two tables.",
        )
        .example("one responsibility interval of one actor on one case in one role"),
        Key::new(
            "role",
            Shape::Choice(ROLE),
            "What kind of data it holds. Rules differ: a log has no `updated_at`, a projection says how it is rebuilt.",
        )
        .example("truth"),
        Key::new("owner", Shape::Text, "The team that answers for its content.").example("casework"),
        Key::new(
            "means",
            Shape::Text,
            "What else a reader must know; with `grain` it becomes the table's comment.",
        )
        .example("Active while ended_at is null."),
        Key::new(
            "columns",
            Shape::Map("column", &Shape::Name("column"), &COLUMN_ENTRY),
            "The columns, in order. Each is a type (`uuid`, `timestamptz?`) or a mapping that says more.",
        )
        .required()
        .example("{case_id: uuid, ended_at: timestamptz?}"),
        Key::new("key", COLUMNS, "The primary key.").example("[case_id]"),
        Key::new(
            "unique",
            Shape::Map(
                "unique",
                &Shape::Name("constraint"),
                &Shape::Either(&[
                    Shape::Name("column"),
                    Shape::List(&Shape::Name("column")),
                    Shape::Object(&UNIQUE),
                ]),
            ),
            "Unique constraints by name: a list of columns, or a mapping with `columns` and `where`.",
        )
        .example("{uq_case_number: [tenant_id, case_number]}"),
        Key::new(
            "references",
            Shape::Map("reference", &Shape::Name("constraint"), &Shape::Object(&REFERENCE)),
            "Foreign keys by name.",
        )
        .example("{fk_assignment_case: {columns: [case_id], to: regulatory_case, on_delete: restrict}}"),
        Key::new(
            "checks",
            Shape::Map("check", &Shape::Name("constraint"), &EXPRESSION),
            "CHECK constraints by name.",
        )
        .example("{ck_interval: ended_at > assigned_at}"),
        Key::new(
            "exclude",
            Shape::Map("exclusion", &Shape::Name("constraint"), &Shape::Object(&EXCLUSION)),
            "Exclusion constraints by name.",
        )
        .example("{ex_room: {elements: {room_id: '=', during: '&&'}}}"),
        Key::new(
            "indexes",
            Shape::Map("index", &Shape::Name("index"), &Shape::Object(&INDEX)),
            "Indexes by name. Keys and unique constraints bring their own.",
        )
        .example("{ix_case_open: {columns: [opened_at desc], where: closed_at is null, serves: [open-cases]}}"),
        Key::new(
            "statistics",
            Shape::Map("statistics", &Shape::Name("statistics"), &Shape::Object(&STATISTICS)),
            "What the planner is to know of columns together, by name (CREATE STATISTICS).",
        )
        .example("{st_address: {columns: [country, city], distinct: 12k}}"),
        Key::new("partition", Shape::Object(&PARTITION), "How the table is cut into partitions.")
            .example("{by: created_at, every: 1 month, from: 2026-01-01, ahead: 3}"),
        Key::new(
            "retention",
            Shape::OneOrMore(&Shape::Object(&RETENTION)),
            "How long rows are kept, what is done with them then, and what suspends that.",
        )
        .example("[{after: 7 years, of: ended_at, do: archive, to: assignment_archive}, {hold: legal_hold}]"),
        Key::new(
            "volume",
            Shape::Object(&VOLUME),
            "How many rows there are and will be; plans are judged at this volume.",
        )
        .example("{rows: 20M, grows: 2M/month, horizon: 12 months}"),
        Key::new(
            "fillfactor",
            Shape::Integer(10, 100),
            "How full a page is packed, in percent; less leaves room for updates in place.",
        )
        .example("80"),
        Key::new(
            "writes",
            Shape::Either(&[Shape::Rate, Shape::Object(&WRITES)]),
            "How often rows are written: one rate, or one per kind of write.",
        )
        .example("{inserts: 50/s, updates: 200/s}"),
        Key::new(
            "tenant",
            Shape::Name("column"),
            "The column that says whose row it is.",
        )
        .example("tenant_id"),
        Key::new("was", Shape::Name("table"), "Its earlier name. Renames are never guessed.")
            .example("assignment"),
    ],
    rules: &[],
};

const ACTION: &[Word] = &[
    ("archive", "moved to the table named by `to`"),
    ("delete", "deleted"),
    ("drop_partition", "whole partitions are dropped"),
    (
        "anonymise",
        "what points at a person is taken out, the row stays",
    ),
    ("export", "written to the place named by `to`, then deleted"),
];

static RETENTION: Object = Object {
    name: "retention",
    doc: "A rule of retention, or a hold that suspends every rule of the table.",
    keys: &[
        Key::new("after", Shape::Duration, "Age at which the rule applies.").example("7 years"),
        Key::new(
            "of",
            Shape::Name("column"),
            "The time column from which age is counted.",
        )
        .example("ended_at"),
        WHERE,
        Key::new("do", Shape::Choice(ACTION), "What is done.").example("archive"),
        Key::new(
            "to",
            Shape::Text,
            "Where to: a table, or a path with columns in braces.",
        )
        .example("case_assignment_archive"),
        Key::new("batch", Shape::Integer(1, i64::MAX), "Rows at a time.").example("5000"),
        Key::new(
            "hold",
            EXPRESSION,
            "A condition; rows for which it holds are kept, whatever their age.",
        )
        .example("legal_hold"),
    ],
    rules: &[
        Rule::ExactlyOne(&["after", "hold"]),
        Rule::Needs("after", "do"),
    ],
};

static VOLUME: Object = Object {
    name: "volume",
    doc: "How many rows there are and will be.",
    keys: &[
        Key::new("rows", Shape::Count, "Rows now.")
            .required()
            .example("20M"),
        Key::new("grows", Shape::Rate, "Rows added, net of what is deleted.").example("2M/month"),
        Key::new(
            "horizon",
            Shape::Duration,
            "How far ahead plans must hold; a year where silent.",
        )
        .example("12 months"),
    ],
    rules: &[],
};

static WRITES: Object = Object {
    name: "writes",
    doc: "How often rows are written.",
    keys: &[
        Key::new("inserts", Shape::Rate, "Rows inserted.").example("50/s"),
        Key::new("updates", Shape::Rate, "Rows updated.").example("200/s"),
        Key::new("deletes", Shape::Rate, "Rows deleted.").example("5/s"),
    ],
    rules: &[],
};
