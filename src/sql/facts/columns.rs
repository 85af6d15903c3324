//! Names in expressions: columns, functions, tables.

use std::ops::Range;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::super::lex::fold;
use super::scope::Scope;
use super::types::{ColumnRef, ColumnUse};
use super::walk::{Walker, has_token, is_value_keyword, range};

impl Walker<'_> {
    pub(super) fn used(&mut self, column: (ColumnRef, bool), range: Range<usize>) {
        self.facts.columns.push(ColumnUse {
            column: column.0,
            range,
            missing: column.1,
        });
    }

    pub(super) fn name(&mut self, node: &SyntaxNode, scope: &Scope, outputs: bool) {
        let text = self.text(node);
        if is_value_keyword(text) {
            return;
        }
        if let Some(column) = scope.bare(fold(text), outputs, self.names) {
            self.used(column, range(node));
        }
    }

    /// `alias.column`, `schema.table.column`, or a field of an expression.
    pub(super) fn field(&mut self, node: &SyntaxNode, scope: &Scope, outputs: bool) {
        use SyntaxKind as K;
        let mut parts = Vec::new();
        let mut base = node.clone();
        loop {
            let below: Vec<SyntaxNode> = base.children().collect();
            let (Some(first), last) = (below.first(), below.get(1)) else {
                return;
            };
            parts.extend(last.cloned());
            match first.kind() {
                K::FIELD_EXPR => base = first.clone(),
                K::NAME_REF => {
                    parts.push(first.clone());
                    break;
                }
                _ => {
                    self.visit(first, scope, outputs);
                    return;
                }
            }
        }
        // `alias.*` names no column.
        if has_token(node, K::STAR) {
            return;
        }
        if let [column, table, ..] = parts.as_slice() {
            let (alias, column) = (fold(self.text(table)), fold(self.text(column)));
            self.used(scope.qualified(&alias, column, self.names), range(node));
        }
    }

    pub(super) fn call(&mut self, node: &SyntaxNode, scope: &Scope, outputs: bool) {
        use SyntaxKind as K;
        for (index, below) in node.children().enumerate() {
            let name = match below.kind() {
                K::NAME_REF | K::FIELD_EXPR if index == 0 => {
                    let path = self.text(&below);
                    Some(fold(path.rsplit('.').next().unwrap_or(path)))
                }
                // `extract (…)` and the like are words of the grammar.
                _ if index == 0 => below
                    .first_token()
                    .map(|token| token.text().to_ascii_lowercase()),
                _ => None,
            };
            let is_name = matches!(below.kind(), K::NAME_REF | K::FIELD_EXPR) && index == 0;
            self.facts.functions.extend(name);
            if !is_name {
                self.visit(&below, scope, outputs);
            }
        }
    }

    /// `table`, or `schema.table` where the schema is not the design's.
    pub(super) fn table_name(&self, node: &SyntaxNode) -> String {
        let parts: Vec<String> = node
            .descendants()
            .filter(|child| child.kind() == SyntaxKind::PATH_SEGMENT_REF)
            .map(|segment| fold(self.text(&segment)))
            .collect();
        match parts.as_slice() {
            [schema, name] if schema == self.names.schema() => name.clone(),
            _ => parts.join("."),
        }
    }
}
