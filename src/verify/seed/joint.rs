//! Columns whose values hang together, as `statistics:` of a table say.
//!
//! One column leads: for each of its values there are as many combinations as make up the number that is declared, and the values of the
//! other columns follow from the value that leads and the number of the combination. Each is drawn as the column's own values are spread, so
//! that its shares stay about what they were.

use std::collections::{BTreeSet, HashMap};

use super::maker::Maker;
use super::profile::Profile;
use super::random::Random;
use super::shape::{Column, Shape};
use super::spread::Spread;
use crate::sql::Ident;

/// What a design says of columns together.
#[derive(Clone, Debug)]
pub(super) struct Together {
    pub columns: Vec<Ident>,
    /// Different combinations.
    pub distinct: f64,
}

/// How rows come to have so many combinations. Columns by their place in a row.
#[derive(Clone, Debug)]
pub(super) struct Joint {
    lead: usize,
    followers: Vec<usize>,
    /// Combinations for each value that leads.
    each: f64,
}

impl Joint {
    /// Reads what is declared, in the order in which rows are given their combinations: a column that follows may lead others. Those of keys and
    /// references have their values from elsewhere, and one follows once.
    pub(super) fn all(maker: &Maker, shape: &Shape, index: &HashMap<&Ident, usize>) -> Vec<Joint> {
        let mut taken: BTreeSet<&Ident> = bound(shape).collect();
        let together = shape.together.iter();
        let mut leads: Vec<_> = together
            .filter_map(|together| Some((maker.lead(shape, together)?, together)))
            .collect();
        leads.sort_by(|(one, _), (other, _)| other.1.total_cmp(&one.1));
        let mut found = Vec::new();
        for ((lead, values), together) in leads {
            let follows = |name: &&Ident| {
                let is_keyed = shape.column(name).is_none_or(|column| column.keyed);
                **name != lead && !taken.contains(*name) && !is_keyed
            };
            let followers: Vec<&Ident> = together.columns.iter().filter(follows).collect();
            let places = followers
                .iter()
                .filter_map(|name| index.get(*name).copied());
            let places: Vec<usize> = places.collect();
            taken.extend(followers);
            if let Some(lead) = index.get(&lead).filter(|_| !places.is_empty()) {
                found.push(Joint {
                    lead: *lead,
                    followers: places,
                    each: (together.distinct / values.max(1.0)).max(1.0),
                });
            }
        }
        found
    }

    /// Gives a row one of the combinations that its leading value has.
    pub(super) fn follow(
        &self,
        row: &mut [Option<String>],
        (number, position): (usize, f64),
        spreads: &[(&Column, Spread)],
        random: &mut Random,
    ) {
        let value = row[self.lead].clone().unwrap_or_default();
        let mut own = Random::for_part(0, &value);
        // Where there are one and a half for each value, every second value has two.
        let many = self.each.floor() as usize + usize::from(own.share() < self.each.fract());
        let which = random.below(many) as u64;
        let mut own = Random::for_part(own.next() ^ which, &value);
        for at in &self.followers {
            row[*at] = spreads[*at].1.value(number, position, &mut own);
        }
    }
}

fn bound(shape: &Shape) -> impl Iterator<Item = &Ident> {
    shape.references.iter().flat_map(|r| &r.columns)
}

impl Maker {
    /// How many combinations of these columns a table of so many rows has, where the design says it: of all that it speaks of together, or
    /// of some among which is the one that the others follow.
    pub(crate) fn combinations(
        &self,
        table: &Ident,
        columns: &[Ident],
        rows: f64,
    ) -> Option<Profile> {
        let shape = self.shapes.get(table)?;
        shape.together.iter().find_map(|together| {
            let lead = self.lead(shape, together)?.0;
            let has_all = columns.iter().all(|name| together.columns.contains(name));
            let is_whole = columns.len() == together.columns.len();
            if !has_all || !(is_whole || columns.contains(&lead)) {
                return None;
            }
            // Each value that leads has about as many combinations as the next.
            let skew = shape.column(&lead)?.data.skew;
            Some(Profile::Drawn {
                size: together.distinct.min(rows),
                exponent: skew.unwrap_or(0.0),
            })
        })
    }

    /// The column that the others follow, with how many values it has: one whose values come from another table, else the one with the most.
    fn lead(&self, shape: &Shape, together: &Together) -> Option<(Ident, f64)> {
        let rows = |table: &Ident| self.shapes.get(table).map_or(0.0, |shape| shape.rows);
        let values = |name: &Ident| {
            let column = shape.column(name)?;
            let own = shape.rows.max(1.0);
            let many = match self.profile(&shape.name.name, name, &rows) {
                Some(Profile::Unique) => own,
                Some(Profile::Drawn { size, .. }) => size.min(own),
                Some(Profile::Listed(values)) => values.len() as f64,
                None => Spread::new(column, &shape.checks, own as usize)
                    .size()
                    .min(own),
            };
            Some((name.clone(), many))
        };
        let all: Option<Vec<(Ident, f64)>> = together.columns.iter().map(values).collect();
        let is_bound = |name: &Ident| bound(shape).any(|other| other == name);
        let rank = |one: &(Ident, f64)| (is_bound(&one.0), one.1);
        let order = |one: &(bool, f64), other: &(bool, f64)| {
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
        };
        all?.into_iter()
            .max_by(|one, other| order(&rank(one), &rank(other)))
    }
}
