//! A node tree against the table of the language: every fault of shape, word and range, in one run.
//!
//! Names that become PostgreSQL's are judged by `resolve`, which knows what they name.

use std::collections::BTreeSet;

use super::codes;
use super::scalar::{is_label, quoted};
use super::sections::DESIGN;
use super::shape::{Object, Rule, Shape};
use super::unknown;
use crate::finding::Finding;
use crate::source::{Entry, Node, NodeKind, SourceMap, Span, Text};

/// Everything that is wrong with a design as a tree of keys and values, in the order of the text.
pub fn validate(root: &Node, map: &SourceMap) -> Vec<Finding> {
    let mut judge = Judge {
        map,
        findings: Vec::new(),
        path: Vec::new(),
        parents: Vec::new(),
        key: "",
    };
    judge.root(root);
    let mut findings = judge.findings;
    findings.sort_by_key(|finding| {
        finding
            .labels
            .first()
            .map(|label| (label.at.source, label.at.start))
    });
    findings
}

/// A mapping against one object of the table.
#[cfg(test)]
pub(super) fn validate_object(
    node: &Node,
    object: &'static Object,
    map: &SourceMap,
) -> Vec<Finding> {
    let mut judge = Judge {
        map,
        findings: Vec::new(),
        path: Vec::new(),
        parents: Vec::new(),
        key: "",
    };
    match std::ptr::eq(object, &DESIGN) {
        true => judge.root(node),
        false if matches!(node.kind, NodeKind::Mapping(_)) => {
            judge.object(node, object, start(node.at))
        }
        false => judge.error(codes::WRONG_TYPE, "expected a mapping", node.at, ""),
    }
    judge.findings
}

pub(super) struct Judge<'a> {
    pub(super) map: &'a SourceMap,
    findings: Vec<Finding>,
    /// Where in the design, in its own words: `table orders`, `column id`.
    path: Vec<String>,
    /// The objects around the present one, the nearest last.
    pub(super) parents: Vec<&'static Object>,
    /// The key whose value is looked at.
    pub(super) key: &'static str,
}

impl<'a> Judge<'a> {
    fn root(&mut self, root: &Node) {
        if !matches!(root.kind, NodeKind::Mapping(_)) {
            let message = format!("a design is a mapping of keys, this is {}", root.noun());
            let finding = Finding::error(codes::WRONG_TYPE, "design", message, start(root.at))
                .help("start with `pgproof: 1` and `design: NAME`");
            return self.findings.push(finding);
        }
        if let Some(version) = root.get("pgproof")
            && version.as_i64() != Some(1)
        {
            return self.version(version);
        }
        self.object(root, &DESIGN, start(root.at));
    }

    /// A design in a language that is not known is not judged any further.
    fn version(&mut self, node: &Node) {
        let message = format!("language version {} is not known", self.found(node));
        let help = "write `pgproof: 1`, or use a newer pgproof";
        self.error(codes::UNSUPPORTED_VERSION, message, node.at, help);
    }

    pub(super) fn error(
        &mut self,
        code: &str,
        message: impl Into<String>,
        at: Span,
        help: impl Into<String>,
    ) {
        let finding = Finding::error(code, self.subject(), message, at);
        let help = help.into();
        self.findings.push(match help.is_empty() {
            true => finding,
            false => finding.help(help),
        });
    }

    fn subject(&self) -> String {
        match self.path.as_slice() {
            [] => "design".to_owned(),
            path => path.join(" / "),
        }
    }

    fn within(&mut self, segment: String, inner: impl FnOnce(&mut Self)) {
        self.path.push(segment);
        inner(self);
        self.path.pop();
    }

    /// What is there, for a message.
    pub(super) fn found(&self, node: &Node) -> String {
        match (&node.kind, node.text()) {
            (_, Some(text)) => quoted(text),
            _ => node.noun().to_owned(),
        }
    }

    pub(super) fn wrong_type(&mut self, node: &Node, shape: &Shape, help: &str) {
        let message = format!("expected {}, found {}", shape.words(), self.found(node));
        let is_flow = self.map.snippet(node.at).starts_with(['{', '[']);
        let help = match (help, shape) {
            ("", Shape::Text | Shape::Sql(_) | Shape::Condition | Shape::Scalar) if is_flow => {
                "put the value in quotes if it is meant to start with a bracket"
            }
            (help, _) => help,
        };
        self.error(codes::WRONG_TYPE, message, node.at, help);
    }

