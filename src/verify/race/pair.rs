//! Which calls are raced against which.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::argument::Arguments;
use super::play::Trial;
use super::program::{Program, Script};
use super::rehearse::{Call, Rehearsal};
use super::state::Origin;

/// Trials of one pair of commands.
const PER_PAIR: usize = 8;
/// Of these so many in one state.
const PER_STATE: usize = 4;
/// Trials of one pair in states that commands lead to, beside the others, and of these so many in one state.
const PER_PAIR_GROWN: usize = 6;
const PER_GROWN_STATE: usize = 2;
/// Trials of one pair that are made for one purpose, beside all others: with arguments at the edges of conditions, and in states there.
const PER_PAIR_NEAR: usize = 4;
const PER_PAIR_EDGE: usize = 6;
const PER_NEAR_STATE: usize = 2;
/// Trials of three commands and more.
const PER_GROUP: usize = 2;

/// Calls in one state, before the state has a number.
#[derive(Clone, Debug)]
pub(super) struct Meeting {
    pub start: usize,
    pub programs: Vec<Program>,
}

impl Meeting {
    pub(super) fn trial(&self, state: usize) -> Trial {
        Trial {
            state,
            programs: self.programs.clone(),
        }
    }

    /// Tells meetings apart.
    pub(super) fn key(&self) -> String {
        let show = |program: &Program| format!("{} {:?}", program.script.title, program.args);
        let programs: Vec<String> = self.programs.iter().map(show).collect();
        format!("{} | {}", self.start, programs.join(" | "))
    }
}

/// Groups of so many commands, a command more than once in one of them included, in which each touches what another one touches;
/// what stands apart cannot make a difference.
pub(super) fn groups<'n>(
    names: &'n [String],
    size: usize,
    meet: &dyn Fn(&str, &str) -> bool,
) -> Vec<Vec<&'n str>> {
    let mut groups: Vec<Vec<&str>> = vec![Vec::new()];
    for _ in 0..size {
        let longer = |group: &Vec<&'n str>| {
            let from = group
                .last()
                .and_then(|last| names.iter().position(|name| name == last))
                .unwrap_or(0);
            let group = group.clone();
            names[from..].iter().map(move |name| {
                let mut longer = group.clone();
                longer.push(name.as_str());
                longer
            })
        };
        groups = groups.iter().flat_map(longer).collect();
    }
    groups.retain(|group| size < 3 || connected(group, meet));
    groups
}

fn connected(group: &[&str], meet: &dyn Fn(&str, &str) -> bool) -> bool {
    let mut reached = vec![false; group.len()];
    let mut next = vec![0];
    while let Some(at) = next.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            let near = (0..group.len()).filter(|other| *other != at);
            next.extend(near.filter(|other| !reached[*other] && meet(group[at], group[*other])));
        }
    }
    reached.into_iter().all(|reached| reached)
}

/// The calls of some commands that are most likely to get in each other's way, in states in which they can commit.
pub(super) fn meetings(
    rehearsal: &Rehearsal,
    scripts: &BTreeMap<String, Arc<Script>>,
    names: &[&str],
) -> Vec<Meeting> {
    let found: Option<Vec<&Arc<Script>>> = names.iter().map(|name| scripts.get(*name)).collect();
    let Some(found_scripts) = found else {
        return Vec::new();
    };
    let mut found: Vec<Meeting> = Vec::new();
    let mut grown: Vec<Meeting> = Vec::new();
    let (mut near, mut edges): (Vec<Meeting>, Vec<Meeting>) = Default::default();
    for (start, of) in rehearsal.starts.iter().enumerate() {
        let meeting = |arguments: Vec<Arguments>| {
            let programs = found_scripts.iter().zip(arguments);
            let programs = programs.map(|(script, args)| Program {
                script: (*script).clone(),
                args,
            });
            Meeting {
                start,
                programs: programs.collect(),
            }
        };
        let [first, second] = names else {
            if of.origin != Origin::Edge {
                let sets = wider(rehearsal, start, names).into_iter();
                found.extend(sets.take(PER_STATE).map(meeting));
            }
            continue;
        };
        let beside = nearer(rehearsal, start, first, second).into_iter();
        let sets = pairs(rehearsal, start, first, second).into_iter();
        if of.origin == Origin::Edge {
            edges.extend(beside.chain(sets).take(PER_NEAR_STATE).map(meeting));
            continue;
        }
        near.extend(beside.take(PER_NEAR_STATE).map(meeting));
        // Pairs have some for what commands lead to in any case: nobody makes up what is only ever brought about.
        match of.origin {
            Origin::Grown => grown.extend(sets.take(PER_GROWN_STATE).map(meeting)),
            _ => found.extend(sets.take(PER_STATE).map(meeting)),
        }
    }
    // Authored states come first, and each group meets in several states rather than often in one.
    match names.len() {
        2 => found.truncate(PER_PAIR),
        _ => found.truncate(PER_GROUP),
    }
    grown.truncate(PER_PAIR_GROWN);
    found.extend(grown);
    near.truncate(PER_PAIR_NEAR);
    edges.truncate(PER_PAIR_EDGE);
    found.extend(near);
    found.extend(edges);
    found
}

fn here<'r>(rehearsal: &'r Rehearsal, start: usize, name: &str) -> Vec<&'r Call> {
    rehearsal
        .committing(name)
        .filter(|call| call.start == start && !call.near)
        .collect()
}

