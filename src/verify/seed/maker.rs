//! Makes legal rows for any design.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::companion::Companion;
use super::evaluate::{Row, evaluate};
use super::kind::Kind;
use super::shape::{Column, Default, Lifecycle, Reference, Shape, shapes};
use super::solve::{Candidate, choose, mentioned};
use crate::catalog::Catalog;
use crate::design::{Model, State};
use crate::sql::{self, Expression, Ident, SqlText};

/// Columns with their values as text; `None` is NULL.
pub type Values = Vec<(Ident, Option<String>)>;

/// A row that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// Table, in the design's schema.
    pub table: Ident,
    /// What INSERT names; the server fills the rest.
    pub values: Values,
    /// Updates after all inserts, in order: the way to a state that no row may start in.
    pub then: Vec<Values>,
    /// Whether it was asked for, not made because another row needs it.
    pub asked: bool,
}

impl NewRow {
    /// What a column has in the end; `None` where the server decides.
    pub fn value(&self, column: &Ident) -> Option<&Option<String>> {
        let later = self.then.iter().rev().chain([&self.values]);
        later
            .flat_map(|values| values.iter())
            .find(|(name, _)| name == column)
            .map(|(_, value)| value)
    }
}

impl NewRow {
    /// The same row written in one go, whether or not rows may start that way.
    pub fn at_once(mut self) -> NewRow {
        for (name, value) in std::mem::take(&mut self.then).into_iter().flatten() {
            match self.values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value,
                None => self.values.push((name, value)),
            }
        }
        self
    }
}

/// Distance between the numbers of parents that one row has in the same table.
const APART: u64 = 1000;
/// Where values begin that would otherwise come from a sequence, so that the two do not meet.
const BEYOND_SEQUENCE: i64 = 1000;
/// How far references are followed for a value.
const DEPTH: usize = 12;
/// So many rows come with another at most: rows that need one another would need more without end.
pub(super) const MOST: usize = 500;

/// Rows that are being made, each a parent of the one before it.
pub(super) struct Pending {
    rows: Vec<NewRow>,
    /// How many rows there may be in the end.
    most: usize,
}

impl Pending {
    /// None yet, beside rows that are made.
    pub(super) fn beside(rows: &[NewRow]) -> Pending {
        Pending {
            rows: Vec::new(),
            most: rows.len() + MOST,
        }
    }
}

/// Makes legal rows: parents first, every value legal for its type and the table's conditions. The same questions get the
/// same answers.
#[derive(Clone, Debug)]
pub struct Maker {
    pub(super) shapes: BTreeMap<Ident, Shape>,
    pub(super) companions: Vec<Companion>,
    /// Values that a server was seen to accept where reading the conditions was not enough.
    pub(super) learned: BTreeMap<(Ident, Ident), Option<String>>,
}

impl Maker {
    /// Reads the design. The catalog should be the whole one, also for rows that go into a mutant.
    pub fn new(model: &Model, catalog: &Catalog) -> Maker {
        let shapes = shapes(model, catalog);
        let companions = super::companion::companions(model, &shapes);
        Maker {
            shapes,
            companions,
            learned: BTreeMap::new(),
        }
    }

    /// A row with all that must be there for it: parents first, then the row itself, then what must come with it in the same
    /// transaction. Rows with different `distinct` differ in every key. Overrides may be short (`1` for a UUID). Empty where
    /// there is no such table.
    pub fn row(
        &self,
        table: &Ident,
        overrides: &[(Ident, Option<String>)],
        distinct: u64,
    ) -> Vec<NewRow> {
        let mut rows = Vec::new();
        self.add(&mut rows, table, overrides, distinct);
        self.complete(&mut rows);
        rows
    }

    /// Adds a row to others, with those parents that are not there yet; says where it stands. Call [`complete`](Maker::complete)
    /// when all rows are there.
    pub fn add(
        &self,
        rows: &mut Vec<NewRow>,
        table: &Ident,
        overrides: &[(Ident, Option<String>)],
        distinct: u64,
    ) -> Option<usize> {
        let at = self.add_with(
            rows,
            &mut Pending::beside(rows),
            table,
            overrides,
            &[],
            distinct,
        )?;
        rows[at].asked = true;
        Some(at)
    }

