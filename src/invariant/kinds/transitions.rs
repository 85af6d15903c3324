//! `transitions`: a state column moves only along allowed edges, from allowed starts.

use crate::catalog::TriggerTiming;
use crate::design::{InvariantKind, Name, Rule};
use crate::finding::About;
use crate::invariant::case::{Case, Value, Write};
use crate::invariant::derived::{Derived, TriggerShape};
use crate::invariant::guard::{over_row, raise};
use crate::invariant::predicate::satisfying;
use crate::invariant::registry::Kind;
use crate::invariant::subject::{Subject, authored, predicate_or_true, short};
use crate::source::Text;
use crate::sql::{SqlText, column_of, fill, fixed, join, literal, quote_ident};

pub(crate) static KIND: Kind = Kind {
    about: About {
        name: "transitions",
        title: "a state column moves only along allowed edges, from allowed starts",
        docs: "Setting a state to itself is no transition. Enforced by two triggers, one for where a row may start and one for where it may go; \
               together they keep the column to the states that are named. `where` is judged on the row as it was, and for a new row as it is.\n\n\
               ```yaml\ntransitions: {in: orders, column: status, initial: [placed], allow: {placed: [paid, cancelled], paid: [shipped]}, terminal: [shipped, cancelled]}\n```",
        since: "0.1.0",
    },
    kind: InvariantKind::Transitions,
    drift,
    enforce,
    cases,
};

struct Parts<'a> {
    table: &'a Name,
    column: &'a Name,
    initial: &'a [Text],
    allow: &'a [(Text, Vec<Text>)],
    terminal: &'a [Text],
    predicate: Option<&'a Text>,
}

fn parts<'a>(subject: &Subject<'a>) -> Option<Parts<'a>> {
    match &subject.invariant.rule {
        Rule::Transitions {
            table,
            column,
            initial,
            allow,
            terminal,
            predicate,
        } => Some(Parts {
            table,
            column,
            initial,
            allow,
            terminal,
            predicate: predicate.as_ref(),
        }),
        _ => None,
    }
}

/// Every state that is named, once, in order.
fn states<'a>(parts: &Parts<'a>) -> Vec<&'a str> {
    let mut states: Vec<&str> = Vec::new();
    let edges = parts
        .allow
        .iter()
        .flat_map(|(from, to)| std::iter::once(from).chain(to));
    for state in parts.initial.iter().chain(edges).chain(parts.terminal) {
        if !states.contains(&state.as_str()) {
            states.push(state.as_str());
        }
    }
    states
}

/// Rows in a state that nothing names. (A forbidden move shows in history only.)
fn drift(subject: &Subject) -> Option<SqlText> {
    let parts = parts(subject)?;
    Some(fill(
        "SELECT *\nFROM {table}\nWHERE {predicate} AND {column}::text NOT IN ({states})",
        &[
            ("predicate", &predicate_or_true(parts.predicate)),
            ("table", &subject.sql(parts.table)),
            ("column", &quote_ident(&parts.column.ident)),
            (
                "states",
                &join(states(&parts).into_iter().map(literal), ", "),
            ),
        ],
    ))
}

fn enforce(subject: &Subject, derived: &mut Derived) {
    let Some(parts) = parts(subject) else { return };
    let on = subject.qualified(parts.table);
    let name = subject.object(None);
    let new = fill(
        "{column}::text",
        &[("column", &column_of("NEW", &parts.column.ident))],
    );
    let old = fill(
        "{column}::text",
        &[("column", &column_of("OLD", &parts.column.ident))],
    );
    let refuse = raise(subject, "check_violation");
    let concerned = |row| match parts.predicate {
        Some(predicate) => {
            let found = over_row(row, parts.table, &fixed("1"), &authored(predicate));
            fill(" AND EXISTS ({found})", &[("found", &found)])
        }
        None => fixed(""),
    };
    let branch = |(from, to): &(Text, Vec<Text>)| {
        let targets = if to.is_empty() {
            fixed("NULL")
        } else {
            join(to.iter().map(|state| literal(state.as_str())), ", ")
        };
        fill(
            "WHEN {from} THEN {new} IN ({targets})",
            &[
                ("from", &literal(from.as_str())),
                ("new", &new),
                ("targets", &targets),
            ],
        )
    };
    let edges = join(parts.allow.iter().map(branch), "\n");
    let allowed = if parts.allow.is_empty() {
        fixed("FALSE")
    } else {
        fill(
            "CASE {old}\n  {edges}\n  ELSE FALSE\nEND",
            &[("old", &old), ("edges", &edges)],
        )
    };
    let body = fill(
        "BEGIN\n  IF {new} IS NOT DISTINCT FROM {old} THEN\n    RETURN NEW;\n  END IF;\n  IF ({allowed}) IS NOT TRUE{concerned} THEN\n    {raise}\n  END IF;\n  RETURN NEW;\nEND",
        &[
            ("new", &new),
            ("old", &old),
            ("allowed", &allowed),
            ("concerned", &concerned("OLD")),
            ("raise", &refuse),
        ],
    );
    let function = derived.function(subject, name.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::BeforeRow, &["UPDATE"]);
    if let Some(trigger) = derived.trigger(subject, &on, name.clone(), shape, &function) {
        derived.credit(subject, vec![trigger]);
    }
    let starts: Vec<&str> = if parts.initial.is_empty() {
        states(&parts)
    } else {
        parts.initial.iter().map(Text::as_str).collect()
    };
    let body = fill(
        "BEGIN\n  IF {new} NOT IN ({starts}){concerned} THEN\n    {raise}\n  END IF;\n  RETURN NEW;\nEND",
        &[
            ("new", &new),
            ("concerned", &concerned("NEW")),
            ("starts", &join(starts.into_iter().map(literal), ", ")),
            ("raise", &refuse),
        ],
    );
    let start = short(&format!("{}_start", name.as_str()));
    let function = derived.function(subject, start.clone(), body);
    let shape = TriggerShape::new(TriggerTiming::BeforeRow, &["INSERT"]);
    if let Some(trigger) = derived.trigger(subject, &on, start, shape, &function) {
        derived.credit(subject, vec![trigger]);
    }
}

