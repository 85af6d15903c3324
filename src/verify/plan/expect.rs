//! A query's expectations as assertions of `explain`, and what came of all of them together.

use crate::design::{Expectation, Query, QueryKind};
use crate::explain::{Arguments, Needs, Outcome, Subject, assertion};
use crate::sql::Ident;

/// Above this many rows an interactive query neither scans a whole table nor sorts, unless it says otherwise (language.md, "Plan expectations").
pub(super) const LARGE: f64 = 10_000.0;

/// One expectation, ready to be asked.
pub(super) struct Asked {
    /// As people read it: `uses ix_a`.
    pub text: String,
    /// Name of the assertion.
    pub name: &'static str,
    /// What it is asked about.
    pub arguments: Arguments,
    /// PostgreSQL's switch that makes the planner avoid what is not wanted, where there is one: tells "cannot" from "does not at this size".
    pub avoid: Vec<&'static str>,
}

/// The expectations of a query; for an interactive one without a word about its plan, the defaults.
pub(super) fn asked(query: &Query) -> Vec<Asked> {
    if query.plan.is_empty() {
        if query.kind != QueryKind::Interactive {
            return Vec::new();
        }
        let large = || Arguments {
            limit: LARGE,
            ..Arguments::default()
        };
        return vec![
            Asked {
                text: "no sequential scan on a large table".into(),
                name: "large_seq_scan",
                arguments: large(),
                avoid: vec!["enable_seqscan"],
            },
            Asked {
                text: "no large sort".into(),
                name: "large_sort",
                arguments: large(),
                avoid: vec!["enable_sort"],
            },
        ];
    }
    query
        .plan
        .iter()
        .map(|(expectation, _)| one(expectation))
        .collect()
}

fn one(expectation: &Expectation) -> Asked {
    let limited = |name: &'static str, limit: f64| Asked {
        text: format!("{name} <= {limit}"),
        name,
        arguments: Arguments {
            limit,
            ..Arguments::default()
        },
        avoid: Vec::new(),
    };
    match expectation {
        Expectation::Uses(index) => Asked {
            text: format!("uses {}", index.as_str()),
            name: "uses",
            arguments: Arguments {
                names: vec![index.ident.clone()],
                ..Arguments::default()
            },
            avoid: vec!["enable_seqscan", "enable_sort"],
        },
        Expectation::Never { node, on } => Asked {
            text: match on {
                Some(table) => format!("never {node} on {}", table.as_str()),
                None => format!("never {node}"),
            },
            name: "never",
            arguments: Arguments {
                node: node.clone(),
                table: on.as_ref().map(|table| table.ident.clone()),
                ..Arguments::default()
            },
            avoid: switches(node),
        },
        Expectation::Reads(limit) => limited("reads", *limit),
        Expectation::Returns(limit) => limited("returns", *limit),
        Expectation::Partitions(limit, table) => Asked {
            text: format!("partitions <= {limit} of {}", table.as_str()),
            arguments: Arguments {
                limit: f64::from(*limit),
                table: Some(table.ident.clone()),
                ..Arguments::default()
            },
            ..limited("partitions", 0.0)
        },
        Expectation::IndexOnly => Asked {
            text: "index_only".to_owned(),
            name: "index_only",
            arguments: Arguments::default(),
            avoid: vec!["enable_seqscan"],
        },
        Expectation::Cost(limit) => limited("cost", *limit),
        Expectation::Buffers(limit) => limited("buffers", *limit),
        Expectation::Estimates(factor) => Asked {
            text: format!("estimates within {factor}x"),
            ..limited("estimates", *factor)
        },
        Expectation::SamePlanFor(params) => Asked {
            text: format!(
                "same_plan_for {}",
                params
                    .iter()
                    .map(|name| name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            name: "same_plan_for",
            arguments: Arguments {
                names: params
                    .iter()
                    .map(|name| Ident::new(name.as_str()))
                    .collect(),
                ..Arguments::default()
            },
            avoid: Vec::new(),
        },
    }
}

fn switches(node: &str) -> Vec<&'static str> {
    let node = node.to_lowercase();
    let known = [
        ("seq scan", "enable_seqscan"),
        ("sort", "enable_sort"),
        ("hash join", "enable_hashjoin"),
        ("nested loop", "enable_nestloop"),
        ("merge join", "enable_mergejoin"),
        ("bitmap", "enable_bitmapscan"),
        ("parallel", "enable_gathermerge"),
    ];
    known
        .iter()
        .filter(|(word, _)| node.contains(word))
        .map(|(_, switch)| *switch)
        .collect()
}

/// Asks one of a plan on the sample. A limit in planner's cost means nothing there.
pub(super) fn decide(asked: &Asked, subject: &Subject<'_>) -> Outcome {
    let needs = assertion(asked.name).map(|assertion| assertion.needs);
    match (needs, decide_at_volume(asked, subject)) {
        (Some(Needs::Volume), Outcome::Holds(found)) => Outcome::Undecided(format!(
            "{found} on the sample; only the declared volume can say"
        )),
        (_, outcome) => outcome,
    }
}

/// Asks one of a plan at a declared volume: there the planner's cost means something, and nothing was executed.
pub(super) fn decide_at_volume(asked: &Asked, subject: &Subject<'_>) -> Outcome {
    match assertion(asked.name) {
        Some(assertion) => assertion.decide(subject, &asked.arguments),
        None => Outcome::Undecided(format!("there is no assertion `{}`", asked.name)),
    }
}
