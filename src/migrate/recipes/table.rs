//! Tables as a whole.

use crate::catalog::{Catalog, ObjectPath, Table};
use crate::compile::{Writer, lines};
use crate::error::Error;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::declared;
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, add_constraint, alter, drop_constraint, rename_index, validate,
};
use crate::migrate::plan::{HazardKind, Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, join, literal, quote_ident, quote_qualified,
};

pub(in crate::migrate) static CREATED: Recipe = Recipe {
    name: "new-table",
    doc: "a new table comes whole: nobody uses it yet, so nobody waits",
    handles: |change| matches!(change.object, ObjectPath::Table(_)) && change.what == What::Created,
    steps: created,
};

fn created(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Table(name) = &change.object else {
        return Ok(());
    };
    let Some(table) = draft.to.tables.get(name) else {
        return Ok(());
    };
    let title = format!("table {}", name.name.as_str());
    make_room(draft, name, table, &change.object);
    let mut made_of = table.clone();
    for column in &mut made_of.columns {
        column.data_type = draft.swapped(&column.data_type, "new");
    }
    // References wait until every table is there; they hold for an empty table at once.
    let mut writer = Writer::new(draft.environment);
    writer.table(name, &made_of, &|_| false)?;
    let made: Vec<SqlText> = writer.take().into_iter().map(|made| made.sql).collect();
    let drop = fill("DROP TABLE {name}", &[("name", &quote_qualified(name))]);
    let item = Item::new(Phase::Expand, Rank::Tables, title.clone(), &change.object);
    draft.push(item.parts(made).undo(drop));
    for (key, made) in &table.foreign_keys {
        let object = ObjectPath::ForeignKey(name.clone(), key.clone());
        let title = format!("reference {} of the new {title}", key.as_str());
        let sql = alter(
            name,
            "ADD {constraint}",
            &[("constraint", &lines::foreign_key(key, made))],
        );
        let undo = drop_constraint(name, key);
        if super::referred::waits_for_switch(draft, made) {
            super::reference::at_switch(draft, name, key, made, &object);
            continue;
        }
        // A key that is only now being built must be there first.
        let is_old = draft.from.tables.contains_key(&made.table);
        if is_old && super::referred::waits_for_key(draft, made) {
            super::reference::late(draft, name, key, made, &object);
            continue;
        }
        let item = Item::new(Phase::Expand, Rank::Partitions, title, &object);
        draft.push(item.part(sql).undo(undo));
    }
    for statement in rules(draft, name, table)? {
        draft.push(statement);
    }
    declared::declared(draft, name, &change.object)?;
    Ok(())
}

/// Names of indexes are the schema's, so one that a table of the old design has is renamed before the new table takes it. Programs do not know them.
fn make_room(draft: &mut Draft<'_>, name: &QualifiedName, table: &Table, cause: &ObjectPath) {
    let names = |table: &Table| -> Vec<Ident> {
        let constraints = table.indexed_constraints();
        constraints.chain(table.indexes.keys()).cloned().collect()
    };
    let wanted = names(table);
    for (other, old) in draft.from.tables.iter().filter(|(other, _)| *other != name) {
        for taken in names(old)
            .into_iter()
            .filter(|taken| wanted.contains(taken))
        {
            let kept = draft.kept(&taken);
            let rename = |from: &Ident, to: &Ident| rename_index(other, from, to);
            let title = format!("make room for the name {}", taken.as_str());
            let item = Item::new(Phase::Expand, Rank::RenamedTables, title, cause)
                .part(rename(&taken, &kept))
                .undo(rename(&kept, &taken));
            draft.notes.push(format!(
                "{} of {} is called {} until it goes, because the new table {} needs its name",
                taken.as_str(),
                other.name.as_str(),
                kept.as_str(),
                name.name.as_str()
            ));
            draft.push(item);
        }
    }
}

