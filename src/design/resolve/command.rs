//! `commands:`: steps in order, every name bound, every parameter used.

use std::collections::{BTreeMap, BTreeSet};

use super::super::language::values::{parse_duration, parse_rate};
use super::super::model::{Batch, Command, Isolation, Name, Outcome, Param};
use super::context::{Context, family};
use super::symbols::section;
use super::value::{name, name_at, names, parsed, text, texts, textual, word};
use super::{data_type, fit, sql, sqlstate, step};
use crate::source::{Entry, Node, NodeKind, Span, Text};

const ISOLATIONS: &[(&str, Isolation)] = &[
    ("read_committed", Isolation::ReadCommitted),
    ("repeatable_read", Isolation::RepeatableRead),
    ("serializable", Isolation::Serializable),
];

/// `commands:`.
pub(super) fn commands(cx: &Context<'_>, root: &Node) -> Vec<Command> {
    let requested = requested(root);
    section(root, &["commands"])
        .map(|entry| command(cx, entry, &requested))
        .collect()
}

/// Parameters that an invariant of kind `idempotent` uses, by command.
fn requested(root: &Node) -> BTreeMap<&str, BTreeSet<String>> {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for entry in section(root, &["invariants"]) {
        let Some(clause) = entry.value.get("idempotent") else {
            continue;
        };
        if let Some(command) = clause.get("command").and_then(Node::as_str) {
            let params = texts(clause, "key")
                .into_iter()
                .chain(texts(clause, "request"));
            let used = params.map(|text| text.as_str().to_owned());
            found.entry(command).or_default().extend(used);
        }
    }
    found
}

fn command(
    cx: &Context<'_>,
    entry: &Entry,
    requested: &BTreeMap<&str, BTreeSet<String>>,
) -> Command {
    let subject = &format!("command {}", entry.key);
    let node = &entry.value;
    let actor = name_at(node, "actor");
    if let (Some(actor), Some(actors)) = (&actor, &cx.symbols.actors)
        && !actors.contains(actor.as_str())
    {
        cx.dangling(family::ACTOR, actor, subject, actors.iter().copied());
    }
    let emits = names(node, "emits");
    cx.distinct(&emits, "event", subject);
    for event in &emits {
        event_known(cx, event, subject);
    }
    let params = params(cx, node, subject);
    let mut used = requested
        .get(entry.key.as_str())
        .cloned()
        .unwrap_or_default();
    let steps = step::steps(cx, node, &params, &mut used, subject);
    let idempotent_by = idempotent_by(cx, node, &params, &mut used, subject);
    unused(cx, &params, &used, subject);
    Command {
        name: name(&entry.key),
        actor,
        does: text(node, "does"),
        isolation: word(node, "isolation", ISOLATIONS).unwrap_or(Isolation::ReadCommitted),
        steps,
        outcomes: outcomes(cx, node, subject),
        retry: retry(cx, node, subject),
        idempotent_by,
        emits,
        runs: parsed(node, "runs", parse_rate),
        within: within(node),
        batch: batch(node),
        params,
    }
}

/// `within:`.
fn within(node: &Node) -> Vec<(String, f64)> {
    let entries = section(node, &["within"]);
    let parsed = entries.filter_map(|entry| {
        let seconds = parse_duration(entry.value.as_str()?).ok()?;
        Some((entry.key.as_str().to_owned(), seconds))
    });
    parsed.collect()
}

/// `batch:`.
fn batch(node: &Node) -> Option<Batch> {
    let node = node.get("batch")?;
    Some(Batch {
        of: node.get("of")?.as_f64()? as u32,
        reaches: parsed(node, "reaches", parse_rate),
    })
}

/// Says where an event does not exist; without a section `events:` names are free.
pub(super) fn event_known(cx: &Context<'_>, event: &Name, subject: &str) {
    if let Some(events) = &cx.symbols.events
        && !events.contains(event.as_str())
    {
        cx.dangling(family::EVENT, event, subject, events.iter().copied());
    }
}

/// `params:` of a command or query: a type, or `{type, value}`.
pub(super) fn params(cx: &Context<'_>, node: &Node, subject: &str) -> Vec<Param> {
    section(node, &["params"])
        .filter_map(|entry| {
            let subject = format!("{subject} / parameter {}", entry.key);
            let (data_type, value) = match &entry.value.kind {
                NodeKind::Scalar(..) => (textual(&entry.value)?, None),
                _ => (
                    textual(entry.value.get("type")?)?,
                    text(&entry.value, "value"),
                ),
            };
            // A parameter may always be null, so `?` says nothing; it is taken off.
            let (data_type, _) = super::symbols::type_and_mark(data_type);
            data_type::check(cx, &data_type, &subject);
            if let Some(value) = &value {
                fit::value(cx, value, &data_type, &subject);
            }
            Some(Param {
                name: name(&entry.key),
                data_type,
                value,
            })
        })
        .collect()
}

/// Says which parameters nothing uses.
pub(super) fn unused(cx: &Context<'_>, params: &[Param], used: &BTreeSet<String>, subject: &str) {
    let places: BTreeMap<&str, Span> = params
        .iter()
        .map(|param| (param.name.as_str(), param.name.at))
        .collect();
    sql::unused(cx, &places, used, subject);
}

fn idempotent_by(
    cx: &Context<'_>,
    node: &Node,
    params: &[Param],
    used: &mut BTreeSet<String>,
    subject: &str,
) -> Option<Name> {
    let key = name_at(node, "idempotent_by")?;
    if !params.iter().any(|param| param.name == key) {
        let all = params.iter().map(|param| param.name.as_str());
        cx.dangling(family::PARAM, &key, subject, all);
    }
    used.insert(key.as_str().to_owned());
    Some(key)
}

fn outcomes(cx: &Context<'_>, node: &Node, subject: &str) -> Vec<Outcome> {
    section(node, &["outcomes"])
        .filter_map(|entry| {
            sqlstate::check(cx, &entry.key, subject);
            Some(Outcome {
                condition: entry.key.clone(),
                named: entry.value.text()?.clone(),
            })
        })
        .collect()
}

fn retry(cx: &Context<'_>, node: &Node, subject: &str) -> Vec<Text> {
    let conditions = texts(node, "retry");
    for condition in &conditions {
        sqlstate::check(cx, condition, subject);
    }
    conditions
}
