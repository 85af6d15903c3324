//! `exactly_one`: per group, exactly one row.

use super::unique;
use crate::catalog::TriggerTiming;
use crate::design::{InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{counter, group_of, guard_key, in_a_group, over_row, raise};
use crate::invariant::predicate::{satisfying, unsatisfying};
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored, equal, list, none_null, short};
use crate::source::Text;
use crate::sql::{Ident, SqlText, fill, fixed, quote_ident, quote_qualified};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "exactly_one",
        title: "per group, exactly one row",
        docs: "With `where`, the groups are those that have any row at all: of a customer's addresses exactly one is the primary one. Without, they \
               are the rows of the table that `per` refers to. At most one is kept by a unique index, at least one by a deferred constraint trigger, \
               which looks at commit; with `where` a guard row per group makes its writers queue.\n\n\
               ```yaml\nexactly_one: {in: address, per: [customer_id], where: is_primary}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::ExactlyOne,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a Name, &'a [Name], Option<&'a Text>)> {
    match &subject.invariant.rule {
        Rule::ExactlyOne {
            table,
            per,
            predicate,
        } => Some((table, per, predicate.as_ref())),
        _ => None,
    }
}

/// The table that lists the groups, with (group column, its column).
fn parent(subject: &Subject, table: &Name, per: &[Name]) -> Option<(Name, Vec<(Ident, Ident)>)> {
    let found = subject.table(table)?;
    let reference = found.references.iter().find(|r| {
        r.columns.len() == per.len() && r.columns.iter().all(|column| per.contains(column))
    })?;
    let columns = reference.columns.iter().map(|name| name.ident.clone());
    Some((
        reference.to.clone(),
        columns
            .zip(reference.key.iter().map(|name| name.ident.clone()))
            .collect(),
    ))
}

fn drift(subject: &Subject) -> Option<SqlText> {
    let (table, per, predicate) = parts(subject)?;
    if let Some(predicate) = predicate {
        let group = if per.is_empty() {
            fixed("")
        } else {
            fill("GROUP BY {per}", &[("per", &list(per))])
        };
        let columns = if per.is_empty() {
            fixed("")
        } else {
            fill("{per}, ", &[("per", &list(per))])
        };
        return Some(fill(
            "SELECT {columns}count(*) AS rows_in_group, count(*) FILTER (WHERE {predicate}) AS chosen\nFROM {table}\nWHERE {filled}\n{group}\nHAVING count(*) > 0 AND count(*) FILTER (WHERE {predicate}) <> 1",
            &[
                ("columns", &columns),
                ("predicate", &authored(predicate)),
                ("table", &subject.sql(table)),
                ("filled", &none_null(per)),
                ("group", &group),
            ],
        ));
    }
    let Some((parent, pairs)) = parent(subject, table, per) else {
        return Some(unique::duplicates(subject, table, per, None));
    };
    Some(fill(
        "SELECT parent.*\nFROM {parent} AS parent\nWHERE (SELECT count(*) FROM {table} AS child WHERE {match}) <> 1",
        &[
            ("parent", &subject.sql(&parent)),
            ("table", &subject.sql(table)),
            ("match", &equal("child", "parent", &pairs)),
        ],
    ))
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some((table, per, predicate)) = parts(subject) else {
        return;
    };
    unique::keep(subject, derived, table, per, predicate, "one");
    match (predicate, parent(subject, table, per)) {
        (Some(predicate), _) => chosen_in_group(subject, derived, table, per, predicate),
        (None, Some((parent, pairs))) => one_per_parent(subject, derived, table, (&parent, &pairs)),
        (None, None) => {}
    }
}

