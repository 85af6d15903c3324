//! From one use of a table to indexes that would serve it.
//!
//! A btree serves equalities first, in any order, then one range or the order that is asked for. What is written down in the query (`ended_at
//! IS NULL`) can go into the predicate of a partial index instead.

use std::collections::BTreeSet;

use super::special::special;
use crate::catalog::{Catalog, Table};
use crate::sql::{
    Access, Against, Condition, Ident, Key, Kind, QualifiedName, SqlText, Test, fill, quote_ident,
};

/// More equalities than these only make an index larger.
const MOST_EQUAL: usize = 5;

/// More columns than these are no longer few.
const MOST_INCLUDED: usize = 4;

/// What it takes off the worth of an index that its equalities find one row at most by a key that is there.
const ONE_ROW: i32 = 15;

/// Of one use of a table, so many drafts are also proposed with what the query shows.
const COVERED: usize = 2;

/// A key of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub expression: SqlText,
    pub column: Option<Ident>,
    pub opclass: Option<&'static str>,
    pub descending: bool,
    pub nulls_first: bool,
}

impl Slot {
    pub(super) fn ascending(key: &Key) -> Slot {
        Slot {
            expression: key.expression.clone(),
            column: key.column.clone(),
            opclass: None,
            descending: false,
            nulls_first: false,
        }
    }
}

/// An index that is not named yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub table: QualifiedName,
    pub method: &'static str,
    /// So many keys at the start are fixed by equalities: their order and direction are all the same to the query.
    pub fixed: usize,
    pub keys: Vec<Slot>,
    pub include: Vec<Ident>,
    pub predicate: Vec<SqlText>,
    /// How promising it looks; only for comparing.
    pub score: i32,
}

/// One use of a table, sorted.
pub(super) struct Use<'a> {
    pub name: &'a QualifiedName,
    pub table: &'a Table,
    pub catalog: &'a Catalog,
    pub access: &'a Access,
    /// Fixed by an equality before the table is read.
    pub equal: Vec<&'a Condition>,
    within: Vec<&'a Condition>,
    ranges: Vec<&'a Condition>,
}

/// Drafts for one use of a table.
pub(super) fn drafts(
    name: &QualifiedName,
    table: &Table,
    catalog: &Catalog,
    access: &Access,
) -> Vec<Draft> {
    let own = Use::new(name, table, catalog, access);
    let mut found = own.driving();
    found.sort_by_key(|draft| std::cmp::Reverse(draft.score));
    let mut covered: Vec<&Draft> = Vec::new();
    for draft in &found {
        let longer = |known: &&Draft| {
            known.predicate == draft.predicate && known.keys.starts_with(&draft.keys)
        };
        if covered.len() < COVERED && !covered.iter().any(longer) {
            covered.push(draft);
        }
    }
    let covering: Vec<Draft> = covered
        .into_iter()
        .filter_map(|draft| own.covering(draft))
        .collect();
    found.extend(covering);
    found.extend(own.inner());
    found.extend(special(&own));
    found
}