/// Row-level security, triggers and grants of a new table.
fn rules(draft: &Draft<'_>, name: &QualifiedName, table: &Table) -> Result<Vec<Item>, Error> {
    let mut writer = Writer::new(draft.environment);
    writer.security(name, table)?;
    for (trigger, made) in &table.triggers {
        writer.trigger(name, trigger, made)?;
    }
    let rules: Vec<SqlText> = writer.take().into_iter().map(|made| made.sql).collect();
    for (role, privileges) in &table.grants {
        writer.grant(name, role, privileges);
    }
    let grants: Vec<SqlText> = writer.take().into_iter().map(|made| made.sql).collect();
    let object = ObjectPath::Table(name.clone());
    let quoted = quote_qualified(name);
    let drop = |what: &'static str, rule: &Ident| {
        let parts = [
            ("what", &fixed(what)),
            ("rule", &quote_ident(rule)),
            ("table", &quoted),
        ];
        fill("DROP {what} {rule} ON {table}", &parts)
    };
    // Functions that they call must be free to go before the table does.
    let policies = table.policies.keys().map(|policy| drop("POLICY", policy));
    let triggers = table
        .triggers
        .keys()
        .map(|trigger| drop("TRIGGER", trigger));
    let mut without: Vec<SqlText> = policies.chain(triggers).collect();
    if table.force_row_security {
        without.push(alter(name, "NO FORCE ROW LEVEL SECURITY", &[]));
    }
    if table.row_security {
        without.push(alter(name, "DISABLE ROW LEVEL SECURITY", &[]));
    }
    let revoked = table.grants.keys().map(|role| {
        let parts = [("table", &quoted), ("role", &quote_ident(role))];
        fill("REVOKE ALL ON {table} FROM {role}", &parts)
    });
    let mut items = Vec::new();
    for (what, rank, statements, undo) in [
        ("rules", Rank::Triggers, rules, without),
        ("grants", Rank::Grants, grants, revoked.collect()),
    ] {
        if !statements.is_empty() {
            let title = format!("{what} of the new table {}", name.name.as_str());
            let item = Item::new(Phase::Expand, rank, title, &object).parts(statements);
            items.push(item.undo_parts(undo.into_iter().map(Part::new)));
        }
    }
    Ok(items)
}

pub(in crate::migrate) static DROPPED: Recipe = Recipe {
    name: "dropped-table",
    doc: "a table goes last, when no program of the old version is left",
    handles: |change| matches!(change.object, ObjectPath::Table(_)) && change.what == What::Dropped,
    steps: dropped,
};

fn dropped(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Table(name) = &change.object else {
        return Ok(());
    };
    let Some(table) = draft.from.tables.get(name) else {
        return Ok(());
    };
    // References among tables that go together would forbid any order.
    for (key, made) in &table.foreign_keys {
        let goes_before = super::primary::drops(draft, &made.table, &made.key)
            || super::key::gone_with(draft, &made.table, &made.key).is_some();
        if made.table != *name && !goes_before {
            let object = ObjectPath::ForeignKey(name.clone(), key.clone());
            let title = format!("drop reference {} of {}", key.as_str(), name.name.as_str());
            // After its switch, the table that it refers to is called otherwise, and so are columns that were replaced.
            let mut was = made.clone();
            was.key = super::primary::back_columns(draft, &made.table, &made.key);
            if draft.diff.is_shadowed(&made.table) {
                was.table.name = draft.kept(&made.table.name);
            }
            let constraint = lines::foreign_key(key, &was);
            let rest = super::reference::unproven(draft, name);
            let add = add_constraint(name, &constraint, rest);
            let item = Item::new(Phase::Contract, Rank::GoneReferences, title, &object)
                .part(drop_constraint(name, key))
                .past_policies(super::reference::is_hidden(draft, name, made))
                .undo(add)
                .undo_parts([Part::alone(validate(name, key))]);
            draft.push(item);
        }
    }
    let subject = name.name.as_str();
    let item = Item::new(
        Phase::Contract,
        Rank::GoneTables,
        format!("drop table {subject}"),
        &change.object,
    )
    .part(fill(
        "DROP TABLE {name}",
        &[("name", &quote_qualified(name))],
    ))
    .hazard(
        HazardKind::DataLoss,
        subject,
        format!("every row of {subject} is gone"),
    )
    .forward_only("the rows are gone; restore them from a backup");
    draft.push(item);
    Ok(())
}

pub(in crate::migrate) static RENAMED: Recipe = Recipe {
    name: "renamed-table",
    doc: "a table takes its new name, and a view under the old one serves old programs until they are gone",
    handles: |change| {
        matches!(
            (&change.object, &change.what),
            (ObjectPath::Table(_), What::Renamed(_))
        )
    },
    steps: renamed,
};

