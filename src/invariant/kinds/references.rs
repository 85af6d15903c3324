//! `references`: a row's parent exists, tenant included.

use crate::catalog::{ForeignKey, ObjectPath, OnDelete, TriggerTiming};
use crate::design::{Enforcement, InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{self, all_given, in_a_group, over_row, raise};
use crate::invariant::predicate::{satisfying, unsatisfying};
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, equal, list, none_null, predicate_or_true, short};
use crate::source::Text;
use crate::sql::{Ident, SqlText, column_of, fill, fixed, join, quote_qualified};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "references",
        title: "a row's parent exists, tenant included",
        docs: "Enforced by a (composite) foreign key; one that the design declares anyway is credited. Rows with a null in the columns have no \
               parent to miss, as for PostgreSQL's foreign keys.\n\n\
               ```yaml\nreferences: {in: case_assignment, columns: [tenant_id, case_id], to: regulatory_case, key: [tenant_id, case_id]}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::References,
    drift,
    enforce,
    cases,
};

struct Parts<'a> {
    table: &'a Name,
    columns: &'a [Name],
    to: &'a Name,
    key: &'a [Name],
    predicate: Option<&'a Text>,
}

fn parts<'a>(subject: &Subject<'a>) -> Option<Parts<'a>> {
    match &subject.invariant.rule {
        Rule::References {
            table,
            columns,
            to,
            key,
            predicate,
        } => Some(Parts {
            table,
            columns,
            to,
            key,
            predicate: predicate.as_ref(),
        }),
        _ => None,
    }
}

fn pairs(parts: &Parts) -> Vec<(Ident, Ident)> {
    let columns = parts.columns.iter().map(|name| name.ident.clone());
    columns
        .zip(parts.key.iter().map(|name| name.ident.clone()))
        .collect()
}

fn drift(subject: &Subject) -> Option<SqlText> {
    let parts = parts(subject)?;
    Some(fill(
        "SELECT child.*\nFROM (SELECT * FROM {table} WHERE {predicate} AND {filled}) AS child\nWHERE NOT EXISTS (SELECT FROM {to} AS parent WHERE {match})",
        &[
            ("table", &subject.sql(parts.table)),
            ("predicate", &predicate_or_true(parts.predicate)),
            ("filled", &none_null(parts.columns)),
            ("to", &subject.sql(parts.to)),
            ("match", &equal("child", "parent", &pairs(&parts))),
        ],
    ))
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some(parts) = parts(subject) else { return };
    if parts.predicate.is_some() || subject.invariant.enforced == Enforcement::Trigger {
        by_triggers(subject, derived, &parts);
        return;
    }
    let on = subject.qualified(parts.table);
    let to = subject.qualified(parts.to);
    let pairs = pairs(&parts);
    let Some(table) = derived.table(&on) else {
        return;
    };
    let same = |key: &ForeignKey| {
        key.table == to
            && key.columns.len() == pairs.len()
            && key
                .columns
                .iter()
                .zip(&key.key)
                .all(|(c, k)| pairs.iter().any(|(a, b)| a == c && b == k))
    };
    let existing = table
        .foreign_keys
        .iter()
        .find(|(_, key)| same(key))
        .map(|(name, _)| name.clone());
    let name = existing.unwrap_or_else(|| {
        let name = subject.object(Some(format!(
            "{}_{}_fkey",
            parts.table.as_str(),
            subject.slug()
        )));
        let (columns, key) = pairs.iter().cloned().unzip();
        let made = ForeignKey {
            columns,
            table: to,
            key,
            on_delete: OnDelete::Restrict,
            on_update: OnDelete::NoAction,
            deferred: false,
        };
        table.foreign_keys.insert(name.clone(), made);
        name
    });
    derived.credit(subject, vec![ObjectPath::ForeignKey(on, name)]);
}

