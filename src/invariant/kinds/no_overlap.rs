//! `no_overlap`: per group, intervals do not overlap.

use crate::catalog::{Exclusion, ObjectPath, TriggerTiming};
use crate::design::{Enforcement, InvariantKind, Name, Overlap, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{group_of, in_a_group, over_row, raise, touch};
use crate::invariant::predicate::satisfying;
use crate::invariant::registry::Kind;
use crate::invariant::subject::{
    Subject, authored, equal, list, none_null, predicate_or_true, short,
};
use crate::source::Text;
use crate::sql::{Ident, SqlText, fill, fixed, quote_ident, quote_qualified};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "no_overlap",
        title: "per group, intervals do not overlap",
        docs: "Intervals hold their start and not their end; a null end is open. Enforced by EXCLUDE USING gist over `per` and the range (the \
               extension `btree_gist` is added where `per` needs it).\n\n\
               ```yaml\nno_overlap: {in: booking, per: [room_id], from: starts_at, to: ends_at, where: cancelled_at is null}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::NoOverlap,
    drift,
    enforce,
    cases,
};

struct Parts<'a> {
    table: &'a Name,
    per: &'a [Name],
    interval: &'a Overlap,
    predicate: Option<&'a Text>,
}

fn parts<'a>(subject: &Subject<'a>) -> Option<Parts<'a>> {
    match &subject.invariant.rule {
        Rule::NoOverlap {
            table,
            per,
            interval,
            predicate,
        } => Some(Parts {
            table,
            per,
            interval,
            predicate: predicate.as_ref(),
        }),
        _ => None,
    }
}

/// PostgreSQL's range over a column's type; `None` where it has none.
fn range_type(data_type: &str) -> Option<&'static str> {
    let data_type = data_type.trim().to_ascii_lowercase();
    Some(match data_type.split('(').next().unwrap_or("").trim() {
        "date" => "daterange",
        "timestamptz" | "timestamp with time zone" => "tstzrange",
        "timestamp" | "timestamp without time zone" => "tsrange",
        "int" | "integer" | "int4" | "smallint" | "int2" | "serial" => "int4range",
        "bigint" | "int8" | "bigserial" => "int8range",
        "numeric" | "decimal" => "numrange",
        _ if data_type.starts_with("timestamp") && data_type.ends_with("with time zone") => {
            "tstzrange"
        }
        _ if data_type.starts_with("timestamp") => "tsrange",
        _ => return None,
    })
}

/// The interval of one row as a range.
fn range(subject: &Subject, parts: &Parts) -> Option<SqlText> {
    match parts.interval {
        Overlap::Period(column) => Some(quote_ident(&column.ident)),
        Overlap::FromTo(from, to) => {
            let data_type = subject.column_type(parts.table, &from.ident)?;
            Some(fill(
                "{range}({from}, {to})",
                &[
                    ("range", &fixed(range_type(data_type.as_str())?)),
                    ("from", &quote_ident(&from.ident)),
                    ("to", &quote_ident(&to.ident)),
                ],
            ))
        }
    }
}

/// An interval that ends before it starts is another rule's business; here it must not make the query fail.
fn safe_range(subject: &Subject, parts: &Parts) -> Option<SqlText> {
    let range = range(subject, parts)?;
    Some(match parts.interval {
        Overlap::Period(_) => range,
        Overlap::FromTo(from, to) => fill(
            "CASE WHEN {to} IS NULL OR {from} <= {to} THEN {range} END",
            &[
                ("to", &quote_ident(&to.ident)),
                ("from", &quote_ident(&from.ident)),
                ("range", &range),
            ],
        ),
    })
}

