//! The conditions of `require:`: comparisons over parameters and captured rows, read by a parser of their own so that a
//! fault has its place and the verifier can evaluate them between two statements.
//!
//! ```text
//! or      = and { "or" and }
//! and     = not { "and" not }
//! not     = "not" not | compare
//! compare = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "[" sum { "," sum } "]" ]
//! sum     = value { ("+" | "-") value }
//! value   = number | 'text' | true | false | null | name | capture "." column | "-" value | "(" or ")"
//! ```

use std::ops::Range;

use super::super::model::{Capture, Condition, Operand, Operator};
use crate::sql::Ident;

/// What is wrong with a condition, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Lower case, no final stop.
    pub(super) message: String,
    /// Bytes of the condition.
    pub(super) range: Range<usize>,
}

/// A name in a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// A parameter, or the name of a capture.
    pub(super) name: String,
    /// The column behind a capture.
    pub(super) column: Option<String>,
    /// Bytes of the condition.
    pub(super) range: Range<usize>,
}

/// A condition and the names in it.
#[derive(Debug)]
pub(super) struct Parsed {
    /// What is asked.
    pub(super) condition: Condition,
    /// Every name, in order.
    pub(super) uses: Vec<Use>,
}

/// Deeper nesting, and more words, than anybody can read; both bound the recursion over a condition.
const DEEPEST: usize = 64;
const LONGEST: usize = 1000;

/// Reads a condition.
pub(super) fn parse(text: &str) -> Result<Parsed, Fault> {
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

fn fault(message: impl Into<String>, range: &Range<usize>) -> Fault {
    Fault {
        message: message.into(),
        range: range.clone(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    Text,
    Symbol,
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    range: Range<usize>,
}

impl Token {
    fn shown<'t>(&self, text: &'t str) -> &'t str {
        &text[self.range.clone()]
    }

    fn is(&self, text: &str, symbol: &str) -> bool {
        match self.kind {
            Kind::Word => self.shown(text).eq_ignore_ascii_case(symbol),
            Kind::Symbol => self.shown(text) == symbol,
            Kind::Number | Kind::Text => false,
        }
    }
}

/// Longest first.
const SYMBOLS: &[&str] = &[
    "===", "==", "!=", "<>", "<=", ">=", "&&", "||", "<", ">", "=", "!", "+", "-", "*", "/", "%",
    "(", ")", "[", "]", ",", ".", ":",
];

fn scan(text: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c == '\'' {
            (Kind::Text, quoted(rest, at)?)
        } else if c.is_ascii_digit() {
            (Kind::Number, number(rest))
        } else if c.is_alphabetic() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
            (Kind::Word, end.unwrap_or(rest.len()))
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(*symbol)) {
            (Kind::Symbol, symbol.len())
        } else {
            let message = match c {
                '"' => "text stands in single quotes here".to_owned(),
                ';' => "a condition ends without `;`".to_owned(),
                other => format!("`{}` has no meaning in a condition", other.escape_default()),
            };
            return Err(fault(message, &(at..at + c.len_utf8())));
        };
        tokens.push(Token {
            kind,
            range: at..at + length,
        });
        at += length;
    }
    Ok(tokens)
}

/// Length of `'it''s'`.
fn quoted(rest: &str, at: usize) -> Result<usize, Fault> {
    let mut end = 1;
    loop {
        match rest[end..].find('\'') {
            None => {
                return Err(fault(
                    "this text has no closing quote",
                    &(at..at + rest.len()),
                ));
            }
            Some(quote) if rest[end + quote + 1..].starts_with('\'') => end += quote + 2,
            Some(quote) => return Ok(end + quote + 1),
        }
    }
}

/// Length of `12` or `12.5`; a dot that no digit follows is not part of it.
fn number(rest: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    match rest[whole..].strip_prefix('.').map(digits) {
        Some(part) if part > 0 => whole + 1 + part,
        _ => whole,
    }
}

/// Before it is known whether it is a condition or a value.
#[derive(Debug)]
enum Expression {
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
struct Node {
    what: Expression,
    range: Range<usize>,
}

impl Node {
    fn pair(make: impl Fn(Box<Node>, Box<Node>) -> Expression, left: Node, right: Node) -> Node {
        let range = left.range.start..right.range.end;
        Node {
            what: make(Box::new(left), Box::new(right)),
            range,
        }
    }
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

/// What somebody who knows other languages probably meant.
fn hint(token: &Token, text: &str) -> Option<String> {
    let shown = token.shown(text);
    let written = match shown.to_ascii_lowercase().as_str() {
        "=" | "===" => "equality is written `==`",
        "<>" => "inequality is written `!=`",
        "&&" => "`&&` is written `and`",
        "||" => "`||` is written `or`",
        "!" => "`!` is written `not`",
        ":" => "names stand without `:` in a condition",
        "is" => "`is null` is written `== null`, `is not null` is written `!= null`",
        "between" | "like" | "ilike" => {
            return Some(format!(
                "`{shown}` is not known here; ask for it in the SQL of a step"
            ));
        }
        "*" | "/" | "%" => {
            return Some(format!(
                "`{shown}` is not known here; compute it in the SQL of a step"
            ));
        }
        _ => return None,
    };
    Some(written.to_owned())
}

/// An expression as a condition.
fn condition(node: Node) -> Result<Condition, Fault> {
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
