//! What the parser's complaints mean to the person who wrote the file.

use granit_parser::{ErrorKind, ScanError};

use super::fault::{Fault, SYNTAX, TOO_LARGE};
use super::span::{SourceId, Span};

/// Deepest nesting of a design. Real ones reach ten.
pub(super) const DEPTH: usize = 64;

const QUOTE: &str = "put the value in quotes";

/// The complaint in words, placed in the whole `text` of a source of which the part from byte `base` on was parsed.
pub(super) fn fault(error: &ScanError, id: SourceId, text: &str, base: usize) -> Fault {
    let at = base + error.marker().byte_offset().unwrap_or(0);
    let at = at.min(text.len());
    let width = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, |c| if c == '\n' { 0 } else { c.len_utf8() });
    let place = Span::new(id, at as u32, (at + width) as u32);
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(place);
    }
    if let Some(tab) = tab_in_indentation(text, at, error.kind()) {
        let place = Span::new(id, tab as u32, tab as u32 + 1);
        return Fault::new(SYNTAX, "YAML does not allow tabs for indentation", place)
            .help("indent with blanks; most editors can convert the whole file");
    }
    let mut place = place;
    if *error.kind() == ErrorKind::InvalidQuotedScalarIndent
        && let Some(quote) = opening_quote(&text[..at])
    {
        place = Span::new(id, quote as u32, quote as u32 + 1);
    }
    let (message, help) = words(error.kind(), &text[at..]);
    let fault = Fault::new(SYNTAX, message, place);
    match help {
        Some(help) => fault.help(help),
        None => fault,
    }
}

pub(super) fn too_deep(at: Span) -> Fault {
    Fault::new(TOO_LARGE, format!("nested deeper than {DEPTH} levels"), at)
        .help("a design needs about ten; look for brackets that were never closed")
}

/// The tab that indents the line around `at`, or, where the parser complains about tabs, a line after it.
fn tab_in_indentation(text: &str, at: usize, kind: &ErrorKind) -> Option<usize> {
    let is_about_tabs = matches!(
        kind,
        ErrorKind::TabInBlockIndentation
            | ErrorKind::TabNotAllowed
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar
    );
    let mut start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    for line in text[start..].split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        let is_blank = line.trim().is_empty();
        if let (false, Some(tab)) = (is_blank, line[..blanks].find('\t')) {
            return Some(start + tab);
        }
        if !is_about_tabs && !is_blank {
            return None;
        }
        start += line.len();
    }
    None
}

/// The last quote that could open a value.
fn opening_quote(text: &str) -> Option<usize> {
    text.char_indices()
        .rev()
        .filter(|(_, c)| matches!(c, '\'' | '"'))
        .map(|(at, _)| at)
        .find(|at| text[..*at].ends_with([' ', '[', '{', '\n']))
}

/// Message and help.
fn words(kind: &ErrorKind, rest: &str) -> (String, Option<String>) {
    use ErrorKind as K;
    let said = |message: &str, help: &str| (message.to_owned(), Some(help.to_owned()));
    match kind {
        K::MappingValueNotAllowed | K::InvalidMappingValueWhitespace => said(
            "a second `key: value` on this line",
            "a value that holds a colon and a blank needs quotes, or a block (`|`) on the next lines",
        ),
        K::SimpleKeyExpected | K::InvalidSimpleKey => said(
            "this line is no `key: value`",
            "put a colon and a blank after the key, or indent the line deeper if it goes on with the value above",
        ),
        K::ExpectedBlockMappingKey | K::InvalidIndentation | K::MappingKeyNotAllowed => said(
            "expected a key here",
            "give all keys of one mapping the same indentation",
        ),
        K::ExpectedBlockSequenceEntry
        | K::BlockSequenceEntryNotAllowed
        | K::BlockEntryInFlowCollection
        | K::InvalidBlockEntryWhitespace => said(
            "expected a list entry here, a dash and a blank",
            "give all dashes of one list the same indentation, and start no block list inside braces or brackets",
        ),
        K::ExpectedFlowMappingSeparator | K::UnexpectedEofFlowMapping => said(
            "expected `,` or `}` here",
            "close the brace; inside braces a value with a comma, a bracket or quotes in it must be in quotes itself",
        ),
        K::ExpectedFlowSequenceSeparator | K::UnexpectedEofFlowSequence => said(
            "expected `,` or `]` here",
            "close the bracket; inside brackets a value with a comma, a bracket or quotes in it must be in quotes itself",
        ),
        K::UnclosedFlowCollection { open } => said(
            &format!("this `{open}` is never closed"),
            "close it, or put the value in quotes",
        ),
        K::MismatchedFlowCollectionEnd { open, close } => {
            said(&format!("a `{open}` is closed by `{close}`"), QUOTE)
        }
        K::MisplacedFlowCollectionEnd => said(
            "a closing bracket without an opening one",
            "take it out, or put the value in quotes",
        ),
        K::UnclosedQuotedScalar | K::DocumentIndicatorInQuotedScalar => said(
            "this quote is never closed",
            "close it; in single quotes a quote is written twice, in double quotes after a backslash",
        ),
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => said(
            "text after a closing quote",
            "put the whole value in quotes; in single quotes a quote is written twice",
        ),
        K::UnknownQuotedScalarEscape => said(
            "no such escape in double quotes",
            "use single quotes where a backslash is meant as it is",
        ),
        K::InvalidQuotedScalarIndent | K::InvalidFlowScalarIndent => said(
            "this quote is not closed before the next key",
            "close it; further lines of a quoted value must be indented deeper than its key",
        ),
        K::InvalidBlockScalarIndent => said(
            "a line of this block is indented less than its first",
            "give all lines of the block at least the indentation of the first",
        ),
        K::InvalidBlockScalarHeader => said(
            "text after `|` or `>`",
            "start the text on the next line, indented",
        ),
        K::CommentInterceptedScalar => said(
            "a comment in the middle of a value",
            "put the value in quotes or in a block (`|`)",
        ),
        K::UnexpectedCharacter { character } if character.is_control() => said(
            &format!("a control character (U+{:04X})", *character as u32),
            "take it out; the file must be plain text",
        ),
        K::UnexpectedCharacter { .. } | K::UnexpectedEndOfPlainScalar => {
            let character = rest.chars().next().unwrap_or(' ');
            said(
                &format!("a value cannot start with `{character}` without quotes"),
                QUOTE,
            )
        }
        K::MissingAnchorOrAliasName => {
            said("a value cannot start with `*` or `&` without quotes", QUOTE)
        }
        K::InvalidDocumentEnd | K::ExpectedDocumentStart => said(
            "text after the end of the document",
            "keep one design in one file",
        ),
        other => (lower_first(&other.to_string()), None),
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => "this is no YAML".to_owned(),
    }
}
