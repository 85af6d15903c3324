//! `same_plan_for: [params…]`

use crate::explain::{Arguments, Assertion, Needs, Outcome, Subject};
use crate::finding::About;

/// The plan does not flip between typical and worst values.
pub static SAME_PLAN_FOR: Assertion = Assertion {
    about: &About {
        name: "same_plan_for",
        title: "the plan is the same for typical and for worst values of these parameters",
        docs: "The worst value is the most common one. Node types, relations, indexes, join types and sort keys are compared, not costs.\n\n\
               ```yaml\nplan:\n  same_plan_for: [actor_id]\n```",
        since: "0.1.0",
    },
    needs: Needs::OtherPlans,
    check,
};

fn check(subject: &Subject<'_>, _: &Arguments) -> Outcome {
    let shape = subject.plan.shape();
    for (values, other) in subject.others {
        let other_shape = other.shape();
        if other_shape == shape {
            continue;
        }
        let differs = shape
            .iter()
            .zip(&other_shape)
            .position(|(one, other)| one != other)
            .unwrap_or(shape.len().min(other_shape.len()));
        let lines = other.lines();
        let instead = lines
            .get(differs)
            .map_or("nothing", |line| line.trim_start());
        return Outcome::Broken {
            found: format!("plans otherwise with {values}: {instead}"),
            at_fault: vec![differs.min(shape.len().saturating_sub(1))],
        };
    }
    Outcome::Holds(format!(
        "the same plan for {} sets of values",
        subject.others.len() + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{faults, holds, tree};
    use super::*;
    use crate::explain::{PlanTree, Relations};
    use serde_json::json;

    fn plan(scan: &str, rows: u32) -> PlanTree {
        tree(json!({"Node Type": "Limit", "Plans": [
            {"Node Type": scan, "Relation Name": "a", "Plan Rows": rows}]}))
    }

    fn decide(others: &[(String, PlanTree)]) -> Outcome {
        let plan = plan("Index Scan", 1);
        let relations = Relations::default();
        let subject = Subject {
            plan: &plan,
            others,
            relations: &relations,
        };
        SAME_PLAN_FOR.decide(&subject, &Arguments::default())
    }

    #[test]
    fn rows_do_not_matter_node_types_do() {
        assert!(holds(&decide(&[(
            "worst".to_owned(),
            plan("Index Scan", 900)
        )])));
        assert_eq!(
            faults(decide(&[("worst".to_owned(), plan("Seq Scan", 900))])),
            [1]
        );
        assert!(matches!(decide(&[]), Outcome::Undecided(_)));
    }
}
