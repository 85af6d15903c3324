//! Quoting, by type.

use super::ident::{Ident, QualifiedName, SqlText};

/// A name as it goes into SQL: bare where PostgreSQL would read it back unchanged, quoted otherwise.
pub fn quote_ident(name: &Ident) -> SqlText {
    let raw = name.as_str();
    let plain = raw
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && raw
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !super::keywords::needs_quotes(raw);
    if plain {
        SqlText::made(raw)
    } else {
        SqlText::made(format!("\"{}\"", raw.replace('"', "\"\"")))
    }
}

/// `schema.name`, each quoted where needed.
pub fn quote_qualified(name: &QualifiedName) -> SqlText {
    SqlText::made(format!(
        "{}.{}",
        quote_ident(&name.schema),
        quote_ident(&name.name)
    ))
}

/// A string as a literal; with `E''` only where a backslash asks for it.
pub fn literal(text: &str) -> SqlText {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        SqlText::made(format!("E'{}'", quoted.replace('\\', "\\\\")))
    } else {
        SqlText::made(format!("'{quoted}'"))
    }
}
