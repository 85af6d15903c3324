//! `required`: a column, or a related row, exists.

use super::check;
use crate::catalog::{ObjectPath, TriggerTiming};
use crate::design::{Enforcement, InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{all_given, over_row, raise, touch};
use crate::invariant::predicate::{satisfying, unsatisfying};
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, equal, none_null, predicate_or_true, short};
use crate::source::Text;
use crate::sql::{Ident, QualifiedName, SqlText, column_of, fill, fixed, join, quote_qualified};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "required",
        title: "a column, or a related row, exists",
        docs: "Columns are enforced by NOT NULL, with `where` by a CHECK. A related row (`child`) is enforced at commit by deferred constraint \
               triggers on both tables and a guard row per parent.\n\n\
               ```yaml\nrequired: {in: invoice, columns: [due_on], where: status <> 'draft'}\nrequired: {in: invoice, child: invoice_line}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Required,
    drift,
    enforce,
    cases,
};

fn drift(subject: &Subject) -> Option<SqlText> {
    match &subject.invariant.rule {
        Rule::RequiredColumns {
            table,
            columns,
            predicate,
        } => Some(check::failing(
            subject,
            table,
            &none_null(columns),
            predicate.as_ref(),
        )),
        Rule::RequiredChild {
            table,
            child,
            predicate,
        } => {
            let pairs = child_pairs(subject, table, child);
            Some(fill(
                "SELECT parent.*\nFROM (SELECT * FROM {table} WHERE {predicate}) AS parent\nWHERE NOT EXISTS (SELECT FROM {child} AS child WHERE {match})",
                &[
                    ("table", &subject.sql(table)),
                    ("predicate", &predicate_or_true(predicate.as_ref())),
                    ("child", &subject.sql(child)),
                    ("match", &equal("child", "parent", &pairs)),
                ],
            ))
        }
        _ => None,
    }
}

/// (child column, parent column) of the child's reference to the parent.
fn child_pairs(subject: &Subject, table: &Name, child: &Name) -> Vec<(Ident, Ident)> {
    let references = subject
        .table(child)
        .into_iter()
        .flat_map(|found| &found.references);
    let Some(reference) = references
        .into_iter()
        .find(|reference| reference.to == *table)
    else {
        return Vec::new();
    };
    let columns = reference.columns.iter().map(|name| name.ident.clone());
    columns
        .zip(reference.key.iter().map(|name| name.ident.clone()))
        .collect()
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    match &subject.invariant.rule {
        Rule::RequiredColumns {
            table,
            columns,
            predicate,
        } => {
            if predicate.is_some() || subject.invariant.enforced == Enforcement::Trigger {
                check::keep(
                    subject,
                    derived,
                    table,
                    &none_null(columns),
                    predicate.as_ref(),
                    "not_null_violation",
                );
                return;
            }
            let on = subject.qualified(table);
            for column in columns {
                let Some(found) = derived.table(&on) else {
                    return;
                };
                if let Some(found) = found
                    .columns
                    .iter_mut()
                    .find(|found| found.name == column.ident)
                {
                    found.nullable = false;
                    derived.credit(
                        subject,
                        vec![ObjectPath::NotNull(on.clone(), column.ident.clone())],
                    );
                }
            }
        }
        Rule::RequiredChild {
            table,
            child,
            predicate,
        } => related(subject, derived, table, child, predicate.as_ref()),
        _ => {}
    }
}

