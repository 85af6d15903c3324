//! From the syntax tree to facts.

use std::ops::Range;

use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::super::guard::guarded;
use super::super::lex::{fold, tokens};
use super::super::params::bind;
use super::super::statement::statement_kind;
use super::condition::{Conjunct, Operand, conjuncts};
use super::scope::Scope;
use super::types::{ColumnUse, Names, OrderKey, Predicate, PredicateOp, QueryFacts, RowLock, Verb};

/// Facts about one statement when nothing is known of its tables. `None` for a text that is too long to be parsed.
pub fn facts(text: &str) -> Option<QueryFacts> {
    struct Nothing;
    impl Names for Nothing {
        fn schema(&self) -> &str {
            ""
        }
        fn has_column(&self, _: &str, _: &str) -> Option<bool> {
            None
        }
    }
    facts_in(text, &Nothing)
}

/// Facts about one statement over known tables: columns without a table's name find theirs, misspelt ones are told.
pub fn facts_in(text: &str, names: &(dyn Names + Sync)) -> Option<QueryFacts> {
    let bound = bind(text);
    let mut facts = guarded(tokens(&bound.sql).len(), || {
        let mut walker = Walker {
            sql: &bound.sql,
            names,
            facts: QueryFacts::new(statement_kind(&bound.sql)),
        };
        let root = SourceFile::parse(&bound.sql).syntax_node();
        let star = walker.inside(&root, &Scope::default());
        walker.facts.select_star = star;
        walker.facts
    })?;
    facts.map_ranges(&|range| bound.original_range(range.clone()));
    Some(facts)
}

pub(super) struct Walker<'a> {
    pub(super) sql: &'a str,
    pub(super) names: &'a (dyn Names + Sync),
    pub(super) facts: QueryFacts,
}

/// Words that stand where a column could, and are none.
pub(super) fn is_value_keyword(word: &str) -> bool {
    const WORDS: [&str; 12] = [
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "localtime",
        "localtimestamp",
        "session_user",
        "system_user",
        "user",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

pub(super) fn range(node: &SyntaxNode) -> Range<usize> {
    let range = node.text_range();
    range.start().into()..range.end().into()
}

pub(super) fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|child| child.kind() == kind)
}

pub(super) fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens()
        .any(|item| item.as_token().is_some_and(|token| token.kind() == kind))
}

/// The outermost result of a query: where a `*` makes it change with a table.
pub(super) type Star = Option<Range<usize>>;

