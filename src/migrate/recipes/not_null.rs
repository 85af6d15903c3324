//! NOT NULL without a scan that holds writers up.

use crate::catalog::{Column, ColumnDefault, ObjectPath};
use crate::compile::derived;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{
    Draft, Item, Rank, add_constraint, alter_column, drop_constraint, validate,
};
use crate::migrate::plan::{Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{Ident, QualifiedName, SqlText, fill, quote_ident, quote_qualified};

pub(in crate::migrate) static NOT_NULL: Recipe = Recipe {
    name: "not-null",
    doc: "a check is added NOT VALID and validated while writers go on; SET NOT NULL then believes it and scans nothing",
    handles: |change| change.what == What::Altered(Facet::NotNull),
    steps: |change: &Change, draft: &mut Draft<'_>| {
        if let ObjectPath::Column(table, name) = &change.object {
            steps(draft, table, name, name, &change.object);
        }
        Ok(())
    },
};

/// The first major with `NOT NULL … NOT VALID`.
const NATIVE: u16 = 18;

fn proof(table: &QualifiedName, column: &Ident, version: u16) -> Ident {
    let word = if version >= NATIVE {
        "not_null"
    } else {
        "not_null_proof"
    };
    derived(&[table.name.as_str(), column.as_str(), word])
}

/// The constraint that is added NOT VALID.
fn constraint(table: &QualifiedName, column: &Ident, version: u16) -> SqlText {
    let name = quote_ident(&proof(table, column, version));
    let parts = [("name", &name), ("column", &quote_ident(column))];
    if version >= NATIVE {
        fill("CONSTRAINT {name} NOT NULL {column}", &parts)
    } else {
        fill("CONSTRAINT {name} CHECK ({column} IS NOT NULL)", &parts)
    }
}

/// Whether a computed column comes without its NOT NULL, which the rows that exist may break: it is proven like any other. A virtual one has no values to
/// look at.
pub(super) fn is_proven_later(column: &Column) -> bool {
    match &column.default {
        Some(ColumnDefault::Generated(text)) => {
            !column.nullable && !text.as_str().ends_with(" VIRTUAL")
        }
        _ => false,
    }
}

/// The steps; the column is known as `built` while they run, and as `name` afterwards.
pub(super) fn steps(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    name: &Ident,
    built: &Ident,
    cause: &ObjectPath,
) {
    let version = draft.policy.version;
    let proof = proof(table, built, version);
    let subject = format!("{}.{}", table.name.as_str(), name.as_str());
    let drop = drop_constraint(table, &proof);
    let add = add_constraint(table, &constraint(table, built, version), " NOT VALID");
    let parts = [
        ("table", &quote_qualified(table)),
        ("column", &quote_ident(built)),
    ];
    let nulls = fill(
        "SELECT * FROM {table} WHERE {column} IS NULL LIMIT 10",
        &parts,
    );
    let item = Item::new(
        Phase::Validate,
        Rank::NotNull,
        format!("refuse new nulls in {subject}"),
        cause,
    )
    .part(add)
    .undo(drop.clone());
    draft.push(item);
    let item = Item::new(
        Phase::Validate,
        Rank::NotNull,
        format!("prove that {subject} has no nulls"),
        cause,
    )
    .part(validate(table, &proof))
    .check(nulls)
    .because("in a transaction of its own, so that the lock of the step before is not held through the scan");
    draft.push(item);
    if version >= NATIVE {
        return;
    }
    let item = Item::new(
        Phase::Validate,
        Rank::NotNull,
        format!("make {subject} NOT NULL"),
        cause,
    )
    .part(alter_column(table, built, "SET NOT NULL", &[]))
    .part(drop)
    .undo(add_constraint(
        table,
        &constraint(table, built, version),
        " NOT VALID",
    ))
    .undo(alter_column(table, built, "DROP NOT NULL", &[]))
    .because("the validated check spares the scan");
    draft.push(item);
}

/// NOT NULL again, as the reverse of dropping it.
pub(super) fn parts(draft: &Draft<'_>, table: &QualifiedName, name: &Ident) -> Vec<Part> {
    let version = draft.policy.version;
    let proof = proof(table, name, version);
    let mut parts = vec![
        Part::new(add_constraint(
            table,
            &constraint(table, name, version),
            " NOT VALID",
        )),
        Part::alone(validate(table, &proof)),
    ];
    if version < NATIVE {
        parts.push(Part::alone(alter_column(table, name, "SET NOT NULL", &[])));
        parts.push(Part::alone(drop_constraint(table, &proof)));
    }
    parts
}
