//! Kinds that only the design can enforce: `mirrors`, `retained`, `holds`.

use crate::design::{InvariantKind, Rule};
use crate::finding::About;
use crate::invariant::case::Case;
use crate::invariant::derived::Derived;
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored};
use crate::sql::{SqlText, fill};

pub(crate) static MIRRORS: Kind = Kind {
    about: About {
        name: "mirrors",
        title: "a projection equals its rebuild query once events are applied",
        docs: "Its drift query is the difference, both ways, between the projection and its `rebuild`.\n\n```yaml\nmirrors: {projection: order_summary}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Mirrors,
    drift: mirror_drift,
    enforce: nothing,
    cases: none,
};

pub(crate) static RETAINED: Kind = Kind {
    about: About {
        name: "retained",
        title: "nothing is deleted before its time or under hold, everything is gone after it",
        docs: "Follows the table's `retention:` rules.\n\n```yaml\nretained: {in: audit_event}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Retained,
    drift: no_drift,
    enforce: nothing,
    cases: none,
};

pub(crate) static HOLDS: Kind = Kind {
    about: About {
        name: "holds",
        title: "the query returns no row",
        docs: "For what no other kind can say. Where the database is said to enforce it, `as:` names the constraint or trigger that does.\n\n\
               ```yaml\nholds: |\n  SELECT c.case_id FROM regulatory_case c JOIN case_assignment a USING (case_id)\n  WHERE c.state = 'closed' AND a.ended_at IS NULL\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Holds,
    drift: hold_drift,
    enforce: nothing,
    cases: none,
};

fn hold_drift(subject: &Subject) -> Option<SqlText> {
    match &subject.invariant.rule {
        Rule::Holds { sql } => Some(SqlText::authored(
            sql.as_str().trim().trim_end_matches(';').trim_end(),
        )),
        _ => None,
    }
}

fn mirror_drift(subject: &Subject) -> Option<SqlText> {
    let Rule::Mirrors { projection } = &subject.invariant.rule else {
        return None;
    };
    let found = subject
        .model
        .projections
        .iter()
        .find(|known| known.name == *projection)?;
    let rebuild = authored(found.rebuild.as_ref()?);
    Some(fill(
        "WITH expected AS (\n  {rebuild}\n), actual AS (\n  SELECT * FROM {projection}\n)\n(SELECT 'missing' AS difference, expected.* FROM expected EXCEPT ALL SELECT 'missing', actual.* FROM actual)\nUNION ALL\n(SELECT 'superfluous', actual.* FROM actual EXCEPT ALL SELECT 'superfluous', expected.* FROM expected)",
        &[
            ("rebuild", &rebuild),
            ("projection", &subject.sql(projection)),
        ],
    ))
}

fn no_drift(_: &Subject) -> Option<SqlText> {
    None
}

fn nothing(_: &Subject, _: &mut Derived) {}

fn none(_: &Subject) -> Vec<Case> {
    Vec::new()
}