impl Walker<'_> {
    pub(super) fn text(&self, node: &SyntaxNode) -> &str {
        &self.sql[range(node)]
    }

    /// Visits what is below a node, as part of the query that `scope` belongs to.
    fn inside(&mut self, node: &SyntaxNode, scope: &Scope) -> Star {
        let mut star = None;
        for below in node.children() {
            star = self.visit(&below, scope, false).or(star);
        }
        star
    }

    /// Visits one node. `outputs`: whether names given in the list of results are visible here.
    pub(super) fn visit(&mut self, node: &SyntaxNode, scope: &Scope, outputs: bool) -> Star {
        use SyntaxKind as K;
        // The outermost query has level 0, those inside an expression one more than what they stand in.
        let outermost = node
            .parent()
            .is_none_or(|above| above.kind() == K::SOURCE_FILE);
        let parent = (!outermost).then_some(scope);
        match node.kind() {
            K::SELECT
            | K::SELECT_INTO
            | K::COMPOUND_SELECT
            | K::PAREN_SELECT
            | K::VALUES
            | K::TABLE
            | K::INSERT
            | K::UPDATE
            | K::DELETE
            | K::MERGE => {
                return self.query(node, Scope::inside(parent));
            }
            K::LOCK | K::TRUNCATE => self.tables_of(node),
            K::NAME_REF => self.name(node, scope, outputs),
            K::FIELD_EXPR => self.field(node, scope, outputs),
            K::CALL_EXPR => self.call(node, scope, outputs),
            K::WHEN_CONDITION => {
                let rows = self.trigger_rows(node, scope);
                for below in node.children() {
                    self.visit(&below, &rows, outputs);
                }
            }
            // CREATE VIEW and the like: the query inside is the outermost one.
            _ if outermost => {
                let mut star = None;
                for below in node.children() {
                    star = match below.kind() {
                        K::SELECT | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE => {
                            self.query(&below, Scope::default())
                        }
                        _ => self.visit(&below, scope, outputs),
                    }
                    .or(star);
                }
                return star;
            }
            _ => {
                for below in node.children() {
                    self.visit(&below, scope, outputs);
                }
            }
        }
        None
    }

    /// A query or a statement that changes rows, in a scope of its own.
    pub(super) fn query(&mut self, node: &SyntaxNode, mut scope: Scope) -> Star {
        use SyntaxKind as K;
        if let Some(with) = child(node, K::WITH_CLAUSE) {
            self.with(&with, &mut scope);
        }
        match node.kind() {
            K::SELECT | K::SELECT_INTO => self.select(node, scope),
            K::INSERT => self.insert(node, scope),
            K::UPDATE | K::DELETE => self.update(node, scope),
            K::MERGE => self.merge(node, scope),
            K::TABLE => {
                let relation = child(node, K::RELATION_NAME)
                    .and_then(|name| child(&name, K::RELATION_NAME_REF));
                if let Some(name) = relation {
                    self.relation(&name, &mut scope);
                }
                self.tail(node, &scope);
                let open = scope.relations.iter().any(|relation| relation.open);
                open.then(|| range(node))
            }
            // Branches of a union, and parentheses, are on the level of the whole.
            _ => {
                let mut star = None;
                for below in node.children() {
                    match below.kind() {
                        K::SELECT | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE => {
                            let branch = Scope {
                                parent: Some(&scope),
                                level: scope.level,
                                ..Scope::default()
                            };
                            star = self.query(&below, branch).or(star);
                        }
                        K::WITH_CLAUSE => {}
                        // VALUES has rows of expressions.
                        _ if node.kind() == K::VALUES => {
                            self.visit(&below, &scope, false);
                        }
                        _ => {}
                    }
                }
                self.tail(node, &scope);
                star
            }
        }
    }

    fn with(&mut self, node: &SyntaxNode, scope: &mut Scope) {
        use SyntaxKind as K;
        let recursive = has_token(node, K::RECURSIVE_KW);
        for table in node
            .children()
            .filter(|child| child.kind() == K::WITH_TABLE)
        {
            let Some(name) = child(&table, K::CTE_NAME) else {
                continue;
            };
            let name = fold(self.text(&name));
            if recursive {
                scope.ctes.insert(name.clone(), false);
            }
            let mut star = None;
            for below in table.children() {
                star = self.visit(&below, scope, false).or(star);
            }
            scope.ctes.insert(name, star.is_some());
        }
    }

    fn select(&mut self, node: &SyntaxNode, mut scope: Scope) -> Star {
        use SyntaxKind as K;
        if let Some(from) = child(node, K::FROM_CLAUSE) {
            self.from(&from, &mut scope);
        }
        let mut star = None;
        for below in node.children() {
            match below.kind() {
                K::SELECT_CLAUSE => {
                    if scope.level == 0 {
                        self.facts.distinct |= below
                            .children()
                            .any(|child| child.kind() == K::DISTINCT_CLAUSE);
                    }
                    star = self.targets(&below, &mut scope);
                }
                K::WHERE_CLAUSE => self.condition(&below, &scope),
                K::GROUP_BY_CLAUSE => {
                    self.facts.group_by |= scope.level == 0;
                    self.visit(&below, &scope, true);
                }
                K::HAVING_CLAUSE | K::WINDOW_CLAUSE | K::FILTER_CLAUSE => {
                    self.visit(&below, &scope, false);
                }
                _ => {}
            }
        }
        self.tail(node, &scope);
        star
    }

    /// ORDER BY, LIMIT, OFFSET, FETCH and locking clauses of a query.
    fn tail(&mut self, node: &SyntaxNode, scope: &Scope) {
        use SyntaxKind as K;
        for below in node.children() {
            match below.kind() {
                K::ORDER_BY_CLAUSE => self.order(&below, scope),
                K::LIMIT_CLAUSE | K::FETCH_CLAUSE => {
                    self.facts.limit |= scope.level == 0;
                    self.visit(&below, scope, false);
                }
                K::OFFSET_CLAUSE => {
                    let zero = below.children().any(|value| self.text(&value) == "0");
                    if !zero {
                        self.facts.offset.get_or_insert(range(&below));
                    }
                    self.visit(&below, scope, false);
                }
                K::LOCKING_CLAUSE => self.locking(&below, scope),
                _ => {}
            }
        }
    }

    fn order(&mut self, node: &SyntaxNode, scope: &Scope) {
        use SyntaxKind as K;
        for key in node
            .descendants()
            .filter(|child| child.kind() == K::SORT_BY)
        {
            let before = self.facts.columns.len();
            self.visit(&key, scope, true);
            // A subquery's or window's own order is no order of the result.
            let own = key.parent().and_then(|list| list.parent());
            if scope.level > 0 || own.as_ref() != Some(node) {
                continue;
            }
            let is_column = key
                .children()
                .next()
                .is_some_and(|value| matches!(value.kind(), K::NAME_REF | K::FIELD_EXPR));
            let column = self.facts.columns[before..].first();
            let key = OrderKey {
                column: column.filter(|_| is_column).map(|used| used.column.clone()),
                descending: key.children().any(|child| child.kind() == K::SORT_DESC),
                range: range(&key),
            };
            self.facts.order_by.push(key);
        }
    }

    fn locking(&mut self, node: &SyntaxNode, scope: &Scope) {
        use SyntaxKind as K;
        let strength = node
            .children()
            .find_map(|child| match child.kind() {
                K::FOR_KEY_SHARE => Some(RowLock::KeyShare),
                K::FOR_SHARE => Some(RowLock::Share),
                K::FOR_NO_KEY_UPDATE => Some(RowLock::NoKeyUpdate),
                K::FOR_UPDATE => Some(RowLock::Update),
                _ => None,
            })
            .unwrap_or(RowLock::Update);
        self.facts.skips_locked |= child(node, K::SKIP_LOCKED).is_some();
        let of: Vec<String> = child(node, K::LOCKING_OF)
            .map(|of| of.children().map(|name| fold(self.text(&name))).collect())
            .unwrap_or_default();
        let locked: Vec<(String, Range<usize>)> = scope
            .relations
            .iter()
            .filter(|relation| of.is_empty() || of.contains(&relation.alias))
            .flat_map(|relation| relation.locked.clone())
            .collect();
        for (table, range) in locked {
            self.lock(&table, strength, &range);
        }
    }

    fn lock(&mut self, table: &str, strength: RowLock, range: &Range<usize>) {
        self.facts.table(table, Verb::Lock, range);
        let lock = self.facts.locks.entry(table.to_owned()).or_insert(strength);
        *lock = strength.max(*lock);
    }

    /// LOCK TABLE and TRUNCATE.
    fn tables_of(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let names: Vec<SyntaxNode> = node
            .descendants()
            .filter(|child| matches!(child.kind(), K::RELATION_NAME_REF | K::TABLE_NAME_REF))
            .collect();
        for name in names {
            let table = self.table_name(&name);
            if node.kind() == K::LOCK {
                self.lock(&table, RowLock::Table, &range(&name));
            } else {
                self.facts.table(&table, Verb::Truncate, &range(&name));
            }
        }
    }

    /// The list of results: expressions, names they are given, and a `*`.
    pub(super) fn targets(&mut self, node: &SyntaxNode, scope: &mut Scope) -> Star {
        use SyntaxKind as K;
        let mut star = None;
        let targets: Vec<SyntaxNode> = node
            .children()
            .filter(|child| child.kind() == K::TARGET_LIST)
            .flat_map(|list| list.children().collect::<Vec<_>>())
            .collect();
        for other in node
            .children()
            .filter(|child| child.kind() != K::TARGET_LIST)
        {
            self.visit(&other, scope, false);
        }
        for target in targets {
            let of = match target.children().next() {
                None if has_token(&target, K::STAR) => Some(None),
                Some(field) if field.kind() == K::FIELD_EXPR && has_token(&field, K::STAR) => {
                    let qualifier = field.children().next();
                    Some(qualifier.map(|name| fold(self.text(&name))))
                }
                _ => None,
            };
            if let Some(of) = of {
                let open = scope
                    .relations
                    .iter()
                    .filter(|relation| of.as_ref().is_none_or(|name| relation.alias == *name))
                    .any(|relation| relation.open);
                if open {
                    star = star.or(Some(range(&target)));
                }
            }
            if let Some(name) = child(&target, K::AS_NAME)
                && let Some(name) = child(&name, K::COLUMN_NAME)
            {
                let name = fold(self.text(&name));
                scope.outputs.insert(name);
            }
            self.visit(&target, scope, false);
        }
        star
    }

    /// `WHERE …`, `ON …`: columns and how they are compared.
    pub(super) fn condition(&mut self, clause: &SyntaxNode, scope: &Scope) {
        self.visit_below(clause, scope);
        let Some(expression) = clause.children().last() else {
            return;
        };
        let start = range(&expression).start;
        let resolved = |walker: &Self, operand: &Operand| {
            let mut parts = operand.parts.clone();
            let column = parts.pop()?;
            match parts.pop() {
                Some(alias) => Some(scope.qualified(&alias, column, walker.names).0),
                None => scope
                    .bare(column, false, walker.names)
                    .map(|(column, _)| column),
            }
        };
        let Some(found) = conjuncts(self.text(&expression)) else {
            self.unread(&range(&expression), scope);
            return;
        };
        for conjunct in found {
            match conjunct {
                Conjunct::Joined(left, right) => {
                    if let (Some(left), Some(right)) =
                        (resolved(self, &left), resolved(self, &right))
                    {
                        self.facts.joins.push((left, right));
                    }
                }
                Conjunct::Compared { column, how, plain } => {
                    if let Some(resolved) = resolved(self, &column) {
                        self.facts.predicates.push(Predicate {
                            column: resolved,
                            op: how,
                            plain,
                            range: start + column.range.start..start + column.range.end,
                            level: scope.level,
                        });
                    }
                }
            }
        }
    }

    /// What sqlparser cannot read still says which columns matter.
    fn unread(&mut self, at: &Range<usize>, scope: &Scope) {
        let inside = |used: &&ColumnUse| at.start <= used.range.start && used.range.end <= at.end;
        let predicates: Vec<Predicate> = self
            .facts
            .columns
            .iter()
            .filter(inside)
            .map(|used| Predicate {
                column: used.column.clone(),
                op: PredicateOp::Other,
                plain: false,
                range: used.range.clone(),
                level: scope.level,
            })
            .collect();
        self.facts.predicates.extend(predicates);
    }

    pub(super) fn visit_below(&mut self, node: &SyntaxNode, scope: &Scope) {
        for below in node.children() {
            self.visit(&below, scope, false);
        }
    }
}