fn drift(subject: &Subject) -> Option<SqlText> {
    let parts = parts(subject)?;
    let pairs: Vec<(Ident, Ident)> = parts
        .per
        .iter()
        .map(|n| (n.ident.clone(), n.ident.clone()))
        .collect();
    let numbered = fill(
        "SELECT *, {range} AS overlap_period, row_number() OVER () AS overlap_row\nFROM {table}\nWHERE {predicate} AND {filled}",
        &[
            ("range", &safe_range(subject, &parts)?),
            ("table", &subject.sql(parts.table)),
            ("predicate", &predicate_or_true(parts.predicate)),
            ("filled", &none_null(parts.per)),
        ],
    );
    Some(fill(
        "WITH intervals AS (\n  {numbered}\n)\nSELECT one.*\nFROM intervals AS one\nWHERE EXISTS (\n  SELECT FROM intervals AS other\n  WHERE {match} AND one.overlap_row <> other.overlap_row\n    AND one.overlap_period && other.overlap_period\n)",
        &[
            ("numbered", &numbered),
            ("match", &equal("one", "other", &pairs)),
        ],
    ))
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some(parts) = parts(subject) else { return };
    let Some(range) = range(subject, &parts) else {
        if let Overlap::FromTo(from, _) = parts.interval {
            let message = format!(
                "`{}` has a type that makes no range, so its overlap cannot be excluded",
                from.as_str()
            );
            let name = format!("invariant {}", subject.invariant.name.as_str());
            derived.findings.push(
                crate::finding::Finding::error("no-range-type", name, message, from.at)
                    .help("use date, timestamptz, timestamp, integer, bigint or numeric for `from` and `to`, or a range column as `period`"),
            );
        }
        return;
    };
    if subject.invariant.enforced == Enforcement::Trigger {
        by_trigger(subject, derived, &parts);
        return;
    }
    let on = subject.qualified(parts.table);
    if !parts.per.is_empty() {
        derived.catalog.extensions.insert(Ident::new("btree_gist"));
    }
    let mut elements: Vec<(SqlText, String)> = parts
        .per
        .iter()
        .map(|name| (quote_ident(&name.ident), "=".to_owned()))
        .collect();
    elements.push((range, "&&".to_owned()));
    let name = subject.object(Some(format!(
        "{}_{}_excl",
        parts.table.as_str(),
        subject.slug()
    )));
    let exclusion = Exclusion {
        method: Ident::new("gist"),
        elements,
        predicate: parts.predicate.map(authored),
        deferred: false,
    };
    if let Some(table) = derived.table(&on) {
        table.exclusions.insert(name.clone(), exclusion);
        derived.credit(subject, vec![ObjectPath::Exclusion(on, name)]);
    }
}

fn by_trigger(subject: &Subject, derived: &mut Derived, parts: &Parts) {
    let on = subject.qualified(parts.table);
    let Some(range) = safe_range(subject, parts) else {
        return;
    };
    let columns: Vec<Ident> = parts.per.iter().map(|name| name.ident.clone()).collect();
    let name = subject.object(None);
    let guard = derived.guard_table(
        subject,
        &on,
        short(&format!("{}_guard", name.as_str())),
        &columns,
        &["writes"],
    );
    let overlapping = fill(
        "SELECT count(*) FROM {table} WHERE {predicate} AND ({key}) = ({group}) AND {range} && pgproof_period",
        &[
            ("table", &quote_qualified(&on)),
            ("predicate", &predicate_or_true(parts.predicate)),
            (
                "key",
                &if parts.per.is_empty() {
                    fixed("true")
                } else {
                    list(parts.per)
                },
            ),
            ("group", &group_of("NEW", parts.per)),
            ("range", &range),
        ],
    );
    let range_name = match parts.interval {
        Overlap::Period(column) => subject
            .column_type(parts.table, &column.ident)
            .map(authored),
        Overlap::FromTo(from, _) => subject
            .column_type(parts.table, &from.ident)
            .and_then(|t| range_type(t.as_str()))
            .map(fixed),
    };
    let Some(range_name) = range_name else { return };
    let looked = fill(
        "IF pgproof_period IS NOT NULL AND ({overlapping}) > 1 THEN\n  {raise}\nEND IF;",
        &[
            ("overlapping", &overlapping),
            ("raise", &raise(subject, "exclusion_violation")),
        ],
    );
    let looked = derived.as_tenant(subject, (parts.table, "NEW"), &[parts.table], looked);
    let body = fill(
        "DECLARE\n  pgproof_period {type};\nBEGIN\n  IF {grouped} THEN\n    {touch}\n    pgproof_period := ({own});\n    {looked}\n  END IF;\n  RETURN NULL;\nEND",
        &[
            ("type", &range_name),
            ("grouped", &in_a_group("NEW", parts.per)),
            (
                "touch",
                &touch(&guard, &columns, &group_of("NEW", parts.per)),
            ),
            (
                "own",
                &over_row(
                    "NEW",
                    parts.table,
                    &range,
                    &predicate_or_true(parts.predicate),
                ),
            ),
            ("looked", &looked),
        ],
    );
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::AfterRow, &["INSERT", "UPDATE"]);
    if let Some(trigger) = derived.trigger(subject, &on, name, shape, &function) {
        derived.credit(subject, vec![trigger]);
    }
}

