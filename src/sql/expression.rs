//! Boolean and scalar expressions over one row, as far as a reader without a server can understand them: what a CHECK,
//! a partial predicate or a summand says. Whatever is not understood stays visible as [`Expression::Opaque`].

use std::collections::BTreeSet;

use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
    Value, visit_expressions,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::ident::Ident;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the operators of SQL")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An expression over the columns of one row (of a domain: over `value`).
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// NULL.
    Null,
    /// TRUE, FALSE.
    Bool(bool),
    /// As written.
    Number(String),
    /// A string, or a typed string such as a date.
    Text(String),
    /// `interval '…'`.
    Interval(String),
    /// A column.
    Column(Ident),
    /// NOT.
    Not(Box<Expression>),
    /// AND.
    And(Box<Expression>, Box<Expression>),
    /// OR.
    Or(Box<Expression>, Box<Expression>),
    /// A comparison; null makes it null.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// IS NOT DISTINCT FROM.
    Same(Box<Expression>, Box<Expression>),
    /// IS NULL.
    IsNull(Box<Expression>),
    /// IS TRUE; never null.
    IsTrue(Box<Expression>),
    /// IN (…), `= ANY (ARRAY[…])`.
    In(Box<Expression>, Vec<Expression>),
    /// LIKE; ILIKE where the flag is set.
    Like(Box<Expression>, String, bool),
    /// `~`; `~*` where the flag is set.
    Matches(Box<Expression>, String, bool),
    /// `+ - * / %`.
    Arithmetic(char, Box<Expression>, Box<Expression>),
    /// Unary minus.
    Negative(Box<Expression>),
    /// CASE; an operand is folded into the conditions.
    Case(Vec<(Expression, Expression)>, Option<Box<Expression>>),
    /// A function by its lower-case name; `extract(day from …)` is `extract_day`.
    Call(String, Vec<Expression>),
    /// A cast to a type.
    Cast(Box<Expression>, String),
    /// Not understood; depends on these columns.
    Opaque(BTreeSet<Ident>),
}

/// Reads an expression. `None` where not even its syntax is understood; that says nothing about PostgreSQL's view.
pub fn parse_expression(text: &str) -> Option<Expression> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).try_with_sql(text).ok()?;
    let parsed = parser.parse_expr().ok()?;
    (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then(|| read(&parsed))
}

impl Expression {
    /// Every column it depends on.
    pub fn columns(&self) -> BTreeSet<Ident> {
        let mut found = BTreeSet::new();
        self.visit(&mut |part| match part {
            Expression::Column(name) => {
                found.insert(name.clone());
            }
            Expression::Opaque(columns) => found.extend(columns.iter().cloned()),
            _ => {}
        });
        found
    }

    /// Calls `see` for this expression and every part of it, outermost first.
    pub fn visit(&self, see: &mut impl FnMut(&Expression)) {
        see(self);
        use Expression::*;
        match self {
            Not(a)
            | IsNull(a)
            | IsTrue(a)
            | Negative(a)
            | Cast(a, _)
            | Like(a, ..)
            | Matches(a, ..) => a.visit(see),
            And(a, b) | Or(a, b) | Compare(_, a, b) | Same(a, b) | Arithmetic(_, a, b) => {
                a.visit(see);
                b.visit(see);
            }
            In(a, list) => {
                a.visit(see);
                list.iter().for_each(|item| item.visit(see));
            }
            Call(_, list) => list.iter().for_each(|item| item.visit(see)),
            Case(arms, otherwise) => {
                for (condition, result) in arms {
                    condition.visit(see);
                    result.visit(see);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.visit(see);
                }
            }
            Null | Bool(_) | Number(_) | Text(_) | Interval(_) | Column(_) | Opaque(_) => {}
        }
    }
}

/// A name as PostgreSQL folds it.
pub(super) fn fold(name: &sqlparser::ast::Ident) -> Ident {
    match name.quote_style {
        Some(_) => Ident::new(name.value.clone()),
        None => Ident::new(name.value.to_lowercase()),
    }
}

