//! Which orders of steps have been tried, and which are still to be tried.

use std::collections::BTreeMap;

use super::footprint::{Footprint, Tables};
use super::program::{Act, Actor};
use crate::design::Isolation;

/// One decision of the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// This session takes its next step.
    Step(usize),
    /// A deadlock: this session is its victim.
    Victim(usize),
    /// Several sessions were let go by one event: this one goes on first.
    Wake(usize),
}

/// A schedule that is still to be run: what must come first, and which sessions need not be next.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefix {
    pub choices: Vec<Choice>,
    /// Sessions whose next step was tried in place of the last choice; those that commute with it need not be next.
    pub tried: Vec<usize>,
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

    /// The next schedule, with how many preemptions it has.
    pub(super) fn pop(&mut self) -> Option<(usize, Prefix)> {
        let ((preemptions, _), prefix) = self.waiting.pop_first()?;
        Some((preemptions, prefix))
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
    /// Tables in which it can tell what has been committed by now.
    sees: Tables,
}

/// What was seen when a step was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// It had to wait.
    pub waited: bool,
    /// It failed, and so let go of all that its transaction held.
    pub failed: bool,
    /// Somebody who had waited went on.
    pub woke: bool,
}

impl Move {
    pub(super) fn new(session: usize, actor: &Actor, act: Act) -> Move {
        let script = &actor.program.script;
        let (own, held) = match &act {
            Act::Statement(step) => {
                let own = match script.steps.get(*step) {
                    Some(super::program::Step::Sql { footprint, .. }) => footprint.clone(),
                    _ => Footprint::default(),
                };
                (own, script.writes_until(*step))
            }
            _ => (Footprint::default(), script.footprint()),
        };
        let sees = match &act {
            Act::Statement(_) if script.isolation == Isolation::ReadCommitted => seen_by(&own),
            // The first statement decides what all others will see.
            Act::Statement(step) if script.first_statement() == Some(*step) => {
                seen_by(&script.footprint())
            }
            Act::Statement(_) => own.locked(),
            _ => Tables::default(),
        };
        Move {
            session,
            act,
            own,
            held,
            isolation: script.isolation,
            sees,
        }
    }

    /// Whether this step, which could have been taken instead of `taken`, would have led to the same: then it need not be tried right
    /// after it. Sound for multi-version concurrency control: a plain read neither waits nor sees what is not committed. What was
    /// seen of the taken step counts: one that did not wait met no lock of the other transaction, whatever the tables say.
    pub(super) fn commutes_with(&self, taken: &Move, seen: Seen) -> bool {
        let serializable = |m: &Move| m.isolation == Isolation::Serializable;
        if serializable(self) || serializable(taken) || seen.woke {
            return false;
        }
        if seen.waited && self.held.conflicts(&taken.own) {
            return false;
        }
        if seen.failed && taken.held.conflicts(&self.own) {
            return false;
        }
        use Act::*;
        match (&self.act, &taken.act) {
            (Statement(_), Statement(_)) => !self.own.conflicts(&taken.own),
            (Commit, Statement(_)) => !is_seen(self, taken),
            (Statement(_), Commit) => !taken.held.conflicts(&self.own) && !is_seen(taken, self),
            (Rollback(_), Statement(_)) => true,
            (Statement(_), Rollback(_)) => !taken.held.conflicts(&self.own),
            // The state is judged after each commit.
            (Commit, Commit) => self.held.written().is_empty() || taken.held.written().is_empty(),
            (Commit | Rollback(_), Commit | Rollback(_)) => !self.held.conflicts(&taken.held),
            (Nothing, _) | (_, Nothing) => true,
        }
    }
}

fn seen_by(footprint: &Footprint) -> Tables {
    let mut seen = footprint.reads.clone();
    seen.add(&footprint.locked());
    seen
}

/// Whether a statement can tell that the other transaction has committed, locks apart.
fn is_seen(commit: &Move, statement: &Move) -> bool {
    commit.held.written().meets(&statement.sees)
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
                tried: vec![],
            },
        );
        assert!(
            frontier
                .pop()
                .is_some_and(|(n, p)| n == 0 && p.choices.is_empty())
        );
        assert!(
            frontier
                .pop()
                .is_some_and(|(n, p)| n == 1 && p.choices == [Choice::Step(1)])
        );
        assert!(frontier.pop().is_some());
        assert!(frontier.pop().is_none());
    }
}