fn renamed(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let (ObjectPath::Table(name), What::Renamed(was)) = (&change.object, &change.what) else {
        return Ok(());
    };
    let old = QualifiedName::new(name.schema.clone(), was.clone());
    let rename = |from: &QualifiedName, to: &QualifiedName| {
        alter(from, "RENAME TO {to}", &[("to", &quote_ident(&to.name))])
    };
    let Some(table) = draft.from.tables.get(name) else {
        let title = format!(
            "rename partition {} to {}",
            was.as_str(),
            name.name.as_str()
        );
        let item = Item::new(Phase::Expand, Rank::RenamedTables, title, &change.object);
        draft.push(item.part(rename(&old, name)).undo(rename(name, &old)));
        return Ok(());
    };
    let columns = table
        .columns
        .iter()
        .map(|column| (&column.name, &column.name));
    let view = under_old_name(draft, (&old, table), name, columns);
    let drop = fill("DROP VIEW {old}", &[("old", &quote_qualified(&old))]);
    let title = format!("rename table {} to {}", was.as_str(), name.name.as_str());
    let mut item = Item::new(Phase::Expand, Rank::RenamedTables, title, &change.object)
        .part(rename(&old, name))
        .parts(view.clone())
        .undo(drop.clone())
        .undo(rename(name, &old))
        .because("the view lets programs of the old version read and write as before");
    if draft.policy.version < 15 && table.row_security {
        item = item.hazard(
            HazardKind::Stop,
            was.as_str(),
            "before PostgreSQL 15 a view reads with its owner's rights, so row-level security does not hold for programs that use the old name",
        );
    }
    draft.push(item);
    let shown = shown_after(draft, name, table);
    let columns = shown.iter().map(|(was, now)| (was, now));
    let again = under_old_name(draft, (&old, table), name, columns);
    let title = format!("drop the view under the old name {}", was.as_str());
    let item = Item::new(Phase::Contract, Rank::GoneViews, title, &change.object)
        .part(drop)
        .undo_parts(again.into_iter().map(Part::new));
    draft.push(item);
    Ok(())
}

/// Makes the view under the old name of a renamed table anew in its switch: what it stands on changes its place, or its type.
pub(super) fn led_anew(draft: &mut Draft<'_>, name: &QualifiedName, cause: &ObjectPath) {
    let path = ObjectPath::Table(name.clone());
    let mut changes = draft.diff.changes.iter();
    let renamed = changes.find_map(|change| match &change.what {
        What::Renamed(was) if change.object == path => Some(was.clone()),
        _ => None,
    });
    let (Some(was), Some(table)) = (renamed, draft.from.tables.get(name)) else {
        return;
    };
    let old = QualifiedName::new(name.schema.clone(), was);
    let columns = table.columns.iter();
    let columns = columns.map(|column| (&column.name, &column.name));
    let before = under_old_name(draft, (&old, table), name, columns);
    let shown = shown_after(draft, name, table);
    let columns = shown.iter().map(|(was, now)| (was, now));
    let after = under_old_name(draft, (&old, table), name, columns);
    let drop = fill("DROP VIEW {old}", &[("old", &quote_qualified(&old))]);
    let back = before.into_iter().map(Part::new).collect();
    draft.switch(name, Slot::DropViews, cause, (drop.clone(), back));
    let mut back = vec![Part::new(drop)];
    for sql in after {
        let back = std::mem::take(&mut back);
        draft.switch(name, Slot::Views, cause, (sql, back));
    }
}

/// Columns of the old table with what holds their values after the switch.
fn shown_after(draft: &Draft<'_>, name: &QualifiedName, table: &Table) -> Vec<(Ident, Ident)> {
    let to = draft.to.tables.get(name);
    let shown = table.columns.iter().filter_map(|column| {
        let was = &column.name;
        let now = if draft.diff.is_shadowed(name) {
            let mut carried = draft.diff.carried.iter();
            let carried = carried.find(|((of, _), old)| of == name && *old == was);
            let stays = || to?.column(was).map(|column| column.name.clone());
            carried.map(|((_, now), _)| now.clone()).or_else(stays)?
        } else {
            // A column of another type stands in the place of the old one, which the view goes on to show.
            let mut replaced = draft.diff.replaced_in(name);
            match replaced.find(|r| r.old == *was && r.new == *was) {
                None => was.clone(),
                Some(_) => draft.kept(was),
            }
        };
        Some((was.clone(), now))
    });
    shown.collect()
}

