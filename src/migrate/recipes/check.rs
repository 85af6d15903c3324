//! CHECK constraints.

use crate::catalog::{Check, ObjectPath};
use crate::compile::lines;
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, add_constraint, drop_constraint, rename_constraint, validate,
};
use crate::migrate::plan::{Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::words as text;
use crate::sql::{Ident, QualifiedName, SqlText, fill, quote_qualified};

pub(in crate::migrate) static CHECK: Recipe = Recipe {
    name: "check",
    doc: "a check is added NOT VALID and validated while writers go on; one that is dropped goes before new programs come",
    handles: |change| matches!(change.object, ObjectPath::Check(..)),
    steps: check,
};

fn check(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Check(table, name) = &change.object else {
        return Ok(());
    };
    match &change.what {
        What::Created => prove(draft, table, name, name, &change.object),
        What::Dropped => {
            let Some(made) = old(draft, table, name) else {
                return Ok(());
            };
            let title = format!("drop check {} of {}", name.as_str(), table.name.as_str());
            let item = Item::new(Phase::Expand, Rank::Loosened, title, &change.object)
                .part(drop_constraint(table, name))
                .undo(add_constraint(
                    table,
                    &lines::check(name, &made),
                    " NOT VALID",
                ))
                .undo_parts([Part::alone(validate(table, name))]);
            draft.push(item);
        }
        What::Renamed(was) => {
            let title = format!("rename check {} to {}", was.as_str(), name.as_str());
            let item = Item::new(Phase::Expand, Rank::Columns, title, &change.object)
                .part(rename_constraint(table, was, name))
                .undo(rename_constraint(table, name, was));
            draft.push(item);
        }
        What::Altered(facet) => {
            let Some(made) = old(draft, table, name) else {
                return Ok(());
            };
            let built = draft.built(name);
            prove(draft, table, name, &built, &change.object);
            let again = lines::check(name, &made);
            if *facet == Facet::Rebuilt {
                // The old one stays with the old column, whose values are the same.
                let kept = draft.kept(name);
                let pair = (
                    rename_constraint(table, name, &kept),
                    vec![Part::new(rename_constraint(table, &kept, name))],
                );
                draft.switch(table, Slot::Keys, &change.object, pair);
                let title = format!("drop check {} of {}", kept.as_str(), table.name.as_str());
                let item = Item::new(Phase::Contract, Rank::GoneRules, title, &change.object)
                    .part(drop_constraint(table, &kept))
                    .forward_only("the old column goes in the next step");
                draft.push(item);
            } else {
                let back = vec![
                    Part::new(add_constraint(table, &again, " NOT VALID")),
                    Part::alone(validate(table, name)),
                ];
                let pair = (drop_constraint(table, name), back);
                draft.switch(table, Slot::DropKeys, &change.object, pair);
            }
            let pair = (
                rename_constraint(table, &built, name),
                vec![Part::new(rename_constraint(table, name, &built))],
            );
            draft.switch(table, Slot::Keys, &change.object, pair);
        }
    }
    Ok(())
}

fn old(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> Option<Check> {
    draft.from.tables.get(table)?.checks.get(name).cloned()
}

/// Adds the new check NOT VALID under the name `built`, and validates it.
fn prove(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    built: &Ident,
    cause: &ObjectPath,
) {
    let Some(made) = draft.to.tables.get(table).and_then(|t| t.checks.get(name)) else {
        return;
    };
    let mut expression = made.expression.clone();
    for replaced in draft.diff.replaced_in(table) {
        expression = text::renamed(&expression, &replaced.new, &replaced.built);
    }
    let against = violations(table, &expression);
    let constraint = lines::check(built, &Check { expression });
    let named = format!("check {} of {}", name.as_str(), table.name.as_str());
    let item = Item::new(Phase::Validate, Rank::Checks, format!("add {named}"), cause)
        .part(add_constraint(table, &constraint, " NOT VALID"))
        .undo(drop_constraint(table, built));
    draft.push(item);
    let item = Item::new(Phase::Validate, Rank::Checks, format!("validate {named}"), cause)
        .part(validate(table, built))
        .check(against)
        .because("in a transaction of its own, so that the lock of the step before is not held through the scan");
    draft.push(item);
}

fn violations(table: &QualifiedName, expression: &SqlText) -> SqlText {
    let parts = [
        ("table", &quote_qualified(table)),
        ("expression", expression),
    ];
    fill(
        "SELECT * FROM {table} WHERE NOT ({expression}) LIMIT 10",
        &parts,
    )
}
