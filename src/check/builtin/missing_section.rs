//! What a design must say depends on what it changes: the table of the design document template.

use super::super::subject::Subject;
use super::super::world::World;
use super::Hit;
use crate::design::{Change, Model};

/// A section with what a reviewer looks for in it.
type Needed = (&'static str, &'static str);

const SUMMARY: Needed = ("summary", "what changes, and why it is right");
const PROBLEM: Needed = (
    "problem",
    "what is wrong today, and how success is measured",
);
const TABLES: Needed = ("tables", "what one row of each table is");
const AUTHORITY: Needed = ("authority", "who owns which truth");
const INVARIANTS: Needed = ("invariants", "what must never be false");
const COMMANDS: Needed = ("commands", "which transactions change it");
const QUERIES: Needed = ("queries", "which workloads it serves");
const MIGRATION: Needed = (
    "migration",
    "how it gets there, what stays compatible, how it goes back",
);
const ROLLOUT: Needed = (
    "rollout",
    "in which order it is switched on, and how each step is undone",
);
const PLAIN: Needed = ("plain_summary", "the same for people who do not read SQL");
const PROCESS: Needed = ("process", "who does what in which order");
const GLOSSARY: Needed = ("glossary", "what its words mean");
const SECURITY: Needed = ("security", "who may read and write what");
const OPERATIONS: Needed = ("operations", "how it is watched");
const RECOVERY: Needed = (
    "recovery",
    "how much may be lost, and how long it may take to come back",
);
const RISKS: Needed = ("risks", "what can go wrong, and who sees to it");
const DECISIONS: Needed = (
    "decisions",
    "what was chosen over what, and when to think again",
);

/// Sections for a kind of change.
fn needed(change: Change) -> &'static [Needed] {
    match change {
        Change::Column => &[SUMMARY, TABLES],
        Change::Table => &[SUMMARY, AUTHORITY, TABLES, INVARIANTS, QUERIES],
        Change::Lifecycle => &[
            SUMMARY, PROBLEM, TABLES, INVARIANTS, COMMANDS, QUERIES, ROLLOUT,
        ],
        Change::Redesign => &[
            SUMMARY, PLAIN, PROBLEM, PROCESS, AUTHORITY, GLOSSARY, TABLES, INVARIANTS, COMMANDS,
            QUERIES, SECURITY, OPERATIONS, RECOVERY, RISKS, ROLLOUT, DECISIONS,
        ],
        Change::Regulated => &[
            SUMMARY, PLAIN, PROBLEM, PROCESS, AUTHORITY, GLOSSARY, TABLES, INVARIANTS, COMMANDS,
            QUERIES, SECURITY, OPERATIONS, RECOVERY, RISKS, DECISIONS,
        ],
        Change::Distributed => &[
            SUMMARY, PLAIN, PROBLEM, AUTHORITY, TABLES, INVARIANTS, COMMANDS, QUERIES, SECURITY,
            OPERATIONS, RECOVERY, RISKS, DECISIONS,
        ],
    }
}

/// A change of what is already there has to say how it gets there.
fn changes_what_exists(model: &Model) -> bool {
    let kind = model.document.change;
    model.document.supersedes.is_some()
        || kind == Some(Change::Column)
        || model
            .tables
            .iter()
            .any(|table| table.was.is_some() || table.columns.iter().any(|c| c.was.is_some()))
}

pub(super) fn run<'m>(_: &World<'m>, subject: &Subject<'m>) -> Vec<Hit> {
    let Subject::Design(model) = subject else {
        return Vec::new();
    };
    let Some(change) = model.document.change else {
        return Vec::new();
    };
    let says = |name: &str| model.section(name).is_some_and(|section| section.size > 0);
    let migration = changes_what_exists(model).then_some(MIGRATION);
    needed(change)
        .iter()
        .copied()
        .chain(migration)
        .filter(|(section, _)| !says(section))
        .map(|(section, about)| Hit {
            at: subject.at("document"),
            labels: Vec::new(),
            part: Some(format!("section {section}")),
            found: vec![("section", section.to_owned()), ("says", about.to_owned())],
        })
        .collect()
}
