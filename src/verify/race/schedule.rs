//! Which orders of steps have been tried, and which are still to be tried.

use std::collections::BTreeMap;

use super::footprint::Footprint;
use super::program::{Act, Actor};
use crate::design::Isolation;

/// One decision of the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// This session takes its next step.
    Step(usize),
    /// A deadlock: this session is its victim.
    Victim(usize),
}

/// A schedule that is still to be run: what must come first, and which sessions need not be next.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefix {
    pub choices: Vec<Choice>,
    /// Sessions whose next step was tried before from here and commutes with everything since.
    pub asleep: Vec<usize>,
}

/// Schedules to be run, those with fewer preemptions first, so that the first counterexample is also the simplest.
#[derive(Debug, Default)]
pub(super) struct Frontier {
    waiting: BTreeMap<(usize, u64), Prefix>,
    pushed: u64,
}

impl Frontier {
    /// One schedule: whatever comes by itself.
    pub(super) fn new() -> Frontier {
        let mut frontier = Frontier::default();
        frontier.push(0, Prefix::default());
        frontier
    }

    pub(super) fn push(&mut self, preemptions: usize, prefix: Prefix) {
        self.waiting.insert((preemptions, self.pushed), prefix);
        self.pushed += 1;
    }

    pub(super) fn pop(&mut self) -> Option<Prefix> {
        self.waiting.pop_first().map(|(_, prefix)| prefix)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// A session's next step, as far as it matters to others.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub session: usize,
    act: Act,
    own: Footprint,
    /// Everything the transaction has written or locked, this step included.
    held: Footprint,
    isolation: Isolation,
    is_first: bool,
}

impl Move {
    pub(super) fn new(session: usize, actor: &Actor, act: Act) -> Move {
        let script = &actor.program.script;
        let (own, held, is_first) = match &act {
            Act::Statement(step) => {
                let own = match script.steps.get(*step) {
                    Some(super::program::Step::Sql { footprint, .. }) => footprint.clone(),
                    _ => Footprint::default(),
                };
                (
                    own,
                    script.writes_until(*step),
                    script.first_statement() == Some(*step),
                )
            }
            _ => (Footprint::default(), script.footprint(), false),
        };
        Move {
            session,
            act,
            own,
            held,
            isolation: script.isolation,
            is_first,
        }
    }

    /// Whether swapping the two, next to each other, can make no difference to anybody. Sound for multi-version concurrency
    /// control: a plain read neither waits nor sees what is not committed.
    pub(super) fn commutes_with(&self, other: &Move) -> bool {
        if self.isolation == Isolation::Serializable || other.isolation == Isolation::Serializable {
            return false;
        }
        use Act::*;
        match (&self.act, &other.act) {
            (Statement(_), Statement(_)) => {
                // A statement that writes can fail, and then lets go of all that its transaction held.
                let clash = |a: &Move, b: &Move| {
                    !a.own.writes.is_empty() && a.held.writes.meets(&b.own.writes)
                };
                !clash(self, other) && !clash(other, self)
            }
            (Commit, Statement(_)) => !ends_before(self, other),
            (Statement(_), Commit) => !ends_before(other, self),
            (Rollback(_), Statement(_)) => !self.held.writes.meets(&other.own.writes),
            (Statement(_), Rollback(_)) => !other.held.writes.meets(&self.own.writes),
            // The state is judged after each commit.
            (Commit, Commit) => self.held.writes.is_empty() || other.held.writes.is_empty(),
            (Commit | Rollback(_), Commit | Rollback(_)) => {
                !self.held.writes.meets(&other.held.writes)
            }
            (Nothing, _) | (_, Nothing) => true,
        }
    }
}

/// Whether a statement can tell that the other transaction has committed.
fn ends_before(commit: &Move, statement: &Move) -> bool {
    let sees = statement.isolation == Isolation::ReadCommitted || statement.is_first;
    commit.held.writes.meets(&statement.own.writes)
        || (sees && commit.held.writes.meets(&statement.own.reads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_preemptions_come_first() {
        let mut frontier = Frontier::new();
        frontier.push(2, Prefix::default());
        frontier.push(
            1,
            Prefix {
                choices: vec![Choice::Step(1)],
                asleep: vec![],
            },
        );
        assert!(frontier.pop().is_some_and(|p| p.choices.is_empty()));
        assert!(
            frontier
                .pop()
                .is_some_and(|p| p.choices == [Choice::Step(1)])
        );
        assert!(frontier.pop().is_some());
        assert!(frontier.is_empty());
    }
}
