//! A counterexample as data: everything that is needed to run it again, here or by another tool.

use std::collections::BTreeMap;

use super::evidence::Table;

/// What kind of race it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// As the literature calls it: `lost update`, `write skew`.
    pub name: String,
    /// How that shows in this counterexample, in one sentence.
    pub why: String,
}

/// Everything that is needed to run a race again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The design that was raced.
    pub design: ReplayDesign,
    /// Name of the invariant that breaks.
    pub invariant: String,
    /// `15.18`, as the server said it.
    pub server_version: String,
    /// From which states and arguments were made.
    pub seed: u64,
    /// Rows at the start, as stored; tables without rows are left out.
    pub rows: Vec<StoredRows>,
    /// Where sequences stood.
    pub sequences: Vec<StoredSequence>,
    /// Who does what, in the order of the columns of the timeline.
    pub sessions: Vec<ReplaySession>,
    /// Which session went on, step by step: `0 1 1 v0`, where `vN` says that a deadlock was ended by cancelling session N.
    pub choices: String,
    /// Every message as it was sent, with its values in place.
    pub steps: Vec<ReplayStep>,
    /// For rules that count lasting changes: what would have been right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effects: Option<ReplayEffects>,
    /// Where it was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Which design.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayDesign {
    /// Its name.
    pub name: String,
    /// File or folder, as given.
    pub path: String,
    /// Digest of its files.
    pub sha256: String,
}

/// The rows of one table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredRows {
    /// Schema.
    pub schema: String,
    /// Table.
    pub table: String,
    /// Those that are not generated.
    pub columns: Vec<String>,
    /// As text; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Where a sequence stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredSequence {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// The value that was given out last.
    pub last: i64,
    /// Whether it was given out already.
    pub called: bool,
}

/// Who runs a program.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunsAs {
    /// The owner of the tables.
    Owner,
    /// A role of the design.
    Role(String),
    /// Somebody whom no policy and no privilege stops.
    Superuser,
}

/// What one session does.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplaySession {
    /// `assign-case`, or what a single write does.
    pub title: String,
    /// The command of the design; absent for writes that are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The statements of writes that are no command; of a command, empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<String>,
    /// Who runs it.
    pub runs_as: RunsAs,
    /// `read committed`.
    pub isolation: String,
    /// Values of the command's parameters, as text; `None` is NULL.
    pub arguments: BTreeMap<String, Option<String>>,
    /// When its connection is lost, if it is; the client then sends the same request again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_lost: Option<ConnectionLost>,
}

/// When a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionLost {
    /// Before COMMIT reaches the server.
    BeforeCommit,
    /// After the server has committed, before the client hears of it.
    AfterCommit,
}

/// One message to the server.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayStep {
    /// Index into the sessions.
    pub session: usize,
    /// One statement or several.
    pub sql: String,
    /// It had to wait for another session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// SQLSTATE, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How lasting changes are judged.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayEffects {
    /// What one run changes, for each program that may be the one that runs.
    pub expected: Vec<Table>,
    /// Whether the programs ask for different things, so that at most one may succeed.
    pub rivals: bool,
}
