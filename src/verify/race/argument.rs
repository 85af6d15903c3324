//! Arguments worth trying: values that the rows of a state have, taken from one row where they belong together, so that
//! commands meet.

mod near;

use std::collections::{BTreeMap, BTreeSet};

use proptest::strategy::{Strategy, ValueTree};

pub(super) use self::near::near;
use self::near::swapped;
use super::reset::{Snapshot, Stored};
use super::state::runner;
use crate::catalog::Catalog;
use crate::design::{Command, Param, StepKind};
use crate::sql::{Ident, Meeting, meetings};
use crate::verify::seed::Maker;

/// Arguments of one call.
pub(super) type Arguments = BTreeMap<Ident, Option<String>>;

/// Sets of arguments, and what the keys among them become for somebody who wants rows of his own.
pub(super) struct Choices {
    pub sets: Vec<Arguments>,
    /// For each key of a new row the values that others take for theirs.
    own: BTreeMap<(Ident, Option<String>), Vec<Option<String>>>,
}

impl Choices {
    /// The same arguments with other keys for new rows, for each further session; none where there are no keys.
    pub(super) fn apart(&self, arguments: &Arguments) -> Vec<Arguments> {
        let with = |number: usize| {
            let mut other = arguments.clone();
            for (name, value) in &mut other {
                if let Some(own) = self.own.get(&(name.clone(), value.clone())) {
                    *value = own.get(number).cloned().flatten();
                }
            }
            other
        };
        let all = (0..OTHERS).map(with);
        all.filter(|other| other != arguments).collect()
    }
}

/// Sets of arguments for one command in one state.
const MOST: usize = 14;
/// Of these so many by chance.
const CHANCE: usize = 3;
/// Sessions beside the first.
const OTHERS: usize = 3;
/// Number of a row that nobody makes up.
const FRESH: u64 = 70;
/// Distance between the keys of rows that one call makes.
pub(super) const APART: u64 = 100;

/// What is known of one parameter.
pub(super) struct Known<'a> {
    pub param: &'a Param,
    meets: Vec<&'a Meeting>,
    /// Values that are not taken from rows: enum labels, constants of conditions.
    other: Vec<String>,
    /// How many parameters before it make a key of the same column: both legs of a posting are rows of their own.
    nth: u64,
}

/// Sets of arguments, the most promising first.
pub(super) fn arguments(
    command: &Command,
    maker: &Maker,
    catalog: &Catalog,
    snapshot: &Snapshot,
    seed: u64,
) -> Choices {
    let met = met(command, maker);
    let known = known(command, &met, maker, catalog);
    let number = unused(&known, maker, catalog, snapshot);
    let mut sets = Vec::new();
    // The first row of every table before the second of any: a parent without children is met by nothing that starts from children.
    let anchors = anchors(&known, snapshot);
    for row in 0..3 {
        for (table, _) in anchors.iter().filter(|(_, rows)| row < *rows) {
            sets.push(around(
                &known,
                (Some((table, row)), 0),
                maker,
                catalog,
                snapshot,
                number,
            ));
        }
    }
    sets.push(around(&known, (None, 0), maker, catalog, snapshot, number));
    let base = sets.clone();
    // Each parameter that has other values takes them in turn.
    for set in base.iter().take(3) {
        for known in &known {
            for value in known
                .values(maker, catalog, snapshot, number)
                .into_iter()
                .take(4)
            {
                let mut set = set.clone();
                set.insert(known.param.name.ident.clone(), Some(value));
                sets.push(set);
            }
        }
    }
    unique(&mut sets);
    sets.truncate(MOST - CHANCE);
    sets.extend(by_chance(&known, maker, catalog, snapshot, number, seed));
    unique(&mut sets);
    let keys = known.iter().filter(|known| known.makes_a_key(maker));
    let own = keys.map(|known| {
        let name = known.param.name.ident.clone();
        (
            (name, known.fresh(maker, catalog, number)),
            (1..=OTHERS as u64)
                .map(|other| known.fresh(maker, catalog, number + other))
                .collect(),
        )
    });
    Choices {
        sets,
        own: own.collect(),
    }
}

