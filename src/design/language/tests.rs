//! The table judged by its own examples, and the program's validation against the JSON Schema on every small change to them.

mod messages;
mod patterns;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::schema::{example, reached};
use super::shape::{Key, Object, Rule, Shape};
use super::validate::validate_object;
use super::{CODES, DESIGN, json_schema};
use crate::source::{Entry, Node, NodeKind, SourceMap, Style, Text, parse};

/// Every object of the language.
fn objects() -> Vec<&'static Object> {
    let mut found: Vec<&'static Object> = vec![&DESIGN];
    let mut next = 0;
    while next < found.len() {
        for key in found[next].keys {
            reached(&key.shape, &mut |object| {
                if !found.iter().any(|other| std::ptr::eq(*other, object)) {
                    found.push(object);
                }
            });
        }
        next += 1;
    }
    found
}

fn tree(text: &str) -> (SourceMap, Node) {
    let mut map = SourceMap::new();
    let id = map.add("t", text.to_owned());
    let node = parse(&map, id).unwrap_or_else(|faults| unreachable!("{faults:?} in {text}"));
    (map, node)
}

/// Sets of keys that may stand together: each choice of an alternative once.
fn combinations(object: &'static Object) -> Vec<Vec<&'static Key>> {
    let alternatives: Vec<&[&str]> = object
        .rules
        .iter()
        .filter_map(|rule| match rule {
            Rule::ExactlyOne(names) | Rule::AtMostOne(names) => Some(*names),
            _ => None,
        })
        .collect();
    let most = alternatives
        .iter()
        .map(|names| names.len())
        .max()
        .unwrap_or(1);
    (0..most)
        .map(|turn| {
            let mut keys: Vec<&'static Key> = object.keys.iter().collect();
            for names in &alternatives {
                let kept = names[turn.min(names.len() - 1)];
                let is_there = keys.iter().any(|key| key.name == kept);
                keys.retain(|key| !names.contains(&key.name) || (is_there && key.name == kept));
            }
            // What needs a key that is not there goes too.
            for _ in 0..3 {
                let present: BTreeSet<_> = keys.iter().map(|key| key.name).collect();
                keys.retain(|key| {
                    !object.rules.iter().any(|rule| {
                        matches!(rule, Rule::Needs(name, other) if *name == key.name && !present.contains(other))
                    })
                });
            }
            keys
        })
        .collect()
}

fn written(keys: &[&Key]) -> String {
    keys.iter()
        .map(|key| format!("{}: {}\n", key.name, key.example))
        .collect()
}

#[test]
fn the_table_is_complete() {
    let objects = objects();
    let mut names = BTreeSet::new();
    for object in &objects {
        assert!(
            names.insert(object.name),
            "two objects are called {}",
            object.name
        );
        assert!(object.doc.ends_with('.'), "doc of {}", object.name);
        let mut keys = BTreeSet::new();
        for key in object.keys {
            let place = format!("{}.{}", object.name, key.name);
            assert!(keys.insert(key.name), "{place} twice");
            assert!(
                key.doc.ends_with('.') && key.doc.len() > 3,
                "doc of {place}"
            );
            assert!(!key.example.is_empty(), "example of {place}");
            assert!(example(key).is_some(), "example of {place}");
        }
        for rule in object.rules {
            let names = match rule {
                Rule::ExactlyOne(names) | Rule::AtMostOne(names) | Rule::AnyOf(names) => {
                    names.to_vec()
                }
                Rule::Needs(name, other) => vec![*name, *other],
            };
            for name in names {
                assert!(object.key(name).is_some(), "{}: no key {name}", object.name);
            }
        }
    }
    assert!(objects.len() > 50, "{}", objects.len());
}

#[test]
fn every_code_has_a_page() {
    for about in CODES {
        assert!(about.docs.contains("```yaml"), "{}", about.name);
        assert!(
            about.title.starts_with(char::is_lowercase),
            "{}",
            about.name
        );
        assert!(!about.title.ends_with('.'), "{}", about.name);
    }
}

#[test]
fn every_example_is_valid_for_both() {
    let schema = json_schema();
    for object in objects() {
        let validator = validator(&schema, object);
        for keys in combinations(object) {
            let (map, node) = tree(&written(&keys));
            let said = validate_object(&node, object, &map);
            assert!(said.is_empty(), "{}: {said:#?}", object.name);
            let json = node.to_json();
            let errors: Vec<_> = validator
                .iter_errors(&json)
                .map(|e| format!("{e} at {}", e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", object.name);
        }
    }
}

fn validator(schema: &Value, object: &Object) -> jsonschema::Validator {
    if object.name == DESIGN.name {
        return jsonschema::draft202012::new(schema).expect("the schema is a schema");
    }
    let part = json!({
        "$ref": format!("#/$defs/{}", object.name),
        "$defs": schema["$defs"],
    });
    jsonschema::draft202012::new(&part).expect("the schema is a schema")
}

/// Replaces the value at a path of child numbers.
fn changed(node: &Node, path: &[usize], change: &dyn Fn(&Node) -> Node) -> Node {
    let Some((first, rest)) = path.split_first() else {
        return change(node);
    };
    let mut node = node.clone();
    match &mut node.kind {
        NodeKind::Sequence(items) => items[*first] = changed(&items[*first], rest, change),
        NodeKind::Mapping(entries) => {
            entries[*first].value = changed(&entries[*first].value, rest, change);
        }
        _ => {}
    }
    node
}

fn paths(node: &Node, here: &[usize], found: &mut Vec<Vec<usize>>) {
    found.push(here.to_vec());
    let values: Vec<&Node> = match &node.kind {
        NodeKind::Sequence(items) => items.iter().collect(),
        NodeKind::Mapping(entries) => entries.iter().map(|entry| &entry.value).collect(),
        _ => Vec::new(),
    };
    for (number, value) in values.into_iter().enumerate() {
        let mut path = here.to_vec();
        path.push(number);
        paths(value, &path, found);
    }
}

type Change = (&'static str, Box<dyn Fn(&Node) -> Node>);

/// Small changes to a value.
fn changes() -> Vec<Change> {
    fn with(node: &Node, kind: NodeKind) -> Node {
        Node { at: node.at, kind }
    }
    fn scalar(node: &Node, text: &str, style: Style) -> Node {
        with(node, NodeKind::Scalar(Text::at_once(text, node.at), style))
    }
    fn entry(node: &Node, key: &str) -> Entry {
        Entry {
            key: Text::at_once(key, node.at),
            value: scalar(node, "v", Style::Quoted),
        }
    }
    let mut changes: Vec<Change> = vec![
        ("nothing", Box::new(|n| with(n, NodeKind::Null))),
        (
            "a list of itself",
            Box::new(|n| with(n, NodeKind::Sequence(vec![n.clone()]))),
        ),
        (
            "an empty list",
            Box::new(|n| with(n, NodeKind::Sequence(Vec::new()))),
        ),
        (
            "an empty mapping",
            Box::new(|n| with(n, NodeKind::Mapping(Vec::new()))),
        ),
        (
            "a mapping",
            Box::new(|n| with(n, NodeKind::Mapping(vec![entry(n, "zzz")]))),
        ),
        (
            "a key more",
            Box::new(|n| {
                let mut node = n.clone();
                if let NodeKind::Mapping(entries) = &mut node.kind {
                    entries.push(entry(n, "zzz"));
                }
                node
            }),
        ),
        (
            "an item more",
            Box::new(|n| {
                let mut node = n.clone();
                if let NodeKind::Sequence(items) = &mut node.kind {
                    items.push(with(n, NodeKind::Null));
                }
                node
            }),
        ),
    ];
    for drop in 0..4 {
        changes.push((
            "a key less",
            Box::new(move |n| {
                let mut node = n.clone();
                if let NodeKind::Mapping(entries) = &mut node.kind
                    && drop < entries.len()
                {
                    entries.remove(drop);
                }
                node
            }),
        ));
    }
    for (text, style) in [
        ("zzz", Style::Quoted),
        ("Zz z!", Style::Quoted),
        ("7", Style::Plain),
        ("7", Style::Quoted),
        ("-7", Style::Plain),
        ("0.5", Style::Plain),
        ("1e9", Style::Plain),
        ("99999999", Style::Plain),
        ("true", Style::Plain),
        ("5 days", Style::Quoted),
        ("5%", Style::Quoted),
        ("5k/day", Style::Quoted),
        ("2026-01-01", Style::Plain),
        ("<= 5 of x", Style::Quoted),
        ("<= 5 rows", Style::Quoted),
        ("within 3x", Style::Quoted),
        ("8GB", Style::Quoted),
        ("sort", Style::Quoted),
    ] {
        changes.push((text, Box::new(move |n| scalar(n, text, style))));
    }
    changes
}

#[test]
fn the_program_and_the_schema_agree_on_every_small_change() {
    let schema = json_schema();
    let changes = changes();
    let (mut refused, mut accepted) = (0, 0);
    for object in objects() {
        let validator = validator(&schema, object);
        for keys in combinations(object) {
            let (map, node) = tree(&written(&keys));
            let mut found = Vec::new();
            paths(&node, &[], &mut found);
            // Nested objects have their turn.
            for path in found.iter().filter(|path| path.len() <= 3) {
                for (name, change) in &changes {
                    let node = changed(&node, path, change);
                    if node.is_null() {
                        continue;
                    }
                    let said = validate_object(&node, object, &map);
                    let json = node.to_json();
                    let is_valid = validator.is_valid(&json);
                    assert_eq!(
                        said.is_empty(),
                        is_valid,
                        "{} with {name} at {path:?}: {said:#?} {json:#}",
                        object.name
                    );
                    *(if is_valid {
                        &mut accepted
                    } else {
                        &mut refused
                    }) += 1;
                }
            }
        }
    }
    assert!(refused > 5_000 && accepted > 5_000, "{refused} {accepted}");
}

#[test]
fn every_shape_is_in_use() {
    let mut seen = BTreeSet::new();
    fn note(shape: &Shape, seen: &mut BTreeSet<String>) {
        let name = format!("{shape:?}");
        let end = name.find(['(', ' ']).unwrap_or(name.len());
        seen.insert(name[..end].to_owned());
        match shape {
            Shape::List(inner) | Shape::Pair(inner) | Shape::OneOrMore(inner) => note(inner, seen),
            Shape::Map(_, key, value) => {
                note(key, seen);
                note(value, seen);
            }
            Shape::Either(shapes) => shapes.iter().for_each(|shape| note(shape, seen)),
            _ => {}
        }
    }
    for object in objects() {
        for key in object.keys {
            note(&key.shape, &mut seen);
        }
    }
    for shape in [
        "Text",
        "Sql",
        "Name",
        "Label",
        "Slug",
        "Bool",
        "Integer",
        "Number",
        "Version",
        "Count",
        "Rate",
        "Duration",
        "Share",
        "Date",
        "AtMost",
        "Partitions",
        "Within",
        "PlanNode",
        "Condition",
        "Scalar",
        "Choice",
        "List",
        "Pair",
        "OneOrMore",
        "Map",
        "Object",
        "Either",
        "Any",
    ] {
        assert!(seen.contains(shape), "{shape} is not used");
    }
}
