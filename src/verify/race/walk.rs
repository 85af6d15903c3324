//! Schedules by chance, where there are more than can all be tried.

use super::schedule::Choice;
use crate::verify::seed::Random;

/// How the next step is picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// By how much each session has still to do, so that every order is about as likely as any other (URW: Zhao et al., "Selectively
    /// Uniform Concurrency Testing", ASPLOS 2025).
    Uniform,
    /// The session of the highest priority; at so many points but one the one that runs falls to the lowest (PCT: Burckhardt et al.,
    /// "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).
    Pct(usize),
}

/// One walk.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub manner: Manner,
    pub seed: u64,
    /// Steps of all sessions together, as many as there are without retries.
    pub steps: usize,
}

/// A walk under way.
#[derive(Debug)]
pub(super) struct Walker {
    manner: Manner,
    random: Random,
    /// By session; the highest goes.
    priorities: Vec<i64>,
    /// Steps after which whoever runs falls behind.
    changes: Vec<usize>,
    taken: usize,
}

impl Walk {
    pub(super) fn begin(&self, sessions: usize) -> Walker {
        let mut random = Random::for_part(self.seed, "walk");
        let mut priorities: Vec<i64> = (1..=sessions as i64).collect();
        for at in (1..sessions).rev() {
            priorities.swap(at, random.below(at + 1));
        }
        let changes = match self.manner {
            Manner::Uniform => Vec::new(),
            Manner::Pct(depth) => (1..depth)
                .map(|_| random.below(self.steps.max(1)))
                .collect(),
        };
        Walker {
            manner: self.manner,
            random,
            priorities,
            changes,
            taken: 0,
        }
    }
}

impl Walker {
    /// One of the options; `left`: the steps that a session has still to take.
    pub(super) fn pick(&mut self, options: &[Choice], left: &dyn Fn(usize) -> usize) -> usize {
        let session = |choice: &Choice| match choice {
            Choice::Step(at) | Choice::Victim(at) | Choice::Wake(at) => *at,
        };
        let picked = match self.manner {
            Manner::Uniform => {
                let weights: Vec<usize> = options.iter().map(|o| left(session(o)).max(1)).collect();
                let mut wanted = self.random.below(weights.iter().sum());
                let position = weights.iter().position(|weight| {
                    let here = wanted < *weight;
                    wanted = wanted.saturating_sub(*weight);
                    here
                });
                position.unwrap_or(0)
            }
            Manner::Pct(_) => {
                let best =
                    (0..options.len()).max_by_key(|at| self.priorities[session(&options[*at])]);
                best.unwrap_or(0)
            }
        };
        if let Some(at) = self.changes.iter().position(|step| *step == self.taken) {
            let lowest = self.priorities.iter().min().copied().unwrap_or(0);
            self.priorities[session(&options[picked])] = lowest - 1;
            self.changes.remove(at);
        }
        self.taken += 1;
        picked
    }
}

/// At most how likely it is that so many PCT walks of depth 2 miss what a wrong order of two steps brings about: (1 - 1/(n k))^walks
/// with n sessions and k steps.
pub(super) fn miss(sessions: usize, steps: usize, walks: usize) -> f64 {
    let hit = 1.0 / (sessions.max(1) * steps.max(1)) as f64;
    (1.0 - hit).powi(i32::try_from(walks).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(manner: Manner) -> std::collections::BTreeMap<String, usize> {
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..2000 {
            let walk = Walk {
                manner,
                seed,
                steps: 4,
            };
            let mut walker = walk.begin(2);
            let mut left = [2, 2];
            let mut order = String::new();
            while left.iter().sum::<usize>() > 0 {
                let open = (0..2).filter(|at| left[*at] > 0);
                let options: Vec<Choice> = open.map(Choice::Step).collect();
                let picked = walker.pick(&options, &|at| left[at]);
                let Choice::Step(at) = options[picked] else {
                    continue;
                };
                left[at] -= 1;
                order.push(if at == 0 { 'A' } else { 'B' });
            }
            *seen.entry(order).or_default() += 1;
        }
        seen
    }

    #[test]
    fn a_uniform_walk_takes_every_order_about_as_often() {
        let seen = orders(Manner::Uniform);
        assert_eq!(seen.len(), 6);
        assert!(
            seen.values().all(|count| (250..420).contains(count)),
            "{seen:?}"
        );
    }

    #[test]
    fn a_walk_by_priorities_changes_only_where_it_says() {
        let seen = orders(Manner::Pct(2));
        // One change of mind: never ABAB or BABA.
        assert!(
            !seen.contains_key("ABAB") && !seen.contains_key("BABA"),
            "{seen:?}"
        );
        assert!(
            seen.contains_key("ABBA") && seen.contains_key("AABB"),
            "{seen:?}"
        );
    }

    #[test]
    fn the_chance_to_miss_falls_with_every_walk() {
        assert!((miss(2, 6, 0) - 1.0).abs() < 1e-9);
        assert!(miss(3, 9, 200) < 0.001);
    }
}
