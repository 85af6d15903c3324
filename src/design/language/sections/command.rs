//! Commands, events and states.

use super::super::shape::{COLUMN, Key, Object, Rule, STATEMENT, Shape, TEXTS, TYPE, Word};

const ISOLATION: &[Word] = &[
    (
        "read committed",
        "each statement sees what was committed before it began",
    ),
    (
        "repeatable read",
        "all statements see what was committed before the first",
    ),
    (
        "serializable",
        "as if the transactions had run one after the other, or an error",
    ),
];

/// Parameters of a command or query.
pub(super) const PARAMS: Shape = Shape::Map(
    "parameter",
    &Shape::Name("parameter"),
    &Shape::Either(&[TYPE, Shape::Object(&PARAM)]),
);

static PARAM: Object = Object {
    name: "parameter",
    doc: "A parameter. The short form is its type alone.",
    keys: &[
        Key::new("type", TYPE, "Its type.")
            .required()
            .example("int"),
        Key::new(
            "value",
            Shape::Scalar,
            "A typical value; plans are made with it.",
        )
        .example("50"),
        Key::new("means", Shape::Text, "What it says.").example("rows of a page"),
    ],
    rules: &[],
};

const PERCENTILE: &[Word] = &[
    ("p50", "half of the calls"),
    ("p90", "nine in ten"),
    ("p95", "nineteen in twenty"),
    ("p99", "ninety-nine in a hundred"),
    ("p999", "all but one in a thousand"),
    ("max", "every call"),
];

/// `within:` of a command or query.
pub(super) const WITHIN: Key = Key::new(
    "within",
    Shape::Map("percentile", &Shape::Choice(PERCENTILE), &Shape::Duration),
    "Latency, by percentile.",
)
.example("{p95: 100 ms}");

/// `runs:` of a command or query.
pub(super) const RUNS: Key = Key::new("runs", Shape::Rate, "How often it runs.").example("500/s");

/// A command.
pub(super) static COMMAND: Object = Object {
    name: "command",
    doc: "One transaction that somebody asks for and that may fail. The verifier runs it against every other that touches the same invariant, in every order of their steps.",
    keys: &[
        Key::new("actor", Shape::Text, "Who asks: one of `process.actors`.").example("supervisor"),
        Key::new("does", Shape::Text, "What it does, in a few words.")
            .example("opens an assignment on an open case"),
        Key::new(
            "params",
            PARAMS,
            "Parameters with their types; `:name` in the SQL of the steps.",
        )
        .example("{case_id: uuid, role: text}"),
        Key::new(
            "isolation",
            Shape::Choice(ISOLATION),
            "Isolation level; `read committed` where silent.",
        )
        .example("read committed"),
        Key::new(
            "steps",
            Shape::List(&Shape::Object(&STEP)),
            "What it does, in order: statements, and conditions that must hold between them.",
        )
        .example("[{sql: \"UPDATE regulatory_case SET closed_at = now() WHERE case_id = :case_id\"}]"),
        Key::new(
            "outcomes",
            Shape::Map("condition", &Shape::Text, &Shape::Text),
            "What the caller is told for an error of the database, by its condition name or SQLSTATE. An error not named here is a finding.",
        )
        .example("{unique_violation: already_assigned}"),
        Key::new(
            "retry",
            TEXTS,
            "Errors on which the whole command is run again.",
        )
        .example("[serialization_failure, deadlock_detected]"),
        Key::new(
            "idempotent_by",
            Shape::Name("parameter"),
            "The parameter that carries the idempotency key; `null` says that there is none.",
        )
        .example("request_id"),
        Key::new(
            "emits",
            Shape::OneOrMore(&Shape::Label("event")),
            "Events it gives rise to when it commits.",
        )
        .example("[CaseAssigned]"),
        RUNS,
        WITHIN,
        Key::new(
            "batch",
            Shape::Object(&BATCH),
            "How many of it a client sends in one transaction, and what that is worth.",
        )
        .example("{of: 100, reaches: 2k/s}"),
        Key::new(
            "side_effects",
            TEXTS,
            "What it does outside the database, which no rollback takes back.",
        )
        .example("[sends a letter]"),
    ],
    rules: &[],
};

static BATCH: Object = Object {
    name: "batch",
    doc: "Commands that are sent together in one transaction, as a buffer in the client does.",
    keys: &[
        Key::new(
            "of",
            Shape::Integer(2, 100_000),
            "How many in one transaction.",
        )
        .required()
        .example("100"),
        Key::new(
            "reaches",
            Shape::Rate,
            "Commands a second that one session gets through so, at least; measured by `verify`.",
        )
        .example("2k/s"),
    ],
    rules: &[],
};

static STEP: Object = Object {
    name: "step",
    doc: "A statement, or a condition.",
    keys: &[
        Key::new(
            "as",
            Shape::Name("capture"),
            "Name for the first row of `sql`: `:found.column` in later SQL, `found.column` and `found.rows` in conditions.",
        )
        .example("found"),
        Key::new("sql", STATEMENT, "One statement, with `:name` for parameters and `:found.column` for captured values.")
            .example("SELECT lifecycle_state FROM regulatory_case WHERE case_id = :case_id FOR SHARE"),
        Key::new(
            "require",
            Shape::Condition,
            "A condition over captured rows and parameters: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in [...]`, `and`, `or`, `not`, `+`, `-`. Where it is not true, the command rolls back.",
        )
        .example("found.rows == 1 and found.lifecycle_state in ['open', 'reopened']"),
        Key::new("otherwise", Shape::Text, "The named, expected outcome where the condition is not true.")
            .example("not_assignable"),
    ],
    rules: &[
        Rule::ExactlyOne(&["sql", "require"]),
        Rule::Needs("as", "sql"),
        Rule::Needs("otherwise", "require"),
    ],
};

/// An event.
pub(super) static EVENT: Object = Object {
    name: "event",
    doc: "A fact. It has happened, so it cannot be refused; a command that failed has none.",
    keys: &[
        Key::new(
            "by",
            Shape::OneOrMore(&Shape::Label("command")),
            "Commands that give rise to it.",
        )
        .example("assign-case"),
        Key::new(
            "payload",
            Shape::Map("field", &Shape::Name("field"), &TYPE),
            "What it carries: fields with their types.",
        )
        .example("{case_id: uuid, actor_id: uuid}"),
        Key::new(
            "key",
            Shape::OneOrMore(&Shape::Name("field")),
            "Fields that identify it, so that a second delivery is recognised.",
        )
        .example("[case_id]"),
        Key::new("consumers", TEXTS, "Who reads it.").example("[notifications]"),
    ],
    rules: &[],
};

/// A state: rows per table.
pub(super) const STATE: Shape = Shape::Map(
    "table",
    &Shape::Name("table"),
    &Shape::List(&Shape::Map("column", &COLUMN, &Shape::Scalar)),
);
