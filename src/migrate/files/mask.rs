//! Blanking what is no SQL, byte for byte, so that everything else stays where it is.

use std::ops::Range;

use super::forms::Unread;
use crate::sql::{TokenKind, tokens};

/// A text without psql's meta commands and without the rows behind COPY … FROM stdin.
pub(super) fn mask(text: &str, unread: &mut Vec<Unread>) -> String {
    let mut out = text.to_owned();
    if text.contains('\u{feff}') && text.starts_with('\u{feff}') {
        blank(&mut out, 0..'\u{feff}'.len_utf8());
    }
    // Only a line that begins with a backslash can be one; what stands inside a string is not.
    if !text.lines().any(|line| line.starts_with('\\')) {
        return out;
    }
    let strings = inside_dollars(text);
    let mut at = 0;
    let mut rows: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.trim_end_matches(['\n', '\r']).len();
        at += line.len();
        let bare = &text[range.clone()];
        if let Some(start) = rows {
            if bare == "\\." {
                note(unread, start..range.end, "rows of COPY");
                rows = None;
            }
            blank(&mut out, range);
            continue;
        }
        if starts_copy(bare) {
            rows = Some(at);
            continue;
        }
        let is_command = bare
            .strip_prefix('\\')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!'));
        if is_command && !strings.iter().any(|string| string.contains(&range.start)) {
            note(unread, range.clone(), bare);
            blank(&mut out, range);
        }
    }
    out
}

/// Bodies between dollar quotes: there a backslash is a character like any other.
fn inside_dollars(text: &str) -> Vec<Range<usize>> {
    if !text.contains('$') {
        return Vec::new();
    }
    tokens(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::String && token.text(text).starts_with('$'))
        .filter(|token| token.terminated)
        .map(|token| token.range)
        .collect()
}

fn starts_copy(line: &str) -> bool {
    let words: Vec<String> = line
        .split_whitespace()
        .map(|word| word.trim_end_matches(';').to_ascii_lowercase())
        .collect();
    words.first().is_some_and(|word| word == "copy")
        && line.trim_end().ends_with(';')
        && words
            .windows(2)
            .any(|pair| pair[0] == "from" && pair[1] == "stdin")
}

fn note(unread: &mut Vec<Unread>, at: Range<usize>, text: &str) {
    unread.push(Unread {
        at,
        text: text.trim().to_owned(),
    });
}

/// Puts blanks over bytes; line breaks stay.
pub(super) fn blank(text: &mut String, range: Range<usize>) {
    let blanks: String = text[range.clone()]
        .bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect();
    text.replace_range(range, &blanks);
}
