//! The list of builtins.

use super::super::rule::SubjectKind;
use super::super::subject::Subject;
use super::super::world::World;
use super::{
    missing_section, query_without_index, question_open, question_without_owner, reads_out_of_reach,
};
use crate::migrate::lint::FACTS;
use crate::source::Span;

/// Where a rule fires, and what its message can say about it.
#[derive(Debug)]
pub(in crate::check) struct Hit {
    /// The place.
    pub at: Span,
    /// Further places, with what is to be seen there.
    pub labels: Vec<(Span, String)>,
    /// Appended to the subject, so that two findings of a rule stay apart: `section rollout`.
    pub part: Option<String>,
    /// Facts by the names in [`Builtin::gives`].
    pub found: Vec<(&'static str, String)>,
}

pub(in crate::check) type Run = for<'m> fn(&World<'m>, &Subject<'m>) -> Vec<Hit>;

/// A condition in Rust.
#[derive(Debug)]
pub struct Builtin {
    /// Name, which is the code of its rule.
    pub name: &'static str,
    /// What it looks at.
    pub on: SubjectKind,
    /// What messages can say, as `found.NAME`.
    pub gives: &'static [&'static str],
    pub(in crate::check) how: How,
}

/// How a builtin comes to its findings.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) enum How {
    /// By a function over its subjects.
    Runs(Run),
    /// While waivers are applied, when all other findings are known.
    OfWaivers,
    /// While migrations are read, by `migrate::lint`.
    OfMigrations,
}

const fn of_migrations(name: &'static str) -> Builtin {
    Builtin {
        name,
        on: SubjectKind::Migration,
        gives: FACTS,
        how: How::OfMigrations,
    }
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
        name: "question-open",
        on: SubjectKind::Design,
        gives: &["question"],
        how: How::Runs(question_open::run),
    },
    Builtin {
        name: "question-without-owner",
        on: SubjectKind::Design,
        gives: &["question", "lacks"],
        how: How::Runs(question_without_owner::run),
    },
    Builtin {
        name: "reads-out-of-reach",
        on: SubjectKind::Query,
        gives: &["most", "rows", "why"],
        how: How::Runs(reads_out_of_reach::run),
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
    of_migrations("acknowledgement-unused"),
    of_migrations("breaks-old-programs"),
    of_migrations("builds-index-under-lock"),
    of_migrations("concurrently-in-transaction"),
    of_migrations("detaches-under-lock"),
    of_migrations("drops-index-under-lock"),
    of_migrations("enum-value-used-too-soon"),
    of_migrations("hides-invalid-index"),
    of_migrations("hides-rows"),
    of_migrations("locks-other-table"),
    of_migrations("loses-data"),
    of_migrations("name-too-long"),
    of_migrations("no-lock-timeout"),
    of_migrations("not-null-without-default"),
    of_migrations("refused-by-server"),
    of_migrations("rewrites-table"),
    of_migrations("scans-under-lock"),
    of_migrations("transaction-left-open"),
    of_migrations("validates-under-lock"),
    of_migrations("whole-table-at-once"),
    of_migrations("works-under-held-lock"),
];
