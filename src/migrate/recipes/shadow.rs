//! A table that is built anew beside the old one: partitioned, partitioned otherwise, or no longer.
//!
//! Triggers write to both; old rows are copied in chunks; the two exchange their names in one short transaction, after which the old table follows until it goes.

use crate::catalog::{Column, ColumnDefault, ObjectPath, Table};
use crate::compile::{Writer, derived};
use crate::error::Error;
use crate::migrate::backfill;
use crate::migrate::change::{Change, Facet, What};
use crate::migrate::draft::{
    Draft, Item, Rank, Slot, alter, drop_constraint, drop_function, drop_trigger,
    rename_constraint, rename_index,
};
use crate::migrate::plan::{Part, Phase};
use crate::migrate::recipe::Recipe;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, follow_rows, idents, join, literal, quote_ident,
    quote_qualified,
};

pub(in crate::migrate) static SHADOW: Recipe = Recipe {
    name: "shadow-table",
    doc: "a table that is partitioned, or partitioned otherwise: a new one beside it, written by triggers, filled in chunks, exchanged in one short transaction",
    handles: |change| change.what == What::Altered(Facet::Partitioning),
    steps: shadow,
};

struct Pair<'a> {
    name: &'a QualifiedName,
    built: QualifiedName,
    kept: QualifiedName,
    from: &'a Table,
    to: &'a Table,
    /// Columns that both have, and that can be written.
    shared: Vec<Ident>,
    key: Vec<Ident>,
    cause: &'a ObjectPath,
}

fn shadow(change: &Change, draft: &mut Draft<'_>) -> Result<(), Error> {
    let ObjectPath::Table(name) = &change.object else {
        return Ok(());
    };
    let Some((from, to)) = draft.both(name) else {
        return Ok(());
    };
    let beside = |ident: Ident| QualifiedName::new(name.schema.clone(), ident);
    let is_written = |column: &Column| !matches!(column.default, Some(ColumnDefault::Generated(_)));
    let shared: Vec<Ident> = to
        .columns
        .iter()
        .filter(|column| is_written(column) && from.column(&column.name).is_some_and(is_written))
        .map(|column| column.name.clone())
        .collect();
    let old_key = from
        .primary_key
        .as_ref()
        .map(|(_, key)| key.columns.clone());
    let key = old_key.filter(|key| key.iter().all(|column| shared.contains(column)));
    let Some(key) = key else {
        return Err(Error::Usage(format!(
            "{} changes how it is partitioned, and has no primary key by which its rows could be copied while programs write: give it one first",
            name.name.as_str()
        )));
    };
    let pair = Pair {
        name,
        built: beside(draft.built(&name.name)),
        kept: beside(draft.kept(&name.name)),
        from,
        to,
        shared,
        key,
        cause: &change.object,
    };
    create(draft, &pair)?;
    mirror(draft, &pair);
    let columns = idents(&pair.shared);
    backfill::rows(draft, (name, &pair.built), (&columns, &columns), pair.cause);
    parity(draft, &pair);
    exchange(draft, &pair)?;
    contract(draft, &pair);
    Ok(())
}

/// Names in the schema that the old table has, and that the new one takes over at the switch.
fn taken(pair: &Pair<'_>) -> Vec<(Ident, bool)> {
    let mut out: Vec<(Ident, bool)> = Vec::new();
    let key = pair.to.primary_key.iter().map(|(name, _)| name);
    let constraints = key
        .chain(pair.to.uniques.keys())
        .chain(pair.to.exclusions.keys());
    out.extend(constraints.map(|name| (name.clone(), true)));
    out.extend(pair.to.indexes.keys().map(|name| (name.clone(), false)));
    out
}

/// The new table, whole, under other names.
fn create(draft: &mut Draft<'_>, pair: &Pair<'_>) -> Result<(), Error> {
    let mut table = pair.to.clone();
    let built = |name: Ident| derived(&[name.as_str(), "new"]);
    table.primary_key = table.primary_key.map(|(name, key)| (built(name), key));
    table.uniques = table
        .uniques
        .into_iter()
        .map(|(n, m)| (built(n), m))
        .collect();
    table.exclusions = table
        .exclusions
        .into_iter()
        .map(|(n, m)| (built(n), m))
        .collect();
    table.indexes = table
        .indexes
        .into_iter()
        .map(|(n, m)| (built(n), m))
        .collect();
    let mut writer = Writer::new(draft.environment);
    writer.table(&pair.built, &table, &|key| key.table != *pair.name)?;
    writer.security(&pair.built, &table)?;
    for (role, privileges) in &table.grants {
        writer.grant(&pair.built, role, privileges);
    }
    let made: Vec<SqlText> = writer.take().into_iter().map(|made| made.sql).collect();
    let drop = fill(
        "DROP TABLE {name}",
        &[("name", &quote_qualified(&pair.built))],
    );
    let title = format!("a new {} beside the old one", pair.name.name.as_str());
    let item = Item::new(Phase::Expand, Rank::Tables, title, pair.cause)
        .parts(made)
        .undo(drop)
        .because("PostgreSQL cannot partition a table that is there");
    draft.push(item);
    Ok(())
}

