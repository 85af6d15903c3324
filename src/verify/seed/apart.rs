//! Rows that an exclusion constraint keeps apart: an interval is put where none of its group is. Drawn at random, most of them would be
//! refused, and those that are left would tell of another table than the design does.

use std::collections::HashMap;

use super::evaluate::Value;
use super::kind::Kind;
use super::random::Random;
use super::shape::{Column, Shape};
use super::spread::{Spread, least, scalar};
use crate::catalog::Exclusion;
use crate::sql::{Expression, Ident, parse_expression};

/// How much of the time the intervals of an average group take.
const FILLED: f64 = 0.25;

/// How often another place is tried.
const TRIES: usize = 12;

/// An exclusion of rows whose intervals overlap, each group by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Apart {
    pub same: Vec<Ident>,
    pub from: Ident,
    /// Nothing where `from` is a range.
    pub to: Option<Ident>,
}

/// What an exclusion keeps apart; nothing where it is of another kind.
pub(super) fn apart(exclusion: &Exclusion) -> Option<Apart> {
    let (mut same, mut interval) = (Vec::new(), None);
    for (expression, operator) in &exclusion.elements {
        let expression = parse_expression(expression.as_str())?;
        match (operator.as_str(), expression) {
            ("=", Expression::Column(name)) => same.push(name),
            ("&&", Expression::Column(name)) => interval = Some((name, None)),
            ("&&", Expression::Call(name, ends)) if name.ends_with("range") => {
                let [Expression::Column(from), Expression::Column(to), ..] = ends.as_slice() else {
                    return None;
                };
                interval = Some((from.clone(), Some(to.clone())));
            }
            _ => return None,
        }
    }
    let (from, to) = interval?;
    Some(Apart { same, from, to })
}

/// Intervals that are taken already, by what tells the groups apart.
pub(super) struct Taken {
    same: Vec<usize>,
    from: usize,
    to: Option<usize>,
    kind: Kind,
    ends: (f64, f64),
    /// Of an interval, where those of a group fill the time as far as [`FILLED`].
    length: f64,
    by: HashMap<Vec<Option<String>>, Vec<(f64, f64)>>,
}

impl Taken {
    /// `each`: rows of a group, on average.
    pub(super) fn new(
        apart: &Apart,
        shape: &Shape,
        spreads: &[(&Column, Spread)],
        each: f64,
    ) -> Option<Taken> {
        let place = |name: &Ident| spreads.iter().position(|(column, _)| column.name == *name);
        let from = place(&apart.from)?;
        let to = apart.to.as_ref().map(place);
        let kind = match &shape.column(&apart.from)?.kind {
            Kind::Range(of) if to.is_none() => (**of).clone(),
            kind => kind.clone(),
        };
        let ends = spreads.get(from)?.1.ends()?;
        Some(Taken {
            same: apart.same.iter().map(place).collect::<Option<_>>()?,
            from,
            to: match to {
                Some(to) => Some(to?),
                None => None,
            },
            length: ((ends.1 - ends.0) * FILLED / each.max(1.0)).max(least(&kind)),
            kind,
            ends,
            by: HashMap::new(),
        })
    }

    fn read(&self, text: &str) -> Option<f64> {
        match Value::read(Some(text), &self.kind) {
            Value::Time(at) | Value::Number(at) => Some(at),
            _ => None,
        }
    }

    /// As it will be written, which may be coarser.
    fn written(&self, value: f64) -> f64 {
        if let Kind::Timestamp { .. } = self.kind {
            return (value * 1e6).floor() / 1e6;
        }
        self.read(&scalar(&self.kind, value)).unwrap_or(value)
    }

    /// Where the row's interval begins and ends; an end that is not there yet is infinite.
    fn drawn(&self, row: &[Option<String>]) -> Option<(f64, f64)> {
        let from = row[self.from].as_deref()?;
        let Some(to) = self.to else {
            let (from, to) = from.trim_start_matches('[').split_once(',')?;
            return Some((self.read(from)?, self.read(to.trim_end_matches(')'))?));
        };
        let to = match row[to].as_deref() {
            Some(to) => self.read(to)?,
            None => f64::INFINITY,
        };
        Some((self.read(from)?, to))
    }

