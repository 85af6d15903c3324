//! Functions and triggers.

use crate::catalog::{Catalog, ObjectPath, Table};
use crate::compile::{Writer, comes_before_tables};
use crate::error::Error;
use crate::migrate::change::{Change, What};
use crate::migrate::draft::{Draft, Item, Rank, Slot, drop_trigger};
use crate::migrate::plan::{HazardKind, Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::migrate::recipes::{regroup, tally};
use crate::migrate::same;
use crate::sql::words as text;
use crate::sql::{Ident, QualifiedName, SqlText, fill, fixed, quote_ident, quote_qualified};

pub(in crate::migrate) static FUNCTION: Recipe = Recipe {
    name: "function",
    doc: "a new function is there before anything calls it; one that changes is replaced at the switch, in place",
    handles: |change| matches!(change.object, ObjectPath::Function(_)),
    steps: function,
};

fn function(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Function(name) = &change.object else {
        return Ok(());
    };
    let quoted = quote_qualified(name);
    let drop = fill("DROP ROUTINE {name}", &[("name", &quoted)]);
    let was = draft.from.functions.get(name);
    let now = draft.to.functions.get(name);
    for made in [was, now].into_iter().flatten() {
        if !text::is_routine(&made.definition) {
            return Err(Error::Usage(format!(
                "routine {} is neither function nor procedure, and how it changes is not known: change it in `migration:` or by hand",
                name.name.as_str()
            )));
        }
    }
    let title = format!("function {}", name.name.as_str());
    let item = match (&change.what, was, now) {
        (What::Created, _, Some(now)) => {
            let rank = if comes_before_tables(draft.to, name) {
                Rank::EarlyFunctions
            } else {
                Rank::Functions
            };
            Item::new(Phase::Expand, rank, title, &change.object)
                // What it speaks of may be built under another name until the switch.
                .part(fixed("SET LOCAL check_function_bodies = off"))
                .part(now.definition.clone())
                .undo(drop)
        }
        (What::Dropped, Some(was), _) => {
            let title = format!("drop {title}");
            Item::new(Phase::Contract, Rank::GoneFunctions, title, &change.object)
                .part(drop)
                // What it speaks of may be gone by then.
                .undo(fixed("SET LOCAL check_function_bodies = off"))
                .undo(was.definition.clone())
        }
        (_, Some(_), Some(_)) if regroup::replaces(draft, name) => return Ok(()),
        (_, Some(was), Some(now)) => {
            let item = Item::new(
                Phase::Switch,
                Rank::Functions,
                format!("replace {title}"),
                &change.object,
            );
            let replace = text::replacing(&now.definition);
            let recounted = tally::counted_by(draft, name)
                .filter(|tally| tally::counts_otherwise(draft, tally));
            match recounted {
                Some(tally) => {
                    tally::filled(draft, &tally, Phase::Switch, &change.object);
                    let on = quote_qualified(&tally.table);
                    // Whoever counts by the old function at this moment has committed before the groups are counted anew.
                    let lock = "LOCK TABLE {on} IN SHARE ROW EXCLUSIVE MODE";
                    item.part(fill(lock, &[("on", &on)]))
                        .part(replace)
                        .forward_only("the guard rows are counted by the new rule after this")
                }
                None if changes_with(draft, name).is_some() => {
                    // The new table may have the new names only, so what it calls changes with it.
                    if let Some(home) = changes_with(draft, name) {
                        let back = vec![Part::new(text::replacing(&was.definition))];
                        draft.switch(home, Slot::Rules, &change.object, (replace, back));
                    }
                    return Ok(());
                }
                None => {
                    let unchecked = fixed("SET LOCAL check_function_bodies = off");
                    item.part(unchecked.clone())
                        .part(replace)
                        .undo(unchecked)
                        .undo(text::replacing(&was.definition))
                }
            }
        }
        _ => return Ok(()),
    };
    draft.push(item);
    Ok(())
}

/// The table in whose switch a function changes that its triggers call: one that is built anew, or one whose columns are exchanged. A session that has run the
/// function would go on with the types that the row had, and the old rule would judge new values.
fn changes_with<'d>(draft: &Draft<'d>, function: &QualifiedName) -> Option<&'d QualifiedName> {
    let mut tables = draft.to.tables.iter().filter(|(name, table)| {
        let mut all = table.triggers.values();
        draft.diff.exchanges_columns(name) && all.any(|own| own.function == *function)
    });
    regroup::home(draft, &[function]).or_else(|| tables.next().map(|(name, _)| name))
}

