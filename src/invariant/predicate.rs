//! Values that make a simple `where` true or false.
//!
//! Reads conjunctions of `column is [not] null`, `column = literal`, `column <> literal`, `column in (…)`, `column`, `not column`. Anything
//! else gives `None`, and a case that needs it is left out, which `reject` reports.

use super::case::Value;
use crate::design::Table;
use crate::sql::{Ident, SqlText};

/// Settings under which `predicate` is true.
pub fn satisfying(table: &Table, predicate: Option<&str>) -> Option<Vec<(Ident, Value)>> {
    let Some(predicate) = predicate else {
        return Some(Vec::new());
    };
    let mut settings = Vec::new();
    for part in conjuncts(predicate)? {
        settings.push(setting(table, &part, true)?);
    }
    Some(settings)
}

/// Settings under which `predicate` is false: its last conjunct that can be denied is; the others hold.
pub fn unsatisfying(table: &Table, predicate: Option<&str>) -> Option<Vec<(Ident, Value)>> {
    let parts = conjuncts(predicate?)?;
    let denied = parts
        .iter()
        .rposition(|part| setting(table, part, false).is_some())?;
    let mut settings = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        settings.push(setting(table, part, number != denied)?);
    }
    Some(settings)
}

/// Splits at top-level AND; `None` where there is an OR or unbalanced text.
fn conjuncts(predicate: &str) -> Option<Vec<Vec<Token>>> {
    let tokens = tokens(predicate)?;
    let mut parts = vec![Vec::new()];
    let mut depth = 0;
    let mut between = false;
    for token in strip(&tokens) {
        match token {
            Token::Word(word) if depth == 0 && word == "or" => return None,
            Token::Word(word) if depth == 0 && word == "and" && !between => parts.push(Vec::new()),
            other => {
                match other {
                    Token::Sign(sign) if sign == "(" => depth += 1,
                    Token::Sign(sign) if sign == ")" => depth -= 1,
                    Token::Word(word) if word == "between" => between = true,
                    Token::Word(word) if word == "and" => between = false,
                    _ => {}
                }
                if let Some(last) = parts.last_mut() {
                    last.push(other.clone());
                }
            }
        }
    }
    Some(parts.iter().map(|part| strip(part).to_vec()).collect())
}

/// Takes parentheses around the whole off.
fn strip(tokens: &[Token]) -> &[Token] {
    let sign = |token: &Token, text: &str| matches!(token, Token::Sign(sign) if sign == text);
    if tokens.len() < 2 || !sign(&tokens[0], "(") || !sign(&tokens[tokens.len() - 1], ")") {
        return tokens;
    }
    let inner = &tokens[1..tokens.len() - 1];
    let mut depth = 0i32;
    for token in inner {
        depth += i32::from(sign(token, "(")) - i32::from(sign(token, ")"));
        if depth < 0 {
            return tokens;
        }
    }
    strip(inner)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Lower case.
    Word(String),
    /// Case kept.
    Name(String),
    /// A literal as SQL.
    Literal(String),
    Sign(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = if first == '\'' {
            let mut end = 1;
            loop {
                end += rest[end..].find('\'')? + 1;
                if !rest[end..].starts_with('\'') {
                    break;
                }
                end += 1;
            }
            tokens.push(Token::Literal(rest[..end].to_owned()));
            end
        } else if first == '"' {
            let end = rest[1..].find('"')? + 2;
            tokens.push(Token::Name(rest[1..end - 1].to_owned()));
            end
        } else if first.is_ascii_digit()
            || (first == '-' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let end = rest[1..]
                .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                .map_or(rest.len(), |end| end + 1);
            tokens.push(Token::Literal(rest[..end].to_owned()));
            end
        } else if first.is_alphabetic() || first == '_' {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_lowercase()));
            end
        } else {
            let end = if ["<>", "!=", "<=", ">=", "::"]
                .iter()
                .any(|sign| rest.starts_with(sign))
            {
                2
            } else {
                first.len_utf8()
            };
            tokens.push(Token::Sign(rest[..end].to_owned()));
            end
        };
        rest = rest[taken..].trim_start();
    }
    Some(tokens)
}

