//! Pairs of designs: one at random from the whole language, and what somebody made of it; with rows that obey both as far as they can.

pub mod dice;
pub mod edit;
pub mod kept;
pub mod make;
pub mod parts;
pub mod rows;
pub mod tidy;
pub mod write;

use dice::Dice;
use parts::Design;

/// Two designs, one of them edited from the other.
pub struct Pair {
    pub old: Design,
    pub new: Design,
    /// What was done, for people.
    pub edits: Vec<&'static str>,
}

impl Pair {
    /// The pair of a seed.
    pub fn of(seed: u64) -> Pair {
        let dice = &mut Dice::new(seed);
        let first = make::design(dice);
        let mut other = first.clone();
        dice.fresh_names = true;
        let wanted = 1 + dice.below(6);
        let mut edits = Vec::new();
        for _ in 0..40 {
            if edits.len() == wanted {
                break;
            }
            edits.extend(edit::edit(&mut other, dice));
            tidy::tidy(&mut other);
        }
        // Every edit is one that somebody may want to make the other way round.
        if dice.chance(30) {
            edits.push("the other way round");
            return Pair {
                old: other,
                new: first,
                edits,
            };
        }
        Pair {
            old: first,
            new: other,
            edits,
        }
    }
}
