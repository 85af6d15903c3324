//! The JSON Schema of a design, for completion, hover and validation in editors.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::grammar;
use super::sections::DESIGN;
use super::shape::{Key, Object, Rule, Shape, Sql, Word};
use crate::source::{SourceMap, parse};

/// The JSON Schema (draft 2020-12) of a design.
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    define(&DESIGN, &mut BTreeSet::new(), &mut definitions);
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("$id".to_owned(), json!("urn:pgproof:design:1"));
    schema.insert("title".to_owned(), json!("pgproof design"));
    if let Some(Value::Object(root)) = definitions.remove(DESIGN.name) {
        schema.extend(root);
    }
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

/// Adds an object and all it reaches.
fn define(
    object: &'static Object,
    seen: &mut BTreeSet<&'static str>,
    definitions: &mut Map<String, Value>,
) {
    if !seen.insert(object.name) {
        return;
    }
    definitions.insert(object.name.to_owned(), of_object(object));
    for key in object.keys {
        reached(&key.shape, &mut |inner| define(inner, seen, definitions));
    }
}

/// Calls `visit` with each object in a shape.
pub(super) fn reached(shape: &'static Shape, visit: &mut dyn FnMut(&'static Object)) {
    match shape {
        Shape::Object(object) => visit(object),
        Shape::List(inner) | Shape::Pair(inner) | Shape::OneOrMore(inner) => reached(inner, visit),
        Shape::Map(_, key, value) => {
            reached(key, visit);
            reached(value, visit);
        }
        Shape::Either(shapes) => shapes.iter().for_each(|shape| reached(shape, visit)),
        _ => {}
    }
}

fn of_object(object: &'static Object) -> Value {
    let properties: Map<_, _> = object
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": plain(object.doc),
        "markdownDescription": object.doc,
        "additionalProperties": false,
        "properties": properties,
    });
    let required: Vec<_> = object
        .keys
        .iter()
        .filter(|key| key.is_required)
        .map(|key| key.name)
        .collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    let rules: Vec<_> = object.rules.iter().flat_map(of_rule).collect();
    if !rules.is_empty() {
        schema["allOf"] = json!(rules);
    }
    schema
}

fn of_rule(rule: &Rule) -> Vec<Value> {
    match rule {
        Rule::ExactlyOne(names) => {
            vec![json!({ "oneOf": names.iter().map(|name| given(name)).collect::<Vec<_>>() })]
        }
        Rule::AnyOf(names) => {
            vec![json!({ "anyOf": names.iter().map(|name| given(name)).collect::<Vec<_>>() })]
        }
        Rule::AtMostOne(names) => names
            .iter()
            .enumerate()
            .flat_map(|(i, first)| {
                names[i + 1..]
                    .iter()
                    .map(move |second| json!({ "not": { "allOf": [given(first), given(second)] } }))
            })
            .collect(),
        Rule::Needs(name, other) => vec![json!({ "if": given(name), "then": given(other) })],
    }
}

/// The key is there, and not as nothing.
fn given(name: &str) -> Value {
    json!({ "required": [name], "properties": { name: { "not": { "type": "null" } } } })
}

fn property(key: &'static Key) -> Value {
    let schema = of_shape(&key.shape);
    let mut schema = if key.is_required {
        schema
    } else {
        or_null(schema)
    };
    schema["description"] = json!(plain(key.doc));
    let mut markdown = key.doc.to_owned();
    for (word, meaning) in words(&key.shape) {
        markdown.push_str(&format!("\n- `{word}`: {meaning}"));
    }
    if !key.example.is_empty() {
        markdown.push_str(&format!("\n\n```yaml\n{}: {}\n```", key.name, key.example));
        if let Some(example) = example(key) {
            schema["examples"] = json!([example]);
        }
    }
    schema["markdownDescription"] = json!(markdown);
    schema
}

/// A description for readers without Markdown.
fn plain(doc: &str) -> String {
    doc.replace('`', "'")
}

/// The words of a choice, however deep in the shape.
pub(super) fn words(shape: &Shape) -> &'static [Word] {
    match shape {
        Shape::Choice(words) => words,
        Shape::List(inner) | Shape::OneOrMore(inner) => words(inner),
        Shape::Map(_, key, value) => match words(key) {
            [] => words(value),
            found => found,
        },
        Shape::Either(shapes) => shapes
            .iter()
            .map(words)
            .find(|w| !w.is_empty())
            .unwrap_or(&[]),
        _ => &[],
    }
}

/// The example of a key as data.
pub(super) fn example(key: &Key) -> Option<Value> {
    let mut map = SourceMap::new();
    let id = map.add("example", format!("value: {}", key.example));
    Some(parse(&map, id).ok()?.get("value")?.to_json())
}

