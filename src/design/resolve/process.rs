//! Sections that no part of the model is made of, but that name things: process, authority, operations, migration.

use super::super::model::Name;
use super::super::nearest::misspelt;
use super::context::{Context, family};
use super::sql;
use super::sql::Scope;
use super::symbols::{TableSymbol, section};
use super::value::{name, name_at, names, sql_at, textual};
use crate::source::Node;
use crate::sql::{SyntaxKind, facts};

/// Looks up what these sections name.
pub(super) fn check(cx: &Context<'_>, root: &Node) {
    actors(cx, root);
    authority(cx, root);
    signals(cx, root);
    migration(cx, root);
}

fn actors(cx: &Context<'_>, root: &Node) {
    for entry in section(root, &["process", "actors"]) {
        let subject = format!("actor {}", entry.key);
        for key in ["writes", "reads"] {
            let named = names(&entry.value, key);
            cx.distinct(&named, "table", &subject);
            for table in named {
                if !cx.symbols.is_relation(table.as_str()) {
                    cx.dangling(family::RELATION, &table, &subject, cx.symbols.relations());
                }
            }
        }
    }
}

fn authority(cx: &Context<'_>, root: &Node) {
    for entry in section(root, &["authority"]) {
        let subject = format!("authority {}", entry.key);
        for named in names(&entry.value, "store") {
            store(cx, &named, &subject);
        }
    }
}

/// A store may be anything (`redis`, `identity.user`): only what is nearly the name of a table is taken for one that is
/// misspelt.
pub(super) fn store(cx: &Context<'_>, named: &Name, subject: &str) {
    let raw = named.as_str();
    if cx.symbols.is_relation(raw) {
        return;
    }
    if misspelt(raw, cx.symbols.relations()).is_some() {
        cx.dangling(family::TABLE, named, subject, cx.symbols.relations());
        return;
    }
    if let Some((table, column)) = raw.split_once('.')
        && let Some(symbol) = cx.symbols.tables.get(table)
    {
        let column = Name {
            ident: crate::sql::Ident::new(column),
            at: named.at,
        };
        cx.column(symbol, &column, subject);
    }
}

fn signals(cx: &Context<'_>, root: &Node) {
    for entry in section(root, &["operations", "signals"]) {
        let subject = format!("signal {}", entry.key);
        let Some(query) = name_at(&entry.value, "query") else {
            continue;
        };
        if !cx.symbols.queries.contains(query.as_str()) {
            let all = cx.symbols.queries.iter().copied();
            cx.dangling(family::QUERY, &query, &subject, all);
        }
    }
}

/// What a backfill may name: where the last chunk ended, and how many rows to take.
const BACKFILL_PARAMS: [&str; 3] = ["after", "chunk", "limit"];

fn migration(cx: &Context<'_>, root: &Node) {
    for entry in section(root, &["migration", "backfill"]) {
        let subject = format!("migration / backfill {}", entry.key);
        let table = cx.table(&name(&entry.key), &subject);
        for way in entry.value.one_or_more() {
            backfill(cx, table, way, &subject);
        }
    }
    for entry in section(root, &["migration", "validate"]) {
        if let Some(text) = textual(&entry.value) {
            let subject = format!("migration / validate {}", entry.key);
            let scope = Scope {
                is_elsewhere: true,
                ..Scope::default()
            };
            sql::with_scope(cx, text, SyntaxKind::Query, &scope, &subject);
        }
    }
}

fn backfill<'a>(cx: &Context<'a>, table: Option<&TableSymbol<'a>>, way: &Node, subject: &str) {
    if let Some(by) = name_at(way, "by") {
        // The column counts through the table that is read. Where that is another one it may be an old column, or called otherwise now.
        let reads_other = sql_at(way, "sql")
            .and_then(|text| facts(text.as_str()))
            .is_some_and(|facts| {
                let mut read = facts.tables.iter();
                read.any(|read| table.is_none_or(|own| own.name.as_str() != read.table))
            });
        if let Some(table) = table
            && !reads_other
        {
            cx.column(table, &by, subject);
        }
    }
    if let Some(text) = sql_at(way, "sql") {
        let scope = Scope {
            params: BACKFILL_PARAMS.into(),
            is_elsewhere: true,
            ..Scope::default()
        };
        sql::with_scope(cx, &text, SyntaxKind::Statement, &scope, subject);
    }
}