/// The first number whose rows are not there: commands that led to this state may have made some.
fn unused(known: &[Known], maker: &Maker, catalog: &Catalog, snapshot: &Snapshot) -> u64 {
    let is_there = |number: u64| {
        let of = |known: &Known, number| known.fresh(maker, catalog, number);
        known.iter().any(|known| {
            known.made_key(maker).is_some_and(|(table, name)| {
                let numbers = number..=number + OTHERS as u64;
                let fresh: Vec<_> = numbers.map(|number| of(known, number)).collect();
                column(snapshot, table, name).any(|value| fresh.contains(&value))
            })
        })
    };
    let mut numbers = (0..APART).step_by(OTHERS + 1);
    numbers.find(|number| !is_there(*number)).unwrap_or(0)
}

/// What the statements of a command compare and write its parameters with.
pub(super) fn met(command: &Command, maker: &Maker) -> Vec<Meeting> {
    let all = command.steps.iter().flat_map(|step| match &step.kind {
        StepKind::Sql { sql, .. } => meetings(sql.as_str()),
        StepKind::Require { .. } => Vec::new(),
    });
    let mut met: Vec<Meeting> = all.collect();
    for meeting in &mut met {
        let column = meeting.column.clone();
        meeting
            .tables
            .retain(|table| maker.has_column(table, &column));
    }
    met
}

pub(super) fn known<'a>(
    command: &'a Command,
    met: &'a [Meeting],
    maker: &Maker,
    catalog: &Catalog,
) -> Vec<Known<'a>> {
    let params = command.params.iter();
    let mut known: Vec<Known<'_>> = params
        .map(|param| know(param, met, maker, catalog))
        .collect();
    number_keys(&mut known, maker);
    known
}

fn unique(sets: &mut Vec<Arguments>) {
    let mut seen = BTreeSet::new();
    sets.retain(|set| seen.insert(set.clone()));
}

fn know<'a>(param: &'a Param, met: &'a [Meeting], maker: &Maker, catalog: &Catalog) -> Known<'a> {
    let mut meets: Vec<&Meeting> = met
        .iter()
        .filter(|meeting| meeting.param == param.name.as_str())
        .collect();
    // What is compared says more than what is written.
    meets.sort_by_key(|meeting| meeting.written);
    let mut other = Vec::new();
    for meeting in &meets {
        for table in &meeting.tables {
            other.extend(maker.allowed(table, &meeting.column));
        }
    }
    other.extend(maker.labels(param.data_type.as_str(), catalog));
    other.dedup();
    Known {
        param,
        meets,
        other,
        nth: 0,
    }
}

fn number_keys(known: &mut [Known], maker: &Maker) {
    let mut made: BTreeMap<(Ident, Ident), u64> = BTreeMap::new();
    for known in known {
        if let Some((table, column)) = known.made_key(maker) {
            let count = made.entry((table.clone(), column.clone())).or_default();
            let nth = *count;
            *count += 1;
            known.nth = nth;
        }
    }
}

