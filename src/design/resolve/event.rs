//! `events:`.

use super::super::model::{Event, Name};
use super::context::{Context, family};
use super::symbols::section;
use super::value::{name, names, texts, textual};
use super::{claim, data_type};
use crate::source::{Entry, Node, Text};

/// `events:`.
pub(super) fn events(cx: &Context<'_>, root: &Node) -> Vec<Event> {
    section(root, &["events"])
        .map(|entry| event(cx, entry))
        .collect()
}

fn event(cx: &Context<'_>, entry: &Entry) -> Event {
    let subject = &format!("event {}", entry.key);
    let node = &entry.value;
    let by = names(node, "by");
    cx.distinct(&by, "command", subject);
    for command in &by {
        claim::command_known(cx, command, subject);
    }
    let payload = payload(cx, node, subject);
    let key = names(node, "key");
    cx.distinct(&key, "field", subject);
    if !payload.is_empty() {
        for field in &key {
            if !payload.iter().any(|(known, _)| known == field) {
                let all = payload.iter().map(|(known, _)| known.as_str());
                cx.dangling(family::PAYLOAD, field, subject, all);
            }
        }
    }
    Event {
        name: name(&entry.key),
        by,
        payload,
        key,
        consumers: texts(node, "consumers"),
    }
}

fn payload(cx: &Context<'_>, node: &Node, subject: &str) -> Vec<(Name, Text)> {
    section(node, &["payload"])
        .filter_map(|entry| {
            let (data_type, _) = super::symbols::type_and_mark(textual(&entry.value)?);
            data_type::check(cx, &data_type, &format!("{subject} / field {}", entry.key));
            Some((name(&entry.key), data_type))
        })
        .collect()
}
