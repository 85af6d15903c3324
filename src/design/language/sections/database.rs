//! `database:`, `types:`, `views:` and `routines:`.

use super::super::shape::{
    EXPRESSION, Key, Object, QUERY, Rule, STATEMENT, Shape, TEXTS, TYPE, Word,
};

const ENGINE: &[Word] = &[("postgres", "PostgreSQL")];

/// `database:`.
pub(super) static DATABASE: Object = Object {
    name: "database",
    doc: "The PostgreSQL the design is for.",
    keys: &[
        Key::new("engine", Shape::Choice(ENGINE), "The database system.").example("postgres"),
        Key::new(
            "version",
            Shape::Integer(14, 18),
            "Major version the design targets; pgproof verifies on it.",
        )
        .example("15"),
        Key::new(
            "schema",
            Shape::Name("schema"),
            "Schema of every object. Where silent, the design's name with `_` for `-`.",
        )
        .example("casework"),
        Key::new(
            "extensions",
            Shape::OneOrMore(&Shape::Name("extension")),
            "Extensions the design needs; created before anything else.",
        )
        .example("[btree_gist]"),
        Key::new(
            "settings",
            Shape::Map("setting", &Shape::Text, &Shape::Scalar),
            "Production's planner settings. Plans are judged under them.",
        )
        .example("{random_page_cost: 1.1, effective_cache_size: 8GB}"),
        Key::new(
            "topology",
            Shape::Either(&[Shape::Text, Shape::Map("part", &Shape::Text, &Shape::Any)]),
            "Primaries, replicas and shards, in words or as a mapping.",
        )
        .example("one primary, two replicas for reports"),
    ],
    rules: &[],
};

/// An entry of `types:`.
pub(super) static USER_TYPE: Object = Object {
    name: "type",
    doc: "An enum or a domain.",
    keys: &[
        Key::new(
            "enum",
            Shape::List(&Shape::Text),
            "The labels of an enum, in the order in which they sort.",
        )
        .example("[draft, open, under_review, closed]"),
        Key::new("domain", TYPE, "The type that a domain is made over.").example("bigint"),
        Key::new("check", EXPRESSION, "Condition of a domain, over `value`.").example("value >= 0"),
        Key::new(
            "means",
            Shape::Text,
            "What a value says; becomes the type's comment.",
        )
        .example("where a case stands"),
    ],
    rules: &[
        Rule::ExactlyOne(&["enum", "domain"]),
        Rule::Needs("check", "domain"),
    ],
};

const AFTER: Key = Key::new(
    "after",
    TEXTS,
    "Objects that must exist before, where the SQL does not show it.",
)
.example("[current_tenant]");

/// An entry of `views:`.
pub(super) static VIEW: Object = Object {
    name: "view",
    doc: "A view.",
    keys: &[
        Key::new("sql", QUERY, "The query, without `CREATE VIEW`.")
            .required()
            .example("SELECT case_id FROM regulatory_case WHERE closed_at IS NULL"),
        Key::new("means", Shape::Text, "What it is for; becomes the view's comment.")
            .example("cases somebody still has to work on"),
        Key::new(
            "security_invoker",
            Shape::Bool,
            "Whether the view reads with the rights of who asks (15 and later). True where silent; false lets it see past row-level security.",
        )
        .example("true"),
        AFTER,
    ],
    rules: &[],
};

/// An entry of `routines:`.
pub(super) static ROUTINE: Object = Object {
    name: "routine",
    doc: "A function, procedure or trigger, as plain SQL.",
    keys: &[
        Key::new("sql", STATEMENT, "The whole `CREATE` statement.")
            .required()
            .example("CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT current_setting('app.tenant_id')::uuid $$"),
        Key::new("means", Shape::Text, "What it is for; becomes its comment.")
            .example("the tenant of this session"),
        Key::new(
            "security_invoker",
            Shape::Bool,
            "Whether it runs with the rights of who calls it. True where silent.",
        )
        .example("true"),
        AFTER,
    ],
    rules: &[],
};
