//! PostgreSQL's lexical structure, as far as finding parameters, statements and comments asks for it.
//!
//! Own code, because `:name` is no token of PostgreSQL: a lexer that does not know it cannot tell it from a cast or a slice.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Keyword or unquoted name.
    Word,
    /// `"name"`, `U&"name"`.
    QuotedIdent,
    /// Every kind of string: `''`, `E''`, `U&''`, `N''`, `B''`, `X''`, `$$ $$`.
    String,
    /// A number.
    Number,
    /// `:name`, `:capture.column`.
    Param,
    /// `$1`.
    Positional,
    /// A run of operator characters.
    Operator,
    /// One of `( ) [ ] , ; . :`, or `::`, `:=`, `..`.
    Symbol,
    /// A line comment, or a block comment with all that is nested in it.
    Comment,
    /// A character that starts no token.
    Unknown,
}

/// A token with its place. Whitespace is left out, comments are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Bytes in the text.
    pub range: Range<usize>,
    /// False for a string, quoted name or block comment that runs into the end of the text.
    pub terminated: bool,
}

impl Token {
    /// Its characters.
    pub fn text<'a>(&self, of: &'a str) -> &'a str {
        &of[self.range.clone()]
    }

    /// Whether it is this keyword; `word` in lower case.
    pub fn is(&self, of: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(of).eq_ignore_ascii_case(word)
    }

    /// Whether it is this symbol.
    pub fn is_symbol(&self, of: &str, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text(of) == symbol
    }

    /// What stands between dollar quotes: its bytes in the same text.
    pub fn dollar_quoted(&self, of: &str) -> Option<Range<usize>> {
        if self.kind != TokenKind::String || !self.terminated {
            return None;
        }
        let quote = self.text(of).strip_prefix('$')?.find('$')? + 2;
        Some(self.range.start + quote..self.range.end - quote)
    }
}

/// The tokens of a text. Never fails: what is no token is [`TokenKind::Unknown`].
pub fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        tokens: Vec::new(),
        brackets: Vec::new(),
    };
    lexer.run();
    lexer.tokens
}

/// An unquoted name as the catalog stores it; a quoted one without its quotes.
pub fn fold(name: &str) -> String {
    match name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => name.to_ascii_lowercase(),
    }
}

/// Comments that a planner-hint extension would read (`/*+ … */`).
pub fn hints(text: &str) -> Vec<Range<usize>> {
    tokens(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::Comment && token.text(text).starts_with("/*+"))
        .map(|token| token.range)
        .collect()
}

const OPERATOR: &[u8] = b"+-*/<>=~!@#%^&|`?";

