//! Which claims are tried: not those whose evidence is known, nor those of another shard.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::finding::Method;

/// One of several runs that share the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// From 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether what there is only once, and is not a claim, is told here.
    pub fn is_first(self) -> bool {
        self.number == 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parsed = text
            .split_once('/')
            .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
            _ => Err("write K/N, the K-th of N shares: 1/4, 2/4, 3/4, 4/4".to_owned()),
        }
    }
}

/// Which claims of one design are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Evidence that is known.
    pub(super) known: BTreeSet<(Method, String)>,
    /// Methods of which everything is known.
    pub(super) done: BTreeSet<Method>,
    /// Whether it is known that the server accepts every statement of the design.
    pub(super) statements_accepted: bool,
    /// One of several runs.
    pub shard: Option<Shard>,
}

impl Part {
    /// Everything, or a shard of it.
    pub fn of(shard: Option<Shard>) -> Part {
        Part {
            shard,
            ..Part::default()
        }
    }

    /// Whether nothing is left to try by a method.
    pub(super) fn is_done(&self, method: Method) -> bool {
        self.done.contains(&method)
    }

    /// Whether the statements of the design are put to the server.
    pub(super) fn wants_statements(&self) -> bool {
        !self.statements_accepted && self.shard.is_none_or(Shard::is_first)
    }

    /// Those of all subjects of a method, each once, that are tried.
    pub(super) fn wanted<'s>(
        &self,
        method: Method,
        subjects: impl IntoIterator<Item = &'s str>,
    ) -> BTreeSet<String> {
        let mut wanted = self.share(method, subjects);
        wanted.retain(|subject| !self.known.contains(&(method, subject.clone())));
        wanted
    }

    /// Those of all subjects of a method that belong to this shard. Each shard gets as many of each method as any other, to
    /// within one, and which it gets depends on the names alone.
    pub(super) fn share<'s>(
        &self,
        method: Method,
        subjects: impl IntoIterator<Item = &'s str>,
    ) -> BTreeSet<String> {
        let subjects: BTreeSet<&str> = subjects.into_iter().collect();
        let Some(shard) = self.shard else {
            return subjects.into_iter().map(str::to_owned).collect();
        };
        let mut dealt: Vec<(u64, &str)> = subjects
            .into_iter()
            .map(|subject| (number(method, subject), subject))
            .collect();
        dealt.sort_unstable();
        // Begins elsewhere for each method, so that the first shard does not get every odd one.
        let begin = number(method, "") % u64::from(shard.of);
        let mine = u64::from(shard.number - 1);
        dealt
            .into_iter()
            .zip(begin..)
            .filter(|(_, at)| at % u64::from(shard.of) == mine)
            .map(|((_, subject), _)| subject.to_owned())
            .collect()
    }
}

/// A number that tells claims apart, without an order of its own.
fn number(method: Method, subject: &str) -> u64 {
    let digest = Sha256::digest(format!("{}/{subject}", method.word()));
    digest[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(text: &str) -> Shard {
        text.parse().expect("a shard")
    }

    #[test]
    fn shards_are_written_as_fractions() {
        assert_eq!((shard("2/3").number(), shard("2/3").of()), (2, 3));
        for wrong in ["0/3", "4/3", "1", "1/0", "a/b", "1/2/3", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_claim_is_in_one_shard_and_shards_are_alike() {
        let names: Vec<String> = (0..23).map(|at| format!("invariant i{at}")).collect();
        for of in 1..6 {
            let mut all = BTreeSet::new();
            for k in 1..=of {
                let part = Part::of(Some(shard(&format!("{k}/{of}"))));
                let own = part.share(Method::Race, names.iter().map(String::as_str));
                assert!(own.len() >= 23 / of && own.len() <= 23 / of + 1);
                for subject in own {
                    assert!(all.insert(subject), "twice");
                }
            }
            assert_eq!(all.len(), 23);
        }
    }

    #[test]
    fn what_is_known_is_not_tried() {
        let mut part = Part::default();
        part.known.insert((Method::Race, "invariant a".to_owned()));
        let wanted = part.wanted(Method::Race, ["invariant a", "invariant b"]);
        assert_eq!(wanted, BTreeSet::from(["invariant b".to_owned()]));
        let others = part.wanted(Method::Mutate, ["invariant a"]);
        assert_eq!(others.len(), 1);
    }
}
