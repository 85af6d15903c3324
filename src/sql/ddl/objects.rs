//! Statements about everything but tables' own columns and constraints.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::constraint::{cascades, constraint, guarded};
use super::forms::{Ddl, DomainAction, Object, ReindexTarget, TypeAction};
use super::names::{Named, ident, named};
use super::read::{child, children, deep, has, text};
use super::table::relation;
use crate::sql::lex::{TokenKind, tokens};

pub(super) fn read(node: &SyntaxNode) -> Option<Ddl> {
    created(node)
        .or_else(|| dropped(node))
        .or_else(|| altered(node))
        .or_else(|| renamed_statistics(node))
        .or_else(|| maintained(node))
        .or_else(|| super::apart::read(node))
}

/// The last name of the first child of a kind.
fn of_kind(node: &SyntaxNode, kind: SyntaxKind) -> Option<Named> {
    node.children()
        .find(|part| part.kind() == kind)
        .as_ref()
        .and_then(named)
}

fn on_relation(node: &SyntaxNode) -> Option<Named> {
    let on = node.children().find(|part| {
        matches!(
            part.kind(),
            SyntaxKind::ON_RELATION | SyntaxKind::ON_TABLE | SyntaxKind::RULE_ON
        )
    })?;
    relation(&on)
}

fn created(node: &SyntaxNode) -> Option<Ddl> {
    Some(match node.kind() {
        SyntaxKind::CREATE_TYPE => Ddl::CreateType {
            name: of_kind(node, SyntaxKind::TYPE_NAME)?,
            labels: child::<ast::EnumType>(node).map(|labels| {
                let labels = labels.syntax().descendants().filter_map(ast::Variant::cast);
                labels.map(|label| string(&text(label.syntax()))).collect()
            }),
        },
        SyntaxKind::CREATE_DOMAIN => Ddl::CreateDomain {
            name: of_kind(node, SyntaxKind::DOMAIN)?,
            base: child::<ast::Type>(node).map_or(String::new(), |it| text(it.syntax())),
            constraints: node
                .children()
                .filter_map(|part| constraint(&part))
                .collect(),
        },
        SyntaxKind::CREATE_TRIGGER => Ddl::CreateTrigger {
            table: on_relation(node)?,
            name: of_kind(node, SyntaxKind::TRIGGER)?.name,
            constraint: has(node, SyntaxKind::CONSTRAINT_KW),
            or_replace: child::<ast::OrReplace>(node).is_some(),
            from: child::<ast::FromTable>(node).and_then(|from| relation(from.syntax())),
            function: child::<ast::CallExpr>(node)
                .and_then(|call| Named::parse(text(call.syntax()).split('(').next()?)),
            fires: super::fires::fires(node).map(Box::new),
        },
        SyntaxKind::CREATE_RULE => Ddl::CreateRule {
            table: on_relation(node)?,
            or_replace: child::<ast::OrReplace>(node).is_some(),
        },
        SyntaxKind::CREATE_POLICY => Ddl::CreatePolicy {
            table: on_relation(node)?,
            name: of_kind(node, SyntaxKind::POLICY)?.name,
        },
        SyntaxKind::CREATE_STATISTICS => Ddl::CreateStatistics {
            name: of_kind(node, SyntaxKind::STATISTICS),
            table: child::<ast::FromTable>(node).and_then(|from| relation(from.syntax())),
        },
        SyntaxKind::CREATE_SCHEMA => Ddl::CreateSchema {
            name: child::<ast::CreateSchemaTarget>(node)
                .and_then(|target| deep::<ast::NamedSchema>(target.syntax()))
                .and_then(|schema| {
                    ident(
                        schema
                            .syntax()
                            .children()
                            .next()
                            .as_ref()
                            .unwrap_or(schema.syntax()),
                    )
                }),
            has_elements: node
                .children()
                .any(|part| ast::SchemaElement::can_cast(part.kind())),
        },
        SyntaxKind::CREATE_EXTENSION => Ddl::CreateExtension {
            name: of_kind(node, SyntaxKind::EXTENSION)?.name,
        },
        SyntaxKind::CREATE_SEQUENCE => Ddl::CreateSequence {
            name: of_kind(node, SyntaxKind::SEQUENCE)?,
            owned_by: owner(node),
        },
        SyntaxKind::CREATE_FUNCTION => Ddl::CreateFunction {
            name: of_kind(node, SyntaxKind::FUNCTION_NAME)?,
            definition: text(node),
        },
        SyntaxKind::CREATE_PROCEDURE => Ddl::CreateFunction {
            name: of_kind(node, SyntaxKind::PROCEDURE_NAME)?,
            definition: text(node),
        },
        SyntaxKind::CREATE_DATABASE => Ddl::CreateDatabase,
        _ => return None,
    })
}

