//! `at_most`: per group, a count or sum stays within a constant or a parent's column.

use crate::design::{InvariantKind, Limit, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::Derived;
use crate::invariant::guard::{self, Count};
use crate::invariant::predicate::satisfying;
use crate::invariant::registry::Kind;
use crate::invariant::subject::{
    Subject, authored, equal, limit_sql, list, none_null, predicate_or_true, total_name,
};
use crate::source::Text;
use crate::sql::{Ident, SqlText, fill, fixed};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "at_most",
        title: "per group, a count or sum stays within a limit",
        docs: "The limit is a constant or a column of the parent (capacity, quota, stock). Enforced by a trigger that adds each row's share to \
               the group's guard row, so that concurrent writers of a group queue; lowering a parent's limit is checked as well.\n\n\
               ```yaml\nat_most: {in: booking, per: [slot_id], count: true, limit: slot.capacity, where: cancelled_at is null}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::AtMost,
    drift,
    enforce,
    cases,
};

struct Parts<'a> {
    table: &'a Name,
    per: &'a [Name],
    sum: Option<&'a Text>,
    limit: &'a Limit,
    predicate: Option<&'a Text>,
}

fn parts<'a>(subject: &Subject<'a>) -> Option<Parts<'a>> {
    match &subject.invariant.rule {
        Rule::AtMost {
            table,
            per,
            sum,
            limit,
            predicate,
        } => Some(Parts {
            table,
            per,
            sum: sum.as_ref(),
            limit,
            predicate: predicate.as_ref(),
        }),
        _ => None,
    }
}

fn drift(subject: &Subject) -> Option<SqlText> {
    let parts = parts(subject)?;
    let total = match parts.sum {
        Some(sum) => fill("coalesce(sum({sum}), 0)", &[("sum", &authored(sum))]),
        None => fixed("count(*)"),
    };
    let group = if parts.per.is_empty() {
        fixed("")
    } else {
        fill("GROUP BY {per}", &[("per", &list(parts.per))])
    };
    let columns = if parts.per.is_empty() {
        fixed("")
    } else {
        fill("{per}, ", &[("per", &list(parts.per))])
    };
    let named = total_name(parts.per);
    let totals = fill(
        "SELECT {columns}{total} AS {as}\nFROM {table}\nWHERE {predicate} AND {filled}\n{group}",
        &[
            ("columns", &columns),
            ("total", &total),
            ("as", &named),
            ("table", &subject.sql(parts.table)),
            ("predicate", &predicate_or_true(parts.predicate)),
            ("filled", &none_null(parts.per)),
            ("group", &group),
        ],
    );
    let limit = limit_sql(parts.limit);
    Some(match parts.limit {
        Limit::Number(_) => fill(
            "SELECT totals.*, {limit} AS allowed\nFROM (\n  {totals}\n) AS totals\nWHERE totals.{as} > {limit}",
            &[("limit", &limit), ("totals", &totals), ("as", &named)],
        ),
        Limit::Column { table: parent, .. } => {
            let pairs = subject.parent_key(parts.table, parent, parts.per);
            fill(
                "SELECT totals.*, {limit} AS allowed\nFROM (\n  {totals}\n) AS totals\nJOIN {parent} AS parent ON {match}\nWHERE totals.{as} > {limit}",
                &[
                    ("as", &named),
                    ("limit", &limit),
                    ("totals", &totals),
                    ("parent", &subject.sql(parent)),
                    ("match", &equal("totals", "parent", &pairs)),
                ],
            )
        }
    })
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some(parts) = parts(subject) else { return };
    let parent = match parts.limit {
        Limit::Column { table, column } => Some((table, column)),
        Limit::Number(_) => None,
    };
    guard::keep_within(
        subject,
        derived,
        &Count {
            table: parts.table,
            per: parts.per,
            sum: parts.sum,
            predicate: parts.predicate,
            limit: limit_sql(parts.limit),
            parent,
            sqlstate: "check_violation",
        },
    );
}

/// One row too many, or one row whose share alone is too much; and lowering the parent's limit.
fn cases(subject: &Subject) -> Vec<Case> {
    let Some(parts) = parts(subject) else {
        return Vec::new();
    };
    let Some(found) = subject.table(parts.table) else {
        return Vec::new();
    };
    let Some(counted) = satisfying(found, parts.predicate.map(Text::as_str)) else {
        return Vec::new();
    };
    let column = parts.sum.map(|sum| Ident::new(sum.as_str().trim()));
    if column
        .as_ref()
        .is_some_and(|column| found.column(column).is_none())
    {
        // A sum of an expression: the race tries it, a single row cannot be made up.
        return Vec::new();
    }
    match parts.limit {
        Limit::Number(limit) => constant_cases(&parts, limit, column, &counted),
        Limit::Column {
            table: parent,
            column: limit,
        } => parent_cases(subject, &parts, (parent, limit), column, &counted),
    }
}

