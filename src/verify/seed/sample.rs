//! Many rows at once, spread as the design's `data` says, for plans to be judged on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::apart::Taken;
use super::evaluate::{Row, Value, evaluate};
use super::joint::Joint;
use super::kind::Kind;
use super::maker::Maker;
use super::random::Random;
use super::shape::{Default, Reference, Shape};
use super::spread::Spread;
use crate::sql::{self, Expression, Ident, SqlText};

/// Rows of one table.
#[derive(Clone, Debug)]
pub struct Bulk {
    /// Table.
    pub table: Ident,
    /// Columns that are given.
    pub columns: Vec<Ident>,
    /// Values as text.
    pub rows: Vec<Vec<Option<String>>>,
}

/// How often a row that breaks a condition is made anew.
const TRIES: usize = 12;
/// How often the columns of a broken condition are drawn again.
const MENDS: usize = 24;
/// Rows in one INSERT.
const BATCH: usize = 500;

impl Maker {
    /// So many rows of each table, parents first, references consistent. Load them with triggers off
    /// (`session_replication_role = replica`): lifecycles and guards are not walked through. A table may end up with fewer
    /// rows than asked for where its keys leave no room.
    pub fn sample(&self, counts: &[(Ident, usize)], seed: u64) -> Vec<Bulk> {
        let mut made: Vec<Bulk> = Vec::new();
        for table in self.parents_first() {
            let Some((_, count)) = counts.iter().find(|(name, _)| name == table) else {
                continue;
            };
            let Some(shape) = self.shapes.get(table) else {
                continue;
            };
            let bulk = Sampler::new(self, shape, &made, *count, seed).run();
            made.push(bulk);
        }
        made
    }

    /// What writes them.
    pub fn bulk_statements(&self, bulk: &Bulk) -> Vec<SqlText> {
        let Some(shape) = self.shapes.get(&bulk.table) else {
            return Vec::new();
        };
        bulk.rows
            .chunks(BATCH)
            .map(|rows| sql::insert(&shape.name, &bulk.columns, rows))
            .collect()
    }

    /// Tables in an order in which references point backwards, as far as there is one.
    pub fn parents_first(&self) -> Vec<&Ident> {
        fn visit<'a>(
            maker: &'a Maker,
            table: &'a Ident,
            seen: &mut BTreeSet<&'a Ident>,
            order: &mut Vec<&'a Ident>,
        ) {
            if !seen.insert(table) {
                return;
            }
            let Some((table, shape)) = maker.shapes.get_key_value(table) else {
                return;
            };
            for reference in &shape.references {
                visit(maker, &reference.to, seen, order);
            }
            order.push(table);
        }
        let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
        for table in self.shapes.keys() {
            visit(self, table, &mut seen, &mut order);
        }
        order
    }
}

/// Parents of one reference, found by the columns that an earlier reference may have fixed.
struct Parents<'a> {
    reference: &'a Reference,
    rows: Vec<Vec<Option<String>>>,
    spread: Spread,
}

/// A reference to the table itself: what a row refers to is there before it, so that following it comes to an end.
struct Above {
    columns: Vec<usize>,
    key: Vec<usize>,
    spread: Spread,
}

impl Above {
    /// The key of an earlier row that agrees with what is fixed; nothing where there is none.
    fn pick(
        &self,
        row: &[Option<String>],
        fixed: &BTreeSet<usize>,
        earlier: &[Vec<Option<String>>],
        random: &mut Random,
    ) -> Option<Key> {
        let start = self.spread.index(random) % earlier.len().max(1);
        let turned = earlier[start..].iter().chain(&earlier[..start]);
        let agrees = |other: &&Vec<Option<String>>| {
            let mut pairs = self.columns.iter().zip(&self.key);
            pairs.all(|(at, key)| !fixed.contains(at) || row[*at] == other[*key])
        };
        let found = turned.take(2000).find(agrees)?;
        Some(self.key.iter().map(|at| found[*at].clone()).collect())
    }
}

/// A condition of the table with the places of its columns in a row.
struct Condition<'a> {
    check: &'a Expression,
    columns: Vec<usize>,
    /// Neither key nor reference: these may change by themselves.
    loose: Vec<usize>,
}

/// Values of one key.
type Key = Vec<Option<String>>;

struct Sampler<'a> {
    conditions: Vec<Condition<'a>>,
    shape: &'a Shape,
    count: usize,
    random: Random,
    spreads: Vec<(&'a super::shape::Column, Spread)>,
    parents: Vec<Parents<'a>>,
    joints: Vec<Joint>,
    above: Vec<Above>,
    /// Columns of each key, and the values taken.
    taken: Vec<(BTreeSet<usize>, HashSet<Key>)>,
    /// Intervals that are taken.
    apart: Vec<Taken>,
    index: HashMap<&'a Ident, usize>,
    fallback: BTreeMap<Ident, Option<String>>,
}

