//! Conditions taken apart: which column is compared, and how.

use std::ops::Range;

use sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::super::lex::fold;
use super::types::PredicateOp;

/// A column as written: names before and after the dots, and its place in the condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operand {
    pub parts: Vec<String>,
    pub range: Range<usize>,
}

/// One thing that must hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Conjunct {
    /// A column against something that is no column.
    Compared {
        column: Operand,
        how: PredicateOp,
        plain: bool,
    },
    /// A column equal to another column.
    Joined(Operand, Operand),
}

/// The conjuncts of a condition. `None` where sqlparser cannot read it.
pub(super) fn conjuncts(text: &str) -> Option<Vec<Conjunct>> {
    let expression = Parser::new(&PostgreSqlDialect {})
        .try_with_sql(text)
        .ok()?
        .parse_expr()
        .ok()?;
    let mut found = Vec::new();
    Reader {
        lines: line_starts(text),
        text,
    }
    .conjunct(&expression, &mut found);
    Some(found)
}

fn line_starts(text: &str) -> Vec<usize> {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0)
        .chain(breaks.map(|(at, _)| at + 1))
        .collect()
}

struct Reader<'t> {
    lines: Vec<usize>,
    text: &'t str,
}

impl Reader<'_> {
    fn conjunct(&self, expression: &Expr, found: &mut Vec<Conjunct>) {
        use PredicateOp::*;
        match expression {
            Expr::Nested(inner) => self.conjunct(inner, found),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, found),
            Expr::IsNotDistinctFrom(left, right) => self.compare(left, right, Equal, found),
            Expr::IsNull(inner) => self.over(inner, IsNull, found),
            Expr::IsNotNull(inner) => self.over(inner, NotNull, found),
            Expr::IsTrue(inner) | Expr::IsFalse(inner) => self.over(inner, Equal, found),
            Expr::InList { expr, negated, .. } | Expr::InSubquery { expr, negated, .. } => {
                self.over(expr, if *negated { Other } else { In }, found);
            }
            Expr::InUnnest { expr, negated, .. } => {
                self.over(expr, if *negated { Other } else { In }, found);
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                self.over(expr, if *negated { Other } else { Range }, found);
                // `now() BETWEEN starts AND ends` bounds two columns.
                for bound in [low, high] {
                    self.over(bound, if *negated { Other } else { Range }, found);
                }
            }
            Expr::Like { expr, negated, .. } | Expr::ILike { expr, negated, .. } => {
                self.over(expr, if *negated { Other } else { Like }, found);
            }
            Expr::AnyOp {
                left, compare_op, ..
            } => {
                let how = match compare_op {
                    BinaryOperator::Eq => In,
                    _ => Other,
                };
                self.over(left, how, found);
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                self.over(expression, Equal, found);
            }
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } if self.column(expr).is_some() => self.over(expr, Equal, found),
            _ => self.over_all(expression, found),
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr, found: &mut Vec<Conjunct>) {
        use BinaryOperator as Op;
        let how = match op {
            Op::And => {
                self.conjunct(left, found);
                self.conjunct(right, found);
                return;
            }
            Op::Eq => PredicateOp::Equal,
            Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => PredicateOp::Range,
            Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGLikeMatch | Op::PGILikeMatch => {
                PredicateOp::Like
            }
            _ => PredicateOp::Other,
        };
        self.compare(left, right, how, found);
    }

    fn compare(&self, left: &Expr, right: &Expr, how: PredicateOp, found: &mut Vec<Conjunct>) {
        if how == PredicateOp::Equal
            && let (Some(left), Some(right)) = (self.column(left), self.column(right))
        {
            found.push(Conjunct::Joined(left, right));
            return;
        }
        if let (Expr::Tuple(left), Expr::Tuple(right)) = (left, right)
            && left.len() == right.len()
        {
            for (left, right) in left.iter().zip(right) {
                self.compare(left, right, how, found);
            }
            return;
        }
        self.over(left, how, found);
        self.over(right, how, found);
    }

    /// Columns in an expression that is compared in this way.
    fn over(&self, expression: &Expr, how: PredicateOp, found: &mut Vec<Conjunct>) {
        match (self.column(expression), expression) {
            (Some(column), _) => found.push(Conjunct::Compared {
                column,
                how,
                plain: how != PredicateOp::Other,
            }),
            (None, Expr::Tuple(items)) => {
                items.iter().for_each(|item| self.over(item, how, found));
            }
            _ => {
                let mut columns = Vec::new();
                self.columns(expression, &mut columns);
                found.extend(columns.into_iter().map(|column| Conjunct::Compared {
                    column,
                    how,
                    plain: false,
                }));
            }
        }
    }

    fn over_all(&self, expression: &Expr, found: &mut Vec<Conjunct>) {
        let mut columns = Vec::new();
        self.columns(expression, &mut columns);
        found.extend(columns.into_iter().map(|column| Conjunct::Compared {
            column,
            how: PredicateOp::Other,
            plain: false,
        }));
    }

    /// Every column in an expression, those of subqueries left out: they have their own conditions.
    fn columns(&self, expression: &Expr, columns: &mut Vec<Operand>) {
        let mut visitor = Columns {
            reader: self,
            depth: 0,
            columns,
        };
        let _ = sqlparser::ast::Visit::visit(expression, &mut visitor);
    }

    /// The column an expression is, casts of parameters and parentheses looked through.
    fn column(&self, expression: &Expr) -> Option<Operand> {
        match expression {
            Expr::Nested(inner) => self.column(inner),
            Expr::Identifier(name) if !is_keyword(name) => self.operand(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(names) => self.operand(names),
            _ => None,
        }
    }

    fn operand(&self, names: &[Ident]) -> Option<Operand> {
        let parts = names
            .iter()
            .map(|name| match name.quote_style {
                Some(_) => name.value.clone(),
                None => fold(&name.value),
            })
            .collect();
        let first = names.first()?.span.start;
        let last = names.last()?.span.end;
        let range = self.offset(first.line, first.column)?..self.offset(last.line, last.column)?;
        Some(Operand { parts, range })
    }

    /// Lines and columns count from 1, columns in characters.
    fn offset(&self, line: u64, column: u64) -> Option<usize> {
        let start = *self
            .lines
            .get(usize::try_from(line).ok()?.checked_sub(1)?)?;
        let characters = usize::try_from(column).ok()?.checked_sub(1)?;
        let rest = &self.text[start..];
        let bytes: usize = rest.chars().take(characters).map(char::len_utf8).sum();
        Some(start + bytes)
    }
}

