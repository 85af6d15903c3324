//! What is said of migrations.

use std::collections::BTreeMap;
use std::ops::Range;

/// Facts that every rule about migrations can use in its words, as `found.NAME`.
pub const FACTS: &[&str] = &["what", "table", "lock", "waits", "more", "instead"];

/// Something is wrong with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Code of the rule.
    pub code: &'static str,
    /// Index of its file.
    pub file: usize,
    /// Its bytes in the file.
    pub at: Range<usize>,
    /// What is done: `adding column z`.
    pub what: String,
    /// The table it is about.
    pub table: String,
    /// The lock that is held meanwhile, in PostgreSQL's words.
    pub lock: String,
    /// Who waits, in plain words.
    pub waits: String,
    /// What else is to be said.
    pub more: String,
    /// The safe way, as SQL or in words.
    pub instead: String,
}

impl Fault {
    /// Placeholders as they are written, where words stand for them.
    pub(super) fn fill(&mut self, placeholders: &BTreeMap<String, String>) {
        if placeholders.is_empty() {
            return;
        }
        for text in [
            &mut self.what,
            &mut self.table,
            &mut self.more,
            &mut self.instead,
        ] {
            let mut out = String::new();
            let is_apart = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            for piece in text.split_inclusive(is_apart) {
                let word = piece.trim_end_matches(is_apart);
                let written = placeholders.get(&word.to_ascii_lowercase());
                out.push_str(written.map_or(word, String::as_str));
                out.push_str(&piece[word.len()..]);
            }
            *text = out;
        }
    }

    /// The facts by their names.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let values = [
            &self.what,
            &self.table,
            &self.lock,
            &self.waits,
            &self.more,
            &self.instead,
        ];
        FACTS
            .iter()
            .copied()
            .zip(values.into_iter().cloned())
            .collect()
    }
}

/// A fault that the file itself says is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The fault.
    pub fault: Fault,
    /// Why it is allowed.
    pub because: String,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linted {
    /// In the order of files and places.
    pub faults: Vec<Fault>,
    /// Faults that are allowed where they stand.
    pub allowed: Vec<Allowed>,
    /// Statements that were looked at.
    pub statements: usize,
    /// What was not looked at, or not to the end: file, place, reason.
    pub unknown: Vec<(usize, Range<usize>, String)>,
}

/// What the migrations run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Major version of the server.
    pub version: u16,
    /// Whether the files are all there are: a table that none of them makes does not exist.
    pub is_whole: bool,
    /// Files before this version have run already: they are followed, and nothing is said of them.
    pub since: Option<String>,
}
