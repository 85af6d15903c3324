//! What stands in FROM, and which of it the conditions of joins are for.

use std::collections::BTreeSet;
use std::ops::Range;

use sqlparser::ast::{JoinConstraint, JoinOperator, ObjectName, TableFactor, TableWithJoins};

use super::super::expression::fold;
use super::conjunct::Mentions;
use super::reader::{Reader, add};
use super::scope::{Relation, Scope};
use super::types::Access;

/// Where conditions stand, and which relations they say something of.
pub(super) struct On<'q> {
    pub constraint: &'q JoinConstraint,
    /// Relations before the join, of the same item of FROM.
    pub left: Range<usize>,
    pub right: Range<usize>,
    /// Those that are left out where the condition fails.
    pub bound: Range<usize>,
}

impl Reader<'_> {
    /// Brings what stands in FROM into scope.
    pub(super) fn from<'q>(
        &mut self,
        from: &[&'q TableWithJoins],
        scope: &mut Scope<'_>,
        used: &mut Mentions,
    ) -> Vec<On<'q>> {
        let mut on = Vec::new();
        for item in from {
            self.item(item, scope, used, &mut on);
        }
        on
    }

    fn item<'q>(
        &mut self,
        item: &'q TableWithJoins,
        scope: &mut Scope<'_>,
        used: &mut Mentions,
        on: &mut Vec<On<'q>>,
    ) {
        use JoinOperator as J;
        let start = scope.relations.len();
        self.factor(&item.relation, scope, used, on);
        for join in &item.joins {
            let before = scope.relations.len();
            self.factor(&join.relation, scope, used, on);
            let after = scope.relations.len();
            let (constraint, bound, filled) = match &join.join_operator {
                J::Join(on) | J::Inner(on) | J::CrossJoin(on) => (on, start..after, 0..0),
                J::Left(on) | J::LeftOuter(on) => (on, before..after, before..after),
                J::Right(on) | J::RightOuter(on) => (on, start..before, start..before),
                J::FullOuter(on) => (on, 0..0, start..after),
                _ => continue,
            };
            for relation in &mut scope.relations[filled] {
                relation.nullable = true;
            }
            on.push(On {
                constraint,
                left: start..before,
                right: before..after,
                bound,
            });
        }
    }

    fn factor<'q>(
        &mut self,
        factor: &'q TableFactor,
        scope: &mut Scope<'_>,
        used: &mut Mentions,
        on: &mut Vec<On<'q>>,
    ) {
        let unknown = |alias: Option<&sqlparser::ast::TableAlias>| Relation {
            alias: alias.map_or_else(String::new, |alias| fold(&alias.name).as_str().to_owned()),
            table: None,
            nullable: false,
        };
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let mut relation = unknown(alias.as_ref());
                let table = self.table(name);
                if alias.is_none() {
                    relation.alias = table.rsplit('.').next().unwrap_or_default().to_owned();
                }
                let renamed = alias
                    .as_ref()
                    .is_some_and(|alias| !alias.columns.is_empty());
                if !renamed && !scope.is_cte(&table) {
                    relation.table = Some((table.clone(), self.found.len()));
                    self.found.push(Access {
                        table,
                        conditions: Vec::new(),
                        order: Vec::new(),
                        limit: false,
                        columns: Some(BTreeSet::new()),
                    });
                }
                scope.relations.push(relation);
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => self.item(table_with_joins, scope, used, on),
            TableFactor::Table { alias, .. }
            | TableFactor::Derived { alias, .. }
            | TableFactor::TableFunction { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::JsonTable { alias, .. }
            | TableFactor::XmlTable { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => {
                add(used, Mentions::of(factor));
                scope.relations.push(unknown(alias.as_ref()));
            }
            _ => scope.relations.push(unknown(None)),
        }
    }

    fn table(&self, name: &ObjectName) -> String {
        let parts: Vec<String> = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|part| fold(part).as_str().to_owned())
            .collect();
        match parts.as_slice() {
            [schema, table] if schema == self.names.schema() => table.clone(),
            _ => parts.join("."),
        }
    }
}
