//! From a statement to its uses of tables.

use std::collections::BTreeSet;
use std::ops::Range;

use sqlparser::ast::{
    BinaryOperator, Delete, Expr, FromTable, GroupByExpr, JoinConstraint, OrderByExpr, OrderByKind,
    OrderBySort, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement,
    TableWithJoins, Update, UpdateTableFromKind, Value,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::super::expression::fold;
use super::super::guard::guarded;
use super::super::ident::Ident;
use super::super::lex::tokens;
use super::super::params::bind;
use super::super::quote::quote_ident;
use super::conjunct::{Judge, Mentions};
use super::from::On;
use super::kind::Kind;
use super::scope::{Place, Scope};
use super::types::{Access, Against, Condition, Key, SortKey, Test, TypedNames};

/// Every use of a table in a text of one or more statements (with `:name` parameters); none where it cannot be read.
pub fn accesses(text: &str, names: &(dyn TypedNames + Sync)) -> Vec<Access> {
    let bound = bind(text);
    let found = guarded(tokens(&bound.sql).len(), || {
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &bound.sql).ok()?;
        let mut reader = Reader {
            names,
            found: Vec::new(),
        };
        for statement in &parsed {
            reader.statement(statement, None);
        }
        Some(reader.found)
    });
    found.flatten().unwrap_or_default()
}

pub(super) struct Reader<'n> {
    pub(super) names: &'n (dyn TypedNames + Sync),
    pub(super) found: Vec<Access>,
}

