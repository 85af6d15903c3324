//! Which defaults give each row a value of its own.
//!
//! `ADD COLUMN … DEFAULT` with a stable or immutable expression keeps one value in the catalog (`pg_attribute.attmissingval`); with a volatile one it writes the table.

use crate::sql::{SqlText, TokenKind, tokens};

/// Functions of PostgreSQL that are stable or immutable and common in defaults. Any other call is taken for volatile: a step too many, never a rewrite.
const STEADY: [&str; 24] = [
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "current_setting",
    "current_schema",
    "current_database",
    "to_char",
    "to_timestamp",
    "to_date",
    "date_trunc",
    "date_part",
    "make_interval",
    "make_date",
    "coalesce",
    "lower",
    "upper",
    "md5",
    "concat",
    "numrange",
    "tstzrange",
    "daterange",
    "int4range",
    "jsonb_build_object",
    "jsonb_build_array",
];

/// Types may stand before a parenthesis as well: `numeric(10,2)`.
const TYPES: [&str; 10] = [
    "numeric",
    "decimal",
    "varchar",
    "char",
    "character",
    "varying",
    "timestamp",
    "timestamptz",
    "time",
    "interval",
];

pub(super) fn is_volatile(expression: &SqlText) -> bool {
    let text = expression.as_str();
    let all = tokens(text);
    all.windows(2).any(|pair| {
        let name = pair[0].text(text).to_ascii_lowercase();
        pair[0].kind == TokenKind::Word
            && pair[1].is_symbol(text, "(")
            && !STEADY.contains(&name.as_str())
            && !TYPES.contains(&name.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_steady_is() {
        for steady in [
            "now()",
            "'x'::varchar(10)",
            "CURRENT_TIMESTAMP",
            "0",
            "now() + interval '1 day'",
        ] {
            assert!(!is_volatile(&SqlText::authored(steady)), "{steady}");
        }
        for volatile in [
            "gen_random_uuid()",
            "clock_timestamp()",
            "my_function(1)",
            "nextval('s')",
        ] {
            assert!(is_volatile(&SqlText::authored(volatile)), "{volatile}");
        }
    }
}