impl<'a> Sampler<'a> {
    fn new(
        maker: &'a Maker,
        shape: &'a Shape,
        made: &'a [Bulk],
        count: usize,
        seed: u64,
    ) -> Sampler<'a> {
        let random = Random::for_part(seed, shape.name.name.as_str());
        // Constants and computed defaults stay with the server; everything else is given.
        let columns: Vec<_> = shape
            .columns
            .iter()
            .filter(|column| match column.default {
                Default::Generated => false,
                Default::Sequence => column.keyed,
                _ => true,
            })
            .collect();
        let index: HashMap<&Ident, usize> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| (&column.name, at))
            .collect();
        let spreads: Vec<(&super::shape::Column, Spread)> = columns
            .iter()
            .map(|column| (*column, Spread::new(column, &shape.checks, count)))
            .collect();
        let parents: Vec<Parents<'_>> = shape
            .references
            .iter()
            .filter_map(|reference| Parents::find(reference, shape, made, count))
            .collect();
        let own = |reference: &&Reference| reference.to == shape.name.name;
        let above = shape.references.iter().filter(own).filter_map(|reference| {
            let place = |name: &Ident| index.get(name).copied();
            let column = shape.column(reference.columns.last()?)?;
            Some(Above {
                columns: reference.columns.iter().map(place).collect::<Option<_>>()?,
                key: reference.key.iter().map(place).collect::<Option<_>>()?,
                spread: Spread::of_parents(column, count, count),
            })
        });
        let above = above.collect();
        let taken = shape
            .keys
            .iter()
            .filter_map(|key| {
                key.iter()
                    .map(|name| index.get(name).copied())
                    .collect::<Option<BTreeSet<usize>>>()
            })
            .map(|key| (key, HashSet::new()))
            .collect();
        let apart = shape.apart.iter().filter_map(|apart| {
            let parents = parents.iter().filter(|parents| {
                let mut columns = parents.reference.columns.iter();
                columns.any(|column| apart.same.contains(column))
            });
            let groups = parents.map(|parents| parents.rows.len()).max();
            let each = count as f64 / groups.unwrap_or(1) as f64;
            Taken::new(apart, shape, &spreads, each)
        });
        let apart = apart.collect();
        let conditions = conditions(shape, &index, &parents);
        let joints = Joint::all(maker, shape, &index);
        let fallback = maker
            .row(&shape.name.name, &[], 0)
            .pop()
            .map(|row| row.values.into_iter().collect());
        Sampler {
            conditions,
            shape,
            count,
            random,
            spreads,
            parents,
            joints,
            above,
            taken,
            apart,
            index,
            fallback: fallback.unwrap_or_default(),
        }
    }

    fn run(mut self) -> Bulk {
        let mut rows = Vec::with_capacity(self.count);
        for number in 0..self.count {
            for _ in 0..TRIES {
                let Some(mut row) = self.row(number, &rows) else {
                    continue;
                };
                let mut apart = self.apart.iter_mut();
                if apart.all(|taken| taken.put(&mut row, &mut self.random))
                    && self.mend(&mut row, number)
                    && self.is_new(&row)
                {
                    rows.push(row);
                    break;
                }
            }
        }
        let columns = self
            .spreads
            .iter()
            .map(|(column, _)| column.name.clone())
            .collect();
        Bulk {
            table: self.shape.name.name.clone(),
            columns,
            rows,
        }
    }

    fn row(
        &mut self,
        number: usize,
        earlier: &[Vec<Option<String>>],
    ) -> Option<Vec<Option<String>>> {
        let position = number as f64 / self.count.max(1) as f64;
        let mut row: Vec<Option<String>> = Vec::with_capacity(self.spreads.len());
        for (_, spread) in &self.spreads {
            row.push(spread.value(number, position, &mut self.random));
        }
        let mut fixed: BTreeSet<&Ident> = BTreeSet::new();
        for parents in &self.parents {
            let at: Option<Vec<usize>> = parents
                .reference
                .columns
                .iter()
                .map(|name| self.index.get(name).copied())
                .collect();
            let at = at?;
            let nulled = parents
                .reference
                .columns
                .iter()
                .zip(&at)
                .any(|(name, at)| !fixed.contains(name) && row[*at].is_none());
            if nulled {
                continue;
            }
            let key = parents.pick(&row, &at, &fixed, &mut self.random)?;
            for (at, value) in at.iter().zip(key) {
                row[*at] = value.clone();
            }
            fixed.extend(&parents.reference.columns);
        }
        let fixed: BTreeSet<usize> = fixed
            .into_iter()
            .filter_map(|name| self.index.get(name).copied())
            .collect();
        for above in &self.above {
            let own = |at: &&usize| !fixed.contains(at) && !above.key.contains(at);
            let mut loose = above.columns.iter().filter(own);
            if loose.any(|at| row[*at].is_none()) {
                continue;
            }
            let found = above.pick(&row, &fixed, earlier, &mut self.random);
            for (place, (at, key)) in above.columns.iter().zip(&above.key).enumerate() {
                match &found {
                    Some(found) => row[*at] = found[place].clone(),
                    // The first of all has nothing above it, or itself.
                    None if self.spreads[*at].0.nullable => row[*at] = None,
                    None => row[*at] = row[*key].clone(),
                }
            }
        }
        for joint in &self.joints {
            joint.follow(
                &mut row,
                (number, position),
                &self.spreads,
                &mut self.random,
            );
        }
        Some(row)
    }

    /// Draws the columns of a broken condition again until none is broken; in the end the maker's own values do. False where even they do not.
    fn mend(&mut self, row: &mut [Option<String>], number: usize) -> bool {
        // Reading values is most of the work: each once, and again only when it is drawn again.
        let mut values: Row = self
            .conditions
            .iter()
            .flat_map(|condition| &condition.columns)
            .map(|at| self.read(row, *at))
            .collect();
        for _ in 0..MENDS {
            let Some(broken) = self.broken(&values) else {
                return true;
            };
            for at in self.conditions[broken].loose.clone() {
                let (column, spread) = &self.spreads[at];
                row[at] = spread.redrawn(number, column.nullable, &mut self.random);
                values.extend([self.read(row, at)]);
            }
        }
        for at in self
            .conditions
            .iter()
            .flat_map(|condition| &condition.loose)
        {
            if let Some(value) = self.fallback.get(&self.spreads[*at].0.name) {
                row[*at] = value.clone();
                values.extend([self.read(row, *at)]);
            }
        }
        self.broken(&values).is_none()
    }

    /// A column with what an expression makes of its value.
    fn read(&self, row: &[Option<String>], at: usize) -> (Ident, Value) {
        let (column, _) = &self.spreads[at];
        let value = Value::read(row[at].as_deref(), &column.kind);
        (column.name.clone(), value)
    }

    /// The first condition that is false.
    fn broken(&self, values: &Row) -> Option<usize> {
        self.conditions
            .iter()
            .position(|condition| evaluate(condition.check, values).passes() == Some(false))
    }

    fn is_new(&mut self, row: &[Option<String>]) -> bool {
        let key = |columns: &BTreeSet<usize>| -> Option<Vec<Option<String>>> {
            columns
                .iter()
                .map(|at| row[*at].as_ref().map(|text| Some(text.clone())))
                .collect()
        };
        let keys: Vec<_> = self.taken.iter().map(|(columns, _)| key(columns)).collect();
        let clash = self
            .taken
            .iter()
            .zip(&keys)
            .any(|((_, taken), key)| key.as_ref().is_some_and(|key| taken.contains(key)));
        if !clash {
            for ((_, taken), key) in self.taken.iter_mut().zip(keys) {
                taken.extend(key);
            }
        }
        !clash
    }
}

