//! An entry of `invariants:`.

use super::super::shape::{Key, Object, Rule, Shape, Word};
use super::kind;

const ENFORCED: &[Word] = &[
    (
        "constraint",
        "a constraint or unique index; no statement can break it",
    ),
    (
        "trigger",
        "a trigger with guard rows; no statement can break it",
    ),
    ("policy", "row-level security, forced"),
    (
        "transaction",
        "the commands' own locks and conditions; other writers can break it",
    ),
    (
        "application",
        "code outside the database; the verifier shows how it is broken",
    ),
    ("reconciliation", "found afterwards and repaired"),
    ("procedure", "a procedure that runs in time"),
];

/// An invariant.
pub(super) static INVARIANT: Object = Object {
    name: "invariant",
    doc: "What must never be false, in words and as exactly one typed clause. What enforces it is derived from the clause.",
    keys: &[
        Key::new("never", Shape::Text, "What never happens, in words.")
            .example("a case has two active assignments in the same role"),
        Key::new("because", Shape::Text, "What would go wrong if it did.")
            .example("two investigators would work it"),
        Key::new("required", Shape::Object(&kind::REQUIRED), "A column, or a related row, exists.")
            .example("{in: regulatory_case, child: case_party}"),
        Key::new("unique", Shape::Object(&kind::UNIQUE), "No two rows share these columns.")
            .example("{in: regulatory_case, columns: [tenant_id, case_number]}"),
        Key::new("at_most_one", Shape::Object(&kind::AT_MOST_ONE), "Per group, at most one row.")
            .example("{in: case_assignment, per: [case_id], where: ended_at is null}"),
        Key::new("exactly_one", Shape::Object(&kind::EXACTLY_ONE), "Per group, exactly one row.")
            .example("{in: address, per: [customer_id], where: is_primary}"),
        Key::new(
            "at_most",
            Shape::Object(&kind::AT_MOST),
            "Per group, a count or sum stays within a constant or a parent's column: capacity, quota, stock.",
        )
        .example("{in: booking, per: [event_id], sum: seats, limit: event.capacity}"),
        Key::new("check", Shape::Object(&kind::CHECK), "An expression holds in each row.")
            .example("{in: product, is: stock_on_hand >= 0}"),
        Key::new(
            "no_overlap",
            Shape::Object(&kind::NO_OVERLAP),
            "Per group, intervals do not overlap; a null `to` is open.",
        )
        .example("{in: case_assignment, per: [case_id], from: assigned_at, to: ended_at}"),
        Key::new("references", Shape::Object(&kind::REFERENCES), "A row's parent exists, tenant included.")
            .example("{in: case_party, columns: [case_id], to: regulatory_case}"),
        Key::new("balanced", Shape::Object(&kind::BALANCED), "Per group, a sum has this value at commit.")
            .example("{in: posting, per: [entry_id], sum: amount}"),
        Key::new(
            "append_only",
            Shape::Either(&[Shape::Name("table"), Shape::Object(&kind::APPEND_ONLY)]),
            "Rows are never updated or deleted.",
        )
        .example("{in: audit_log}"),
        Key::new(
            "immutable",
            Shape::Object(&kind::IMMUTABLE),
            "Columns never change, or not once a condition holds.",
        )
        .example("{in: invoice, once: issued_at is not null}"),
        Key::new(
            "transitions",
            Shape::Object(&kind::TRANSITIONS),
            "A state column moves only along allowed edges, from allowed starts.",
        )
        .example("{in: regulatory_case, column: lifecycle_state, initial: [draft], allow: {draft: [open]}}"),
        Key::new("monotonic", Shape::Object(&kind::MONOTONIC), "A column only grows: a version, a sequence.")
            .example("{in: regulatory_case, column: version, strictly: true}"),
        Key::new(
            "isolated",
            Shape::Object(&kind::ISOLATED),
            "A tenant never sees or touches another tenant's rows.",
        )
        .example("{tables: [regulatory_case], by: tenant_id, setting: app.tenant_id, role: app}"),
        Key::new(
            "idempotent",
            Shape::Object(&kind::IDEMPOTENT),
            "One key, one effect: the same key and request return the first effect, another request with the key is refused.",
        )
        .example("{command: post-entry, key: request_id, request: [account_id, amount]}"),
        Key::new(
            "mirrors",
            Shape::Either(&[Shape::Name("projection"), Shape::Object(&kind::MIRRORS)]),
            "A projection equals its rebuild query once events are applied, in any order and any number of times.",
        )
        .example("{projection: case_search}"),
        Key::new(
            "retained",
            Shape::Either(&[Shape::Name("table"), Shape::Object(&kind::RETAINED)]),
            "Nothing is deleted before its time or under hold, everything is gone after it.",
        )
        .example("{in: case_assignment}"),
        Key::new(
            "holds",
            super::super::shape::QUERY,
            "The query returns no row: each row returned is a violation.",
        )
        .example("SELECT account_id FROM account WHERE balance < 0"),
        Key::new(
            "enforced",
            Shape::Choice(ENFORCED),
            "Where it is enforced. Where silent, what its kind prefers. A weaker choice is honest: the verifier then shows how the database lets it break.",
        )
        .example("constraint"),
        Key::new(
            "as",
            Shape::Name("derived object"),
            "Name of the derived constraint, index, trigger or policy.",
        )
        .example("uq_case_active_assignment"),
        Key::new(
            "raced_by",
            Shape::Either(&[
                Shape::OneOrMore(&Shape::Label("command")),
                Shape::Object(&RACED_BY),
            ]),
            "Commands to race, beside those found to touch what it reads; or `{only: …}`: these and no others, which the report then says.",
        )
        .example("[assign-case, close-case]"),
        Key::new(
            "monitor",
            Shape::Object(&MONITOR),
            "The detective control: how often production is asked, and who is told.",
        )
        .example("{every: 1 day, alert: ticket}"),
        Key::new("repair", Shape::Text, "What is done when it happened all the same.")
            .example("end the later row with a reason and keep both"),
        Key::new("was", Shape::Label("invariant"), "Its earlier name.").example("one-owner"),
    ],
    rules: &[Rule::ExactlyOne(&[
        "required",
        "unique",
        "at_most_one",
        "exactly_one",
        "at_most",
        "check",
        "no_overlap",
        "references",
        "balanced",
        "append_only",
        "immutable",
        "transitions",
        "monotonic",
        "isolated",
        "idempotent",
        "mirrors",
        "retained",
        "holds",
    ])],
};

static RACED_BY: Object = Object {
    name: "raced_by",
    doc: "Which commands are raced, where not all that touch what the invariant reads.",
    keys: &[Key::new(
        "only",
        Shape::OneOrMore(&Shape::Label("command")),
        "These commands, against each other and themselves, and no others: what is proven then holds for them alone.",
    )
    .required()
    .example("[assign-case, close-case]")],
    rules: &[],
};

static MONITOR: Object = Object {
    name: "monitor",
    doc: "The detective control of an invariant.",
    keys: &[
        Key::new(
            "every",
            Shape::Duration,
            "How often its drift query runs in production.",
        )
        .example("1 day"),
        Key::new(
            "alert",
            Shape::Text,
            "What happens when it finds something: `ticket`, `page`.",
        )
        .example("ticket"),
    ],
    rules: &[],
};
