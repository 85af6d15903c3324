//! Constraints of tables, columns and domains.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::forms::KeyForm;
use super::names::{Named, ident, named};
use super::read::{child, children, has, text};
use super::table_forms::{ConstraintForm, ConstraintKind, NewColumn};
use crate::sql::Ident;

/// A constraint with its options. `None` where the node is none.
pub(super) fn constraint(node: &SyntaxNode) -> Option<ConstraintForm> {
    let options: Vec<SyntaxNode> = node.children().collect();
    let is = |kind: SyntaxKind| options.iter().any(|option| option.kind() == kind);
    let name = child::<ast::ConstraintNameClause>(node)
        .and_then(|clause| child::<ast::ConstraintName>(clause.syntax()))
        .and_then(|name| ident(name.syntax()));
    Some(ConstraintForm {
        name,
        kind: kind(node)?,
        not_valid: is(SyntaxKind::NOT_VALID),
        not_enforced: is(SyntaxKind::NOT_ENFORCED),
        no_inherit: is(SyntaxKind::NO_INHERIT),
        deferred: is(SyntaxKind::INITIALLY_DEFERRED_CONSTRAINT_OPTION),
        written: text(node),
    })
}

fn kind(node: &SyntaxNode) -> Option<ConstraintKind> {
    let node = node.clone();
    Some(match node.kind() {
        SyntaxKind::CHECK_CONSTRAINT => ConstraintKind::Check(inside(&node)),
        SyntaxKind::NOT_NULL_CONSTRAINT => ConstraintKind::NotNull(
            child::<ast::ColumnNameRef>(&node).and_then(|name| ident(name.syntax())),
        ),
        SyntaxKind::NULL_CONSTRAINT => ConstraintKind::Null,
        SyntaxKind::DEFAULT_CONSTRAINT => ConstraintKind::Default(
            child::<ast::Expr>(&node).map_or(String::new(), |e| text(e.syntax())),
        ),
        SyntaxKind::GENERATED_CONSTRAINT => generated(&node)?,
        SyntaxKind::PRIMARY_KEY_CONSTRAINT => ConstraintKind::PrimaryKey {
            columns: key_columns(&node),
            using_index: using_index(&node),
            without_overlaps: overlaps(&node),
        },
        SyntaxKind::UNIQUE_CONSTRAINT => ConstraintKind::Unique {
            columns: key_columns(&node),
            using_index: using_index(&node),
            without_overlaps: overlaps(&node),
        },
        SyntaxKind::FOREIGN_KEY_CONSTRAINT | SyntaxKind::REFERENCES_CONSTRAINT => foreign(&node)?,
        SyntaxKind::EXCLUDE_CONSTRAINT => exclude(&node),
        _ => return None,
    })
}

fn generated(node: &SyntaxNode) -> Option<ConstraintKind> {
    let written = text(node);
    if let Some(identity) = child::<ast::GeneratedIdentity>(node) {
        let always = text(identity.syntax())
            .split_whitespace()
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("always"));
        return Some(ConstraintKind::Identity { always });
    }
    let stored = child::<ast::GeneratedStored>(node)?;
    let kind = written.rsplit(')').next().unwrap_or_default();
    Some(ConstraintKind::Generated {
        expression: child::<ast::Expr>(stored.syntax()).map_or(String::new(), |e| text(e.syntax())),
        stored: kind.to_ascii_lowercase().contains("stored"),
    })
}

fn using_index(node: &SyntaxNode) -> Option<Ident> {
    let using = child::<ast::UsingIndexName>(node)?;
    child::<ast::IndexRef>(using.syntax()).and_then(|index| ident(index.syntax()))
}

/// Columns of a key: behind the parameters of its index.
fn key_columns(node: &SyntaxNode) -> Vec<Ident> {
    let list = node
        .descendants()
        .find(|inner| inner.kind() == SyntaxKind::CONSTRAINT_COLUMN_REF_LIST);
    list.map_or(Vec::new(), |list| columns(&list))
}

fn overlaps(node: &SyntaxNode) -> bool {
    node.descendants()
        .any(|inner| inner.kind() == SyntaxKind::WITHOUT_OVERLAPS)
}

/// Names of columns in a list.
pub(super) fn columns(list: &SyntaxNode) -> Vec<Ident> {
    children::<ast::ColumnNameRef>(list)
        .filter_map(|name| ident(name.syntax()))
        .collect()
}

