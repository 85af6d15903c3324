//! The clauses of invariants, one per kind.

use super::super::shape::{COLUMNS, EXPRESSION, Key, Object, Rule, Shape, TABLES, TEXTS};
use super::index::WHERE;

const IN: Key = Key::new("in", Shape::Name("table"), "The table.")
    .required()
    .example("case_assignment");

const PER: Key = Key::new(
    "per",
    COLUMNS,
    "Columns that make a group; none (`[]`): all rows are one.",
)
.required()
.example("[tenant_id, case_id]");

const COLUMN: Key = Key::new("column", Shape::Name("column"), "The column.")
    .required()
    .example("lifecycle_state");

const SUM: Key = Key::new(
    "sum",
    EXPRESSION,
    "What is summed up over the rows of a group.",
)
.example("amount");

/// A number, or a parent's column; resolution tells them apart.
const LIMIT: Shape = Shape::Text;

pub(super) static REQUIRED: Object = Object {
    name: "required",
    doc: "`columns` are never null, or each row has at least one related row in `child`. Preferred enforcement: NOT NULL, foreign key.",
    keys: &[
        IN,
        Key::new("columns", COLUMNS, "Columns that are never null.").example("[decided_at]"),
        Key::new(
            "child",
            Shape::Name("table"),
            "Table that has a row for each.",
        )
        .example("case_party"),
        WHERE,
    ],
    rules: &[Rule::ExactlyOne(&["columns", "child"])],
};