/// Two triggers and a guard row per parent key: the child's writer and the parent's remover queue there.
fn by_triggers(subject: &Subject, derived: &mut Derived, parts: &Parts) {
    let pairs = pairs(parts);
    let columns: Vec<Ident> = pairs.iter().map(|(column, _)| column.clone()).collect();
    let on = subject.qualified(parts.table);
    let to = subject.qualified(parts.to);
    let name = subject.object(None);
    let guard = derived.guard_table(
        subject,
        &on,
        short(&format!("{}_guard", name.as_str())),
        &columns,
        &["writes"],
    );
    let touch = |row: &'static str, from: &[Ident]| {
        let group = join(from.iter().map(|column| column_of(row, column)), ", ");
        guard::touch(&guard, &columns, &group)
    };
    let looked = fill(
        "IF NOT EXISTS (SELECT FROM {to} AS parent WHERE {match}) THEN\n  {raise}\nEND IF;",
        &[
            ("to", &quote_qualified(&to)),
            ("match", &equal("NEW", "parent", &pairs)),
            ("raise", &raise(subject, "foreign_key_violation")),
        ],
    );
    let child = fill(
        "BEGIN\n  IF {filled} AND EXISTS ({scope}) THEN\n    {touch}\n    {looked}\n  END IF;\n  RETURN NULL;\nEND",
        &[
            ("filled", &in_a_group("NEW", parts.columns)),
            (
                "scope",
                &over_row(
                    "NEW",
                    parts.table,
                    &fixed("1"),
                    &predicate_or_true(parts.predicate),
                ),
            ),
            ("touch", &touch("NEW", &columns)),
            (
                "looked",
                &derived.as_tenant(subject, (parts.table, "NEW"), &[parts.to], looked),
            ),
        ],
    );
    let keys: Vec<Ident> = pairs.iter().map(|(_, key)| key.clone()).collect();
    let swapped: Vec<(Ident, Ident)> = pairs
        .iter()
        .map(|(column, key)| (key.clone(), column.clone()))
        .collect();
    let own: Vec<(Ident, Ident)> = keys.iter().map(|key| (key.clone(), key.clone())).collect();
    let looked = fill(
        "IF NOT EXISTS (SELECT FROM {to} AS parent WHERE {still})\n  AND EXISTS (\n    SELECT FROM (SELECT * FROM {table} WHERE {predicate}) AS child WHERE {match}\n  ) THEN\n  {raise}\nEND IF;",
        &[
            ("to", &quote_qualified(&to)),
            ("still", &equal("OLD", "parent", &own)),
            ("table", &quote_qualified(&on)),
            ("predicate", &predicate_or_true(parts.predicate)),
            ("match", &equal("OLD", "child", &swapped)),
            ("raise", &raise(subject, "foreign_key_violation")),
        ],
    );
    let parent = fill(
        "BEGIN\n  IF {filled} THEN\n    {touch}\n    {looked}\n  END IF;\n  RETURN NULL;\nEND",
        &[
            ("filled", &all_given("OLD", &keys)),
            ("touch", &touch("OLD", &keys)),
            (
                "looked",
                &derived.as_tenant(subject, (parts.to, "OLD"), &[parts.to, parts.table], looked),
            ),
        ],
    );
    let parent_name = short(&format!("{}_parent", name.as_str()));
    let sides = [
        (name, on, child, &["INSERT", "UPDATE"]),
        (parent_name, to, parent, &["UPDATE", "DELETE"]),
    ];
    for (name, table, body, events) in sides {
        let function = derived.function(subject, name.clone(), body);
        let shape = TriggerShape::new(TriggerTiming::AfterRow, events);
        if let Some(trigger) = derived.trigger(subject, &table, name, shape, &function) {
            derived.credit(subject, vec![trigger]);
        }
    }
}

fn cases(subject: &Subject) -> Vec<Case> {
    let Some(parts) = parts(subject) else {
        return Vec::new();
    };
    let Some(found) = subject.table(parts.table) else {
        return Vec::new();
    };
    let text = parts.predicate.map(Text::as_str);
    let Some(scope) = satisfying(found, text) else {
        return Vec::new();
    };
    let insert = |row, set: Vec<(Ident, Value)>| Write::Insert {
        row,
        table: parts.table.ident.clone(),
        set,
    };
    let dangling = parts
        .columns
        .iter()
        .map(|name| (name.ident.clone(), Value::Dangling));
    let pairs = pairs(&parts);
    let linked = pairs
        .iter()
        .map(|(column, key)| (column.clone(), Value::Same(0, key.clone())));
    let parent = Write::Insert {
        row: 0,
        table: parts.to.ident.clone(),
        set: Vec::new(),
    };
    let child = insert(1, linked.chain(scope.iter().cloned()).collect());
    let outside =
        unsatisfying(found, text).map(|set| insert(1, dangling.clone().chain(set).collect()));
    let mut cases = vec![Case {
        title: format!(
            "a row of {} whose ({}) no row of {} has",
            parts.table.as_str(),
            list(parts.columns).as_str(),
            parts.to.as_str()
        ),
        before: vec![parent.clone()],
        illegal: vec![insert(1, dangling.chain(scope.iter().cloned()).collect())],
        sqlstates: vec!["23503"],
        legal: vec![outside.unwrap_or_else(|| child.clone())],
    }];
    cases.push(Case {
        title: format!(
            "a row of {} deleted that {} refers to",
            parts.to.as_str(),
            parts.table.as_str()
        ),
        before: vec![parent.clone(), child],
        illegal: vec![Write::Delete { row: 0 }],
        sqlstates: vec!["23503", "23001"],
        legal: vec![Write::Delete { row: 1 }],
    });
    if deletes_children(subject, &parts, &pairs) {
        cases.pop();
    }
    cases
}

/// Whether a declared foreign key answers a delete otherwise than by refusing.
fn deletes_children(subject: &Subject, parts: &Parts, pairs: &[(Ident, Ident)]) -> bool {
    let references = subject
        .table(parts.table)
        .into_iter()
        .flat_map(|table| &table.references);
    references
        .filter(|reference| reference.to == *parts.to && reference.columns.len() == pairs.len())
        .any(|reference| {
            matches!(
                reference.on_delete,
                Some(OnDelete::Cascade | OnDelete::SetNull | OnDelete::SetDefault)
            )
        })
}