/// What makes one conjunct come out as `wanted`.
fn setting(table: &Table, part: &[Token], wanted: bool) -> Option<(Ident, Value)> {
    use Token::{Literal, Sign, Word};
    let column = |token: &Token| match token {
        Word(name) | Token::Name(name) => table
            .column(&Ident::new(name.as_str()))
            .map(|column| column.name.ident.clone()),
        _ => None,
    };
    let part = strip(part);
    let words: Vec<&str> = part
        .iter()
        .map(|token| if let Word(word) = token { word } else { "" })
        .collect();
    match part {
        [Word(not), rest @ ..] if not == "not" && !rest.is_empty() => setting(table, rest, !wanted),
        [name] => Some((column(name)?, truth(wanted))),
        [name, _, _] if words[1..] == ["is", "null"] => {
            Some((column(name)?, nullness(table, name, wanted)?))
        }
        [name, _, _, _] if words[1..] == ["is", "not", "null"] => {
            Some((column(name)?, nullness(table, name, !wanted)?))
        }
        [name, _, Word(word)] if words[1] == "is" && (word == "true" || word == "false") => {
            Some((column(name)?, truth((word == "true") == wanted)))
        }
        [name, Sign(sign), value] if sign == "=" || sign == "<>" || sign == "!=" => {
            compare(table, &column(name)?, value, (sign == "=") == wanted)
        }
        [name, Sign(sign), value, Sign(cast), ..]
            if cast == "::" && (sign == "=" || sign == "<>") =>
        {
            compare(table, &column(name)?, value, (sign == "=") == wanted)
        }
        [name, Word(word), Sign(open), values @ .., Sign(close)]
            if word == "in" && open == "(" && close == ")" =>
        {
            among(table, &column(name)?, values, wanted)
        }
        [
            name,
            Word(not),
            Word(word),
            Sign(open),
            values @ ..,
            Sign(close),
        ] if not == "not" && word == "in" && open == "(" && close == ")" => {
            among(table, &column(name)?, values, !wanted)
        }
        [name, Sign(sign), Literal(value)] if [">", ">=", "<", "<="].contains(&sign.as_str()) => {
            let number: f64 = value.parse().ok()?;
            let up = sign.starts_with('>') == wanted;
            let moved = if up {
                number.floor() + 1.0
            } else {
                number.ceil() - 1.0
            };
            Some((
                column(name)?,
                Value::Sql(SqlText::authored(format!("{moved}"))),
            ))
        }
        _ => None,
    }
}

fn truth(value: bool) -> Value {
    Value::Sql(SqlText::authored(if value { "true" } else { "false" }))
}

/// NULL, or whatever legal value the player makes up for a column that must not be null here.
fn nullness(table: &Table, name: &Token, null: bool) -> Option<Value> {
    let (Token::Word(name) | Token::Name(name)) = name else {
        return None;
    };
    let column = table.column(&Ident::new(name.as_str()))?;
    match (null, column.nullable) {
        (true, true) => Some(Value::Null),
        (true, false) => None,
        (false, _) => Some(Value::Filled),
    }
}

fn compare(table: &Table, column: &Ident, value: &Token, equal: bool) -> Option<(Ident, Value)> {
    let text = match value {
        Token::Literal(text) => text.clone(),
        Token::Word(word) if word == "true" || word == "false" => word.clone(),
        _ => return None,
    };
    if equal {
        return Some((column.clone(), Value::Sql(SqlText::authored(text))));
    }
    Some((
        column.clone(),
        other_than(table, column, std::slice::from_ref(&text))?,
    ))
}

fn among(table: &Table, column: &Ident, values: &[Token], inside: bool) -> Option<(Ident, Value)> {
    let texts: Vec<String> = values
        .iter()
        .filter_map(|token| {
            if let Token::Literal(text) = token {
                Some(text.clone())
            } else {
                None
            }
        })
        .collect();
    if inside {
        return Some((
            column.clone(),
            Value::Sql(SqlText::authored(texts.first()?.clone())),
        ));
    }
    Some((column.clone(), other_than(table, column, &texts)?))
}

/// A legal value that is none of `texts` (SQL literals).
fn other_than(table: &Table, column: &Ident, texts: &[String]) -> Option<Value> {
    let found = table.column(column)?;
    if texts.iter().any(|text| text == "true" || text == "false") {
        return Some(truth(texts[0] == "false"));
    }
    let known = found
        .one_of
        .iter()
        .map(|value| value.as_str().to_owned())
        .collect::<Vec<_>>();
    let candidates = if known.is_empty() {
        return Some(Value::Other(
            texts.iter().map(|t| SqlText::authored(t.clone())).collect(),
        ));
    } else {
        known
    };
    let free = candidates
        .into_iter()
        .find(|value| !texts.iter().any(|text| text.trim_matches('\'') == value))?;
    Some(Value::Sql(crate::sql::literal(&free)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conjunctions_split_at_the_top_only() {
        let parts = conjuncts("(a = 'x and y' and (b is null or c)) and d between 1 and 2");
        assert_eq!(parts.map(|parts| parts.len()), Some(2));
        assert_eq!(conjuncts("a or b"), None);
    }
}
