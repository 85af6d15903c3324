//! `document:`, `database:`, `waivers:` and the list of sections.

use std::collections::BTreeMap;

use super::super::language::values::parse_date;
use super::super::model::{Change, Database, Document, Name, Risk, Section, Waiver};
use super::context::Context;
use super::symbols::section;
use super::value::{name, name_at, names, text, word};
use crate::source::{Node, NodeKind};
use crate::sql::Ident;

/// PostgreSQL's major version where the design is silent.
const VERSION: u16 = 15;

/// Majors that are supported.
const VERSIONS: std::ops::RangeInclusive<i64> = 14..=18;

const CHANGES: &[(&str, Change)] = &[
    ("column", Change::Column),
    ("table", Change::Table),
    ("lifecycle", Change::Lifecycle),
    ("redesign", Change::Redesign),
    ("regulated", Change::Regulated),
    ("distributed", Change::Distributed),
];

const RISKS: &[(&str, Risk)] = &[
    ("low", Risk::Low),
    ("medium", Risk::Medium),
    ("high", Risk::High),
    ("critical", Risk::Critical),
];

/// `document:`.
pub(super) fn document(root: &Node) -> Document {
    let Some(node) = root.get("document") else {
        return Document::default();
    };
    Document {
        status: text(node, "status"),
        owner: text(node, "owner"),
        change: word(node, "change", CHANGES),
        risk: word(node, "risk", RISKS),
        supersedes: text(node, "supersedes"),
    }
}

/// `database:`; where it names no schema, the design's name is one.
pub(super) fn database(cx: &Context<'_>, root: &Node, design: &Name) -> Database {
    let node = root.get("database");
    let schema = node
        .and_then(|node| name_at(node, "schema"))
        .unwrap_or_else(|| Name {
            ident: Ident::new(design.as_str().replace('-', "_")),
            at: design.at,
        });
    super::name::check_unreserved(cx, "schema", &schema, "database");
    let extensions = node
        .map(|node| names(node, "extensions"))
        .unwrap_or_default();
    cx.distinct(&extensions, "extension", "database");
    Database {
        version: node
            .and_then(|node| node.get("version")?.as_i64())
            .filter(|version| VERSIONS.contains(version))
            .and_then(|version| u16::try_from(version).ok())
            .unwrap_or(VERSION),
        schema: schema.ident,
        at: schema.at,
        extensions,
        settings: node.map(settings).unwrap_or_default(),
    }
}

fn settings(node: &Node) -> BTreeMap<String, String> {
    section(node, &["settings"])
        .filter_map(|entry| {
            let value = entry.value.as_str()?;
            Some((entry.key.as_str().to_owned(), value.to_owned()))
        })
        .collect()
}

/// `waivers:`. Whether there is a rule of that name is for those to say who know the rules.
pub(super) fn waivers(cx: &Context<'_>, root: &Node) -> Vec<Waiver> {
    let items = root
        .get("waivers")
        .map(Node::one_or_more)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|node| {
            let waiver = Waiver {
                rule: text(node, "rule")?,
                subject: text(node, "at"),
                because: text(node, "because")?,
                until: text(node, "until").filter(|date| parse_date(date.as_str()).is_ok()),
            };
            waived(cx, &waiver);
            Some(waiver)
        })
        .collect()
}

/// `at: table.object` names something that is there.
fn waived(cx: &Context<'_>, waiver: &Waiver) {
    let Some(at) = &waiver.subject else {
        return;
    };
    let subject = format!("waiver {}", waiver.rule);
    let owner = match at.as_str().find('.') {
        Some(dot) => at.slice(0..dot),
        None => at.clone(),
    };
    let raw = owner.as_str();
    let symbols = &cx.symbols;
    let all = || {
        symbols
            .relations()
            .chain(symbols.routines.iter().copied())
            .chain(symbols.types.keys().copied())
            .chain(symbols.invariants.iter().copied())
            .chain(symbols.commands.keys().copied())
            .chain(symbols.queries.iter().copied())
            .chain(symbols.events.iter().flatten().copied())
            .chain(symbols.roles.iter().copied())
            .chain(symbols.indexes.iter().map(String::as_str))
    };
    if !all().any(|name| name == raw) && raw.chars().all(|c| !c.is_whitespace()) {
        cx.dangling(
            super::context::family::OBJECT,
            &name(&owner),
            &subject,
            all(),
        );
        return;
    }
    if let (Some(table), Some(dot)) = (symbols.tables.get(raw), at.as_str().find('.')) {
        let part = at.slice(dot + 1..at.as_str().len());
        member(cx, table, &part, &subject);
    }
}

/// The object after the dot: a column, constraint or index of the table.
fn member(
    cx: &Context<'_>,
    table: &super::symbols::TableSymbol<'_>,
    part: &crate::source::Text,
    subject: &str,
) {
    let keys = ["unique", "references", "checks", "exclude", "indexes"];
    let objects = || {
        keys.iter()
            .flat_map(|key| section(table.node, &[key]))
            .map(|entry| entry.key.as_str())
            .chain(table.columns.keys().copied())
            .chain(["key", "partition", "retention", "volume"])
            .chain(cx.symbols.indexes.iter().map(String::as_str))
    };
    if !objects().any(|name| name == part.as_str()) {
        let named = name(part);
        cx.dangling(super::context::family::OBJECT, &named, subject, objects());
    }
}

/// Every top-level section that is present.
pub(super) fn sections(root: &Node) -> Vec<Section> {
    root.entries()
        .iter()
        .map(|entry| Section {
            name: entry.key.as_str().to_owned(),
            at: entry.key.at(),
            size: size(&entry.value),
            entries: match &entry.value.kind {
                NodeKind::Mapping(entries) => entries.iter().map(|entry| entry.key.at()).collect(),
                _ => entry.value.items().iter().map(|item| item.at).collect(),
            },
            data: entry.value.to_json(),
        })
        .collect()
}

fn size(node: &Node) -> usize {
    match &node.kind {
        NodeKind::Null => 0,
        NodeKind::Scalar(text, _) => text.as_str().trim().chars().count(),
        NodeKind::Sequence(items) => items.len(),
        NodeKind::Mapping(entries) => entries.len(),
    }
}
