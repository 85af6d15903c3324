//! `indexes:` of a table.

use std::collections::BTreeMap;

use super::super::model::{Index, Name};
use super::context::{Context, family};
use super::inside::Over;
use super::symbols::{TableSymbol, section};
use super::value::{flag, name, name_at, names, text, texts};
use super::{index_key, sql};
use crate::source::{Entry, Node};
use crate::sql::Ident;

/// `indexes:`.
pub(super) fn indexes(
    cx: &Context<'_>,
    node: &Node,
    symbol: &TableSymbol<'_>,
    subject: &str,
) -> Vec<Index> {
    section(node, &["indexes"])
        .map(|entry| index(cx, entry, symbol, subject))
        .collect()
}

fn index(cx: &Context<'_>, entry: &Entry, symbol: &TableSymbol<'_>, subject: &str) -> Index {
    let subject = &format!("{subject} / index {}", entry.key);
    let node = &entry.value;
    let own = name(&entry.key);
    super::name::check(cx, "index", &own, subject);
    let written = texts(node, "columns");
    let include = names(node, "include");
    cx.columns(symbol, &include, &format!("{subject} / include"));
    let serves = names(node, "serves");
    queries(cx, &serves, subject);
    Index {
        using: text(node, "using").map_or_else(
            || Ident::from("btree"),
            |text| Ident::new(text.as_str().to_ascii_lowercase()),
        ),
        unique: flag(node, "unique"),
        keys: written
            .iter()
            .map(|text| index_key::key(cx, symbol, text, subject))
            .collect(),
        include,
        predicate: sql::expression_at(
            cx,
            node,
            "where",
            Over::Table(symbol.name.as_str()),
            subject,
        ),
        with: settings(node),
        serves,
        because: text(node, "because"),
        drop_when: text(node, "drop_when"),
        was: name_at(node, "was"),
        name: own,
    }
}

fn queries(cx: &Context<'_>, serves: &[Name], subject: &str) {
    cx.distinct(serves, "query", subject);
    for query in serves {
        // A command's own reads are served as well.
        let is_known = cx.symbols.queries.contains(query.as_str())
            || cx.symbols.commands.contains_key(query.as_str());
        if !is_known {
            let all = cx.symbols.queries.iter().copied();
            let commands = cx.symbols.commands.keys().copied();
            cx.dangling(family::QUERY, query, subject, all.chain(commands));
        }
    }
}

fn settings(node: &Node) -> BTreeMap<String, String> {
    section(node, &["with"])
        .filter_map(|entry| {
            let value = entry.value.as_str()?;
            Some((entry.key.as_str().to_owned(), value.to_owned()))
        })
        .collect()
}
