//! What one condition asks of the tables in it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident as Name, Query, UnaryOperator, Value, Visit, Visitor,
    visit_expressions_mut,
};

use super::super::expression::fold;
use super::super::ident::{Ident, SqlText};
use super::super::quote::quote_ident;
use super::kind::Kind;
use super::lasting::lasting;
use super::scope::{Place, Relation, Scope};
use super::types::{Against, Condition, Key, Test, TypedNames};

/// Names and queries in an expression or a whole query, those inside a query in it apart.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    pub names: Vec<Vec<Name>>,
    pub queries: Vec<Query>,
    depth: usize,
}

impl Mentions {
    pub(super) fn of(node: &impl Visit) -> Mentions {
        let mut found = Mentions::default();
        let _ = node.visit(&mut found);
        found
    }
}

impl Visitor for Mentions {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.queries.push(query.clone());
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            _ if self.depth > 0 => {}
            Expr::Identifier(name) => self.names.push(vec![name.clone()]),
            Expr::CompoundIdentifier(parts) => self.names.push(parts.clone()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// What an expression depends on.
#[derive(Debug, Default)]
struct Reach {
    /// Relations of this query, by number, with the columns.
    own: BTreeSet<(usize, Ident)>,
    /// Whether anything else is named in it: a column of a subquery, of a query further out, a whole row.
    other: bool,
    /// Whether there is a query in it.
    query: bool,
    /// Names of relations beside it that are no tables, as far as they are written before a dot.
    beside: Option<String>,
}

impl Reach {
    fn relations(&self) -> BTreeSet<usize> {
        self.own.iter().map(|(relation, _)| *relation).collect()
    }

    /// The one relation whose columns are all that it depends on.
    fn only(&self) -> Option<usize> {
        let relations = self.relations();
        let first = relations.first().copied()?;
        (relations.len() == 1 && !self.other && !self.query).then_some(first)
    }
}

/// Reads conditions of one query.
pub(super) struct Judge<'a, 's> {
    pub scope: &'a Scope<'s>,
    pub names: &'a dyn TypedNames,
}

/// A condition with the number of the relation that it is for.
pub(super) type Found = Vec<(usize, Condition)>;

impl Judge<'_, '_> {
    /// What a conjunct asks of relations of this query.
    pub(super) fn conjunct(&self, expr: &Expr) -> Found {
        let mut found = Vec::new();
        self.read(expr, &mut found);
        let reach = self.reach(expr);
        let constant = reach
            .only()
            .and_then(|relation| Some((relation, self.constant(expr, relation)?)));
        if let Some((relation, text)) = &constant {
            if found.is_empty() {
                found.push((*relation, other()));
            }
            for (_, condition) in found.iter_mut().filter(|(at, _)| at == relation) {
                condition.constant = Some(text.clone());
            }
        }
        for (relation, condition) in &mut found {
            let own = reach.own.iter().filter(|(at, _)| at == relation);
            condition.columns = own.map(|(_, column)| column.clone()).collect();
        }
        found
    }

    /// A key, and the relation that it is of.
    pub(super) fn key(&self, expr: &Expr) -> Option<(usize, Key)> {
        if let Expr::Nested(inner) = expr {
            return self.key(inner);
        }
        let relation = self.reach(expr).only()?;
        let bare = self.bare(expr);
        let kind = self.lasting(&bare, relation)?;
        let (expression, column) = match &bare {
            Expr::Identifier(name) => (quote_ident(&fold(name)), Some(fold(name))),
            Expr::Function(_) => (SqlText::made(bare.to_string()), None),
            _ => (SqlText::made(format!("({bare})")), None),
        };
        let key = Key {
            expression,
            column,
            kind,
        };
        Some((relation, key))
    }

    fn relation(&self, at: usize) -> &Relation {
        &self.scope.relations[at]
    }

    fn lasting(&self, bare: &Expr, relation: usize) -> Option<Kind> {
        let (table, _) = self.relation(relation).table.as_ref()?;
        let kind = |column: &Ident| {
            let data_type = self.names.type_of(table, column.as_str())?;
            Some(Kind::of(&data_type))
        };
        lasting(bare, &kind)
    }

    /// The condition as a predicate over the one table in it.
    fn constant(&self, expr: &Expr, relation: usize) -> Option<SqlText> {
        let mut bare = self.bare(expr);
        while let Expr::Nested(inner) = bare {
            bare = *inner;
        }
        if self.lasting(&bare, relation)? != Kind::Bool {
            return None;
        }
        let alternatives = matches!(
            bare,
            Expr::BinaryOp {
                op: BinaryOperator::Or,
                ..
            }
        );
        Some(SqlText::made(match alternatives {
            true => format!("({bare})"),
            false => bare.to_string(),
        }))
    }

    /// The expression without the names of tables before those of columns.
    fn bare(&self, expr: &Expr) -> Expr {
        let mut bare = expr.clone();
        let _ = visit_expressions_mut(&mut bare, |part| {
            let name = match part {
                Expr::Identifier(name) => name.clone(),
                Expr::CompoundIdentifier(parts) => match parts.last() {
                    Some(name) => name.clone(),
                    None => return ControlFlow::<()>::Continue(()),
                },
                _ => return ControlFlow::Continue(()),
            };
            let name = fold(&name);
            *part = Expr::Identifier(match quote_ident(&name).as_str().starts_with('"') {
                true => Name::with_quote('"', name.as_str()),
                false => Name::new(name.as_str()),
            });
            ControlFlow::Continue(())
        });
        bare
    }

    fn reach(&self, expr: &Expr) -> Reach {
        let mentions = Mentions::of(expr);
        let mut reach = Reach {
            query: !mentions.queries.is_empty(),
            ..Reach::default()
        };
        for parts in &mentions.names {
            match self.scope.place(parts, self.names) {
                Place::Own(relation, column) => {
                    reach.own.insert((relation, column));
                }
                Place::Outer(..) | Place::Row(_) => reach.other = true,
                Place::Elsewhere => {
                    reach.other = true;
                    if let [.., alias, _] = parts.as_slice() {
                        let alias = fold(alias);
                        let own = &self.scope.relations;
                        if own.iter().any(|known| known.alias == alias.as_str()) {
                            reach.beside = Some(alias.as_str().to_owned());
                        }
                    }
                }
            }
        }
        reach
    }

    fn read(&self, expr: &Expr, found: &mut Found) {
        match expr {
            Expr::Nested(inner) => self.read(inner, found),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, found),
            Expr::IsNotDistinctFrom(left, right) => {
                self.compare(left, right, (Some(Test::Equal), Some(Test::Equal)), found);
            }
            Expr::IsNull(inner) => self.alone(inner, Test::IsNull, found),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                self.alone(expr, Test::Equal, found);
            }
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr: inner,
            } if matches!(**inner, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {
                self.alone(inner, Test::Equal, found);
            }
            Expr::InList {
                expr,
                list,
                negated: false,
            } => self.within(expr, &self.against_all(list), found),
            Expr::InSubquery {
                expr,
                negated: false,
                ..
            } => self.within(expr, &Against::Value, found),
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => self.within(left, &self.against(right), found),
            Expr::Between {
                expr,
                negated: false,
                low,
                high,
            } => {
                let range = || (Some(Test::Range), Some(Test::Range));
                self.compare(expr, low, range(), found);
                // The second bound says nothing new of the value, but may be a column itself.
                let other = (None, Some(Test::Range));
                self.compare(expr, high, other, found);
            }
            Expr::Like {
                negated: false,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => self.compare(expr, pattern, (Some(like(pattern)), None), found),
            Expr::ILike {
                negated: false,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => self.compare(expr, pattern, (Some(Test::Matches), None), found),
            _ => {}
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr, found: &mut Found) {
        use BinaryOperator as Op;
        let both = |test: Test| (Some(test.clone()), Some(test));
        let tests = match op {
            Op::Eq => both(Test::Equal),
            Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => both(Test::Range),
            Op::PGLikeMatch => (Some(like(right)), None),
            Op::PGStartsWith => (Some(Test::Like(None)), None),
            Op::PGILikeMatch | Op::PGRegexMatch | Op::PGRegexIMatch => (Some(Test::Matches), None),
            Op::Modulo => both(Test::Similar),
            Op::AtArrow => (Some(Test::Contains), Some(Test::ContainedBy)),
            Op::ArrowAt => (Some(Test::ContainedBy), Some(Test::Contains)),
            Op::PGOverlap => both(Test::Overlaps),
            Op::Question | Op::QuestionAnd | Op::QuestionPipe => (Some(Test::HasKey), None),
            Op::AtAt => both(Test::Search),
            Op::AtQuestion => (Some(Test::Search), None),
            _ => return,
        };
        let (left, right) = (unwrapped(left), unwrapped(right));
        match (left, right) {
            (Expr::Tuple(lefts), Expr::Tuple(rights)) if lefts.len() == rights.len() => match op {
                Op::Eq => {
                    for (left, right) in lefts.iter().zip(rights) {
                        self.compare(left, right, tests.clone(), found);
                    }
                }
                Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
                    self.rows(lefts, rights, found);
                    self.rows(rights, lefts, found);
                }
                _ => {}
            },
            _ => self.compare(left, right, tests, found),
        }
    }

    /// `(a, b) < (…)`.
    fn rows(&self, keys: &[Expr], values: &[Expr], found: &mut Found) {
        let read = keys.iter().map(|key| self.key(key));
        let Some(read) = read.collect::<Option<Vec<_>>>() else {
            return;
        };
        let Some(relation) = read.first().map(|(relation, _)| *relation) else {
            return;
        };
        let apart = values
            .iter()
            .all(|value| !self.reach(value).relations().contains(&relation));
        if apart && read.iter().all(|(at, _)| *at == relation) {
            let keys = read.into_iter().map(|(_, key)| key).collect();
            let against = self.against_all(values);
            found.push((relation, condition(Test::Range, keys, against)));
        }
    }

    /// Each side that is a key, against the other one.
    fn compare(
        &self,
        left: &Expr,
        right: &Expr,
        tests: (Option<Test>, Option<Test>),
        found: &mut Found,
    ) {
        for (subject, value, test) in [(left, right, tests.0), (right, left, tests.1)] {
            let (Some(test), Some((relation, key))) = (test, self.key(subject)) else {
                continue;
            };
            if !self.reach(value).relations().contains(&relation) {
                let against = self.against(value);
                found.push((relation, condition(test, vec![key], against)));
            }
        }
    }

    fn within(&self, subject: &Expr, against: &Against, found: &mut Found) {
        let items = match unwrapped(subject) {
            Expr::Tuple(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for (relation, key) in items.iter().filter_map(|item| self.key(item)) {
            found.push((relation, condition(Test::In, vec![key], against.clone())));
        }
    }

    fn alone(&self, subject: &Expr, test: Test, found: &mut Found) {
        if let Some((relation, key)) = self.key(subject) {
            found.push((relation, condition(test, vec![key], Against::Constant)));
        }
    }

    fn against_all(&self, values: &[Expr]) -> Against {
        let all = values.iter().map(|value| self.against(value));
        all.reduce(|left, right| match (left, right) {
            (Against::Rows(name), _) | (_, Against::Rows(name)) => Against::Rows(name),
            (Against::Constant, Against::Constant) => Against::Constant,
            _ => Against::Value,
        })
        .unwrap_or(Against::Value)
    }

    fn against(&self, value: &Expr) -> Against {
        let reach = self.reach(value);
        if let Some((beside, _)) = reach.own.first() {
            return Against::Rows(self.relation(*beside).alias.clone());
        }
        if let Some(alias) = reach.beside {
            return Against::Rows(alias);
        }
        let known = lasting(value, &|_| None).is_some();
        match known && !reach.other && !reach.query {
            true => Against::Constant,
            false => Against::Value,
        }
    }
}

fn condition(test: Test, keys: Vec<Key>, against: Against) -> Condition {
    Condition {
        test,
        keys,
        against,
        constant: None,
        columns: BTreeSet::new(),
    }
}

fn other() -> Condition {
    condition(Test::Other, Vec::new(), Against::Constant)
}

fn like(pattern: &Expr) -> Test {
    let text = match unwrapped(pattern) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => {
                Some(text.clone())
            }
            _ => None,
        },
        _ => None,
    };
    Test::Like(text)
}

fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => unwrapped(inner),
        _ => expr,
    }
}
