//! `monotonic`: a column only grows.

use crate::catalog::TriggerTiming;
use crate::design::{InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{over_row, raise};
use crate::invariant::predicate::satisfying;
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored};
use crate::source::Text;
use crate::sql::{SqlText, column_of, fill, fixed};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "monotonic",
        title: "a column only grows (version, sequence)",
        docs: "A value never gets smaller and never goes back to null; with `strictly`, every update of the row must make it larger. Enforced by a \
               trigger, which compares with the latest version of the row.\n\n```yaml\nmonotonic: {in: orders, column: version, strictly: true}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Monotonic,
    drift,
    enforce,
    cases,
};

fn parts<'a>(subject: &Subject<'a>) -> Option<(&'a Name, &'a Name, bool, Option<&'a Text>)> {
    match &subject.invariant.rule {
        Rule::Monotonic {
            table,
            column,
            strictly,
            predicate,
        } => Some((table, column, *strictly, predicate.as_ref())),
        _ => None,
    }
}

/// Only history shows it.
fn drift(_: &Subject) -> Option<SqlText> {
    None
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some((table, column, strictly, predicate)) = parts(subject) else {
        return;
    };
    let name = subject.object(None);
    let scope = match predicate {
        Some(predicate) => fill(
            " AND EXISTS ({row})",
            &[(
                "row",
                &over_row("OLD", table, &fixed("1"), &authored(predicate)),
            )],
        ),
        None => fixed(""),
    };
    let body = fill(
        "BEGIN\n  IF {old} IS NOT NULL AND ({new} {sign} {old}) IS NOT TRUE{scope} THEN\n    {raise}\n  END IF;\n  RETURN NEW;\nEND",
        &[
            ("old", &column_of("OLD", &column.ident)),
            ("new", &column_of("NEW", &column.ident)),
            ("sign", &fixed(if strictly { ">" } else { ">=" })),
            ("scope", &scope),
            ("raise", &raise(subject, "check_violation")),
        ],
    );
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::BeforeRow, &["UPDATE"]);
    if let Some(trigger) =
        derived.trigger(subject, &subject.qualified(table), name, shape, &function)
    {
        derived.credit(subject, vec![trigger]);
    }
}

/// Five, then four; legal is six. Times take days of January.
fn cases(subject: &Subject) -> Vec<Case> {
    let Some((table, column, _, predicate)) = parts(subject) else {
        return Vec::new();
    };
    let Some(found) = subject.table(table) else {
        return Vec::new();
    };
    let Some(scope) = satisfying(found, predicate.map(Text::as_str)) else {
        return Vec::new();
    };
    let Some(data_type) = subject.column_type(table, &column.ident) else {
        return Vec::new();
    };
    let data_type = data_type.as_str().to_ascii_lowercase();
    let time = data_type.starts_with("timestamp") || data_type == "date";
    let (low, middle, high) = if time {
        ("'2026-01-04'", "'2026-01-05'", "'2026-01-06'")
    } else {
        ("4", "5", "6")
    };
    let value = |text: &'static str| vec![(column.ident.clone(), Value::Sql(fixed(text)))];
    let set = value(middle).into_iter().chain(scope).collect();
    vec![Case {
        title: format!("{}.{} gets smaller", table.as_str(), column.as_str()),
        before: vec![Write::Insert {
            row: 0,
            table: table.ident.clone(),
            set,
        }],
        illegal: vec![Write::Update {
            row: 0,
            set: value(low),
        }],
        sqlstates: vec!["23514"],
        legal: vec![Write::Update {
            row: 0,
            set: value(high),
        }],
    }]
}
