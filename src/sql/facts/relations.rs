//! What stands in FROM, and what INSERT, UPDATE, DELETE and MERGE do to their target.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::super::lex::fold;
use super::scope::{Relation, Scope};
use super::types::{ColumnRef, Verb};
use super::walk::{Star, Walker, child, range};

use SyntaxKind as K;

impl Walker<'_> {
    /// FROM, or USING of DELETE: first what it brings into scope, then the conditions in it.
    pub(super) fn from(&mut self, clause: &SyntaxNode, scope: &mut Scope) {
        for item in clause.children() {
            self.item(&item, scope);
        }
        self.join_conditions(clause, scope);
    }

    fn item(&mut self, node: &SyntaxNode, scope: &mut Scope) {
        match node.kind() {
            K::JOIN_EXPR | K::JOIN | K::PAREN_EXPR => {
                for below in node.children() {
                    self.item(&below, scope);
                }
            }
            K::JOIN_USING_CLAUSE => {
                let alias = child(node, K::REQUIRED_AS_ALIAS).map(|alias| self.alias(&alias));
                let alias = alias.unwrap_or_default();
                if !alias.is_empty() {
                    scope.relations.push(Relation {
                        alias,
                        ..Relation::default()
                    });
                }
            }
            K::RELATION_FROM_ITEM => {
                if let Some(name) = child(node, K::RELATION_NAME_REF) {
                    self.relation(&name, scope);
                }
                self.rename(node, scope);
                self.expressions(node, scope);
            }
            K::PAREN_FROM_ITEM => self.parenthesised(node, scope),
            K::FUNCTION_FROM_ITEM
            | K::EXPR_FROM_ITEM
            | K::JSON_TABLE_FROM_ITEM
            | K::XML_TABLE_FROM_ITEM
            | K::GRAPH_TABLE_FROM_ITEM
            | K::ROWS_FROM_ITEM => {
                self.expressions(node, scope);
                scope.relations.push(Relation::default());
                // Without an alias, a function's name is one.
                let call = child(node, K::CALL_EXPR).and_then(|call| child(&call, K::NAME_REF));
                if let (Some(call), Some(last)) = (call, scope.relations.last_mut()) {
                    last.alias = fold(self.text(&call));
                }
                self.rename(node, scope);
            }
            _ => {}
        }
    }

    /// A subquery, or joins in parentheses.
    fn parenthesised(&mut self, node: &SyntaxNode, scope: &mut Scope) {
        let first = scope.relations.len();
        for below in node.children() {
            match below.kind() {
                K::PAREN_EXPR if below.children().any(|inner| is_from_item(inner.kind())) => {
                    self.item(&below, scope);
                }
                K::FROM_ALIAS => {}
                _ => {
                    let tables = self.facts.tables.len();
                    let star = self.visit(&below, scope, false);
                    let inner = self.facts.tables[tables..].iter();
                    let locked = inner
                        .filter(|used| used.verb == Verb::Read)
                        .map(|used| (used.table.clone(), used.range.clone()))
                        .collect();
                    scope.relations.push(Relation {
                        locked,
                        open: star.is_some(),
                        ..Relation::default()
                    });
                }
            }
        }
        // `(a JOIN b …) AS c` hides the names inside.
        if child(node, K::FROM_ALIAS).is_some() && scope.relations.len() > first + 1 {
            let inner = scope.relations.split_off(first);
            scope.relations.push(Relation {
                open: inner.iter().any(|relation| relation.open),
                locked: inner
                    .into_iter()
                    .flat_map(|relation| relation.locked)
                    .collect(),
                ..Relation::default()
            });
        }
        self.rename(node, scope);
    }

    /// Arguments of functions in FROM, samples.
    fn expressions(&mut self, node: &SyntaxNode, scope: &Scope) {
        for below in node.children() {
            if !matches!(below.kind(), K::FROM_ALIAS | K::RELATION_NAME_REF) {
                self.visit(&below, scope, false);
            }
        }
    }

    /// A table or common table expression comes into scope.
    pub(super) fn relation(&mut self, name: &SyntaxNode, scope: &mut Scope) {
        let table = self.table_name(name);
        if let Some(open) = scope.cte(&table) {
            scope.relations.push(Relation {
                alias: table,
                open,
                ..Relation::default()
            });
            return;
        }
        self.facts.table(&table, Verb::Read, &range(name));
        self.target(name, table, scope);
    }

    /// A table comes into scope without being read.
    fn target(&mut self, name: &SyntaxNode, table: String, scope: &mut Scope) {
        scope.relations.push(Relation {
            alias: table.rsplit('.').next().unwrap_or(&table).to_owned(),
            locked: vec![(table.clone(), range(name))],
            table: Some(table),
            open: true,
        });
    }

    /// Gives the last relation the alias that stands beside it.
    fn rename(&mut self, node: &SyntaxNode, scope: &mut Scope) {
        let alias = node.children().find(|child| {
            matches!(
                child.kind(),
                K::FROM_ALIAS | K::OPTIONAL_AS_ALIAS | K::REQUIRED_AS_ALIAS
            )
        });
        let (Some(alias), Some(last)) = (alias, scope.relations.last_mut()) else {
            return;
        };
        let name = self.alias(&alias);
        if !name.is_empty() {
            last.alias = name;
        }
        if child(&alias, K::COLUMN_LIST).is_some() || child(&alias, K::COLUMN_DEF_LIST).is_some() {
            last.table = None;
            last.open = false;
        }
    }

    fn alias(&self, node: &SyntaxNode) -> String {
        child(node, K::TABLE_ALIAS).map_or_else(String::new, |name| fold(self.text(&name)))
    }

    fn join_conditions(&mut self, node: &SyntaxNode, scope: &Scope) {
        for below in node.children() {
            match below.kind() {
                K::JOIN_EXPR | K::JOIN | K::PAREN_EXPR | K::PAREN_FROM_ITEM => {
                    self.join_conditions(&below, scope);
                }
                K::ON_CLAUSE => self.condition(&below, scope),
                K::JOIN_USING_CLAUSE => self.join_using(node, &below, scope),
                _ => {}
            }
        }
    }

    /// `a JOIN b USING (c)`: the right side is the item of this join, the left side any before it.
    fn join_using(&mut self, join: &SyntaxNode, using: &SyntaxNode, scope: &Scope) {
        let right = join
            .children()
            .find(|child| is_from_item(child.kind()))
            .and_then(|item| {
                let alias = child(&item, K::FROM_ALIAS).map(|alias| self.alias(&alias));
                let name = child(&item, K::RELATION_NAME_REF).map(|name| {
                    let table = self.table_name(&name);
                    table.rsplit('.').next().unwrap_or_default().to_owned()
                });
                alias.or(name)
            })
            .unwrap_or_default();
        let end = scope
            .relations
            .iter()
            .position(|relation| relation.alias == right)
            .unwrap_or(scope.relations.len());
        let names: Vec<SyntaxNode> = using
            .descendants()
            .filter(|child| child.kind() == K::COLUMN_NAME_REF)
            .collect();
        for name in names {
            let column = fold(self.text(&name));
            let (right, missing) = scope.qualified(&right, column.clone(), self.names);
            let left = scope.relations[..end]
                .iter()
                .filter_map(|relation| relation.table.as_deref())
                .find(|table| self.names.has_column(table, &column) != Some(false));
            let left = ColumnRef {
                table: left.map(str::to_owned),
                column,
            };
            self.used((right.clone(), missing), range(&name));
            self.facts.joins.push((left, right));
        }
    }

    pub(super) fn insert(&mut self, node: &SyntaxNode, mut scope: Scope) -> Star {
        let mut star = None;
        let mut table = String::new();
        let mut inner = Scope {
            level: scope.level,
            ..Scope::default()
        };
        if let Some(name) = child(node, K::RELATION_NAME_REF) {
            table = self.table_name(&name);
            self.facts.table(&table, Verb::Insert, &range(&name));
            self.target(&name, table.clone(), &mut inner);
            self.rename(node, &mut inner);
        }
        match child(node, K::COLUMN_TARGET_LIST) {
            Some(list) => self.assign(&list, &table, &inner),
            None if child(node, K::DEFAULT_VALUES).is_some() => {}
            None => {
                let columns = self.facts.assigned.entry(table.clone()).or_default();
                columns.insert("*".to_owned());
            }
        }
        for below in node.children().filter(|child| is_query(child.kind())) {
            let source = Scope {
                parent: Some(&scope),
                level: scope.level,
                ..Scope::default()
            };
            star = self.query(&below, source).or(star);
        }
        scope.relations = inner.relations;
        if let Some(conflict) = child(node, K::ON_CONFLICT_CLAUSE) {
            self.on_conflict(&conflict, &table, &scope);
        }
        self.returning(node, &mut scope);
        star
    }

    fn on_conflict(&mut self, node: &SyntaxNode, table: &str, scope: &Scope) {
        for below in node.children() {
            if below.kind() != K::CONFLICT_DO_UPDATE_SET {
                self.visit(&below, scope, false);
                continue;
            }
            let mut update = Scope {
                parent: scope.parent,
                relations: scope.relations.clone(),
                level: scope.level,
                ..Scope::default()
            };
            update.relations.push(Relation {
                alias: "excluded".to_owned(),
                table: Some(table.to_owned()),
                ..Relation::default()
            });
            self.facts.table(table, Verb::Update, &range(&below));
            for clause in below.children() {
                match clause.kind() {
                    K::SET_CLAUSE => self.set(&clause, table, &update),
                    _ => self.visit_below(&clause, &update),
                }
            }
        }
    }

    /// UPDATE and DELETE.
    pub(super) fn update(&mut self, node: &SyntaxNode, mut scope: Scope) -> Star {
        let verb = match node.kind() {
            K::UPDATE => Verb::Update,
            _ => Verb::Delete,
        };
        let name = child(node, K::RELATION_NAME)
            .and_then(|relation| child(&relation, K::RELATION_NAME_REF));
        let mut table = String::new();
        if let Some(name) = name {
            table = self.table_name(&name);
            self.facts.table(&table, verb, &range(&name));
            self.facts.reads.insert(table.clone());
            self.target(&name, table.clone(), &mut scope);
            self.rename(node, &mut scope);
        }
        for from in [K::FROM_CLAUSE, K::USING_CLAUSE] {
            if let Some(from) = child(node, from) {
                self.from(&from, &mut scope);
            }
        }
        for below in node.children() {
            match below.kind() {
                K::SET_CLAUSE => self.set(&below, &table, &scope),
                K::WHERE_CLAUSE => self.condition(&below, &scope),
                K::FOR_PORTION_OF => self.visit_below(&below, &scope),
                _ => {}
            }
        }
        self.returning(node, &mut scope)
    }

    pub(super) fn merge(&mut self, node: &SyntaxNode, mut scope: Scope) -> Star {
        let name = child(node, K::TABLE_RELATION_NAME)
            .and_then(|relation| child(&relation, K::TABLE_NAME_REF));
        let mut table = String::new();
        if let Some(name) = &name {
            table = self.table_name(name);
            self.facts.reads.insert(table.clone());
            self.target(name, table.clone(), &mut scope);
            self.rename(node, &mut scope);
        }
        if let Some(using) = child(node, K::USING_ON_CLAUSE) {
            self.from(&using, &mut scope);
        }
        for action in node.descendants() {
            let verb = match action.kind() {
                K::MERGE_UPDATE => Verb::Update,
                K::MERGE_DELETE => Verb::Delete,
                K::MERGE_INSERT => Verb::Insert,
                K::MERGE_CONDITION => {
                    self.visit_below(&action, &scope);
                    continue;
                }
                _ => continue,
            };
            let at = name.as_ref().map_or_else(|| range(&action), range);
            self.facts.table(&table, verb, &at);
            for below in action.children() {
                match below.kind() {
                    K::SET_CLAUSE => self.set(&below, &table, &scope),
                    K::COLUMN_TARGET_LIST => self.assign(&below, &table, &scope),
                    _ => self.visit_below(&below, &scope),
                }
            }
        }
        self.returning(node, &mut scope)
    }

    fn set(&mut self, clause: &SyntaxNode, table: &str, scope: &Scope) {
        let columns = clause
            .descendants()
            .filter(|node| matches!(node.kind(), K::SET_SINGLE_COLUMN | K::SET_MULTIPLE_COLUMNS));
        for column in columns {
            for below in column.children() {
                match below.kind() {
                    K::COLUMN_TARGET | K::COLUMN_TARGET_LIST => self.assign(&below, table, scope),
                    _ => {
                        self.visit(&below, scope, false);
                    }
                }
            }
        }
    }

    /// Columns that are set, and what stands in brackets behind them.
    fn assign(&mut self, targets: &SyntaxNode, table: &str, scope: &Scope) {
        for node in targets.descendants() {
            if node.kind() == K::COLUMN_NAME_REF {
                let column = fold(self.text(&node));
                let missing = self.names.has_column(table, &column) == Some(false);
                let assigned = self.facts.assigned.entry(table.to_owned()).or_default();
                assigned.insert(column.clone());
                let table = Some(table.to_owned());
                self.used((ColumnRef { table, column }, missing), range(&node));
            } else if node.kind() == K::INDEX_ACCESSOR {
                self.visit_below(&node, scope);
            }
        }
    }

    /// The rows that the condition of a trigger speaks of.
    pub(super) fn trigger_rows<'s>(
        &self,
        condition: &SyntaxNode,
        scope: &'s Scope<'s>,
    ) -> Scope<'s> {
        let made = condition.parent();
        let on = made.and_then(|made| child(&made, K::ON_RELATION));
        let table = on.map(|on| self.table_name(&on));
        let rows = ["old", "new"].map(|alias| Relation {
            alias: alias.to_owned(),
            table: table.clone(),
            ..Relation::default()
        });
        Scope {
            parent: Some(scope),
            relations: rows.to_vec(),
            level: scope.level,
            ..Scope::default()
        }
    }

    /// What a `*` in it returns changes with the table, also where a common table expression passes it on.
    fn returning(&mut self, node: &SyntaxNode, scope: &mut Scope) -> Star {
        let clause = child(node, K::RETURNING_CLAUSE)?;
        // PostgreSQL 18: the row before and after.
        let table = scope
            .relations
            .first()
            .and_then(|target| target.table.clone());
        let mut aliases = vec!["old".to_owned(), "new".to_owned()];
        let options = clause.descendants();
        let named = options.filter(|option| option.kind() == K::TABLE_ALIAS);
        aliases.extend(named.map(|alias| fold(self.text(&alias))));
        for alias in aliases {
            if scope.relation(&alias).is_none() {
                scope.relations.push(Relation {
                    alias,
                    table: table.clone(),
                    ..Relation::default()
                });
            }
        }
        let star = self.targets(&clause, scope);
        if scope.level == 0 {
            self.facts.returning_star = star;
            return None;
        }
        star
    }
}

fn is_query(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        K::SELECT | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE
    )
}

fn is_from_item(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        K::JOIN_EXPR
            | K::RELATION_FROM_ITEM
            | K::PAREN_FROM_ITEM
            | K::FUNCTION_FROM_ITEM
            | K::EXPR_FROM_ITEM
            | K::JSON_TABLE_FROM_ITEM
            | K::XML_TABLE_FROM_ITEM
            | K::GRAPH_TABLE_FROM_ITEM
            | K::ROWS_FROM_ITEM
    )
}
