//! Guard tables whose groups are called otherwise: the columns of a guard are called as those of the rows that it counts.
//!
//! Only derived functions speak of a guard, so its columns need not stand under two names: they are renamed in one transaction with the functions, which takes
//! an instant. Writers are kept out by a lock on the tables whose triggers call them, so that none is in the middle of a function that goes.

use std::collections::BTreeSet;

use super::tally;
use crate::catalog::{Catalog, ObjectPath};
use crate::error::Error;
use crate::migrate::change::What;
use crate::migrate::draft::{Draft, Item, Rank, Slot, alter};
use crate::migrate::plan::{Part, Phase};
use crate::sql::words as text;
use crate::sql::{Ident, QualifiedName, SqlText, fill, fixed, join, quote_ident, quote_qualified};

/// The columns of a guard table that get another name, with the old one.
fn columns(draft: &Draft<'_>, guard: &QualifiedName) -> Vec<(Ident, Ident)> {
    let is_guard = draft.policy.tallies.iter().any(|own| own.guard == *guard);
    let changes = draft.diff.changes.iter().filter(|_| is_guard);
    let renamed = changes.filter_map(|change| match (&change.object, &change.what) {
        (ObjectPath::Column(table, name), What::Renamed(was)) if table == guard => {
            Some((name.clone(), was.clone()))
        }
        _ => None,
    });
    renamed.collect()
}

/// Whether it is a guard table with such columns.
pub(super) fn is_renamed(draft: &Draft<'_>, guard: &QualifiedName) -> bool {
    !columns(draft, guard).is_empty()
}

/// Whether a function is replaced together with the columns of which it speaks.
pub(super) fn replaces(draft: &Draft<'_>, function: &QualifiedName) -> bool {
    let mut all = draft.policy.tallies.iter();
    all.any(|own| is_renamed(draft, &own.guard) && speaks(draft, function, &own.guard))
}

fn speaks(draft: &Draft<'_>, function: &QualifiedName, guard: &QualifiedName) -> bool {
    [draft.from, draft.to].iter().all(|catalog| {
        let made = catalog.functions.get(function);
        made.is_some_and(|made| text::mentions(&SqlText::authored(made.body.clone()), &guard.name))
    })
}

/// A table that is built anew, and has a trigger that calls one of these.
pub(super) fn home<'d>(
    draft: &Draft<'d>,
    functions: &[&QualifiedName],
) -> Option<&'d QualifiedName> {
    let mut tables = draft.to.tables.iter().filter(|(name, table)| {
        let mut all = table.triggers.values();
        draft.diff.is_shadowed(name) && all.any(|own| functions.contains(&&own.function))
    });
    tables.next().map(|(name, _)| name)
}

fn rename(guard: &QualifiedName, from: &Ident, to: &Ident) -> SqlText {
    let parts = [("from", &quote_ident(from)), ("to", &quote_ident(to))];
    alter(guard, "RENAME COLUMN {from} TO {to}", &parts)
}

fn made(catalog: &Catalog, function: &QualifiedName) -> Option<SqlText> {
    let made = catalog.functions.get(function);
    made.map(|made| text::replacing(&made.definition))
}

pub(super) fn renamed(
    draft: &mut Draft<'_>,
    guard: &QualifiedName,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let title = format!("rename the groups of {}", guard.name.as_str());
    if draft.has(&title) {
        return Ok(());
    }
    let columns = columns(draft, guard);
    if let Some((name, _)) = columns
        .iter()
        .find(|(name, _)| draft.diff.names_replaced(guard, std::slice::from_ref(name)))
    {
        return Err(Error::Usage(format!(
            "{}, by which {} counts, gets another name and another type at once: do it in two migrations",
            name.as_str(),
            guard.name.as_str()
        )));
    }
    let functions: Vec<&QualifiedName> = draft.to.functions.keys().collect();
    let functions: Vec<&QualifiedName> = functions
        .into_iter()
        .filter(|function| speaks(draft, function, guard))
        .collect();
    let tables = draft.from.tables.iter().filter(|(_, table)| {
        let mut all = table.triggers.values();
        all.any(|trigger| functions.contains(&&trigger.function))
    });
    let tables: BTreeSet<&QualifiedName> = tables.map(|(name, _)| name).collect();
    let lock = fill(
        "LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE",
        &[(
            "tables",
            &join(tables.into_iter().map(quote_qualified), ", "),
        )],
    );
    let unchecked = fixed("SET LOCAL check_function_bodies = off");
    if let Some(home) = home(draft, &functions) {
        // The new table has the new names only, so all of it happens at its switch.
        let home = home.clone();
        let lock = (lock, Vec::new());
        draft.switch(&home, Slot::DropViews, cause, lock);
        for (name, was) in &columns {
            let pair = (
                rename(guard, was, name),
                vec![Part::new(rename(guard, name, was))],
            );
            draft.switch(&home, Slot::Columns, cause, pair);
        }
        for function in functions {
            let pair = (made(draft.to, function), made(draft.from, function));
            if let (Some(now), Some(was)) = pair {
                draft.switch(&home, Slot::Rules, cause, (now, vec![Part::new(was)]));
            }
        }
        return Ok(());
    }
    let mut item = Item::new(Phase::Switch, Rank::Functions, title, cause)
        .part(lock.clone())
        .part(unchecked.clone())
        .undo(lock)
        .undo(unchecked)
        .because("only the functions that are replaced with it speak of the guard table; no writer may be in the middle of one");
    for (name, was) in &columns {
        item = item
            .part(rename(guard, was, name))
            .undo(rename(guard, name, was));
    }
    let mut recounted = None;
    for function in functions {
        item = item.parts(made(draft.to, function));
        if let Some(was) = made(draft.from, function) {
            item = item.undo(was);
        }
        recounted = recounted.or_else(|| {
            tally::counted_by(draft, function).filter(|tally| tally::counts_otherwise(draft, tally))
        });
    }
    if let Some(tally) = recounted {
        tally::filled(draft, &tally, Phase::Switch, cause);
        item = item.forward_only("the guard rows are counted by the new rule after this");
    }
    draft.push(item);
    Ok(())
}
