//! Exclusion constraints.

use crate::catalog::{Exclusion, ObjectPath};
use crate::compile::lines;
use crate::error::Error;
use crate::migrate::change::{Change, What};
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, add_constraint, drop_constraint, rename_constraint,
};
use crate::migrate::plan::{HazardKind, Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::words as text;
use crate::sql::{Ident, QualifiedName};

pub(in crate::migrate) static EXCLUSION: Recipe = Recipe {
    name: "exclusion",
    doc: "PostgreSQL builds an exclusion constraint only while nobody reads or writes the table; the plan says so",
    handles: |change| matches!(change.object, ObjectPath::Exclusion(..)),
    steps: exclusion,
};

fn stop(table: &QualifiedName) -> (HazardKind, String, String) {
    let name = table.name.as_str();
    (
        HazardKind::Stop,
        name.to_owned(),
        format!(
            "the index of an exclusion constraint is built under ACCESS EXCLUSIVE: readers and writers of {name} wait; PostgreSQL has no other way"
        ),
    )
}

fn exclusion(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Exclusion(table, name) = &change.object else {
        return Ok(());
    };
    let of = |catalog: &crate::catalog::Catalog| -> Option<Exclusion> {
        catalog.tables.get(table)?.exclusions.get(name).cloned()
    };
    let (was, now) = (of(draft.from), of(draft.to));
    let named = format!("exclusion {} of {}", name.as_str(), table.name.as_str());
    let add =
        |name: &Ident, made: &Exclusion| add_constraint(table, &lines::exclusion(name, made), "");
    let (kind, subject, text) = stop(table);
    match (&change.what, was, now) {
        (What::Created, _, Some(now)) => {
            let now = over_built(draft, table, &now);
            let item = Item::new(
                Phase::Validate,
                Rank::Exclusions,
                format!("add {named}"),
                &change.object,
            )
            .part(add(name, &now))
            .undo(drop_constraint(table, name))
            .hazard(kind, subject, text);
            draft.push(item);
        }
        (What::Dropped, Some(was), _) => {
            let item = Item::new(
                Phase::Switch,
                // Before the columns change their places, so that what takes it back finds them where they were.
                Rank::Surroundings,
                format!("drop {named}"),
                &change.object,
            )
            .part(drop_constraint(table, name))
            .undo(add(name, &was));
            draft.push(item);
        }
        (What::Renamed(was), ..) => {
            let item = Item::new(
                Phase::Expand,
                Rank::Columns,
                format!("rename {named}"),
                &change.object,
            )
            .part(rename_constraint(table, was, name))
            .undo(rename_constraint(table, name, was));
            draft.push(item);
        }
        (What::Altered(_), Some(was), Some(now)) => {
            let built = draft.built(name);
            let now = over_built(draft, table, &now);
            let item = Item::new(
                Phase::Validate,
                Rank::Exclusions,
                format!("add the new {named}"),
                &change.object,
            )
            .part(add(&built, &now))
            .undo(drop_constraint(table, &built))
            .hazard(kind, subject, text);
            draft.push(item);
            let pair = (
                drop_constraint(table, name),
                vec![Part::new(add(name, &was))],
            );
            draft.switch(table, Slot::DropKeys, &change.object, pair);
            let pair = (
                rename_constraint(table, &built, name),
                vec![Part::new(rename_constraint(table, name, &built))],
            );
            draft.switch(table, Slot::Keys, &change.object, pair);
        }
        _ => {}
    }
    Ok(())
}

fn over_built(draft: &Draft<'_>, table: &QualifiedName, made: &Exclusion) -> Exclusion {
    let mut made = made.clone();
    for replaced in draft.diff.replaced_in(table) {
        for (element, _) in &mut made.elements {
            *element = text::renamed(element, &replaced.new, &replaced.built);
        }
        made.predicate = made
            .predicate
            .as_ref()
            .map(|p| text::renamed(p, &replaced.new, &replaced.built));
    }
    made
}
