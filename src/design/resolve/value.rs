//! Small readers of nodes. A node of the wrong shape reads as absent: validation has said so.

use super::super::model::Name;
use crate::source::{Node, Text};
use crate::sql::Ident;

/// A text as a name.
pub(super) fn name(text: &Text) -> Name {
    Name {
        ident: Ident::new(text.as_str()),
        at: text.at(),
    }
}

/// The scalar under a key.
pub(super) fn text(node: &Node, key: &str) -> Option<Text> {
    node.get(key)?.text().cloned()
}

/// The scalar of a node that is meant as a name or a type: text. A number or a boolean is none, which validation says.
pub(super) fn textual(node: &Node) -> Option<&Text> {
    node.text().filter(|_| node.to_json().is_string())
}

/// The scalar under a key, as a name.
pub(super) fn name_at(node: &Node, key: &str) -> Option<Name> {
    textual(node.get(key)?).map(name)
}

/// The SQL under a key.
pub(super) fn sql_at(node: &Node, key: &str) -> Option<Text> {
    textual(node.get(key)?).cloned()
}

/// The scalars under a key: a list, or one that stands for a list of one.
pub(super) fn texts(node: &Node, key: &str) -> Vec<Text> {
    node.get(key).map(items).unwrap_or_default()
}

/// The scalars of a list, or the one scalar.
pub(super) fn items(node: &Node) -> Vec<Text> {
    node.one_or_more()
        .iter()
        .filter_map(|item| item.text().cloned())
        .collect()
}

/// The names under a key.
pub(super) fn names(node: &Node, key: &str) -> Vec<Name> {
    node.get(key).map(names_of).unwrap_or_default()
}

/// The names of a list, or the one name.
pub(super) fn names_of(node: &Node) -> Vec<Name> {
    let items = node.one_or_more().iter();
    items.filter_map(textual).map(name).collect()
}

/// `true` or `false` under a key.
pub(super) fn flag(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::as_bool).unwrap_or(false)
}

/// The scalar under a key as one of a closed set of words; blanks, `_` and `-` are alike, as is the case of letters.
pub(super) fn word<T: Copy>(node: &Node, key: &str, words: &[(&str, T)]) -> Option<T> {
    word_of(node.get(key)?.as_str()?, words)
}

/// One of a closed set of words.
pub(super) fn word_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Option<T> {
    let plain = text.to_ascii_lowercase().replace(['-', ' '], "_");
    words
        .iter()
        .find(|(word, _)| *word == plain)
        .map(|(_, value)| *value)
}

/// The scalar under a key through one of the language's value parsers.
pub(super) fn parsed<T>(
    node: &Node,
    key: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    parse(node.get(key)?.as_str()?).ok()
}
