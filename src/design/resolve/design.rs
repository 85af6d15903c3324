//! The passes over one design.

use super::super::model::{Model, Name};
use super::context::Context;
use super::symbols::Symbols;
use super::value::{name_at, text};
use super::{
    claim, command, document, event, namespace, process, projection, query, security, state, table,
    user_type, view,
};
use crate::finding::Finding;
use crate::source::{Node, NodeKind};
use crate::sql::Ident;

/// Turns a node tree into a model, and says everything that is wrong with it beside what validation says.
///
/// The model holds whatever could be understood, also where there are errors, so that rules can speak about the rest; a design
/// with errors is not to be compiled. There is none only where the file is no mapping.
pub fn resolve(root: &Node) -> (Option<Model>, Vec<Finding>) {
    if !matches!(root.kind, NodeKind::Mapping(_)) {
        return (None, Vec::new());
    }
    let cx = Context::new(Symbols::of(root));
    let name = name_at(root, "design").unwrap_or_else(|| Name {
        ident: Ident::from("design"),
        at: root.at,
    });
    let model = Model {
        title: text(root, "title").map_or_else(
            || name.as_str().to_owned(),
            |title| title.as_str().trim().to_owned(),
        ),
        document: document::document(root),
        database: document::database(&cx, root, &name),
        types: user_type::types(&cx, root),
        tables: table::tables(&cx, root),
        views: view::views(&cx, root),
        invariants: claim::invariants(&cx, root),
        commands: command::commands(&cx, root),
        events: event::events(&cx, root),
        states: state::states(&cx, root),
        queries: query::queries(&cx, root),
        roles: security::roles(&cx, root),
        projections: projection::projections(&cx, root),
        waivers: document::waivers(&cx, root),
        sections: document::sections(root),
        name,
    };
    process::check(&cx, root);
    namespace::check(&cx, &model);
    let design = model.name.as_str().to_owned();
    let findings = cx
        .into_findings()
        .into_iter()
        .map(|finding| finding.of(&design))
        .collect();
    (Some(model), findings)
}