fn conditions<'a>(
    shape: &'a Shape,
    index: &HashMap<&Ident, usize>,
    parents: &[Parents<'_>],
) -> Vec<Condition<'a>> {
    let is_loose = |name: &Ident| {
        let bound = parents
            .iter()
            .any(|parents| parents.reference.columns.contains(name));
        !bound && shape.column(name).is_some_and(|column| !column.keyed)
    };
    let checks = shape.checks.iter().map(|check| {
        let names = check.columns();
        let place = |name: &Ident| index.get(name).copied();
        Condition {
            check,
            columns: names.iter().filter_map(place).collect(),
            loose: names
                .iter()
                .filter(|name| is_loose(name))
                .filter_map(place)
                .collect(),
        }
    });
    checks.collect()
}

impl<'a> Parents<'a> {
    fn find(
        reference: &'a Reference,
        shape: &'a Shape,
        made: &[Bulk],
        count: usize,
    ) -> Option<Parents<'a>> {
        let bulk = made.iter().find(|bulk| bulk.table == reference.to)?;
        let at: Option<Vec<usize>> = reference
            .key
            .iter()
            .map(|name| bulk.columns.iter().position(|column| column == name))
            .collect();
        let at = at?;
        let rows: Vec<Vec<Option<String>>> = bulk
            .rows
            .iter()
            .map(|row| at.iter().map(|at| row[*at].clone()).collect())
            .collect();
        if rows.is_empty() {
            return None;
        }
        let column = reference
            .columns
            .iter()
            .rev()
            .find_map(|name| shape.column(name))?;
        let spread = Spread::of_parents(column, rows.len(), count);
        Some(Parents {
            reference,
            rows,
            spread,
        })
    }

    /// A parent that agrees with what earlier references have fixed.
    fn pick(
        &self,
        row: &[Option<String>],
        at: &[usize],
        fixed: &BTreeSet<&Ident>,
        random: &mut Random,
    ) -> Option<&Vec<Option<String>>> {
        let agrees = |key: &Vec<Option<String>>| {
            let columns = self.reference.columns.iter().zip(at).zip(key);
            columns
                .into_iter()
                .all(|((name, at), value)| !fixed.contains(name) || row[*at] == *value)
        };
        let start = self.spread.index(random) % self.rows.len();
        let turned = self.rows[start..].iter().chain(&self.rows[..start]);
        turned.take(2000).find(|key| agrees(key))
    }
}

/// Kinds that have no useful spread of their own are numbered.
pub(super) fn is_scalar(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Integer { .. }
            | Kind::Decimal { .. }
            | Kind::Float
            | Kind::Date
            | Kind::Timestamp { .. }
    )
}
