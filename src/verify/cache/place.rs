//! Places by name: a line moves when the design is edited, what stands there keeps its name.

use std::collections::BTreeMap;

use crate::compile::Compiled;
use crate::design::Model;
use crate::source::Span;

/// Everything in a design that evidence and findings point at.
pub(super) struct Places {
    by_name: BTreeMap<String, Span>,
}

impl Places {
    pub(super) fn of(model: &Model, compiled: &Compiled) -> Places {
        let mut by_name = BTreeMap::new();
        for (object, at) in &compiled.provenance {
            by_name.insert(format!("object {object}"), *at);
        }
        for mechanism in &compiled.mechanisms {
            by_name.insert(format!("mechanism {}", mechanism.title), mechanism.at);
        }
        let named =
            |kind: &str, name: &crate::design::Name| (format!("{kind} {}", name.as_str()), name.at);
        by_name.extend(model.tables.iter().map(|found| named("table", &found.name)));
        by_name.extend(model.invariants.iter().map(|i| named("invariant", &i.name)));
        by_name.extend(model.states.iter().map(|state| named("state", &state.name)));
        for query in &model.queries {
            by_name.extend([named("query", &query.name)]);
            let plan = query.plan.first().map(|(_, at)| *at);
            by_name.extend(plan.map(|at| (format!("plan of {}", query.name.as_str()), at)));
        }
        for command in &model.commands {
            by_name.extend([named("command", &command.name)]);
            for (number, step) in command.steps.iter().enumerate() {
                let name = format!("step {number} of {}", command.name.as_str());
                by_name.insert(name, step.at);
            }
        }
        by_name.insert("database".to_owned(), model.database.at);
        by_name.insert("design".to_owned(), model.name.at);
        Places { by_name }
    }

    /// What stands at a place.
    pub(super) fn name(&self, at: Span) -> Option<String> {
        let mut names = self.by_name.iter();
        names
            .find(|(_, place)| **place == at)
            .map(|(name, _)| name.clone())
    }

    /// Where it stands now.
    pub(super) fn at(&self, name: &str) -> Option<Span> {
        self.by_name.get(name).copied()
    }
}
