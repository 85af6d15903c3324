//! How a column's values are spread at a volume that nobody loads: the same reading of the design as the sample's, in numbers.

use super::kind::{Kind, text_to_seconds};
use super::maker::Maker;
use super::shape::{Column, Reference, Shape};
use super::spread::Spread;
use crate::sql::Ident;

/// How the values of a column that are not null are spread.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Profile {
    /// Every row has its own.
    Unique,
    /// Drawn from so many; the k-th of them is met in proportion to `k^-exponent`, where 0 is uniform.
    Drawn {
        /// Different values there are to choose from.
        size: f64,
        /// Zipf's exponent.
        exponent: f64,
    },
    /// These values, with shares that add up to 1.
    Listed(Vec<(String, f64)>),
}

/// Where there are so many times more values than rows, hardly two rows share one.
const PLENTY: f64 = 1_000.0;
/// References are followed so far: a key that refers to a key that refers to a key.
const DEPTH: usize = 8;

impl Maker {
    /// What the design says, or what keys, references and conditions imply; nothing where it is silent, as the sample is then as good a
    /// guess as any. `rows`: of each table at that volume.
    pub(crate) fn profile(
        &self,
        table: &Ident,
        column: &Ident,
        rows: &dyn Fn(&Ident) -> f64,
    ) -> Option<Profile> {
        self.profile_below(table, column, rows, DEPTH)
    }

    /// The most common values of a skewed column, most common first, as the sample has them: rank by rank.
    pub(crate) fn ranked(&self, table: &Ident, name: &Ident, many: usize) -> Option<Vec<String>> {
        self.ranked_below(table, name, many, DEPTH)
    }

    fn ranked_below(
        &self,
        table: &Ident,
        name: &Ident,
        many: usize,
        depth: usize,
    ) -> Option<Vec<String>> {
        let shape = self.shapes.get(table)?;
        let column = shape.column(name)?;
        if let Some(reference) = shortest(shape, name) {
            let at = reference.columns.iter().position(|known| known == name)?;
            let key = reference.key.get(at)?;
            let parent = self.shapes.get(&reference.to)?.column(key)?;
            let is_numbered = parent.data == Default::default() && parent.keyed;
            let value = |rank: usize| parent.kind.value(rank as i64 + 1, parent.name.as_str());
            return match (is_numbered, depth) {
                (true, _) => Some((0..many).map(value).collect()),
                (false, 0) => None,
                // What is common among the parents is among their children.
                (false, _) => self.ranked_below(&reference.to, key, many, depth - 1),
            };
        }
        let spread = Spread::new(column, &shape.checks, usize::MAX);
        (0..many).map(|rank| spread.ranked(rank)).collect()
    }

    /// The correlation with the physical order that the design declares.
    pub(crate) fn correlation(&self, table: &Ident, column: &Ident) -> Option<f64> {
        self.shapes.get(table)?.column(column)?.data.correlation
    }

    fn profile_below(
        &self,
        table: &Ident,
        name: &Ident,
        rows: &dyn Fn(&Ident) -> f64,
        depth: usize,
    ) -> Option<Profile> {
        let shape = self.shapes.get(table)?;
        let column = shape.column(name)?;
        let own = rows(table).max(1.0);
        let exponent = column.data.skew.unwrap_or(0.0);
        let declared = column.data.distinct.map(|distinct| match distinct < 1.0 {
            true => (distinct * own).max(1.0),
            false => distinct.min(own),
        });
        if shape.primary_key.as_slice() == std::slice::from_ref(name) {
            return Some(Profile::Unique);
        }
        if !column.data.values.is_empty() {
            let values = column.data.values.iter();
            return listed(values.map(|(value, share)| (column.kind.widen(value), *share)));
        }
        if let Some(reference) = shortest(shape, name) {
            let at = reference.columns.iter().position(|known| known == name)?;
            let key = reference.key.get(at)?;
            let parents = rows(&reference.to).max(1.0);
            let of_parent = match depth {
                0 => None,
                _ => self.profile_below(&reference.to, key, rows, depth - 1),
            };
            let size = declared.map_or(parents, |declared| declared.min(parents));
            return match of_parent {
                // Each parent stands for itself.
                Some(Profile::Unique) => Some(Profile::Drawn { size, exponent }),
                // Several parents share the value: their shares are the children's, unless the design says otherwise.
                Some(shared) if declared.is_none() && exponent == 0.0 => Some(shared),
                Some(Profile::Drawn { size, .. }) if declared.is_none() => {
                    Some(Profile::Drawn { size, exponent })
                }
                _ => declared.map(|size| Profile::Drawn { size, exponent }),
            };
        }
        if let Some(size) = declared {
            return Some(match size >= own && exponent == 0.0 {
                true => Profile::Unique,
                false => Profile::Drawn { size, exponent },
            });
        }
        if let Some((low, high)) = &column.data.range {
            let size = steps(&column.kind, low, high)?.max(1.0);
            return Some(match exponent == 0.0 {
                true if size >= own * PLENTY => Profile::Unique,
                true => Profile::Drawn { size, exponent },
                // A skewed column takes as many values as there are rows, at most.
                false => Profile::Drawn {
                    size: size.min(own),
                    exponent,
                },
            });
        }
        if !column.allowed.is_empty() {
            return listed(column.allowed.iter().map(|value| (value.clone(), 1.0)));
        }
        is_time(column).then_some(match exponent == 0.0 {
            true => Profile::Unique,
            false => Profile::Drawn {
                size: own,
                exponent,
            },
        })
    }
}

/// The reference that says most of a column: a tenant is one of all tenants before it is one of those who have cases.
fn shortest<'s>(shape: &'s Shape, name: &Ident) -> Option<&'s Reference> {
    let references = shape.references.iter();
    let own = references.filter(|reference| reference.columns.contains(name));
    own.min_by_key(|reference| reference.columns.len())
}

fn is_time(column: &Column) -> bool {
    matches!(column.kind, Kind::Timestamp { .. })
}

fn listed(values: impl Iterator<Item = (String, f64)>) -> Option<Profile> {
    let values: Vec<(String, f64)> = values.collect();
    let total: f64 = values.iter().map(|(_, share)| share).sum();
    let part = |(value, share): (String, f64)| (value, share / total);
    (total > 0.0).then(|| Profile::Listed(values.into_iter().map(part).collect()))
}

/// Different values between two bounds.
pub(super) fn steps(kind: &Kind, low: &str, high: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    match kind {
        Kind::Date => Some((text_to_seconds(high)? - text_to_seconds(low)?) / 86_400.0 + 1.0),
        // Microseconds.
        Kind::Timestamp { .. } => {
            Some((text_to_seconds(high)? - text_to_seconds(low)?) * 1e6 + 1.0)
        }
        Kind::Integer { .. } => Some(number(high)? - number(low)? + 1.0),
        Kind::Decimal { scale, .. } => {
            Some((number(high)? - number(low)?) * 10f64.powi(*scale as i32) + 1.0)
        }
        Kind::Float => Some(f64::MAX),
        _ => None,
    }
}