fn boxed(expr: &Expr) -> Box<Expression> {
    Box::new(read(expr))
}

fn negate(expression: Expression, negated: bool) -> Expression {
    if negated {
        Expression::Not(Box::new(expression))
    } else {
        expression
    }
}

fn opaque(expr: &Expr) -> Expression {
    let mut columns = BTreeSet::new();
    let _ = visit_expressions(expr, |part| {
        match part {
            Expr::Identifier(name) => {
                columns.insert(fold(name));
            }
            Expr::CompoundIdentifier(parts) => columns.extend(parts.last().map(fold)),
            _ => {}
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    Expression::Opaque(columns)
}

fn read(expr: &Expr) -> Expression {
    use Expression as E;
    match expr {
        Expr::Identifier(name) => E::Column(fold(name)),
        Expr::CompoundIdentifier(parts) => match parts.last() {
            Some(name) => E::Column(fold(name)),
            None => opaque(expr),
        },
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => read(inner),
        Expr::Value(value) => constant(&value.value).unwrap_or_else(|| opaque(expr)),
        Expr::TypedString(typed) => constant(&typed.value.value).unwrap_or_else(|| opaque(expr)),
        Expr::Interval(interval) => match read(&interval.value) {
            E::Text(text) => E::Interval(text),
            _ => opaque(expr),
        },
        Expr::Cast {
            expr: inner,
            data_type,
            ..
        } => {
            let to = data_type.to_string().to_lowercase();
            match read(inner) {
                E::Text(text) if to == "interval" => E::Interval(text),
                inner => E::Cast(Box::new(inner), to),
            }
        }
        Expr::IsNull(inner) => E::IsNull(boxed(inner)),
        Expr::IsNotNull(inner) => negate(E::IsNull(boxed(inner)), true),
        Expr::IsTrue(inner) => E::IsTrue(boxed(inner)),
        Expr::IsNotTrue(inner) => negate(E::IsTrue(boxed(inner)), true),
        Expr::IsFalse(inner) => E::IsTrue(Box::new(negate(read(inner), true))),
        Expr::IsNotFalse(inner) => negate(E::IsTrue(Box::new(negate(read(inner), true))), true),
        Expr::IsDistinctFrom(a, b) => negate(E::Same(boxed(a), boxed(b)), true),
        Expr::IsNotDistinctFrom(a, b) => E::Same(boxed(a), boxed(b)),
        Expr::InList {
            expr,
            list,
            negated,
        } => negate(
            E::In(boxed(expr), list.iter().map(read).collect()),
            *negated,
        ),
        Expr::AnyOp {
            left,
            compare_op: BinaryOperator::Eq,
            right,
            ..
        } => match elements(right) {
            Some(list) => E::In(boxed(left), list),
            None => opaque(expr),
        },
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let above = E::Compare(Comparison::GreaterOrEqual, boxed(expr), boxed(low));
            let below = E::Compare(Comparison::LessOrEqual, boxed(expr), boxed(high));
            negate(E::And(Box::new(above), Box::new(below)), *negated)
        }
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => E::Not(boxed(expr)),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match read(expr) {
            E::Number(digits) => E::Number(format!("-{digits}")),
            inner => E::Negative(Box::new(inner)),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Plus,
            expr,
        } => read(expr),
        Expr::BinaryOp { left, op, right } => {
            binary(left, op, right).unwrap_or_else(|| opaque(expr))
        }
        Expr::Like {
            negated,
            expr: inner,
            pattern,
            escape_char: None,
            any: false,
        } => like(inner, pattern, false, *negated).unwrap_or_else(|| opaque(expr)),
        Expr::ILike {
            negated,
            expr: inner,
            pattern,
            escape_char: None,
            any: false,
        } => like(inner, pattern, true, *negated).unwrap_or_else(|| opaque(expr)),
        Expr::Case {
            operand,
            conditions,
            else_result,
            ..
        } => {
            let arm = |arm: &CaseWhen| {
                let condition = match operand {
                    Some(operand) => {
                        E::Compare(Comparison::Equal, boxed(operand), boxed(&arm.condition))
                    }
                    None => read(&arm.condition),
                };
                (condition, read(&arm.result))
            };
            E::Case(
                conditions.iter().map(arm).collect(),
                else_result.as_deref().map(boxed),
            )
        }
        Expr::Extract {
            field, expr: inner, ..
        } => E::Call(
            format!("extract_{}", field.to_string().to_lowercase()),
            vec![read(inner)],
        ),
        Expr::Function(function) => call(function).unwrap_or_else(|| opaque(expr)),
        _ => opaque(expr),
    }
}

fn constant(value: &Value) -> Option<Expression> {
    Some(match value {
        Value::Number(digits, _) => Expression::Number(digits.clone()),
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => {
            Expression::Text(text.clone())
        }
        Value::Boolean(value) => Expression::Bool(*value),
        Value::Null => Expression::Null,
        _ => return None,
    })
}

fn elements(array: &Expr) -> Option<Vec<Expression>> {
    match array {
        Expr::Array(array) => Some(array.elem.iter().map(read).collect()),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => elements(inner),
        _ => None,
    }
}

fn like(value: &Expr, pattern: &Expr, insensitive: bool, negated: bool) -> Option<Expression> {
    match read(pattern) {
        Expression::Text(pattern) => Some(negate(
            Expression::Like(boxed(value), pattern, insensitive),
            negated,
        )),
        _ => None,
    }
}

fn binary(left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Expression> {
    use BinaryOperator as B;
    let compare = |how| Some(Expression::Compare(how, boxed(left), boxed(right)));
    let arithmetic = |how| Some(Expression::Arithmetic(how, boxed(left), boxed(right)));
    let matches = |insensitive, negated| match read(right) {
        Expression::Text(pattern) => Some(negate(
            Expression::Matches(boxed(left), pattern, insensitive),
            negated,
        )),
        _ => None,
    };
    match op {
        B::And => Some(Expression::And(boxed(left), boxed(right))),
        B::Or => Some(Expression::Or(boxed(left), boxed(right))),
        B::Eq => compare(Comparison::Equal),
        B::NotEq => compare(Comparison::NotEqual),
        B::Lt => compare(Comparison::Less),
        B::LtEq => compare(Comparison::LessOrEqual),
        B::Gt => compare(Comparison::Greater),
        B::GtEq => compare(Comparison::GreaterOrEqual),
        B::Plus => arithmetic('+'),
        B::Minus => arithmetic('-'),
        B::Multiply => arithmetic('*'),
        B::Divide => arithmetic('/'),
        B::Modulo => arithmetic('%'),
        B::PGRegexMatch => matches(false, false),
        B::PGRegexIMatch => matches(true, false),
        B::PGRegexNotMatch => matches(false, true),
        B::PGRegexNotIMatch => matches(true, true),
        _ => None,
    }
}

fn call(function: &sqlparser::ast::Function) -> Option<Expression> {
    let name = function.name.to_string().to_lowercase();
    let arguments = match &function.args {
        FunctionArguments::None => Vec::new(),
        FunctionArguments::List(list) => list
            .args
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(read(expr)),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()?,
        FunctionArguments::Subquery(_) => return None,
    };
    Some(Expression::Call(name, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(expression: &Expression) -> Vec<String> {
        expression
            .columns()
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect()
    }

    #[test]
    fn reads_the_checks_people_write() {
        let check = parse_expression("ended_at is null or ended_at > assigned_at");
        assert!(matches!(check, Some(Expression::Or(..))));
        let check = parse_expression("priority = ANY (ARRAY['low'::text, 'high'::text])");
        assert!(matches!(check, Some(Expression::In(_, list)) if list.len() == 2));
        let check = parse_expression("amount BETWEEN -5 AND 10").expect("parses");
        assert_eq!(names(&check), ["amount"]);
    }

    #[test]
    fn keeps_the_columns_of_what_it_cannot_read() {
        let check = parse_expression("a && b AND c > 0").expect("parses");
        assert_eq!(names(&check), ["a", "b", "c"]);
        assert!(parse_expression("a >").is_none());
    }
}
