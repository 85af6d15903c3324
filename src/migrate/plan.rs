//! The plan as data: ordered steps, each with what it does, what it costs and how to go back.

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::catalog::ObjectPath;
use crate::sql::{Ident, QualifiedName, SqlText};

/// What a step is there for. Later phases come later; an application version works in some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// New objects beside the old ones; what old programs write stays allowed.
    Expand,
    /// Old rows get into new columns and tables.
    Backfill,
    /// New rules are shown to hold for all rows.
    Validate,
    /// New objects take the place of old ones.
    Switch,
    /// Old objects go.
    Contract,
}

impl Phase {
    /// In order.
    pub const ALL: [Phase; 5] = [
        Phase::Expand,
        Phase::Backfill,
        Phase::Validate,
        Phase::Switch,
        Phase::Contract,
    ];

    /// As in a file name.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Expand => "expand",
            Phase::Backfill => "backfill",
            Phase::Validate => "validate",
            Phase::Switch => "switch",
            Phase::Contract => "contract",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What somebody has to know, and accept by name, before a step is run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hazard {
    /// Which kind.
    pub kind: HazardKind,
    /// `table` or `table.column`.
    pub subject: String,
    /// What happens, and to whom.
    pub text: String,
}

impl Hazard {
    /// As it is accepted: `rewrite:orders`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.kind.word(), self.subject)
    }
}

/// Kinds of hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HazardKind {
    /// Rows or values are gone afterwards.
    DataLoss,
    /// The whole table is written anew under ACCESS EXCLUSIVE.
    Rewrite,
    /// The whole table is read, or an index built, while writers wait.
    Stop,
    /// Rows that exist get no value, so a later step fails unless somebody writes one.
    NoValue,
    /// Programs of the old version fail from here on.
    BreaksOld,
}

impl HazardKind {
    /// As it is accepted.
    pub fn word(self) -> &'static str {
        match self {
            HazardKind::DataLoss => "data-loss",
            HazardKind::Rewrite => "rewrite",
            HazardKind::Stop => "stop",
            HazardKind::NoValue => "no-value",
            HazardKind::BreaksOld => "breaks-old",
        }
    }
}

/// A statement of a step or of its reverse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Without the semicolon.
    pub sql: SqlText,
    /// Whether it refuses to run in a transaction.
    pub alone: bool,
}

impl Part {
    /// Runs in a transaction.
    pub fn new(sql: SqlText) -> Part {
        Part { sql, alone: false }
    }

    /// Runs by itself.
    pub fn alone(sql: SqlText) -> Part {
        Part { sql, alone: true }
    }
}

/// Parts that run together: those in one transaction, or one that runs by itself.
pub fn groups(parts: &[Part]) -> Vec<&[Part]> {
    let mut out = Vec::new();
    let mut rest = parts;
    while let Some(first) = rest.first() {
        let count = if first.alone {
            1
        } else {
            rest.iter().take_while(|part| !part.alone).count()
        };
        let (group, after) = rest.split_at(count);
        out.push(group);
        rest = after;
    }
    out
}

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reverse {
    /// By these statements.
    Parts(Vec<Part>),
    /// Not at all, and why.
    ForwardOnly(String),
}

/// Rows that are written in chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backfill {
    /// The table whose keys are walked.
    pub table: QualifiedName,
    /// Rows at a time.
    pub chunk: i64,
    /// Milliseconds between chunks.
    pub pause_ms: u64,
    /// Whether it walks a table along its key by itself; else the design's own statement says how far a chunk goes.
    pub is_walk: bool,
    /// The one column that it fills, where it is one.
    #[serde(skip)]
    pub column: Option<Ident>,
    /// The key of its row in the progress table.
    pub progress: String,
    /// The statement that starts it, to be run outside a transaction; may be called again at any time and goes on where it was.
    pub call: SqlText,
}