impl Reader<'_> {
    fn statement(&mut self, statement: &Statement, parent: Option<&Scope<'_>>) {
        match statement {
            Statement::Query(query) => self.query(query, parent),
            Statement::Insert(insert) => {
                if let Some(source) = &insert.source {
                    self.query(source, parent);
                }
            }
            Statement::Update(update) => self.update(update, parent),
            Statement::Delete(delete) => self.delete(delete, parent),
            _ => {}
        }
    }

    fn update(&mut self, update: &Update, parent: Option<&Scope<'_>>) {
        let mut from = vec![&update.table];
        match &update.from {
            Some(UpdateTableFromKind::BeforeSet(more) | UpdateTableFromKind::AfterSet(more)) => {
                from.extend(more);
            }
            None => {}
        }
        let used = Mentions::of(&update.assignments);
        self.change(&from, update.selection.as_ref(), used, parent);
    }

    fn delete(&mut self, delete: &Delete, parent: Option<&Scope<'_>>) {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let from: Vec<&TableWithJoins> = from.iter().chain(delete.using.iter().flatten()).collect();
        let used = Mentions::default();
        self.change(&from, delete.selection.as_ref(), used, parent);
    }

    /// Rows that are changed are read whole.
    fn change(
        &mut self,
        from: &[&TableWithJoins],
        selection: Option<&Expr>,
        mut used: Mentions,
        parent: Option<&Scope<'_>>,
    ) {
        let mut scope = Scope::inside(parent);
        let on = self.from(from, &mut scope, &mut used);
        self.conditions(selection, &on, &scope, &mut used);
        self.mentioned(&used, &scope);
        self.whole(&scope, None);
    }

    fn query(&mut self, query: &Query, parent: Option<&Scope<'_>>) {
        let mut scope = Scope::inside(parent);
        if let Some(with) = &query.with {
            let name = |cte: &sqlparser::ast::Cte| fold(&cte.alias.name).as_str().to_owned();
            scope.ctes = with.cte_tables.iter().map(name).collect();
            for cte in &with.cte_tables {
                self.query(&cte.query, Some(&scope));
            }
        }
        match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, Some(query), &scope),
            body => self.body(body, &scope),
        }
    }

    fn body(&mut self, body: &SetExpr, scope: &Scope<'_>) {
        match body {
            SetExpr::Select(select) => self.select(select, None, scope),
            SetExpr::Query(query) => self.query(query, Some(scope)),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left, scope);
                self.body(right, scope);
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement) => self.statement(statement, Some(scope)),
            _ => {}
        }
    }

    /// `query`: what the SELECT is the whole body of, for its ORDER BY and LIMIT.
    fn select(&mut self, select: &Select, query: Option<&Query>, parent: &Scope<'_>) {
        let mut scope = Scope::inside(Some(parent));
        let mut used = Mentions::default();
        let from: Vec<&TableWithJoins> = select.from.iter().collect();
        let on = self.from(&from, &mut scope, &mut used);
        self.conditions(select.selection.as_ref(), &on, &scope, &mut used);
        // What is left after FROM and WHERE.
        let mut rest = select.clone();
        rest.selection = None;
        rest.from = Vec::new();
        add(&mut used, Mentions::of(&rest));
        let order = query.and_then(|query| query.order_by.as_ref());
        if let Some(order) = order {
            add(&mut used, Mentions::of(order));
        }
        for item in &select.projection {
            match item {
                SelectItem::Wildcard(_) => self.whole(&scope, None),
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    if let Some(alias) = name.0.last().and_then(|part| part.as_ident()) {
                        self.whole(&scope, Some(&fold(alias)));
                    }
                }
                _ => {}
            }
        }
        self.mentioned(&used, &scope);
        let Some(query) = query else { return };
        if !query.locks.is_empty() {
            self.whole(&scope, None);
        }
        let limit = query.limit_clause.is_some() || query.fetch.is_some();
        for access in scope.relations.iter().filter_map(|own| own.table.as_ref()) {
            self.found[access.1].limit = limit;
        }
        let grouped = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(by, _) => !by.is_empty(),
        };
        if let Some(OrderByKind::Expressions(keys)) = order.map(|order| &order.kind)
            && !grouped
        {
            self.order(keys, select, &scope);
        }
    }

    fn order(&mut self, keys: &[OrderByExpr], select: &Select, scope: &Scope<'_>) {
        let judge = Judge {
            scope,
            names: self.names,
        };
        let read = keys.iter().map(|key| {
            let descending = match &key.options.sort {
                None | Some(OrderBySort::Asc) => false,
                Some(OrderBySort::Desc) => true,
                Some(OrderBySort::Using(_)) => return None,
            };
            let (relation, of) = judge.key(result(&key.expr, select))?;
            let sort = SortKey {
                key: of,
                descending,
                nulls_first: key.options.nulls_first.unwrap_or(descending),
            };
            Some((relation, sort))
        });
        let Some(read) = read.collect::<Option<Vec<_>>>() else {
            return;
        };
        let Some(relation) = read.first().map(|(relation, _)| *relation) else {
            return;
        };
        let table = scope.relations[relation].table.as_ref();
        if let Some((_, access)) = table
            && read.iter().all(|(at, _)| *at == relation)
        {
            self.found[*access].order = read.into_iter().map(|(_, key)| key).collect();
        }
    }

    /// WHERE and the conditions of joins.
    fn conditions(
        &mut self,
        selection: Option<&Expr>,
        on: &[On<'_>],
        scope: &Scope<'_>,
        used: &mut Mentions,
    ) {
        for on in on {
            match on.constraint {
                JoinConstraint::On(expr) => {
                    self.condition(expr, &on.bound, false, scope, used);
                }
                JoinConstraint::Using(columns) => {
                    for column in columns {
                        if let Some(column) = column.0.last().and_then(|part| part.as_ident()) {
                            self.using(&fold(column), on, scope);
                        }
                    }
                }
                JoinConstraint::Natural | JoinConstraint::None => {}
            }
        }
        if let Some(selection) = selection {
            self.condition(selection, &(0..scope.relations.len()), true, scope, used);
        }
    }

    /// `after`: whether rows that a join has filled with nulls are judged too.
    fn condition(
        &mut self,
        expr: &Expr,
        bound: &Range<usize>,
        after: bool,
        scope: &Scope<'_>,
        used: &mut Mentions,
    ) {
        match expr {
            Expr::Nested(inner) => return self.condition(inner, bound, after, scope, used),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => {
                self.condition(left, bound, after, scope, used);
                self.condition(right, bound, after, scope, used);
                return;
            }
            _ => {}
        }
        let judge = Judge {
            scope,
            names: self.names,
        };
        let found = judge.conjunct(expr);
        // A condition that nulls can meet keeps rows for which the table has none.
        let meets_nulls = |condition: &Condition| {
            matches!(condition.test, Test::IsNull | Test::Other)
                || matches!(expr, Expr::IsNotDistinctFrom(..))
        };
        let mut constant = false;
        for (relation, condition) in found {
            let own = &scope.relations[relation];
            let lost = after && own.nullable && meets_nulls(&condition);
            if let Some((_, access)) = &own.table
                && bound.contains(&relation)
                && !lost
            {
                constant |= condition.constant.is_some();
                let known = &mut self.found[*access].conditions;
                if !known.contains(&condition) {
                    known.push(condition);
                }
            }
        }
        let mut mentions = Mentions::of(expr);
        if constant {
            mentions.names.clear();
        }
        add(used, mentions);
    }

    fn using(&mut self, column: &Ident, on: &On<'_>, scope: &Scope<'_>) {
        let has = |at: &usize| {
            let table = scope.relations[*at].table.as_ref();
            table.is_some_and(|(table, _)| {
                self.names.has_column(table, column.as_str()) == Some(true)
            })
        };
        let left = on.left.clone().find(has);
        let right = on.right.clone().find(has);
        let alias = |side: Option<usize>, range: &Range<usize>| {
            let at = side.or_else(|| range.clone().next())?;
            Some(scope.relations[at].alias.clone())
        };
        let sides = [
            (left, alias(right, &on.right)),
            (right, alias(left, &on.left)),
        ];
        for (own, beside) in sides {
            let (Some(own), Some(beside)) = (own, beside) else {
                continue;
            };
            let Some((table, access)) = &scope.relations[own].table else {
                continue;
            };
            let data_type = self.names.type_of(table, column.as_str());
            let access = &mut self.found[*access];
            if let Some(columns) = &mut access.columns {
                columns.insert(column.clone());
            }
            if !on.bound.contains(&own) {
                continue;
            }
            access.conditions.push(Condition {
                test: Test::Equal,
                keys: vec![Key {
                    expression: quote_ident(column),
                    column: Some(column.clone()),
                    kind: data_type.map_or(Kind::Other, |data_type| Kind::of(&data_type)),
                }],
                against: Against::Rows(beside),
                constant: None,
                columns: BTreeSet::from([column.clone()]),
            });
        }
    }

    /// Columns that are used, and the queries inside.
    fn mentioned(&mut self, used: &Mentions, scope: &Scope<'_>) {
        for parts in &used.names {
            let (access, column) = match scope.place(parts, self.names) {
                Place::Own(relation, column) => match &scope.relations[relation].table {
                    Some((_, access)) => (*access, Some(column)),
                    None => continue,
                },
                Place::Outer(access, column) => (access, Some(column)),
                Place::Row(access) => (access, None),
                Place::Elsewhere => continue,
            };
            let columns = &mut self.found[access].columns;
            match (column, &mut *columns) {
                (Some(column), Some(known)) => {
                    known.insert(column);
                }
                (Some(_), None) => {}
                (None, _) => *columns = None,
            }
        }
        for query in &used.queries {
            self.query(query, Some(scope));
        }
    }

    /// Whole rows are used: of all relations, or of the one of this name.
    fn whole(&mut self, scope: &Scope<'_>, alias: Option<&Ident>) {
        for relation in &scope.relations {
            let meant = alias.is_none_or(|alias| relation.alias == alias.as_str());
            if let Some((_, access)) = &relation.table
                && meant
            {
                self.found[*access].columns = None;
            }
        }
    }
}

pub(super) fn add(used: &mut Mentions, more: Mentions) {
    used.names.extend(more.names);
    used.queries.extend(more.queries);
}

/// What ORDER BY means: a result by its number or its name, else the expression itself.
fn result<'q>(expr: &'q Expr, select: &'q Select) -> &'q Expr {
    let of = |item: &'q SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    };
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => {
                let number = digits.parse::<usize>().unwrap_or_default();
                let item = number
                    .checked_sub(1)
                    .and_then(|at| select.projection.get(at));
                item.and_then(of).unwrap_or(expr)
            }
            _ => expr,
        },
        Expr::Identifier(name) => {
            let named = select.projection.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } if fold(alias) == fold(name) => {
                    Some(expr)
                }
                _ => None,
            });
            named.unwrap_or(expr)
        }
        _ => expr,
    }
}