    /// [`add`](Maker::add), where these conditions hold beside the table's own.
    pub fn add_where(
        &self,
        rows: &mut Vec<NewRow>,
        table: &Ident,
        overrides: &[(Ident, Option<String>)],
        conditions: &[Expression],
        distinct: u64,
    ) -> Option<usize> {
        let at = self.add_with(
            rows,
            &mut Pending::beside(rows),
            table,
            overrides,
            conditions,
            distinct,
        )?;
        rows[at].asked = true;
        Some(at)
    }

    /// Adds what rows must not be without: required children, the one row of a group, what balances a sum.
    pub fn complete(&self, rows: &mut Vec<NewRow>) {
        super::companion::complete(self, rows);
    }

    /// The rows of a state of the design.
    pub fn state(&self, state: &State) -> Vec<NewRow> {
        let mut rows = Vec::new();
        let mut distinct = 0;
        for (table, given) in &state.tables {
            for row in given {
                let values: Values = row
                    .iter()
                    .map(|(name, value)| {
                        (
                            name.ident.clone(),
                            value.as_ref().map(|text| text.as_str().to_owned()),
                        )
                    })
                    .collect();
                self.add(&mut rows, &table.ident, &values, distinct);
                distinct += 1;
            }
        }
        self.complete(&mut rows);
        rows
    }

    /// A short value made whole for a column.
    pub fn widen(&self, table: &Ident, column: &Ident, short: &str) -> String {
        match self.column(table, column) {
            Some(column) => column.kind.widen(short),
            None => short.to_owned(),
        }
    }

    /// A short value made whole for a type.
    pub fn widen_type(&self, data_type: &str, short: &str, catalog: &Catalog) -> String {
        super::shape::kind_of(data_type, catalog).widen(short)
    }

    /// Whether a table has a column.
    pub fn has_column(&self, table: &Ident, column: &Ident) -> bool {
        self.column(table, column).is_some()
    }

    /// Whether a column tells rows of its own table apart, and takes its values from no other table.
    pub fn is_own_key(&self, table: &Ident, column: &Ident) -> bool {
        let Some(shape) = self.shapes.get(table) else {
            return false;
        };
        let refers = shape
            .references
            .iter()
            .any(|reference| reference.columns.contains(column));
        !refers
            && self
                .column(table, column)
                .is_some_and(|column| column.keyed && column.allowed.is_empty())
    }

    /// Whether rows of other tables refer to a table.
    pub fn is_parent(&self, table: &Ident) -> bool {
        let refers = |shape: &Shape| {
            shape.name.name != *table && shape.references.iter().any(|r| r.to == *table)
        };
        self.shapes.values().any(refers)
    }

    /// Whether a column is part of a key, or refers to one.
    pub fn tells_rows_apart(&self, table: &Ident, column: &Ident) -> bool {
        let refers = self.shapes.get(table).is_some_and(|shape| {
            shape
                .references
                .iter()
                .any(|reference| reference.columns.contains(column))
        });
        refers
            || self
                .column(table, column)
                .is_some_and(|column| column.keyed)
    }

    /// The value that row number `distinct` has in a column that tells rows apart.
    pub fn numbered(&self, table: &Ident, column: &Ident, distinct: u64) -> Option<String> {
        let shape = self.shapes.get(table)?;
        let candidates = self.candidates(shape, shape.column(column)?, distinct, 0);
        candidates
            .into_iter()
            .find_map(|candidate| candidate.given.flatten())
    }

    /// The values that a column allows, where they are few and named.
    pub fn allowed(&self, table: &Ident, column: &Ident) -> Vec<String> {
        let Some(shape) = self.shapes.get(table) else {
            return Vec::new();
        };
        match (shape.column(column), &shape.lifecycle) {
            (Some(found), Some(lifecycle)) if lifecycle.column == found.name => {
                let states = lifecycle
                    .allow
                    .iter()
                    .flat_map(|(from, to)| std::iter::once(from).chain(to));
                let mut states: Vec<String> = states.cloned().collect();
                states.sort();
                states.dedup();
                states
            }
            (Some(found), _) => found.allowed.clone(),
            (None, _) => Vec::new(),
        }
    }