/// The shortest path of allowed moves from a start to `goal`, the start first.
fn path<'a>(parts: &Parts<'a>, goal: &str) -> Option<Vec<&'a str>> {
    let starts: Vec<&str> = if parts.initial.is_empty() {
        states(parts)
    } else {
        parts.initial.iter().map(Text::as_str).collect()
    };
    let mut paths: std::collections::VecDeque<Vec<&str>> =
        starts.into_iter().map(|state| vec![state]).collect();
    let mut seen: Vec<&str> = paths
        .iter()
        .filter_map(|path| path.last().copied())
        .collect();
    while let Some(path) = paths.pop_front() {
        let last = path.last().copied()?;
        if last == goal {
            return Some(path);
        }
        let next = parts
            .allow
            .iter()
            .filter(|(from, _)| from.as_str() == last)
            .flat_map(|(_, to)| to);
        for state in next {
            if !seen.contains(&state.as_str()) {
                seen.push(state.as_str());
                paths.push_back(path.iter().copied().chain([state.as_str()]).collect());
            }
        }
    }
    None
}

fn cases(subject: &Subject) -> Vec<Case> {
    let Some(parts) = parts(subject) else {
        return Vec::new();
    };
    let column = || parts.column.ident.clone();
    let value = |state: &str| vec![(column(), Value::Sql(literal(state)))];
    let scope = subject
        .table(parts.table)
        .and_then(|table| satisfying(table, parts.predicate.map(Text::as_str)));
    let Some(mut scope) = scope else {
        return Vec::new();
    };
    scope.retain(|(name, _)| *name != parts.column.ident);
    let insert = |state: &str| Write::Insert {
        row: 0,
        table: parts.table.ident.clone(),
        set: scope.iter().cloned().chain(value(state)).collect(),
    };
    let goes = |state: &str| Write::Update {
        row: 0,
        set: value(state),
    };
    let states = states(&parts);
    let mut cases = Vec::new();
    let first = parts.initial.first().map(Text::as_str);
    let not_initial = states
        .iter()
        .find(|state| !parts.initial.iter().any(|known| known.as_str() == **state));
    if let (Some(first), Some(wrong)) = (first, not_initial) {
        cases.push(Case {
            title: format!("a row of {} that starts as {wrong}", parts.table.as_str()),
            before: Vec::new(),
            illegal: vec![insert(wrong)],
            sqlstates: vec!["23514"],
            legal: vec![insert(first)],
        });
    }
    for from in &states {
        let Some(path) = path(&parts, from) else {
            continue;
        };
        let allowed: Vec<&str> = parts
            .allow
            .iter()
            .filter(|(state, _)| state.as_str() == *from)
            .flat_map(|(_, to)| to)
            .map(Text::as_str)
            .collect();
        let Some(wrong) = states
            .iter()
            .find(|to| *to != from && !allowed.contains(to))
        else {
            continue;
        };
        let mut before = vec![insert(path[0])];
        before.extend(path[1..].iter().map(|state| goes(state)));
        cases.push(Case {
            title: format!(
                "{}.{} goes from {from} to {wrong}",
                parts.table.as_str(),
                parts.column.as_str()
            ),
            before,
            illegal: vec![goes(wrong)],
            sqlstates: vec!["23514"],
            legal: allowed
                .iter()
                .find(|to| *to != from)
                .map(|to| vec![goes(to)])
                .unwrap_or_default(),
        });
    }
    cases
}
