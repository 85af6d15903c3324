//! Names as a statement writes them, with or without a schema.

use squawk_syntax::SyntaxNode;

use crate::sql::lex::{TokenKind, fold, tokens};
use crate::sql::{Ident, QualifiedName};

/// A name as it is written: the schema may be left to the search path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// Schema, where the statement names one.
    pub schema: Option<Ident>,
    /// Name within it.
    pub name: Ident,
}

impl Named {
    /// Takes a dotted name apart: `a`, `"B".c`.
    pub fn parse(text: &str) -> Option<Named> {
        let mut parts: Vec<Ident> = tokens(text)
            .iter()
            .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent))
            .map(|token| Ident::new(fold(token.text(text))))
            .collect();
        let name = parts.pop()?;
        Some(Named {
            schema: parts.pop(),
            name,
        })
    }

    /// With its schema, or in `schema` where none is written.
    pub fn within(&self, schema: &Ident) -> QualifiedName {
        let own = self.schema.as_ref().unwrap_or(schema);
        QualifiedName::new(own.clone(), self.name.clone())
    }
}

/// The name that a node is.
pub(super) fn named(node: &SyntaxNode) -> Option<Named> {
    Named::parse(&node.text().to_string())
}

/// The last part of the name that a node is.
pub(super) fn ident(node: &SyntaxNode) -> Option<Ident> {
    named(node).map(|named| named.name)
}
