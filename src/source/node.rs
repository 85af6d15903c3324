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
    /// Where it stands; of a mapping or sequence from its first to its last child.
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