    /// A value that is there.
    fn value(&mut self, node: &Node, shape: &'static Shape, at: Span) {
        match shape {
            Shape::Any => {}
            Shape::Object(object) => match node.kind {
                NodeKind::Mapping(_) | NodeKind::Null => self.object(node, object, at),
                _ => self.wrong_type(node, shape, ""),
            },
            Shape::Map(noun, key, value) => match node.kind {
                NodeKind::Mapping(_) => self.entries(node, noun, key, value),
                NodeKind::Null => {}
                _ => self.wrong_type(node, shape, ""),
            },
            Shape::List(item) | Shape::Pair(item) => self.list(node, shape, item),
            Shape::OneOrMore(item) => match node.kind {
                NodeKind::Sequence(_) => self.items(node, item),
                NodeKind::Null => {}
                NodeKind::Mapping(_) if !item.takes_mapping() => self.wrong_type(node, shape, ""),
                _ => self.value(node, item, at),
            },
            Shape::Either(shapes) => self.either(node, shape, shapes, at),
            _ => match &node.kind {
                NodeKind::Scalar(text, _) => self.scalar(node, text, shape),
                NodeKind::Null if matches!(shape, Shape::Scalar) => {}
                _ => self.wrong_type(node, shape, ""),
            },
        }
    }

    fn list(&mut self, node: &Node, shape: &'static Shape, item: &'static Shape) {
        match &node.kind {
            NodeKind::Null => {}
            NodeKind::Sequence(items) if matches!(shape, Shape::Pair(_)) && items.len() != 2 => {
                let message = format!("expected two values, found {}", items.len());
                self.error(codes::WRONG_TYPE, message, node.at, "write `[FIRST, LAST]`");
            }
            NodeKind::Sequence(_) => self.items(node, item),
            _ => {
                let help = match node.kind {
                    NodeKind::Scalar(..) => "put it in brackets: `[…]`",
                    _ => "start each entry with a dash",
                };
                self.wrong_type(node, shape, help);
            }
        }
    }

    fn items(&mut self, node: &Node, item: &'static Shape) {
        let key = self.key;
        for (number, value) in node.items().iter().enumerate() {
            if value.is_null() && !item.takes_null() {
                self.wrong_type(value, item, "");
            } else if matches!(item, Shape::Object(_)) {
                let at = value
                    .entries()
                    .first()
                    .map_or(value.at, |entry| entry.key.at());
                let segment = format!("{} {}", key.replace('_', " "), number + 1);
                self.within(segment, |judge| judge.value(value, item, at));
            } else {
                self.value(value, item, value.at);
            }
        }
    }

    fn entries(&mut self, node: &Node, noun: &str, key: &Shape, value: &'static Shape) {
        // A role is a role: that it stands under `security:` need not be said.
        let is_in_section = matches!(self.path.as_slice(), [only] if DESIGN.key(only).is_some());
        let around = match is_in_section {
            true => std::mem::take(&mut self.path),
            false => Vec::new(),
        };
        for entry in node.entries() {
            let segment = format!("{noun} {}", entry.key);
            self.within(segment, |judge| {
                judge.entry_name(&entry.key, noun, key);
                if entry.value.is_null()
                    && !value.takes_null()
                    && !matches!(value, Shape::Object(_))
                {
                    let message = format!("expected {}, found nothing", value.words());
                    judge.error(
                        codes::WRONG_TYPE,
                        message,
                        entry.key.at(),
                        "write a value after the colon",
                    );
                } else {
                    judge.value(&entry.value, value, entry.key.at());
                }
            });
        }
        if is_in_section {
            self.path = around;
        }
    }

    /// The name of an entry. Names of PostgreSQL's are judged by `resolve`.
    fn entry_name(&mut self, key: &Text, noun: &str, shape: &Shape) {
        let name = key.as_str();
        match shape {
            Shape::Label(_) if !is_label(name) => {
                let message = format!("`{name}` is no name for {}", an(noun));
                let help = "begin with a letter; then letters, digits, `-`, `_` and `.`, no blanks";
                self.error(codes::BAD_NAME, message, key.at(), help);
            }
            Shape::Choice(words) => self.choice(name, key.at(), words, noun),
            _ => {}
        }
    }

    fn either(&mut self, node: &Node, whole: &Shape, shapes: &'static [Shape], at: Span) {
        let fitting: Vec<_> = shapes.iter().filter(|shape| shape.fits(node)).collect();
        let before = self.findings.len();
        for (number, shape) in fitting.iter().enumerate() {
            self.value(node, shape, at);
            if self.findings.len() == before || number + 1 == fitting.len() {
                return;
            }
            self.findings.truncate(before);
        }
        if !node.is_null() {
            self.wrong_type(node, whole, "");
        }
    }

