//! ALTER TABLE and ALTER INDEX, action by action.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::constraint::{cascades, collation, column, constraint, guarded, inside};
use super::forms::{Ddl, IndexAction, Rename as NameChange};
use super::names::{Named, ident, named};
use super::read::{child, deep, has, text};
use super::table::relation;
use super::table_forms::{TableAction, TriggerState};
use crate::sql::Ident;

pub(super) fn read(node: &SyntaxNode) -> Option<Ddl> {
    match node.kind() {
        SyntaxKind::ALTER_TABLE | SyntaxKind::ALTER_FOREIGN_TABLE => {
            let on = child::<ast::TableRelationName>(node)?;
            Some(Ddl::AlterTable {
                table: relation(on.syntax())?,
                only: has(on.syntax(), SyntaxKind::ONLY_KW),
                if_exists: guarded(node),
                actions: actions(node),
            })
        }
        SyntaxKind::ALTER_MATERIALIZED_VIEW => Some(Ddl::AlterTable {
            table: view(node)?,
            only: false,
            if_exists: guarded(node),
            actions: actions(node),
        }),
        SyntaxKind::ALTER_VIEW => Some(Ddl::AlterView {
            view: view(node)?,
            rename: actions(node).into_iter().find_map(|action| match action {
                TableAction::Rename(rename) => Some(rename),
                _ => None,
            }),
        }),
        SyntaxKind::ALTER_INDEX => {
            let index = child::<ast::IndexRef>(node).and_then(|index| named(index.syntax()))?;
            Some(Ddl::AlterIndex {
                index,
                action: index_action(node),
            })
        }
        _ => None,
    }
}

fn view(node: &SyntaxNode) -> Option<Named> {
    child::<ast::ViewRef>(node).and_then(|view| named(view.syntax()))
}

fn index_action(node: &SyntaxNode) -> IndexAction {
    for part in node.children() {
        match part.kind() {
            SyntaxKind::INDEX_RENAME_TO => {
                return last_name(&part).map_or(IndexAction::Other, IndexAction::Rename);
            }
            SyntaxKind::ATTACH_INDEX_PARTITION => {
                let index = child::<ast::IndexRef>(&part).and_then(|index| named(index.syntax()));
                return index.map_or(IndexAction::Other, IndexAction::Attach);
            }
            SyntaxKind::SET_TABLESPACE => return IndexAction::SetTablespace(last_name(&part)),
            SyntaxKind::SET_OPTIONS | SyntaxKind::RESET_OPTIONS => return IndexAction::SetOptions,
            SyntaxKind::ALTER_SET_STATISTICS => return IndexAction::SetStatistics,
            _ => {}
        }
    }
    IndexAction::Other
}

/// The name at the end of a clause.
fn last_name(node: &SyntaxNode) -> Option<Ident> {
    node.children().last().as_ref().and_then(ident)
}

fn actions(node: &SyntaxNode) -> Vec<TableAction> {
    let is_target = |part: &SyntaxNode| {
        matches!(
            part.kind(),
            SyntaxKind::TABLE_RELATION_NAME | SyntaxKind::IF_EXISTS | SyntaxKind::VIEW_REF
        )
    };
    node.children()
        .filter(|part| !is_target(part))
        .map(|part| action(&part).unwrap_or_else(|| TableAction::Other(text(&part))))
        .collect()
}

fn column_ref(node: &SyntaxNode) -> Option<Ident> {
    child::<ast::ColumnNameRef>(node).and_then(|name| ident(name.syntax()))
}

fn constraint_ref(node: &SyntaxNode) -> Option<Ident> {
    child::<ast::ConstraintNameRef>(node).and_then(|name| ident(name.syntax()))
}

fn table_ref(node: &SyntaxNode) -> Option<Named> {
    child::<ast::TableNameRef>(node).and_then(|name| named(name.syntax()))
}