/// OWNED BY of a sequence: the table.
fn owner(node: &SyntaxNode) -> Option<Named> {
    let words = text(node);
    let lower = words.to_ascii_lowercase();
    let at = lower.find("owned by")? + "owned by".len();
    let name = words[at..].split(';').next()?.trim();
    let (table, _) = name.rsplit_once('.')?;
    Named::parse(table)
}

/// Another name; whose statistics they are and how much is gathered is nobody's concern.
fn renamed_statistics(node: &SyntaxNode) -> Option<Ddl> {
    let to = child::<ast::StatisticsRenameTo>(node)?;
    Some(Ddl::RenameStatistics {
        name: of_kind(node, SyntaxKind::STATISTICS_REF)?,
        to: to.syntax().children().find_map(|part| ident(&part))?,
    })
}

fn dropped(node: &SyntaxNode) -> Option<Ddl> {
    let on = |kind: SyntaxKind| {
        let of = node.children().filter(move |part| part.kind() == kind);
        of.filter_map(|part| named(&part)).collect::<Vec<_>>()
    };
    let (what, names) = match node.kind() {
        SyntaxKind::DROP_INDEX => {
            return Some(Ddl::DropIndex {
                indexes: on(SyntaxKind::INDEX_REF),
                concurrently: has(node, SyntaxKind::CONCURRENTLY_KW),
                if_exists: guarded(node),
                cascade: cascades(node),
            });
        }
        SyntaxKind::DROP_TRIGGER => {
            return Some(Ddl::DropTrigger {
                table: on_relation(node)?,
                name: of_kind(node, SyntaxKind::TRIGGER_REF)?.name,
                if_exists: guarded(node),
            });
        }
        SyntaxKind::DROP_RULE => {
            return Some(Ddl::DropRule {
                table: on_relation(node)?,
                if_exists: guarded(node),
            });
        }
        SyntaxKind::DROP_POLICY => {
            return Some(Ddl::DropPolicy {
                table: on_relation(node)?,
                name: of_kind(node, SyntaxKind::POLICY_REF)?.name,
                if_exists: guarded(node),
            });
        }
        SyntaxKind::DROP_TABLE | SyntaxKind::DROP_FOREIGN_TABLE => {
            (Object::Table, on(SyntaxKind::TABLE_NAME_REF))
        }
        SyntaxKind::DROP_VIEW => (Object::View, on(SyntaxKind::VIEW_REF)),
        SyntaxKind::DROP_MATERIALIZED_VIEW => (Object::MaterializedView, on(SyntaxKind::VIEW_REF)),
        SyntaxKind::DROP_TYPE => (Object::Type, on(SyntaxKind::TYPE_NAME_REF)),
        SyntaxKind::DROP_DOMAIN => (Object::Domain, on(SyntaxKind::DOMAIN_REF)),
        SyntaxKind::DROP_SCHEMA => (Object::Schema, on(SyntaxKind::SCHEMA_REF)),
        SyntaxKind::DROP_SEQUENCE => (Object::Sequence, on(SyntaxKind::SEQUENCE_REF)),
        SyntaxKind::DROP_FUNCTION | SyntaxKind::DROP_PROCEDURE | SyntaxKind::DROP_ROUTINE => {
            let names = node
                .descendants()
                .filter(|part| part.kind() == SyntaxKind::PATH_REF);
            (
                Object::Function,
                names.filter_map(|part| named(&part)).take(1).collect(),
            )
        }
        SyntaxKind::DROP_EXTENSION => (Object::Extension, on(SyntaxKind::EXTENSION_REF)),
        SyntaxKind::DROP_STATISTICS => (Object::Statistics, on(SyntaxKind::STATISTICS_REF)),
        SyntaxKind::DROP_DATABASE => (Object::Database, Vec::new()),
        SyntaxKind::DROP_OWNED => (Object::Owned, Vec::new()),
        _ => return None,
    };
    Some(Ddl::Drop {
        what,
        names,
        if_exists: guarded(node),
        cascade: cascades(node),
    })
}

