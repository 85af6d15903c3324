//! Privileges.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, ObjectPath, Privilege};
use crate::compile::{Writer, privilege_list};
use crate::error::Error;
use crate::migrate::change::Change;
use crate::migrate::draft::{Draft, Item, Rank};
use crate::migrate::plan::Phase;
use crate::migrate::recipe::Recipe;
use crate::sql::{Ident, QualifiedName, SqlText, fill, quote_ident, quote_qualified};

pub(in crate::migrate) static GRANT: Recipe = Recipe {
    name: "grant",
    doc: "new privileges come first, old ones go last",
    handles: |change| matches!(change.object, ObjectPath::Grants(..)),
    steps: grant,
};

fn privileges(catalog: &Catalog, name: &QualifiedName, role: &Ident) -> BTreeSet<Privilege> {
    let table = catalog.tables.get(name).map(|table| &table.grants);
    let view = catalog.views.iter().find(|(other, _)| other == name);
    let grants = table.or_else(|| view.map(|(_, view)| &view.grants));
    let privileges = grants.and_then(|grants| grants.get(role));
    privileges.cloned().unwrap_or_default()
}

fn grant(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Grants(name, role) = &change.object else {
        return Ok(());
    };
    let was = privileges(draft.from, name, role);
    let now = privileges(draft.to, name, role);
    let given: BTreeSet<Privilege> = now.difference(&was).copied().collect();
    let taken: BTreeSet<Privilege> = was.difference(&now).copied().collect();
    let give = |privileges: &BTreeSet<Privilege>| {
        let mut writer = Writer::new(draft.environment);
        writer.grant(name, role, privileges);
        writer.take().into_iter().map(|made| made.sql)
    };
    let on = format!("to {} on {}", role.as_str(), name.name.as_str());
    let mut items = Vec::new();
    if !given.is_empty() {
        let item = Item::new(
            Phase::Expand,
            Rank::Grants,
            format!("grant {on}"),
            &change.object,
        )
        .parts(give(&given))
        .undo(revoke(name, role, &given));
        items.push(item);
    }
    if !taken.is_empty() {
        let from = format!("revoke from {} on {}", role.as_str(), name.name.as_str());
        let item = Item::new(Phase::Contract, Rank::GoneRules, from, &change.object)
            .part(revoke(name, role, &taken))
            .undo_parts(give(&taken).map(crate::migrate::plan::Part::new));
        items.push(item);
    }
    for item in items {
        draft.push(item);
    }
    Ok(())
}

fn revoke(name: &QualifiedName, role: &Ident, privileges: &BTreeSet<Privilege>) -> SqlText {
    let parts = [
        ("privileges", &privilege_list(privileges)),
        ("name", &quote_qualified(name)),
        ("role", &quote_ident(role)),
    ];
    fill("REVOKE {privileges} ON {name} FROM {role}", &parts)
}

/// `USAGE` on the schema for roles that have their first privilege in it, and for none that have no more.
pub(in crate::migrate) fn usage(draft: &mut Draft<'_>) {
    let holders = |catalog: &Catalog| -> BTreeSet<Ident> {
        let tables = catalog.tables.values().map(|table| &table.grants);
        let views = catalog.views.iter().map(|(_, view)| &view.grants);
        let roles = tables
            .chain(views)
            .flat_map(|grants| grants.keys().cloned());
        roles
            .filter(|role| catalog.roles.contains_key(role))
            .collect()
    };
    let (was, now) = (holders(draft.from), holders(draft.to));
    for role in now.difference(&was) {
        for schema in &draft.to.schemas {
            let mut writer = Writer::new(draft.environment);
            writer.usage(schema, role);
            let object = ObjectPath::Role(role.clone());
            let made = writer.take().into_iter().map(|made| made.sql);
            let parts = [
                ("schema", &quote_ident(schema)),
                ("role", &quote_ident(role)),
            ];
            let title = format!("let {} into schema {}", role.as_str(), schema.as_str());
            let item = Item::new(Phase::Expand, Rank::Grants, title, &object)
                .parts(made)
                .undo(fill("REVOKE USAGE ON SCHEMA {schema} FROM {role}", &parts));
            draft.push(item);
        }
    }
}
