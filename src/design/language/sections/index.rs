//! Indexes and the constraints that bring one.

use super::super::shape::{COLUMNS, EXPRESSION, Key, Object, Rule, Shape, TEXTS, Word};

const METHOD: &[Word] = &[
    ("btree", "equality, ranges, order"),
    ("hash", "equality only"),
    (
        "gin",
        "values inside a value: jsonb, arrays, text search, trigrams",
    ),
    ("gist", "ranges, geometry, nearest neighbours, exclusion"),
    ("spgist", "trees that split space: prefixes, points"),
    (
        "brin",
        "huge tables whose rows lie in the order of the column",
    ),
];

pub(super) const WHERE: Key =
    Key::new("where", EXPRESSION, "Only rows for which this holds.").example("ended_at is null");

/// An entry of `indexes:`.
pub(super) static INDEX: Object = Object {
    name: "index",
    doc: "An index: a hypothesis about queries, so it names those it serves and says when it may go.",
    keys: &[
        Key::new(
            "columns",
            Shape::OneOrMore(&Shape::Text),
            "Columns or expressions, in order. After each may stand `desc`, `nulls first`, an operator class (`gin_trgm_ops`) or a collation.",
        )
        .required()
        .example("[tenant_id, assigned_at desc]"),
        Key::new("using", Shape::Choice(METHOD), "Index method; `btree` where silent.").example("gin"),
        Key::new("unique", Shape::Bool, "No two rows share these columns.").example("true"),
        WHERE,
        Key::new(
            "include",
            COLUMNS,
            "Columns carried along, so that a query need not visit the table.",
        )
        .example("[priority]"),
        Key::new(
            "with",
            Shape::Map("parameter", &Shape::Text, &Shape::Scalar),
            "Storage parameters.",
        )
        .example("{fillfactor: 90}"),
        Key::new(
            "serves",
            Shape::OneOrMore(&Shape::Label("query")),
            "Queries it is there for; the planner is asked whether it really is.",
        )
        .example("[active-queue]"),
        Key::new("because", Shape::Text, "Why, where no query says it.")
            .example("the reference would read the whole table on delete"),
        Key::new("drop_when", Shape::Text, "When it may go.")
            .example("the queue moves to a projection"),
        Key::new("was", Shape::Name("index"), "Its earlier name.").example("ix_case_actor"),
    ],
    rules: &[],
};

const KIND: &[Word] = &[
    ("dependencies", "how far one column follows from another"),
    ("mcv", "the most common combinations with their shares"),
    ("ndistinct", "how many different combinations there are"),
];

/// An entry of `statistics:`.
pub(super) static STATISTICS: Object = Object {
    name: "statistics",
    doc: "Extended statistics: columns whose values hang together. Without them the planner multiplies the shares of each column by itself.",
    keys: &[
        Key::new("columns", COLUMNS, "Two to eight columns whose values hang together.")
            .required()
            .example("[country, city]"),
        Key::new(
            "kinds",
            Shape::OneOrMore(&Shape::Choice(KIND)),
            "What is gathered; everything where silent.",
        )
        .example("[dependencies, ndistinct]"),
        Key::new(
            "distinct",
            Shape::Count,
            "How many different combinations there are. As many as the column with the most values has: the others follow from it. Plans at volume are judged on it, and made rows have as many.",
        )
        .example("12k"),
        Key::new("because", Shape::Text, "Why.").example("a city lies in one country"),
    ],
    rules: &[],
};

/// The long form of an entry of `unique:`.
pub(super) static UNIQUE: Object = Object {
    name: "unique",
    doc: "A unique constraint; with `where` a partial unique index.",
    keys: &[
        Key::new("columns", COLUMNS, "No two rows share these columns.")
            .required()
            .example("[tenant_id, case_number]"),
        WHERE,
        Key::new("because", Shape::Text, "Why.").example("letters are filed by it"),
    ],
    rules: &[],
};

