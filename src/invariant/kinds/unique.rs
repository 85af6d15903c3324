//! `unique`: no two rows share these columns. Also what `at_most_one` and `exactly_one` have in common with it.

use crate::catalog::{ObjectPath, Unique};
use crate::design::{Enforcement, InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, unique_index};
use crate::invariant::guard::{self, Count};
use crate::invariant::predicate::{satisfying, unsatisfying};
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored, list, none_null, predicate_or_true};
use crate::source::Text;
use crate::sql::{Ident, SqlText, fill, fixed};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "unique",
        title: "no two rows share these columns",
        docs: "Enforced by a unique constraint, or with `where` by a partial unique index. Rows with a null in the columns do not count, \
               as for PostgreSQL's own unique keys.\n\n```yaml\nunique: {in: app_user, columns: [tenant_id, email], where: deleted_at is null}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Unique,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a Name, &'a [Name], Option<&'a Text>)> {
    match &subject.invariant.rule {
        Rule::Unique {
            table,
            columns,
            predicate,
        } => Some((table, columns, predicate.as_ref())),
        _ => None,
    }
}

fn drift(subject: &Subject) -> Option<SqlText> {
    let (table, columns, predicate) = parts(subject)?;
    Some(duplicates(subject, table, columns, predicate))
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    if let Some((table, columns, predicate)) = parts(subject) {
        keep(subject, derived, table, columns, predicate, "key");
    }
}

fn cases(subject: &Subject) -> Vec<Case> {
    parts(subject)
        .map(|(table, columns, predicate)| twice(subject, table, columns, predicate))
        .unwrap_or_default()
}

/// All rows of groups that have more than one.
pub(super) fn duplicates(
    subject: &Subject,
    table: &Name,
    per: &[Name],
    predicate: Option<&Text>,
) -> SqlText {
    let group = if per.is_empty() {
        fixed("")
    } else {
        fill("PARTITION BY {per}", &[("per", &list(per))])
    };
    fill(
        "SELECT *\nFROM (\n  SELECT *, count(*) OVER ({group}) AS rows_in_group\n  FROM {table}\n  WHERE {predicate} AND {filled}\n) AS counted\nWHERE rows_in_group > 1",
        &[
            ("group", &group),
            ("table", &subject.sql(table)),
            ("predicate", &predicate_or_true(predicate)),
            ("filled", &none_null(per)),
        ],
    )
}

/// Derives the unique constraint or index, or the trigger that counts.
pub(super) fn keep(
    subject: &Subject,
    derived: &mut Derived,
    table: &Name,
    per: &[Name],
    predicate: Option<&Text>,
    suffix: &str,
) {
    let on = subject.qualified(table);
    if subject.invariant.enforced == Enforcement::Trigger {
        guard::keep_within(
            subject,
            derived,
            &Count {
                table,
                per,
                sum: None,
                predicate,
                limit: fixed("1"),
                parent: None,
                sqlstate: "unique_violation",
            },
        );
        return;
    }
    let columns: Vec<Ident> = per.iter().map(|name| name.ident.clone()).collect();
    if predicate.is_none() && !columns.is_empty() {
        if let Some(existing) = existing_key(derived, &on, &columns) {
            derived.credit(subject, vec![existing]);
            return;
        }
        let name = subject.object(Some(format!(
            "{}_{}_{suffix}",
            table.as_str(),
            subject.slug()
        )));
        if let Some(found) = derived.table(&on) {
            found.uniques.insert(
                name.clone(),
                Unique {
                    columns,
                    deferred: false,
                },
            );
            derived.credit(subject, vec![ObjectPath::Unique(on, name)]);
        }
        return;
    }
    let name = subject.object(Some(format!(
        "{}_{}_{suffix}",
        table.as_str(),
        subject.slug()
    )));
    if let Some(found) = derived.table(&on) {
        found.indexes.insert(
            name.clone(),
            unique_index(&columns, predicate.map(authored)),
        );
        derived.credit(subject, vec![ObjectPath::Index(on, name)]);
    }
}

/// A declared key over just these columns already says it.
fn existing_key(
    derived: &mut Derived,
    on: &crate::sql::QualifiedName,
    columns: &[Ident],
) -> Option<ObjectPath> {
    let table = derived.table(on)?;
    let same = |key: &[Ident]| {
        key.len() == columns.len() && key.iter().all(|column| columns.contains(column))
    };
    if table
        .primary_key
        .as_ref()
        .is_some_and(|(_, key)| same(&key.columns))
    {
        return Some(ObjectPath::PrimaryKey(on.clone()));
    }
    let name = table
        .uniques
        .iter()
        .find(|(_, key)| same(&key.columns))
        .map(|(name, _)| name.clone())?;
    Some(ObjectPath::Unique(on.clone(), name))
}

/// Two rows of one group; legal are two rows of which one is not counted, else of two groups.
pub(super) fn twice(
    subject: &Subject,
    table: &Name,
    per: &[Name],
    predicate: Option<&Text>,
) -> Vec<Case> {
    let Some(found) = subject.table(table) else {
        return Vec::new();
    };
    let text = predicate.map(Text::as_str);
    let Some(counted) = satisfying(found, text) else {
        return Vec::new();
    };
    let same = per
        .iter()
        .map(|name| (name.ident.clone(), Value::Same(0, name.ident.clone())));
    let insert = |row, set: Vec<(Ident, Value)>| Write::Insert {
        row,
        table: table.ident.clone(),
        set,
    };
    let first: Vec<_> = counted
        .iter()
        .cloned()
        .chain(
            per.iter()
                .filter(|name| !counted.iter().any(|(c, _)| *c == name.ident))
                .map(|n| (n.ident.clone(), Value::Filled)),
        )
        .collect();
    let second: Vec<_> = same
        .clone()
        .chain(
            counted
                .iter()
                .filter(|(c, _)| !per.iter().any(|n| n.ident == *c))
                .cloned(),
        )
        .collect();
    // A row that may not start uncounted would be counted on its way there.
    let uncounted = unsatisfying(found, text).filter(|set| subject.may_start(table, set));
    let legal = match uncounted {
        Some(uncounted) => same
            .chain(
                uncounted
                    .into_iter()
                    .filter(|(c, _)| !per.iter().any(|n| n.ident == *c)),
            )
            .collect(),
        None => match per.split_last() {
            // The last column sets the second row apart; the others stay the same, which shows that all are needed.
            Some((last, others)) => others
                .iter()
                .map(|name| (name.ident.clone(), Value::Same(0, name.ident.clone())))
                .chain([(last.ident.clone(), Value::Different(0, last.ident.clone()))])
                .chain(
                    counted
                        .iter()
                        .filter(|(c, _)| !per.iter().any(|n| n.ident == *c))
                        .cloned(),
                )
                .collect(),
            None => Vec::new(),
        },
    };
    vec![Case {
        title: format!("a second row of one group in {}", table.as_str()),
        before: vec![insert(0, first)],
        illegal: vec![insert(1, second)],
        sqlstates: vec!["23505"],
        legal: if legal.is_empty() {
            Vec::new()
        } else {
            vec![insert(1, legal)]
        },
    }]
}
