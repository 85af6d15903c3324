//! `views:` and `routines:`: plain SQL with a name.

use super::super::model::{View, ViewKind};
use super::context::{Context, family};
use super::sql;
use super::sql::Scope;
use super::symbols::section;
use super::value::{name, names, sql_at, text};
use crate::source::{Entry, Node};
use crate::sql::SyntaxKind;

/// `views:`, then `routines:`; those without SQL are left out.
pub(super) fn views(cx: &Context<'_>, root: &Node) -> Vec<View> {
    let of = |kind: ViewKind, key: &'static str| {
        section(root, &[key]).filter_map(move |entry| view(cx, entry, kind))
    };
    of(ViewKind::View, "views")
        .chain(of(ViewKind::Routine, "routines"))
        .collect()
}

fn view(cx: &Context<'_>, entry: &Entry, kind: ViewKind) -> Option<View> {
    let node = &entry.value;
    let own = name(&entry.key);
    let (noun, syntax) = match kind {
        ViewKind::View => ("view", SyntaxKind::Query),
        ViewKind::Routine => ("routine", SyntaxKind::Statement),
    };
    let subject = &format!("{noun} {}", entry.key);
    super::name::check(cx, noun, &own, subject);
    let after = names(node, "after");
    cx.distinct(&after, "object", subject);
    for object in &after {
        let symbols = &cx.symbols;
        let is_known = symbols.is_relation(object.as_str())
            || symbols.routines.contains(object.as_str())
            || symbols.types.contains_key(object.as_str());
        if !is_known {
            let others = symbols.routines.iter().chain(symbols.types.keys()).copied();
            let all = symbols.relations().chain(others);
            cx.dangling(family::OBJECT, object, subject, all);
        }
    }
    let written = sql_at(node, "sql")?;
    sql::with_scope(cx, &written, syntax, &Scope::default(), subject)?;
    Some(View {
        name: own,
        kind,
        sql: written,
        means: text(node, "means"),
        security_invoker: node.get("security_invoker").and_then(Node::as_bool) != Some(false),
        after,
    })
}
