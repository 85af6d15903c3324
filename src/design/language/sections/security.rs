//! `security:`.

use super::super::shape::{Key, Object, Shape, Word};

const PRIVILEGE: &[Word] = &[
    ("select", "read rows"),
    ("insert", "add rows"),
    ("update", "change rows"),
    ("delete", "delete rows"),
    ("truncate", "empty the table"),
    ("references", "refer to it by foreign keys"),
    ("trigger", "put triggers on it"),
];

/// `security:`.
pub(super) static SECURITY: Object = Object {
    name: "security",
    doc: "Who may do what.",
    keys: &[
        Key::new(
            "roles",
            Shape::Map("role", &Shape::Name("role"), &Shape::Object(&ROLE)),
            "Database roles by name.",
        )
        .example("{app: {login: false, grants: {regulatory_case: [select, insert]}}}"),
        Key::new(
            "break_glass",
            Shape::Either(&[Shape::Text, Shape::Object(&BREAK_GLASS)]),
            "Who gets in when all else fails, and how that is seen.",
        )
        .example("{who: dba on call, how: ticketed and audited}"),
    ],
    rules: &[],
};

static ROLE: Object = Object {
    name: "role",
    doc: "A database role. It can do what it is granted here and nothing else; the verifier tries.",
    keys: &[
        Key::new("login", Shape::Bool, "Whether one can sign in as it.").example("false"),
        Key::new(
            "grants",
            Shape::Map(
                "table",
                &Shape::Name("table"),
                &Shape::OneOrMore(&Shape::Choice(PRIVILEGE)),
            ),
            "Privileges per table, view or projection.",
        )
        .example("{regulatory_case: [select, insert, update]}"),
        Key::new(
            "bypass_rls",
            Shape::Bool,
            "Whether row-level security does not apply to it.",
        )
        .example("false"),
        Key::new(
            "means",
            Shape::Text,
            "What it is for; becomes the role's comment.",
        )
        .example("the application"),
    ],
    rules: &[],
};

static BREAK_GLASS: Object = Object {
    name: "break_glass",
    doc: "Access in an emergency.",
    keys: &[
        Key::new("who", Shape::Text, "Who.").example("dba on call"),
        Key::new("how", Shape::Text, "How, and how it is seen afterwards.")
            .example("ticketed and audited"),
    ],
    rules: &[],
};