    /// The labels of an enum type, or both truth values.
    pub fn labels(&self, data_type: &str, catalog: &Catalog) -> Vec<String> {
        match super::shape::kind_of(data_type, catalog) {
            Kind::Enum(labels) => labels,
            Kind::Bool => vec!["true".to_owned(), "false".to_owned()],
            _ => Vec::new(),
        }
    }

    /// A legal value of a column that is not `other`; `None` where there is none.
    pub fn different(&self, table: &Ident, column: &Ident, other: Option<&str>) -> Option<String> {
        let taken: Vec<String> = other.map(str::to_owned).into_iter().collect();
        self.unlike(table, column, &taken)
    }

    /// A legal value of a column that is none of these; `None` where there is none.
    pub fn unlike(&self, table: &Ident, column: &Ident, taken: &[String]) -> Option<String> {
        let shape = self.shapes.get(table)?;
        let column = shape.column(column)?;
        let over_column =
            |check: &&Expression| check.columns().iter().all(|name| *name == column.name);
        let checks: Vec<&Expression> = shape.checks.iter().filter(over_column).collect();
        let more = (1..5).map(|n| Some(column.kind.value(n, column.name.as_str())));
        let candidates = self
            .candidates(shape, column, 2, 0)
            .into_iter()
            .filter_map(|candidate| candidate.given);
        let meant = |text: &String| Candidate::given(Some(text.clone()), &column.kind).value;
        candidates.chain(more).flatten().find(|value| {
            let value_of = meant(value);
            // The server writes a value its own way: `t` for `true`.
            let is_taken = |other: &String| {
                other == value
                    || value_of != super::evaluate::Value::Unknown && meant(other) == value_of
            };
            let row = Row::from([(column.name.clone(), value_of.clone())]);
            !taken.iter().any(is_taken)
                && checks
                    .iter()
                    .all(|check| evaluate(check, &row).passes() != Some(false))
        })
    }

    /// A value of a column's type that no row made here has.
    pub fn dangling(&self, table: &Ident, column: &Ident) -> Option<String> {
        let column = self.column(table, column)?;
        Some(column.kind.value(i64::from(i16::MAX) - 7, "nobody"))
    }

    /// What writes the rows, to be run in this order in one transaction.
    pub fn statements(&self, rows: &[NewRow]) -> Vec<SqlText> {
        let inserts = rows.iter().filter_map(|row| {
            let shape = self.shapes.get(&row.table)?;
            let columns: Vec<Ident> = row.values.iter().map(|(name, _)| name.clone()).collect();
            let values = row.values.iter().map(|(_, value)| value.clone()).collect();
            Some(sql::insert(&shape.name, &columns, &[values]))
        });
        let updates = rows
            .iter()
            .filter_map(|row| Some((row, self.shapes.get(&row.table)?)));
        let updates = updates.flat_map(|(row, shape)| {
            let key = self.key_of(row);
            row.then
                .iter()
                .map(move |set| sql::update(&shape.name, set, &key))
        });
        inserts.chain(updates).collect()
    }

    /// What a row is found by: its primary key, or all it was given where there is none.
    pub fn key_of(&self, row: &NewRow) -> Values {
        let key = self
            .shapes
            .get(&row.table)
            .map(|shape| shape.primary_key.as_slice())
            .unwrap_or_default();
        let own: Values = row
            .values
            .iter()
            .filter(|(name, _)| key.contains(name))
            .cloned()
            .collect();
        if own.is_empty() {
            row.values.clone()
        } else {
            own
        }
    }

    pub(super) fn column(&self, table: &Ident, column: &Ident) -> Option<&Column> {
        self.shapes.get(table)?.column(column)
    }

