//! `check`: an expression over one row. Also what `required` has in common with it.

use crate::catalog::{Check, ObjectPath, TriggerTiming};
use crate::design::{Enforcement, InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{over_row, raise};
use crate::invariant::predicate::{satisfying, unsatisfying};
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored, predicate_or_true};
use crate::source::Text;
use crate::sql::{SqlText, fill, fixed};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "check",
        title: "an expression over one row is true",
        docs: "Enforced by a CHECK constraint. As for PostgreSQL's own, an expression that comes out as null passes.\n\n\
               ```yaml\ncheck: {in: product, is: stock >= 0}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Check,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a Name, &'a Text, Option<&'a Text>)> {
    match &subject.invariant.rule {
        Rule::Check {
            table,
            is,
            predicate,
        } => Some((table, is, predicate.as_ref())),
        _ => None,
    }
}

fn drift(subject: &Subject) -> Option<SqlText> {
    let (table, is, predicate) = parts(subject)?;
    Some(failing(subject, table, &authored(is), predicate))
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    if let Some((table, is, predicate)) = parts(subject) {
        keep(
            subject,
            derived,
            table,
            &authored(is),
            predicate,
            "check_violation",
        );
    }
}

fn cases(subject: &Subject) -> Vec<Case> {
    let Some((table, is, predicate)) = parts(subject) else {
        return Vec::new();
    };
    let Some(found) = subject.table(table) else {
        return Vec::new();
    };
    let text = predicate.map(Text::as_str);
    let (Some(scope), Some(good), Some(bad)) = (
        satisfying(found, text),
        satisfying(found, Some(is.as_str())),
        unsatisfying(found, Some(is.as_str())),
    ) else {
        return Vec::new();
    };
    let insert = |settings: Vec<_>| {
        let set = settings.into_iter().chain(scope.iter().cloned()).collect();
        vec![Write::Insert {
            row: 0,
            table: table.ident.clone(),
            set,
        }]
    };
    vec![Case {
        title: format!(
            "a row of {} that is not {}",
            table.as_str(),
            is.as_str().trim()
        ),
        before: Vec::new(),
        illegal: insert(bad),
        sqlstates: vec!["23514"],
        legal: insert(good),
    }]
}

/// Rows in scope for which the expression is false.
pub(super) fn failing(
    subject: &Subject,
    table: &Name,
    is: &SqlText,
    predicate: Option<&Text>,
) -> SqlText {
    fill(
        "SELECT *\nFROM {table}\nWHERE {predicate} AND NOT ({is})",
        &[
            ("table", &subject.sql(table)),
            ("predicate", &predicate_or_true(predicate)),
            ("is", is),
        ],
    )
}

/// CHECK, or the trigger that evaluates the same expression.
pub(super) fn keep(
    subject: &Subject,
    derived: &mut Derived,
    table: &Name,
    is: &SqlText,
    predicate: Option<&Text>,
    sqlstate: &'static str,
) {
    let on = subject.qualified(table);
    let expression = match predicate {
        Some(predicate) => fill(
            "NOT ({scope}) OR ({is})",
            &[("scope", &authored(predicate)), ("is", is)],
        ),
        None => is.clone(),
    };
    if subject.invariant.enforced != Enforcement::Trigger {
        let name = subject.object(Some(format!("{}_{}", table.as_str(), subject.slug())));
        if let Some(found) = derived.table(&on) {
            found.checks.insert(name.clone(), Check { expression });
            derived.credit(subject, vec![ObjectPath::Check(on, name)]);
        }
        return;
    }
    let name = subject.object(None);
    let broken = fill("NOT ({is})", &[("is", &expression)]);
    let body = fill(
        "BEGIN\n  IF EXISTS ({row}) THEN\n    {raise}\n  END IF;\n  RETURN NULL;\nEND",
        &[
            ("row", &over_row("NEW", table, &fixed("1"), &broken)),
            ("raise", &raise(subject, sqlstate)),
        ],
    );
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::AfterRow, &["INSERT", "UPDATE"]);
    if let Some(trigger) = derived.trigger(subject, &on, name, shape, &function) {
        derived.credit(subject, vec![trigger]);
    }
}
