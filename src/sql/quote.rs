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

#[cfg(test)]
mod tests {
    use super::super::lex::{TokenKind, fold, tokens};
    use super::super::syntax::{SyntaxKind, check_syntax};
    use super::*;

    fn reads_back(name: &str) {
        let quoted = quote_ident(&Ident::new(name));
        let all = tokens(quoted.as_str());
        assert_eq!(all.len(), 1, "{quoted}");
        assert!(matches!(
            all[0].kind,
            TokenKind::Word | TokenKind::QuotedIdent
        ));
        assert_eq!(fold(quoted.as_str()), name);
        for statement in [
            format!("SELECT {quoted} FROM {quoted}"),
            format!("CREATE TABLE {quoted} ({quoted} int, CHECK ({quoted} > 0))"),
        ] {
            assert_eq!(
                check_syntax(&statement, SyntaxKind::Statement),
                [],
                "{statement}"
            );
        }
    }

    #[test]
    fn every_reserved_word_is_a_name_when_quoted() {
        for word in super::super::keywords::ALL {
            assert!(quote_ident(&Ident::new(*word)).as_str().starts_with('"'));
            reads_back(word);
        }
        for word in [
            "status", "name", "value", "type", "old", "data", "key", "id",
        ] {
            assert_eq!(quote_ident(&Ident::new(word)).as_str(), word);
        }
    }

    proptest::proptest! {
        // Nothing is written beside the sources: a case that fails is made a test by hand.
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

               #[test]
        fn names_read_back(name in "[a-zA-Z0-9_$\"' .é-]{1,20}") {
            reads_back(&name);
        }

        #[test]
        fn literals_read_back(text in "[ -~é\\n]{0,20}") {
            let quoted = literal(&text);
            let all = tokens(quoted.as_str());
            proptest::prop_assert_eq!(all.len(), 1);
            proptest::prop_assert!(all[0].terminated && all[0].kind == TokenKind::String);
            let body = quoted.as_str();
            let inner = &body[body.find('\'').unwrap_or(0) + 1..body.len() - 1];
            let inner = inner.replace("''", "'");
            let inner = match body.starts_with('E') {
                true => inner.replace("\\\\", "\\"),
                false => inner,
            };
            proptest::prop_assert_eq!(inner, text);
        }
    }
}