/// How a step goes about locks and transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// In one transaction, with a short `lock_timeout`: tried again until nobody is in the way.
    Transaction,
    /// By itself, waiting as long as it must: it holds nobody up.
    Alone,
    /// In chunks, each a transaction of its own.
    Chunks,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its place: 1, 2, 3 …
    pub number: usize,
    /// What it is there for.
    pub phase: Phase,
    /// What it does, in one line: `add column order.note`.
    pub title: String,
    /// Why it is done this way, where that is not plain.
    pub because: Option<&'static str>,
    /// The objects that differ and ask for it.
    pub causes: Vec<ObjectPath>,
    /// What to run. All in one transaction, or one statement by itself.
    pub parts: Vec<Part>,
    /// How to take it back.
    pub reverse: Reverse,
    /// What to run first when an earlier try failed half-way: an invalid index that was left behind.
    pub resume: Vec<Part>,
    /// A query that returns the rows that stand in the way, or that show that the step has not done its work. None is good.
    pub check: Option<SqlText>,
    /// What has to be accepted.
    pub hazards: Vec<Hazard>,
    /// Whether it shows that two places hold the same.
    pub is_parity: bool,
    /// Whether it has to see rows that forced row-level security hides from the owner: it is run as a role that may do what the owner may, with BYPASSRLS.
    pub past_policies: bool,
    /// Each table that somebody may have to wait for: lock, how long, who waits.
    pub locks: Vec<String>,
    /// Set for the steps that write rows in chunks.
    pub backfill: Option<Backfill>,
}

impl Step {
    /// How it is run.
    pub fn manner(&self) -> Manner {
        match (&self.backfill, self.is_transactional()) {
            (Some(_), _) => Manner::Chunks,
            (None, true) => Manner::Transaction,
            (None, false) => Manner::Alone,
        }
    }

    /// What tells it from another step: everything that is run, forward and back.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update(text.as_bytes());
            hash.update([0]);
        };
        add(self.phase.word());
        add(&self.title);
        let parts = |parts: &[Part], add: &mut dyn FnMut(&str)| {
            for part in parts {
                add(if part.alone { "alone" } else { "" });
                add(part.sql.as_str());
            }
            add("");
        };
        parts(&self.resume, &mut add);
        parts(&self.parts, &mut add);
        match &self.reverse {
            Reverse::Parts(back) => parts(back, &mut add),
            Reverse::ForwardOnly(_) => add("forward only"),
        }
        hexadecimal(&hash.finalize())
    }

    /// Whether it runs in one transaction.
    pub fn is_transactional(&self) -> bool {
        !self.parts.iter().any(|part| part.alone)
    }

    /// A file name without its ending: `030_expand_add_column_note`.
    pub fn file_stem(&self) -> String {
        let mut words = String::new();
        for c in self.title.chars() {
            let c = if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            };
            if c != '_' || !words.ends_with('_') {
                words.push(c);
            }
        }
        words.truncate(60);
        let words = words.trim_matches('_');
        format!("{:03}_{}_{words}", self.number * 10, self.phase)
    }
}

/// The way from one schema to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The schema of both.
    pub schema: String,
    /// PostgreSQL's major version.
    pub version: u16,
    /// Milliseconds a step may wait for a lock before it gives up and is tried again.
    pub lock_timeout_ms: u64,
    /// Milliseconds a statement may take that holds nobody up.
    pub statement_timeout_ms: u64,
    /// Seconds between the switch and the contraction.
    pub contract_after: Option<f64>,
    /// For each version of the programs, the phases in which it works; empty where the design does not say.
    pub compatibility: std::collections::BTreeMap<String, Vec<String>>,
    /// In order.
    pub steps: Vec<Step>,
    /// What the reader ought to know, and nothing is to be done about.
    pub notes: Vec<String>,
}

impl Plan {
    /// What tells it from another plan: its steps. Limits may change between two runs of one plan.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.schema.as_bytes());
        for step in &self.steps {
            hash.update(step.digest().as_bytes());
        }
        hexadecimal(&hash.finalize())
    }

    /// Everything that has to be accepted.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.steps.iter().flat_map(|step| &step.hazards)
    }
}

/// Twelve bytes are more than enough to tell plans of one database apart.
fn hexadecimal(bytes: &[u8]) -> String {
    let bytes = bytes.iter().take(12);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
