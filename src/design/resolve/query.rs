//! `queries:`.

use super::super::language::values::parse_rate;
use super::super::model::{Pagination, Query, QueryKind};
use super::context::Context;
use super::sql::Scope;
use super::symbols::section;
use super::value::{name, parsed, sql_at, text, word};
use super::{command, expectation, sql};
use crate::source::{Entry, Node};
use crate::sql::SyntaxKind;

const KINDS: &[(&str, QueryKind)] = &[
    ("interactive", QueryKind::Interactive),
    ("batch", QueryKind::Batch),
    ("report", QueryKind::Report),
];

const PAGINATIONS: &[(&str, Pagination)] = &[
    ("keyset", Pagination::Keyset),
    ("offset", Pagination::Offset),
    ("none", Pagination::None),
];

/// `queries:`; those without SQL are left out.
pub(super) fn queries(cx: &Context<'_>, root: &Node) -> Vec<Query> {
    section(root, &["queries"])
        .filter_map(|entry| query(cx, entry))
        .collect()
}

fn query(cx: &Context<'_>, entry: &Entry) -> Option<Query> {
    let subject = &format!("query {}", entry.key);
    let node = &entry.value;
    let params = command::params(cx, node, subject);
    let plan = expectation::plan(cx, node, &params, subject);
    let written = sql_at(node, "sql")?;
    let scope = Scope {
        params: params.iter().map(|param| param.name.as_str()).collect(),
        ..Scope::default()
    };
    let used = sql::with_scope(cx, &written, SyntaxKind::Query, &scope, subject)?;
    command::unused(cx, &params, &used, subject);
    Some(Query {
        name: name(&entry.key),
        does: text(node, "does"),
        kind: word(node, "kind", KINDS).unwrap_or(QueryKind::Interactive),
        runs: parsed(node, "runs", parse_rate),
        pages_by: word(node, "pages_by", PAGINATIONS),
        sql: written,
        owner: text(node, "owner"),
        plan,
        params,
    })
}
