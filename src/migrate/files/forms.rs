//! What is known of migration files.

use std::collections::BTreeMap;
use std::ops::Range;

use super::tool::Tool;

/// A text with the name of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As messages show it, `/` between folders.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// All migrations of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrations {
    /// Whose files they are.
    pub tool: Tool,
    /// In the order in which the tool would run them.
    pub files: Vec<MigrationFile>,
    /// Files that are no migrations, or of which nothing can be read, and why.
    pub notes: Vec<String>,
    /// What the tool fills in, as it is written (`${name}`, `:name`), by the word that stands in its place in the statements.
    pub placeholders: BTreeMap<String, String>,
}

/// One file. The statements that take it back may come from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationFile {
    /// Path, as given.
    pub path: String,
    /// Whose file it is.
    pub tool: Tool,
    /// What the tool knows it by: `1.2`, `20240101120000`; the name where there is no version.
    pub version: String,
    /// What runs forward.
    pub up: Vec<Statement>,
    /// What takes it back; empty where nothing is said.
    pub down: Vec<Statement>,
    /// Path of the file in which `down` stands.
    pub down_path: String,
    /// Lines that are no SQL and were passed over.
    pub unread: Vec<Unread>,
}

/// What is done around the statements of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// All are in one transaction of the tool's.
    Transaction,
    /// Each is its own, unless the file says BEGIN.
    Each,
    /// All are sent as one message: several are one transaction.
    Message,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its text, without the semicolon.
    pub sql: String,
    /// Its bytes in the file.
    pub at: Range<usize>,
    /// Whether the tool runs it inside a transaction. What BEGIN and COMMIT in the file say comes on top.
    pub transactional: bool,
    /// Statements of one unit are in one transaction, where they are in any: a file, a changeset.
    pub unit: usize,
}

/// A line that is no SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its bytes in the file.
    pub at: Range<usize>,
    /// What it is: `\i other.sql`.
    pub text: String,
}
