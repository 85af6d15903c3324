//! Rows that differ from the plainest ones, for starting points nobody thought of.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::{Row, evaluate};
use super::maker::{Maker, NewRow, Values};
use super::shape::{Column, Default, Shape};
use crate::sql::Ident;

impl Maker {
    /// Columns of a table that can be written.
    pub fn columns(&self, table: &Ident) -> Vec<Ident> {
        let columns = self
            .shapes
            .get(table)
            .map(|shape| shape.columns.as_slice())
            .unwrap_or_default();
        columns
            .iter()
            .filter(|column| column.default != Default::Generated)
            .map(|column| column.name.clone())
            .collect()
    }

    /// The columns by which a row refers to others, with their values.
    pub fn reference_values(&self, row: &NewRow) -> Values {
        let references = self
            .shapes
            .get(&row.table)
            .map(|shape| shape.references.as_slice())
            .unwrap_or_default();
        let mut values = Values::new();
        for column in references.iter().flat_map(|reference| &reference.columns) {
            if !values.iter().any(|(name, _)| name == column) {
                values.extend(
                    self.known(row, column)
                        .map(|value| (column.clone(), Some(value))),
                );
            }
        }
        values
    }

    /// A change of a row, with what the table's conditions tie to it changed as well: closing a period counts its postings.
    pub fn adjusted(&self, row: &NewRow, set: &Values) -> Values {
        let Some(shape) = self.shapes.get(&row.table) else {
            return set.clone();
        };
        let mut tied: BTreeSet<Ident> = BTreeSet::new();
        for check in shape.checks.iter().map(|check| check.columns()) {
            if set.iter().any(|(name, _)| check.contains(name)) {
                tied.extend(check);
            }
        }
        let mut fixed: BTreeMap<Ident, Option<String>> =
            row.clone().at_once().values.into_iter().collect();
        fixed.retain(|name, _| !tied.contains(name) || shape.primary_key.contains(name));
        fixed.extend(set.iter().cloned());
        let solved = self.solve(shape, &fixed, &[], 0);
        let mut adjusted = set.clone();
        for column in tied.iter().filter(|name| !fixed.contains_key(*name)) {
            if let Some(Some(value)) = solved.get(column).map(|candidate| &candidate.given) {
                adjusted.push((column.clone(), value.clone()));
            }
        }
        adjusted
    }

    /// Adds another parent for the reference that `column` of a row is part of; the values by which the row would refer to it.
    pub fn other_parent(
        &self,
        rows: &mut Vec<NewRow>,
        row: &NewRow,
        column: &Ident,
        distinct: u64,
    ) -> Option<Values> {
        let shape = self.shapes.get(&row.table)?;
        let reference = shape
            .references
            .iter()
            .find(|reference| reference.columns.contains(column))?;
        let at = self.add(rows, &reference.to, &[], distinct)?;
        let parent = rows[at].clone();
        let pairs = reference.columns.iter().zip(&reference.key);
        pairs
            .map(|(column, key)| Some((column.clone(), Some(self.known(&parent, key)?))))
            .collect()
    }

    /// Adds a row whose parents are among those that are there and whose values are picked by number: the same number, the
    /// same row. What a condition forbids falls back to the plainest value.
    pub fn add_varied(
        &self,
        rows: &mut Vec<NewRow>,
        table: &Ident,
        distinct: u64,
        pick: u64,
    ) -> Option<usize> {
        let shape = self.shapes.get(table)?;
        let mut turn = Turn(pick);
        let mut overrides = self.parents_there(rows, shape, &mut turn);
        let referring: BTreeSet<&Ident> = shape
            .references
            .iter()
            .flat_map(|reference| &reference.columns)
            .collect();
        for column in &shape.columns {
            let given = overrides.iter().any(|(name, _)| *name == column.name);
            let fixed = column.keyed
                || referring.contains(&column.name)
                || column.default == Default::Generated;
            if !given && !fixed {
                overrides.extend(self.varied(shape, column, &mut turn));
            }
        }
        let key: Values = overrides
            .iter()
            .filter(|(name, _)| referring.contains(name))
            .cloned()
            .collect();
        while let Some(wrong) = self.first_wrong(shape, &overrides, distinct) {
            let before = overrides.len();
            overrides.retain(|(name, _)| {
                !wrong.contains(name) || key.iter().any(|(known, _)| known == name)
            });
            if overrides.len() == before {
                return None;
            }
        }
        self.add(rows, table, &overrides, distinct)
    }

    fn parents_there(&self, rows: &[NewRow], shape: &Shape, turn: &mut Turn) -> Values {
        let mut values = Values::new();
        for reference in &shape.references {
            let agrees = |row: &&NewRow| {
                row.table == reference.to
                    && reference
                        .columns
                        .iter()
                        .zip(&reference.key)
                        .all(|(column, key)| {
                            let fixed = values.iter().find(|(name, _)| name == column);
                            fixed.is_none_or(|(_, value)| *value == self.known(row, key))
                        })
            };
            let parents: Vec<&NewRow> = rows.iter().filter(agrees).collect();
            if parents.is_empty() || reference.to == shape.name.name {
                continue;
            }
            let parent = parents[turn.below(parents.len())];
            for (column, key) in reference.columns.iter().zip(&reference.key) {
                if !values.iter().any(|(name, _)| name == column) {
                    values.push((column.clone(), self.known(parent, key)));
                }
            }
        }
        values.retain(|(_, value)| value.is_some());
        values
    }

    fn varied(
        &self,
        shape: &Shape,
        column: &Column,
        turn: &mut Turn,
    ) -> Option<(Ident, Option<String>)> {
        let states = shape
            .lifecycle
            .as_ref()
            .filter(|lifecycle| lifecycle.column == column.name);
        if let Some(lifecycle) = states {
            let mut all: Vec<&String> = lifecycle.initial.iter().collect();
            all.extend(
                lifecycle
                    .allow
                    .iter()
                    .flat_map(|(from, to)| std::iter::once(from).chain(to)),
            );
            let unique: BTreeSet<&String> = all.into_iter().collect();
            let state = unique.iter().nth(turn.below(unique.len()))?;
            return Some((column.name.clone(), Some((*state).clone())));
        }
        let candidates = self.candidates(shape, column, 0, 0);
        let picked = candidates.get(turn.below(candidates.len().min(4)))?;
        Some((column.name.clone(), picked.given.clone()?))
    }

    /// Columns of a condition that the row would break.
    fn first_wrong(
        &self,
        shape: &Shape,
        overrides: &Values,
        distinct: u64,
    ) -> Option<BTreeSet<Ident>> {
        let fixed: BTreeMap<Ident, Option<String>> = overrides.iter().cloned().collect();
        let solved = self.solve(shape, &fixed, &[], distinct);
        let row: Row = solved
            .into_iter()
            .map(|(name, candidate)| (name, candidate.value))
            .collect();
        let wrong = shape
            .checks
            .iter()
            .find(|check| evaluate(check, &row).passes() == Some(false));
        wrong.map(|check| check.columns())
    }
}

/// Small choices out of one number.
struct Turn(u64);

impl Turn {
    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        self.0 = self
            .0
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(23)
            .wrapping_add(0x2545_f491);
        ((self.0 >> 33) % bound as u64) as usize
    }
}