fn chosen_in_group(
    subject: &Subject,
    derived: &mut Derived,
    table: &Name,
    per: &[Name],
    predicate: &Text,
) {
    let on = subject.qualified(table);
    let columns: Vec<Ident> = per.iter().map(|name| name.ident.clone()).collect();
    let name = short(&format!("{}_at_least", subject.slug()));
    let guard = short(&format!("{}_group", subject.slug()));
    let guard = derived.guard_table(subject, &on, guard, &columns, &["members", "chosen"]);
    let members = counter("members", &columns);
    let chosen = counter("chosen", &columns);
    let named = (quote_ident(&members), quote_ident(&chosen));
    let side = |row: &'static str, sign: &'static str| {
        fill(
            "INSERT INTO {guard} AS guard ({key}, {members}, {chosen})\nVALUES ({group}, {sign}1, {sign}(CASE WHEN EXISTS ({is_chosen}) THEN 1 ELSE 0 END))\nON CONFLICT ({key}) DO UPDATE SET\n  {members} = guard.{members} + EXCLUDED.{members},\n  {chosen} = guard.{chosen} + EXCLUDED.{chosen};",
            &[
                ("guard", &quote_qualified(&guard)),
                ("key", &guard_key(per)),
                ("group", &group_of(row, per)),
                ("sign", &fixed(sign)),
                ("members", &named.0),
                ("chosen", &named.1),
                (
                    "is_chosen",
                    &over_row(row, table, &fixed("1"), &authored(predicate)),
                ),
            ],
        )
    };
    let count = fill(
        "BEGIN\n  IF TG_OP <> 'INSERT' AND {old} THEN\n    {out}\n  END IF;\n  IF TG_OP <> 'DELETE' AND {new} THEN\n    {in}\n  END IF;\n  RETURN NULL;\nEND",
        &[
            ("old", &in_a_group("OLD", per)),
            ("new", &in_a_group("NEW", per)),
            ("out", &side("OLD", "-")),
            ("in", &side("NEW", "")),
        ],
    );
    let counting = short(&format!("{}_count", subject.slug()));
    let count = derived.function(subject, counting.clone(), count);
    let count_chosen = fill(
        "count(*) FILTER (WHERE {predicate})",
        &[("predicate", &authored(predicate))],
    );
    let totals = vec![(members, fixed("count(*)")), (chosen, count_chosen)];
    derived.counts(&guard, &count, totals);
    let shape = TriggerShape::new(TriggerTiming::AfterRow, &["INSERT", "UPDATE", "DELETE"]);
    let counter = derived.trigger(subject, &on, counting, shape, &count);
    let missing = |row: &'static str| {
        fill(
            "IF EXISTS (SELECT FROM {guard} AS guard WHERE ({key}) = ({group}) AND guard.{members} > 0 AND guard.{chosen} < 1) THEN\n  {raise}\nEND IF;",
            &[
                ("guard", &quote_qualified(&guard)),
                ("key", &guard_key(per)),
                ("group", &group_of(row, per)),
                ("members", &named.0),
                ("chosen", &named.1),
                ("raise", &raise(subject, "check_violation")),
            ],
        )
    };
    let body = fill(
        "BEGIN\n  IF TG_OP <> 'INSERT' THEN\n    {old}\n  END IF;\n  IF TG_OP <> 'DELETE' THEN\n    {new}\n  END IF;\n  RETURN NULL;\nEND",
        &[("old", &missing("OLD")), ("new", &missing("NEW"))],
    );
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::Deferred, &["INSERT", "UPDATE", "DELETE"]);
    let trigger = derived.trigger(subject, &on, name, shape, &function);
    derived.credit(subject, [counter, trigger].into_iter().flatten().collect());
}