fn related(
    subject: &Subject,
    derived: &mut Derived,
    table: &Name,
    child: &Name,
    predicate: Option<&Text>,
) {
    let pairs = child_pairs(subject, table, child);
    if pairs.is_empty() {
        return;
    }
    let keys: Vec<Ident> = pairs.iter().map(|(child, _)| child.clone()).collect();
    let (parent, on) = (subject.qualified(table), subject.qualified(child));
    let name = subject.object(None);
    let guard = derived.guard_table(
        subject,
        &on,
        short(&format!("{}_guard", name.as_str())),
        &keys,
        &["writes"],
    );
    let touched = touch(&guard, &keys, &of("OLD", &keys));
    let orphaned = fill(
        "EXISTS (\n  SELECT FROM {parent} AS parent\n  WHERE {match} AND EXISTS ({scope})\n    AND NOT EXISTS (SELECT FROM {child} AS child WHERE {sibling})\n)",
        &[
            ("parent", &quote_qualified(&parent)),
            ("match", &equal("OLD", "parent", &pairs)),
            (
                "scope",
                &over_row("parent", table, &fixed("1"), &predicate_or_true(predicate)),
            ),
            ("child", &quote_qualified(&on)),
            (
                "sibling",
                &equal(
                    "child",
                    "OLD",
                    &pairs
                        .iter()
                        .map(|(c, _)| (c.clone(), c.clone()))
                        .collect::<Vec<_>>(),
                ),
            ),
        ],
    );
    let looked = fill(
        "IF {orphaned} THEN\n  {raise}\nEND IF;",
        &[
            ("orphaned", &orphaned),
            ("raise", &raise(subject, "check_violation")),
        ],
    );
    let looked = derived.as_tenant(subject, (child, "OLD"), &[table, child], looked);
    let body = fill(
        "BEGIN\n  IF {grouped} THEN\n    {touch}\n    {looked}\n  END IF;\n  RETURN NULL;\nEND",
        &[
            ("grouped", &all_given("OLD", &keys)),
            ("touch", &touched),
            ("looked", &looked),
        ],
    );
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::Deferred, &["UPDATE", "DELETE"]);
    if let Some(trigger) = derived.trigger(subject, &on, name.clone(), shape, &function) {
        derived.credit(subject, vec![trigger]);
    }
    parent_side(subject, derived, (table, child), &pairs, &guard, predicate);
}

fn parent_side(
    subject: &Subject,
    derived: &mut Derived,
    (table, child): (&Name, &Name),
    pairs: &[(Ident, Ident)],
    guard: &QualifiedName,
    predicate: Option<&Text>,
) {
    let name = short(&format!("{}_parent", subject.object(None).as_str()));
    let keys: Vec<Ident> = pairs.iter().map(|(child, _)| child.clone()).collect();
    let own: Vec<Ident> = pairs.iter().map(|(_, parent)| parent.clone()).collect();
    // The row as it is at commit: it may have been changed again, or deleted, since the trigger was queued.
    let parent_key: Vec<(Ident, Ident)> = pairs
        .iter()
        .map(|(_, parent)| (parent.clone(), parent.clone()))
        .collect();
    let looked = fill(
        "IF EXISTS (\n  SELECT FROM {parent} AS parent\n  WHERE {same} AND EXISTS ({scope})\n    AND NOT EXISTS (SELECT FROM {child} AS child WHERE {match})\n) THEN\n  {raise}\nEND IF;",
        &[
            ("parent", &subject.sql(table)),
            ("same", &equal("parent", "NEW", &parent_key)),
            (
                "scope",
                &over_row("parent", table, &fixed("1"), &predicate_or_true(predicate)),
            ),
            ("child", &subject.sql(child)),
            ("match", &equal("child", "parent", pairs)),
            ("raise", &raise(subject, "check_violation")),
        ],
    );
    let looked = derived.as_tenant(subject, (table, "NEW"), &[table, child], looked);
    let body = fill(
        "BEGIN\n  {touch}\n  {looked}\n  RETURN NULL;\nEND",
        &[
            ("touch", &touch(guard, &keys, &of("NEW", &own))),
            ("looked", &looked),
        ],
    );
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::Deferred, &["INSERT", "UPDATE"]);
    if let Some(trigger) =
        derived.trigger(subject, &subject.qualified(table), name, shape, &function)
    {
        derived.credit(subject, vec![trigger]);
    }
}

fn of(row: &'static str, columns: &[Ident]) -> SqlText {
    join(columns.iter().map(|column| column_of(row, column)), ", ")
}