fn mirror_name(pair: &Pair<'_>) -> Ident {
    derived(&["pgproof", "mirror", pair.name.name.as_str()])
}

/// Writes each change of one table to the other.
fn mirror_function(pair: &Pair<'_>, name: &Ident, target: &QualifiedName) -> SqlText {
    let name = QualifiedName::new(pair.name.schema.clone(), name.clone());
    let of = |row: &'static str, columns: &[Ident]| {
        join(
            columns
                .iter()
                .map(|column| crate::sql::column_of(row, column)),
            ", ",
        )
    };
    let parts = [
        ("name", &quote_qualified(&name)),
        ("target", &quote_qualified(target)),
        ("columns", &idents(&pair.shared)),
        ("values", &of("NEW", &pair.shared)),
        ("key", &idents(&pair.key)),
        ("old_key", &of("OLD", &pair.key)),
    ];
    // SECURITY DEFINER: a program that may write the one table need not be allowed to write the other.
    fill(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $pgproof$\nBEGIN\n    IF TG_OP <> 'INSERT' THEN\n        DELETE FROM {target} WHERE ROW({key}) = ROW({old_key});\n    END IF;\n    IF TG_OP <> 'DELETE' THEN\n        INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({values});\n    END IF;\n    RETURN NULL;\nEND\n$pgproof$",
        &parts,
    )
}

fn mirror_trigger(pair: &Pair<'_>, name: &Ident, source: &QualifiedName) -> SqlText {
    let function = QualifiedName::new(pair.name.schema.clone(), name.clone());
    let parts = [
        ("name", &quote_ident(name)),
        ("source", &quote_qualified(source)),
        ("function", &quote_qualified(&function)),
    ];
    fill(
        "CREATE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {source}\n    FOR EACH ROW EXECUTE FUNCTION {function}()",
        &parts,
    )
}

fn mirror(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let name = mirror_name(pair);
    let title = format!("write {} to both tables", pair.name.name.as_str());
    let item = Item::new(Phase::Expand, Rank::Sync, title, pair.cause)
        .part(mirror_function(pair, &name, &pair.built))
        .part(mirror_trigger(pair, &name, pair.name))
        .undo(drop_trigger(pair.name, &name))
        .undo(drop_function(pair.name, &name))
        .because("what is written while old rows are copied must not be lost");
    draft.push(item);
}

/// Rows that the two do not share.
fn differing(pair: &Pair<'_>, one: &QualifiedName, other: &QualifiedName) -> SqlText {
    let parts = [
        ("columns", &idents(&pair.shared)),
        ("one", &quote_qualified(one)),
        ("other", &quote_qualified(other)),
    ];
    fill(
        "(SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other})\nUNION ALL\n(SELECT {columns} FROM {other} EXCEPT ALL SELECT {columns} FROM {one})",
        &parts,
    )
}

fn parity(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let title = format!("both tables of {} hold the same", pair.name.name.as_str());
    let parts = [
        ("rows", &differing(pair, pair.name, &pair.built)),
        ("name", &literal(&title)),
    ];
    let assert = fill(
        "DO $pgproof$\nBEGIN\n    IF EXISTS ({rows}) THEN\n        RAISE EXCEPTION 'not so: %', {name};\n    END IF;\nEND\n$pgproof$",
        &parts,
    );
    let mut item = Item::new(Phase::Validate, Rank::Parity, title, pair.cause)
        .part(assert)
        .undo_parts([])
        .check(differing(pair, pair.name, &pair.built));
    item.step.is_parity = true;
    draft.push(item);
}

