//! How large the tables of a design become.

use std::collections::BTreeMap;

use super::indexes::size;
use super::planned::Scaled;
use super::relation::Extent;
use super::sample::thousands;
use super::statistics::Belief;
use super::volume::{Point, ends};
use crate::design::Table;
use crate::finding::{Claim, Table as Figures, Verdict};
use crate::sql::Ident;
use crate::verify::Judged;

/// Tables that are named; the others are in the sum.
const NAMED: usize = 5;
/// How far the model may be from what the sample really takes (plans.md, "Capacity").
const TOLERANCE: f64 = 0.03;

/// Bytes of one table, at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    rows: f64,
    indexes: f64,
}

/// What a design takes up by its horizon.
pub(super) fn claim() -> Claim {
    Claim {
        subject: "capacity".to_owned(),
        statement: "how large tables and indexes become by the horizon".to_owned(),
        at: None,
    }
}

/// Sizes now and at the horizon, and how far the model of sizes is from the sample.
pub(super) fn capacity(scaled: &Scaled<'_, '_>) -> Judged {
    let ends = ends(scaled.model());
    let at_end = |point: &Point| {
        let extents = scaled.measure(*point, Belief::Estimated);
        let tables = scaled.model().tables.iter();
        let taken = |table: &Table| {
            let name = table.name.ident.clone();
            (name, of_table(scaled, &extents, table.name.as_str()))
        };
        tables.map(taken).collect()
    };
    let taken: Vec<Vec<(Ident, Taken)>> = ends.iter().map(at_end).collect();
    let (worst, of) = scaled.storage.off();
    let sum = |at: usize| {
        taken[at]
            .iter()
            .map(|(_, taken)| taken.rows + taken.indexes)
            .sum::<f64>()
    };
    let last = ends.len() - 1;
    let mut largest: Vec<usize> = (0..taken[last].len()).collect();
    let bytes = |at: usize, table: usize| taken[at][table].1.rows + taken[at][table].1.indexes;
    largest.sort_by(|a, b| bytes(last, *b).total_cmp(&bytes(last, *a)));
    let when = ends[last].words();
    let words = |table: &usize| {
        let (name, then) = &taken[last][*table];
        format!(
            "{} {} now, {} {when}, {:.0} % of it indexes",
            name.as_str(),
            size(bytes(0, *table)),
            size(bytes(last, *table)),
            100.0 * then.indexes / (then.rows + then.indexes).max(1.0)
        )
    };
    let named: Vec<String> = largest.iter().take(NAMED).map(words).collect();
    let bounds = format!(
        "{} now, {} {when} (freshly built; not counted: bloat, WAL, replicas): {}",
        size(sum(0)),
        size(sum(last)),
        named.join("; ")
    );
    let judged = match worst <= TOLERANCE {
        true => Judged::new(Verdict::Held),
        false => Judged::unchecked(format!(
            "the model of sizes is {:.0} % off the sample's `{of}`; say `width` of its columns under `data:`",
            worst * 100.0
        )),
    };
    judged
        .measured(figures(scaled, &ends))
        .bounds(bounds)
        .figure("bytes_now", sum(0) as usize)
        .figure("bytes_at_horizon", sum(last) as usize)
        .figure("model_error_permille", (worst * 1000.0) as usize)
}

/// A line for each table and below it for each of its indexes: rows and bytes, now and at the horizon.
fn figures(scaled: &Scaled<'_, '_>, ends: &[Point]) -> Figures {
    let model = scaled.model();
    let moments: Vec<(&Point, BTreeMap<u32, Extent>)> = ends
        .iter()
        .map(|point| (point, scaled.measure(*point, Belief::Estimated)))
        .collect();
    let mut columns = vec!["table, index".to_owned()];
    for (point, _) in &moments {
        columns.extend([
            format!("rows {}", point.words()),
            format!("bytes {}", point.words()),
        ]);
    }
    let mut rows = Vec::new();
    for table in &model.tables {
        let name = table.name.as_str();
        let mut row = vec![Some(name.to_owned())];
        for (point, extents) in &moments {
            row.push(Some(thousands(point.rows(table))));
            row.push(Some(size(of_table(scaled, extents, name).rows)));
        }
        rows.push(row);
        for index in of(scaled, name) {
            let mut row = vec![Some(format!("└ {index}"))];
            for (_, extents) in &moments {
                row.push(None);
                row.push(Some(size(scaled.bytes_in(extents, &index))));
            }
            rows.push(row);
        }
    }
    Figures { columns, rows }
}

/// The indexes of a table, those of constraints too; of partitions the one that theirs belong to.
fn of(scaled: &Scaled<'_, '_>, table: &str) -> Vec<String> {
    let relations = scaled.storage.relations.iter();
    let own = relations
        .filter(|relation| !relation.is_table() && scaled.table_of(relation) == Some(table));
    let mut names: Vec<String> = Vec::new();
    for relation in own {
        let whole = scaled.names().index_of.get(&relation.name);
        let name = whole.unwrap_or(&relation.name).clone();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn of_table(scaled: &Scaled<'_, '_>, extents: &BTreeMap<u32, Extent>, table: &str) -> Taken {
    let mut taken = Taken::default();
    for relation in &scaled.storage.relations {
        let extent = extents.get(&relation.oid).copied();
        let bytes = extent.map_or(0.0, |extent| (extent.pages + extent.outside) * 8192.0);
        if scaled.table_of(relation) == Some(table) {
            match relation.is_table() {
                true => taken.rows += bytes,
                false => taken.indexes += bytes,
            }
        }
    }
    taken
}