/// Without `where`, a second row cannot exist, so whoever takes the one away must bring the other: no guard is needed.
fn one_per_parent(
    subject: &Subject,
    derived: &mut Derived,
    table: &Name,
    (parent, pairs): (&Name, &[(Ident, Ident)]),
) {
    let missing = |match_parent: SqlText| {
        fill(
            "IF EXISTS (\n  SELECT FROM {parent} AS parent\n  WHERE {same} AND NOT EXISTS (SELECT FROM {table} AS child WHERE {match})\n) THEN\n  {raise}\nEND IF;",
            &[
                ("parent", &subject.sql(parent)),
                ("same", &match_parent),
                ("table", &subject.sql(table)),
                ("match", &equal("child", "parent", pairs)),
                ("raise", &raise(subject, "check_violation")),
            ],
        )
    };
    let own: Vec<(Ident, Ident)> = pairs
        .iter()
        .map(|(_, parent)| (parent.clone(), parent.clone()))
        .collect();
    type Side<'a> = (
        String,
        (&'a Name, &'static str),
        &'static [&'static str],
        SqlText,
    );
    let sides: [Side; 2] = [
        (
            format!("{}_parent", subject.slug()),
            (parent, "NEW"),
            &["INSERT", "UPDATE"],
            missing(equal("parent", "NEW", &own)),
        ),
        (
            format!("{}_child", subject.slug()),
            (table, "OLD"),
            &["UPDATE", "DELETE"],
            missing(equal("OLD", "parent", pairs)),
        ),
    ];
    for (name, (on, row), events, looked) in sides {
        let name = short(&name);
        let looked = derived.as_tenant(subject, (on, row), &[parent, table], looked);
        let body = fill(
            "BEGIN\n  {looked}\n  RETURN NULL;\nEND",
            &[("looked", &looked)],
        );
        let function = derived.function(subject, name.clone(), body);
        let shape = TriggerShape::new(TriggerTiming::Deferred, events);
        if let Some(trigger) =
            derived.trigger(subject, &subject.qualified(on), name, shape, &function)
        {
            derived.credit(subject, vec![trigger]);
        }
    }
}

fn cases(subject: &Subject) -> Vec<Case> {
    let Some((table, per, predicate)) = parts(subject) else {
        return Vec::new();
    };
    let Some(found) = subject.table(table) else {
        return Vec::new();
    };
    let text = predicate.map(Text::as_str);
    let insert = |row, set: Vec<(Ident, Value)>| Write::Insert {
        row,
        table: table.ident.clone(),
        set,
    };
    if let Some(text) = text {
        let (Some(chosen), Some(other)) = (
            satisfying(found, Some(text)),
            unsatisfying(found, Some(text)),
        ) else {
            return Vec::new();
        };
        let of_first = |set: Vec<(Ident, Value)>| {
            per.iter()
                .map(|name| (name.ident.clone(), Value::Same(0, name.ident.clone())))
                .chain(set)
                .collect::<Vec<_>>()
        };
        let none = Case {
            title: format!("a group of {} in which no row is {text}", table.as_str()),
            before: Vec::new(),
            illegal: vec![insert(0, other.clone())],
            sqlstates: vec!["23514"],
            legal: vec![insert(0, chosen.clone()), insert(1, of_first(other))],
        };
        let two = Case {
            title: format!("a group of {} in which two rows are {text}", table.as_str()),
            before: vec![insert(0, chosen.clone())],
            illegal: vec![insert(1, of_first(chosen))],
            sqlstates: vec!["23505"],
            legal: Vec::new(),
        };
        return vec![none, two];
    }
    let Some((parent, pairs)) = parent(subject, table, per) else {
        return unique::twice(subject, table, per, None);
    };
    let made = Write::Insert {
        row: 0,
        table: parent.ident.clone(),
        set: Vec::new(),
    };
    let child = |row| {
        insert(
            row,
            pairs
                .iter()
                .map(|(child, key)| (child.clone(), Value::Same(0, key.clone())))
                .collect(),
        )
    };
    vec![
        Case {
            title: format!("a row of {} without {}", parent.as_str(), table.as_str()),
            before: Vec::new(),
            illegal: vec![made.clone()],
            sqlstates: vec!["23514"],
            legal: vec![made.clone(), child(1)],
        },
        Case {
            title: format!(
                "a row of {} with two of {}",
                parent.as_str(),
                table.as_str()
            ),
            before: Vec::new(),
            illegal: vec![made.clone(), child(1), child(2)],
            sqlstates: vec!["23505"],
            legal: vec![made, child(1)],
        },
        Case {
            title: format!(
                "the one {} of a row of {} deleted",
                table.as_str(),
                parent.as_str()
            ),
            before: vec![insert(0, Vec::new())],
            illegal: vec![Write::Delete { row: 0 }],
            sqlstates: vec!["23514"],
            legal: Vec::new(),
        },
    ]
}