impl<'a> Use<'a> {
    fn new(
        name: &'a QualifiedName,
        table: &'a Table,
        catalog: &'a Catalog,
        access: &'a Access,
    ) -> Use<'a> {
        // Of a column that has no nulls, IS NULL asks for nothing.
        let possible = |condition: &&Condition| {
            let column = condition.keys.first().and_then(|key| key.column.as_ref());
            let column = column.and_then(|column| table.column(column));
            condition.test != Test::IsNull || column.is_none_or(|column| column.nullable)
        };
        let before = |condition: &&Condition| {
            !matches!(condition.against, Against::Rows(_))
                && !condition.keys.is_empty()
                && condition.keys.iter().all(|key| key.kind.is_sortable())
        };
        let pick = |tests: &[Test]| -> Vec<&'a Condition> {
            let mut seen: Vec<&Key> = Vec::new();
            let all = access.conditions.iter().filter(before).filter(possible);
            let wanted = all.filter(|condition| tests.contains(&condition.test));
            let mut picked = Vec::new();
            for condition in wanted {
                if !seen.contains(&&condition.keys[0]) {
                    seen.push(&condition.keys[0]);
                    picked.push(condition);
                }
            }
            picked
        };
        let mut equal = pick(&[Test::Equal, Test::IsNull]);
        // What tells fewest rows apart comes last.
        equal.sort_by_key(|condition| {
            (is_coarse(condition), condition.against == Against::Constant)
        });
        equal.truncate(MOST_EQUAL);
        Use {
            name,
            table,
            catalog,
            access,
            equal,
            within: pick(&[Test::In]),
            ranges: pick(&[Test::Range]),
        }
    }

    fn draft(&self, keys: Vec<Slot>, fixed: usize, predicate: &[SqlText], score: i32) -> Draft {
        let known: Vec<&Ident> = keys[..fixed]
            .iter()
            .filter_map(|slot| slot.column.as_ref())
            .collect();
        let unique = self.table.primary_key.iter().map(|(_, key)| key);
        let unique = unique.chain(self.table.uniques.values());
        let one = unique
            .filter(|key| !key.deferred)
            .any(|key| key.columns.iter().all(|column| known.contains(&column)));
        let score = score - if one { ONE_ROW } else { 0 };
        Draft {
            table: self.name.clone(),
            method: "btree",
            fixed,
            keys,
            include: Vec::new(),
            predicate: predicate.to_vec(),
            score,
        }
    }

    /// Predicates worth trying: what says in which state a row is, all that is written down, that there is a value, nothing.
    pub(super) fn predicates(&self) -> Vec<Vec<SqlText>> {
        let all = || {
            // A moment that is written down today is another one tomorrow.
            let passes = |condition: &&Condition| {
                let mut keys = condition.keys.iter();
                condition.test == Test::Range && keys.any(|key| key.kind.is_time())
            };
            let written = self.access.conditions.iter();
            // Nor does one index serve each value that something contains or overlaps.
            let single = |condition: &&Condition| {
                matches!(
                    condition.test,
                    Test::Contains | Test::ContainedBy | Test::Overlaps
                )
            };
            let written = written.filter(move |it| !passes(it) && !single(it));
            written.filter_map(|condition| Some((condition, condition.constant.clone()?)))
        };
        let state = |condition: &Condition| match condition.test {
            Test::Equal => condition.keys.iter().any(|key| key.kind == Kind::Bool),
            Test::In => false,
            _ => true,
        };
        let distinct = |texts: Vec<SqlText>| -> Vec<SqlText> {
            let mut seen = BTreeSet::new();
            texts
                .into_iter()
                .filter(|text| seen.insert(text.clone()))
                .collect()
        };
        let some = all().filter(|(condition, _)| state(condition));
        let some = distinct(some.map(|(_, text)| text).collect());
        let filled = self.filled().chain(some.iter().cloned()).collect();
        let every = distinct(all().map(|(_, text)| text).collect());
        let mut found: Vec<Vec<SqlText>> = Vec::new();
        for predicate in [some, every, filled, Vec::new()] {
            if !found.contains(&predicate) {
                found.push(predicate);
            }
        }
        found
    }

    /// A comparison leaves rows without a value out, so that an index may do without them.
    fn filled(&self) -> impl Iterator<Item = SqlText> {
        let compared = self.equal.iter().chain(&self.ranges);
        let keys = compared
            .filter(|condition| matches!(condition.test, Test::Equal | Test::Range))
            .filter(|condition| condition.constant.is_none())
            .filter_map(|condition| condition.keys[0].column.as_ref());
        let nullable = |name: &&Ident| self.table.column(name).is_some_and(|it| it.nullable);
        let mut names: Vec<&Ident> = keys.filter(nullable).collect();
        names.dedup();
        names
            .into_iter()
            .map(|name| fill("{column} IS NOT NULL", &[("column", &quote_ident(name))]))
    }

    /// Equalities that a predicate does not see to.
    pub(super) fn fixed(&self, predicate: &[SqlText]) -> Vec<Slot> {
        let left = self
            .equal
            .iter()
            .filter(|condition| !stated(condition, predicate));
        left.map(|condition| Slot::ascending(&condition.keys[0]))
            .collect()
    }

    /// What is asked beyond the equalities, as keys, with what it is worth: the order, a range, nothing.
    fn tails(&self, fixed: &[Slot], predicate: &[SqlText]) -> Vec<(Vec<Slot>, i32)> {
        let is_fixed = |expression: &SqlText| {
            fixed.iter().any(|slot| slot.expression == *expression)
                || self.equal.iter().any(|condition| {
                    condition.keys[0].expression == *expression && stated(condition, predicate)
                })
        };
        let open = self
            .within
            .iter()
            .filter(|within| !stated(within, predicate) && !is_fixed(&within.keys[0].expression));
        let within: Vec<Slot> = open
            .map(|within| Slot::ascending(&within.keys[0]))
            .collect();
        let mut tails = Vec::new();
        let sort = self
            .access
            .order
            .iter()
            .filter(|sort| sort.key.kind.is_sortable() && !is_fixed(&sort.key.expression));
        let order: Vec<Slot> = sort
            .map(|sort| Slot {
                descending: sort.descending,
                nulls_first: sort.nulls_first,
                ..Slot::ascending(&sort.key)
            })
            .collect();
        let ordered = order.first().map(|slot| &slot.expression);
        if !order.is_empty() {
            let ranged = self
                .ranges
                .iter()
                .any(|range| Some(&range.keys[0].expression) == ordered);
            let limit = if self.access.limit { 8 } else { 4 };
            // What the list names would have to be read and thrown away.
            let thrown = if within.is_empty() { 0 } else { 4 };
            // Without a condition or a limit the whole table is read, and sorting it is cheaper.
            let useful = ranged || self.access.limit || !fixed.is_empty() || !predicate.is_empty();
            if useful {
                let score = limit + if ranged { 5 } else { 0 } - thrown;
                tails.push((order.clone(), score));
            }
        }
        for range in &self.ranges {
            let keys: Vec<Slot> = range
                .keys
                .iter()
                .map(Slot::ascending)
                .filter(|slot| !is_fixed(&slot.expression))
                .collect();
            let served = keys.first().map(|slot| &slot.expression) == ordered && within.is_empty();
            if !keys.is_empty() && !served {
                let mut all = within.clone();
                all.extend(keys);
                tails.push((all, 5));
            }
        }
        tails.push((within.clone(), if within.is_empty() { 0 } else { 3 }));
        tails
    }

    /// How much the equalities are worth, wherever they stand.
    pub(super) fn worth(&self) -> i32 {
        self.equal.iter().map(|condition| worth(condition)).sum()
    }

    /// The table is read by what is known before.
    fn driving(&self) -> Vec<Draft> {
        let mut found = Vec::new();
        for predicate in self.predicates() {
            let all = self.fixed(&predicate);
            let moved = self.equal.len() - all.len();
            // What tells few rows apart can also be left to be looked at row by row.
            let coarse: Vec<&Condition> = self
                .equal
                .iter()
                .copied()
                .filter(|condition| is_coarse(condition) && predicate.is_empty())
                .collect();
            let mut fine = all.clone();
            fine.retain(|slot| {
                let mut left_out = coarse.iter().map(|condition| &condition.keys[0]);
                left_out.all(|key| key.expression != slot.expression)
            });
            let lost: i32 = coarse.iter().map(|condition| worth(condition)).sum();
            let mut starts = vec![(all, 0)];
            if lost > 0 {
                starts.push((fine, lost));
            }
            let tails = starts.into_iter().flat_map(|(fixed, lost)| {
                let tails = self.tails(&fixed, &predicate);
                let more = tails
                    .into_iter()
                    .map(move |(tail, worth)| (tail, worth - lost));
                more.map(move |(tail, worth)| (fixed.clone(), tail, worth))
                    .collect::<Vec<_>>()
            });
            for (fixed, tail, worth) in tails {
                let mut keys = fixed.clone();
                for slot in tail {
                    if keys.iter().all(|key| key.expression != slot.expression) {
                        keys.push(slot);
                    }
                }
                // Half of a table is no better found by an index.
                let halves = self.equal.iter().filter(|condition| {
                    condition.keys[0].kind == Kind::Bool
                        && keys
                            .iter()
                            .any(|slot| slot.expression == condition.keys[0].expression)
                });
                if halves.count() == keys.len() {
                    continue;
                }
                let partial = if predicate.is_empty() { 0 } else { 3 };
                let score = self.worth() + worth + partial - moved as i32;
                found.push(self.draft(keys, fixed.len(), &predicate, score));
            }
        }
        found
    }

    /// The table is read once for each row of what stands beside it.
    fn inner(&self) -> Vec<Draft> {
        let mut beside: Vec<(&str, Vec<Slot>)> = Vec::new();
        for condition in &self.access.conditions {
            let Against::Rows(alias) = &condition.against else {
                continue;
            };
            if !matches!(condition.test, Test::Equal | Test::In)
                || !condition.keys[0].kind.is_sortable()
            {
                continue;
            }
            let slot = Slot::ascending(&condition.keys[0]);
            match beside.iter_mut().find(|(known, _)| known == alias) {
                Some((_, slots)) if slots.contains(&slot) => {}
                Some((_, slots)) => slots.push(slot),
                None => beside.push((alias, vec![slot])),
            }
        }
        // A table with conditions of its own is more likely the one to begin with.
        let outer = !self.equal.is_empty() || !self.ranges.is_empty();
        let mut found = Vec::new();
        for predicate in self.predicates() {
            let fixed = self.fixed(&predicate);
            let partial = if predicate.is_empty() { 0 } else { 2 };
            for (_, slots) in &beside {
                let alone = slots.iter().map(std::slice::from_ref);
                let singly = alone.filter(|_| slots.len() > 1);
                for (joined, less) in
                    std::iter::once((slots.as_slice(), 0)).chain(singly.map(|slot| (slot, 4)))
                {
                    let mut keys = fixed.clone();
                    for slot in joined {
                        if keys.iter().all(|key| key.expression != slot.expression) {
                            keys.push(slot.clone());
                        }
                    }
                    if keys.len() > fixed.len() {
                        let joined = keys.len() - fixed.len();
                        let joined = joined as i32 * if outer { 1 } else { 10 };
                        let score = self.worth() + joined + partial - less;
                        let all = keys.len();
                        found.push(self.draft(keys, all, &predicate, score));
                    }
                }
            }
        }
        let best = found.iter().max_by_key(|draft| draft.score).cloned();
        let covering = best.and_then(|draft| self.covering(&draft));
        found.extend(covering);
        found
    }

    /// The same index with all that the query shows of the table, where that is little.
    fn covering(&self, draft: &Draft) -> Option<Draft> {
        // What an expression is made from would have to be there a second time.
        if draft.keys.iter().any(|slot| slot.column.is_none()) {
            return None;
        }
        let mut needed = self.access.columns.clone()?;
        for condition in &self.access.conditions {
            if !stated(condition, &draft.predicate) {
                needed.extend(condition.columns.iter().cloned());
            }
        }
        for column in draft.keys.iter().filter_map(|slot| slot.column.as_ref()) {
            needed.remove(column);
        }
        // Large values do not belong into an index: a row of it has to fit in a third of a page.
        let small = needed.iter().all(|name| {
            let column = self.table.column(name);
            column.is_some_and(|column| {
                let kind = Kind::of(column.data_type.as_str());
                kind.is_sortable() && column.data_type.as_str() != "bytea"
            })
        });
        if needed.is_empty() || needed.len() > MOST_INCLUDED || !small {
            return None;
        }
        // In the order of the table.
        let order = self.table.columns.iter().map(|column| &column.name);
        let include = order.filter(|name| needed.contains(*name)).cloned();
        Some(Draft {
            include: include.collect(),
            score: draft.score - 1,
            ..draft.clone()
        })
    }
}

/// Whether an equality leaves much of the table.
fn is_coarse(condition: &Condition) -> bool {
    condition.test == Test::IsNull || condition.keys[0].kind == Kind::Bool
}

fn worth(condition: &Condition) -> i32 {
    match (&condition.test, condition.keys[0].kind) {
        (_, Kind::Bool) => 3,
        (Test::IsNull, _) => 5,
        _ => 10,
    }
}

/// Whether a predicate says what a condition asks.
pub(super) fn stated(condition: &Condition, predicate: &[SqlText]) -> bool {
    let constant = condition.constant.as_ref();
    constant.is_some_and(|text| predicate.contains(text))
}