    /// [`add`](Maker::add), with conditions beyond the table's own, and rows that are still being made.
    pub(super) fn add_with(
        &self,
        rows: &mut Vec<NewRow>,
        pending: &mut Pending,
        table: &Ident,
        overrides: &[(Ident, Option<String>)],
        extra: &[Expression],
        distinct: u64,
    ) -> Option<usize> {
        let shape = self.shapes.get(table)?;
        let wide: BTreeMap<Ident, Option<String>> = overrides
            .iter()
            .filter_map(|(name, value)| {
                let column = shape.column(name)?;
                Some((
                    name.clone(),
                    value.as_ref().map(|value| column.kind.widen(value)),
                ))
            })
            .collect();
        let mut wide = wide;
        self.follow_parents(rows, shape, &mut wide);
        let solved = self.solve(shape, &wide, extra, distinct);
        let row = self.with_history(shape, &wide, extra, distinct, solved);
        if pending.rows.len() >= DEPTH || rows.len() >= pending.most {
            return None;
        }
        pending.rows.push(row);
        for reference in &shape.references {
            self.add_parent(rows, pending, reference, distinct);
        }
        let row = pending.rows.pop()?;
        rows.push(row);
        rows.len().checked_sub(1)
    }

    fn add_parent(
        &self,
        rows: &mut Vec<NewRow>,
        pending: &mut Pending,
        reference: &Reference,
        distinct: u64,
    ) -> Option<()> {
        let child = pending.rows.last()?;
        let key: Option<Values> = reference
            .columns
            .iter()
            .zip(&reference.key)
            .map(|(column, key)| Some((key.clone(), Some(self.known(child, column)?))))
            .collect();
        let mut key = key?;
        // A parent in the same table has its own values in every other key.
        let own = child.table == reference.to;
        let there = rows
            .iter()
            .chain(&pending.rows)
            .any(|row| row.table == reference.to && has(row, &key));
        if !there {
            key.extend(super::companion::wanted_of_parent(
                self,
                child,
                &reference.to,
            ));
            self.add_with(
                rows,
                pending,
                &reference.to,
                &key,
                &[],
                distinct + APART * (reference.nth + u64::from(own)),
            );
        }
        Some(())
    }

    /// Where a row says which parent it has, by a key of the parent, the rest of the reference follows from that parent.
    fn follow_parents(
        &self,
        rows: &[NewRow],
        shape: &Shape,
        wide: &mut BTreeMap<Ident, Option<String>>,
    ) {
        for reference in &shape.references {
            let pairs: Vec<(&Ident, &Ident)> =
                reference.columns.iter().zip(&reference.key).collect();
            let said: Values = pairs
                .iter()
                .filter_map(|(column, key)| {
                    Some(((*key).clone(), Some(wide.get(*column)?.clone()?)))
                })
                .collect();
            let keys = self
                .shapes
                .get(&reference.to)
                .map(|parent| parent.keys.as_slice());
            let is_key = keys.unwrap_or_default().iter().any(|key| {
                key.iter()
                    .all(|column| said.iter().any(|(name, _)| name == column))
            });
            let parent = rows
                .iter()
                .find(|row| row.table == reference.to && has(row, &said));
            let (Some(parent), true) = (parent, is_key) else {
                continue;
            };
            for (column, key) in pairs {
                if let (false, Some(value)) = (wide.contains_key(column), self.known(parent, key)) {
                    wide.insert(column.clone(), Some(value));
                }
            }
        }
    }

    /// What a column of a row will hold, where that is known and not null.
    pub(super) fn known(&self, row: &NewRow, column: &Ident) -> Option<String> {
        match row.value(column) {
            Some(value) => value.clone(),
            None => match &self.column(&row.table, column)?.default {
                Default::Constant(text) => Some(text.clone()),
                _ => None,
            },
        }
    }

