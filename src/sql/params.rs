//! `:name` parameters: turned into `$n` for the server, or replaced by literals.

use std::ops::Range;

use super::ident::SqlText;
use super::lex::{Token, TokenKind, tokens};

/// SQL with numbered parameters, and the way back to what the author wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// With `$1`, `$2` … in place of `:name`.
    pub sql: String,
    /// What `$1`, `$2` … stand for, in order: `tenant_id`, or `found.col` for a captured column.
    pub names: Vec<String>,
    /// Every use: index into `names`, and where it stands in the original.
    pub uses: Vec<(usize, Range<usize>)>,
    /// `$1` and the like that the author wrote; they would collide with ours.
    pub positional: Vec<Range<usize>>,
    /// (offset in `sql`, offset in the original) where each stretch taken over unchanged begins.
    stretches: Vec<(usize, usize)>,
    /// Where each replacement stands in `sql`, with the place of the parameter in the original.
    replaced: Vec<(Range<usize>, usize)>,
}

impl Bound {
    /// Where a byte of `sql` comes from; inside a `$n` it is the start of the parameter.
    pub fn original(&self, offset: usize) -> usize {
        if let Some((_, start)) = self
            .replaced
            .iter()
            .find(|(range, _)| range.contains(&offset))
        {
            return *start;
        }
        let index = self
            .stretches
            .partition_point(|(sql, _)| *sql <= offset)
            .saturating_sub(1);
        let (sql, original) = self.stretches[index];
        original + offset.saturating_sub(sql)
    }

    /// Where a range of `sql` comes from.
    pub fn original_range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.original(range.start);
        if range.is_empty() {
            return start..start;
        }
        let end = match self
            .replaced
            .iter()
            .position(|(replaced, _)| replaced.contains(&(range.end - 1)))
        {
            Some(index) => self.uses[index].1.end,
            None => self.original(range.end - 1) + 1,
        };
        start..end.max(start)
    }
}

/// Numbers the parameters of a text in the order in which they first appear.
pub fn bind(text: &str) -> Bound {
    let mut bound = Bound {
        sql: String::with_capacity(text.len()),
        names: Vec::new(),
        uses: Vec::new(),
        positional: Vec::new(),
        stretches: vec![(0, 0)],
        replaced: Vec::new(),
    };
    let mut copied = 0;
    for token in tokens(text) {
        match token.kind {
            TokenKind::Positional => bound.positional.push(token.range),
            TokenKind::Param => {
                let name = &text[token.range.start + 1..token.range.end];
                let index = match bound.names.iter().position(|known| known == name) {
                    Some(index) => index,
                    None => {
                        bound.names.push(name.to_owned());
                        bound.names.len() - 1
                    }
                };
                bound.sql.push_str(&text[copied..token.range.start]);
                let start = bound.sql.len();
                bound.sql.push_str(space_before(text, &token));
                bound.sql.push_str(&format!("${}", index + 1));
                bound
                    .replaced
                    .push((start..bound.sql.len(), token.range.start));
                bound.stretches.push((bound.sql.len(), token.range.end));
                copied = token.range.end;
                bound.uses.push((index, token.range));
            }
            _ => {}
        }
    }
    bound.sql.push_str(&text[copied..]);
    bound
}

/// Puts SQL in place of every parameter; in parentheses where it is more than one token, so that `-1` keeps its meaning
/// beside `-` and `::`.
pub fn substitute(text: &str, value: &dyn Fn(&str) -> SqlText) -> SqlText {
    let mut sql = String::with_capacity(text.len());
    let mut copied = 0;
    for token in tokens(text) {
        if token.kind != TokenKind::Param {
            continue;
        }
        let value = value(&text[token.range.start + 1..token.range.end]);
        sql.push_str(&text[copied..token.range.start]);
        sql.push_str(space_before(text, &token));
        if tokens(value.as_str()).len() > 1 {
            // On a line of its own the parenthesis cannot end up in a comment of the value.
            let end = if value.as_str().contains("--") {
                "\n)"
            } else {
                ")"
            };
            sql.push('(');
            sql.push_str(value.as_str());
            sql.push_str(end);
        } else {
            sql.push_str(value.as_str());
        }
        copied = token.range.end;
    }
    sql.push_str(&text[copied..]);
    SqlText::made(sql)
}

/// `AND:a` must not become `AND$1`, which is a name.
fn space_before(text: &str, token: &Token) -> &'static str {
    match text[..token.range.start].chars().next_back() {
        Some(c) if c.is_alphanumeric() || c == '_' || c == '$' => " ",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::quote::literal;
    use super::*;

    #[test]
    fn numbers_in_order_of_first_use_and_leads_back() {
        let text = "SELECT ':x' FROM t WHERE a = :b AND c = :found.col AND d=:b::int LIMIT:n";
        let bound = bind(text);
        assert_eq!(
            bound.sql,
            "SELECT ':x' FROM t WHERE a = $1 AND c = $2 AND d=$1::int LIMIT $3"
        );
        assert_eq!(bound.names, ["b", "found.col", "n"]);
        assert_eq!(bound.uses.len(), 4);
        for (needle, original) in [("d=", "d="), ("::int", "::int"), ("LIMIT", "LIMIT")] {
            let offset = bound.sql.find(needle).unwrap_or(0);
            assert_eq!(Some(bound.original(offset)), text.find(original));
        }
        let at = bound.sql.find("$2").unwrap_or(0);
        assert_eq!(&text[bound.original_range(at..at + 2)], ":found.col");
        assert_eq!(&text[bound.original_range(at + 1..at + 1)], "");
        let all = bound.original_range(0..bound.sql.len());
        assert_eq!(&text[all], text);
    }

    #[test]
    fn substitutes_without_changing_meaning() {
        let value = |name: &str| match name {
            "n" => SqlText::authored("-5"),
            _ => literal("it's"),
        };
        assert_eq!(
            substitute("a -:n::int AND:s IS NULL -- :n", &value).as_str(),
            "a -(-5)::int AND 'it''s' IS NULL -- :n"
        );
    }
}
