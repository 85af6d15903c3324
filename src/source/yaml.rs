//! YAML text to a node tree in which every key and value has its place.
//!
//! Start with [`read`]. The file may come from a stranger: bytes, levels, nodes and copies made by aliases are bounded.

use super::fault::{Fault, SYNTAX, TOO_LARGE};
use super::map::SourceMap;
use super::node::{Entry, Node, NodeKind};
use super::span::{SourceId, Span};
use super::tree::{Budget, Builder, without_duplicates};

/// Largest file in bytes.
pub const FILE_SIZE: u64 = 10 * 1024 * 1024;

/// What a file came to.
#[derive(Debug)]
pub struct Parsed {
    /// The tree. Where the syntax is at fault, as much of it as could be read: whole top-level sections.
    pub root: Option<Node>,
    /// Everything that is wrong, in the order of the text.
    pub faults: Vec<Fault>,
    /// Whether `root` is all there is in the file.
    pub is_whole: bool,
}

/// The tree of a file, or everything that is wrong with it.
pub fn parse(map: &SourceMap, id: SourceId) -> Result<Node, Vec<Fault>> {
    let parsed = read(map, id);
    match parsed.root {
        Some(root) if parsed.faults.is_empty() => Ok(root),
        _ => Err(parsed.faults),
    }
}

/// Reads a file as far as it goes. A fault in the syntax of one top-level section does not hide those of the others.
pub fn read(map: &SourceMap, id: SourceId) -> Parsed {
    let text = map.text(id);
    if let Some(fault) = unfit(text, id) {
        return Parsed {
            root: None,
            faults: vec![fault],
            is_whole: false,
        };
    }
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut builder = Builder::new(text, id, start, text.len());
    let root = builder.document();
    if builder.is_sound {
        return Parsed {
            root,
            faults: sorted(builder.faults),
            is_whole: !builder.has_more,
        };
    }
    by_sections(text, id, start, builder.faults)
}

fn sorted(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by_key(|fault| fault.at.start);
    faults
}

/// Why a text is not even looked at.
fn unfit(text: &str, id: SourceId) -> Option<Fault> {
    let whole = Span::new(id, 0, 0);
    if text.len() as u64 > FILE_SIZE {
        let size = text.len() as u64 / 1024 / 1024;
        let message = format!("the file has {size} MB, more than the 10 MB a design may have");
        return Some(
            Fault::new(TOO_LARGE, message, whole)
                .help("a design holds no data; split it into a folder with one file per section"),
        );
    }
    if let Some(at) = text.find(is_binary) {
        let found = text[at..].chars().next().unwrap_or('\0');
        let place = Span::new(id, at as u32, (at + found.len_utf8()) as u32);
        let code = found as u32;
        let message = format!("the file is not text: it holds a control character (U+{code:04X})");
        return Some(Fault::new(SYNTAX, message, place).help("save the file as UTF-8 text"));
    }
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let message = match lines.clone().all(str::is_empty) {
        true => "the file is empty",
        false if lines.all(|line| line.is_empty() || line.starts_with('#') || line == "---") => {
            "the file holds nothing but comments"
        }
        false => return None,
    };
    Some(
        Fault::new(SYNTAX, message, whole)
            .help("start with `pgproof: 1` and `design: NAME`, or let `pgproof new NAME` write a first design"),
    )
}

/// Characters that no text file has.
fn is_binary(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')
}

/// Reads each top-level section by itself. Their faults replace those of the whole, which may only be consequences; where
/// they have none, the whole's stay.
fn by_sections(text: &str, id: SourceId, start: usize, whole: Vec<Fault>) -> Parsed {
    let mut faults = Vec::new();
    let mut entries = Vec::<Entry>::new();
    let mut is_broken = false;
    let mut spent = Budget::default();
    for (from, to) in sections(text, start) {
        let mut builder = Builder::new(text, id, from, to);
        builder.is_part = true;
        builder.spent = spent;
        let root = builder.document();
        spent = builder.spent;
        is_broken |= !builder.is_sound;
        faults.append(&mut builder.faults);
        if let (true, Some(Node { kind, .. })) = (builder.is_sound, root)
            && let NodeKind::Mapping(found) = kind
        {
            entries.extend(found);
        }
    }
    if !is_broken || entries.is_empty() {
        return Parsed {
            root: None,
            faults: sorted(if is_broken { faults } else { whole }),
            is_whole: false,
        };
    }
    let at = Span::new(id, start as u32, text.len() as u32);
    let entries = without_duplicates(entries, &mut faults);
    Parsed {
        root: Some(Node {
            at,
            kind: NodeKind::Mapping(entries),
        }),
        faults: sorted(faults),
        is_whole: false,
    }
}

/// Byte ranges that start with a key in the first column; what comes before the first belongs to it.
fn sections(text: &str, start: usize) -> Vec<(usize, usize)> {
    let mut starts = Vec::new();
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        let name = line.len()
            - line
                .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-')
                .len();
        let after = &line[name..];
        if name > 0 && after.starts_with(':') && after[1..].starts_with([' ', '\t', '\r', '\n']) {
            starts.push(at);
        }
        at += line.len();
    }
    if let Some(first) = starts.first_mut() {
        *first = start;
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).collect()
}