/// A view for programs that know a table by its old name, over columns by their old and their present names.
fn under_old_name<'c>(
    draft: &Draft<'_>,
    (old, table): (&QualifiedName, &Table),
    name: &QualifiedName,
    columns: impl Iterator<Item = (&'c Ident, &'c Ident)>,
) -> Vec<SqlText> {
    // An invoker's view lets row-level security and grants see who asks; before 15 there is none, and a view would pass the policies by.
    let invoker = fixed(if draft.policy.version >= 15 {
        " WITH (security_invoker = true)"
    } else {
        ""
    });
    let columns = columns.map(|(was, now)| match was == now {
        true => quote_ident(now),
        false => fill(
            "{now} AS {was}",
            &[("now", &quote_ident(now)), ("was", &quote_ident(was))],
        ),
    });
    let parts = [
        ("old", &quote_qualified(old)),
        ("new", &quote_qualified(name)),
        ("invoker", &invoker),
        ("columns", &join(columns, ", ")),
    ];
    let view = fill(
        "CREATE VIEW {old}{invoker} AS\n    SELECT {columns}\n    FROM {new}",
        &parts,
    );
    let mut writer = Writer::new(draft.environment);
    for (role, privileges) in &table.grants {
        writer.grant(old, role, privileges);
    }
    let grants = writer.take().into_iter().map(|made| made.sql);
    std::iter::once(view).chain(grants).collect()
}

pub(in crate::migrate) static SETTINGS: Recipe = Recipe {
    name: "table-settings",
    doc: "storage parameters and comments change only the catalog",
    handles: |change| {
        matches!(
            (&change.object, &change.what),
            (
                ObjectPath::Table(_),
                What::Altered(Facet::Storage | Facet::Comment)
            )
        )
    },
    steps: settings,
};

fn settings(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Table(name) = &change.object else {
        return Ok(());
    };
    let Some((from, to)) = draft.both(name) else {
        return Ok(());
    };
    let subject = name.name.as_str();
    let item = if change.what == What::Altered(Facet::Comment) {
        let comment = |catalog: &Catalog| {
            let text = catalog.tables.get(name).and_then(|t| t.comment.clone());
            let text = text.map_or_else(|| fixed("NULL"), |text| literal(&text));
            let parts = [("name", &quote_qualified(name)), ("text", &text)];
            fill("COMMENT ON TABLE {name} IS {text}", &parts)
        };
        let title = format!("comment on {subject}");
        Item::new(Phase::Expand, Rank::Columns, title, &change.object)
            .part(comment(draft.to))
            .undo(comment(draft.from))
    } else {
        let title = format!("storage parameters of {subject}");
        let mut item = Item::new(Phase::Expand, Rank::Columns, title, &change.object);
        // A partitioned table has none; its partitions do.
        let names: Vec<QualifiedName> = match &to.partitioning {
            None => vec![name.clone()],
            Some(by) => by
                .partitions
                .iter()
                .map(|part| QualifiedName::new(name.schema.clone(), part.name.clone()))
                .collect(),
        };
        for name in &names {
            item = item
                .parts(parameters(name, from, to))
                .undo_parts(parameters(name, to, from).into_iter().map(Part::new));
        }
        item
    };
    draft.push(item);
    Ok(())
}

fn parameters(name: &QualifiedName, from: &Table, to: &Table) -> Vec<SqlText> {
    let mut out = Vec::new();
    let set: std::collections::BTreeMap<String, String> = to
        .with
        .iter()
        .filter(|(key, value)| from.with.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !set.is_empty() {
        out.push(alter(
            name,
            "SET ({set})",
            &[("set", &lines::parameters(&set))],
        ));
    }
    let gone = from.with.keys().filter(|key| !to.with.contains_key(*key));
    let gone = join(gone.map(|key| quote_ident(&key.as_str().into())), ", ");
    if !gone.as_str().is_empty() {
        out.push(alter(name, "RESET ({gone})", &[("gone", &gone)]));
    }
    out
}
