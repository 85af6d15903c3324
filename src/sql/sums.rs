//! Comparisons of numbers as sums: which value of a parameter makes both sides equal. Decides which values are worth trying, so what
//! cannot be read just gives no advice.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Assignment, AssignmentTarget, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Query, SelectItem, SetExpr, Statement, TableFactor, TableObject,
    UnaryOperator, Value, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::expression::fold;
use super::guard::guarded;
use super::ident::Ident;
use super::lex::tokens;
use super::meeting::{Relations, column_of, last, rows};
use super::params::bind;

/// One part of a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A parameter, or `capture.column`.
    Param(String),
    /// A column, and the tables that it may belong to.
    Column(Vec<Ident>, Ident),
    /// The sum of a column over some rows.
    Sum(Vec<Ident>, Ident),
    /// How many rows there are.
    Count(Vec<Ident>),
    /// As written.
    Number(String),
}

/// Terms, each with whether it is taken away.
pub type Sum = Vec<(bool, Term)>;

/// What a statement does with numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// For each comparison with `<`, `<=`, `>` or `>=` the left side without the right one.
    pub compared: Vec<Sum>,
    /// Columns of the answer.
    pub answered: Vec<(Ident, Sum)>,
    /// Table, column, and what it becomes.
    pub written: Vec<(Ident, Ident, Sum)>,
}

/// The sums of a statement (with `:name` parameters).
pub fn sums(text: &str) -> Sums {
    let bound = bind(text);
    let read = |sql: &str| {
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
        let mut reader = Reader {
            names: &bound.names,
            relations: Vec::new(),
            found: Sums::default(),
        };
        let _ = parsed.visit(&mut Relations(&mut reader.relations));
        let _ = parsed.visit(&mut reader);
        if let [statement] = parsed.as_slice() {
            reader.answers(statement);
        }
        Some(reader.found)
    };
    let found = guarded(tokens(&bound.sql).len(), || read(&bound.sql));
    found.flatten().unwrap_or_default()
}

/// The comparisons in a condition over rows of a table.
pub fn compared_sums(condition: &str, table: &Ident) -> Vec<Sum> {
    let read = || {
        let mut parser = Parser::new(&PostgreSqlDialect {})
            .try_with_sql(condition)
            .ok()?;
        let expression = parser.parse_expr().ok()?;
        let mut reader = Reader {
            names: &[],
            relations: vec![(table.clone(), table.clone())],
            found: Sums::default(),
        };
        let _ = expression.visit(&mut reader);
        Some(reader.found.compared)
    };
    let found = guarded(tokens(condition).len(), read);
    found.flatten().unwrap_or_default()
}

/// Takes one sum from another.
pub fn without(mut left: Sum, right: Sum) -> Sum {
    left.extend(right.into_iter().map(|(minus, term)| (!minus, term)));
    left
}

struct Reader<'a> {
    names: &'a [String],
    relations: Vec<(Ident, Ident)>,
    found: Sums,
}

