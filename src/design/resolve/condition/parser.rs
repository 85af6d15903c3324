//! Recursive descent over the words of a condition.

use std::ops::Range;

use super::super::super::model::{Capture, Condition, Operand, Operator};
use super::meaning::{Expression, Node, condition};
use super::token::{Fault, Kind, Token, fault, hint, scan};
use crate::sql::Ident;

/// A name in a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::design::resolve) struct Use {
    /// A parameter, or the name of a capture.
    pub(in crate::design::resolve) name: String,
    /// The column behind a capture.
    pub(in crate::design::resolve) column: Option<String>,
    /// Bytes of the condition.
    pub(in crate::design::resolve) range: Range<usize>,
}

/// A condition and the names in it.
#[derive(Debug)]
pub(in crate::design::resolve) struct Parsed {
    /// What is asked.
    pub(in crate::design::resolve) condition: Condition,
    /// Every name, in order.
    pub(in crate::design::resolve) uses: Vec<Use>,
}

/// Deeper nesting, and more words, than anybody can read; both bound the recursion over a condition.
const DEEPEST: usize = 64;
const LONGEST: usize = 1000;

/// Reads a condition.
pub(in crate::design::resolve) fn parse(text: &str) -> Result<Parsed, Fault> {
    let mut parser = Parser {
        text,
        tokens: scan(text)?,
        at: 0,
        depth: 0,
        uses: Vec::new(),
    };
    if let Some(token) = parser.tokens.get(LONGEST) {
        let message = "this condition is too long; ask in the SQL of a step";
        return Err(fault(message, &token.range));
    }
    let whole = parser.or()?;
    if let Some(token) = parser.tokens.get(parser.at) {
        let message = format!(
            "expected the end of the condition, found `{}`",
            token.shown(text)
        );
        return Err(fault(hint(token, text).unwrap_or(message), &token.range));
    }
    Ok(Parsed {
        condition: condition(whole)?,
        uses: parser.uses,
    })
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    uses: Vec<Use>,
}

