//! `immutable`: columns never change, or not once a condition holds.

use crate::catalog::TriggerTiming;
use crate::design::{InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{over_row, raise};
use crate::invariant::predicate::{satisfying, unsatisfying};
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored};
use crate::source::Text;
use crate::sql::{Ident, SqlText, column_of, comparable, fill, fixed, is_unequal, join};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "immutable",
        title: "columns never change, or not once a condition holds",
        docs: "Without `columns`, no column changes. `once` is judged on the row as it was. Deleting is another matter: see `append_only`. \
               Enforced by a trigger.\n\n```yaml\nimmutable: {in: invoice, columns: [number, total], once: status = 'issued'}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Immutable,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a Name, &'a [Name], Option<&'a Text>)> {
    match &subject.invariant.rule {
        Rule::Immutable {
            table,
            columns,
            once,
        } => Some((table, columns, once.as_ref())),
        _ => None,
    }
}

/// Only history shows it.
fn drift(_: &Subject) -> Option<SqlText> {
    None
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some((table, columns, once)) = parts(subject) else {
        return;
    };
    let name = subject.object(None);
    let changed = if columns.is_empty() {
        let found = subject.table(table);
        let mut all = found.iter().flat_map(|found| &found.columns);
        match all.any(|column| is_unequal(column.data_type.as_str())) {
            true => fixed("NEW::text IS DISTINCT FROM OLD::text"),
            false => fixed("NEW IS DISTINCT FROM OLD"),
        }
    } else {
        let parts = columns.iter().map(|column| {
            let data_type = subject.column_type(table, &column.ident);
            let data_type = data_type.map_or_else(|| fixed(""), authored);
            let (new, old) = (
                comparable(&column_of("NEW", &column.ident), &data_type),
                comparable(&column_of("OLD", &column.ident), &data_type),
            );
            fill(
                "{new} IS DISTINCT FROM {old}",
                &[("new", &new), ("old", &old)],
            )
        });
        fill("({any})", &[("any", &join(parts, " OR "))])
    };
    let scope = match once {
        Some(once) => fill(
            " AND EXISTS ({row})",
            &[("row", &over_row("OLD", table, &fixed("1"), &authored(once)))],
        ),
        None => fixed(""),
    };
    let body = fill(
        "BEGIN\n  IF {changed}{scope} THEN\n    {raise}\n  END IF;\n  RETURN NEW;\nEND",
        &[
            ("changed", &changed),
            ("scope", &scope),
            ("raise", &raise(subject, "check_violation")),
        ],
    );
    let function = derived.function(subject, name.clone(), body);
    // Not `UPDATE OF`: another trigger may set a column that the statement does not name.
    let shape = TriggerShape::new(TriggerTiming::BeforeRow, &["UPDATE"]);
    if let Some(trigger) =
        derived.trigger(subject, &subject.qualified(table), name, shape, &function)
    {
        derived.credit(subject, vec![trigger]);
    }
}

fn cases(subject: &Subject) -> Vec<Case> {
    let Some((table, columns, once)) = parts(subject) else {
        return Vec::new();
    };
    let Some(found) = subject.table(table) else {
        return Vec::new();
    };
    let text = once.map(Text::as_str);
    let Some(scope) = satisfying(found, text) else {
        return Vec::new();
    };
    let tried: Vec<Ident> = if columns.is_empty() {
        let free = found.columns.iter().filter(|c| {
            !found.key.contains(&c.name) && c.generated.is_none() && c.identity.is_none()
        });
        let unscoped = free.filter(|c| !scope.iter().any(|(column, _)| *column == c.name.ident));
        unscoped
            .map(|column| column.name.ident.clone())
            .take(1)
            .collect()
    } else {
        columns.iter().map(|column| column.ident.clone()).collect()
    };
    let change = |column: &Ident| Write::Update {
        row: 0,
        set: vec![(column.clone(), Value::Different(0, column.clone()))],
    };
    let insert = |set| Write::Insert {
        row: 0,
        table: table.ident.clone(),
        set,
    };
    let untouched = found.columns.iter().find(|c| {
        !columns.is_empty()
            && !columns.contains(&c.name)
            && !found.key.contains(&c.name)
            && c.generated.is_none()
            && c.identity.is_none()
    });
    let case = |column: &Ident| {
        let keep = Write::Update {
            row: 0,
            set: vec![(column.clone(), Value::Same(0, column.clone()))],
        };
        Case {
            title: format!("{}.{} changed", table.as_str(), column.as_str()),
            before: vec![insert(
                scope
                    .clone()
                    .into_iter()
                    .chain(
                        scope
                            .iter()
                            .all(|(c, _)| c != column)
                            .then(|| (column.clone(), Value::Filled)),
                    )
                    .collect(),
            )],
            illegal: vec![change(column)],
            sqlstates: vec!["23514"],
            legal: if untouched.is_some() || columns.is_empty() {
                vec![keep]
            } else {
                Vec::new()
            },
        }
    };
    let mut cases: Vec<Case> = tried.iter().map(case).collect();
    if let (Some(before), Some(column)) = (unsatisfying(found, text), tried.first()) {
        // The nearest legal change is the same one on a row for which the condition does not hold yet.
        if let Some(first) = cases.first_mut() {
            first.legal = vec![
                Write::Insert {
                    row: 1,
                    table: table.ident.clone(),
                    set: before,
                },
                Write::Update {
                    row: 1,
                    set: vec![(column.clone(), Value::Different(1, column.clone()))],
                },
            ];
        }
    }
    cases
}