pub(in crate::migrate) static TRIGGER: Recipe = Recipe {
    name: "trigger",
    doc: "a new trigger comes when old programs keep its rule, and the guard rows of one that counts are counted while writers go on; one that changes is replaced in one transaction",
    handles: |change| matches!(change.object, ObjectPath::Trigger(..)),
    steps: trigger,
};

fn create_trigger(
    draft: &Draft<'_>,
    catalog: &Catalog,
    table: &QualifiedName,
    name: &Ident,
) -> Result<Option<SqlText>, Error> {
    let Some(made) = catalog.tables.get(table).and_then(|t| t.triggers.get(name)) else {
        return Ok(None);
    };
    let mut writer = Writer::new(draft.environment);
    writer.trigger(table, name, made)?;
    Ok(writer.take().into_iter().next().map(|made| made.sql))
}

fn trigger(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Trigger(table, name) = &change.object else {
        return Ok(());
    };
    let was = create_trigger(draft, draft.from, table, name)?;
    let now = create_trigger(draft, draft.to, table, name)?;
    let drop = drop_trigger(table, name);
    let named = format!("trigger {} of {}", name.as_str(), table.name.as_str());
    match (&change.what, was, now) {
        (What::Created, _, Some(now)) => {
            let made = draft.to.tables.get(table);
            let made = made.and_then(|table| table.triggers.get(name));
            let waits = made.is_some_and(|trigger| {
                draft.diff.watches_replaced(table, trigger)
                    || draft.diff.watches_widened(table, trigger)
            });
            let function = made.map(|trigger| trigger.function.clone());
            let counts = function
                .as_ref()
                .and_then(|name| tally::counted_by(draft, name));
            if let Some(tally) = counts.as_ref().filter(|own| tally::is_late(draft, own)) {
                // Its groups have another type until the switch.
                let pair = (now, vec![Part::new(drop)]);
                draft.switch(table, Slot::Rules, &change.object, pair);
                tally::filled(draft, tally, Phase::Switch, &change.object);
                return Ok(());
            }
            if waits && counts.is_none() {
                // Before the switch it would watch the old column, and stay with it.
                let pair = (now, vec![Part::new(drop)]);
                draft.switch(table, Slot::Rules, &change.object, pair);
                return Ok(());
            }
            let asks = function
                .as_ref()
                .is_some_and(|name| tally::asks(draft, name));
            // What it keeps of new rows and the backfill of old ones meet: were it later, rows in between would be counted by neither.
            let keeps = function
                .as_ref()
                .is_some_and(|name| keeps_filled(draft, name));
            let place = match (keeps && !waits, asks) {
                (true, _) => (Phase::Expand, Rank::Aside),
                (_, true) => (Phase::Validate, Rank::Judges),
                _ => (Phase::Validate, Rank::Triggers),
            };
            let mut item = Item::new(place.0, place.1, format!("add {named}"), &change.object)
                .part(now)
                .undo(drop);
            if let Some(guard) = guard(draft, table, name).filter(|_| !keeps) {
                item = item.hazard(
                    HazardKind::NoValue,
                    guard.name.as_str(),
                    format!("{named} writes {} from now on; of rows that exist it knows nothing until somebody fills it", guard.name.as_str()),
                );
            }
            draft.push(item);
            if let Some(tally) = counts {
                tally::filled(draft, &tally, Phase::Validate, &change.object);
            }
        }
        (What::Dropped, Some(was), _) => {
            let item = Item::new(
                Phase::Switch,
                // Before the columns change their places, so that what takes it back finds them where they were.
                Rank::Surroundings,
                format!("drop {named}"),
                &change.object,
            )
            .part(drop)
            .undo(was);
            draft.push(item);
        }
        (What::Renamed(from), _, _) => {
            let rename = |from: &Ident, to: &Ident| {
                let parts = [
                    ("from", &quote_ident(from)),
                    ("table", &quote_qualified(table)),
                    ("to", &quote_ident(to)),
                ];
                fill("ALTER TRIGGER {from} ON {table} RENAME TO {to}", &parts)
            };
            let item = Item::new(
                Phase::Expand,
                Rank::Functions,
                format!("rename {named}"),
                &change.object,
            )
            .part(rename(from, name))
            .undo(rename(name, from));
            draft.push(item);
        }
        (_, Some(was), Some(now)) => {
            let pair = (drop.clone(), vec![Part::new(was)]);
            draft.switch(table, Slot::DropRules, &change.object, pair);
            draft.switch(
                table,
                Slot::Rules,
                &change.object,
                (now, vec![Part::new(drop)]),
            );
        }
        _ => {}
    }
    Ok(())
}

