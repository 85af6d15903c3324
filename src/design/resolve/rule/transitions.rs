//! The clause `transitions`: states that exist, can be reached, and can be left or are meant to be final.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::super::model::Rule;
use super::super::fit;
use super::super::symbols::section;
use super::super::value::{items, texts};
use super::clause::Clause;
use crate::finding::{Finding, Severity};
use crate::source::{Span, Text};

/// `{in: …, column: …, initial: […], allow: {from: [to…]}, terminal: […], where: …}`.
pub(super) fn transitions(clause: &Clause<'_>) -> Option<Rule> {
    let table = clause.table()?;
    let column = clause.column("column")?;
    let initial = texts(clause.node, "initial");
    let terminal = texts(clause.node, "terminal");
    let allow: Vec<(Text, Vec<Text>)> = section(clause.node, &["allow"])
        .map(|entry| (entry.key.clone(), items(&entry.value)))
        .collect();
    let labels = clause.symbol().and_then(|symbol| {
        let column = symbol.columns.get(column.as_str())?;
        clause.cx.symbols.labels(column)
    });
    let graph = Graph::of(&initial, &allow, &terminal);
    if let Some(labels) = &labels {
        let whose = format!("column `{}`", column.as_str());
        for state in graph.mentions() {
            fit::one_of(clause.cx, state, labels, &whose, clause.subject);
        }
    }
    graph.advise(clause, labels.as_deref().unwrap_or_default());
    Some(Rule::Transitions {
        table,
        column,
        initial,
        allow,
        terminal,
        predicate: clause.predicate(),
    })
}

struct Graph<'t> {
    initial: &'t [Text],
    allow: &'t [(Text, Vec<Text>)],
    terminal: &'t [Text],
    /// Every state and where it is first named.
    states: BTreeMap<&'t str, Span>,
}

impl<'t> Graph<'t> {
    fn of(initial: &'t [Text], allow: &'t [(Text, Vec<Text>)], terminal: &'t [Text]) -> Graph<'t> {
        let mut graph = Graph {
            initial,
            allow,
            terminal,
            states: BTreeMap::new(),
        };
        graph.states = graph
            .mentions()
            .rev()
            .map(|state| (state.as_str(), state.at()))
            .collect();
        graph
    }

    /// Every place at which a state is named, in the order of the clause.
    fn mentions(&self) -> impl DoubleEndedIterator<Item = &'t Text> + use<'t> {
        let allowed = self
            .allow
            .iter()
            .flat_map(|(from, to)| std::iter::once(from).chain(to));
        self.initial.iter().chain(allowed).chain(self.terminal)
    }

    fn advise(&self, clause: &Clause<'_>, labels: &'t [Text]) {
        let advise = |code: &str, message: String, at: Span, help: &str| {
            let finding =
                Finding::new(code, Severity::Advice, clause.subject, message, at).help(help);
            clause.cx.report(finding);
        };
        let mut states = self.states.clone();
        for label in labels {
            states.entry(label.as_str()).or_insert(clause.at);
        }
        let reached = self.reached();
        for (state, at) in &states {
            if !self.initial.is_empty() && !reached.contains(state) {
                let message = format!("no path of allowed steps leads to state `{state}`");
                let help = "add the step that leads there, or name it under `initial`";
                advise("state-unreachable", message, *at, help);
                continue;
            }
            if !self.has_way_out(state) && !self.is_terminal(state) {
                let message = format!("no step leads out of state `{state}`");
                let help = "add a step, or name it under `terminal` if that is meant";
                advise("state-without-exit", message, *at, help);
            }
        }
        for state in self
            .terminal
            .iter()
            .filter(|state| self.has_way_out(state.as_str()))
        {
            let message = format!("state `{state}` is terminal, but `allow` has steps out of it");
            let finding =
                Finding::error("state-terminal-left", clause.subject, message, state.at())
                    .help("take it off `terminal`, or take the steps out");
            clause.cx.report(finding);
        }
    }

    fn has_way_out(&self, state: &str) -> bool {
        self.allow
            .iter()
            .any(|(from, to)| from.as_str() == state && to.iter().any(|to| to.as_str() != state))
    }

    fn is_terminal(&self, state: &str) -> bool {
        self.terminal
            .iter()
            .any(|terminal| terminal.as_str() == state)
    }

    fn reached(&self) -> BTreeSet<&'t str> {
        let mut edges: BTreeMap<&str, Vec<&'t str>> = BTreeMap::new();
        for (from, to) in self.allow {
            let to = to.iter().map(Text::as_str);
            edges.entry(from.as_str()).or_default().extend(to);
        }
        let mut reached: BTreeSet<&'t str> = self.initial.iter().map(Text::as_str).collect();
        let mut queue: VecDeque<&'t str> = reached.iter().copied().collect();
        while let Some(state) = queue.pop_front() {
            for next in edges.get(state).into_iter().flatten() {
                if reached.insert(next) {
                    queue.push_back(next);
                }
            }
        }
        reached
    }
}