/// Pairs of calls of which one at least is made for one purpose.
fn nearer(rehearsal: &Rehearsal, start: usize, first: &str, second: &str) -> Vec<Vec<Arguments>> {
    let near = |name: &str| -> Vec<&Call> {
        let calls = rehearsal.committing(name);
        calls
            .filter(|call| call.start == start && call.near)
            .collect()
    };
    let (one, other) = (near(first), near(second));
    let both = combinations(&one, &other, first == second);
    let left = combinations(&one, &here(rehearsal, start, second), false);
    let right = combinations(&here(rehearsal, start, first), &other, false);
    [both, left, right].concat()
}

/// The most promising calls of a command that cannot commit alone, and may do so after another one: the first that was tried, and
/// one that is about the same and says something else.
fn hot<'r>(rehearsal: &'r Rehearsal, start: usize, name: &str) -> Vec<&'r Call> {
    let calls = rehearsal.calls.get(name).into_iter().flatten();
    let mut calls = calls.filter(|call| call.start == start && !call.near);
    let Some(first) = calls.next() else {
        return Vec::new();
    };
    // Of several that have as much in common with it the first.
    let mut others: Vec<&Call> = calls.collect();
    others.sort_by_key(|call| std::cmp::Reverse(shared(&first.arguments, &call.arguments)));
    std::iter::once(first)
        .chain(others.into_iter().take(1))
        .collect()
}

fn pairs(rehearsal: &Rehearsal, start: usize, first: &str, second: &str) -> Vec<Vec<Arguments>> {
    let (one, other) = (
        here(rehearsal, start, first),
        here(rehearsal, start, second),
    );
    let found = combinations(&one, &other, first == second);
    if !found.is_empty() {
        return found;
    }
    let mut found = match (one.is_empty(), other.is_empty()) {
        (false, true) => combinations(&one, &hot(rehearsal, start, second), false),
        (true, false) => combinations(&hot(rehearsal, start, first), &other, false),
        _ => Vec::new(),
    };
    found.truncate(2);
    found
}

/// Calls of more than two commands: those of the first two, and of each other one that which has most in common with them.
fn wider(rehearsal: &Rehearsal, start: usize, names: &[&str]) -> Vec<Vec<Arguments>> {
    let calls = |name: &str| match here(rehearsal, start, name) {
        calls if calls.is_empty() => hot(rehearsal, start, name),
        calls => calls,
    };
    let commits = names
        .iter()
        .any(|name| !here(rehearsal, start, name).is_empty());
    let [first, second, others @ ..] = names else {
        return Vec::new();
    };
    if !commits {
        return Vec::new();
    }
    let mut found = combinations(&calls(first), &calls(second), first == second);
    found.truncate(PER_STATE);
    for (number, set) in found.iter_mut().enumerate() {
        // Where the first two have nothing but keys of their own between them, so have the others. And all that could be the same
        // is the same in the first set: in further ones nobody repeats what another one does.
        let apart =
            number > 0 || (set[0] != set[1] && differ_in_keys(&calls(first), &set[0], &set[1]));
        for name in others {
            let calls = calls(name);
            let mut options: Vec<&Arguments> = calls.iter().map(|call| &call.arguments).collect();
            options.extend(calls.iter().flat_map(|call| &call.apart));
            let is_new = |option: &&Arguments| !apart || !set.contains(option);
            let common = |option: &&Arguments| -> usize {
                set.iter().map(|known| shared(known, option)).sum()
            };
            let best = options
                .iter()
                .copied()
                .filter(is_new)
                .rev()
                .max_by_key(common);
            let Some(best) = best.or(options.first().copied()) else {
                return Vec::new();
            };
            let best = best.clone();
            set.push(best);
        }
    }
    found
}

/// Pairs of arguments, those with most in common first.
fn combinations(first: &[&Call], second: &[&Call], same: bool) -> Vec<Vec<Arguments>> {
    let mut found: Vec<(usize, Arguments, Arguments)> = Vec::new();
    for (at, one) in first.iter().enumerate() {
        // Of a command against itself each pair once.
        for other in second.iter().skip(if same { at } else { 0 }) {
            for arguments in std::iter::once(&other.arguments).chain(other.apart.first()) {
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
    // The first of each way in which two calls can meet, then the rest: two accounts of one customer, an older and a newer event.
    let mut seen = BTreeSet::new();
    let (mut firsts, mut rest) = (Vec::new(), Vec::new());
    for (_, one, other) in found {
        match seen.insert(pattern(&one, &other)) {
            true => firsts.push(vec![one, other]),
            false => rest.push(vec![one, other]),
        }
    }
    firsts.extend(rest);
    firsts
}

/// Which arguments of one are those of the other.
fn pattern(one: &Arguments, other: &Arguments) -> Vec<bool> {
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    one.values()
        .flat_map(|a| other.values().map(move |b| same(a, b)))
        .collect()
}

fn differ_in_keys(calls: &[&Call], one: &Arguments, other: &Arguments) -> bool {
    calls
        .iter()
        .any(|call| call.arguments == *one && call.apart.contains(other))
}

/// Names that differ in their case only may be the same name.
fn shared(one: &Arguments, other: &Arguments) -> usize {
    let is_in = |value: &&String| {
        let mut others = other.values().flatten();
        others.any(|known| known.eq_ignore_ascii_case(value))
    };
    one.values().flatten().filter(is_in).count()
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn a_group_hangs_together() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let all = groups(&names, 2, &|_, _| false);
        assert_eq!(all.len(), 6, "of two, all are tried");
        // `c` meets nobody, not even itself.
        let meet = |one: &str, other: &str| one != "c" && other != "c";
        let three = groups(&names, 3, &meet);
        let wanted = [
            ["a", "a", "a"],
            ["a", "a", "b"],
            ["a", "b", "b"],
            ["b", "b", "b"],
        ];
        assert_eq!(three, wanted);
    }
}
