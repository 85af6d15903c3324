//! `idempotent`: one key, one effect.

use crate::catalog::{ObjectPath, Table};
use crate::design::{InvariantKind, Name, Rule, StepKind};
use crate::finding::{About, Finding};
use crate::invariant::case::Case;
use crate::invariant::derived::Derived;
use crate::invariant::registry::Kind;
use crate::invariant::subject::Subject;
use crate::sql::{Ident, QualifiedName, SqlText};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "idempotent",
        title: "one key, one effect",
        docs: "The same key and request return the first effect; another request with the key is refused. Enforced by a unique key over the column \
               that the command writes the key into, beside a fingerprint of the request which the command compares.\n\n\
               ```yaml\nidempotent: {command: post-transfer, key: idempotency_key, request: [from_account, to_account, amount]}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Idempotent,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a Name, &'a Name)> {
    match &subject.invariant.rule {
        Rule::Idempotent { command, key, .. } => Some((command, key)),
        _ => None,
    }
}

/// Effects are counted by whoever runs the command.
fn drift(_: &Subject) -> Option<SqlText> {
    None
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some((command, key)) = parts(subject) else {
        return;
    };
    match unique_key(subject, derived, command, key) {
        Some(path) => derived.credit(subject, vec![path]),
        None => {
            let message = format!(
                "no unique key holds what `{}` writes for `:{}`",
                command.as_str(),
                key.as_str()
            );
            let name = format!("invariant {}", subject.invariant.name.as_str());
            derived.findings.push(
                Finding::error("idempotency-without-key", name, message, key.at)
                    .help("give the table that records the request a `unique:` over its key column (with the tenant, if there is one), and INSERT the key first"),
            );
        }
    }
}

/// The unique key over a column into which the command inserts the key parameter.
fn unique_key(
    subject: &Subject,
    derived: &Derived,
    command: &Name,
    key: &Name,
) -> Option<ObjectPath> {
    let command = subject.model.command(command.as_str())?;
    for step in &command.steps {
        let StepKind::Sql { sql, .. } = &step.kind else {
            continue;
        };
        for (table, column) in crate::sql::inserted_params(sql.as_str(), key.as_str()) {
            let on = subject.model.qualified(&Ident::new(table));
            let Some(found) = derived.catalog.tables.get(&on) else {
                continue;
            };
            if let Some(path) = key_over(&on, found, &Ident::new(column)) {
                return Some(path);
            }
        }
    }
    None
}

fn key_over(on: &QualifiedName, table: &Table, column: &Ident) -> Option<ObjectPath> {
    if table
        .primary_key
        .as_ref()
        .is_some_and(|(_, key)| key.columns.contains(column))
    {
        return Some(ObjectPath::PrimaryKey(on.clone()));
    }
    if let Some((name, _)) = table
        .uniques
        .iter()
        .find(|(_, key)| key.columns.contains(column))
    {
        return Some(ObjectPath::Unique(on.clone(), name.clone()));
    }
    let holds = |index: &crate::catalog::Index| {
        index.unique
            && index
                .keys
                .iter()
                .any(|key| key.column.as_ref() == Some(column))
    };
    let (name, _) = table.indexes.iter().find(|(_, index)| holds(index))?;
    Some(ObjectPath::Index(on.clone(), name.clone()))
}

/// Two runs of a command are no single write; the race plays them.
fn cases(_: &Subject) -> Vec<Case> {
    Vec::new()
}