fn insert(parts: &Parts, row: usize, set: Vec<(Ident, Value)>) -> Write {
    Write::Insert {
        row,
        table: parts.table.ident.clone(),
        set,
    }
}

fn constant_cases(
    parts: &Parts,
    limit: &Text,
    column: Option<Ident>,
    counted: &[(Ident, Value)],
) -> Vec<Case> {
    let with =
        |extra: Vec<(Ident, Value)>| counted.iter().cloned().chain(extra).collect::<Vec<_>>();
    let title = format!(
        "more than {} per group in {}",
        limit.as_str().trim(),
        parts.table.as_str()
    );
    if let Some(column) = column {
        let too_much = fill("({limit}) + 1", &[("limit", &authored(limit))]);
        return vec![Case {
            title,
            before: Vec::new(),
            illegal: vec![insert(
                parts,
                0,
                with(vec![(column.clone(), Value::Sql(too_much))]),
            )],
            sqlstates: vec!["23514"],
            legal: vec![insert(
                parts,
                0,
                with(vec![(column, Value::Sql(authored(limit)))]),
            )],
        }];
    }
    let most: usize = limit
        .as_str()
        .trim()
        .parse()
        .ok()
        .filter(|most| *most <= 200)
        .unwrap_or(usize::MAX);
    if most == usize::MAX {
        return Vec::new();
    }
    let same = |row: usize| {
        let group = parts.per.iter().map(|name| {
            let value = if row == 0 {
                Value::Filled
            } else {
                Value::Same(0, name.ident.clone())
            };
            (name.ident.clone(), value)
        });
        insert(parts, row, with(group.collect()))
    };
    vec![Case {
        title,
        before: (0..most).map(same).collect(),
        illegal: vec![same(most)],
        sqlstates: vec!["23514"],
        legal: if parts.per.is_empty() || most == 0 {
            Vec::new()
        } else {
            let other = parts.per.iter().take(1);
            let other =
                other.map(|name| (name.ident.clone(), Value::Different(0, name.ident.clone())));
            vec![insert(parts, most, with(other.collect()))]
        },
    }]
}

fn parent_cases(
    subject: &Subject,
    parts: &Parts,
    (parent, limit): (&Name, &Name),
    column: Option<Ident>,
    counted: &[(Ident, Value)],
) -> Vec<Case> {
    let pairs = subject.parent_key(parts.table, parent, parts.per);
    let number = |text: &'static str| Value::Sql(fixed(text));
    let made = |most: &'static str| Write::Insert {
        row: 0,
        table: parent.ident.clone(),
        set: vec![(limit.ident.clone(), number(most))],
    };
    let child = |row: usize, share: Option<&'static str>| {
        let mut set: Vec<(Ident, Value)> = counted.to_vec();
        set.extend(
            pairs
                .iter()
                .map(|(child, key)| (child.clone(), Value::Same(0, key.clone()))),
        );
        if let (Some(column), Some(share)) = (&column, share) {
            set.push((column.clone(), number(share)));
        }
        insert(parts, row, set)
    };
    let lower = |most: &'static str| Write::Update {
        row: 0,
        set: vec![(limit.ident.clone(), number(most))],
    };
    let too_many = Case {
        title: format!(
            "more than {}.{} in {}",
            parent.as_str(),
            limit.as_str(),
            parts.table.as_str()
        ),
        before: vec![made("1"), child(1, Some("1"))],
        illegal: vec![child(2, Some("1"))],
        sqlstates: vec!["23514"],
        legal: vec![lower("2"), child(2, Some("1"))],
    };
    let lowered = Case {
        title: format!(
            "{}.{} lowered below what {} uses",
            parent.as_str(),
            limit.as_str(),
            parts.table.as_str()
        ),
        before: vec![made("2"), child(1, Some("1")), child(2, Some("1"))],
        illegal: vec![lower("1")],
        sqlstates: vec!["23514"],
        legal: vec![lower("3")],
    };
    vec![too_many, lowered]
}