impl Known<'_> {
    fn meets(&self, table: &Ident) -> Option<&Ident> {
        self.meets
            .iter()
            .find(|meeting| meeting.tables.contains(table))
            .map(|meeting| &meeting.column)
    }

    /// Every table and column that it meets.
    fn places(&self) -> impl Iterator<Item = (&Ident, &Ident)> {
        self.meets.iter().flat_map(|meeting| {
            meeting
                .tables
                .iter()
                .map(move |table| (table, &meeting.column))
        })
    }

    /// Whether it only ever becomes what a row says, never which row.
    fn is_only_written(&self, maker: &Maker) -> bool {
        let mut places = self.places();
        self.meets.iter().all(|meeting| meeting.written)
            && !places.any(|(table, column)| maker.tells_rows_apart(table, column))
    }

    /// Whether a new row gets its key from it.
    pub(super) fn makes_a_key(&self, maker: &Maker) -> bool {
        self.made_key(maker).is_some()
    }

    /// The key that a new row gets from it.
    fn made_key(&self, maker: &Maker) -> Option<(&Ident, &Ident)> {
        let written = self.meets.iter().filter(|meeting| meeting.written);
        let mut columns = written.flat_map(|meeting| {
            meeting
                .tables
                .iter()
                .map(move |table| (table, &meeting.column))
        });
        columns.find(|(table, column)| maker.is_own_key(table, column))
    }

    /// Of a time in the key of new rows: the last that the rows have.
    pub(super) fn latest(&self, maker: &Maker, snapshot: &Snapshot) -> Option<String> {
        let data_type = self.param.data_type.as_str().trim().to_ascii_lowercase();
        let is_time = data_type.starts_with("timestamp") || data_type == "date";
        let (table, name) = self.made_key(maker).filter(|_| is_time)?;
        column(snapshot, table, name).flatten().max()
    }

    fn fresh(&self, maker: &Maker, catalog: &Catalog, number: u64) -> Option<String> {
        let number = FRESH + number + APART * self.nth;
        match self.made_key(maker) {
            Some((table, column)) => maker.numbered(table, column, number),
            None => {
                Some(maker.widen_type(self.param.data_type.as_str(), &number.to_string(), catalog))
            }
        }
    }

    /// Whole numbers next to one, for what is not a key: an older event, one piece more.
    fn neighbours(&self, maker: &Maker, value: &str) -> Vec<String> {
        let is_key = self
            .places()
            .any(|(table, column)| maker.tells_rows_apart(table, column));
        match value.parse::<i64>() {
            Ok(value) if !is_key => [value.checked_add(1), value.checked_sub(1)]
                .into_iter()
                .flatten()
                .map(|value| value.to_string())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Every value worth trying, without regard to other parameters.
    fn values(
        &self,
        maker: &Maker,
        catalog: &Catalog,
        snapshot: &Snapshot,
        number: u64,
    ) -> Vec<String> {
        let mut values = Vec::new();
        values.extend(
            self.param
                .value
                .iter()
                .map(|value| self.widen(value.as_str(), maker, catalog)),
        );
        for meeting in &self.meets {
            for table in &meeting.tables {
                values.extend(column(snapshot, table, &meeting.column).flatten());
            }
        }
        values.extend(self.other.iter().cloned());
        if self.makes_a_key(maker) || values.is_empty() {
            values.extend(self.fresh(maker, catalog, number));
        }
        if self.meets.iter().any(|meeting| meeting.folded)
            && let Some(first) = values.first()
        {
            values.insert(1, swapped(first));
        }
        if self.other.is_empty()
            && let Some(first) = values.first().cloned()
        {
            values.extend(self.neighbours(maker, &first));
        }
        let mut seen = BTreeSet::new();
        values.retain(|value| seen.insert(value.clone()));
        values
    }

    fn widen(&self, short: &str, maker: &Maker, catalog: &Catalog) -> String {
        maker.widen_type(self.param.data_type.as_str(), short, catalog)
    }
}

/// Tables that have rows and that parameters meet, those that most of them meet first.
pub(super) fn anchors(known: &[Known], snapshot: &Snapshot) -> Vec<(Ident, usize)> {
    let mut found: Vec<(usize, Ident, usize)> = snapshot
        .tables
        .iter()
        .filter(|stored| !stored.rows.is_empty())
        .map(|stored| {
            let table = stored.name.name.clone();
            let met = known
                .iter()
                .filter(|known| known.meets(&table).is_some())
                .count();
            (met, table, stored.rows.len())
        })
        .filter(|(met, ..)| *met > 0)
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    found
        .into_iter()
        .map(|(_, table, rows)| (table, rows))
        .collect()
}

fn stored<'a>(snapshot: &'a Snapshot, table: &Ident) -> Option<&'a Stored> {
    snapshot
        .tables
        .iter()
        .find(|stored| stored.name.name == *table)
}

