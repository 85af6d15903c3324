//! Columns of tables and projections.

use super::super::shape::{EXPRESSION, Key, Object, Shape, TEXTS, TYPE, Word};

const IDENTITY: &[Word] = &[
    (
        "always",
        "the database gives the number, a given one is refused",
    ),
    (
        "by default",
        "the database gives the number where none is given",
    ),
];

const TIME: &[Word] = &[
    ("event", "when it happened in the world"),
    ("transaction", "when the row was written"),
    ("effective", "from or until when it is in force"),
    ("processing", "when a program took it up"),
    ("snapshot", "as of when a copy or a report was made"),
];

const SENSITIVITY: &[Word] = &[
    ("public", "may be published"),
    ("internal", "for everybody in the company"),
    ("confidential", "for those who need it"),
    ("personal", "about a person"),
    ("secret", "a credential or key; never in a log"),
    ("regulated", "under a law of its own"),
];

/// A column: its type, or everything about it.
pub(super) const COLUMN_ENTRY: Shape = Shape::Either(&[TYPE, Shape::Object(&COLUMN)]);

static COLUMN: Object = Object {
    name: "column",
    doc: "A column. The short form is its type alone: `uuid`, or `timestamptz?` where it may be null. A column is NOT NULL unless it says otherwise.",
    keys: &[
        Key::new(
            "type",
            TYPE,
            "PostgreSQL's type, or one of `types:`. `?` after it means that the column may be null; say why with `nullable`. A type with a comma needs quotes inside braces: `\"numeric(12,2)\"`.",
        )
        .required()
        .example("timestamptz"),
        Key::new(
            "nullable",
            Shape::Either(&[Shape::Bool, Shape::Text]),
            "Why the column may be null: what null says. `true` gives no reason, and the review asks for one.",
        )
        .example("still active"),
        Key::new(
            "default",
            EXPRESSION,
            "DEFAULT, as SQL. Text needs SQL's quotes: `\"'open'\"`.",
        )
        .example("now()"),
        Key::new(
            "identity",
            Shape::Either(&[Shape::Choice(IDENTITY), Shape::Bool]),
            "The database numbers the rows. `true` is `always`.",
        )
        .example("always"),
        Key::new(
            "generated",
            EXPRESSION,
            "GENERATED ALWAYS AS (…) STORED: computed from other columns of the row.",
        )
        .example("unit_price * quantity"),
        Key::new(
            "one_of",
            Shape::OneOrMore(&Shape::Text),
            "The values it can take; becomes a CHECK.",
        )
        .example("[low, normal, high]"),
        Key::new(
            "check",
            EXPRESSION,
            "Condition over this column; becomes a CHECK.",
        )
        .example("amount > 0"),
        Key::new("collate", Shape::Text, "COLLATE.").example("C"),
        Key::new(
            "means",
            Shape::Text,
            "What a value says; becomes the column's comment.",
        )
        .example("the user who opened it"),
        Key::new("time", Shape::Choice(TIME), "Which clock a time column follows.")
            .example("transaction"),
        Key::new(
            "sensitivity",
            Shape::Choice(SENSITIVITY),
            "Who may see it. Rules follow it into logs, projections and grants.",
        )
        .example("personal"),
        Key::new(
            "derived",
            Shape::Object(&DERIVED),
            "The column is a copy or a sum of something else.",
        )
        .example("{from: operation_log, owner: platform, freshness: same transaction}"),
        Key::new(
            "was",
            Shape::Name("column"),
            "Its earlier name. Renames are never guessed.",
        )
        .example("opened_on"),
        Key::new(
            "data",
            Shape::Object(&DATA),
            "How its values are spread; plans at volume are judged on it. What is not said is inferred from keys, references, enums and checks.",
        )
        .example("{distinct: 4000, skew: 1.1}"),
    ],
    rules: &[],
};

static DERIVED: Object = Object {
    name: "derived",
    doc: "What a derived column is made from, and how it is kept right.",
    keys: &[
        Key::new("from", TEXTS, "What it is made from.").example("operation_log"),
        Key::new("owner", Shape::Text, "The team that keeps it right.").example("platform"),
        Key::new(
            "freshness",
            Shape::Text,
            "How far behind it may be: a duration, or words such as `same transaction`.",
        )
        .example("same transaction"),
        Key::new("update", Shape::Text, "What changes it: a command, an event, a job.")
            .example("record-login"),
        Key::new("rebuild", Shape::Text, "How it is made again from nothing: a command, or SQL.")
            .example("recount-logins"),
        Key::new(
            "drift",
            Shape::Text,
            "How a difference is noticed: an invariant, or a query that returns the rows that differ.",
        )
        .example("every-login-is-counted-once"),
    ],
    rules: &[],
};

static DATA: Object = Object {
    name: "data",
    doc: "How a column's values are spread.",
    keys: &[
        Key::new(
            "distinct",
            Shape::Count,
            "How many different values there are: a count, or a fraction of the rows below 1.",
        )
        .example("4000"),
        Key::new(
            "values",
            Shape::Map("value", &Shape::Text, &Shape::Share),
            "The common values with their shares. Shares below 1 in sum leave room for others.",
        )
        .example("{open: 0.2, closed: 0.8}"),
        Key::new(
            "skew",
            Shape::Number(0.0, f64::MAX),
            "Zipf exponent: 0 for none, about 1 for strong.",
        )
        .example("1.1"),
        Key::new("nulls", Shape::Share, "Share of nulls.").example("0.05"),
        Key::new("range", Shape::Pair(&Shape::Text), "Lowest and highest value.")
            .example("[2024-01-01, 2026-01-01]"),
        Key::new(
            "correlation",
            Shape::Number(-1.0, 1.0),
            "How far the order of the values is that of the rows on disk: 1 for rows in order, 0 for none.",
        )
        .example("0.95"),
        Key::new("width", Shape::Count, "Average bytes of a value.").example("22"),
        Key::new(
            "pattern",
            Shape::Text,
            "A regular expression that generated text follows.",
        )
        .example("'[0-9]{4}-[0-9]{6}'"),
    ],
    rules: &[],
};
