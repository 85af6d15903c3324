//! Statements about rights, comments and the server.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::forms::{Ddl, Object};
use super::names::{Named, named};
use super::read::text;

/// Statements that lock no relation which programs use, or only name one.
pub(super) fn read(node: &SyntaxNode) -> Option<Ddl> {
    Some(match node.kind() {
        SyntaxKind::COMMENT_ON => Ddl::Comment {
            on: comment_target(node),
        },
        SyntaxKind::GRANT | SyntaxKind::REVOKE => {
            let tables = node
                .descendants()
                .filter(|part| {
                    matches!(
                        part.kind(),
                        SyntaxKind::PRIVILEGE_TABLE | SyntaxKind::PRIVILEGE_DEFAULT
                    )
                })
                .flat_map(|list| {
                    let names = list.descendants();
                    names
                        .filter(|part| part.kind() == SyntaxKind::RELATION_NAME_REF)
                        .filter_map(|part| named(&part))
                        .collect::<Vec<_>>()
                });
            Ddl::Grant {
                tables: tables.collect(),
            }
        }
        SyntaxKind::ALTER_DEFAULT_PRIVILEGES
        | SyntaxKind::CREATE_ROLE
        | SyntaxKind::ALTER_ROLE
        | SyntaxKind::DROP_ROLE
        | SyntaxKind::CREATE_USER
        | SyntaxKind::ALTER_USER
        | SyntaxKind::DROP_USER
        | SyntaxKind::CREATE_GROUP
        | SyntaxKind::ALTER_GROUP
        | SyntaxKind::DROP_GROUP
        | SyntaxKind::ALTER_SCHEMA
        | SyntaxKind::ALTER_DATABASE
        | SyntaxKind::ALTER_FUNCTION
        | SyntaxKind::ALTER_PROCEDURE
        | SyntaxKind::ALTER_ROUTINE
        | SyntaxKind::CREATE_AGGREGATE
        | SyntaxKind::CREATE_CAST
        | SyntaxKind::CREATE_COLLATION
        | SyntaxKind::CREATE_CONVERSION
        | SyntaxKind::CREATE_OPERATOR
        | SyntaxKind::CREATE_OPERATOR_CLASS
        | SyntaxKind::CREATE_OPERATOR_FAMILY
        | SyntaxKind::CREATE_LANGUAGE
        | SyntaxKind::CREATE_EVENT_TRIGGER
        | SyntaxKind::CREATE_SERVER
        | SyntaxKind::CREATE_USER_MAPPING
        | SyntaxKind::CREATE_FOREIGN_DATA_WRAPPER
        | SyntaxKind::CREATE_FOREIGN_TABLE
        | SyntaxKind::CREATE_ACCESS_METHOD
        | SyntaxKind::CREATE_TABLESPACE
        | SyntaxKind::CREATE_TEXT_SEARCH_CONFIGURATION
        | SyntaxKind::CREATE_TEXT_SEARCH_DICTIONARY
        | SyntaxKind::ALTER_TEXT_SEARCH_CONFIGURATION
        | SyntaxKind::ALTER_TEXT_SEARCH_DICTIONARY
        | SyntaxKind::ALTER_STATISTICS
        | SyntaxKind::CREATE_PUBLICATION
        | SyntaxKind::ALTER_PUBLICATION
        | SyntaxKind::DROP_PUBLICATION
        | SyntaxKind::ALTER_EVENT_TRIGGER
        | SyntaxKind::DROP_EVENT_TRIGGER
        | SyntaxKind::ALTER_AGGREGATE
        | SyntaxKind::ALTER_COLLATION
        | SyntaxKind::ALTER_CONVERSION
        | SyntaxKind::ALTER_EXTENSION
        | SyntaxKind::ALTER_LANGUAGE
        | SyntaxKind::ALTER_OPERATOR
        | SyntaxKind::ALTER_OPERATOR_CLASS
        | SyntaxKind::ALTER_OPERATOR_FAMILY
        | SyntaxKind::ALTER_SERVER
        | SyntaxKind::ALTER_USER_MAPPING
        | SyntaxKind::ALTER_FOREIGN_DATA_WRAPPER
        | SyntaxKind::ALTER_TABLESPACE
        | SyntaxKind::CREATE_TRANSFORM
        | SyntaxKind::CREATE_TEXT_SEARCH_PARSER
        | SyntaxKind::CREATE_TEXT_SEARCH_TEMPLATE
        | SyntaxKind::DROP_ACCESS_METHOD
        | SyntaxKind::DROP_AGGREGATE
        | SyntaxKind::DROP_CAST
        | SyntaxKind::DROP_CONVERSION
        | SyntaxKind::DROP_OPERATOR
        | SyntaxKind::DROP_TABLESPACE
        | SyntaxKind::DROP_USER_MAPPING
        | SyntaxKind::DECLARE
        | SyntaxKind::FETCH
        | SyntaxKind::CLOSE
        | SyntaxKind::MOVE
        | SyntaxKind::LISTEN
        | SyntaxKind::UNLISTEN
        | SyntaxKind::NOTIFY
        | SyntaxKind::SHOW
        | SyntaxKind::DISCARD
        | SyntaxKind::CHECKPOINT
        | SyntaxKind::LOAD
        | SyntaxKind::PREPARE
        | SyntaxKind::DEALLOCATE => Ddl::Apart,
        _ => return None,
    })
}

fn comment_target(node: &SyntaxNode) -> Option<(Object, Named)> {
    let part = node.children().next()?;
    let object = match part.kind() {
        SyntaxKind::OBJECT_TABLE => Object::Table,
        SyntaxKind::OBJECT_COLUMN => Object::Column,
        SyntaxKind::OBJECT_INDEX => Object::Index,
        SyntaxKind::OBJECT_VIEW => Object::View,
        SyntaxKind::OBJECT_MATERIALIZED_VIEW => Object::MaterializedView,
        SyntaxKind::OBJECT_CONSTRAINT
        | SyntaxKind::OBJECT_TRIGGER
        | SyntaxKind::OBJECT_POLICY
        | SyntaxKind::OBJECT_RULE => Object::Constraint,
        _ => return None,
    };
    let name = match object {
        // The last name is that of the table: `CONSTRAINT c ON t`.
        Object::Constraint => part.children().last().as_ref().and_then(named)?,
        // The column's own name stands behind its table's.
        Object::Column => {
            let written = part.children().next().map(|path| text(&path))?;
            let (table, _) = written.rsplit_once('.')?;
            Named::parse(table)?
        }
        _ => part.children().next().as_ref().and_then(named)?,
    };
    Some((object, name))
}
