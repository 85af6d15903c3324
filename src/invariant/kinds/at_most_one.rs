//! `at_most_one`: per group, at most one row.

use super::unique;
use crate::design::{InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::Case;
use crate::invariant::derived::Derived;
use crate::invariant::registry::Kind;
use crate::invariant::subject::Subject;
use crate::source::Text;
use crate::sql::SqlText;

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "at_most_one",
        title: "per group, at most one row",
        docs: "Enforced by a partial unique index over `per`. A row with a null in `per` belongs to no group.\n\n\
               ```yaml\n\
               at_most_one: {in: case_assignment, per: [case_id, assignment_role], where: ended_at is null}\n\
               ```",
        since: "0.1.0",
    },
    kind: InvariantKind::AtMostOne,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a Name, &'a [Name], Option<&'a Text>)> {
    match &subject.invariant.rule {
        Rule::AtMostOne {
            table,
            per,
            predicate,
        } => Some((table, per, predicate.as_ref())),
        _ => None,
    }
}

fn drift(subject: &Subject) -> Option<SqlText> {
    let (table, per, predicate) = parts(subject)?;
    Some(unique::duplicates(subject, table, per, predicate))
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    if let Some((table, per, predicate)) = parts(subject) {
        unique::keep(subject, derived, table, per, predicate, "one");
    }
}

fn cases(subject: &Subject) -> Vec<Case> {
    parts(subject)
        .map(|(table, per, predicate)| unique::twice(subject, table, per, predicate))
        .unwrap_or_default()
}