/// The same interval again; legal is the interval that starts where the first ends.
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
    let (Overlap::FromTo(column, _) | Overlap::Period(column)) = parts.interval;
    let Some(data_type) = subject.column_type(parts.table, &column.ident) else {
        return Vec::new();
    };
    let range = match parts.interval {
        Overlap::FromTo(..) => range_type(data_type.as_str()),
        Overlap::Period(_) => known_range(data_type.as_str()),
    };
    let Some(range) = range else {
        return Vec::new();
    };
    let (first, second, third) = three_points(range);
    let bounds = |low: &'static str, high: &'static str| match parts.interval {
        Overlap::FromTo(from, to) => vec![
            (from.ident.clone(), Value::Sql(fixed(low))),
            (to.ident.clone(), Value::Sql(fixed(high))),
        ],
        Overlap::Period(period) => {
            let parts = [
                ("range", &fixed(range)),
                ("low", &fixed(low)),
                ("high", &fixed(high)),
            ];
            let made = fill("{range}({low}, {high})", &parts);
            vec![(period.ident.clone(), Value::Sql(made))]
        }
    };
    let fixed_columns: Vec<Ident> = bounds(first, second)
        .into_iter()
        .map(|(column, _)| column)
        .collect();
    let scope: Vec<(Ident, Value)> = counted
        .into_iter()
        .filter(|(column, _)| !fixed_columns.contains(column))
        .collect();
    let insert = |row: usize, bounds: Vec<(Ident, Value)>| {
        let group = parts.per.iter().map(|name| {
            let value = if row == 0 {
                Value::Filled
            } else {
                Value::Same(0, name.ident.clone())
            };
            (name.ident.clone(), value)
        });
        let group =
            group.filter(|(column, _)| row > 0 || !scope.iter().any(|(other, _)| other == column));
        let scope = scope
            .iter()
            .filter(|(column, _)| row == 0 || !parts.per.iter().any(|n| n.ident == *column))
            .cloned();
        let set = group.chain(scope).chain(bounds).collect();
        Write::Insert {
            row,
            table: parts.table.ident.clone(),
            set,
        }
    };
    vec![Case {
        title: format!("two rows of {} that overlap", parts.table.as_str()),
        before: vec![insert(0, bounds(first, second))],
        illegal: vec![insert(1, bounds(first, third))],
        sqlstates: vec!["23P01"],
        legal: vec![insert(1, bounds(second, third))],
    }]
}

/// A type that is one of PostgreSQL's ranges. Of the points of others nothing is known.
fn known_range(data_type: &str) -> Option<&'static str> {
    let known = [
        "int4range",
        "int8range",
        "numrange",
        "daterange",
        "tsrange",
        "tstzrange",
    ];
    let name = data_type.trim().to_ascii_lowercase();
    known.into_iter().find(|range| *range == name)
}

fn three_points(range: &str) -> (&'static str, &'static str, &'static str) {
    match range {
        "int4range" | "int8range" | "numrange" => ("100", "200", "300"),
        "daterange" => (
            "DATE '2026-01-01'",
            "DATE '2026-01-02'",
            "DATE '2026-01-03'",
        ),
        "tsrange" => (
            "TIMESTAMP '2026-01-01'",
            "TIMESTAMP '2026-01-02'",
            "TIMESTAMP '2026-01-03'",
        ),
        _ => (
            "TIMESTAMPTZ '2026-01-01 00:00Z'",
            "TIMESTAMPTZ '2026-01-02 00:00Z'",
            "TIMESTAMPTZ '2026-01-03 00:00Z'",
        ),
    }
}
