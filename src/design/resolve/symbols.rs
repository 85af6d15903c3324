//! What the design declares: noted first, so that every later pass can look names up without searching.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::Name;
use super::value::{name, textual};
use crate::source::{Entry, Node, NodeKind, Span, Text};

/// What the design declares, by name.
#[derive(Default)]
pub(super) struct Symbols<'a> {
    /// `tables:`.
    pub(super) tables: BTreeMap<&'a str, TableSymbol<'a>>,
    /// `types:`.
    pub(super) types: BTreeMap<&'a str, &'a Node>,
    /// `database.extensions`.
    pub(super) extensions: Vec<&'a str>,
    /// The design's schema.
    pub(super) schema: String,
    /// `views:`, with their columns where the text of a view tells them.
    pub(super) views: BTreeMap<&'a str, Option<Vec<String>>>,
    /// `routines:`.
    pub(super) routines: BTreeSet<&'a str>,
    /// `commands:`.
    pub(super) commands: BTreeMap<&'a str, &'a Node>,
    /// `queries:`.
    pub(super) queries: BTreeSet<&'a str>,
    /// `invariants:`.
    pub(super) invariants: BTreeSet<&'a str>,
    /// `projections:`.
    pub(super) projections: BTreeMap<&'a str, &'a Node>,
    /// Columns of projections, where they are told.
    pub(super) projected: BTreeMap<&'a str, Option<Vec<String>>>,
    /// `events:`; `None` where the design has no such section and names of events are free.
    pub(super) events: Option<BTreeSet<&'a str>>,
    /// `process.actors`; `None` where the design has none and names of actors are free.
    pub(super) actors: Option<BTreeSet<&'a str>>,
    /// `security.roles`.
    pub(super) roles: BTreeSet<&'a str>,
    /// Everything a plan can name as an index.
    pub(super) indexes: BTreeSet<String>,
    /// Beginnings of names that invariants without `as` give to their indexes: `TABLE_INVARIANT_`.
    pub(super) derived: Vec<String>,
    /// Pairs of tables that an invariant of kind `references` joins.
    pub(super) claimed: BTreeSet<(&'a str, &'a str)>,
}

/// A declared table.
pub(super) struct TableSymbol<'a> {
    /// Its name.
    pub(super) name: Name,
    /// What is written.
    pub(super) node: &'a Node,
    /// Its columns.
    pub(super) columns: BTreeMap<&'a str, ColumnSymbol>,
    /// Its primary key.
    pub(super) key: Vec<Name>,
}

/// A declared column.
pub(super) struct ColumnSymbol {
    /// Its name.
    pub(super) name: Name,
    /// Its type, without the `?`.
    pub(super) data_type: Option<Text>,
    /// Whether it may be null.
    pub(super) nullable: bool,
    /// `one_of`, where the column has it.
    pub(super) one_of: Vec<Text>,
}

impl<'a> Symbols<'a> {
    /// Notes what a design declares.
    pub(super) fn of(root: &'a Node) -> Symbols<'a> {
        let mut symbols = Symbols::default();
        for entry in section(root, &["tables"]) {
            let table = TableSymbol::of(&entry.key, &entry.value);
            symbols.note_indexes(entry.key.as_str(), &entry.value);
            symbols.tables.insert(entry.key.as_str(), table);
        }
        symbols.types = mapped(root, &["types"]);
        symbols.commands = mapped(root, &["commands"]);
        symbols.projections = mapped(root, &["projections"]);
        symbols.routines = keys(root, &["routines"]);
        symbols.views = section(root, &["views"])
            .map(|entry| (entry.key.as_str(), returned(entry.value.get("sql"))))
            .collect();
        symbols.projected = section(root, &["projections"])
            .map(|entry| (entry.key.as_str(), projected(&entry.value)))
            .collect();
        symbols.schema = schema(root);
        symbols.queries = keys(root, &["queries"]);
        symbols.invariants = keys(root, &["invariants"]);
        symbols.roles = keys(root, &["security", "roles"]);
        symbols.events = root.get("events").map(|_| keys(root, &["events"]));
        symbols.actors = root
            .get("process")
            .and_then(|process| process.get("actors"))
            .map(|_| keys(root, &["process", "actors"]));
        if let Some(database) = root.get("database") {
            symbols.extensions = database
                .get("extensions")
                .map(|list| list.one_or_more().iter().filter_map(Node::as_str).collect())
                .unwrap_or_default();
        }
        for entry in section(root, &["invariants"]) {
            symbols.note_derived(entry);
            if let Some(clause) = entry.value.get("references")
                && let Some(from) = clause.get("in").and_then(Node::as_str)
                && let Some(to) = clause.get("to").and_then(Node::as_str)
            {
                symbols.claimed.insert((from, to));
            }
        }
        symbols
    }

    /// Indexes, and the constraints that bring one.
    fn note_indexes(&mut self, table: &str, node: &'a Node) {
        for key in ["indexes", "unique", "exclude"] {
            for entry in section(node, &[key]) {
                self.indexes.insert(entry.key.as_str().to_owned());
            }
        }
        if node.get("key").is_some() {
            self.indexes.insert(format!("{table}_pkey"));
        }
    }

    /// The index that an invariant brings, under the name it is given or the one that follows from its own.
    fn note_derived(&mut self, entry: &Entry) {
        if let Some(given) = entry.value.get("as").and_then(Node::as_str) {
            self.indexes.insert(given.to_owned());
            return;
        }
        let tables = entry
            .value
            .entries()
            .iter()
            .filter_map(|clause| clause.value.get("in")?.as_str());
        let own = entry.key.as_str().replace('-', "_");
        self.derived
            .extend(tables.map(|table| format!("{table}_{own}_")));
    }

    /// Whether a plan can name an index so.
    pub(super) fn is_index(&self, name: &str) -> bool {
        self.indexes.contains(name) || self.derived.iter().any(|start| name.starts_with(start))
    }

    /// Whether something of that name can be read from: a table, view or projection.
    pub(super) fn is_relation(&self, name: &str) -> bool {
        self.tables.contains_key(name)
            || self.views.contains_key(name)
            || self.projections.contains_key(name)
    }

    /// Tables, views and projections.
    pub(super) fn relations(&self) -> impl Iterator<Item = &'a str> {
        let views = self.views.keys().copied();
        let projections = self.projections.keys().copied();
        self.tables.keys().copied().chain(views).chain(projections)
    }