impl Parser<'_> {
    fn takes(&mut self, symbol: &str) -> bool {
        let found = self
            .tokens
            .get(self.at)
            .is_some_and(|token| token.is(self.text, symbol));
        self.at += usize::from(found);
        found
    }

    /// Where the next token stands, or the end.
    fn place(&self) -> Range<usize> {
        let end = self.text.trim_end().len();
        self.tokens
            .get(self.at)
            .map_or(end..end, |token| token.range.clone())
    }

    fn expects(&mut self, symbol: &str) -> Result<(), Fault> {
        if self.takes(symbol) {
            return Ok(());
        }
        let message = match self.tokens.get(self.at) {
            Some(token) => hint(token, self.text).unwrap_or_else(|| {
                format!("expected `{symbol}`, found `{}`", token.shown(self.text))
            }),
            None => format!("expected `{symbol}`, found the end"),
        };
        Err(fault(message, &self.place()))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEEPEST {
            return Err(fault("this condition is nested too deeply", &self.place()));
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn or(&mut self) -> Result<Node, Fault> {
        let mut left = self.and()?;
        while self.takes("or") {
            let right = self.and()?;
            left = Node::pair(Expression::Or, left, right);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Node, Fault> {
        let mut left = self.not()?;
        while self.takes("and") {
            let right = self.not()?;
            left = Node::pair(Expression::And, left, right);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Node, Fault> {
        let start = self.place().start;
        if !self.takes("not") {
            return self.compare();
        }
        let inner = self.deeper(Self::not)?;
        Ok(Node {
            range: start..inner.range.end,
            what: Expression::Not(Box::new(inner)),
        })
    }

    fn compare(&mut self) -> Result<Node, Fault> {
        const OPERATORS: &[(&str, Operator)] = &[
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let left = self.sum()?;
        for (symbol, operator) in OPERATORS {
            if self.takes(symbol) {
                let right = self.sum()?;
                let make = |l, r| Expression::Compare(*operator, l, r);
                return Ok(Node::pair(make, left, right));
            }
        }
        let before = self.at;
        let is_negated = self.takes("not");
        if self.takes("in") {
            return self.list(left, is_negated);
        }
        self.at = before;
        Ok(left)
    }

    fn list(&mut self, left: Node, is_negated: bool) -> Result<Node, Fault> {
        self.expects("[")?;
        let mut items = vec![self.sum()?];
        while self.takes(",") {
            items.push(self.sum()?);
        }
        let end = self.place().end;
        self.expects("]")?;
        let range = left.range.start..end;
        let found = Node {
            what: Expression::In(Box::new(left), items),
            range: range.clone(),
        };
        Ok(match is_negated {
            false => found,
            true => Node {
                what: Expression::Not(Box::new(found)),
                range,
            },
        })
    }

    fn sum(&mut self) -> Result<Node, Fault> {
        let mut left = self.value()?;
        loop {
            if self.takes("+") {
                let right = self.value()?;
                left = Node::pair(Expression::Add, left, right);
            } else if self.takes("-") {
                let right = self.value()?;
                left = Node::pair(Expression::Subtract, left, right);
            } else {
                return Ok(left);
            }
        }
    }

    fn value(&mut self) -> Result<Node, Fault> {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            return Err(fault("expected a value, found the end", &self.place()));
        };
        self.at += 1;
        let shown = token.shown(self.text);
        let operand = match token.kind {
            Kind::Number => Operand::Number(shown.to_owned()),
            Kind::Text => Operand::Text(shown[1..shown.len() - 1].replace("''", "'")),
            Kind::Symbol if shown == "(" => {
                let inner = self.deeper(Self::or)?;
                self.expects(")")?;
                return Ok(inner);
            }
            Kind::Symbol if shown == "-" => return self.negative(token.range.start),
            Kind::Word => return self.word(&token),
            Kind::Symbol => {
                let message = hint(&token, self.text)
                    .unwrap_or_else(|| format!("expected a value, found `{shown}`"));
                return Err(fault(message, &token.range));
            }
        };
        Ok(Node {
            what: Expression::Value(operand),
            range: token.range,
        })
    }

    fn negative(&mut self, start: usize) -> Result<Node, Fault> {
        let inner = self.deeper(Self::value)?;
        let range = start..inner.range.end;
        if let Expression::Value(Operand::Number(number)) = &inner.what {
            let number = match number.strip_prefix('-') {
                Some(positive) => positive.to_owned(),
                None => format!("-{number}"),
            };
            return Ok(Node {
                what: Expression::Value(Operand::Number(number)),
                range,
            });
        }
        let zero = Node {
            what: Expression::Value(Operand::Number("0".to_owned())),
            range: start..start,
        };
        Ok(Node {
            range,
            ..Node::pair(Expression::Subtract, zero, inner)
        })
    }

    fn word(&mut self, token: &Token) -> Result<Node, Fault> {
        let shown = token.shown(self.text);
        let operand = match shown.to_ascii_lowercase().as_str() {
            "true" => Operand::Bool(true),
            "false" => Operand::Bool(false),
            "null" => Operand::Null,
            "and" | "or" | "not" | "in" => {
                let message = format!("expected a value, found `{shown}`");
                return Err(fault(message, &token.range));
            }
            _ => return self.name(token),
        };
        Ok(Node {
            what: Expression::Value(operand),
            range: token.range.clone(),
        })
    }

    fn name(&mut self, token: &Token) -> Result<Node, Fault> {
        let name = token.shown(self.text).to_owned();
        let mut range = token.range.clone();
        let mut column = None;
        if self.takes(".") {
            let place = self.place();
            match self.tokens.get(self.at) {
                Some(next) if next.kind == Kind::Word => {
                    column = Some(next.shown(self.text).to_owned());
                    range.end = next.range.end;
                    self.at += 1;
                }
                _ => {
                    let message = format!("expected `rows` or a column after `{name}.`");
                    return Err(fault(message, &place));
                }
            }
        }
        let ident = Ident::new(name.clone());
        let operand = match column.as_deref() {
            None => Operand::Param(ident),
            Some("rows") => Operand::Capture(Capture::Rows(ident)),
            Some(column) => Operand::Capture(Capture::Column(ident, Ident::new(column))),
        };
        self.uses.push(Use {
            name,
            column,
            range: range.clone(),
        });
        Ok(Node {
            what: Expression::Value(operand),
            range,
        })
    }
}