fn altered(node: &SyntaxNode) -> Option<Ddl> {
    Some(match node.kind() {
        SyntaxKind::ALTER_TYPE => Ddl::AlterType {
            name: of_kind(node, SyntaxKind::TYPE_NAME_REF)?,
            action: type_action(node),
        },
        SyntaxKind::ALTER_DOMAIN => Ddl::AlterDomain {
            name: of_kind(node, SyntaxKind::DOMAIN_REF)?,
            action: domain_action(node),
        },
        SyntaxKind::ALTER_TRIGGER => Ddl::AlterTrigger {
            table: on_relation(node)?,
        },
        SyntaxKind::ALTER_RULE => Ddl::AlterRule {
            table: on_relation(node)?,
        },
        SyntaxKind::ALTER_POLICY => Ddl::AlterPolicy {
            table: on_relation(node)?,
        },
        SyntaxKind::ALTER_SEQUENCE => Ddl::AlterSequence {
            name: of_kind(node, SyntaxKind::SEQUENCE_REF)?,
            owned_by: owner(node),
        },
        SyntaxKind::ALTER_SYSTEM => Ddl::AlterSystem,
        _ => return None,
    })
}

fn type_action(node: &SyntaxNode) -> TypeAction {
    for part in node.children() {
        let literals = || {
            children::<ast::Literal>(&part)
                .map(|literal| string(&text(literal.syntax())))
                .collect::<Vec<_>>()
        };
        match part.kind() {
            SyntaxKind::ADD_VALUE => {
                return TypeAction::AddValue {
                    value: literals().into_iter().next().unwrap_or_default(),
                    if_not_exists: guarded(&part),
                };
            }
            SyntaxKind::RENAME_VALUE => {
                let mut both = literals().into_iter();
                return TypeAction::RenameValue {
                    from: both.next().unwrap_or_default(),
                    to: both.next().unwrap_or_default(),
                };
            }
            SyntaxKind::TYPE_RENAME_TO => {
                let to = part.children().last().as_ref().and_then(ident);
                return to.map_or(TypeAction::Other, TypeAction::Rename);
            }
            SyntaxKind::SET_SCHEMA => {
                let to = part.children().last().as_ref().and_then(ident);
                return to.map_or(TypeAction::Other, TypeAction::SetSchema);
            }
            SyntaxKind::OWNER_TO => return TypeAction::OwnerTo,
            SyntaxKind::ALTER_TYPE_ATTRIBUTE_ACTION_LIST | SyntaxKind::RENAME_ATTRIBUTE => {
                return TypeAction::Attributes;
            }
            _ => {}
        }
    }
    TypeAction::Other
}

fn domain_action(node: &SyntaxNode) -> DomainAction {
    for part in node.children() {
        let name = || child::<ast::ConstraintNameRef>(&part).and_then(|name| ident(name.syntax()));
        let found = match part.kind() {
            SyntaxKind::ADD_CONSTRAINT => part
                .children()
                .find_map(|inner| constraint(&inner))
                .map(DomainAction::Add),
            SyntaxKind::DROP_CONSTRAINT => name().map(DomainAction::Drop),
            SyntaxKind::VALIDATE_CONSTRAINT => name().map(DomainAction::Validate),
            SyntaxKind::SET_NOT_NULL => Some(DomainAction::SetNotNull),
            SyntaxKind::DROP_NOT_NULL => Some(DomainAction::DropNotNull),
            SyntaxKind::SET_DEFAULT | SyntaxKind::DROP_DEFAULT => Some(DomainAction::Default),
            SyntaxKind::DOMAIN_RENAME_TO => {
                let to = part.children().last().as_ref().and_then(ident);
                to.map(DomainAction::Rename)
            }
            _ => None,
        };
        if let Some(found) = found {
            return found;
        }
    }
    DomainAction::Other
}