pub(super) static UNIQUE: Object = Object {
    name: "unique_rows",
    doc: "No two rows share these columns. Preferred enforcement: unique constraint, or partial unique index.",
    keys: &[
        IN,
        Key::new("columns", COLUMNS, "The columns.")
            .required()
            .example("[tenant_id, case_number]"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static AT_MOST_ONE: Object = Object {
    name: "at_most_one",
    doc: "Per group, at most one row. Preferred enforcement: partial unique index.",
    keys: &[IN, PER, WHERE],
    rules: &[],
};

pub(super) static EXACTLY_ONE: Object = Object {
    name: "exactly_one",
    doc: "Per group, exactly one row. Preferred enforcement: partial unique index and a deferred trigger.",
    keys: &[IN, PER, WHERE],
    rules: &[],
};

pub(super) static AT_MOST: Object = Object {
    name: "at_most",
    doc: "Per group, the count or the sum stays within a limit. Preferred enforcement: guard row locked or conditionally updated; trigger.",
    keys: &[
        IN,
        PER,
        Key::new("count", Shape::Bool, "Rows are counted.").example("true"),
        SUM,
        Key::new("limit", LIMIT, "A number, or `table.column` of the parent.")
            .required()
            .example("event.capacity"),
        WHERE,
    ],
    rules: &[Rule::ExactlyOne(&["count", "sum"])],
};

pub(super) static CHECK: Object = Object {
    name: "check",
    doc: "An expression holds in each row. Preferred enforcement: CHECK.",
    keys: &[
        IN,
        Key::new("is", EXPRESSION, "What holds.")
            .required()
            .example("stock_on_hand >= 0"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static NO_OVERLAP: Object = Object {
    name: "no_overlap",
    doc: "Per group, intervals do not overlap; a null `to` is open. Preferred enforcement: EXCLUDE USING gist with a range.",
    keys: &[
        IN,
        PER,
        Key::new("from", Shape::Name("column"), "Where the interval begins.")
            .example("assigned_at"),
        Key::new(
            "to",
            Shape::Name("column"),
            "Where it ends; the end itself no longer belongs to it.",
        )
        .example("ended_at"),
        Key::new(
            "period",
            Shape::Name("column"),
            "A range column, instead of `from` and `to`.",
        )
        .example("during"),
        WHERE,
    ],
    rules: &[
        Rule::ExactlyOne(&["from", "period"]),
        Rule::AtMostOne(&["to", "period"]),
        Rule::Needs("from", "to"),
        Rule::Needs("to", "from"),
    ],
};

pub(super) static REFERENCES: Object = Object {
    name: "parent",
    doc: "A row's parent exists, tenant included. Preferred enforcement: (composite) foreign key.",
    keys: &[
        IN,
        Key::new("columns", COLUMNS, "The referring columns.")
            .required()
            .example("[tenant_id, case_id]"),
        Key::new("to", Shape::Name("table"), "The parent.")
            .required()
            .example("regulatory_case"),
        Key::new(
            "key",
            COLUMNS,
            "The columns referred to. Where silent: those of the same names, else the primary key.",
        )
        .example("[tenant_id, case_id]"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static BALANCED: Object = Object {
    name: "balanced",
    doc: "Per group, a sum has this value at commit. Preferred enforcement: deferred constraint trigger.",
    keys: &[
        IN,
        PER,
        SUM.required(),
        Key::new(
            "equals",
            LIMIT,
            "A number, or `table.column` of the parent; 0 where silent.",
        )
        .example("0"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static APPEND_ONLY: Object = Object {
    name: "append_only",
    doc: "Rows are never updated or deleted. Preferred enforcement: trigger and revoked grants.",
    keys: &[IN, WHERE],
    rules: &[],
};

pub(super) static IMMUTABLE: Object = Object {
    name: "immutable",
    doc: "Columns never change, or not once a condition holds. Preferred enforcement: trigger.",
    keys: &[
        IN,
        Key::new("columns", COLUMNS, "The columns; all where silent.")
            .example("[amount, currency]"),
        Key::new("once", EXPRESSION, "From when on; always where silent.")
            .example("issued_at is not null"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static TRANSITIONS: Object = Object {
    name: "transitions",
    doc: "A state column moves only along allowed edges, from allowed starts. Preferred enforcement: CHECK or enum, and trigger.",
    keys: &[
        IN,
        COLUMN,
        Key::new("initial", TEXTS, "States a row can be inserted with.")
            .required()
            .example("[draft]"),
        Key::new(
            "allow",
            Shape::Map("state", &Shape::Text, &TEXTS),
            "For each state, those it can move to.",
        )
        .required()
        .example("{draft: [open], open: [closed]}"),
        Key::new("terminal", TEXTS, "States that are meant to be final.").example("[closed]"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static MONOTONIC: Object = Object {
    name: "monotonic",
    doc: "A column only grows. Preferred enforcement: trigger, conditional update.",
    keys: &[
        IN,
        COLUMN,
        Key::new(
            "strictly",
            Shape::Bool,
            "An update must make it greater, not only keep it.",
        )
        .example("true"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static ISOLATED: Object = Object {
    name: "isolated",
    doc: "A tenant never sees or touches another tenant's rows. Preferred enforcement: row-level security, forced, and the tenant in every key and reference.",
    keys: &[
        Key::new("tables", TABLES, "The tables.")
            .required()
            .example("[regulatory_case, case_assignment]"),
        Key::new(
            "by",
            Shape::Name("column"),
            "The column that says whose row it is.",
        )
        .required()
        .example("tenant_id"),
        Key::new(
            "setting",
            Shape::Text,
            "The session setting that says who asks; its name has a dot.",
        )
        .required()
        .example("app.tenant_id"),
        Key::new(
            "role",
            Shape::Name("role"),
            "The role the policies are for.",
        )
        .required()
        .example("app"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static IDEMPOTENT: Object = Object {
    name: "idempotent",
    doc: "One key, one effect. Preferred enforcement: unique key with the request's fingerprint.",
    keys: &[
        Key::new("command", Shape::Label("command"), "The command.")
            .required()
            .example("post-entry"),
        Key::new(
            "key",
            Shape::Name("parameter"),
            "The parameter that carries the key.",
        )
        .required()
        .example("request_id"),
        Key::new(
            "request",
            Shape::OneOrMore(&Shape::Name("parameter")),
            "Parameters that must be the same when the key comes again.",
        )
        .example("[account_id, amount]"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static MIRRORS: Object = Object {
    name: "mirrors",
    doc: "A projection equals its rebuild query once events are applied. Preferred enforcement: idempotent, ordered apply; reconciliation.",
    keys: &[
        Key::new("projection", Shape::Name("projection"), "The projection.")
            .required()
            .example("case_search"),
        WHERE,
    ],
    rules: &[],
};

pub(super) static RETAINED: Object = Object {
    name: "retained",
    doc: "The table's `retention:` is kept to: nothing goes before its time or under hold, everything is gone after it. Preferred enforcement: generated retention procedure.",
    keys: &[IN, WHERE],
    rules: &[],
};