    /// `at`: the key that the object stands under.
    fn object(&mut self, node: &Node, object: &'static Object, at: Span) {
        self.parents.push(object);
        let mut meant = BTreeSet::new();
        for entry in node.entries() {
            match object.key(entry.key.as_str()) {
                Some(key) => self.keyed(entry, key),
                None => {
                    let Some(key) = unknown::key(self, node, entry, object) else {
                        continue;
                    };
                    // What stands under a misspelt key is judged as it was meant.
                    if unknown::is_misspelt(entry, key) {
                        self.keyed(entry, key);
                    }
                    meant.insert(key.name);
                }
            }
        }
        let has = |name: &str| node.get(name).is_some_and(|value| !value.is_null());
        for key in object.keys.iter().filter(|key| key.is_required) {
            if !has(key.name) && !meant.contains(key.name) {
                let at = node.entry(key.name).map_or(at, |entry| entry.key.at());
                let help = match key.example {
                    "" => format!("add `{}:`", key.name),
                    example => format!("add it, such as `{}: {example}`", key.name),
                };
                self.error(
                    codes::MISSING_KEY,
                    format!("`{}` is missing", key.name),
                    at,
                    help,
                );
            }
        }
        for rule in object.rules {
            self.rule(node, rule, &meant, at);
        }
        self.parents.pop();
    }

    fn keyed(&mut self, entry: &Entry, key: &'static super::shape::Key) {
        if entry.value.is_null() {
            return;
        }
        let before = self.key;
        self.key = key.name;
        match (&key.shape, &entry.value.kind) {
            (Shape::Object(_) | Shape::Either(_), NodeKind::Mapping(_)) => {
                let segment = key.name.replace('_', " ");
                self.within(segment, |judge| {
                    judge.value(&entry.value, &key.shape, entry.key.at())
                });
            }
            _ => self.value(&entry.value, &key.shape, entry.key.at()),
        }
        self.key = before;
    }

    fn rule(&mut self, node: &Node, rule: &Rule, meant: &BTreeSet<&str>, at: Span) {
        let given = |names: &[&str]| -> Vec<&Entry> {
            node.entries()
                .iter()
                .filter(|entry| names.contains(&entry.key.as_str()) && !entry.value.is_null())
                .collect()
        };
        let is_meant = |names: &[&str]| names.iter().any(|name| meant.contains(name));
        match rule {
            Rule::ExactlyOne(names) | Rule::AtMostOne(names) | Rule::AnyOf(names) => {
                let found = given(names);
                let may_lack = matches!(rule, Rule::AtMostOne(_)) || is_meant(names);
                match found.as_slice() {
                    [] if !may_lack => {
                        let message = format!("one of {} is missing", any_of(names));
                        self.error(codes::MISSING_KEY, message, at, "add the one that is meant");
                    }
                    [first, more @ ..] if !matches!(rule, Rule::AnyOf(_)) => {
                        for second in more {
                            self.conflict(first, second);
                        }
                    }
                    _ => {}
                }
            }
            Rule::Needs(name, other) => {
                if let ([entry], []) = (given(&[name]).as_slice(), given(&[other]).as_slice())
                    && !meant.contains(other)
                {
                    let message = format!("`{name}` says nothing without `{other}`");
                    let help = format!("add `{other}:` beside it");
                    self.error(codes::MISSING_KEY, message, entry.key.at(), help);
                }
            }
        }
    }

    fn conflict(&mut self, first: &Entry, second: &Entry) {
        let message = format!("`{}` and `{}` exclude each other", first.key, second.key);
        let finding = Finding::error(
            codes::CONFLICTING_KEYS,
            self.subject(),
            message,
            second.key.at(),
        )
        .label(first.key.at(), "the other one")
        .help("keep one of the two; what both say takes two entries");
        self.findings.push(finding);
    }
}

/// The first character of a place: for faults of a whole that would otherwise mark all of it.
fn start(at: Span) -> Span {
    Span::new(at.source, at.start, at.end.min(at.start + 1))
}

fn an(noun: &str) -> String {
    match noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => format!("an {noun}"),
        false => format!("a {noun}"),
    }
}

fn any_of(names: &[&'static str]) -> String {
    let names: Vec<_> = names.iter().map(|name| (*name, "")).collect();
    super::shape::one_of(&names)
}
