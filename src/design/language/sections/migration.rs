//! `migration:`.

use super::super::shape::{EXPRESSION, Key, Object, QUERY, STATEMENT, Shape, Word};

const STRATEGY: &[Word] = &[
    ("additive", "only new objects; nothing that exists changes"),
    (
        "expand_contract",
        "expand, backfill, validate, switch, contract",
    ),
    (
        "shadow_table",
        "a new table is filled beside the old one and takes its place",
    ),
    ("tenant_by_tenant", "one tenant after the other"),
];

const PHASE: &[Word] = &[
    ("old", "before anything"),
    ("expanded", "new objects are there, old ones too"),
    ("backfilled", "old rows are in the new objects"),
    ("validated", "constraints hold for all rows"),
    ("switched", "reads go to the new objects"),
    ("contracted", "old objects are gone"),
];

/// `migration:`.
pub(super) static MIGRATION: Object = Object {
    name: "migration",
    doc: "How production gets here without stopping writers.",
    keys: &[
        Key::new(
            "from",
            Shape::Text,
            "Where from: a design in the workspace, a git revision of this file, or a live schema.",
        )
        .example("case-owner"),
        Key::new("strategy", Shape::Choice(STRATEGY), "The way.").example("expand_contract"),
        Key::new(
            "backfill",
            Shape::Map(
                "table",
                &Shape::Name("table"),
                &Shape::OneOrMore(&Shape::Object(&BACKFILL)),
            ),
            "How old rows come into each table; a list where they come from several.",
        )
        .example("{case_assignment: {by: case_id, chunk: 5000, pause: 50 ms}}"),
        Key::new(
            "dual_write",
            Shape::Map("table", &Shape::Name("table"), &Shape::Text),
            "For each table that programs of the old version write, the statements that bring a written row to its new place: run after each insert and update until the old objects go, with `NEW` and `OLD` for the row; where they give a column of the row itself a value (`NEW.tenant_id := …`), before it.",
        )
        .example("{old_case: INSERT INTO new_case VALUES (NEW.case_id) ON CONFLICT DO NOTHING}"),
        Key::new(
            "dual_delete",
            Shape::Map("table", &Shape::Name("table"), &Shape::Text),
            "For each table from which programs of the old version delete, the statements that take the row out of its new place: run after each delete until the old objects go, with `OLD` for the row.",
        )
        .example("{old_case: DELETE FROM new_case WHERE case_id = OLD.case_id}"),
        Key::new(
            "convert",
            Shape::Map(
                "table.column",
                &Shape::Text,
                &Shape::Either(&[EXPRESSION, Shape::Object(&CONVERT)]),
            ),
            "For each column whose type changes, or that is renamed, what its values become where a cast is not what is meant: the new value over the old columns of the row.",
        )
        .example("{visit.at: \"at AT TIME ZONE 'Europe/Berlin'\"}"),
        Key::new(
            "validate",
            Shape::Map("query", &Shape::Text, &QUERY),
            "Queries by name that return the rows that differ; none may.",
        )
        .example("{parity: SELECT case_id FROM old_case EXCEPT SELECT case_id FROM new_case}"),
        Key::new("limits", Shape::Object(&LIMITS), "What production bears.")
            .example("{lock: 2 s, statement: 15 min, replica_lag: 10 s}"),
        Key::new(
            "compatibility",
            Shape::Map(
                "version",
                &Shape::Text,
                &Shape::OneOrMore(&Shape::Choice(PHASE)),
            ),
            "For each version of the application, the phases in which it works.",
        )
        .example("{v1: [old, expanded], v2: [expanded, contracted]}"),
        Key::new(
            "contract_after",
            Shape::Duration,
            "How long the old objects stay, so that one can go back.",
        )
        .example("30 days"),
    ],
    rules: &[],
};

static BACKFILL: Object = Object {
    name: "backfill",
    doc: "How old rows come into a table: in chunks, by a key, resumable.",
    keys: &[
        Key::new("by", Shape::Name("column"), "The key by which chunks are cut.").example("case_id"),
        Key::new("chunk", Shape::Integer(1, i64::MAX), "Rows at a time.").example("5000"),
        Key::new("pause", Shape::Duration, "Rest between chunks.").example("50 ms"),
        Key::new(
            "sql",
            STATEMENT,
            "The statement of one chunk, with `:after` for the last key seen and `:chunk` for the number of rows.",
        )
        .example("INSERT INTO new_case SELECT * FROM old_case WHERE case_id > :after ORDER BY case_id LIMIT :chunk"),
    ],
    rules: &[],
};

static CONVERT: Object = Object {
    name: "convert",
    doc: "What the values of a column become, and what they were.",
    keys: &[
        Key::new("as", EXPRESSION, "The new value, over the old columns of the row.")
            .required()
            .example("CASE state WHEN 'wip' THEN 'open' ELSE state::text END"),
        Key::new(
            "back",
            EXPRESSION,
            "The old value, over the new columns: what programs of the new version write is kept in the old column until that goes. Where it is absent, a cast.",
        )
        .example("state::text"),
    ],
    rules: &[],
};

static LIMITS: Object = Object {
    name: "limits",
    doc: "What production bears during the migration.",
    keys: &[
        Key::new(
            "lock",
            Shape::Duration,
            "Longest wait for or hold of a lock that blocks writers.",
        )
        .example("2 s"),
        Key::new("statement", Shape::Duration, "Longest statement.").example("15 min"),
        Key::new(
            "replica_lag",
            Shape::Duration,
            "Replica lag at which a backfill pauses.",
        )
        .example("10 s"),
    ],
    rules: &[],
};