/// The functions of a table's triggers, as far as they stay as they are.
pub(super) fn judges(draft: &Draft<'_>, table: &QualifiedName) -> Vec<SqlText> {
    let triggers = draft.to.tables.get(table).into_iter();
    let triggers = triggers.flat_map(|now| now.triggers.values());
    let found = triggers.filter_map(|trigger| {
        let now = draft.to.functions.get(&trigger.function)?;
        let was = draft.from.functions.get(&trigger.function)?;
        same::function(was, now).then(|| now.definition.clone())
    });
    found.collect()
}

/// The triggers of a table that is built anew: they come at its switch.
pub(super) fn triggers_anew(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    (from, to): (&Table, &Table),
    cause: &ObjectPath,
) -> Result<(), Error> {
    for (name, made) in &to.triggers {
        let Some(now) = create_trigger(draft, draft.to, table, name)? else {
            continue;
        };
        let back = drop_trigger(table, name);
        if !from.triggers.contains_key(name) {
            if let Some(tally) = tally::counted_by(draft, &made.function) {
                tally::filled(draft, &tally, Phase::Switch, cause);
            }
            if tally::asks(draft, &made.function) {
                // It judges by what has to be counted first.
                let title = format!("add trigger {} of {}", name.as_str(), table.name.as_str());
                let item = Item::new(Phase::Switch, Rank::Judges, title, cause);
                draft.push(item.part(now).undo(back));
                continue;
            }
        }
        draft.switch(table, Slot::Rules, cause, (now, vec![Part::new(back)]));
    }
    Ok(())
}

/// Whether a function writes what a backfill of the design's own fills.
fn keeps_filled(draft: &Draft<'_>, function: &QualifiedName) -> bool {
    let Some(function) = draft.to.functions.get(function) else {
        return false;
    };
    let body = SqlText::authored(function.body.clone());
    let filled = |way: &crate::migrate::policy::Declared| {
        let table = &way.table;
        let was = draft.from.tables.get(table);
        let now = draft.to.tables.get(table);
        let is_new = |column: &Ident| was.is_none_or(|was| was.column(column).is_none());
        let columns = now.into_iter().flat_map(|now| &now.columns);
        let mut new = columns.filter(|column| is_new(&column.name));
        way.sql.is_some()
            && text::mentions(&body, &table.name)
            && new.any(|column| was.is_none() || text::mentions(&body, &column.name))
    };
    let writes = ["insert", "update", "delete"];
    let mut words = writes.into_iter().map(Ident::from);
    words.any(|word| text::mentions(&body, &word)) && draft.policy.backfills.iter().any(filled)
}

/// A new table that the trigger's function speaks of and no rule of the design fills.
fn guard(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> Option<QualifiedName> {
    let trigger = draft.to.tables.get(table)?.triggers.get(name)?;
    let function = draft.to.functions.get(&trigger.function)?;
    let mut new = draft
        .to
        .tables
        .keys()
        .filter(|name| !draft.from.tables.contains_key(*name));
    let is_guard = |new: &QualifiedName| {
        let mut all = draft.policy.tallies.iter();
        all.any(|tally| tally.guard == *new)
    };
    new.find(|new| {
        *new != table
            && !is_guard(new)
            && text::mentions(&SqlText::authored(function.body.clone()), &new.name)
    })
    .cloned()
}
