//! CREATE TABLE, CREATE INDEX, views.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::constraint::{column, constraint, guarded, inside, keys};
use super::forms::{Ddl, IndexForm};
use super::names::{Named, ident, named};
use super::read::{child, children, deep, has, text};
use super::table_forms::{LikeForm, NewTable};
use crate::sql::Ident;

pub(super) fn read(node: &SyntaxNode) -> Option<Ddl> {
    match node.kind() {
        SyntaxKind::CREATE_TABLE => Some(Ddl::CreateTable(Box::new(table(node)))),
        SyntaxKind::CREATE_TABLE_AS => Some(Ddl::CreateTableAs {
            table: child::<ast::TableName>(node).and_then(|name| named(name.syntax()))?,
            temporary: is_temporary(node),
            if_not_exists: guarded(node),
            query: query(node),
        }),
        SyntaxKind::SELECT_INTO => {
            let into = child::<ast::IntoClause>(node)?;
            Some(Ddl::CreateTableAs {
                table: deep::<ast::TableName>(into.syntax())
                    .and_then(|name| named(name.syntax()))?,
                temporary: is_temporary(into.syntax()),
                if_not_exists: false,
                query: text(node),
            })
        }
        SyntaxKind::CREATE_INDEX => index(node).map(|index| Ddl::CreateIndex(Box::new(index))),
        SyntaxKind::CREATE_VIEW | SyntaxKind::CREATE_MATERIALIZED_VIEW => {
            let with_data = !node
                .children()
                .any(|part| part.kind() == SyntaxKind::WITH_NO_DATA);
            Some(Ddl::CreateView {
                view: node
                    .children()
                    .find(|part| part.kind() == SyntaxKind::VIEW)
                    .and_then(|view| named(&view))?,
                or_replace: child::<ast::OrReplace>(node).is_some(),
                materialized: node.kind() == SyntaxKind::CREATE_MATERIALIZED_VIEW,
                with_data,
                query: query(node),
            })
        }
        _ => None,
    }
}

fn is_temporary(node: &SyntaxNode) -> bool {
    child::<ast::Temp>(node).is_some()
}

fn query(node: &SyntaxNode) -> String {
    let found = node.children().find(|part| {
        ast::SelectVariant::can_cast(part.kind()) || part.kind() == SyntaxKind::EXECUTE
    });
    found.map_or(String::new(), |query| text(&query))
}

fn table(node: &SyntaxNode) -> NewTable {
    let mut table = NewTable {
        table: child::<ast::TableName>(node).and_then(|name| named(name.syntax())),
        temporary: is_temporary(node),
        unlogged: child::<ast::Unlogged>(node).is_some(),
        if_not_exists: guarded(node),
        tablespace: child::<ast::TablespaceClause>(node)
            .and_then(|clause| clause.syntax().children().last().as_ref().and_then(ident)),
        ..NewTable::default()
    };
    if let Some(parent) = child::<ast::PartitionOf>(node)
        .and_then(|of| child::<ast::TableNameRef>(of.syntax()))
        .and_then(|name| named(name.syntax()))
    {
        let bound = child::<ast::PartitionType>(node).map_or(String::new(), |it| text(it.syntax()));
        table.partition_of = Some((parent, bound));
    }
    if let Some(inherits) = child::<ast::Inherits>(node) {
        table.inherits = children::<ast::TableNameRef>(inherits.syntax())
            .filter_map(|name| named(name.syntax()))
            .collect();
    }
    if let Some(list) = child::<ast::TableArgList>(node) {
        for part in list.syntax().children() {
            if part.kind() == SyntaxKind::COLUMN {
                table.columns.extend(column(&part));
            } else if part.kind() == SyntaxKind::LIKE_CLAUSE {
                table.like.extend(like(&part));
            } else {
                table.constraints.extend(constraint(&part));
            }
        }
    }
    if let Some(by) = child::<ast::PartitionBy>(node) {
        let method = child::<ast::PartitionStrategy>(by.syntax())
            .map_or(String::new(), |it| text(it.syntax()).to_ascii_lowercase());
        let columns = child::<ast::PartitionItemList>(by.syntax())
            .map_or(Vec::new(), |list| keys(list.syntax()));
        let columns = columns.into_iter().map(|key| key.expression).collect();
        table.partition_by = Some((method, columns));
    }
    table
}

/// Of what is included and excluded, the last word counts.
fn like(node: &SyntaxNode) -> Option<LikeForm> {
    let of = deep::<ast::RelationNameRef>(node).and_then(|name| named(name.syntax()))?;
    let options: Vec<String> = children::<ast::LikeOption>(node)
        .map(|option| text(option.syntax()).to_ascii_uppercase())
        .collect();
    let is_included = |what: &str| {
        let about = options
            .iter()
            .rfind(|option| option.ends_with(what) || option.ends_with(" ALL"));
        about.is_some_and(|option| option.starts_with("INCLUDING"))
    };
    Some(LikeForm {
        table: of,
        checks: is_included(" CONSTRAINTS"),
        indexes: is_included(" INDEXES"),
        defaults: is_included(" DEFAULTS"),
        generated: is_included(" GENERATED"),
        identity: is_included(" IDENTITY"),
    })
}

fn index(node: &SyntaxNode) -> Option<IndexForm> {
    let on = child::<ast::TableRelationName>(node)?;
    let method = child::<ast::UsingMethod>(node)
        .and_then(|using| child::<ast::AccessMethodRef>(using.syntax()))
        .and_then(|method| ident(method.syntax()));
    let include = child::<ast::IndexIncludeClause>(node)
        .and_then(|clause| child::<ast::PartitionItemList>(clause.syntax()))
        .map_or(Vec::new(), |list| keys(list.syntax()));
    Some(IndexForm {
        name: node
            .children()
            .find(|part| part.kind() == SyntaxKind::INDEX)
            .and_then(|name| named(&name)),
        table: relation(on.syntax())?,
        only: has(on.syntax(), SyntaxKind::ONLY_KW),
        unique: has(node, SyntaxKind::UNIQUE_KW),
        concurrently: has(node, SyntaxKind::CONCURRENTLY_KW),
        if_not_exists: guarded(node),
        method: method.unwrap_or_else(|| Ident::new("btree")),
        keys: child::<ast::PartitionItemList>(node).map_or(Vec::new(), |list| keys(list.syntax())),
        include: include.into_iter().filter_map(|key| key.column).collect(),
        predicate: child::<ast::WhereClause>(node).map(|clause| inside(clause.syntax())),
        written: {
            let all = node.text().to_string();
            let end = on.syntax().text_range().end() - node.text_range().start();
            all[usize::from(end)..].trim().to_owned()
        },
    })
}

/// The name in `ONLY (t)`, `t *`, `t`.
pub(super) fn relation(node: &SyntaxNode) -> Option<Named> {
    let inner = node.descendants().find(|part| {
        matches!(
            part.kind(),
            SyntaxKind::TABLE_NAME_REF | SyntaxKind::RELATION_NAME_REF | SyntaxKind::PATH_REF
        )
    });
    inner.as_ref().and_then(named)
}
