//! Sets of arguments that are made for one purpose: at the edge of a condition, for a row that is there already, for a parent.

use super::{Arguments, Known, anchors, around, column, known, met, unique, unused};
use crate::catalog::Catalog;
use crate::design::{Command, Model, StepKind};
use crate::sql::{Meeting, Sum, tokens};
use crate::verify::race::boundary;
use crate::verify::race::reset::Snapshot;
use crate::verify::seed::Maker;

/// So many at the edges of conditions.
const EDGES: usize = 6;

/// Of others so many.
const MOST: usize = 3;

/// Such sets beside those that are tried in any case.
pub(in crate::verify::race) fn near(
    command: &Command,
    model: &Model,
    maker: &Maker,
    catalog: &Catalog,
    snapshot: &Snapshot,
    sets: &[Arguments],
) -> Vec<Arguments> {
    let mut met = met(command, maker);
    referred(&mut met, catalog);
    let known = known(command, &met, maker, catalog);
    let number = unused(&known, maker, catalog, snapshot);
    let anchors = anchors(&known, snapshot);
    // Two of them, so that one can be the other way round.
    let parents = (0..2).flat_map(|row| {
        let there = anchors.iter().filter(move |(_, rows)| row < *rows);
        there.map(move |(table, _)| (Some((table, row)), 0))
    });
    let parents = parents.map(|anchor| around(&known, anchor, maker, catalog, snapshot, number));
    let parents = parents.filter(|set| !sets.contains(set));
    let mut others: Vec<Arguments> = again(&known, maker, snapshot, sets)
        .filter(|_| upserts(command))
        .into_iter()
        .chain(parents)
        .collect();
    unique(&mut others);
    others.truncate(MOST);
    let base = [sets, &others].concat();
    let edges = boundary::edges(command, model, catalog);
    let mut all = at_edges(&edges, &known, maker, snapshot, &base);
    all.extend(others);
    unique(&mut all);
    all
}

/// The first sets with a parameter at the edge of a condition: first all that are right there, then those beside it.
fn at_edges(
    edges: &[Sum],
    known: &[Known],
    maker: &Maker,
    snapshot: &Snapshot,
    base: &[Arguments],
) -> Vec<Arguments> {
    let (mut exact, mut beside) = (Vec::new(), Vec::new());
    let numbers = known.iter().filter(|known| {
        let mut places = known.places();
        !places.any(|(table, column)| maker.tells_rows_apart(table, column))
    });
    for known in numbers {
        let name = &known.param.name.ident;
        for edge in edges {
            let found = base.iter().find_map(|set| {
                let values = boundary::values(edge, name.as_str(), snapshot, set);
                (!values.is_empty()).then_some((set, values))
            });
            let Some((set, values)) = found else { continue };
            let with = |value: String| {
                let mut set = set.clone();
                set.insert(name.clone(), Some(value));
                set
            };
            let mut sets = values.into_iter().map(with);
            exact.extend(sets.next());
            beside.extend(sets);
        }
    }
    let mut all = [exact, beside].concat();
    unique(&mut all);
    all.truncate(EDGES);
    all
}

/// A key of several columns that is there already, where the command would make a row with it: a second hit in the same slot.
fn again(
    known: &[Known],
    maker: &Maker,
    snapshot: &Snapshot,
    base: &[Arguments],
) -> Option<Arguments> {
    let mut set = base.first()?.clone();
    let mut made = known
        .iter()
        .filter_map(|known| Some((known, known.made_key(maker)?)));
    let (_, (table, _)) = made.clone().next()?;
    let table = table.clone();
    made.by_ref()
        .filter(|(_, (of, _))| **of == table)
        .try_for_each(|(known, (_, name))| {
            let value = column(snapshot, &table, name).next()?;
            set.insert(known.param.name.ident.clone(), value);
            Some(())
        })?;
    Some(set)
}

/// Whether a row that is there already is one of its usual cases.
fn upserts(command: &Command) -> bool {
    let mut statements = command.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Sql { sql, .. } => Some(sql.as_str()),
        StepKind::Require { .. } => None,
    });
    statements.any(|sql| tokens(sql).iter().any(|token| token.is(sql, "conflict")))
}

/// Beside the columns that refer to a parent, the parent's.
fn referred(met: &mut Vec<Meeting>, catalog: &Catalog) {
    let mut parents = Vec::new();
    for meeting in met.iter() {
        let tables = catalog.tables.iter();
        for (_, table) in tables.filter(|(name, _)| meeting.tables.contains(&name.name)) {
            for reference in table.foreign_keys.values() {
                let columns = reference.columns.iter().zip(&reference.key);
                for (_, key) in columns.filter(|(column, _)| **column == meeting.column) {
                    parents.push(Meeting {
                        param: meeting.param.clone(),
                        tables: vec![reference.table.name.clone()],
                        column: key.clone(),
                        written: false,
                        folded: false,
                    });
                }
            }
        }
    }
    for parent in parents {
        let is_known = |known: &Meeting| {
            known.param == parent.param
                && known.column == parent.column
                && known.tables.contains(&parent.tables[0])
        };
        if !met.iter().any(is_known) {
            met.push(parent);
        }
    }
}

/// The same in the other case.
pub(super) fn swapped(text: &str) -> String {
    let upper = text.to_uppercase();
    if upper == text {
        text.to_lowercase()
    } else {
        upper
    }
}
