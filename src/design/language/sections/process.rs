//! `process:`, `authority:` and `glossary:`.

use super::super::shape::{Key, Object, Shape, TEXTS};

/// `process:`.
pub(super) static PROCESS: Object = Object {
    name: "process",
    doc: "The business process that the data records.",
    keys: &[
        Key::new(
            "narrative",
            Shape::Text,
            "The story: who does what when, what is recorded, who is told. Without table names.",
        )
        .example("A supervisor assigns an open case to an investigator."),
        Key::new(
            "actors",
            Shape::Map("actor", &Shape::Text, &Shape::Object(&ACTOR)),
            "People and programs that act, by name. Commands name one of them as their `actor`.",
        )
        .example("{supervisor: {does: assigns cases, writes: [case_assignment], reads: [regulatory_case]}}"),
    ],
    rules: &[],
};

static ACTOR: Object = Object {
    name: "actor",
    doc: "Somebody or something that acts.",
    keys: &[
        Key::new("does", Shape::Text, "What the actor does, in a few words.")
            .example("assigns cases"),
        Key::new("writes", TEXTS, "Tables the actor changes.").example("[case_assignment]"),
        Key::new(
            "reads",
            TEXTS,
            "Tables, views and projections the actor reads.",
        )
        .example("[regulatory_case]"),
    ],
    rules: &[],
};

/// An entry of `authority:`.
pub(super) static TRUTH: Object = Object {
    name: "truth",
    doc: "One truth: who owns it, where it is stored, and who only has a copy.",
    keys: &[
        Key::new("owner", Shape::Text, "The one team that may change it.").example("casework"),
        Key::new(
            "store",
            TEXTS,
            "The table that holds it, or a store elsewhere (`identity.person`).",
        )
        .example("regulatory_case"),
        Key::new("consumers", TEXTS, "Who reads it.").example("[workflow]"),
        Key::new("derived", TEXTS, "Stores that are made from it.").example("[search]"),
        Key::new(
            "copies",
            Shape::Either(&[
                Shape::Map("copy", &Shape::Text, &Shape::Object(&COPY)),
                Shape::List(&Shape::Object(&COPY)),
            ]),
            "Caches and other copies, by name or as a list.",
        )
        .example("{badge cache: {kind: redis, ttl: 5 s, invalidated_by: CaseAssigned}}"),
        Key::new(
            "rebuildable",
            Shape::Bool,
            "Whether everything derived can be made again from the store.",
        )
        .example("true"),
        Key::new(
            "correction",
            Shape::Text,
            "How a wrong entry is put right without losing what was there.",
        )
        .example("end the wrong period with a reason and open the right one"),
    ],
    rules: &[],
};

static COPY: Object = Object {
    name: "copy",
    doc: "A cache or another copy of a truth.",
    keys: &[
        Key::new("kind", Shape::Text, "What it is and where.").example("redis"),
        Key::new("ttl", Shape::Duration, "How long an entry is used.").example("5 s"),
        Key::new("invalidated_by", TEXTS, "Events that make an entry stale.")
            .example("[CaseAssigned]"),
        Key::new(
            "freshness",
            Shape::Text,
            "How far behind it may be: a duration, or words such as `same transaction`.",
        )
        .example("2 s"),
    ],
    rules: &[],
};

/// An entry of `glossary:`.
pub(super) static TERM: Object = Object {
    name: "term",
    doc: "A word of the domain.",
    keys: &[
        Key::new("means", Shape::Text, "What it means here.")
            .example("one period of responsibility"),
        Key::new("not", Shape::Text, "What it is mistaken for.").example("a user profile"),
        Key::new("example", Shape::Text, "One of them.").example("from 1 to 5 January"),
    ],
    rules: &[],
};
