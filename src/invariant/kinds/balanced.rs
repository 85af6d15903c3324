//! `balanced`: per group, a sum has this value at commit.

use crate::catalog::TriggerTiming;
use crate::design::{InvariantKind, Limit, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{group_of, in_a_group, raise};
use crate::invariant::predicate::satisfying;
use crate::invariant::registry::Kind;
use crate::invariant::subject::{
    Subject, authored, equal, limit_sql, list, none_null, predicate_or_true, short, total_name,
};
use crate::source::Text;
use crate::sql::{Ident, SqlText, column_of, fill, fixed, join, quote_ident, quote_qualified};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "balanced",
        title: "per group, a sum has this value at commit",
        docs: "Enforced by a deferred constraint trigger that adds up each group a transaction touched. No guard row is needed: a transaction that \
               keeps the difference at zero over what it sees keeps it at zero over everything, because differences add up and writers of one row \
               queue.\n\n```yaml\nbalanced: {in: entry, per: [posting_id], sum: amount, equals: 0}\nbalanced: {in: line, per: [invoice_id], sum: quantity * price, equals: invoice.total}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Balanced,
    drift,
    enforce,
    cases,
};

struct Parts<'a> {
    table: &'a Name,
    per: &'a [Name],
    sum: &'a Text,
    equals: &'a Limit,
    predicate: Option<&'a Text>,
}

fn parts<'a>(subject: &Subject<'a>) -> Option<Parts<'a>> {
    match &subject.invariant.rule {
        Rule::Balanced {
            table,
            per,
            sum,
            equals,
            predicate,
        } => Some(Parts {
            table,
            per,
            sum,
            equals,
            predicate: predicate.as_ref(),
        }),
        _ => None,
    }
}

fn drift(subject: &Subject) -> Option<SqlText> {
    let parts = parts(subject)?;
    let sum = authored(parts.sum);
    let predicate = predicate_or_true(parts.predicate);
    let table = subject.sql(parts.table);
    Some(match parts.equals {
        Limit::Number(number) => {
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
            fill(
                "SELECT {columns}coalesce(sum({sum}), 0) AS {as}\nFROM {table}\nWHERE {predicate} AND {filled}\n{group}\nHAVING coalesce(sum({sum}), 0) <> {number}",
                &[
                    ("columns", &columns),
                    ("as", &total_name(parts.per)),
                    ("sum", &sum),
                    ("table", &table),
                    ("predicate", &predicate),
                    ("filled", &none_null(parts.per)),
                    ("group", &group),
                    ("number", &authored(number)),
                ],
            )
        }
        Limit::Column {
            table: parent,
            column,
        } => {
            let pairs = subject.parent_key(parts.table, parent, parts.per);
            let totals = fill(
                "SELECT {per}, sum({sum}) AS {as} FROM {table} WHERE {predicate} GROUP BY {per}",
                &[
                    ("per", &list(parts.per)),
                    ("as", &total_name(parts.per)),
                    ("sum", &sum),
                    ("table", &table),
                    ("predicate", &predicate),
                ],
            );
            fill(
                "SELECT parent.*, coalesce(totals.{as}, 0) AS total\nFROM {parent} AS parent\nLEFT JOIN ({totals}) AS totals ON {match}\nWHERE coalesce(totals.{as}, 0) <> parent.{column}",
                &[
                    ("parent", &subject.sql(parent)),
                    ("as", &total_name(parts.per)),
                    ("totals", &totals),
                    ("match", &equal("totals", "parent", &pairs)),
                    ("column", &quote_ident(&column.ident)),
                ],
            )
        }
    })
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some(parts) = parts(subject) else { return };
    let on = subject.qualified(parts.table);
    let name = subject.object(None);
    let body = fill(
        "DECLARE\n  total numeric;\n  expected numeric;\nBEGIN\n  IF TG_OP <> 'DELETE' AND {new_grouped} THEN\n    {new}\n  END IF;\n  IF TG_OP <> 'INSERT' AND {old_grouped} THEN\n    {old}\n  END IF;\n  RETURN NULL;\nEND",
        &[
            ("new_grouped", &in_a_group("NEW", parts.per)),
            ("old_grouped", &in_a_group("OLD", parts.per)),
            ("new", &compared(subject, derived, &parts, "NEW")),
            ("old", &compared(subject, derived, &parts, "OLD")),
        ],
    );
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::Deferred, &["INSERT", "UPDATE", "DELETE"]);
    if let Some(trigger) = derived.trigger(subject, &on, name.clone(), shape, &function) {
        derived.credit(subject, vec![trigger]);
    }
    let Limit::Column {
        table: parent,
        column,
    } = parts.equals
    else {
        return;
    };
    let name = short(&format!("{}_parent", name.as_str()));
    let body = parent_body(subject, derived, &parts, (parent, column));
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::Deferred, &["INSERT", "UPDATE"]);
    if let Some(trigger) =
        derived.trigger(subject, &subject.qualified(parent), name, shape, &function)
    {
        derived.credit(subject, vec![trigger]);
    }
}

