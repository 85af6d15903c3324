//! `document:` and `problem:`.

use super::super::shape::{Key, Object, Shape, TEXTS, Word};

const STATUS: &[Word] = &[
    ("draft", "being written"),
    ("in_review", "reviewers are asked"),
    ("approved", "may be built"),
    ("superseded", "another design has taken its place"),
];

const RISK: &[Word] = &[
    ("low", "easily undone, nobody outside the team would notice"),
    ("medium", "users would notice, and it can be undone"),
    ("high", "hard to undo, or data could be wrong"),
    ("critical", "money, law or safety depend on it"),
];

const CHANGE: &[Word] = &[
    ("column", "a column or two on a table that exists"),
    ("table", "a new table"),
    ("lifecycle", "states and their transitions"),
    ("redesign", "a module is laid out anew"),
    ("regulated", "regulated, financial or enforcement data"),
    ("distributed", "several tenants, stores or regions"),
];

/// `document:`.
pub(super) static DOCUMENT: Object = Object {
    name: "document",
    doc: "Who owns the document, where it stands, and what kind of change it describes.",
    keys: &[
        Key::new("status", Shape::Choice(STATUS), "Where the document stands.")
            .example("in_review"),
        Key::new("owner", Shape::Text, "The team that answers for the design.").example("casework"),
        Key::new(
            "reviewers",
            Shape::Either(&[
                Shape::Map("area", &Shape::Text, &Shape::Text),
                Shape::List(&Shape::Text),
            ]),
            "Who looks at it, by area or as a list.",
        )
        .example("{database: dba-guild, security: appsec, sre: platform}"),
        Key::new("created", Shape::Date, "Day of the first version.").example("2026-01-12"),
        Key::new("updated", Shape::Date, "Day of the last change.").example("2026-02-03"),
        Key::new(
            "release",
            Shape::Text,
            "The release or milestone it is meant for.",
        )
        .example("2026.2"),
        Key::new("tickets", TEXTS, "Tickets and documents it belongs to.").example("[CASE-417]"),
        Key::new(
            "risk",
            Shape::Choice(RISK),
            "How bad it would be if the design were wrong. `high` and `critical` require more sections and evidence.",
        )
        .example("high"),
        Key::new(
            "change",
            Shape::Choice(CHANGE),
            "Kind of change. It decides which sections `check` requires: a new column needs few, regulated data nearly all.",
        )
        .example("lifecycle"),
        Key::new(
            "supersedes",
            Shape::Text,
            "The design this one replaces.",
        )
        .example("case-owner"),
    ],
    rules: &[],
};

/// `problem:`.
pub(super) static PROBLEM: Object = Object {
    name: "problem",
    doc: "Why anything is done.",
    keys: &[
        Key::new(
            "current",
            Shape::Text,
            "The present state: where it fails, for whom, and since when. Facts, not judgements.",
        )
        .example("Only the latest owner is kept, so nobody can say who was responsible when a decision was made."),
        Key::new(
            "goals",
            TEXTS,
            "What must be possible afterwards, each with a number that can be measured.",
        )
        .example("[\"list an investigator's queue in under 100 ms at 10M open tasks\"]"),
        Key::new(
            "non_goals",
            TEXTS,
            "What is left out on purpose, so that nobody waits for it.",
        )
        .example("[authorization service]"),
        Key::new(
            "success",
            TEXTS,
            "Signals by which success will be seen. Those that name a query, a lock or a count are evaluated.",
        )
        .example("[no lock held over 2 s during the migration]"),
    ],
    rules: &[],
};