fn cases(subject: &Subject) -> Vec<Case> {
    match &subject.invariant.rule {
        Rule::RequiredColumns {
            table,
            columns,
            predicate,
        } => columns_cases(subject, table, columns, predicate.as_ref()),
        Rule::RequiredChild {
            table,
            child,
            predicate,
        } => {
            let Some(found) = subject.table(table) else {
                return Vec::new();
            };
            let Some(scope) = satisfying(found, predicate.as_ref().map(Text::as_str)) else {
                return Vec::new();
            };
            let pairs = child_pairs(subject, table, child);
            let parent = Write::Insert {
                row: 0,
                table: table.ident.clone(),
                set: scope,
            };
            let set = pairs
                .iter()
                .map(|(child, parent)| (child.clone(), Value::Same(0, parent.clone())))
                .collect();
            let row = Write::Insert {
                row: 1,
                table: child.ident.clone(),
                set,
            };
            vec![Case {
                title: format!("a row of {} without {}", table.as_str(), child.as_str()),
                before: Vec::new(),
                illegal: vec![parent.clone()],
                sqlstates: vec!["23514"],
                legal: vec![parent, row],
            }]
            .into_iter()
            .chain(child_goes(subject, table, child, predicate.as_ref()))
            .collect()
        }
        _ => Vec::new(),
    }
}

/// The only child of a row that needs one is deleted. Where only some rows need one, the row becomes such a row first.
fn child_goes(
    subject: &Subject,
    table: &Name,
    child: &Name,
    predicate: Option<&Text>,
) -> Option<Case> {
    let insert = |row, table: &Name, set| Write::Insert {
        row,
        table: table.ident.clone(),
        set,
    };
    let (before, gone) = match predicate {
        None => (vec![insert(0, child, Vec::new())], 0),
        Some(predicate) => {
            let found = subject.table(table)?;
            let inside = satisfying(found, Some(predicate.as_str()))?;
            let outside = unsatisfying(found, Some(predicate.as_str()))?;
            let pairs = child_pairs(subject, table, child);
            let same = pairs
                .iter()
                .map(|(child, parent)| (child.clone(), Value::Same(0, parent.clone())));
            let before = vec![
                insert(0, table, outside),
                insert(1, child, same.collect()),
                Write::Update {
                    row: 0,
                    set: inside,
                },
            ];
            (before, 1)
        }
    };
    Some(Case {
        title: format!(
            "the only {} of a row of {} deleted",
            child.as_str(),
            table.as_str()
        ),
        before,
        illegal: vec![Write::Delete { row: gone }],
        sqlstates: vec!["23514"],
        legal: Vec::new(),
    })
}

fn columns_cases(
    subject: &Subject,
    table: &Name,
    columns: &[Name],
    predicate: Option<&Text>,
) -> Vec<Case> {
    let Some(found) = subject.table(table) else {
        return Vec::new();
    };
    let text = predicate.map(Text::as_str);
    let Some(scope) = satisfying(found, text) else {
        return Vec::new();
    };
    let by_check = predicate.is_some() && subject.invariant.enforced != Enforcement::Trigger;
    let insert = |set: Vec<(Ident, Value)>| {
        vec![Write::Insert {
            row: 0,
            table: table.ident.clone(),
            set,
        }]
    };
    let filled = |besides: &Name| {
        let others = columns.iter().filter(|other| *other != besides);
        others
            .map(|name| (name.ident.clone(), Value::Filled))
            .collect::<Vec<_>>()
    };
    let case = |column: &Name| {
        let null = [(column.ident.clone(), Value::Null)];
        let illegal = scope
            .iter()
            .cloned()
            .chain(filled(column))
            .chain(null.clone())
            .collect();
        let legal = match unsatisfying(found, text) {
            Some(outside) => outside.into_iter().chain(null).collect(),
            None => scope
                .iter()
                .cloned()
                .chain(filled(column))
                .chain([(column.ident.clone(), Value::Filled)])
                .collect(),
        };
        Case {
            title: format!("{}.{} is null", table.as_str(), column.as_str()),
            before: Vec::new(),
            illegal: insert(illegal),
            sqlstates: vec![if by_check { "23514" } else { "23502" }],
            legal: insert(legal),
        }
    };
    columns.iter().map(case).collect()
}
