//! What an assertion is, what it is given and what it says.

use std::collections::BTreeMap;

use super::tree::{PlanNode, PlanTree};
use crate::finding::About;
use crate::sql::Ident;

/// What a plan must show before an assertion can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Any plan.
    Plan,
    /// A plan that was executed.
    Execution,
    /// Plans of the same query under other values.
    OtherPlans,
    /// Numbers that grow with the data: smaller data can break the assertion, only the declared volume can keep it.
    Volume,
}

/// What the design wrote after the assertion's key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Indexes, or parameters.
    pub names: Vec<Ident>,
    /// Kind of node.
    pub node: String,
    /// The table it is narrowed to.
    pub table: Option<Ident>,
    /// The number.
    pub limit: f64,
}

/// What the names in a plan stand for: partitions and their indexes are told apart in a plan, not in a design.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Relations {
    /// Table of a partition.
    pub table_of: BTreeMap<String, String>,
    /// Declared index of a partition's index.
    pub index_of: BTreeMap<String, String>,
    /// Declared rows of a table.
    pub rows: BTreeMap<String, f64>,
    /// Rows it has where the plan was made.
    pub loaded: BTreeMap<String, f64>,
}

impl Relations {
    /// The design's table that a node reads.
    pub fn table<'a>(&'a self, node: &'a PlanNode) -> Option<&'a str> {
        let relation = node.relation.as_deref()?;
        Some(self.table_of.get(relation).map_or(relation, String::as_str))
    }

    /// The design's index that a node uses.
    pub fn index<'a>(&'a self, node: &'a PlanNode) -> Option<&'a str> {
        let index = node.index.as_deref()?;
        Some(self.index_of.get(index).map_or(index, String::as_str))
    }
}

/// What an assertion looks at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The plan.
    pub plan: &'a PlanTree,
    /// Plans of the same query, each with what is different about its values.
    pub others: &'a [(String, PlanTree)],
    /// What the plan's names stand for.
    pub relations: &'a Relations,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is so, and what was seen.
    Holds(String),
    /// It is not so.
    Broken {
        /// What was seen instead.
        found: String,
        /// Indices of the nodes at fault.
        at_fault: Vec<usize>,
    },
    /// The plan cannot say, and why.
    Undecided(String),
}

/// One thing that can be expected of a plan.
#[derive(Debug)]
pub struct Assertion {
    /// Its page.
    pub about: &'static About,
    /// What it must see.
    pub needs: Needs,
    /// Decides it.
    pub check: fn(&Subject<'_>, &Arguments) -> Outcome,
}

impl Assertion {
    /// Decides it, unless the plan does not show what it needs.
    pub fn decide(&self, subject: &Subject<'_>, arguments: &Arguments) -> Outcome {
        match self.needs {
            Needs::Execution if !subject.plan.is_executed() => {
                Outcome::Undecided("the query was planned, not executed".to_owned())
            }
            Needs::OtherPlans if subject.others.is_empty() => {
                Outcome::Undecided("there are no other values to plan with".to_owned())
            }
            _ => (self.check)(subject, arguments),
        }
    }
}

/// `Broken` where some node is at fault, else `Holds`.
pub(super) fn none_of(
    at_fault: Vec<usize>,
    found: impl FnOnce(&[usize]) -> String,
    holds: &str,
) -> Outcome {
    if at_fault.is_empty() {
        Outcome::Holds(holds.to_owned())
    } else {
        Outcome::Broken {
            found: found(&at_fault),
            at_fault,
        }
    }
}

/// `Holds` up to the limit, else `Broken` by these nodes.
pub(super) fn at_most(value: f64, limit: f64, found: String, at_fault: Vec<usize>) -> Outcome {
    if value <= limit {
        Outcome::Holds(found)
    } else {
        Outcome::Broken { found, at_fault }
    }
}

/// A number as people write it, with thousands apart.
pub(super) fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 { format!("-{out}") } else { out }
}