impl Visitor for Reader<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        use BinaryOperator as Op;
        if let Expr::BinaryOp { left, op, right } = expr
            && matches!(op, Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
            && let (Some(left), Some(right)) = (self.sum(left), self.sum(right))
        {
            self.found.compared.push(without(left, right));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Insert(insert) => {
                let (TableObject::TableName(name), Some(source)) = (&insert.table, &insert.source)
                else {
                    return ControlFlow::Continue(());
                };
                let columns: Vec<Option<Ident>> = insert.columns.iter().map(last).collect();
                for row in rows(source) {
                    for (column, value) in columns.iter().zip(row) {
                        self.write(last(name), column.clone(), value);
                    }
                }
            }
            Statement::Update(update) => {
                if let TableFactor::Table { name, .. } = &update.table.relation {
                    self.assign(&update.assignments, last(name));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Reader<'_> {
    fn assign(&mut self, assignments: &[Assignment], table: Option<Ident>) {
        for assignment in assignments {
            if let AssignmentTarget::ColumnName(name) = &assignment.target {
                self.write(table.clone(), last(name), &assignment.value);
            }
        }
    }

    fn write(&mut self, table: Option<Ident>, column: Option<Ident>, value: &Expr) {
        if let (Some(table), Some(column), Some(sum)) = (table, column, self.sum(value)) {
            self.found.written.push((table, column, sum));
        }
    }

    fn answers(&mut self, statement: &Statement) {
        let items: &[SelectItem] = match statement {
            Statement::Query(query) => selected(query),
            Statement::Update(update) => update.returning.as_deref().unwrap_or_default(),
            Statement::Delete(delete) => delete.returning.as_deref().unwrap_or_default(),
            _ => &[],
        };
        for item in items {
            let (name, expr) = match item {
                SelectItem::ExprWithAlias { expr, alias } => (Some(fold(alias)), expr),
                SelectItem::UnnamedExpr(expr) => (column_of(expr).map(|(_, name)| name), expr),
                _ => continue,
            };
            if let (Some(name), Some(sum)) = (name, self.sum(expr)) {
                self.found.answered.push((name, sum));
            }
        }
    }

    fn sum(&self, expr: &Expr) -> Option<Sum> {
        let mut sum = Vec::new();
        self.add(expr, false, &mut sum)?;
        Some(sum)
    }

    fn add(&self, expr: &Expr, minus: bool, sum: &mut Sum) -> Option<()> {
        let term = match expr {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => {
                return self.add(inner, minus, sum);
            }
            Expr::UnaryOp { op, expr } => {
                return match op {
                    UnaryOperator::Minus => self.add(expr, !minus, sum),
                    UnaryOperator::Plus => self.add(expr, minus, sum),
                    _ => None,
                };
            }
            Expr::BinaryOp { left, op, right } => {
                self.add(left, minus, sum)?;
                return match op {
                    BinaryOperator::Plus => self.add(right, minus, sum),
                    BinaryOperator::Minus => self.add(right, !minus, sum),
                    _ => None,
                };
            }
            Expr::Subquery(query) => {
                let [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] =
                    selected(query)
                else {
                    return None;
                };
                return self.add(expr, minus, sum);
            }
            Expr::Function(function) => return self.function(function, minus, sum),
            Expr::Value(value) => match &value.value {
                Value::Number(number, _) => Term::Number(number.to_string()),
                Value::Placeholder(number) => {
                    let number: usize = number.strip_prefix('$')?.parse().ok()?;
                    Term::Param(self.names.get(number.checked_sub(1)?)?.clone())
                }
                _ => return None,
            },
            _ => {
                let (tables, column) = self.column(expr)?;
                Term::Column(tables, column)
            }
        };
        sum.push((minus, term));
        Some(())
    }

    fn function(&self, function: &Function, minus: bool, sum: &mut Sum) -> Option<()> {
        let FunctionArguments::List(list) = &function.args else {
            return None;
        };
        let name = last(&function.name)?;
        let first = list.args.first()?;
        let term = match (name.as_str(), first) {
            ("count", _) => Term::Count(self.tables(None)),
            ("coalesce", FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))) => {
                return self.add(inner, minus, sum);
            }
            ("sum", FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))) => {
                let (tables, column) = self.column(inner)?;
                Term::Sum(tables, column)
            }
            _ => return None,
        };
        sum.push((minus, term));
        Some(())
    }

    fn column(&self, expr: &Expr) -> Option<(Vec<Ident>, Ident)> {
        let (qualifier, name) = column_of(expr)?;
        Some((self.tables(qualifier.as_ref()), name))
    }

    fn tables(&self, qualifier: Option<&Ident>) -> Vec<Ident> {
        let own = self
            .relations
            .iter()
            .filter(|(alias, _)| qualifier.is_none_or(|q| q == alias));
        own.map(|(_, table)| table.clone()).collect()
    }
}

fn selected(query: &Query) -> &[SelectItem] {
    match query.body.as_ref() {
        SetExpr::Select(select) => &select.projection,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(sum: &Sum) -> String {
        let names = |tables: &[Ident]| {
            let names: Vec<&str> = tables.iter().map(Ident::as_str).collect();
            names.join("|")
        };
        let one = |(minus, term): &(bool, Term)| {
            let term = match term {
                Term::Param(name) => format!(":{name}"),
                Term::Column(tables, name) => format!("{}.{}", names(tables), name.as_str()),
                Term::Sum(tables, name) => format!("sum {}.{}", names(tables), name.as_str()),
                Term::Count(tables) => format!("count {}", names(tables)),
                Term::Number(number) => number.clone(),
            };
            format!("{}{term}", if *minus { "-" } else { "+" })
        };
        sum.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comparisons_answers_and_writes_are_sums() {
        let found = sums(
            "UPDATE payment p SET captured = captured + :amount WHERE p.id = :id AND p.captured + CAST(:amount AS int) <= p.authorized - 1 RETURNING captured AS now",
        );
        assert_eq!(
            found.compared.iter().map(show).collect::<Vec<_>>(),
            ["+payment.captured +:amount -payment.authorized +1"]
        );
        let (table, column, sum) = &found.written[0];
        assert_eq!((table.as_str(), column.as_str()), ("payment", "captured"));
        assert_eq!(show(sum), "+payment.captured +:amount");
        assert_eq!(show(&found.answered[0].1), "+payment.captured");
        let found = sums(
            "SELECT coalesce(sum(h.n), 0) AS held, count(*) AS many FROM hold h WHERE h.k = :k",
        );
        assert!(found.compared.is_empty());
        let shown: Vec<String> = found.answered.iter().map(|(_, sum)| show(sum)).collect();
        assert_eq!(shown, ["+sum hold.n", "+count hold"]);
        assert_eq!(sums("not sql"), Sums::default());
    }

    #[test]
    fn a_condition_of_a_table_is_read_by_itself() {
        let found = compared_sums("reserved <= on_hand and hits < 5", &Ident::from("product"));
        assert_eq!(
            found.iter().map(show).collect::<Vec<_>>(),
            ["+product.reserved -product.on_hand", "+product.hits -5"]
        );
    }
}