fn action(node: &SyntaxNode) -> Option<TableAction> {
    use TableAction::*;
    Some(match node.kind() {
        SyntaxKind::ADD_COLUMN => AddColumn {
            column: column(node)?,
            if_not_exists: guarded(node),
        },
        SyntaxKind::DROP_COLUMN => DropColumn {
            column: column_ref(node)?,
            if_exists: guarded(node),
            cascade: cascades(node),
        },
        SyntaxKind::ALTER_COLUMN => alter_column(node)?,
        SyntaxKind::ADD_CONSTRAINT => {
            AddConstraint(node.children().find_map(|part| constraint(&part))?)
        }
        SyntaxKind::DROP_CONSTRAINT => DropConstraint {
            name: constraint_ref(node)?,
            if_exists: guarded(node),
            cascade: cascades(node),
        },
        SyntaxKind::VALIDATE_CONSTRAINT => ValidateConstraint(constraint_ref(node)?),
        SyntaxKind::ALTER_CONSTRAINT => {
            let is = |kind: SyntaxKind| node.children().any(|part| part.kind() == kind);
            let enforced = match (is(SyntaxKind::NOT_ENFORCED), is(SyntaxKind::ENFORCED)) {
                (true, _) => Some(false),
                (_, true) => Some(true),
                _ => None,
            };
            let inherit = match (is(SyntaxKind::NO_INHERIT), is(SyntaxKind::INHERIT)) {
                (true, _) => Some(false),
                (_, true) => Some(true),
                _ => None,
            };
            AlterConstraint {
                name: constraint_ref(node)?,
                enforced,
                inherit,
            }
        }
        SyntaxKind::RENAME_CONSTRAINT => {
            let to = child::<ast::ConstraintName>(node).and_then(|name| ident(name.syntax()))?;
            RenameConstraint(constraint_ref(node)?, to)
        }
        SyntaxKind::RENAME_COLUMN => {
            let to = child::<ast::ColumnName>(node).and_then(|name| ident(name.syntax()))?;
            TableAction::Rename(NameChange::Column(column_ref(node)?, to))
        }
        SyntaxKind::TABLE_RENAME_TO | SyntaxKind::VIEW_RENAME_TO => {
            TableAction::Rename(NameChange::To(last_name(node)?))
        }
        SyntaxKind::SET_SCHEMA => TableAction::Rename(NameChange::Schema(last_name(node)?)),
        SyntaxKind::ATTACH_PARTITION => AttachPartition {
            partition: table_ref(node)?,
            bound: child::<ast::PartitionType>(node).map_or(String::new(), |it| text(it.syntax())),
        },
        SyntaxKind::DETACH_PARTITION => DetachPartition {
            partition: table_ref(node)?,
            concurrently: child::<ast::DetachConcurrently>(node).is_some(),
            finalize: child::<ast::DetachFinalize>(node).is_some(),
        },
        SyntaxKind::SET_LOGGED => SetLogged,
        SyntaxKind::SET_UNLOGGED => SetUnlogged,
        SyntaxKind::SET_ACCESS_METHOD => SetAccessMethod,
        SyntaxKind::SET_TABLESPACE => SetTablespace(last_name(node)),
        SyntaxKind::SET_OPTIONS | SyntaxKind::RESET_OPTIONS => SetOptions(options(node)),
        SyntaxKind::ENABLE_TRIGGER
        | SyntaxKind::ENABLE_ALWAYS_TRIGGER
        | SyntaxKind::ENABLE_REPLICA_TRIGGER => Trigger(TriggerState::Enable),
        SyntaxKind::DISABLE_TRIGGER => Trigger(TriggerState::Disable),
        SyntaxKind::ENABLE_RULE
        | SyntaxKind::ENABLE_ALWAYS_RULE
        | SyntaxKind::ENABLE_REPLICA_RULE
        | SyntaxKind::DISABLE_RULE => Rule,
        SyntaxKind::ENABLE_RLS => RowSecurity(true),
        SyntaxKind::DISABLE_RLS => RowSecurity(false),
        SyntaxKind::FORCE_RLS => ForceRowSecurity(true),
        SyntaxKind::NO_FORCE_RLS => ForceRowSecurity(false),
        SyntaxKind::REPLICA_IDENTITY => ReplicaIdentity,
        SyntaxKind::OWNER_TO => OwnerTo,
        SyntaxKind::INHERIT_TABLE => Inherit(table_ref(node)?),
        SyntaxKind::NO_INHERIT_TABLE => NoInherit(table_ref(node)?),
        SyntaxKind::CLUSTER_ON => ClusterOn,
        SyntaxKind::SET_WITHOUT_CLUSTER => SetWithoutCluster,
        SyntaxKind::OF_TYPE | SyntaxKind::NOT_OF => OfType,
        _ => return None,
    })
}

fn options(node: &SyntaxNode) -> Vec<String> {
    let list = text(node);
    let inner = list.split_once('(').map_or("", |(_, rest)| rest);
    let names = inner.trim_end_matches(')').split(',');
    names
        .map(|pair| {
            pair.split('=')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn alter_column(node: &SyntaxNode) -> Option<TableAction> {
    use TableAction::*;
    let column = column_ref(node)?;
    let option = node
        .children()
        .find(|part| part.kind() != SyntaxKind::COLUMN_NAME_REF)?;
    Some(match option.kind() {
        SyntaxKind::SET_TYPE => SetType {
            column,
            data_type: child::<ast::Type>(&option).map_or(String::new(), |it| text(it.syntax())),
            collation: collation(&option),
            using: child::<ast::UsingExpr>(&option).map(|using| inside(using.syntax())),
        },
        SyntaxKind::SET_DEFAULT => SetDefault(column, inside(&option)),
        SyntaxKind::DROP_DEFAULT => DropDefault(column),
        SyntaxKind::SET_NOT_NULL => SetNotNull(column),
        SyntaxKind::DROP_NOT_NULL => DropNotNull(column),
        SyntaxKind::SET_EXPRESSION => SetExpression(column, inside(&option)),
        SyntaxKind::DROP_EXPRESSION => DropExpression(column),
        SyntaxKind::ADD_GENERATED => {
            let when = deep::<ast::GeneratedWhen>(&option);
            let always = when
                .is_some_and(|when| text(when.syntax()).to_ascii_lowercase().ends_with("always"));
            AddIdentity { column, always }
        }
        SyntaxKind::SET_GENERATED
        | SyntaxKind::SET_GENERATED_OPTIONS
        | SyntaxKind::SET_SEQUENCE_OPTION
        | SyntaxKind::RESTART => SetIdentity(column),
        SyntaxKind::DROP_IDENTITY => DropIdentity(column),
        SyntaxKind::SET_STATISTICS => SetStatistics(column),
        SyntaxKind::SET_OPTIONS | SyntaxKind::RESET_OPTIONS => SetAttributes(column),
        SyntaxKind::SET_STORAGE => SetStorage(column),
        SyntaxKind::SET_COMPRESSION => SetCompression(column),
        _ => return None,
    })
}