/// Adds up the group of one row and compares.
fn compared(subject: &Subject, derived: &mut Derived, parts: &Parts, row: &'static str) -> SqlText {
    let mut seen = vec![parts.table];
    let expected = match parts.equals {
        Limit::Number(_) => fill(
            "expected := {limit};",
            &[("limit", &limit_sql(parts.equals))],
        ),
        Limit::Column { table: parent, .. } => {
            seen.push(parent);
            let pairs = subject.parent_key(parts.table, parent, parts.per);
            fill(
                "SELECT {limit} INTO expected FROM {parent} AS parent WHERE {match};",
                &[
                    ("limit", &limit_sql(parts.equals)),
                    ("parent", &subject.sql(parent)),
                    ("match", &equal(row, "parent", &pairs)),
                ],
            )
        }
    };
    let key = if parts.per.is_empty() {
        fixed("true")
    } else {
        list(parts.per)
    };
    let compared = fill(
        "SELECT coalesce(sum({sum}), 0) INTO total FROM {table} WHERE {predicate} AND ({key}) = ({group});\n{expected}\nIF total <> expected THEN\n  {raise}\nEND IF;",
        &[
            ("sum", &authored(parts.sum)),
            ("table", &quote_qualified(&subject.qualified(parts.table))),
            ("predicate", &predicate_or_true(parts.predicate)),
            ("key", &key),
            ("group", &group_of(row, parts.per)),
            ("expected", &expected),
            ("raise", &raise(subject, "check_violation")),
        ],
    );
    derived.as_tenant(subject, (parts.table, row), &seen, compared)
}

/// The parent's side, read as it is at commit.
fn parent_body(
    subject: &Subject,
    derived: &mut Derived,
    parts: &Parts,
    (parent, column): (&Name, &Name),
) -> SqlText {
    let pairs = subject.parent_key(parts.table, parent, parts.per);
    let own: Vec<(Ident, Ident)> = pairs
        .iter()
        .map(|(_, key)| (key.clone(), key.clone()))
        .collect();
    let group = join(pairs.iter().map(|(_, key)| column_of("NEW", key)), ", ");
    let columns = crate::sql::idents(pairs.iter().map(|(column, _)| column));
    let compared = fill(
        "IF EXISTS (\n  SELECT FROM {parent} AS parent\n  WHERE {same} AND parent.{column} <> (\n    SELECT coalesce(sum({sum}), 0) FROM {table} WHERE {predicate} AND ({columns}) = ({group})\n  )\n) THEN\n  {raise}\nEND IF;",
        &[
            ("parent", &subject.sql(parent)),
            ("same", &equal("parent", "NEW", &own)),
            ("column", &quote_ident(&column.ident)),
            ("sum", &authored(parts.sum)),
            ("table", &subject.sql(parts.table)),
            ("predicate", &predicate_or_true(parts.predicate)),
            ("columns", &columns),
            ("group", &group),
            ("raise", &raise(subject, "check_violation")),
        ],
    );
    let seen = [parts.table, parent];
    let compared = derived.as_tenant(subject, (parent, "NEW"), &seen, compared);
    fill(
        "BEGIN\n  {compared}\n  RETURN NULL;\nEND",
        &[("compared", &compared)],
    )
}