/// `current_date` and the like are names to sqlparser.
fn is_keyword(name: &Ident) -> bool {
    name.quote_style.is_none() && super::walk::is_value_keyword(&name.value)
}

struct Columns<'r, 't, 'c> {
    reader: &'r Reader<'t>,
    /// How many queries deep.
    depth: usize,
    columns: &'c mut Vec<Operand>,
}

impl sqlparser::ast::Visitor for Columns<'_, '_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &sqlparser::ast::Query) -> std::ops::ControlFlow<()> {
        self.depth += 1;
        std::ops::ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &sqlparser::ast::Query) -> std::ops::ControlFlow<()> {
        self.depth -= 1;
        std::ops::ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> std::ops::ControlFlow<()> {
        let is_name = matches!(
            expression,
            Expr::Identifier(_) | Expr::CompoundIdentifier(_)
        );
        if self.depth == 0 && is_name {
            self.columns.extend(self.reader.column(expression));
        }
        std::ops::ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let found = conjuncts(text).unwrap_or_default();
        found
            .iter()
            .map(|conjunct| match conjunct {
                Conjunct::Compared { column, how, plain } => {
                    assert_eq!(
                        fold(
                            text[column.range.clone()]
                                .rsplit('.')
                                .next()
                                .unwrap_or_default()
                        ),
                        *column.parts.last().expect("a column has a name"),
                        "{text}"
                    );
                    let sign = if *plain { "" } else { "~" };
                    format!("{sign}{}:{how:?}", column.parts.join("."))
                }
                Conjunct::Joined(left, right) => {
                    format!("{}={}", left.parts.join("."), right.parts.join("."))
                }
            })
            .collect()
    }

    #[test]
    fn comparisons() {
        for (text, expected) in [
            (
                "a.x = $1 AND\n  é.\"Y\" = b.z",
                vec!["a.x:Equal", "é.Y=b.z"],
            ),
            ("$1::uuid = a", vec!["a:Equal"]),
            (
                "a IN (1, 2) AND b = ANY($1) AND NOT c AND d",
                vec!["a:In", "b:In", "c:Equal", "d:Equal"],
            ),
            (
                "a >= $1 AND (b, c) > ($1, $2) AND now() BETWEEN d AND e",
                vec!["a:Range", "b:Range", "c:Range", "d:Range", "e:Range"],
            ),
            (
                "a IS NULL AND b IS NOT NULL AND c IS NOT DISTINCT FROM $1",
                vec!["a:IsNull", "b:NotNull", "c:Equal"],
            ),
            (
                "lower(a) = $1 AND b LIKE 'x%' AND c <> 1",
                vec!["~a:Equal", "b:Like", "~c:Other"],
            ),
            ("a = 1 OR b = 2", vec!["~a:Other", "~b:Other"]),
            (
                "a = (SELECT max(q) FROM t WHERE r = 1) AND EXISTS (SELECT 1 FROM u WHERE u.x = 1)",
                vec!["a:Equal"],
            ),
            ("a < current_date - 30", vec!["a:Range"]),
            ("a -> 'k' @> $1", vec!["~a:Other"]),
        ] {
            let found = read(text);
            assert_eq!(found, expected, "{text}");
        }
    }
}
