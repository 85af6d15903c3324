//! What the design itself says of rows that old programs write while the migration lasts.

use super::draft::{Draft, Item, Rank, drop_function, drop_trigger};
use super::plan::Phase;
use crate::catalog::ObjectPath;
use crate::compile::derived;
use crate::sql::{QualifiedName, fill, quote_ident, quote_qualified};

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
        let end = if sql.as_str().ends_with(';') { "" } else { ";" };
        let parts = [
            ("name", &quote_ident(&name)),
            ("function", &function),
            ("table", &quote_qualified(table)),
            ("schema", &quote_ident(&draft.policy.schema)),
            ("sql", sql),
            ("end", &crate::sql::fixed(end)),
        ];
        // SECURITY DEFINER: a program of the old version need not be allowed to write the new tables.
        let create = fill(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, public, pg_temp AS $pgproof$\nBEGIN\n    {sql}{end}\n    RETURN NULL;\nEND\n$pgproof$",
            &parts,
        );
        let trigger = fill(
            "CREATE TRIGGER {name} AFTER INSERT OR UPDATE ON {table}\n    FOR EACH ROW EXECUTE FUNCTION {function}()",
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
