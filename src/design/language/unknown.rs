//! A key that the language does not have: what was probably meant.

use super::super::nearest::nearest;
use super::codes;
use super::shape::{Key, Object, Shape};
use super::validate::Judge;
use crate::source::{Entry, Node};

/// What people write who know another tool, and what it is called here.
const OTHER_TONGUES: &[(&str, &str)] = &[
    ("primary_key", "key"),
    ("pk", "key"),
    ("foreign_keys", "references"),
    ("foreign_key", "references"),
    ("fk", "references"),
    ("constraints", "checks"),
    ("exclusions", "exclude"),
    ("partition_by", "partition"),
    ("partitioning", "partition"),
    ("description", "means"),
    ("comment", "means"),
    ("doc", "means"),
    ("fields", "columns"),
    ("attributes", "columns"),
    ("table", "in"),
    ("group_by", "per"),
    ("predicate", "where"),
    ("condition", "where"),
    ("expression", "is"),
    ("reason", "because"),
    ("null", "nullable"),
    ("not_null", "nullable"),
    ("required", "nullable"),
    ("pii", "sensitivity"),
    ("statement", "sql"),
    ("query", "sql"),
    ("parameters", "params"),
    ("args", "params"),
    ("errors", "outcomes"),
    ("events", "emits"),
    ("isolation_level", "isolation"),
    ("frequency", "runs"),
    ("latency", "within"),
    ("method", "using"),
    ("covering", "include"),
    ("references_table", "to"),
    ("renamed_from", "was"),
    ("old_name", "was"),
];

/// Reports a key that `object` does not have, and gives the one that was meant, if that is clear.
pub(super) fn key(
    judge: &mut Judge<'_>,
    node: &Node,
    entry: &Entry,
    object: &'static Object,
) -> Option<&'static Key> {
    let name = entry.key.as_str();
    let (help, meant) = help(judge, node, entry, object);
    let message = format!("unknown key `{name}`");
    judge.error(codes::UNKNOWN_KEY, message, entry.key.at(), help);
    meant
}

fn help(
    judge: &Judge<'_>,
    node: &Node,
    entry: &Entry,
    object: &'static Object,
) -> (String, Option<&'static Key>) {
    let name = entry.key.as_str();
    let is_empty = entry.value.is_null() && entry.value.at.start == entry.value.at.end;
    if is_empty && judge.map.snippet(node.at).starts_with('{') {
        let help = "a comma inside braces starts a new key: put the value before it in quotes";
        return (help.to_owned(), None);
    }
    let plain = name.replace('-', "_");
    if let Some(key) = object.key(&plain) {
        return (format!("it is written `{}`", key.name), Some(key));
    }
    let above = judge.parents.iter().rev().skip(1);
    if let Some(parent) = above.copied().find(|parent| parent.key(name).is_some()) {
        let noun = parent.name.replace('_', " ");
        return (
            format!("it belongs to the {noun} around it: indent it less"),
            None,
        );
    }
    if let Some(inside) = object.keys.iter().find(|key| holds(&key.shape, name)) {
        return (format!("it belongs inside `{}:`", inside.name), None);
    }
    let translated = OTHER_TONGUES
        .iter()
        .filter(|(other, _)| *other == plain)
        .find_map(|(_, ours)| object.key(ours));
    if let Some(key) = translated {
        return (format!("here it is called `{}`", key.name), Some(key));
    }
    let names = object.keys.iter().map(|key| key.name);
    if let Some(near) = nearest(name, names.clone()) {
        return (format!("did you mean `{near}`?"), object.key(near));
    }
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    (format!("known here: {}", names.join(", ")), None)
}

/// Whether a key differs from the one that was meant by a slip, not by another tool's habits.
pub(super) fn is_misspelt(entry: &Entry, meant: &Key) -> bool {
    nearest(entry.key.as_str(), [meant.name]).is_some()
}

/// Whether a value of this shape is a mapping with such a key.
fn holds(shape: &Shape, name: &str) -> bool {
    match shape {
        Shape::Object(object) => object.key(name).is_some(),
        Shape::Either(shapes) => shapes.iter().any(|shape| holds(shape, name)),
        _ => false,
    }
}