/// A group that is off by one, and the group that is right.
fn cases(subject: &Subject) -> Vec<Case> {
    let Some(parts) = parts(subject) else {
        return Vec::new();
    };
    let Some(found) = subject.table(parts.table) else {
        return Vec::new();
    };
    let column = Ident::new(parts.sum.as_str().trim());
    let Some(counted) = satisfying(found, parts.predicate.map(Text::as_str)) else {
        return Vec::new();
    };
    if found.column(&column).is_none() {
        return of_expression(&parts, counted);
    }
    let insert = |row: usize, group: Vec<(Ident, Value)>, amount: SqlText| {
        let set = group
            .into_iter()
            .chain(counted.iter().cloned())
            .chain([(column.clone(), Value::Sql(amount))]);
        Write::Insert {
            row,
            table: parts.table.ident.clone(),
            set: set.collect(),
        }
    };
    match parts.equals {
        Limit::Number(number) => {
            let group = |row: usize| {
                let value = |name: &Name| {
                    if row == 0 {
                        Value::Filled
                    } else {
                        Value::Same(0, name.ident.clone())
                    }
                };
                parts
                    .per
                    .iter()
                    .map(|name| (name.ident.clone(), value(name)))
                    .collect::<Vec<_>>()
            };
            let over = fill("({number}) + 1", &[("number", &authored(number))]);
            vec![Case {
                title: format!(
                    "a group of {} whose {} does not add up to {}",
                    parts.table.as_str(),
                    column.as_str(),
                    number.as_str().trim()
                ),
                before: Vec::new(),
                illegal: vec![insert(0, group(0), over.clone())],
                sqlstates: vec!["23514"],
                legal: vec![insert(0, group(0), over), insert(1, group(1), fixed("-1"))],
            }]
        }
        Limit::Column {
            table: parent,
            column: total,
        } => {
            let pairs = subject.parent_key(parts.table, parent, parts.per);
            let group: Vec<(Ident, Value)> = pairs
                .iter()
                .map(|(column, key)| (column.clone(), Value::Same(0, key.clone())))
                .collect();
            let made = |value: &'static str| Write::Insert {
                row: 0,
                table: parent.ident.clone(),
                set: vec![(total.ident.clone(), Value::Sql(fixed(value)))],
            };
            let rows =
                |amount: &'static str| vec![made("2"), insert(1, group.clone(), fixed(amount))];
            vec![
                Case {
                    title: format!(
                        "{} that do not add up to {}.{}",
                        parts.table.as_str(),
                        parent.as_str(),
                        total.as_str()
                    ),
                    before: Vec::new(),
                    illegal: rows("1"),
                    sqlstates: vec!["23514"],
                    legal: rows("2"),
                },
                Case {
                    title: format!(
                        "{}.{} changed without its {}",
                        parent.as_str(),
                        total.as_str(),
                        parts.table.as_str()
                    ),
                    before: Vec::new(),
                    illegal: vec![made("3")],
                    sqlstates: vec!["23514"],
                    legal: Vec::new(),
                },
            ]
        }
    }
}

/// Where the summand is an expression, no single value decides: a row that goes, and a total that comes alone.
fn of_expression(parts: &Parts, counted: Vec<(Ident, Value)>) -> Vec<Case> {
    let Limit::Column {
        table: parent,
        column: total,
    } = parts.equals
    else {
        return Vec::new();
    };
    let case = |title: String, before: Vec<Write>, illegal: Write| Case {
        title,
        before,
        illegal: vec![illegal],
        sqlstates: vec!["23514"],
        legal: Vec::new(),
    };
    let row = Write::Insert {
        row: 0,
        table: parts.table.ident.clone(),
        set: counted,
    };
    let alone = Write::Insert {
        row: 0,
        table: parent.ident.clone(),
        set: vec![(total.ident.clone(), Value::Sql(fixed("3")))],
    };
    vec![
        case(
            format!(
                "a row of {} gone without the total of {}",
                parts.table.as_str(),
                parent.as_str()
            ),
            vec![row],
            Write::Delete { row: 0 },
        ),
        case(
            format!(
                "a total of {} without its {}",
                parent.as_str(),
                parts.table.as_str()
            ),
            Vec::new(),
            alone,
        ),
    ]
}
