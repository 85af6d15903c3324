//! One spelling for what PostgreSQL spells in two.

use super::lex::{Token, TokenKind, tokens};

/// An expression as PostgreSQL writes it after it has read its own text back: a cast of an array literal stands at its elements. What ALTER TABLE builds
/// again, and what pg_dump carries over, is spelled so, and is the same as before. Likewise a literal that becomes `text` by way of `varchar`, or the other way
/// round, as it does where a column of the one type became one of the other.
pub fn settled(text: &str) -> String {
    let mut told = arrays(text);
    // There, and back, and there again.
    loop {
        let shorter = literals(&told);
        if shorter.len() == told.len() {
            return told;
        }
        told = shorter;
    }
}

/// `('a'::character varying)::text` is `'a'::text`, and the other way round.
fn literals(text: &str) -> String {
    const VARCHAR: &[&str] = &["character", "varying"];
    const TEXT: &[&str] = &["text"];
    let all = tokens(text);
    let mut out = String::with_capacity(text.len());
    let (mut upto, mut at) = (0, 0);
    while at < all.len() {
        let to = [(VARCHAR, TEXT), (TEXT, VARCHAR)]
            .into_iter()
            .find_map(|(by, to)| Some((to, twice_cast(text, &all[at..], (by, to))?)));
        let Some((to, count)) = to else {
            at += 1;
            continue;
        };
        out.push_str(&text[upto..all[at].range.start]);
        out.push_str(all[at + 1].text(text));
        out.push_str("::");
        out.push_str(&to.join(" "));
        at += count;
        upto = all[at - 1].range.end;
    }
    out.push_str(&text[upto..]);
    out
}

/// How many tokens a literal has that becomes one type by way of another, neither with a length.
fn twice_cast(text: &str, all: &[Token], (by, to): (&[&str], &[&str])) -> Option<usize> {
    let before = ["(", "", "::"].into_iter().chain(by.iter().copied());
    let wanted: Vec<&str> = before
        .chain([")", "::"])
        .chain(to.iter().copied())
        .collect();
    let is = |(at, wanted): (usize, &&str)| {
        let token = all.get(at);
        token.is_some_and(|token| match at {
            1 => token.kind == TokenKind::String,
            _ => token.text(text) == *wanted,
        })
    };
    let is_cut = all.get(wanted.len()).map(|next| next.text(text)) == Some("(");
    (!is_cut && wanted.iter().enumerate().all(is)).then_some(wanted.len())
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
    fn a_literal_has_the_type_that_it_comes_to() {
        let there = "coalesce(a, ('x'::character varying)::text) || ('y'::character varying)::text";
        assert_eq!(settled(there), "coalesce(a, 'x'::text) || 'y'::text");
        let back = "coalesce(a, ((''::character varying)::text)::character varying)";
        assert_eq!(settled(back), "coalesce(a, ''::character varying)");
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "('a'::character varying(1))::text",
            "('ab'::text)::character varying(1)",
            "((a)::text)::character varying",
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