    pub(super) fn solve(
        &self,
        shape: &Shape,
        overrides: &BTreeMap<Ident, Option<String>>,
        extra: &[Expression],
        distinct: u64,
    ) -> BTreeMap<Ident, Candidate> {
        let columns: Vec<(Ident, Vec<Candidate>)> = shape
            .columns
            .iter()
            .map(|column| {
                let list = match overrides.get(&column.name) {
                    Some(value) => vec![Candidate::given(value.clone(), &column.kind)],
                    None => {
                        let mut list = self.candidates(shape, column, distinct, 0);
                        let more = mentioned(&column.name, &column.kind, extra, distinct);
                        list.extend(
                            more.into_iter()
                                .map(|text| Candidate::given(Some(text), &column.kind)),
                        );
                        list
                    }
                };
                (column.name.clone(), list)
            })
            .collect();
        let checks: Vec<Expression> = shape.checks.iter().chain(extra).cloned().collect();
        choose(&columns, &checks)
    }

    /// What a column may become, best first.
    pub(super) fn candidates(
        &self,
        shape: &Shape,
        column: &Column,
        distinct: u64,
        depth: usize,
    ) -> Vec<Candidate> {
        let give = |text: String| Candidate::given(Some(text), &column.kind);
        let out = |value| Candidate { given: None, value };
        let n = distinct as i64 + 1;
        let mut list = Vec::new();
        if let Some(text) = self
            .learned
            .get(&(shape.name.name.clone(), column.name.clone()))
            && !column.keyed
        {
            list.push(Candidate::given(text.clone(), &column.kind));
        }
        if column.nullable {
            list.push(Candidate::given(None, &column.kind));
        }
        if let Some(inherited) = self.inherited(shape, &column.name, distinct, depth) {
            list.extend(inherited);
            return list;
        }
        match &column.default {
            Default::Generated => return vec![out(super::evaluate::Value::Unknown)],
            Default::Constant(text) if !column.keyed => {
                list.push(out(super::evaluate::Value::read(Some(text), &column.kind)));
            }
            Default::Computed if !column.keyed => list.push(out(super::evaluate::Value::Unknown)),
            Default::Sequence if !column.keyed => {
                return vec![out(super::evaluate::Value::Unknown)];
            }
            Default::Sequence => return vec![give(column.kind.value(BEYOND_SEQUENCE + n, ""))],
            _ => {}
        }
        let mut allowed = column.allowed.clone();
        if column.keyed && !allowed.is_empty() {
            let turn = distinct as usize % allowed.len();
            allowed.rotate_left(turn);
        }
        if !allowed.is_empty() {
            list.extend(allowed.into_iter().map(give));
            return list;
        }
        let hint = column.name.as_str();
        let said = mentioned(&column.name, &column.kind, &shape.checks, distinct + 1);
        let patterned = said
            .iter()
            .filter(|_| matches!(column.kind, Kind::Text { .. }));
        if column.keyed {
            list.push(give(column.kind.value(n, hint)));
            if matches!(column.kind, Kind::Date | Kind::Timestamp { .. }) {
                // Periods are often keyed by their first day.
                let (year, month) = (2026 + distinct / 12, 1 + distinct % 12);
                list.push(give(format!("{year:04}-{month:02}-01")));
            }
            list.extend(patterned.cloned().map(give));
            let shifted = said
                .iter()
                .filter_map(|text| text.parse::<i64>().ok())
                .map(|low| (low + n).to_string());
            list.extend(shifted.map(give));
        }
        // Beside two rows alike a limit has room for one more: without it nothing commits, and with plenty nothing is broken.
        let plain = match column.limits {
            true => [3, 2, 1, 0, 10, 100, -1],
            false => [1, 2, 0, 3, 10, 100, -1],
        };
        list.extend(plain.map(|n| give(column.kind.value(n, hint))));
        list.extend(said.into_iter().map(give));
        list
    }

    /// What the parent's column may become, for a column that refers to it.
    fn inherited(
        &self,
        shape: &Shape,
        column: &Ident,
        distinct: u64,
        depth: usize,
    ) -> Option<Vec<Candidate>> {
        let reference = shape
            .references
            .iter()
            .find(|reference| reference.columns.contains(column))?;
        let at = reference.columns.iter().position(|name| name == column)?;
        let parent = self.shapes.get(&reference.to)?;
        let key = parent.column(reference.key.get(at)?)?;
        if depth > DEPTH || (parent.name == shape.name && key.name == *column) {
            return None;
        }
        let list = self.candidates(parent, key, distinct + APART * reference.nth, depth + 1);
        // The parent must be able to have it.
        let alone = |check: &&Expression| check.columns().iter().all(|name| *name == key.name);
        let checks: Vec<&Expression> = parent.checks.iter().filter(alone).collect();
        let possible = |candidate: &Candidate| {
            let row = Row::from([(key.name.clone(), candidate.value.clone())]);
            let passes = |check: &&Expression| evaluate(check, &row).passes() != Some(false);
            matches!(candidate.given, Some(Some(_))) && checks.iter().all(passes)
        };
        Some(list.into_iter().filter(possible).collect())
    }

