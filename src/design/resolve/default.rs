//! `default:` of a column: an SQL expression, which people like to mistake for a value.

use super::context::Context;
use super::fit;
use super::inside::Over;
use super::symbols::ColumnSymbol;
use crate::source::{Node, Text};

/// `default:`, judged.
pub(super) fn default(
    cx: &Context<'_>,
    node: &Node,
    column: &ColumnSymbol,
    subject: &str,
) -> Option<Text> {
    let text = node.get("default")?.text()?.clone();
    super::sql::expression(cx, &text, Over::Nothing, subject);
    let labels = cx.symbols.labels(column).unwrap_or_default();
    if let Some(value) = literal(text.as_str()) {
        let whose = format!("column `{}`", column.name.as_str());
        let value = Text::at_once(value, text.at());
        fit::one_of(cx, &value, &labels, &whose, subject);
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