fn exchange(draft: &mut Draft<'_>, pair: &Pair<'_>) -> Result<(), Error> {
    let mut say = |slot: Slot, forward: SqlText, back: Vec<SqlText>| {
        let back = back.into_iter().map(Part::new).collect();
        draft.switch(pair.name, slot, pair.cause, (forward, back));
    };
    let (name, back_name) = (
        mirror_name(pair),
        derived(&["pgproof", "follow", pair.name.name.as_str()]),
    );
    let rename = |from: &QualifiedName, to: &QualifiedName| {
        alter(from, "RENAME TO {to}", &[("to", &quote_ident(&to.name))])
    };
    say(
        Slot::DropRules,
        drop_trigger(pair.name, &name),
        vec![mirror_trigger(pair, &name, pair.name)],
    );
    say(
        Slot::Columns,
        rename(pair.name, &pair.kept),
        vec![rename(&pair.kept, pair.name)],
    );
    say(
        Slot::Columns,
        rename(&pair.built, pair.name),
        vec![rename(pair.name, &pair.built)],
    );
    let old_constraint = |ident: &Ident| {
        pair.from
            .primary_key
            .as_ref()
            .is_some_and(|(name, _)| name == ident)
            || pair.from.uniques.contains_key(ident)
            || pair.from.exclusions.contains_key(ident)
    };
    for (ident, is_constraint) in taken(pair) {
        let (built, kept) = (
            derived(&[ident.as_str(), "new"]),
            derived(&[ident.as_str(), "old"]),
        );
        let index = |from: &Ident, to: &Ident| rename_index(pair.name, from, to);
        if old_constraint(&ident) {
            say(
                Slot::Keys,
                rename_constraint(&pair.kept, &ident, &kept),
                vec![rename_constraint(&pair.kept, &kept, &ident)],
            );
        } else if pair.from.indexes.contains_key(&ident) {
            say(Slot::Keys, index(&ident, &kept), vec![index(&kept, &ident)]);
        }
        if is_constraint {
            say(
                Slot::Keys,
                rename_constraint(pair.name, &built, &ident),
                vec![rename_constraint(pair.name, &ident, &built)],
            );
        } else {
            say(
                Slot::Keys,
                index(&built, &ident),
                vec![index(&ident, &built)],
            );
        }
    }
    let identities = pair.to.columns.iter().filter(|column| {
        matches!(
            column.default,
            Some(ColumnDefault::IdentityAlways | ColumnDefault::IdentityByDefault)
        )
    });
    for column in identities {
        let set = follow_rows(pair.name, &column.name);
        say(Slot::Settings, set, Vec::new());
    }
    say(
        Slot::Rules,
        mirror_function(pair, &back_name, &pair.kept),
        vec![drop_function(pair.name, &back_name)],
    );
    say(
        Slot::Rules,
        mirror_trigger(pair, &back_name, pair.name),
        vec![drop_trigger(pair.name, &back_name)],
    );
    let mut writer = Writer::new(draft.environment);
    for (trigger, made) in &pair.to.triggers {
        writer.trigger(pair.name, trigger, made)?;
    }
    for (made, trigger) in writer.take().into_iter().zip(pair.to.triggers.keys()) {
        let pair_of = (made.sql, vec![Part::new(drop_trigger(pair.name, trigger))]);
        draft.switch(pair.name, Slot::Rules, pair.cause, pair_of);
    }
    Ok(())
}

fn contract(draft: &mut Draft<'_>, pair: &Pair<'_>) {
    let back_name = derived(&["pgproof", "follow", pair.name.name.as_str()]);
    let subject = pair.name.name.as_str();
    let item = Item::new(
        Phase::Contract,
        Rank::GoneViews,
        format!("no longer follow {subject} in its old table"),
        pair.cause,
    )
    .part(drop_trigger(pair.name, &back_name))
    .part(drop_function(pair.name, &back_name))
    .part(drop_function(pair.name, &mirror_name(pair)))
    .forward_only("from here on the old table falls behind");
    draft.push(item);
    // One by one, while nobody uses the old table: a lock on it and on a table that programs hold would wait in a ring.
    for key in pair.from.foreign_keys.keys() {
        let item = Item::new(
            Phase::Contract,
            Rank::GoneRules,
            format!("drop reference {} of the old table", key.as_str()),
            pair.cause,
        )
        .part(drop_constraint(&pair.kept, key))
        .forward_only("the old table goes next");
        draft.push(item);
    }
    let item = Item::new(
        Phase::Contract,
        Rank::GoneTables,
        format!("drop the old table of {subject}"),
        pair.cause,
    )
    .part(fill(
        "DROP TABLE {name}",
        &[("name", &quote_qualified(&pair.kept))],
    ))
    .forward_only("the old table is gone; its rows are in the new one");
    draft.push(item);
}
