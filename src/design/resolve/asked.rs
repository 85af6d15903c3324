//! Values that a condition compares with: a text must be one that the column or parameter can have, a number of rows is
//! compared with numbers, and a condition asks something that can differ from call to call.

use super::super::model::{Capture, Condition, Operand, Param};
use super::context::Context;
use super::fit;
use super::sql::Scope;
use crate::source::Text;

/// A condition with what it is judged against.
pub(super) struct Asked<'c> {
    /// What every pass has at hand.
    pub(super) cx: &'c Context<'c>,
    /// Captures and their tables.
    pub(super) scope: &'c Scope<'c>,
    /// Parameters with their types.
    pub(super) params: &'c [Param],
    /// The condition as written.
    pub(super) text: &'c Text,
    /// What it is about.
    pub(super) subject: &'c str,
}

impl Asked<'_> {
    /// Judges a condition.
    pub(super) fn check(&self, condition: &Condition) {
        if !asks(condition) {
            let message = "this condition is the same at every call";
            self.fault(message, "compare a parameter or a captured value");
        }
        self.inside(condition);
    }

    fn fault(&self, message: &str, help: &str) {
        self.cx
            .error("bad-condition", self.subject, message, self.text.at(), help);
    }

    fn inside(&self, condition: &Condition) {
        match condition {
            Condition::And(left, right) | Condition::Or(left, right) => {
                self.inside(left);
                self.inside(right);
            }
            Condition::Not(inner) => self.inside(inner),
            Condition::Compare(_, left, right) => {
                self.pair(left, right);
                self.pair(right, left);
            }
            Condition::In(left, items) => items.iter().for_each(|item| self.pair(left, item)),
            Condition::True(_) => {}
        }
    }

    fn pair(&self, asked: &Operand, with: &Operand) {
        match (asked, with) {
            (
                Operand::Capture(Capture::Rows(_)),
                Operand::Text(_) | Operand::Bool(_) | Operand::Null,
            ) => {
                let message = "a number of rows is compared with something that is no number";
                let help = "write `== 1`, without quotes; a statement without rows has 0, not null";
                self.fault(message, help);
            }
            (Operand::Capture(Capture::Column(capture, column)), Operand::Text(value)) => {
                self.of_column(capture.as_str(), column.as_str(), value);
            }
            (Operand::Param(name), Operand::Text(value)) => {
                let param = self.params.iter().find(|param| param.name.ident == *name);
                if let Some(param) = param {
                    let value = self.place(value);
                    fit::value(self.cx, &value, &param.data_type, self.subject);
                }
            }
            _ => {}
        }
    }

    /// A captured column is that of the one table of the statement that has such a column.
    fn of_column(&self, capture: &str, column: &str, value: &str) {
        let Some(captured) = self.scope.captures.get(capture) else {
            return;
        };
        let mut found = captured.tables.iter().filter_map(|table| {
            let table = self.cx.symbols.tables.get(table.as_str())?;
            table.columns.get(column)
        });
        let (Some(symbol), None) = (found.next(), found.next()) else {
            return;
        };
        if let Some(labels) = self.cx.symbols.labels(symbol) {
            let whose = format!("column `{column}`");
            fit::one_of(self.cx, &self.place(value), &labels, &whose, self.subject);
        }
    }

    /// The value where the condition writes it.
    fn place(&self, value: &str) -> Text {
        let written = format!("'{}'", value.replace('\'', "''"));
        let at = match self.text.as_str().find(&written) {
            Some(start) => self.text.part(start..start + written.len()),
            None => self.text.at(),
        };
        Text::at_once(value, at)
    }
}

fn asks(condition: &Condition) -> bool {
    match condition {
        Condition::And(left, right) | Condition::Or(left, right) => asks(left) || asks(right),
        Condition::Not(inner) => asks(inner),
        Condition::Compare(_, left, right) => varies(left) || varies(right),
        Condition::In(left, items) => varies(left) || items.iter().any(varies),
        Condition::True(value) => varies(value),
    }
}

fn varies(operand: &Operand) -> bool {
    match operand {
        Operand::Param(_) | Operand::Capture(Capture::Rows(_) | Capture::Column(..)) => true,
        Operand::Add(left, right) | Operand::Subtract(left, right) => varies(left) || varies(right),
        Operand::Null | Operand::Bool(_) | Operand::Number(_) | Operand::Text(_) => false,
    }
}
