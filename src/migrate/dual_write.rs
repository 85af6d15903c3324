//! What the design itself says of rows that old programs write while the migration lasts.

use super::draft::{Draft, Item, Rank, drop_function, drop_trigger};
use super::plan::Phase;
use crate::catalog::ObjectPath;
use crate::compile::derived;
use crate::sql::{QualifiedName, SqlText, fill, fixed, quote_ident, quote_qualified, tokens};

/// A trigger for each table of `migration.dual_write`, there from the expansion to the contraction.
pub(super) fn declared(draft: &mut Draft<'_>) {
    for (table, sql) in &draft.policy.dual_writes {
        if !draft.from.tables.contains_key(table) {
            draft.notes.push(format!(
                "migration.dual_write names {}, which the old design does not have; it is left out",
                table.name.as_str()
            ));
            continue;
        }
        let name = derived(&["pgproof", "dual", table.name.as_str()]);
        let function = quote_qualified(&QualifiedName::new(table.schema.clone(), name.clone()));
        // What the row itself lacks is given to it before it is written: a rule would refuse it else.
        let is_before = assigns_new(sql);
        let end = if sql.as_str().ends_with(';') { "" } else { ";" };
        let parts = [
            ("name", &quote_ident(&name)),
            ("function", &function),
            ("table", &quote_qualified(table)),
            ("schema", &quote_ident(&draft.policy.schema)),
            ("sql", sql),
            ("end", &fixed(end)),
            ("returned", &fixed(if is_before { "NEW" } else { "NULL" })),
            ("timing", &fixed(if is_before { "BEFORE" } else { "AFTER" })),
        ];
        // SECURITY DEFINER: a program of the old version need not be allowed to write the new tables.
        let create = fill(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, public, pg_temp AS $pgproof$\nBEGIN\n    {sql}{end}\n    RETURN {returned};\nEND\n$pgproof$",
            &parts,
        );
        let trigger = fill(
            "CREATE TRIGGER {name} {timing} INSERT OR UPDATE ON {table}\n    FOR EACH ROW EXECUTE FUNCTION {function}()",
            &parts,
        );
        let without_trigger = drop_trigger(table, &name);
        let without_function = drop_function(table, &name);
        let object = ObjectPath::Table(table.clone());
        let title = format!(
            "bring what is written to {} to its new place",
            table.name.as_str()
        );
        let item = Item::new(Phase::Expand, Rank::Indexes, title, &object)
            .part(create.clone())
            .part(trigger.clone())
            .undo(without_trigger.clone())
            .undo(without_function.clone())
            .because("programs of the old version go on writing it until they are gone");
        draft.push(item);
        let title = format!("no longer follow {}", table.name.as_str());
        let item = Item::new(Phase::Contract, Rank::GoneViews, title, &object)
            .part(without_trigger)
            .part(without_function)
            .undo(create)
            .undo(trigger);
        draft.push(item);
    }
}

/// Whether a statement gives a column of the row a value: `NEW.city := …`.
fn assigns_new(sql: &SqlText) -> bool {
    let text = sql.as_str();
    tokens(text).windows(3).any(|part| {
        let [new, dot, column] = part else {
            return false;
        };
        let after = text[column.range.end..].trim_start();
        new.is(text, "new") && dot.is_symbol(text, ".") && after.starts_with(":=")
    })
}