/// An entry of `exclude:`.
pub(super) static EXCLUSION: Object = Object {
    name: "exclusion",
    doc: "An exclusion constraint: no two rows for which every operator holds.",
    keys: &[
        Key::new("using", Shape::Choice(METHOD), "Index method; `gist` where silent.").example("gist"),
        Key::new(
            "elements",
            Shape::Either(&[
                Shape::Map("expression", &Shape::Text, &Shape::Text),
                Shape::List(&Shape::Text),
            ]),
            "Expressions with their operators: `{room: \"=\", during: \"&&\"}`, or a list of `EXPRESSION with OPERATOR`.",
        )
        .required()
        .example("{room_id: '=', during: '&&'}"),
        WHERE,
        Key::new("because", Shape::Text, "Why.").example("a room holds one meeting at a time"),
    ],
    rules: &[],
};

const ACTION: &[Word] = &[
    ("restrict", "refused while rows refer to it"),
    (
        "no action",
        "refused at the end of the statement, or of the transaction where deferrable",
    ),
    ("cascade", "the referring rows go too"),
    ("set null", "the referring columns become null"),
    ("set default", "the referring columns get their default"),
];

/// An entry of `references:`.
pub(super) static REFERENCE: Object = Object {
    name: "reference",
    doc: "A foreign key. In a design with tenants it carries the tenant too.",
    keys: &[
        Key::new("columns", COLUMNS, "The referring columns.")
            .required()
            .example("[tenant_id, case_id]"),
        Key::new("to", Shape::Name("table"), "The table referred to.")
            .required()
            .example("regulatory_case"),
        Key::new(
            "key",
            COLUMNS,
            "The columns referred to. Where silent: those of the same names, else the primary key.",
        )
        .example("[tenant_id, case_id]"),
        Key::new(
            "on_delete",
            Shape::Choice(ACTION),
            "What becomes of the rows when the one they refer to is deleted.",
        )
        .example("restrict"),
        Key::new(
            "on_update",
            Shape::Choice(ACTION),
            "What becomes of the rows when the key they refer to changes.",
        )
        .example("restrict"),
        Key::new(
            "deferrable",
            Shape::Bool,
            "Checked at commit (DEFERRABLE INITIALLY DEFERRED).",
        )
        .example("true"),
        Key::new("because", Shape::Text, "Why, where it is not plain.")
            .example("counters mean nothing without their account"),
    ],
    rules: &[],
};

const UNITS: &str = "Length of a range: hours, days, weeks, months or years.";

/// `partition:`.
pub(super) static PARTITION: Object = Object {
    name: "partition",
    doc: "How the table is cut. The column must be part of every key.",
    keys: &[
        Key::new("by", Shape::Name("column"), "The column that decides.")
            .required()
            .example("created_at"),
        Key::new("every", Shape::Text, UNITS).example("1 month"),
        Key::new("from", Shape::Date, "Where the first range begins.").example("2026-01-01"),
        Key::new(
            "ahead",
            Shape::Integer(1, 10_000),
            "How many ranges are made from `from` on; three where silent.",
        )
        .example("3"),
        Key::new(
            "hash",
            Shape::Integer(1, 10_000),
            "Into so many parts by hash.",
        )
        .example("16"),
        Key::new(
            "list",
            Shape::Map("partition", &Shape::Name("partition"), &TEXTS),
            "Values per partition.",
        )
        .example("{europe: [de, fr], other: [us]}"),
        Key::new(
            "ranges",
            Shape::Map(
                "partition",
                &Shape::Name("partition"),
                &Shape::Pair(&Shape::Text),
            ),
            "First value and the one after the last, per partition.",
        )
        .example("{y2025: [2025-01-01, 2026-01-01]}"),
        Key::new(
            "default",
            Shape::Bool,
            "Whether a partition takes what no other does.",
        )
        .example("true"),
    ],
    rules: &[
        Rule::ExactlyOne(&["every", "hash", "list", "ranges"]),
        Rule::Needs("every", "from"),
        Rule::Needs("from", "every"),
        Rule::Needs("ahead", "every"),
    ],
};