fn maintained(node: &SyntaxNode) -> Option<Ddl> {
    let relations = || {
        let names = node.descendants().filter(|part| {
            matches!(
                part.kind(),
                SyntaxKind::TABLE_RELATION_NAME | SyntaxKind::RELATION_NAME
            )
        });
        names.filter_map(|part| relation(&part)).collect::<Vec<_>>()
    };
    Some(match node.kind() {
        SyntaxKind::TRUNCATE => {
            let tables = node
                .descendants()
                .filter(|part| part.kind() == SyntaxKind::TABLE_RELATION_NAME)
                .filter_map(|part| Some((relation(&part)?, has(&part, SyntaxKind::ONLY_KW))));
            Ddl::Truncate {
                tables: tables.collect(),
                cascade: cascades(node),
            }
        }
        SyntaxKind::VACUUM => {
            let options = child::<ast::VacuumOptionList>(node).map_or(String::new(), |list| {
                text(list.syntax()).to_ascii_lowercase()
            });
            let says_full = options.split(['(', ')', ',']).any(|option| {
                let mut words = option.split_whitespace();
                words.next() == Some("full")
                    && !matches!(words.next(), Some("false" | "off" | "0" | "no"))
            });
            Ddl::Vacuum {
                full: has(node, SyntaxKind::FULL_KW) || says_full,
                tables: relations(),
            }
        }
        SyntaxKind::ANALYZE => Ddl::Analyze {
            tables: relations(),
        },
        SyntaxKind::CLUSTER => {
            let legacy = child::<ast::ClusterLegacy>(node);
            let table = of_kind(node, SyntaxKind::TABLE_NAME_REF).or_else(|| {
                let legacy = legacy?;
                deep::<ast::TableNameRef>(legacy.syntax()).and_then(|name| named(name.syntax()))
            });
            Ddl::Cluster { table }
        }
        SyntaxKind::REINDEX => reindex(node)?,
        SyntaxKind::REFRESH => Ddl::Refresh {
            view: of_kind(node, SyntaxKind::VIEW_REF)?,
            concurrently: has(node, SyntaxKind::CONCURRENTLY_KW),
            with_data: !node
                .children()
                .any(|part| part.kind() == SyntaxKind::WITH_NO_DATA),
        },
        SyntaxKind::LOCK => {
            let mode = child::<ast::LockModeClause>(node).map_or(String::new(), |clause| {
                text(clause.syntax()).to_ascii_uppercase()
            });
            let mode = mode
                .trim_start_matches("IN")
                .trim_end_matches("MODE")
                .trim();
            let mode = match mode {
                "" => "ACCESS EXCLUSIVE".to_owned(),
                mode => mode.split_whitespace().collect::<Vec<_>>().join(" "),
            };
            Ddl::LockTable {
                tables: relations(),
                mode,
            }
        }
        _ => return None,
    })
}

fn reindex(node: &SyntaxNode) -> Option<Ddl> {
    let target = node
        .children()
        .find(|part| ast::ReindexTarget::can_cast(part.kind()))?;
    let by_option = child::<ast::ReindexOptionList>(node).is_some_and(|list| {
        let options = text(list.syntax()).to_ascii_lowercase();
        options.split(['(', ')', ',']).any(|option| {
            let mut words = option.split_whitespace();
            words.next() == Some("concurrently")
                && !matches!(words.next(), Some("false" | "off" | "0" | "no"))
        })
    });
    let concurrently = by_option || has(&target, SyntaxKind::CONCURRENTLY_KW);
    let name = target.children().next().as_ref().and_then(named);
    let target = match target.kind() {
        SyntaxKind::REINDEX_TARGET_TABLE => ReindexTarget::Table(name?),
        SyntaxKind::REINDEX_TARGET_INDEX => ReindexTarget::Index(name?),
        SyntaxKind::REINDEX_TARGET_SCHEMA => ReindexTarget::Schema(name?.name),
        _ => ReindexTarget::Database,
    };
    Some(Ddl::Reindex {
        target,
        concurrently,
    })
}

/// The value of a string literal, as far as plain ones go.
fn string(literal: &str) -> String {
    let all = tokens(literal);
    let plain = all.len() == 1 && all[0].kind == TokenKind::String;
    match literal
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
    {
        Some(inner) if plain => inner.replace("''", "'"),
        _ => literal.to_owned(),
    }
}
