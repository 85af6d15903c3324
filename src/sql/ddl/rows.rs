//! Statements about rows, transactions and settings.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::forms::{Ddl, Setting, Transaction};
use super::names::{Named, ident, named};
use super::read::{child, children, text};
use super::table::relation;
use crate::sql::Ident;
use crate::sql::lex::{TokenKind, tokens};

pub(super) fn read(node: &SyntaxNode) -> Option<Ddl> {
    with(node).or_else(|| one(node))
}

fn one(node: &SyntaxNode) -> Option<Ddl> {
    Some(match node.kind() {
        SyntaxKind::UPDATE => Ddl::Update {
            table: target(node)?,
            condition: condition(node),
        },
        SyntaxKind::DELETE => Ddl::Delete {
            table: target(node)?,
            condition: condition(node),
        },
        SyntaxKind::INSERT => Ddl::Insert {
            table: child::<ast::RelationNameRef>(node).and_then(|name| named(name.syntax()))?,
        },
        SyntaxKind::MERGE => Ddl::Merge {
            table: child::<ast::TableRelationName>(node)
                .and_then(|name| relation(name.syntax()))?,
        },
        SyntaxKind::SELECT
        | SyntaxKind::VALUES
        | SyntaxKind::TABLE
        | SyntaxKind::COMPOUND_SELECT
        | SyntaxKind::PAREN_SELECT
        | SyntaxKind::EXPLAIN => Ddl::Select,
        SyntaxKind::COPY => Ddl::CopyFrom {
            table: node
                .children()
                .find(|part| !ast::Literal::can_cast(part.kind()))
                .as_ref()
                .and_then(relation),
        },
        SyntaxKind::DO => Ddl::Do,
        SyntaxKind::CALL | SyntaxKind::EXECUTE => Ddl::Call,
        SyntaxKind::SET => set(node),
        SyntaxKind::RESET => Ddl::Set(Setting {
            name: text(node)
                .split_whitespace()
                .nth(1)
                .unwrap_or_default()
                .trim_end_matches(';')
                .to_ascii_lowercase(),
            value: String::new(),
            local: false,
            reset: true,
        }),
        SyntaxKind::SET_ROLE
        | SyntaxKind::SET_SESSION_AUTH
        | SyntaxKind::RESET_ROLE
        | SyntaxKind::RESET_SESSION_AUTH => Ddl::Set(Setting {
            name: "role".to_owned(),
            value: String::new(),
            local: false,
            reset: false,
        }),
        _ => return transaction(node).map(Ddl::Transaction),
    })
}

fn target(node: &SyntaxNode) -> Option<Named> {
    child::<ast::RelationName>(node).and_then(|name| relation(name.syntax()))
}

fn condition(node: &SyntaxNode) -> Option<String> {
    let clause = node.children().find(|part| {
        matches!(
            part.kind(),
            SyntaxKind::WHERE_CLAUSE | SyntaxKind::WHERE_CURRENT_OF
        )
    })?;
    Some(text(&clause)).filter(|clause| !is_always(clause))
}

/// `WHERE true`, `WHERE 1 = 1`: no condition at all.
fn is_always(clause: &str) -> bool {
    let all = tokens(clause);
    let words: Vec<&str> = all
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .map(|token| token.text(clause))
        .filter(|word| !matches!(*word, "(" | ")"))
        .collect();
    match words[..] {
        [_, word] => word.eq_ignore_ascii_case("true"),
        [_, one, "=", other] => {
            one == other && one.starts_with(|c: char| c.is_ascii_digit() || c == '\'')
        }
        _ => false,
    }
}

/// A statement whose WITH changes rows: what it changes there, and the statement itself.
fn with(node: &SyntaxNode) -> Option<Ddl> {
    let clause = child::<ast::WithClause>(node)?;
    let queries = children::<ast::WithTable>(clause.syntax())
        .filter_map(|table| child::<ast::WithQuery>(table.syntax()));
    let mut parts: Vec<Ddl> = queries
        .filter_map(|query| one(query.syntax()))
        .filter(|part| *part != Ddl::Select)
        .collect();
    if parts.is_empty() {
        return None;
    }
    parts.extend(one(node));
    Some(Ddl::With(parts))
}

fn transaction(node: &SyntaxNode) -> Option<Transaction> {
    let savepoint = || {
        node.children()
            .last()
            .as_ref()
            .and_then(ident)
            .unwrap_or_else(|| Ident::new(""))
    };
    Some(match node.kind() {
        SyntaxKind::BEGIN => Transaction::Begin,
        SyntaxKind::COMMIT_TRANSACTION => Transaction::Commit,
        SyntaxKind::ROLLBACK_TRANSACTION => Transaction::Rollback,
        SyntaxKind::ROLLBACK_TO_SAVEPOINT => Transaction::RollbackTo(savepoint()),
        SyntaxKind::SAVEPOINT_CREATE => Transaction::Savepoint(savepoint()),
        SyntaxKind::RELEASE_SAVEPOINT => Transaction::Release,
        SyntaxKind::COMMIT_PREPARED
        | SyntaxKind::ROLLBACK_PREPARED
        | SyntaxKind::PREPARE_TRANSACTION => Transaction::Prepare,
        SyntaxKind::SET_TRANSACTION | SyntaxKind::SET_CONSTRAINTS => Transaction::Mode,
        _ => return None,
    })
}

fn set(node: &SyntaxNode) -> Ddl {
    let local = child::<ast::LocalScope>(node).is_some();
    if let Some(zone) = child::<ast::SetTimeZone>(node) {
        let words = text(zone.syntax());
        let value = words.rsplit(' ').next().unwrap_or_default();
        return Ddl::Set(Setting {
            name: "timezone".to_owned(),
            value: value.trim_matches('\'').to_owned(),
            local,
            reset: false,
        });
    }
    let Some(config) = child::<ast::SetConfig>(node) else {
        return Ddl::Set(Setting {
            name: String::new(),
            value: text(node),
            local,
            reset: false,
        });
    };
    let name = child::<ast::ConfigParameterRef>(config.syntax()).map_or(String::new(), |name| {
        text(name.syntax()).to_ascii_lowercase()
    });
    let assigned = child::<ast::ConfigAssignment>(config.syntax())
        .map_or(String::new(), |value| text(value.syntax()));
    let value = assigned.trim_start_matches('=').trim();
    let value = match value.get(..3) {
        Some(to) if to.eq_ignore_ascii_case("to ") => value[3..].trim(),
        _ => value,
    };
    let single = value
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .filter(|inner| !inner.contains('\''));
    Ddl::Set(Setting {
        name,
        value: single.unwrap_or(value).to_owned(),
        local,
        reset: value.eq_ignore_ascii_case("default"),
    })
}
