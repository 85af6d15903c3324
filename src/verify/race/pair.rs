//! Which calls are raced against which.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::argument::Arguments;
use super::play::Trial;
use super::program::{Program, Script};
use super::rehearse::{Call, Rehearsal};

/// Trials of one pair of commands.
const PER_PAIR: usize = 4;
/// Of these so many in one state.
const PER_STATE: usize = 2;

/// Two calls in one state, before the state has a number.
#[derive(Clone, Debug)]
pub(super) struct Meeting {
    pub start: usize,
    pub programs: [Program; 2],
}

impl Meeting {
    pub(super) fn trial(&self, state: usize) -> Trial {
        Trial {
            state,
            programs: self.programs.to_vec(),
        }
    }

    /// Tells meetings apart.
    pub(super) fn key(&self) -> String {
        let show = |program: &Program| format!("{} {:?}", program.script.title, program.args);
        format!(
            "{} | {} | {}",
            self.start,
            show(&self.programs[0]),
            show(&self.programs[1])
        )
    }
}

/// The calls of two commands that are most likely to get in each other's way, in states in which both can commit.
pub(super) fn meetings(
    rehearsal: &Rehearsal,
    scripts: &BTreeMap<String, Arc<Script>>,
    first: &str,
    second: &str,
) -> Vec<Meeting> {
    let (Some(one), Some(other)) = (scripts.get(first), scripts.get(second)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for start in 0..rehearsal.starts.len() {
        let here = |name: &str| -> Vec<&Call> {
            rehearsal
                .committing(name)
                .filter(|call| call.start == start)
                .collect()
        };
        let mut combinations = combinations(&here(first), &here(second), first == second);
        // One that cannot commit alone may do so after the other: the first call is the most promising one.
        if combinations.is_empty() {
            let hot = |name: &str| -> Vec<&Call> {
                rehearsal
                    .calls
                    .get(name)
                    .into_iter()
                    .flatten()
                    .filter(|call| call.start == start)
                    .take(1)
                    .collect()
            };
            combinations = match (here(first).is_empty(), here(second).is_empty()) {
                (false, true) => self::combinations(&here(first), &hot(second), false),
                (true, false) => self::combinations(&hot(first), &here(second), false),
                _ => Vec::new(),
            };
            combinations.truncate(1);
        }
        for (a, b) in combinations.into_iter().take(PER_STATE) {
            let programs = [
                Program {
                    script: one.clone(),
                    args: a,
                },
                Program {
                    script: other.clone(),
                    args: b,
                },
            ];
            found.push(Meeting { start, programs });
        }
    }
    // Authored states come first, and each pair meets in several states rather than often in one.
    found.truncate(PER_PAIR);
    found
}

/// Pairs of arguments, those with most in common first.
fn combinations(first: &[&Call], second: &[&Call], same: bool) -> Vec<(Arguments, Arguments)> {
    let mut found: Vec<(usize, Arguments, Arguments)> = Vec::new();
    for (at, one) in first.iter().enumerate() {
        // Of a command against itself each pair once.
        for other in second.iter().skip(if same { at } else { 0 }) {
            for arguments in [Some(&other.arguments), other.apart.as_ref()]
                .into_iter()
                .flatten()
            {
                found.push((
                    shared(&one.arguments, arguments),
                    one.arguments.clone(),
                    arguments.clone(),
                ));
            }
        }
    }
    found.sort_by_key(|(shared, ..)| std::cmp::Reverse(*shared));
    // Calls with nothing but new keys of their own between them come second, whatever else there is: two transfers between
    // the same accounts matter as much as one transfer sent twice.
    if let Some(at) = found
        .iter()
        .skip(1)
        .position(|(_, one, other)| differ_in_keys(first, one, other))
    {
        let apart = found.remove(at + 1);
        found.insert(1, apart);
    }
    found
        .into_iter()
        .map(|(_, one, other)| (one, other))
        .collect()
}

fn differ_in_keys(calls: &[&Call], one: &Arguments, other: &Arguments) -> bool {
    calls
        .iter()
        .any(|call| call.arguments == *one && call.apart.as_ref() == Some(other))
}

fn shared(one: &Arguments, other: &Arguments) -> usize {
    one.values()
        .flatten()
        .filter(|value| other.values().flatten().any(|known| known == *value))
        .count()
}
