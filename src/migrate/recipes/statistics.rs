//! Extended statistics.

use super::key::over_built;
use super::primary::back_columns;
use crate::catalog::{ObjectPath, Statistics};
use crate::compile::lines;
use crate::error::Error;
use crate::migrate::change::{Change, What};
use crate::migrate::draft::{Draft, Item, Rank, beside};
use crate::migrate::plan::{Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{Ident, QualifiedName, SqlText, fill, quote_ident, quote_qualified};

pub(in crate::migrate) static STATISTICS: Recipe = Recipe {
    name: "statistics",
    doc: "extended statistics are gathered by an ANALYZE before the switch; those that change are gathered under another name, until the old ones go",
    handles: |change| matches!(change.object, ObjectPath::Statistics(..)),
    steps: statistics,
};

fn statistics(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Statistics(table, name) = &change.object else {
        return Ok(());
    };
    let made = |catalog: &crate::catalog::Catalog| {
        let table = catalog.tables.get(table)?;
        table.statistics.get(name).cloned()
    };
    let (was, now) = (made(draft.from), made(draft.to));
    let cause = &change.object;
    match (&change.what, was, now) {
        (What::Created, _, Some(now)) => create(draft, (table, name), &now, cause),
        (What::Dropped, Some(was), _) => {
            let title = format!("drop statistics {}", name.as_str());
            let item = Item::new(Phase::Contract, Rank::GoneIndexes, title, cause)
                .part(drop(table, name))
                .undo(lines::statistics(
                    name,
                    table,
                    &over_kept(draft, table, &was),
                ));
            draft.push(item);
        }
        (What::Renamed(was), ..) => {
            let title = format!("rename statistics {} to {}", was.as_str(), name.as_str());
            let item = Item::new(Phase::Expand, Rank::Indexes, title, cause)
                .part(rename(table, was, name))
                .undo(rename(table, name, was));
            draft.push(item);
        }
        (What::Altered(_), Some(was), Some(now)) => {
            let built = draft.built(name);
            create(draft, (table, &built), &now, cause);
            let title = format!("statistics {} as they are now", name.as_str());
            let item = Item::new(Phase::Contract, Rank::GoneIndexes, title, cause)
                .part(drop(table, name))
                .part(rename(table, &built, name))
                .undo_parts([
                    Part::new(rename(table, name, &built)),
                    Part::new(lines::statistics(
                        name,
                        table,
                        &over_kept(draft, table, &was),
                    )),
                ]);
            draft.push(item);
        }
        _ => {}
    }
    Ok(())
}

fn create(
    draft: &mut Draft<'_>,
    (table, name): (&QualifiedName, &Ident),
    made: &Statistics,
    cause: &ObjectPath,
) {
    let columns: Vec<Ident> = made.columns.iter().cloned().collect();
    // Before the backfill nothing is known of a column that is replaced.
    let phase = match draft.diff.names_replaced(table, &columns) {
        true => Phase::Validate,
        false => Phase::Expand,
    };
    let made = Statistics {
        columns: over_built(draft, table, &columns).into_iter().collect(),
        ..made.clone()
    };
    let title = format!("statistics {} of {}", name.as_str(), table.name.as_str());
    let item = Item::new(phase, Rank::Indexes, title, cause)
        .part(lines::statistics(name, table, &made))
        .undo(drop(table, name));
    draft.push(item);
    gather(draft, table, cause);
}

/// An ANALYZE before the switch, where the planner would know nothing of what is new: columns and tables that a backfill has filled,
/// expressions, columns together. A partitioned table is analysed by nothing else.
pub(in crate::migrate) fn gather(draft: &mut Draft<'_>, table: &QualifiedName, cause: &ObjectPath) {
    let title = format!("gather statistics of {}", table.name.as_str());
    if draft.has(&title) {
        return;
    }
    let analyze = fill("ANALYZE {table}", &[("table", &quote_qualified(table))]);
    let item = Item::new(Phase::Validate, Rank::Last, title, cause)
        .alone(analyze)
        .undo_parts([])
        .because("until then the planner guesses at what is new");
    draft.push(item);
}

/// Statistics of the old schema over columns under the names that they have after the switch.
fn over_kept(draft: &Draft<'_>, table: &QualifiedName, made: &Statistics) -> Statistics {
    let columns: Vec<Ident> = made.columns.iter().cloned().collect();
    Statistics {
        columns: back_columns(draft, table, &columns).into_iter().collect(),
        ..made.clone()
    }
}

fn drop(table: &QualifiedName, name: &Ident) -> SqlText {
    let parts = [("name", &beside(table, name))];
    fill("DROP STATISTICS IF EXISTS {name}", &parts)
}

/// `ALTER STATISTICS … RENAME TO`.
pub(super) fn rename(table: &QualifiedName, from: &Ident, to: &Ident) -> SqlText {
    let parts = [("from", &beside(table, from)), ("to", &quote_ident(to))];
    fill("ALTER STATISTICS {from} RENAME TO {to}", &parts)
}