/// After these a colon starts a parameter also inside brackets.
const OPERATOR_WORDS: &[&str] = &[
    "and", "or", "not", "in", "is", "like", "ilike", "between", "then", "else", "when", "case",
];

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    /// Open `(` and `[`.
    brackets: Vec<u8>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.peek(0) {
            if matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
                self.at += 1;
                continue;
            }
            let start = self.at;
            let (kind, terminated) = self.token(byte);
            if self.at == start {
                self.at += self.text[start..].chars().next().map_or(1, char::len_utf8);
            }
            self.tokens.push(Token {
                kind,
                range: start..self.at,
                terminated,
            });
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn token(&mut self, byte: u8) -> (TokenKind, bool) {
        let next = self.peek(1);
        match byte {
            b'-' if next == Some(b'-') => {
                self.skip_line();
                (TokenKind::Comment, true)
            }
            b'/' if next == Some(b'*') => (TokenKind::Comment, self.block_comment()),
            b'\'' => (TokenKind::String, self.quoted(b'\'', false)),
            b'"' => (TokenKind::QuotedIdent, self.quoted(b'"', false)),
            b'$' => self.dollar(),
            b'0'..=b'9' => (TokenKind::Number, self.number()),
            b'.' if next.is_some_and(|b| b.is_ascii_digit()) => (TokenKind::Number, self.number()),
            b'.' if next == Some(b'.') => self.symbol(2),
            b':' => self.colon(),
            b'(' | b'[' => {
                self.brackets.push(byte);
                self.symbol(1)
            }
            b')' | b']' => {
                self.brackets.pop();
                self.symbol(1)
            }
            b',' | b';' | b'.' => self.symbol(1),
            _ if is_name_start(byte) => self.word(byte),
            _ if OPERATOR.contains(&byte) => self.operator(),
            _ => (TokenKind::Unknown, true),
        }
    }

    fn symbol(&mut self, length: usize) -> (TokenKind, bool) {
        self.at += length;
        (TokenKind::Symbol, true)
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|b| b != b'\n' && b != b'\r') {
            self.at += 1;
        }
    }

    fn block_comment(&mut self) -> bool {
        let mut depth = 0usize;
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return true;
                    }
                }
                _ => self.at += 1,
            }
        }
        false
    }

    /// From the opening quote on; a doubled quote stands for itself.
    fn quoted(&mut self, quote: u8, backslash: bool) -> bool {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            if byte == b'\\' && backslash {
                self.at = (self.at + 1).min(self.bytes.len());
            } else if byte == quote {
                if self.peek(0) != Some(quote) {
                    return true;
                }
                self.at += 1;
            }
        }
        // A backslash before a multibyte character may have left the place inside it.
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        false
    }

    fn dollar(&mut self) -> (TokenKind, bool) {
        let rest = &self.bytes[self.at + 1..];
        if rest.first().is_some_and(u8::is_ascii_digit) {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            self.at += 1 + digits;
            return (TokenKind::Positional, true);
        }
        let tag = rest
            .iter()
            .take_while(|b| is_name_start(**b) || b.is_ascii_digit())
            .count();
        if rest.get(tag) != Some(&b'$') {
            return (TokenKind::Unknown, true);
        }
        let fence = &self.text[self.at..self.at + tag + 2];
        let body = self.at + fence.len();
        match self.text[body..].find(fence) {
            Some(end) => {
                self.at = body + end + fence.len();
                (TokenKind::String, true)
            }
            None => {
                self.at = self.bytes.len();
                (TokenKind::String, false)
            }
        }
    }

    fn number(&mut self) -> bool {
        let digits = |lexer: &mut Self| {
            while lexer
                .peek(0)
                .is_some_and(|b| b.is_ascii_digit() || b == b'_')
            {
                lexer.at += 1;
            }
        };
        if self.peek(0) == Some(b'0') && self.peek(1).is_some_and(|b| b"xXoObB".contains(&b)) {
            self.at += 2;
            while self
                .peek(0)
                .is_some_and(|b| b.is_ascii_hexdigit() || b == b'_')
            {
                self.at += 1;
            }
            return true;
        }
        digits(self);
        if self.peek(0) == Some(b'.') && self.peek(1) != Some(b'.') {
            self.at += 1;
            digits(self);
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if self.peek(1 + sign).is_some_and(|b| b.is_ascii_digit()) {
                self.at += 1 + sign;
                digits(self);
            }
        }
        true
    }

    fn word(&mut self, first: u8) -> (TokenKind, bool) {
        match (first, self.peek(1), self.peek(2)) {
            (b'e' | b'E', Some(b'\''), _) => {
                self.at += 1;
                return (TokenKind::String, self.quoted(b'\'', true));
            }
            (b'n' | b'N' | b'b' | b'B' | b'x' | b'X', Some(b'\''), _) => {
                self.at += 1;
                return (TokenKind::String, self.quoted(b'\'', false));
            }
            (b'u' | b'U', Some(b'&'), Some(b'\'')) => {
                self.at += 2;
                return (TokenKind::String, self.quoted(b'\'', false));
            }
            (b'u' | b'U', Some(b'&'), Some(b'"')) => {
                self.at += 2;
                return (TokenKind::QuotedIdent, self.quoted(b'"', false));
            }
            _ => {}
        }
        while self
            .peek(0)
            .is_some_and(|b| is_name_start(b) || b.is_ascii_digit() || b == b'$')
        {
            self.at += 1;
        }
        (TokenKind::Word, true)
    }

    fn operator(&mut self) -> (TokenKind, bool) {
        while let Some(byte) = self.peek(0) {
            let comment = matches!(
                (byte, self.peek(1)),
                (b'-', Some(b'-')) | (b'/', Some(b'*'))
            );
            if comment || !OPERATOR.contains(&byte) {
                break;
            }
            self.at += 1;
        }
        (TokenKind::Operator, true)
    }

    fn colon(&mut self) -> (TokenKind, bool) {
        match self.peek(1) {
            Some(b':' | b'=') => self.symbol(2),
            Some(byte) if is_name_start(byte) && self.starts_param() => {
                self.at += 1;
                self.name();
                if self.peek(0) == Some(b'.') && self.peek(1).is_some_and(is_name_start) {
                    self.at += 1;
                    self.name();
                }
                (TokenKind::Param, true)
            }
            _ => self.symbol(1),
        }
    }

    fn name(&mut self) {
        while self
            .peek(0)
            .is_some_and(|b| is_name_start(b) || b.is_ascii_digit())
        {
            self.at += 1;
        }
    }

    /// Whether a colon before a name starts a parameter. After a complete operand it cannot: there it ends the lower bound of
    /// a slice (`a[1:n]`) or a JSON key (`'k':v`).
    fn starts_param(&self) -> bool {
        let Some(previous) = self
            .tokens
            .iter()
            .rev()
            .find(|token| token.kind != TokenKind::Comment)
        else {
            return true;
        };
        let text = previous.text(self.text);
        match previous.kind {
            TokenKind::Word if self.brackets.last() == Some(&b'[') => OPERATOR_WORDS
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word)),
            TokenKind::Symbol => !matches!(text, ")" | "]"),
            TokenKind::Word | TokenKind::Operator | TokenKind::Unknown => true,
            _ => false,
        }
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Vec<&str> {
        tokens(text)
            .iter()
            .filter(|token| token.kind == TokenKind::Param)
            .map(|token| token.text(text))
            .collect()
    }

    #[test]
    fn parameters_are_told_from_everything_that_looks_like_one() {
        for text in [
            "SELECT ':a', E'\\':a', \":a\", $$:a$$, $q$ $$ :a $q$, U&':a', N':a'",
            "SELECT 1 -- :a\n/* :a /* :a */ :a */",
            "SELECT a::int, b ::text, c:: date",
            "SELECT a[1:2], a[i:n], a[f(x):n], b[:2], (a)[1:n]",
            "CALL f(a := 1)",
            "SELECT json_object('k':v, 'l' :w)",
            "SELECT a$1 FROM t$:",
        ] {
            assert_eq!(params(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn parameters_are_found() {
        for (text, expected) in [
            ("a=:a", vec![":a"]),
            ("a>= :a::int", vec![":a"]),
            ("ARRAY[:a, :b]", vec![":a", ":b"]),
            ("x[:a]", vec![":a"]),
            ("x[:a : :b]", vec![":a", ":b"]),
            ("x[CASE WHEN :a THEN 1 END]", vec![":a"]),
            ("LIMIT :limit OFFSET(:o)", vec![":limit", ":o"]),
            (
                ":found.col + :found.col.x",
                vec![":found.col", ":found.col"],
            ),
            ("SELECT/* c */:a", vec![":a"]),
            ("-:a", vec![":a"]),
            ("'k' || :é", vec![":é"]),
        ] {
            assert_eq!(params(text), expected, "{text}");
        }
    }

    #[test]
    fn unterminated_tokens_say_so() {
        for text in ["'a", "E'a\\'", "\"a", "$$a$", "/* /* */", "E'\\é"] {
            let all = tokens(text);
            assert!(!all[0].terminated, "{text}");
            assert_eq!(all[0].range.end, text.len());
        }
    }

    #[test]
    fn hints_are_found() {
        assert_eq!(
            hints("/*+ SeqScan(t) */ SELECT '/*+ x */' /* + */"),
            vec![0..17]
        );
    }

    proptest::proptest! {
        // Nothing is written beside the sources: a case that fails is made a test by hand.
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

               #[test]
        fn every_byte_but_whitespace_is_in_a_token(text in "[ -~é\\n]{0,40}") {
            let mut at = 0;
            for token in tokens(&text) {
                proptest::prop_assert!(text[at..token.range.start].trim().is_empty());
                proptest::prop_assert!(token.range.start < token.range.end);
                at = token.range.end;
            }
            proptest::prop_assert!(text[at..].trim().is_empty());
        }
    }
}
