//! From what was read to what is asked: which parts are conditions and which are values.

use std::ops::Range;

use super::super::super::model::{Capture, Condition, Operand, Operator};
use super::token::{Fault, fault};

/// Before it is known whether it is a condition or a value.
#[derive(Debug)]
pub(super) enum Expression {
    Or(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Compare(Operator, Box<Node>, Box<Node>),
    In(Box<Node>, Vec<Node>),
    Add(Box<Node>, Box<Node>),
    Subtract(Box<Node>, Box<Node>),
    Value(Operand),
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) what: Expression,
    pub(super) range: Range<usize>,
}

impl Node {
    pub(super) fn pair(
        make: impl Fn(Box<Node>, Box<Node>) -> Expression,
        left: Node,
        right: Node,
    ) -> Node {
        let range = left.range.start..right.range.end;
        Node {
            what: make(Box::new(left), Box::new(right)),
            range,
        }
    }
}

/// An expression as a condition.
pub(super) fn condition(node: Node) -> Result<Condition, Fault> {
    Ok(match node.what {
        Expression::Or(left, right) => {
            Condition::Or(Box::new(condition(*left)?), Box::new(condition(*right)?))
        }
        Expression::And(left, right) => {
            Condition::And(Box::new(condition(*left)?), Box::new(condition(*right)?))
        }
        Expression::Not(inner) => Condition::Not(Box::new(condition(*inner)?)),
        Expression::Compare(operator, left, right) => {
            Condition::Compare(operator, operand(*left)?, operand(*right)?)
        }
        Expression::In(left, items) => {
            let items = items.into_iter().map(operand).collect::<Result<_, _>>()?;
            Condition::In(operand(*left)?, items)
        }
        Expression::Value(
            value @ (Operand::Bool(_) | Operand::Param(_) | Operand::Capture(Capture::Column(..))),
        ) => Condition::True(value),
        Expression::Value(Operand::Capture(Capture::Rows(_))) => {
            let message = "a number of rows is no condition; compare it: `== 1`, `> 0`";
            return Err(fault(message, &node.range));
        }
        Expression::Value(_) | Expression::Add(..) | Expression::Subtract(..) => {
            return Err(fault("expected a condition, this is a value", &node.range));
        }
    })
}

/// An expression as a value.
fn operand(node: Node) -> Result<Operand, Fault> {
    Ok(match node.what {
        Expression::Value(value) => value,
        Expression::Add(left, right) => {
            Operand::Add(Box::new(operand(*left)?), Box::new(operand(*right)?))
        }
        Expression::Subtract(left, right) => {
            Operand::Subtract(Box::new(operand(*left)?), Box::new(operand(*right)?))
        }
        _ => return Err(fault("expected a value, this is a condition", &node.range)),
    })
}
