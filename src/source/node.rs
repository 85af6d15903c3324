//! A YAML document as a tree in which every key and value has its place.

use super::span::Span;
use super::text::Text;

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: `null`, `true` and numbers mean what they look like.
    Plain,
    /// Quoted, or a block: always text.
    Quoted,
}

/// One key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, as text.
    pub key: Text,
    /// The value.
    pub value: Node,
}

/// A value.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands; of a mapping or list from bracket to bracket, or from its first to its last child.
    pub at: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Empty, `~` or `null`.
    Null,
    /// Text, number or boolean: what it is meant to be is the reader's to say.
    Scalar(Text, Style),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys in order; keys are unique (a duplicate is a fault of the file).
    Mapping(Vec<Entry>),
}

impl Node {
    /// The value of a key; `None` where this is no mapping or has no such key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Key and value; `None` where this is no mapping or has no such key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()
            .iter()
            .find(|entry| entry.key.as_str() == key)
    }

    /// Keys and values; empty where this is no mapping.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// Items; empty where this is no sequence.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// A list's items, or the one value that stands for a list of one; empty for null.
    pub fn one_or_more(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            NodeKind::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The scalar's text, however it was written.
    pub fn text(&self) -> Option<&Text> {
        match &self.kind {
            NodeKind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The scalar's characters.
    pub fn as_str(&self) -> Option<&str> {
        self.text().map(Text::as_str)
    }

    /// `true` and `false`, plain.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            NodeKind::Scalar(text, Style::Plain) => match text.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A plain number (YAML 1.2: `12`, `-3`, `0.5`, `1e3`, `0x1f`, `0o17`).
    pub fn as_f64(&self) -> Option<f64> {
        match self.to_json() {
            serde_json::Value::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// A plain whole number.
    pub fn as_i64(&self) -> Option<i64> {
        match self.to_json() {
            serde_json::Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The value as data: numbers and booleans by plain style, everything else as text.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Scalar(text, Style::Quoted) => Value::from(text.as_str()),
            NodeKind::Scalar(text, Style::Plain) => match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                other => number(other).map_or_else(|| Value::from(other), Value::Number),
            },
            NodeKind::Sequence(items) => items.iter().map(Node::to_json).collect(),
            NodeKind::Mapping(entries) => entries
                .iter()
                .map(|entry| (entry.key.as_str().to_owned(), entry.value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Whether nothing is there.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    /// What people call it.
    pub fn noun(&self) -> &'static str {
        match &self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Scalar(..) => "a single value",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a mapping",
        }
    }
}

/// A plain scalar that YAML 1.2 calls a number. Infinities have no place in a design and stay text.
fn number(text: &str) -> Option<serde_json::Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let is_unsigned = digits.bytes().all(|b| b.is_ascii_alphanumeric());
            return is_unsigned
                .then(|| u64::from_str_radix(digits, radix).ok())
                .flatten()
                .map(serde_json::Number::from);
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = unsigned.strip_prefix('.').unwrap_or(unsigned);
    let is_numeric = starts.starts_with(|c: char| c.is_ascii_digit())
        && unsigned
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    if !is_numeric {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    text.parse::<f64>()
        .ok()
        .and_then(serde_json::Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    #[test]
    fn plain_scalars_become_what_they_look_like() {
        let mut map = SourceMap::new();
        let at = Span::new(map.add("t", String::new()), 0, 0);
        let json = |text: &str, style| {
            let kind = NodeKind::Scalar(Text::at_once(text, at), style);
            Node { at, kind }.to_json()
        };
        for (text, wanted) in [
            ("12", serde_json::json!(12)),
            ("+12", serde_json::json!(12)),
            ("-3", serde_json::json!(-3)),
            ("0.5", serde_json::json!(0.5)),
            (".5", serde_json::json!(0.5)),
            ("1e3", serde_json::json!(1000.0)),
            ("0x1f", serde_json::json!(31)),
            ("0o17", serde_json::json!(15)),
            ("true", serde_json::json!(true)),
            ("yes", serde_json::json!("yes")),
            ("2026-01-02", serde_json::json!("2026-01-02")),
            ("1.2.3", serde_json::json!("1.2.3")),
            (".inf", serde_json::json!(".inf")),
            ("5M", serde_json::json!("5M")),
            ("-", serde_json::json!("-")),
        ] {
            assert_eq!(json(text, Style::Plain), wanted, "{text}");
            assert_eq!(json(text, Style::Quoted), serde_json::json!(text));
        }
    }
}
