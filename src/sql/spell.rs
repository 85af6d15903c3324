//! One spelling for what PostgreSQL spells in two.

use super::lex::{Token, TokenKind, tokens};

/// An expression as PostgreSQL writes it after it has read its own text back: a cast of an array literal stands at its elements. What ALTER TABLE builds
/// again, and what pg_dump carries over, is spelled so, and is the same as before. Likewise a literal that becomes `text` by way of `varchar`, as it does where
/// a column of the one type became one of the other.
pub fn settled(text: &str) -> String {
    literals(&arrays(text))
}

/// `('a'::character varying)::text` is `'a'::text`.
fn literals(text: &str) -> String {
    let all = tokens(text);
    let by_way = ["(", "", "::", "character", "varying", ")", "::", "text"];
    let mut out = String::with_capacity(text.len());
    let mut upto = 0;
    for found in all.windows(by_way.len()) {
        let [open, literal, .., last] = found else {
            continue;
        };
        let is_so = literal.kind == TokenKind::String
            && found
                .iter()
                .zip(by_way)
                .all(|(token, wanted)| wanted.is_empty() || token.text(text) == wanted);
        if is_so {
            out.push_str(&text[upto..open.range.start]);
            out.push_str(&format!("{}::text", literal.text(text)));
            upto = last.range.end;
        }
    }
    out.push_str(&text[upto..]);
    out
}

fn arrays(text: &str) -> String {
    let all = tokens(text);
    let mut out = String::with_capacity(text.len());
    let mut upto = 0;
    let mut at = 0;
    while at < all.len() {
        match cast_array(text, &all[at..]) {
            Some(found) => {
                out.push_str(&text[upto..all[at].range.start]);
                out.push_str("ARRAY[");
                for (number, element) in found.elements.iter().enumerate() {
                    if number > 0 {
                        out.push_str(", ");
                    }
                    out.push_str(&format!("({})::{}", arrays(element), found.of));
                }
                out.push(']');
                at += found.tokens;
                upto = all[at - 1].range.end;
            }
            None => at += 1,
        }
    }
    out.push_str(&text[upto..]);
    out
}

/// `(ARRAY[…])::type[]`.
struct CastArray<'t> {
    elements: Vec<&'t str>,
    of: &'t str,
    tokens: usize,
}

fn cast_array<'t>(text: &'t str, all: &[Token]) -> Option<CastArray<'t>> {
    let symbol = |at: usize, wanted: &str| all.get(at).filter(|t| t.is_symbol(text, wanted));
    symbol(0, "(")?;
    all.get(1).filter(|token| token.is(text, "array"))?;
    let mut from = symbol(2, "[")?.range.end;
    let mut elements = Vec::new();
    let mut depth = 1;
    let mut at = 3;
    while depth > 0 {
        let token = all.get(at)?;
        match token.text(text) {
            _ if token.kind != TokenKind::Symbol => {}
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            _ => {}
        }
        let ends = depth == 0 || (depth == 1 && token.is_symbol(text, ","));
        if ends {
            elements.push(text[from..token.range.start].trim());
            from = token.range.end;
        }
        at += 1;
    }
    symbol(at, ")")?;
    symbol(at + 1, "::")?;
    let first = at + 2;
    let is_name = |token: &&Token| {
        matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent) || token.is_symbol(text, ".")
    };
    let names = all[first..].iter().take_while(is_name).count();
    let after = first + names;
    symbol(after, "[")?;
    symbol(after + 1, "]")?;
    // An array of arrays is not one of elements.
    let is_plain = names > 0 && symbol(after + 2, "[").is_none() && !elements.contains(&"");
    is_plain.then(|| CastArray {
        elements,
        of: &text[all[first].range.start..all[after - 1].range.end],
        tokens: after + 2,
    })
}

#[cfg(test)]
mod tests {
    use super::settled;

    #[test]
    fn a_cast_of_an_array_stands_at_its_elements() {
        let told = "((a)::text = ANY ((ARRAY['x'::character varying, 'y, ]'::character varying])::text[]))";
        assert_eq!(
            settled(told),
            "((a)::text = ANY (ARRAY['x'::text, 'y, ]'::text]))"
        );
        let nested = "(ARRAY[f(b, ARRAY[1])])::character varying[]";
        assert_eq!(
            settled(nested),
            "ARRAY[(f(b, ARRAY[1]))::character varying]"
        );
        assert_eq!(settled(&settled(told)), settled(told));
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "('a'::character varying(1))::text",
            "((a)::character varying)::text",
            "f('a'::character varying)",
            "(a = ANY (ARRAY['x'::text, 'y'::text]))",
            "(ARRAY[]::text[])",
            "((ARRAY[a])::text)",
            "(ARRAY[[1], [2]])::bigint[][]",
            "(ARRAY[a",
            "",
        ] {
            assert_eq!(settled(text), text);
        }
    }
}