fn of_shape(shape: &'static Shape) -> Value {
    if let Some(pattern) = grammar::pattern(shape) {
        return grammatical(shape, &pattern);
    }
    match shape {
        Shape::Text | Shape::Condition | Shape::Sql(Sql::Expression) => {
            json!({ "type": ["string", "number", "boolean"] })
        }
        Shape::Sql(_) | Shape::Name(_) | Shape::Label(_) => json!({ "type": "string" }),
        Shape::Slug => json!({ "type": "string", "pattern": "^[a-z][a-z0-9-]*$" }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Integer(low, high) if *high == i64::MAX => {
            json!({ "type": "integer", "minimum": low })
        }
        Shape::Integer(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Shape::Number(low, high) if *high == f64::MAX => {
            json!({ "type": "number", "minimum": low })
        }
        Shape::Number(low, high) => json!({ "type": "number", "minimum": low, "maximum": high }),
        Shape::Version => json!({ "enum": [1] }),
        Shape::Scalar => json!({ "type": ["string", "number", "boolean", "null"] }),
        Shape::Choice(words) => choice(words),
        Shape::List(item) => json!({ "type": "array", "items": in_list(item) }),
        Shape::Pair(item) => {
            json!({ "type": "array", "items": in_list(item), "minItems": 2, "maxItems": 2 })
        }
        Shape::OneOrMore(item) => json!({
            "anyOf": [of_shape(item), { "type": "array", "items": in_list(item) }]
        }),
        Shape::Map(_, key, value) => mapping(key, value),
        Shape::Object(object) => json!({ "$ref": format!("#/$defs/{}", object.name) }),
        Shape::Either(shapes) => {
            json!({ "anyOf": shapes.iter().map(of_shape).collect::<Vec<_>>() })
        }
        _ => json!({}),
    }
}

fn in_list(item: &'static Shape) -> Value {
    match item.takes_null() {
        true => or_null(of_shape(item)),
        false => of_shape(item),
    }
}

fn mapping(key: &'static Shape, value: &'static Shape) -> Value {
    let names = match key {
        Shape::Name(_) => json!({ "maxLength": 63 }),
        Shape::Label(_) => json!({ "pattern": r"^\p{L}[\p{L}\p{N}_.-]*$" }),
        Shape::Choice(words) => choice(words),
        _ => Value::Null,
    };
    let mut schema = json!({ "type": "object", "additionalProperties": in_list(value) });
    if !names.is_null() {
        schema["propertyNames"] = names;
    }
    if let Shape::Choice(words) = key {
        // Completion offers properties, not names.
        let properties: Map<_, _> = words
            .iter()
            .map(|(word, meaning)| {
                let mut known = in_list(value);
                known["description"] = json!(meaning);
                ((*word).to_owned(), known)
            })
            .collect();
        schema["properties"] = Value::Object(properties);
    }
    schema
}

/// Words with blanks may be written with `_` too.
fn choice(words: &[Word]) -> Value {
    let spelled = |(word, meaning): &Word| -> Vec<(String, &'static str)> {
        let mut forms = vec![((*word).to_owned(), *meaning)];
        for other in [word.replace(' ', "_"), word.replace('_', " ")] {
            if other != *word {
                forms.push((other, *meaning));
            }
        }
        forms
    };
    let (forms, meanings): (Vec<_>, Vec<_>) = words.iter().flat_map(spelled).unzip();
    json!({ "enum": forms, "enumDescriptions": meanings })
}

fn grammatical(shape: &Shape, pattern: &str) -> Value {
    let Some((low, high)) = grammar::number(shape) else {
        return json!({ "type": "string", "pattern": pattern });
    };
    let mut schema = json!({ "type": ["string", "number"], "pattern": pattern, "minimum": low });
    if high != f64::MAX {
        schema["maximum"] = json!(high);
    }
    schema
}

/// Nothing is as good as an absent key.
fn or_null(mut schema: Value) -> Value {
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
        if let Some(meanings) = schema
            .get_mut("enumDescriptions")
            .and_then(Value::as_array_mut)
        {
            meanings.push(json!("as if absent"));
        }
        return schema;
    }
    if let Some(shapes) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        shapes.push(json!({ "type": "null" }));
        return schema;
    }
    if schema.get("$ref").is_some() {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) => {
            if !types.contains(&json!("null")) {
                types.push(json!("null"));
            }
            schema
        }
        Some(Value::String(only)) => {
            let only = std::mem::take(only);
            schema["type"] = json!([only, "null"]);
            schema
        }
        _ => schema,
    }
}
