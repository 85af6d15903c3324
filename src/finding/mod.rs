//! The one vocabulary of results: findings (something is wrong, and where), evidence (a claim was tried, and what came
//! of it), and the report that holds both. Every output is made from a [`Report`].
//!
//! Imports `source` for spans, and nothing else of ours.

mod about;
mod evidence;
mod fault;
mod levels;
mod merge;
mod replay;
mod report;
mod tried;
mod verdict;

pub use about::About;
pub use evidence::{
    Claim, Counterexample, Evidence, Method, Moment, MomentKind, PlanAt, Setting, Table,
};
pub use fault::{Finding, Label, Severity};
pub use levels::{Level, Levels};
pub use replay::{
    Anomaly, ConnectionLost, Replay, ReplayDesign, ReplayEffects, ReplaySession, ReplayStep,
    RunsAs, StoredRows, StoredSequence,
};
pub use report::{Input, Mutants, Report, ShardOf, Summary};
pub use tried::{TRIED, Tried, tried};
pub use verdict::Verdict;