fn foreign(node: &SyntaxNode) -> Option<ConstraintKind> {
    let lists: Vec<(bool, Vec<Ident>)> = {
        let mut seen = false;
        let mut lists = Vec::new();
        for part in node.children() {
            match part.kind() {
                SyntaxKind::TABLE_NAME_REF => seen = true,
                SyntaxKind::FOREIGN_KEY_COLUMN_LIST => lists.push((seen, columns(&part))),
                SyntaxKind::COLUMN_NAME_REF => {
                    lists.push((seen, ident(&part).into_iter().collect()))
                }
                _ => {}
            }
        }
        lists
    };
    let of = |after: bool| {
        let found = lists.iter().find(|(seen, _)| *seen == after);
        found.map_or(Vec::new(), |(_, columns)| columns.clone())
    };
    let action = |kind: SyntaxKind| {
        let node = node.children().find(|part| part.kind() == kind)?;
        let words = text(&node);
        Some(
            words
                .split_whitespace()
                .skip(2)
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    let table: Named = child::<ast::TableNameRef>(node).and_then(|name| named(name.syntax()))?;
    Some(ConstraintKind::ForeignKey {
        columns: of(false),
        table,
        key: of(true),
        on_delete: action(SyntaxKind::ON_DELETE_ACTION),
        on_update: action(SyntaxKind::ON_UPDATE_ACTION),
    })
}

fn exclude(node: &SyntaxNode) -> ConstraintKind {
    let method = node
        .children()
        .find(|part| part.kind() == SyntaxKind::CONSTRAINT_INDEX_METHOD)
        .and_then(|method| {
            Named::parse(text(&method).trim_start_matches(|c: char| !c.is_whitespace()))
        })
        .map(|named| named.name);
    let elements = node
        .descendants()
        .filter(|inner| inner.kind() == SyntaxKind::CONSTRAINT_EXCLUSION)
        .map(|element| {
            let written = text(&element);
            match written.to_ascii_lowercase().rfind(" with ") {
                Some(at) => (
                    written[..at].trim().to_owned(),
                    written[at + 6..].trim().to_owned(),
                ),
                None => (written, String::new()),
            }
        })
        .collect();
    let predicate = node
        .children()
        .find(|part| part.kind() == SyntaxKind::WHERE_CONDITION_CLAUSE)
        .map(|clause| inside(&clause));
    ConstraintKind::Exclude {
        method,
        elements,
        predicate,
    }
}

/// The expression of a node that holds one, without the parentheses that belong to the clause.
pub(super) fn inside(node: &SyntaxNode) -> String {
    child::<ast::Expr>(node).map_or(String::new(), |expression| text(expression.syntax()))
}

/// A column of CREATE TABLE or ADD COLUMN.
pub(super) fn column(node: &SyntaxNode) -> Option<NewColumn> {
    let name = child::<ast::ColumnName>(node).and_then(|name| ident(name.syntax()))?;
    let data_type = child::<ast::Type>(node).map_or(String::new(), |it| text(it.syntax()));
    let mut constraints = Vec::new();
    for part in node.children() {
        constraints.extend(constraint(&part));
    }
    Some(NewColumn {
        name,
        data_type,
        collation: collation(node),
        constraints,
    })
}

/// COLLATE of a column.
pub(super) fn collation(node: &SyntaxNode) -> Option<String> {
    let collate = child::<ast::Collate>(node)?;
    child::<ast::CollationRef>(collate.syntax()).map(|it| text(it.syntax()))
}

/// Keys of an index or of PARTITION BY.
pub(super) fn keys(list: &SyntaxNode) -> Vec<KeyForm> {
    children::<ast::PartitionItem>(list)
        .map(|item| {
            let node = item.syntax();
            let expression = inside(node);
            let words: Vec<String> = node
                .children()
                .filter(|part| !ast::Expr::can_cast(part.kind()))
                .flat_map(|part| {
                    let words = text(&part).to_ascii_lowercase();
                    words
                        .split_whitespace()
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                })
                .collect();
            let says = |word: &str| words.iter().any(|own| own == word);
            let plain = Named::parse(&expression)
                .filter(|_| {
                    !expression.contains(['(', ' ', '+', '-', '*', '/', ':', '\''])
                        || (expression.starts_with('"') && expression.ends_with('"'))
                })
                .map(|named| named.name);
            KeyForm {
                expression,
                column: plain,
                descending: says("desc"),
                nulls_first: match (says("first"), says("last")) {
                    (true, _) => Some(true),
                    (_, true) => Some(false),
                    _ => None,
                },
            }
        })
        .collect()
}

/// Whether IF EXISTS or IF NOT EXISTS is written.
pub(super) fn guarded(node: &SyntaxNode) -> bool {
    child::<ast::IfExists>(node).is_some() || child::<ast::IfNotExists>(node).is_some()
}

/// Whether CASCADE is written.
pub(super) fn cascades(node: &SyntaxNode) -> bool {
    node.children()
        .any(|part| part.kind() == SyntaxKind::CASCADE)
        || has(node, SyntaxKind::CASCADE_KW)
}
