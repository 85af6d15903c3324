//! The triggers that keep a column and the one that takes its place the same.

use super::replace::Pair;
use crate::catalog::ColumnDefault;
use crate::sql::{
    Ident, QualifiedName, SqlText, comparable, fill, fixed, quote_ident, quote_qualified,
};

pub(super) fn of_new(column: &Ident) -> SqlText {
    fill("NEW.{column}", &[("column", &quote_ident(column))])
}

/// An expression over the columns of the row that a trigger has before it.
pub(super) fn of_row(value: &SqlText) -> SqlText {
    let parts = [("value", value)];
    fill(
        "(SELECT {value} FROM (SELECT NEW.*) AS pgproof_row)",
        &parts,
    )
}

/// Old to new only: programs of either version write the one name, and the other column is the migration's.
pub(super) fn one_way(pair: &Pair<'_>) -> SqlText {
    let old = match &pair.was.default {
        // What is computed is computed after the triggers.
        Some(ColumnDefault::Generated(computed)) => fill(
            "(SELECT ({computed})::{type} FROM (SELECT NEW.*) AS pgproof_row)",
            &[("computed", computed), ("type", &pair.was.data_type)],
        ),
        _ => of_new(&pair.replaced.old),
    };
    let value = pair.forward(&old);
    let parts = [("built", &of_new(&pair.replaced.built)), ("value", &value)];
    fill("{built} := {value};", &parts)
}

/// Whoever writes, the other column follows.
pub(super) fn both_ways(pair: &Pair<'_>) -> SqlText {
    let (old, new) = (&pair.replaced.old, &pair.replaced.built);
    let of_old = |column: &Ident| fill("OLD.{column}", &[("column", &quote_ident(column))]);
    let (was, now) = (&pair.was.data_type, &pair.built_type);
    let forward = pair.forward(&of_new(old));
    let back = pair.back(&of_new(new), (now, was));
    let compared_old = [of_new(old), of_old(old)].map(|value| comparable(&value, was));
    let compared_new =
        [of_new(new), of_old(new), forward.clone()].map(|value| comparable(&value, now));
    let parts = [
        ("is_old", &compared_old[0]),
        ("was_old", &compared_old[1]),
        ("is_new", &compared_new[0]),
        ("was_new", &compared_new[1]),
        ("wanted", &compared_new[2]),
        ("new_old", &of_new(old)),
        ("new_new", &of_new(new)),
        ("forward", &forward),
        ("back", &back),
    ];
    fill(
        "IF TG_OP = 'INSERT' THEN\n    IF {new_new} IS NOT NULL THEN\n        {new_old} := {back};\n    ELSE\n        {new_new} := {forward};\n    END IF;\nELSIF {is_old} IS DISTINCT FROM {was_old} THEN\n    {new_new} := {forward};\nELSIF {is_new} IS DISTINCT FROM {was_new} AND {is_new} IS DISTINCT FROM {wanted} THEN\n    {new_old} := {back};\nEND IF;",
        &parts,
    )
}

pub(super) fn function(pair: &Pair<'_>, name: &Ident, body: &SqlText) -> SqlText {
    let name = QualifiedName::new(pair.table.schema.clone(), name.clone());
    // What the design says may name types and functions without their schema.
    let path = match pair.convert {
        Some(_) => {
            let parts = [("schema", &quote_ident(&pair.table.schema))];
            fill(" SET search_path = {schema}, public, pg_temp", &parts)
        }
        None => fixed(""),
    };
    let parts = [
        ("name", &quote_qualified(&name)),
        ("path", &path),
        ("body", body),
    ];
    fill(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{path} AS $pgproof$\n#variable_conflict use_column\nBEGIN\n    {body}\n    RETURN NEW;\nEND\n$pgproof$",
        &parts,
    )
}

pub(super) fn trigger(pair: &Pair<'_>, name: &Ident) -> SqlText {
    let function = QualifiedName::new(pair.table.schema.clone(), name.clone());
    let parts = [
        ("name", &quote_ident(name)),
        ("table", &quote_qualified(pair.table)),
        ("function", &quote_qualified(&function)),
    ];
    fill(
        "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table}\n    FOR EACH ROW EXECUTE FUNCTION {function}()",
        &parts,
    )
}
