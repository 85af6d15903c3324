//! The top level of a design.

use super::super::shape::{Key, Object, Shape};
use super::{
    command, database, document, invariant, migration, operation, process, projection, query,
    security, table,
};

/// A design.
pub static DESIGN: Object = Object {
    name: "design",
    doc: "One YAML file is one database design: what must be true, the tables that hold it, the commands that change it and the \
          queries that read it. pgproof compiles it to DDL, starts a real PostgreSQL and tries to break every claim in it.",
    keys: &[
        Key::new(
            "pgproof",
            Shape::Version,
            "Version of the language this file is written in.",
        )
        .required()
        .example("1"),
        Key::new(
            "design",
            Shape::Slug,
            "Name of the design, unique in the workspace: lower-case letters, digits and `-`. Also the schema's name where `database.schema` is silent.",
        )
        .required()
        .example("case-assignment"),
        Key::new("title", Shape::Text, "Title of the document, for people.")
            .example("Effective-dated case assignment"),
        Key::new(
            "document",
            Shape::Object(&document::DOCUMENT),
            "Who owns the document, where it stands, and what kind of change it describes. `change` decides which sections `check` requires.",
        )
        .example("{status: draft, owner: casework, change: table, risk: low}"),
        Key::new(
            "summary",
            Shape::Text,
            "What is stored, which invariants are enforced and how, which workloads it serves, how it is migrated and rolled back. For engineers, one paragraph.",
        )
        .example("Responsibility for a case becomes a period with a beginning and an end."),
        Key::new(
            "plain_summary",
            Shape::Text,
            "The same for product, compliance and operations, without a technical word.",
        )
        .example("From now on we can say who was responsible for a case at any moment."),
        Key::new(
            "problem",
            Shape::Object(&document::PROBLEM),
            "Why anything is done: the present state, goals that can be measured, and what is left out on purpose.",
        )
        .example("{current: only the latest owner is kept, goals: [keep the full history]}"),
        Key::new(
            "process",
            Shape::Object(&process::PROCESS),
            "The business process the data records: its story and its actors.",
        )
        .example("{narrative: A supervisor assigns a case., actors: {supervisor: {does: assigns cases}}}"),
        Key::new(
            "authority",
            Shape::Map("truth", &Shape::Text, &Shape::Object(&process::TRUTH)),
            "Who owns which truth, and which stores only hold copies of it. Each key names one truth, in words.",
        )
        .example("{case status: {owner: casework, store: regulatory_case, rebuildable: true}}"),
        Key::new(
            "glossary",
            Shape::Map(
                "term",
                &Shape::Text,
                &Shape::Either(&[Shape::Text, Shape::Object(&process::TERM)]),
            ),
            "What the words of this design mean. Each key is a term; a plain text is its meaning.",
        )
        .example("{assignment: {means: one period of responsibility, not: a user profile}}"),
        Key::new(
            "database",
            Shape::Object(&database::DATABASE),
            "The PostgreSQL the design is for: version, schema, extensions and production's planner settings.",
        )
        .example("{engine: postgres, version: 15, schema: casework}"),
        Key::new(
            "types",
            Shape::Map("type", &Shape::Name("type"), &Shape::Object(&database::USER_TYPE)),
            "Enums and domains that columns use by name.",
        )
        .example("{lifecycle_state: {enum: [draft, open, closed], means: where a case stands}}"),
        Key::new(
            "tables",
            Shape::Map("table", &Shape::Name("table"), &Shape::Object(&table::TABLE)),
            "The tables, in the order in which people should read them.",
        )
        .example("{customer: {grain: one customer, columns: {customer_id: uuid}, key: [customer_id]}}"),
        Key::new(
            "views",
            Shape::Map("view", &Shape::Name("view"), &Shape::Object(&database::VIEW)),
            "Views, as plain SQL, placed by what they depend on.",
        )
        .example("{open_case: {sql: SELECT case_id FROM regulatory_case WHERE closed_at IS NULL}}"),
        Key::new(
            "routines",
            Shape::Map("routine", &Shape::Name("routine"), &Shape::Object(&database::ROUTINE)),
            "Functions, procedures and triggers that the rest of the language cannot say, as plain SQL.",
        )
        .example("{touch: {sql: 'CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$'}}"),
        Key::new(
            "invariants",
            Shape::Map("invariant", &Shape::Label("invariant"), &Shape::Object(&invariant::INVARIANT)),
            "What must never be false. Each is stated once, in words and as a typed clause; the constraint, index, trigger or policy that enforces it is derived.",
        )
        .example("{one-owner: {never: a case has two owners, at_most_one: {in: case_owner, per: [case_id]}}}"),
        Key::new(
            "commands",
            Shape::Map("command", &Shape::Label("command"), &Shape::Object(&command::COMMAND)),
            "What can be asked of the system: transactions that may fail. The verifier runs them against each other.",
        )
        .example("{close-case: {actor: investigator, steps: [{sql: \"UPDATE regulatory_case SET closed_at = now() WHERE case_id = :case_id\"}]}}"),
        Key::new(
            "events",
            Shape::Map("event", &Shape::Label("event"), &Shape::Object(&command::EVENT)),
            "Facts that commands give rise to. A command that failed has none.",
        )
        .example("{CaseAssigned: {by: assign-case, payload: {case_id: uuid}, key: [case_id]}}"),
        Key::new(
            "states",
            Shape::Map("state", &Shape::Label("state"), &command::STATE),
            "Starting points for races, beside the generated ones: rows per table. Short values are widened to the column's type, so `1` can stand for a uuid.",
        )
        .example("{one-open-case: {regulatory_case: [{case_id: 1, lifecycle_state: open}]}}"),
        Key::new(
            "queries",
            Shape::Map("query", &Shape::Label("query"), &Shape::Object(&query::QUERY_ENTRY)),
            "The query catalog: every query the design is to serve, with its volume, its latency and the plan expected at production size.",
        )
        .example("{queue: {kind: interactive, runs: 500/s, sql: SELECT case_id FROM regulatory_case LIMIT 50}}"),
        Key::new(
            "security",
            Shape::Object(&security::SECURITY),
            "Roles with their grants, and who gets in when all else fails.",
        )
        .example("{roles: {app: {login: false, grants: {regulatory_case: [select, insert]}}}}"),
        Key::new(
            "projections",
            Shape::Map("projection", &Shape::Name("projection"), &Shape::Object(&projection::PROJECTION)),
            "Derived stores: read models, materialized views, search indexes. Each says what it is made from, how fresh it is and how it is rebuilt.",
        )
        .example("{case_search: {source: [regulatory_case], freshness: 2 s, consumers: [search-ui]}}"),
        Key::new(
            "migration",
            Shape::Object(&migration::MIGRATION),
            "How production gets from the previous design to this one.",
        )
        .example("{from: case-owner, strategy: expand_contract, limits: {lock: 2 s}}"),
        Key::new(
            "operations",
            Shape::Object(&operation::OPERATIONS),
            "Signals with thresholds, runbooks, dashboards, costs.",
        )
        .example("{signals: {queue latency: {query: active-queue, warn: 100 ms, page: 500 ms}}}"),
        Key::new(
            "recovery",
            Shape::Map("scope", &Shape::Text, &Shape::Object(&operation::RECOVERY)),
            "Per scope (the database, a tenant, a table): how much may be lost, how long it may take, how it is done, and when that was last tried.",
        )
        .example("{database: {rpo: 5 min, rto: 1 hour, method: pitr, tested: 2026-01-20}}"),
        Key::new(
            "risks",
            Shape::List(&Shape::Object(&operation::RISK)),
            "The risk register.",
        )
        .example("[{risk: migration locks the table, likelihood: 2, impact: 4, owner: dba-guild}]"),
        Key::new(
            "rollout",
            Shape::List(&Shape::Object(&operation::STEP)),
            "The steps to production, in order, each with its flag, its gate and its way back.",
        )
        .example("[{step: additive DDL, flag: none, gate: schema exists, rollback: drop if unused}]"),
        Key::new(
            "questions",
            Shape::List(&Shape::Object(&operation::QUESTION)),
            "What is still open. Each question has an owner and a date.",
        )
        .example("[{ask: keep history for ever?, owner: compliance, by: 2026-02-10}]"),
        Key::new(
            "decisions",
            Shape::Map("decision", &Shape::Label("decision"), &Shape::Object(&operation::DECISION)),
            "Decision records: what was weighed, what was chosen, and what would change that.",
        )
        .example("{effective-dated: {status: accepted, decision: effective-dated rows}}"),
        Key::new(
            "waivers",
            Shape::List(&Shape::Object(&operation::WAIVER)),
            "Findings that are accepted, with the reason and an end.",
        )
        .example("[{rule: redundant-index, at: case_assignment.ix_actor, because: measured, until: 2026-06-01}]"),
    ],
    rules: &[],
};
