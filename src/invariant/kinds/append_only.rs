//! `append_only`: rows are never updated or deleted.

use crate::catalog::{ObjectPath, Privilege, TriggerTiming};
use crate::design::{InvariantKind, Name, Rule};
use crate::finding::{About, Finding};
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{over_row, raise};
use crate::invariant::predicate::{satisfying, unsatisfying};
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored, short};
use crate::source::Text;
use crate::sql::{SqlText, fill, fixed};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "append_only",
        title: "rows are never updated or deleted",
        docs: "Enforced by a trigger that refuses UPDATE and DELETE, one that refuses TRUNCATE, and grants that do not give these rights. \
               Dropping a partition stays possible: that is how an append-only table ages.\n\n```yaml\nappend_only: {in: audit_event}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::AppendOnly,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a Name, Option<&'a Text>)> {
    match &subject.invariant.rule {
        Rule::AppendOnly { table, predicate } => Some((table, predicate.as_ref())),
        _ => None,
    }
}

/// Only history shows it.
fn drift(_: &Subject) -> Option<SqlText> {
    None
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some((table, predicate)) = parts(subject) else {
        return;
    };
    let on = subject.qualified(table);
    let name = subject.object(None);
    let refuse = raise(subject, "check_violation");
    let body = match predicate {
        Some(predicate) => fill(
            "BEGIN\n  IF EXISTS ({row}) THEN\n    {raise}\n  END IF;\n  IF TG_OP = 'DELETE' THEN\n    RETURN OLD;\n  END IF;\n  RETURN NEW;\nEND",
            &[
                (
                    "row",
                    &over_row("OLD", table, &fixed("1"), &authored(predicate)),
                ),
                ("raise", &refuse),
            ],
        ),
        None => fill("BEGIN\n  {raise}\nEND", &[("raise", &refuse)]),
    };
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::BeforeRow, &["UPDATE", "DELETE"]);
    if let Some(trigger) = derived.trigger(subject, &on, name.clone(), shape, &function) {
        derived.credit(subject, vec![trigger]);
    }
    let truncate = short(&format!("{}_truncate", name.as_str()));
    let whole = match predicate {
        None => function,
        Some(_) => {
            let body = fill("BEGIN\n  {raise}\nEND", &[("raise", &refuse)]);
            derived.function(subject, truncate.clone(), body)
        }
    };
    let shape = TriggerShape::new(TriggerTiming::BeforeStatement, &["TRUNCATE"]);
    if let Some(trigger) = derived.trigger(subject, &on, truncate, shape, &whole) {
        derived.credit(subject, vec![trigger]);
    }
    if predicate.is_none() {
        granted_rights(subject, derived, table);
    }
}

/// A grant that the trigger would make useless says that somebody means to use it.
fn granted_rights(subject: &Subject, derived: &mut Derived, table: &Name) {
    let on = subject.qualified(table);
    let Some(found) = derived.catalog.tables.get(&on) else {
        return;
    };
    let mut findings = Vec::new();
    for (role, privileges) in &found.grants {
        let forbidden = [Privilege::Update, Privilege::Delete, Privilege::Truncate];
        let given: Vec<&str> = forbidden
            .iter()
            .filter(|p| privileges.contains(p))
            .map(|p| p.sql())
            .collect();
        if given.is_empty() {
            continue;
        }
        let message = format!(
            "role `{}` may {} on `{}`, which is append-only",
            role.as_str(),
            given.join(", "),
            table.as_str()
        );
        let at = derived
            .provenance
            .get(&ObjectPath::Grants(on.clone(), role.clone()))
            .copied()
            .unwrap_or(table.at);
        findings.push(
            Finding::error(
                "append-only-granted",
                format!("invariant {}", subject.invariant.name.as_str()),
                message,
                at,
            )
            .label(subject.invariant.name.at, "said here")
            .help(format!(
                "take {} out of the grants",
                given.join(", ").to_lowercase()
            )),
        );
    }
    derived.findings.extend(findings);
}

fn cases(subject: &Subject) -> Vec<Case> {
    let Some((table, predicate)) = parts(subject) else {
        return Vec::new();
    };
    let Some(found) = subject.table(table) else {
        return Vec::new();
    };
    let text = predicate.map(Text::as_str);
    let Some(scope) = satisfying(found, text) else {
        return Vec::new();
    };
    let insert = |row, set| Write::Insert {
        row,
        table: table.ident.clone(),
        set,
    };
    let Some(column) = found
        .columns
        .iter()
        .find(|c| !found.key.contains(&c.name) && c.generated.is_none() && c.identity.is_none())
    else {
        return Vec::new();
    };
    let change = |row| Write::Update {
        row,
        set: vec![(
            column.name.ident.clone(),
            Value::Same(row, column.name.ident.clone()),
        )],
    };
    let outside = unsatisfying(found, text);
    let nearest = |write: Write| match &outside {
        Some(set) => vec![insert(1, set.clone()), write],
        None => vec![insert(1, scope.clone())],
    };
    let case = |title: &str, illegal: Write, legal: Write| Case {
        title: format!("a row of {} {title}", table.as_str()),
        before: vec![insert(0, scope.clone())],
        illegal: vec![illegal],
        sqlstates: vec!["23514"],
        legal: nearest(legal),
    };
    vec![
        case("updated", change(0), change(1)),
        case(
            "deleted",
            Write::Delete { row: 0 },
            Write::Delete { row: 1 },
        ),
        Case {
            title: format!("{} truncated", table.as_str()),
            before: vec![insert(0, scope.clone())],
            illegal: vec![Write::Truncate {
                table: table.ident.clone(),
            }],
            sqlstates: vec!["23514"],
            legal: Vec::new(),
        },
    ]
}
