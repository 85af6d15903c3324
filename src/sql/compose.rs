//! Putting SQL together from parts that are already SQL: the template is fixed at compile time, every part is [`SqlText`].

use super::ident::{Ident, SqlText};
use super::quote::quote_ident;

/// Fills `{name}` in a fixed template. A part of several lines is indented as far as its place in the template, so that the result
/// reads as if written by hand. A name that is not among the parts stays as it is (a test of every caller would show it).
pub fn fill(template: &'static str, parts: &[(&str, &SqlText)]) -> SqlText {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        let part = after.find('}').and_then(|close| {
            parts
                .iter()
                .find(|(name, _)| *name == &after[..close])
                .map(|(_, part)| (close, part))
        });
        match part {
            Some((close, part)) => {
                indent_into(&mut out, part.as_str());
                rest = &after[close + 1..];
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    SqlText::made(out)
}

fn indent_into(out: &mut String, part: &str) {
    let line = out.rsplit('\n').next().unwrap_or("");
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    for (number, piece) in part.trim_end_matches('\n').lines().enumerate() {
        if number > 0 {
            out.push('\n');
            if !piece.is_empty() {
                out.push_str(&indent);
            }
        }
        out.push_str(piece);
    }
}

/// Parts with a separator between them.
pub fn join(parts: impl IntoIterator<Item = SqlText>, separator: &'static str) -> SqlText {
    let texts: Vec<String> = parts
        .into_iter()
        .map(|part| part.as_str().to_owned())
        .collect();
    SqlText::made(texts.join(separator))
}

/// Quoted names, comma between them.
pub fn idents<'a>(names: impl IntoIterator<Item = &'a Ident>) -> SqlText {
    join(names.into_iter().map(quote_ident), ", ")
}

/// Quoted names with an alias before each, comma between them.
pub fn qualified_columns<'a>(
    alias: &'static str,
    names: impl IntoIterator<Item = &'a Ident>,
) -> SqlText {
    join(names.into_iter().map(|name| column_of(alias, name)), ", ")
}

/// `alias.column`.
pub fn column_of(alias: &'static str, name: &Ident) -> SqlText {
    SqlText::made(format!("{alias}.{}", quote_ident(name)))
}

/// Fixed SQL.
pub fn fixed(text: &'static str) -> SqlText {
    SqlText::made(text)
}

/// Blanks after a part, up to `width` characters: columns that line up.
pub fn pad(part: &SqlText, width: usize) -> SqlText {
    SqlText::made(format!("{:width$}", part.as_str()))
}

/// A number.
pub fn number(value: impl Into<i64>) -> SqlText {
    SqlText::made(value.into().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_several_lines_keep_the_indent_of_their_place() {
        let body = fixed("a\nb");
        assert_eq!(
            fill("x\n  {body};\n{other}", &[("body", &body)]).as_str(),
            "x\n  a\n  b;\n{other}"
        );
    }
}
