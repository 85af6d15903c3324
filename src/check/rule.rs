//! A rule as its file says it.

use serde::{Deserialize, Serialize};

use crate::finding::Severity;

/// What a rule looks at, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// The design as a whole.
    Design,
    /// A table.
    Table,
    /// A column of a table.
    Column,
    /// A foreign key of a table.
    Reference,
    /// A declared index of a table.
    Index,
    /// A catalogued query.
    Query,
    /// A piece of SQL: of a query, a step of a command, a view, a projection.
    Statement,
    /// An invariant.
    Invariant,
    /// A command.
    Command,
    /// A projection.
    Projection,
    /// A statement of an existing SQL migration; the facts about it are `found`.
    Migration,
}

impl SubjectKind {
    /// All.
    pub const ALL: [SubjectKind; 11] = [
        SubjectKind::Design,
        SubjectKind::Table,
        SubjectKind::Column,
        SubjectKind::Reference,
        SubjectKind::Index,
        SubjectKind::Query,
        SubjectKind::Statement,
        SubjectKind::Invariant,
        SubjectKind::Command,
        SubjectKind::Projection,
        SubjectKind::Migration,
    ];

    /// The word that rules use, for the subject and for its facts.
    pub fn word(self) -> &'static str {
        match self {
            SubjectKind::Design => "design",
            SubjectKind::Table => "table",
            SubjectKind::Column => "column",
            SubjectKind::Reference => "reference",
            SubjectKind::Index => "index",
            SubjectKind::Query => "query",
            SubjectKind::Statement => "statement",
            SubjectKind::Invariant => "invariant",
            SubjectKind::Command => "command",
            SubjectKind::Projection => "projection",
            SubjectKind::Migration => "migration",
        }
    }
}

/// A small design or migration, and how often the rule fires on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// How many findings of this rule.
    pub finds: usize,
    /// What the example shows.
    #[serde(default)]
    pub shows: String,
    /// The design; `pgproof:` and `design:` may be left out.
    #[serde(default)]
    pub design: String,
    /// SQL that ran in an earlier migration.
    #[serde(default)]
    pub earlier: String,
    /// The migration at hand.
    #[serde(default)]
    pub migration: String,
}

impl Example {
    /// The design as a file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (key, line) in [
            ("pgproof:", "pgproof: 1\n"),
            ("design:", "design: example\n"),
        ] {
            if !self.design.lines().any(|own| own.starts_with(key)) {
                text.push_str(line);
            }
        }
        text.push_str(&self.design);
        text
    }
}

/// A rule: what it finds, why that matters, and how it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique, kebab-case, the stem of its file; names the fault: "allow …".
    pub code: String,
    /// One line.
    pub title: String,
    /// What it looks at.
    pub on: SubjectKind,
    /// Weight, before the team's own levels.
    pub level: Severity,
    /// Version that brought it.
    pub since: String,
    /// Fires where this is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Fires where this function of the program says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin: Option<String>,
    /// Place that is shown: the subject's word, or a part of it (`column.type`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What is so: lower case, no final stop, `{{ facts }}` in it.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Why it matters.
    pub why: String,
    /// The failure that it prevents.
    pub prevents: String,
    /// Code of the program's rule that this one of the team stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Designs on which it fires, and on which it does not.
    #[serde(default)]
    pub examples: Vec<Example>,
}