    /// The values a column can take, where the design lists them: its `one_of`, or the labels of its enum.
    pub(super) fn labels(&self, column: &ColumnSymbol) -> Option<Vec<Text>> {
        if !column.one_of.is_empty() {
            return Some(column.one_of.clone());
        }
        let named = self.types.get(column.data_type.as_ref()?.as_str())?;
        let labels = super::value::items(named.get("enum")?);
        (!labels.is_empty()).then_some(labels)
    }
}

impl<'a> TableSymbol<'a> {
    fn of(key: &Text, node: &'a Node) -> TableSymbol<'a> {
        let columns = section(node, &["columns"])
            .map(|entry| {
                (
                    entry.key.as_str(),
                    ColumnSymbol::of(&entry.key, &entry.value),
                )
            })
            .collect();
        TableSymbol {
            name: name(key),
            node,
            columns,
            key: super::value::names(node, "key"),
        }
    }
}

impl ColumnSymbol {
    /// A column as written, short or long.
    pub(super) fn of(key: &Text, node: &Node) -> ColumnSymbol {
        let written = match &node.kind {
            NodeKind::Scalar(..) => textual(node),
            _ => node.get("type").and_then(textual),
        };
        let (data_type, is_optional) = match written {
            Some(text) => {
                let (data_type, is_optional) = type_and_mark(text);
                (Some(data_type), is_optional)
            }
            None => (None, false),
        };
        let nullable = is_optional
            || node
                .get("nullable")
                .is_some_and(|value| !value.is_null() && value.as_bool() != Some(false));
        ColumnSymbol {
            name: name(key),
            data_type,
            nullable,
            one_of: super::value::texts(node, "one_of"),
        }
    }
}

/// `database.schema`, else the design's name.
fn schema(root: &Node) -> String {
    let named = root.get("database").and_then(|node| node.get("schema"));
    let design = || Some(root.get("design")?.as_str()?.replace('-', "_"));
    let named = named.and_then(textual).map(|text| text.as_str().to_owned());
    named.or_else(design).unwrap_or_default()
}

fn returned(sql: Option<&Node>) -> Option<Vec<String>> {
    super::output::columns(sql?.as_str()?)
}

/// Columns as declared, else as the rebuild query returns them.
fn projected(node: &Node) -> Option<Vec<String>> {
    let declared: Vec<String> = section(node, &["columns"])
        .map(|entry| entry.key.as_str().to_owned())
        .collect();
    match declared.is_empty() {
        true => returned(node.get("rebuild")),
        false => Some(declared),
    }
}

/// A type and whether `?` follows it.
pub(super) fn type_and_mark(text: &Text) -> (Text, bool) {
    let trimmed = text.trimmed();
    match trimmed.as_str().strip_suffix('?') {
        Some(data_type) => (trimmed.slice(0..data_type.len()).trimmed(), true),
        None => (trimmed, false),
    }
}

/// Entries of a section, by path.
pub(super) fn section<'a>(
    root: &'a Node,
    path: &[&str],
) -> impl Iterator<Item = &'a Entry> + use<'a> {
    path.iter()
        .try_fold(root, |node, key| node.get(key))
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
}

fn keys<'a>(root: &'a Node, path: &[&str]) -> BTreeSet<&'a str> {
    section(root, path)
        .map(|entry| entry.key.as_str())
        .collect()
}

fn mapped<'a>(root: &'a Node, path: &[&str]) -> BTreeMap<&'a str, &'a Node> {
    section(root, path)
        .map(|entry| (entry.key.as_str(), &entry.value))
        .collect()
}

/// Where a key stands, else the fallback.
pub(super) fn key_span(node: &Node, key: &str, fallback: Span) -> Span {
    node.entry(key).map_or(fallback, |entry| entry.key.at())
}
