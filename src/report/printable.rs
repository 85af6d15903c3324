//! Text from a design or a server, made harmless for a terminal.

use std::borrow::Cow;

/// The text with control and direction-changing characters replaced, byte for byte: a design is untrusted, and must not be
/// able to move the cursor, clear the screen or reverse a line. Line ends stay; a replacement has as many bytes as what it
/// replaces, so that spans into the text stay right.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_line = c == '\r' && chars.peek() == Some(&'\n');
        if ends_line || !is_harmful(c) {
            out.push(c);
            continue;
        }
        match c.len_utf8() {
            1 => out.push('?'),
            2 => out.push('\u{b7}'),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Cow::Owned(out)
}

fn is_harmful(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{feff}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_power_and_keep_their_length() {
        let text = "a\u{1b}[2Jb\u{9b}c\u{202e}d\ne";
        let safe = printable(text);
        assert_eq!(safe, "a?[2Jb\u{b7}c\u{fffd}d\ne");
        assert_eq!(safe.len(), text.len());
    }

    #[test]
    fn a_carriage_return_stays_only_at_the_end_of_a_line() {
        assert_eq!(printable("a\r\nb\rc"), "a\r\nb?c");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(printable("größe → 1"), Cow::Borrowed(_)));
    }
}
