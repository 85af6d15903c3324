//! Small plans for the tests of this folder.

use serde_json::{Value, json};

use crate::explain::{Arguments, Assertion, Outcome, PlanTree, Relations, Subject, parse};

/// A tree from the JSON of its root node.
pub fn tree(root: Value) -> PlanTree {
    parse(&json!([{ "Plan": root }])).expect("a plan")
}

/// Decides an assertion over one plan, without partitions.
pub fn decide(assertion: &Assertion, root: Value, arguments: Arguments) -> Outcome {
    decide_with(assertion, &tree(root), &Relations::default(), arguments)
}

/// Decides an assertion over one plan.
pub fn decide_with(
    assertion: &Assertion,
    plan: &PlanTree,
    relations: &Relations,
    arguments: Arguments,
) -> Outcome {
    let subject = Subject {
        plan,
        others: &[],
        relations,
    };
    assertion.decide(&subject, &arguments)
}

/// Arguments with a number only.
pub fn limit(limit: f64) -> Arguments {
    Arguments {
        limit,
        ..Arguments::default()
    }
}

/// Whether it holds.
pub fn holds(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Holds(_))
}

/// The nodes at fault; panics where none is.
pub fn faults(outcome: Outcome) -> Vec<usize> {
    match outcome {
        Outcome::Broken { at_fault, .. } => at_fault,
        other => unreachable!("expected a broken assertion: {other:?}"),
    }
}
