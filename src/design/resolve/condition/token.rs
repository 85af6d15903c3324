//! The words of a condition.

use std::ops::Range;

/// What is wrong with a condition, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::design::resolve) struct Fault {
    /// Lower case, no final stop.
    pub(in crate::design::resolve) message: String,
    /// Bytes of the condition.
    pub(in crate::design::resolve) range: Range<usize>,
}

pub(super) fn fault(message: impl Into<String>, range: &Range<usize>) -> Fault {
    Fault {
        message: message.into(),
        range: range.clone(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Text,
    Symbol,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

impl Token {
    pub(super) fn shown<'t>(&self, text: &'t str) -> &'t str {
        &text[self.range.clone()]
    }

    pub(super) fn is(&self, text: &str, symbol: &str) -> bool {
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

pub(super) fn scan(text: &str) -> Result<Vec<Token>, Fault> {
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

/// What somebody who knows other languages probably meant.
pub(super) fn hint(token: &Token, text: &str) -> Option<String> {
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
