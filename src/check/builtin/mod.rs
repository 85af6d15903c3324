//! Rules whose condition is more than a line. Each has its file here, its YAML under `checks/`, and a line in [`BUILTINS`].

mod missing_section;
mod query_without_index;
mod question_without_owner;

use super::rule::SubjectKind;
use super::subject::Subject;
use super::world::World;
use crate::source::Span;

pub(super) use query_without_index::reaches;

/// Where a rule fires, and what its message can say about it.
#[derive(Debug)]
pub(super) struct Hit {
    /// The place.
    pub at: Span,
    /// Further places, with what is to be seen there.
    pub labels: Vec<(Span, String)>,
    /// Appended to the subject, so that two findings of a rule stay apart: `section rollout`.
    pub part: Option<String>,
    /// Facts by the names in [`Builtin::gives`].
    pub found: Vec<(&'static str, String)>,
}

pub(super) type Run = for<'m> fn(&World<'m>, &Subject<'m>) -> Vec<Hit>;

/// A condition in Rust.
#[derive(Debug)]
pub struct Builtin {
    /// Name, which is the code of its rule.
    pub name: &'static str,
    /// What it looks at.
    pub on: SubjectKind,
    /// What messages can say, as `found.NAME`.
    pub gives: &'static [&'static str],
    pub(super) how: How,
}

/// How a builtin comes to its findings.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// By a function over its subjects.
    Runs(Run),
    /// While waivers are applied, when all other findings are known.
    OfWaivers,
}

/// All.
pub static BUILTINS: &[Builtin] = &[
    Builtin {
        name: "missing-section",
        on: SubjectKind::Design,
        gives: &["section", "says"],
        how: How::Runs(missing_section::run),
    },
    Builtin {
        name: "query-without-index",
        on: SubjectKind::Query,
        gives: &["tables", "columns"],
        how: How::Runs(query_without_index::run),
    },
    Builtin {
        name: "question-without-owner",
        on: SubjectKind::Design,
        gives: &["question", "lacks"],
        how: How::Runs(question_without_owner::run),
    },
    Builtin {
        name: "waiver-expired",
        on: SubjectKind::Design,
        gives: &["rule", "subject", "until"],
        how: How::OfWaivers,
    },
    Builtin {
        name: "waiver-unused",
        on: SubjectKind::Design,
        gives: &["rule", "subject", "until"],
        how: How::OfWaivers,
    },
];
