//! Operations, recovery, and the lists at the end of a document.

use super::super::shape::{Key, Object, Shape, TEXTS, Word};

/// `operations:`.
pub(super) static OPERATIONS: Object = Object {
    name: "operations",
    doc: "How the design is watched and run.",
    keys: &[
        Key::new(
            "signals",
            Shape::Map("signal", &Shape::Text, &Shape::Object(&SIGNAL)),
            "What is measured, with its thresholds, by name.",
        )
        .example("{queue latency: {query: active-queue, warn: 100 ms, page: 500 ms}}"),
        Key::new(
            "runbooks",
            Shape::Map("situation", &Shape::Text, &Shape::Text),
            "Where it says what to do, by situation.",
        )
        .example("{lock storm: docs/runbooks/locks.md}"),
        Key::new(
            "dashboards",
            Shape::Either(&[
                Shape::Text,
                Shape::List(&Shape::Text),
                Shape::Map("dashboard", &Shape::Text, &Shape::Any),
            ]),
            "Dashboards, as a list or by name.",
        )
        .example("[queue, locks]"),
        Key::new(
            "costs",
            Shape::Map("tier", &Shape::Text, &Shape::Text),
            "What storage costs, by tier.",
        )
        .example("{hot: 0.10 USD/GB/month, cold: 0.01 USD/GB/month}"),
    ],
    rules: &[],
};

static SIGNAL: Object = Object {
    name: "signal",
    doc: "Something measured, with its thresholds.",
    keys: &[
        Key::new(
            "query",
            Shape::Label("query"),
            "The query whose latency it is.",
        )
        .example("active-queue"),
        Key::new(
            "metric",
            Shape::Text,
            "What is measured, where it is no query's latency.",
        )
        .example("rows returned by the drift query"),
        Key::new(
            "warn",
            Shape::Text,
            "From here on somebody looks at it by day.",
        )
        .example("100 ms"),
        Key::new("page", Shape::Text, "From here on somebody gets up.").example("500 ms"),
        Key::new("means", Shape::Text, "What it says when it rises.").example("investigators wait"),
        Key::new("runbook", Shape::Text, "Where it says what to do.")
            .example("docs/runbooks/queue.md"),
    ],
    rules: &[],
};

/// An entry of `recovery:`.
pub(super) static RECOVERY: Object = Object {
    name: "recovery",
    doc: "How one scope comes back.",
    keys: &[
        Key::new("rpo", Shape::Duration, "How much may be lost.").example("5 min"),
        Key::new("rto", Shape::Duration, "How long it may take.").example("1 hour"),
        Key::new("method", Shape::Text, "How it is done.").example("pitr"),
        Key::new("tested", Shape::Date, "When that was last tried.").example("2026-01-20"),
    ],
    rules: &[],
};

/// An entry of `risks:`.
pub(super) static RISK: Object = Object {
    name: "risk",
    doc: "A risk. Its score is likelihood times impact.",
    keys: &[
        Key::new("risk", Shape::Text, "What could happen.")
            .required()
            .example("migration locks the table"),
        Key::new("cause", Shape::Text, "Through what.").example("unsafe DDL"),
        Key::new(
            "likelihood",
            Shape::Integer(1, 5),
            "1 (hardly) to 5 (nearly sure).",
        )
        .example("2"),
        Key::new(
            "impact",
            Shape::Integer(1, 5),
            "1 (a nuisance) to 5 (the company).",
        )
        .example("4"),
        Key::new("detection", Shape::Text, "How it would be noticed.").example("lock waits"),
        Key::new("mitigation", Shape::Text, "What is done about it.").example("lock timeout"),
        Key::new("owner", Shape::Text, "Who answers for that.").example("dba-guild"),
        Key::new("by", Shape::Date, "Until when.").example("2026-03-01"),
    ],
    rules: &[],
};

/// An entry of `rollout:`.
pub(super) static STEP: Object = Object {
    name: "rollout",
    doc: "A step to production.",
    keys: &[
        Key::new("step", Shape::Text, "What is done.")
            .required()
            .example("additive DDL"),
        Key::new("flag", Shape::Text, "The feature flag, or `none`.").example("none"),
        Key::new(
            "gate",
            Shape::Text,
            "What must be seen before the next step.",
        )
        .example("schema exists"),
        Key::new("rollback", Shape::Text, "The way back.").example("drop if unused"),
        Key::new("owner", Shape::Text, "Who does it.").example("casework"),
    ],
    rules: &[],
};

/// An entry of `questions:`.
pub(super) static QUESTION: Object = Object {
    name: "question",
    doc: "Something that is still open.",
    keys: &[
        Key::new("ask", Shape::Text, "The question.")
            .required()
            .example("keep history for ever?"),
        Key::new("owner", Shape::Text, "Who answers it.").example("compliance"),
        Key::new("by", Shape::Date, "Until when.").example("2026-02-10"),
        Key::new("blocks", TEXTS, "What waits for the answer.").example("retention"),
    ],
    rules: &[],
};

const STATUS: &[Word] = &[
    ("proposed", "not decided"),
    ("accepted", "decided"),
    ("rejected", "decided against"),
    ("superseded", "a later decision has taken its place"),
];

/// An entry of `decisions:`.
pub(super) static DECISION: Object = Object {
    name: "decision",
    doc: "A decision record.",
    keys: &[
        Key::new("status", Shape::Choice(STATUS), "Where it stands.").example("accepted"),
        Key::new("context", Shape::Text, "What made a decision necessary.").example("point-in-time audit"),
        Key::new(
            "options",
            Shape::Either(&[
                Shape::Map("option", &Shape::Text, &Shape::Text),
                Shape::List(&Shape::Text),
            ]),
            "What was weighed, each with what speaks for or against it.",
        )
        .example("{overwrite owner: loses history, event table only: slow queue}"),
        Key::new(
            "decision",
            Shape::Text,
            "What was chosen over what, because of which invariant and workload, at which risk under which control.",
        )
        .example("effective-dated rows"),
        Key::new("consequences", TEXTS, "What follows from it.").example("[queue needs a partial index]"),
        Key::new("revisit", Shape::Text, "What would reopen it.")
            .example("when transitions exceed 50M a month"),
    ],
    rules: &[],
};

/// An entry of `waivers:`.
pub(super) static WAIVER: Object = Object {
    name: "waiver",
    doc: "A finding that is accepted.",
    keys: &[
        Key::new("rule", Shape::Text, "Code of the finding.")
            .required()
            .example("redundant-index"),
        Key::new(
            "at",
            Shape::Text,
            "What it is accepted for; the whole design where silent.",
        )
        .example("case_assignment.ix_actor"),
        Key::new("because", Shape::Text, "Why.")
            .required()
            .example("measured twice"),
        Key::new(
            "until",
            Shape::Date,
            "Last day; after it the finding is back.",
        )
        .example("2026-06-01"),
    ],
    rules: &[],
};
