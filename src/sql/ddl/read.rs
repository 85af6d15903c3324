//! From a text to a form.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::body::without_body;
use super::forms::Ddl;
use super::{alter, objects, rows, table};
use crate::sql::guard::guarded;
use crate::sql::lex::{Token, TokenKind, tokens};
use crate::sql::plpgsql::without_into;
use crate::sql::syntax::{SyntaxFault, first_fault, tidy};

/// What one statement says. A text that PostgreSQL's grammar refuses is a fault with its place.
pub fn ddl(text: &str) -> Result<Ddl, SyntaxFault> {
    let words: Vec<Token> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let read = guarded(words.len(), || {
        if let Some(form) = bodiless(text, &words) {
            return Ok(form);
        }
        let parsed = SourceFile::parse(&without_into(text));
        match first_fault(&parsed) {
            Some((message, range)) => {
                let word = text.get(range.clone()).filter(|word| !word.is_empty());
                let next = || {
                    text.get(range.start..)
                        .and_then(|rest| rest.split_whitespace().next())
                };
                let message = tidy(&message, word.or_else(next));
                Err(SyntaxFault { message, range })
            }
            None => Ok(statement(&parsed.syntax_node(), text)),
        }
    });
    read.unwrap_or_else(|| {
        Err(SyntaxFault {
            message: "this statement is too long or too deep to be read".to_owned(),
            range: 0..text.len(),
        })
    })
}

/// A function or a block without its body: it is long, what it does is not asked here, and the parser does not know all of PL/pgSQL.
fn bodiless(text: &str, words: &[Token]) -> Option<Ddl> {
    without_body(text, words).into_iter().find_map(|own| {
        let parsed = SourceFile::parse(&own);
        let form = first_fault(&parsed)
            .is_none()
            .then(|| statement(&parsed.syntax_node(), text))?;
        Some(match form {
            Ddl::CreateFunction { name, .. } => Ddl::CreateFunction {
                name,
                definition: text.to_owned(),
            },
            other => other,
        })
    })
}

fn statement(root: &SyntaxNode, whole: &str) -> Ddl {
    let Some(node) = root
        .children()
        .find(|node| ast::Stmt::can_cast(node.kind()))
    else {
        return Ddl::Other(String::new());
    };
    table::read(&node)
        .or_else(|| alter::read(&node))
        .or_else(|| objects::read(&node))
        .or_else(|| rows::read(&node))
        .unwrap_or_else(|| Ddl::Other(leading(whole)))
}

/// The first words, in upper case.
fn leading(whole: &str) -> String {
    let words: Vec<String> = tokens(whole)
        .iter()
        .filter(|token| token.kind == TokenKind::Word)
        .take(2)
        .map(|token| token.text(whole).to_ascii_uppercase())
        .collect();
    words.join(" ")
}

/// The first child of a type.
pub(super) fn child<T: AstNode>(node: &SyntaxNode) -> Option<T> {
    node.children().find_map(T::cast)
}

/// The children of a type.
pub(super) fn children<T: AstNode>(node: &SyntaxNode) -> impl Iterator<Item = T> {
    node.children().filter_map(T::cast)
}

/// The first descendant of a type.
pub(super) fn deep<T: AstNode>(node: &SyntaxNode) -> Option<T> {
    node.descendants().find_map(T::cast)
}

/// Whether a word stands in the node itself, not in what is in it.
pub(super) fn has(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens()
        .any(|element| element.kind() == kind && element.as_token().is_some())
}

/// The text of a node.
pub(super) fn text(node: &SyntaxNode) -> String {
    node.text().to_string().trim().to_owned()
}