fn column<'a>(
    snapshot: &'a Snapshot,
    table: &Ident,
    column: &Ident,
) -> impl Iterator<Item = Option<String>> + use<'a> {
    let found = stored(snapshot, table);
    let at = found.and_then(|stored| stored.columns.iter().position(|name| name == column));
    let rows = found
        .filter(|_| at.is_some())
        .map(|stored| stored.rows.as_slice())
        .unwrap_or_default();
    let at = at.unwrap_or(0);
    rows.iter().map(move |row| row.get(at).cloned().flatten())
}

/// One set, taken from row `row` of a table as far as parameters meet it, from row `other` of others as far as they do not.
pub(super) fn around(
    known: &[Known],
    (anchor, other): (Option<(&Ident, usize)>, usize),
    maker: &Maker,
    catalog: &Catalog,
    snapshot: &Snapshot,
    number: u64,
) -> Arguments {
    // Parameters that meet the same column take different rows: source and target of a transfer.
    let mut taken: BTreeMap<(Ident, Ident), usize> = BTreeMap::new();
    let mut set = Arguments::new();
    for known in known {
        let from_row = |table: &Ident,
                        name: &Ident,
                        row: usize,
                        taken: &mut BTreeMap<(Ident, Ident), usize>| {
            let count = taken.entry((table.clone(), name.clone())).or_default();
            let values: Vec<Option<String>> = column(snapshot, table, name).collect();
            let value = values
                .get((row + *count) % values.len().max(1))
                .cloned()
                .flatten();
            *count += 1;
            value
        };
        let mut value = None;
        if !known.makes_a_key(maker) {
            // To write what is there already changes nothing.
            let is_news = known.is_only_written(maker) && known.param.value.is_some();
            if let Some((table, row)) = anchor
                && let Some(name) = known.meets(table).filter(|_| !is_news)
            {
                value = from_row(table, name, row, &mut taken);
            }
            value = value.or_else(|| {
                known
                    .param
                    .value
                    .as_ref()
                    .map(|text| known.widen(text.as_str(), maker, catalog))
            });
            for (table, column) in known.places() {
                if value.is_none() {
                    value = from_row(table, column, other, &mut taken);
                }
            }
            value = value.or_else(|| known.other.first().cloned());
            value = value.or_else(|| by_name(known, maker, snapshot));
        }
        let value = value.or_else(|| known.fresh(maker, catalog, number));
        set.insert(known.param.name.ident.clone(), value);
    }
    set
}

/// A value of a column of the same name, in any table.
fn by_name(known: &Known, maker: &Maker, snapshot: &Snapshot) -> Option<String> {
    let name = &known.param.name.ident;
    let tables = snapshot
        .tables
        .iter()
        .filter(|stored| maker.has_column(&stored.name.name, name));
    tables
        .into_iter()
        .find_map(|stored| column(snapshot, &stored.name.name, name).flatten().next())
}

/// Sets in which every parameter picks by itself; most of them what others pick as well.
fn by_chance(
    known: &[Known],
    maker: &Maker,
    catalog: &Catalog,
    snapshot: &Snapshot,
    number: u64,
    seed: u64,
) -> Vec<Arguments> {
    let hot = proptest::bool::weighted(0.7);
    let strategy = proptest::collection::vec((hot, 0usize..16), known.len());
    let mut runner = runner(seed ^ number);
    let pools: Vec<Vec<String>> = known
        .iter()
        .map(|known| known.values(maker, catalog, snapshot, number))
        .collect();
    (0..CHANCE)
        .filter_map(|_| strategy.new_tree(&mut runner).ok())
        .map(|tree| {
            let picks = tree.current();
            let chosen = known
                .iter()
                .zip(&pools)
                .zip(picks)
                .map(|((known, pool), (hot, pick))| {
                    let value = match pool.is_empty() {
                        true => known.fresh(maker, catalog, number),
                        false if hot => pool.first().cloned(),
                        false => pool.get(pick % pool.len()).cloned(),
                    };
                    (known.param.name.ident.clone(), value)
                });
            chosen.collect()
        })
        .collect()
}

#[cfg(test)]
mod tests;