    /// A row as it is inserted, and the updates that take it to a state which no row may start in.
    fn with_history(
        &self,
        shape: &Shape,
        overrides: &BTreeMap<Ident, Option<String>>,
        extra: &[Expression],
        distinct: u64,
        solved: BTreeMap<Ident, Candidate>,
    ) -> NewRow {
        let path = shape.lifecycle.as_ref().and_then(|lifecycle| {
            let wanted = overrides.get(&lifecycle.column)?.as_ref()?;
            Some((lifecycle, path(lifecycle, wanted)?))
        });
        let mut row = NewRow {
            table: shape.name.name.clone(),
            values: Vec::new(),
            then: Vec::new(),
            asked: false,
        };
        let Some((lifecycle, path)) = path else {
            row.values = given(shape, &solved);
            return row;
        };
        let tied = tied(&shape.checks, &lifecycle.column);
        let mut before: Option<Values> = None;
        for state in path.iter().take(path.len() - 1) {
            let mut fixed: BTreeMap<Ident, Option<String>> =
                given(shape, &solved).into_iter().collect();
            fixed.retain(|name, _| !tied.contains(name));
            fixed.insert(lifecycle.column.clone(), Some(state.clone()));
            let here = given(shape, &self.solve(shape, &fixed, extra, distinct));
            advance(&mut row, &mut before, here);
        }
        advance(&mut row, &mut before, given(shape, &solved));
        row
    }
}

fn advance(row: &mut NewRow, before: &mut Option<Values>, here: Values) {
    match before {
        None => row.values = here.clone(),
        Some(before) => row.then.push(
            here.iter()
                .filter(|value| !before.contains(value))
                .cloned()
                .collect(),
        ),
    }
    *before = Some(here);
}

fn given(shape: &Shape, solved: &BTreeMap<Ident, Candidate>) -> Values {
    let columns = shape
        .columns
        .iter()
        .filter_map(|column| Some((column, solved.get(&column.name)?)));
    columns
        .filter_map(|(column, candidate)| Some((column.name.clone(), candidate.given.clone()?)))
        .collect()
}

/// Columns that conditions tie to `column`, itself included.
fn tied(checks: &[Expression], column: &Ident) -> BTreeSet<Ident> {
    let mut found = BTreeSet::from([column.clone()]);
    for check in checks
        .iter()
        .map(Expression::columns)
        .filter(|names| names.contains(column))
    {
        found.extend(check);
    }
    found
}

pub(super) fn has(row: &NewRow, values: &[(Ident, Option<String>)]) -> bool {
    values
        .iter()
        .all(|(name, value)| row.value(name) == Some(value))
}

/// The shortest way from a state that rows may start in; `None` where rows may start there, or no way leads there.
fn path(lifecycle: &Lifecycle, wanted: &str) -> Option<Vec<String>> {
    if lifecycle.initial.is_empty() || lifecycle.initial.iter().any(|state| state == wanted) {
        return None;
    }
    let mut ways: VecDeque<Vec<String>> = lifecycle
        .initial
        .iter()
        .map(|state| vec![state.clone()])
        .collect();
    let mut seen: BTreeSet<&String> = lifecycle.initial.iter().collect();
    while let Some(way) = ways.pop_front() {
        for next in lifecycle.allow.get(way.last()?).into_iter().flatten() {
            let mut longer = way.clone();
            longer.push(next.clone());
            if next == wanted {
                return Some(longer);
            }
            if seen.insert(next) {
                ways.push_back(longer);
            }
        }
    }
    None
}
