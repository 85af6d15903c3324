//! Roles, extensions and schemas.

use crate::catalog::ObjectPath;
use crate::compile::Writer;
use crate::error::Error;
use crate::migrate::change::{Change, What};
use crate::migrate::draft::{Draft, Item, Rank};
use crate::migrate::plan::Phase;
use crate::migrate::recipe::Recipe;
use crate::sql::{fill, fixed, quote_ident};

pub(in crate::migrate) static ROLE: Recipe = Recipe {
    name: "role",
    doc: "roles are made and changed first; they are never dropped, because they belong to the server and may serve other databases",
    handles: |change| matches!(change.object, ObjectPath::Role(_)),
    steps: role,
};

fn role(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Role(name) = &change.object else {
        return Ok(());
    };
    let quoted = quote_ident(name);
    if change.what == What::Dropped {
        draft.notes.push(format!(
            "role {} is no longer in the design; roles belong to the server, so it stays until somebody drops it",
            name.as_str()
        ));
        return Ok(());
    }
    let Some(role) = draft.to.roles.get(name) else {
        return Ok(());
    };
    let title = format!("role {}", name.as_str());
    let item = Item::new(Phase::Expand, Rank::Surroundings, title, &change.object);
    let item = if change.what == What::Created {
        let mut writer = Writer::new(draft.environment);
        writer.role(name, role);
        let made = writer.take().into_iter().map(|statement| statement.sql);
        let item = item.parts(made);
        item.undo(fill("DROP ROLE {name}", &[("name", &quoted)]))
    } else {
        let options = |role: &crate::catalog::Role| {
            let login = fixed(if role.login { "LOGIN" } else { "NOLOGIN" });
            let bypass = fixed(if role.bypass_rls {
                "BYPASSRLS"
            } else {
                "NOBYPASSRLS"
            });
            let parts = [("name", &quoted), ("login", &login), ("bypass", &bypass)];
            fill("ALTER ROLE {name} {login} {bypass}", &parts)
        };
        let was = draft.from.roles.get(name);
        let item = item.part(options(role));
        match was {
            Some(was) => item.undo(options(was)),
            None => item,
        }
    };
    draft.push(item);
    Ok(())
}

pub(in crate::migrate) static EXTENSION: Recipe = Recipe {
    name: "extension",
    doc: "extensions come first; one that is no longer named stays, since others may use it",
    handles: |change| matches!(change.object, ObjectPath::Extension(_)),
    steps: |change, draft| {
        let ObjectPath::Extension(name) = &change.object else {
            return Ok(());
        };
        if change.what == What::Dropped {
            draft.notes.push(format!(
                "extension {} is no longer named by the design and stays: other databases' objects are not ours to judge",
                name.as_str()
            ));
            return Ok(());
        }
        let mut writer = Writer::new(draft.environment);
        writer.extension(name);
        let made = writer.take().into_iter().map(|statement| statement.sql);
        let title = format!("extension {}", name.as_str());
        // Where a design's own script puts it, and not into the design's schema, which would be read back as the design's.
        let item = Item::new(Phase::Expand, Rank::Surroundings, title, &change.object)
            .part(fixed("SET LOCAL search_path = public"));
        let undo = fill(
            "DROP EXTENSION IF EXISTS {name}",
            &[("name", &quote_ident(name))],
        );
        draft.push(item.parts(made).undo(undo));
        Ok(())
    },
};

pub(in crate::migrate) static SCHEMA: Recipe = Recipe {
    name: "schema",
    doc: "a schema is made first and dropped last, when it is empty",
    handles: |change| matches!(change.object, ObjectPath::Schema(_)),
    steps: |change, draft| {
        let ObjectPath::Schema(name) = &change.object else {
            return Ok(());
        };
        let quoted = quote_ident(name);
        let make = fill("CREATE SCHEMA {name}", &[("name", &quoted)]);
        let drop = fill("DROP SCHEMA {name}", &[("name", &quoted)]);
        let title = format!("schema {}", name.as_str());
        draft.push(if change.what == What::Created {
            let item = Item::new(Phase::Expand, Rank::Surroundings, title, &change.object);
            item.part(make).undo(drop)
        } else {
            let title = format!("drop {title}");
            let item = Item::new(Phase::Contract, Rank::Last, title, &change.object);
            item.part(drop).undo(make)
        });
        Ok(())
    },
};
