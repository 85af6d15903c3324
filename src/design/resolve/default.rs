//! `default:` of a column: an SQL expression, which people like to mistake for a value.

use super::super::nearest::nearest;
use super::context::{Context, quoted};
use super::symbols::ColumnSymbol;
use crate::finding::Finding;
use crate::source::{Node, Text};

/// `default:`, judged.
pub(super) fn default(
    cx: &Context<'_>,
    node: &Node,
    column: &ColumnSymbol,
    subject: &str,
) -> Option<Text> {
    let text = super::sql::expression_at(cx, node, "default", subject)?;
    let Some(labels) = cx.symbols.labels(column) else {
        return Some(text);
    };
    let all: Vec<&str> = labels.iter().map(Text::as_str).collect();
    match literal(text.as_str()) {
        Some(value) if !all.contains(&value.as_str()) => {
            let help = match nearest(&value, all.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the column takes {}", quoted(&all)),
            };
            let message = format!("the default `{value}` is no value of this column");
            let finding = Finding::error("state-unknown", subject, message, text.at()).help(help);
            cx.report(finding);
        }
        None if all.contains(&text.as_str()) && is_word(text.as_str()) => {
            let message = format!("the default `{text}` is read as the name of a column");
            let help = format!("a default is SQL; write \"'{text}'\", with both kinds of quotes");
            cx.error("default-not-quoted", subject, message, text.at(), help);
        }
        _ => {}
    }
    Some(text)
}

/// The value of an expression that is a string literal, with or without a cast.
fn literal(text: &str) -> Option<String> {
    let rest = text.trim().strip_prefix('\'')?;
    let end = rest.rfind('\'')?;
    let after = rest[end + 1..].trim();
    let is_whole = after.is_empty() || after.starts_with("::");
    let inner = rest[..end].replace("''", "\u{0}");
    (is_whole && !inner.contains('\'')).then(|| inner.replace('\u{0}', "'"))
}

fn is_word(text: &str) -> bool {
    !matches!(text, "true" | "false" | "null")
        && text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_through_casts() {
        assert_eq!(literal("'open'"), Some("open".to_owned()));
        assert_eq!(literal(" 'it''s'::text "), Some("it's".to_owned()));
        assert_eq!(literal("'a' || 'b'"), None);
        assert_eq!(literal("now()"), None);
        assert_eq!(literal("'"), None);
    }
}