    /// Puts the row's interval where its group has room, where it was drawn if it can. False where there is none.
    pub(super) fn put(&mut self, row: &mut [Option<String>], random: &mut Random) -> bool {
        // Null overlaps nothing, and what is not understood is the server's to judge.
        let Some(drawn) = self.drawn(row) else {
            return true;
        };
        let group: Vec<_> = self.same.iter().map(|at| row[*at].clone()).collect();
        let taken = self.by.get(&group).map(Vec::as_slice).unwrap_or_default();
        let Some((from, to)) = self.place(drawn, taken, random) else {
            return false;
        };
        self.by.entry(group).or_default().push((from, to));
        let text = |value: f64| scalar(&self.kind, value);
        match self.to {
            None => row[self.from] = Some(format!("[{},{})", text(from), text(to))),
            Some(at) => {
                row[self.from] = Some(text(from));
                row[at] = to.is_finite().then(|| text(to));
            }
        }
        true
    }

    fn place(
        &self,
        (from, to): (f64, f64),
        taken: &[(f64, f64)],
        random: &mut Random,
    ) -> Option<(f64, f64)> {
        if to.is_infinite() {
            // What has not ended comes after all that has.
            let last = taken.iter().map(|(_, to)| *to).fold(from, f64::max);
            if last <= self.ends.1 {
                return Some((last, to));
            }
        }
        let mut start = from;
        for _ in 0..TRIES {
            let is_free = taken.iter().all(|(from, to)| start < *from || start >= *to);
            let later = taken.iter().map(|(from, _)| *from);
            let next = later
                .filter(|from| *from >= start)
                .fold(f64::INFINITY, f64::min);
            let length = self.length * (0.25 + 0.75 * random.share());
            let end = match start == from && to > from && to - from <= self.length {
                true => to,
                false => self.written(start + length).max(start + least(&self.kind)),
            };
            let end = end.min(next);
            if is_free && end > start {
                return Some((start, end));
            }
            start = self.written(self.ends.0 + (self.ends.1 - self.ends.0) * random.share());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::SqlText;

    fn taken() -> Taken {
        Taken {
            same: vec![0],
            from: 1,
            to: Some(2),
            kind: Kind::Integer { low: 0, high: 1000 },
            ends: (0.0, 1000.0),
            length: 20.0,
            by: HashMap::new(),
        }
    }

    #[test]
    fn intervals_of_a_group_never_overlap() {
        let (mut taken, mut random) = (taken(), Random::for_part(1, "apart"));
        let mut rows = Vec::new();
        for number in 0..20 {
            let from = (number * 7 % 900).to_string();
            let to = (number != 9).then(|| "950".to_owned());
            let mut row = vec![Some("a".to_owned()), Some(from), to];
            if taken.put(&mut row, &mut random) {
                rows.push(taken.drawn(&row).expect("an interval"));
            }
        }
        assert!(rows.len() > 15, "{rows:?}");
        assert_eq!(rows.iter().filter(|(_, to)| to.is_infinite()).count(), 1);
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(
            rows.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "{rows:?}"
        );
        assert!(rows.iter().all(|(from, to)| from < to), "{rows:?}");
    }

    #[test]
    fn what_fits_stays_where_it_was_drawn() {
        let (mut taken, mut random) = (taken(), Random::for_part(1, "apart"));
        let row = ["a", "10", "25"].map(|text| Some(text.to_owned()));
        let mut put = row.clone();
        assert!(taken.put(&mut put, &mut random));
        assert_eq!(put, row);
    }

    #[test]
    fn exclusions_of_intervals_are_read() {
        let excluded = |elements: &[(&'static str, &str)]| {
            let elements = elements.iter();
            apart(&Exclusion {
                method: Ident::new("gist"),
                elements: elements
                    .map(|(text, operator)| (SqlText::authored(*text), (*operator).to_owned()))
                    .collect(),
                predicate: None,
                deferred: false,
            })
        };
        let found = excluded(&[("room_id", "="), ("tstzrange(starts_at, ends_at)", "&&")]);
        let found = found.expect("an exclusion of intervals");
        assert_eq!(found.same, [Ident::new("room_id")]);
        assert_eq!(found.to, Some(Ident::new("ends_at")));
        let found = excluded(&[("valid", "&&")]).expect("an exclusion of ranges");
        assert_eq!((found.from, found.to), (Ident::new("valid"), None));
        assert_eq!(excluded(&[("area", "<->")]), None);
    }
}
